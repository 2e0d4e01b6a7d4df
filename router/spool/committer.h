/*
 * committer.h - the thread that writes: batches, failures, new segments.
 *
 * README.md, section 3, has the order in which things happen, and why.
 */
#ifndef ROUTER_SPOOL_COMMITTER_H
#define ROUTER_SPOOL_COMMITTER_H

/* For pthread_create; the context is the struct spool. Returns when the spool
 * is stopping and its queue is empty. */
void *committer_run(void *context);

#endif
