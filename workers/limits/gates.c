/* gates.c - all gates of a worker, and their talk with Redis. */
#include "workers/limits/gates.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "workers/limits/scripts.h"

#define KEY_SIZE 640

/* A question on its way: for the slots of some gates, in the order of the
 * answer, or for a rate of one. */
struct question {
    struct list link;
    struct gates *gates;
    enum gate_rate which;
    uint64_t asked_us;
    size_t count;
    struct gate *list[GATES_BATCH];
};

static uint64_t now_us(const struct gates *gates)
{
    return loop_now_ms(gates->options.loop) * 1000u;
}

static bool store_answers(const struct gates *gates)
{
    return gates->options.store && store_is_up(gates->options.store);
}

struct list *gates_bucket(struct gates *gates, struct slice name)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (uint8_t)name.ptr[i]) * 1099511628211u;
    return &gates->buckets[hash % GATES_BUCKETS];
}

void gates_drop(struct gate *gate)
{
    if (gate->references > 0 || gate->answers > 0)
        return;
    list_remove(&gate->link);
    mem_free(gate);
}

static void destroy(struct gates *gates)
{
    for (struct list *at; (at = list_take(&gates->questions));)
        mem_free(container_of(at, struct question, link));
    for (size_t i = 0; i < GATES_BUCKETS; i++)
        for (struct list *at; (at = list_take(&gates->buckets[i]));)
            mem_free(container_of(at, struct gate, link));
    timer_free(&gates->beat);
    timer_free(&gates->soon);
    ending_free(&gates->ending);
    mem_free(gates);
}

/* The key of a gate; the braces make one slot of a Redis Cluster of all keys
 * of a gate. */
static struct slice key_of(const struct gate *gate, const char *kind,
                           char text[KEY_SIZE])
{
    int len =
        snprintf(text, KEY_SIZE, "%s%s:{%.*s}", gate->gates->options.prefix,
                 kind, (int)gate->name_len, gate->name);
    return slice_of(text, (size_t)len < KEY_SIZE ? (size_t)len : KEY_SIZE - 1);
}

static void tell(const struct gates *gates, bool is_news)
{
    if (is_news)
        gates->on_change(gates->context);
}

static struct question *new_question(struct gates *gates)
{
    struct question *question = NEW(struct question);
    question->gates = gates;
    question->asked_us = now_us(gates);
    list_push_back(&gates->questions, &question->link);
    return question;
}

static void add_gate(struct question *question, struct gate *gate)
{
    question->list[question->count++] = gate;
    gate->answers++;
}

/* The last step of an answer's handler: the owner may close gates when told,
 * and gates that are freed end with their last answer. */
static void close_question(struct question *question, bool is_news)
{
    struct gates *gates = question->gates;
    for (size_t i = 0; i < question->count; i++) {
        question->list[i]->answers--;
        gates_drop(question->list[i]);
    }
    list_remove(&question->link);
    mem_free(question);
    if (!gates->is_freed)
        tell(gates, is_news);
    else if (list_is_empty(&gates->questions))
        destroy(gates);
}

static bool is_renewal_reply(const struct store_reply *reply, size_t count)
{
    if (!reply || reply->kind != STORE_ARRAY || reply->count != 2 * count + 1)
        return false;
    for (size_t i = 0; i < reply->count; i++)
        if (reply->items[i].kind != STORE_INTEGER || reply->items[i].integer < 0
            || (i > 0 && reply->items[i].integer > UINT32_MAX))
            return false;
    return true;
}

/* Asks between two beats, after that time; but see GATES_GAP_MS. */
static void ask_within(struct gates *gates, uint64_t wait_ms)
{
    const uint64_t now_ms = loop_now_ms(gates->options.loop);
    const uint64_t first_ms = gates->renewed_ms + GATES_GAP_MS;
    const uint64_t wished_ms = now_ms + wait_ms;
    const uint64_t at_ms = wished_ms > first_ms ? wished_ms : first_ms;
    if (gates->is_freed || (gates->soon_ms != 0 && gates->soon_ms <= at_ms))
        return;
    gates->soon_ms = at_ms;
    timer_set(gates->soon, at_ms);
}

void gates_hurry(struct gates *gates)
{
    ask_within(gates, 0);
}

/* Takes over what Redis said of one gate: the slots granted, and those that we
 * are sure of; NULL: nothing. Whether it is news. */
static bool hear_slots(struct gate *gate, const struct store_reply *said)
{
    struct slots *slots = &gate->slots;
    const struct share *share = &gate->gates->share;
    uint32_t before = slots_allowed(slots, share);
    if (said)
        slots_hear(slots, (uint32_t)said[0].integer, (uint32_t)said[1].integer);
    else
        slots_lose(slots);
    uint32_t after = slots_allowed(slots, share);
    if (said && slots_have_news(slots))
        gates_hurry(gate->gates);
    else if (said && slots_are_owed(slots))
        ask_within(gate->gates, GATES_OWED_MS);
    return before != after;
}

