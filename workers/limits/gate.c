/* gate.c - what this worker may do towards a site from a source, now. */
#include "workers/limits/gate.h"

#include <string.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "workers/limits/gates.h"

#define NAME_MAX_LEN 512 /* of source and site together */

static void set_limits(struct gate *gate, const struct gate_limits *limits)
{
    gate->slots.limit = limits->max_connections;
    rate_set(&gate->rates[GATE_MESSAGES], &limits->messages);
    rate_set(&gate->rates[GATE_CONNECTS], &limits->connects);
}

static struct gate *find(struct list *bucket, struct slice name)
{
    list_each (at, bucket) {
        struct gate *gate = container_of(at, struct gate, link);
        if (slice_equal(slice_of(gate->name, gate->name_len), name))
            return gate;
    }
    return NULL;
}

static struct gate *add(struct gates *gates, struct list *bucket,
                        struct slice name)
{
    struct gate *gate = mem_new(1, sizeof *gate + name.len);
    gate->gates = gates;
    gate->name_len = (uint32_t)name.len;
    memcpy(gate->name, name.ptr, name.len);
    gate->slots.is_refused = !gates->options.store;
    list_push_back(bucket, &gate->link);
    return gate;
}

struct gate *gate_open(struct gates *gates, struct slice source,
                       struct slice site, const struct gate_limits *limits)
{
    char text[NAME_MAX_LEN];
    source = slice_head(source, NAME_MAX_LEN / 2 - 1);
    site = slice_head(site, NAME_MAX_LEN / 2);
    memcpy(text, source.ptr, source.len);
    text[source.len] = '|';
    memcpy(text + source.len + 1, site.ptr, site.len);
    struct slice name = slice_of(text, source.len + 1 + site.len);

    struct list *bucket = gates_bucket(gates, name);
    struct gate *gate = find(bucket, name);
    if (!gate)
        gate = add(gates, bucket, name);
    gate->references++;
    set_limits(gate, limits);
    return gate;
}

void gate_close(struct gate **gate)
{
    struct gate *held = steal(*gate);
    if (!held || --held->references > 0)
        return;
    gates_give_back(held);
    gates_drop(held);
}

void gate_want(struct gate *gate, uint32_t connections, uint32_t before)
{
    CHECK(gate->slots.wanted >= before);
    gate->slots.wanted = gate->slots.wanted - before + connections;
    if (slots_have_news(&gate->slots))
        gates_hurry(gate->gates);
}

uint32_t gate_slots(const struct gate *gate)
{
    return slots_allowed(&gate->slots, &gate->gates->share);
}

uint32_t gate_connections(const struct gate *gate)
{
    return gate->slots.open;
}

/* A token of one of the rates, got if need be. */
static bool take(struct gate *gate, enum gate_rate which, uint64_t now_ms,
                 uint64_t *wait_ms)
{
    struct rate *rate = &gate->rates[which];
    uint64_t wait_us = 0;
    *wait_ms = 0;
    if (!rate_is_limited(rate))
        return true;
    bool taken = rate_take(rate, now_ms * 1000u, &wait_us);
    gates_fetch(gate, which);
    if (!taken && wait_us == 0) /* it may have helped itself */
        taken = rate_take(rate, now_ms * 1000u, &wait_us);
    if (taken)
        return true;
    *wait_ms = (wait_us + 999u) / 1000u;
    return false;
}

bool gate_open_connection(struct gate *gate, uint64_t now_ms, uint64_t *wait_ms)
{
    *wait_ms = 0;
    if (gate->slots.open >= gate_slots(gate)
        || !take(gate, GATE_CONNECTS, now_ms, wait_ms))
        return false;
    gate->slots.open++;
    return true;
}

void gate_close_connection(struct gate *gate)
{
    CHECK(gate->slots.open > 0);
    gate->slots.open--;
    if (slots_have_news(&gate->slots))
        gates_hurry(gate->gates);
}

bool gate_take_message(struct gate *gate, uint64_t now_ms, uint64_t *wait_ms)
{
    return take(gate, GATE_MESSAGES, now_ms, wait_ms);
}

uint32_t gate_messages(const struct gate *gate, uint64_t now_ms)
{
    const struct rate *rate = &gate->rates[GATE_MESSAGES];
    return rate_is_limited(rate) ? rate_tokens_soon(rate, now_ms * 1000u)
                                 : GATE_UNLIMITED;
}
