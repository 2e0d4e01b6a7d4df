/* promises.c - what a spool must hold at some moment of a run. */
#include "tests/crash/promises.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/check.h"
#include "common/base/list.h"
#include "common/base/mem.h"
#include "common/base/table.h"
#include "router/spool/spool.h"
#include "tests/crash/letters.h"

#define WRITES_MAX 400u

struct promise {
    uint64_t id;
    uint64_t len;   /* of the body */
    uint64_t order; /* of the PUT among those told as done; 0: not told */
    size_t posted;
    size_t told;     /* of those posted, in their order */
    uint64_t opened; /* the opening that told of it last */
    uint64_t seen;   /* the check that saw it last */
    struct {
        uint64_t number;
        bool drops;
    } writes[WRITES_MAX]; /* the first is the PUT, or what stands for it */
};

struct promises {
    struct table by_id;
    uint64_t openings;
    uint64_t checks;
    uint64_t puts_told;
    uint64_t last_order; /* in this check */
};

struct promises *promises_new(void)
{
    struct promises *promises = NEW(struct promises);
    table_init(&promises->by_id);
    promises->openings = 1;
    return promises;
}

void promises_free(struct promises **promises)
{
    struct promises *freed = steal(*promises);
    if (!freed)
        return;
    size_t at = 0;
    for (void *each; (each = table_next(&freed->by_id, &at));)
        mem_free(each);
    table_release(&freed->by_id);
    mem_free(freed);
}

static void hear_posted(struct promises *promises, struct promise *promise,
                        const struct mark *mark)
{
    if (!promise) {
        promise = NEW(struct promise);
        promise->id = mark->id;
        promise->len = mark->len;
        table_put(&promises->by_id, mark->id, promise);
    }
    CHECK(promise->posted < WRITES_MAX);
    promise->writes[promise->posted].number = mark->number;
    promise->writes[promise->posted].drops = mark->write == SPOOL_DROP;
    promise->posted++;
}

/* From now on it would be invented. */
static void forget(struct promises *promises, struct promise *promise)
{
    CHECK(table_take(&promises->by_id, promise->id) == promise);
    mem_free(promise);
}

static void hear_done(struct promises *promises, struct promise *promise,
                      const struct mark *mark)
{
    CHECK(promise && promise->told < promise->posted
          && promise->writes[promise->told].number == mark->number);
    promise->told++;
    if (mark->write == SPOOL_PUT)
        promise->order = ++promises->puts_told;
    if (mark->write == SPOOL_DROP)
        forget(promises, promise);
}

/* What recovery told of is as good as a write that was told as done: the
 * router acts on it. */
static void hear_found(struct promises *promises, struct promise *promise,
                       const struct mark *mark)
{
    CHECK(promise);
    promise->opened = promises->openings;
    promise->posted = 1;
    promise->told = 1;
    promise->writes[0].number = mark->number;
    promise->writes[0].drops = false;
    if (promise->order == 0)
        promise->order = ++promises->puts_told;
}

static struct promise *find_not_opened(const struct promises *promises)
{
    size_t at = 0;
    for (struct promise *each; (each = table_next(&promises->by_id, &at));)
        if (each->opened != promises->openings)
            return each;
    return NULL;
}

/* What recovery did not tell of is gone for good. */
static void hear_opened(struct promises *promises)
{
    struct promise *gone;
    while ((gone = find_not_opened(promises)))
        forget(promises, gone);
    promises->openings++;
}

void promises_hear(struct promises *promises, const struct mark *mark)
{
    struct promise *promise = table_get(&promises->by_id, mark->id);
    switch ((enum mark_kind)mark->kind) {
    case MARK_POSTED:
        hear_posted(promises, promise, mark);
        break;
    case MARK_DONE:
        hear_done(promises, promise, mark);
        break;
    case MARK_FOUND:
        hear_found(promises, promise, mark);
        break;
    case MARK_OPENED:
        hear_opened(promises);
        break;
    }
}

void promises_begin(struct promises *promises)
{
    promises->checks++;
    promises->last_order = 0;
}

/* May the message be there, and with this write as its last? */
static bool allows(const struct promise *promise, uint64_t number)
{
    const size_t from = promise->told > 0 ? promise->told - 1 : 0;
    for (size_t i = from; i < promise->posted; i++)
        if (promise->writes[i].number == number)
            return !promise->writes[i].drops;
    return false;
}

static bool may_be_gone(const struct promise *promise)
{
    if (promise->told == 0)
        return true;
    for (size_t i = promise->told - 1; i < promise->posted; i++)
        if (promise->writes[i].drops)
            return true;
    return false;
}

static bool say(char *why, const char *what, uint64_t id, uint64_t number)
{
    (void)snprintf(why, PROMISES_WHY_MAX,
                   "%s: message %" PRIu64 " (%" PRIu64 ")", what, id, number);
    return false;
}

bool promises_found(struct promises *promises, uint64_t id,
                    struct slice envelope, struct slice state, char *why)
{
    struct promise *promise = table_get(&promises->by_id, id);
    uint64_t len = 0;
    uint64_t number = 1;
    if (!promise)
        return say(why, "invented", id, 0);
    if (promise->seen == promises->checks)
        return say(why, "told twice", id, 0);
    promise->seen = promises->checks;
    if (!letter_read_envelope(envelope, id, &len) || len != promise->len)
        return say(why, "wrong envelope", id, len);
    if (state.len > 0 && !letter_read_state(state, id, &number))
        return say(why, "wrong state", id, 0);
    if (!allows(promise, number))
        return say(why, "not the newest state", id, number);
    if (promise->order != 0) {
        if (promise->order < promises->last_order)
            return say(why, "out of order", id, promise->order);
        promises->last_order = promise->order;
    }
    return true;
}

bool promises_end(struct promises *promises, char *why)
{
    size_t at = 0;
    for (struct promise *each; (each = table_next(&promises->by_id, &at));)
        if (each->seen != promises->checks && !may_be_gone(each))
            return say(why, "lost", each->id, each->told);
    return true;
}