static void on_renewed(void *context, const struct store_reply *reply,
                       const struct fault *fault)
{
    (void)fault; /* the store has logged it */
    struct question *question = context;
    struct gates *gates = question->gates;
    bool is_valid = is_renewal_reply(reply, question->count);
    if (is_valid && gates->birth == 0)
        gates->birth = (uint64_t)reply->items[0].integer;
    bool is_news = false;
    for (size_t i = 0; i < question->count; i++)
        is_news |= hear_slots(question->list[i],
                              is_valid ? &reply->items[2 * i + 1] : NULL);
    close_question(question, is_news);
}

static void ask_slots(struct question *question)
{
    const struct gates *gates = question->gates;
    char keys_text[GATES_BATCH][KEY_SIZE];
    char requests[GATES_BATCH][SLOTS_REQUEST_SIZE];
    char lease[STORE_NUMBER_SIZE];
    char beat[STORE_NUMBER_SIZE];
    char birth[STORE_NUMBER_SIZE];
    struct slice keys[1 + GATES_BATCH] = { slice_text(gates->marker) };
    struct slice args[4 + GATES_BATCH] = {
        slice_text(gates->me),
        store_number(GATES_LEASE_MS, lease),
        store_number(GATES_BEAT_MS, beat),
        store_number(gates->birth, birth),
    };
    for (size_t i = 0; i < question->count; i++) {
        struct gate *gate = question->list[i];
        slots_ask(&gate->slots, &gates->share, requests[i]);
        keys[1 + i] = key_of(gate, "slots", keys_text[i]);
        args[4 + i] = slice_text(requests[i]);
    }
    store_eval(gates->options.store, &script_renew_slots, keys,
               1 + question->count, args, 4 + question->count, on_renewed,
               question);
}

/* Whether a gate has something to renew or to ask for. */
static bool is_concerned(const struct gate *gate, bool is_beat)
{
    const struct slots *slots = &gate->slots;
    if (!slots_are_limited(slots) || slots->under_way > 0)
        return false;
    return slots_have_news(slots) || slots_are_owed(slots)
           || (is_beat && (slots->asked > 0 || slots->open > 0));
}

/* A beat asks even for nothing: that is how the marker stays alive. */
static void renew(struct gates *gates, bool is_beat)
{
    struct question *question = is_beat ? new_question(gates) : NULL;
    for (size_t i = 0; i < GATES_BUCKETS; i++) {
        list_each (at, &gates->buckets[i]) {
            struct gate *gate = container_of(at, struct gate, link);
            if (!is_concerned(gate, is_beat))
                continue;
            if (question && question->count == GATES_BATCH)
                ask_slots(steal(question));
            if (!question)
                question = new_question(gates);
            add_gate(question, gate);
        }
    }
    if (question)
        ask_slots(question);
    gates->renewed_ms = loop_now_ms(gates->options.loop);
}

/* Redis cannot be asked: every gate that wants something lives on its own. */
static bool miss_all(struct gates *gates)
{
    bool is_news = false;
    for (size_t i = 0; i < GATES_BUCKETS; i++) {
        list_each (at, &gates->buckets[i]) {
            struct gate *gate = container_of(at, struct gate, link);
            is_news |= !gate->slots.is_refused;
            slots_miss(&gate->slots);
            for (size_t which = 0; which < GATE_RATES; which++)
                rate_lose(&gate->rates[which], now_us(gates));
        }
    }
    return is_news;
}

static void renew_or_miss(struct gates *gates, bool is_beat)
{
    if (store_answers(gates))
        renew(gates, is_beat);
    else
        tell(gates, miss_all(gates));
}

static void help_oneself(const struct gates *gates, struct rate *rate)
{
    rate_help_oneself(rate, &gates->share, now_us(gates),
                      time_utc_ms() * 1000u);
}

static bool is_reserve_reply(const struct store_reply *reply)
{
    if (!reply || reply->kind != STORE_ARRAY || reply->count < 3
        || reply->count > 1 + 2 * RATE_TRACKS || reply->count % 2 == 0)
        return false;
    for (size_t i = 0; i < reply->count; i++)
        if (reply->items[i].kind != STORE_INTEGER || reply->items[i].integer < 0
            || (i > 0 && i % 2 == 0 && reply->items[i].integer > UINT32_MAX))
            return false;
    return true;
}

/* The server's time; then for each run the wait for its first moment, and how
 * many there are. */
static void hear_runs(struct gates *gates, struct rate *rate,
                      const struct store_reply *reply)
{
    const uint64_t said_us = (uint64_t)reply->items[0].integer;
    for (size_t i = 1; i < reply->count; i += 2) {
        const uint64_t wait_us = (uint64_t)reply->items[i].integer;
        const uint32_t count = (uint32_t)reply->items[i + 1].integer;
        const struct moment first =
            server_clock_moment(&gates->clock, said_us + wait_us);
        if (count > 0)
            rate_hear(rate, count, &first, now_us(gates));
        else
            rate_wait(rate, wait_us, now_us(gates));
    }
}

