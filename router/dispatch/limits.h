/*
 * limits.h - every bound of the lane thread, with its reason.
 */
#ifndef ROUTER_DISPATCH_LIMITS_H
#define ROUTER_DISPATCH_LIMITS_H

/* For so long no job insists on a source that the receiver has no address for. */
#define DISPATCH_FAMILY_MS 600000u

/* Messages on their way from the committer; over the spool's own queue. */
#define DISPATCH_ENTRIES_MAX 65536u

/* Settlements on their way back; the committer waits when it is full. */
#define DISPATCH_SETTLED_MAX 65536u

/* Questions, reloads and actions that wait; at the start all actions at once
 * (BOOK_ACTIONS_MAX). */
#define DISPATCH_CALLS_MAX 8192u

/* Largest envelope, decoded: 10,000 recipients of 300 bytes, some times over. */
#define DISPATCH_SCRATCH_MAX (256u << 20)

/* Largest frame: a job of WIRE_RECIPIENTS_MAX recipients. */
#define DISPATCH_FRAME_MAX (16u << 20)

/* Jobs sent in one half of a turn, so that frames are heard in between. */
#define DISPATCH_SERVE_MAX 256u

/* Cold messages that are being read back at a time, and how many of them one
 * lane, the retries that fall due, or a start may take in a row. */
#define DISPATCH_FETCHES_MAX 1024u
#define DISPATCH_FETCH_TURN  64u

/* What the disk did not give is asked for again after this. */
#define DISPATCH_FETCH_AGAIN_MS 5000u

/* Answers of the reader on their way: messages, and a body for any lease. */
#define DISPATCH_FETCHED_MAX 65536u

/* A message that waits at least this long for its next attempt goes cold. */
#define DISPATCH_COLD_WAIT_MS 10000u

/* A message whose delay is to be told, and that a worker has: looked at again
 * after this. */
#define DISPATCH_WARN_AGAIN_MS 2000u

/* Jobs of a lane that are stepped over at a time, because they wait for another
 * source than has credit. */
#define DISPATCH_STEPS_MAX 64u

/* Jobs of a lane that are set aside at most, since they are kept in memory: more
 * do not insist on their source. */
#define DISPATCH_ASIDE_MAX 65536u

/* How often the thread looks at its workers, pools and alarms. */
#define DISPATCH_TICK_MS 100u

/* Lanes that stood empty that long are forgotten; how often is swept, and what
 * the disk refused is tried again. */
#define DISPATCH_LANE_IDLE_MS  300000u
#define DISPATCH_SWEEP_EACH_MS 1000u

/* A link that was full is tried again after this. */
#define DISPATCH_MUTE_MS 20u

/* A lane counts as empty for the workers once it was so for this long: their
 * credit stands, and the next message leaves at once. */
#define DISPATCH_CLOSE_AFTER_MS 2000u

/* A deeper lane is told anew at most this often. */
#define DISPATCH_DEEPER_EACH_MS 200u

/* A lane with jobs that nobody asks for is told again that often. */
#define DISPATCH_REMIND_MS 10000u

/* No attempt takes longer: the sum of RFC 5321 waits and a slow body. */
#define DISPATCH_LEASE_MAX_MS 3600000u

/* A job that was sent less than this before a HELLO may have crossed it. */
#define DISPATCH_CROSSING_MS 1000u

/* What may have crossed a HELLO is believed in for so long (RFC 5321 4.5.3.2:
 * ten minutes for the last reply). */
#define DISPATCH_SUSPECT_MS 900000u

/* Largest original that a report returns whole, RFC 3461 RET=FULL. */
#define DISPATCH_RETURN_MAX (1u << 20)

/* Largest report: 10,000 recipients of 3 kB, twice told, and the original. */
#define DISPATCH_BOUNCE_MAX (64u << 20)

/* Largest answer to a question. */
#define DISPATCH_ANSWER_MAX (16u << 20)

/* What operators want done takes so much of one half of a turn, and waits while
 * so many writes are under way. */
#define DISPATCH_OPERATE_SLICE_US     1000u
#define DISPATCH_OPERATE_SETTLING_MAX 4096u

/* Cold messages that one action has being read. */
#define DISPATCH_OPERATE_READS_MAX 256u

/* What a bulk action found with a worker is looked at again after this. */
#define DISPATCH_RECHECK_EACH_MS 500u

/* How often its progress is told. */
#define DISPATCH_TELL_EACH_MS 250u

/* Messages on one page of a search. */
#define DISPATCH_PAGE_MAX 500u

/* Share of the body cache that urgent mail alone may fill: 1/8. */
#define DISPATCH_URGENT_DIVISOR 8u

#endif
