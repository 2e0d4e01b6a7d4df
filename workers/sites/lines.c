/* lines.c - the connections of an outlet, by state. */
#include "workers/sites/lines.h"

#include "common/base/attr.h"
#include "common/base/check.h"

void lines_init(struct lines *lines)
{
    *lines = (struct lines){ .connecting_count = 0 };
    list_init(&lines->connecting);
    list_init(&lines->ready);
    list_init(&lines->busy);
    list_init(&lines->leaving);
}

/* Out of the list of its state. */
static void take_out(struct lines *lines, struct line *line)
{
    if (line->state == LINE_CONNECTING)
        lines->connecting_count--;
    if (line->state == LINE_BUSY)
        lines->busy_count--;
    if (line->state == LINE_LEAVING)
        lines->leaving_count--;
    list_remove(&line->link);
}

void lines_add(struct lines *lines, struct line *line)
{
    CHECK(line->state == LINE_CONNECTING);
    list_push_back(&lines->connecting, &line->link);
    lines->connecting_count++;
}

void lines_set_ready(struct lines *lines, struct line *line)
{
    CHECK(line->delivery_count == 0);
    take_out(lines, line);
    line->state = LINE_READY;
    list_push_front(&lines->ready, &line->link);
}

void lines_set_busy(struct lines *lines, struct line *line,
                    struct delivery *delivery)
{
    CHECK(line->state == LINE_READY || line->state == LINE_BUSY);
    list_push_back(&line->deliveries, &delivery->link);
    line->delivery_count++;
    if (line->state == LINE_BUSY)
        return;
    take_out(lines, line);
    line->state = LINE_BUSY;
    list_push_back(&lines->busy, &line->link);
    lines->busy_count++;
}

void lines_take_back(struct line *line, struct delivery *delivery)
{
    CHECK(line->delivery_count > 0);
    list_remove(&delivery->link);
    line->delivery_count--;
}

void lines_quit(struct lines *lines, struct line *line)
{
    take_out(lines, line);
    line_quit(line);
    list_push_back(&lines->leaving, &line->link);
    lines->leaving_count++;
}

void lines_pass(struct lines *from, struct line *line, struct carrier *owner,
                struct lines *to)
{
    CHECK(line->state == LINE_READY);
    take_out(from, line);
    line->carrier = owner;
    list_push_front(&to->ready, &line->link);
}

void lines_drop(struct lines *lines, struct line **line)
{
    take_out(lines, *line);
    line_free(line);
}

static struct line *find(const struct list *list, uint64_t route_key)
{
    for (struct list *at = list->next; at != list; at = at->next)
        if (line_of(at)->route_key == route_key)
            return line_of(at);
    return NULL;
}

struct line *lines_find_ready(const struct lines *lines, uint64_t route_key)
{
    return find(&lines->ready, route_key);
}

struct line *lines_find_followable(const struct lines *lines,
                                   uint64_t route_key, uint32_t sent_max)
{
    struct line *best = NULL;
    for (struct list *at = lines->busy.next; at != &lines->busy;
         at = at->next) {
        struct line *line = line_of(at);
        if (line->route_key == route_key
            && (sent_max == 0 || line->sent < sent_max)
            && (!best || line->delivery_count < best->delivery_count)
            && channel_can_follow(line->channel))
            best = line;
    }
    return best;
}

struct line *lines_idlest(const struct lines *lines)
{
    return list_is_empty(&lines->ready) ? NULL : line_of(lines->ready.prev);
}

bool lines_are_connecting(const struct lines *lines, uint64_t route_key)
{
    return find(&lines->connecting, route_key) != NULL;
}

bool lines_serve(const struct lines *lines, uint64_t route_key)
{
    return find(&lines->busy, route_key) || find(&lines->ready, route_key)
           || find(&lines->connecting, route_key);
}