static void on_reserved(void *context, const struct store_reply *reply,
                        const struct fault *fault)
{
    (void)fault;
    struct question *question = context;
    struct gates *gates = question->gates;
    struct rate *rate = &question->list[0]->rates[question->which];
    if (is_reserve_reply(reply)) {
        server_clock_hear(&gates->clock,
                          &(struct server_time){
                              .asked_us = question->asked_us,
                              .said_us = (uint64_t)reply->items[0].integer,
                              .heard_us = now_us(gates),
                          });
        hear_runs(gates, rate, reply);
    } else {
        rate_miss(rate);
        help_oneself(gates, rate);
    }
    close_question(question, true);
}

static void reserve(struct gate *gate, enum gate_rate which)
{
    static const char *const kinds[GATE_RATES] = {
        [GATE_MESSAGES] = "rate",
        [GATE_CONNECTS] = "connects",
    };
    struct gates *gates = gate->gates;
    struct rate *rate = &gate->rates[which];
    char key_text[KEY_SIZE];
    char request[RATE_REQUEST_SIZE];
    const struct slice key = key_of(gate, kinds[which], key_text);
    rate_ask(rate, &gates->share, now_us(gates), request);
    const struct slice args[] = { slice_text(gates->me), slice_text(request) };
    struct question *question = new_question(gates);
    question->which = which;
    add_gate(question, gate);
    store_eval(gates->options.store, &script_reserve, &key, 1, args,
               ARRAY_LEN(args), on_reserved, question);
}

/* Others may need the moments. */
static void hand_back(struct gates *gates)
{
    for (size_t i = 0; i < GATES_BUCKETS; i++) {
        list_each (at, &gates->buckets[i]) {
            struct gate *gate = container_of(at, struct gate, link);
            for (enum gate_rate which = 0; which < GATE_RATES; which++)
                if (rate_is_limited(&gate->rates[which])
                    && rate_is_idle(&gate->rates[which], now_us(gates)))
                    reserve(gate, which);
        }
    }
}

static void on_beat(void *context)
{
    struct gates *gates = context;
    /* Until Redis knows us: the sooner that is, the sooner it has settled. */
    uint64_t wait_ms = gates->birth == 0 ? GATES_GAP_MS : GATES_BEAT_MS;
    timer_set(gates->beat, loop_now_ms(gates->options.loop) + wait_ms);
    renew_or_miss(gates, true);
    if (store_answers(gates))
        hand_back(gates);
}

static void on_soon(void *context)
{
    struct gates *gates = context;
    gates->soon_ms = 0;
    renew_or_miss(gates, false);
}

void gates_give_back(struct gate *gate)
{
    struct slots *slots = &gate->slots;
    if (!slots_are_limited(slots) || slots->asked == 0
        || !store_answers(gate->gates))
        return;
    slots->wanted = 0;
    slots->open = 0;
    struct question *question = new_question(gate->gates);
    add_gate(question, gate);
    ask_slots(question);
}

void gates_fetch(struct gate *gate, enum gate_rate which)
{
    const struct gates *gates = gate->gates;
    struct rate *rate = &gate->rates[which];
    const bool is_low = rate_is_low(rate, now_us(gates));
    if (store_answers(gates)) {
        if (is_low)
            reserve(gate, which);
        return;
    }
    rate_lose(rate, now_us(gates));
    if (is_low && rate_tokens(rate, now_us(gates)) == 0)
        help_oneself(gates, rate);
}

struct gates *gates_new(const struct gates_options *options,
                        timer_fn *on_change, void *context)
{
    struct gates *gates = NEW(struct gates);
    gates->options = *options;
    gates->share = share_of(0, 1);
    gates->on_change = on_change;
    gates->context = context;
    list_init(&gates->questions);
    for (size_t i = 0; i < GATES_BUCKETS; i++)
        list_init(&gates->buckets[i]);
    (void)snprintf(gates->me, sizeof gates->me, "%.80s#%" PRIx64,
                   options->worker, options->boot);
    (void)snprintf(gates->marker, sizeof gates->marker, "%.100slimits",
                   options->prefix);
    gates->beat = timer_new(options->loop, on_beat, gates);
    gates->soon = timer_new(options->loop, on_soon, gates);
    timer_set(gates->beat, loop_now_ms(options->loop));
    return gates;
}

void gates_set_share(struct gates *gates, uint32_t rank, uint32_t workers)
{
    gates->share = share_of(rank, workers);
}

/* The loop ends before the answers came: nobody will bring them. */
static void at_the_end(void *context)
{
    destroy(context);
}

void gates_free(struct gates **gates)
{
    struct gates *held = steal(*gates);
    if (!held)
        return;
    held->is_freed = true;
    timer_free(&held->beat);
    timer_free(&held->soon);
    for (size_t i = 0; i < GATES_BUCKETS; i++) {
        list_each (at, &held->buckets[i]) {
            struct gate *gate = container_of(at, struct gate, link);
            gate->references = 0;
            gates_give_back(gate);
            gates_drop(gate);
        }
    }
    if (list_is_empty(&held->questions))
        destroy(held);
    else
        held->ending = ending_new(held->options.loop, at_the_end, held);
}
