/* delivery.c - one job from its JOB frame to its RESULT. */
#include "workers/sites/delivery.h"

#include "common/base/mem.h"

#define ARENA_MAX  ((size_t)1 << 31) /* whatever a router may have accepted */
#define REUSED_MAX 512

struct deliveries {
    struct list idle;
    size_t count;
};

struct deliveries *deliveries_new(void)
{
    struct deliveries *deliveries = NEW(struct deliveries);
    list_init(&deliveries->idle);
    return deliveries;
}

static void destroy(struct delivery *delivery)
{
    arena_release(&delivery->arena);
    buf_release(&delivery->text);
    mem_free(delivery);
}

void deliveries_free(struct deliveries **deliveries)
{
    struct deliveries *held = steal(*deliveries);
    if (!held)
        return;
    for (struct list *link; (link = list_take(&held->idle));)
        destroy(container_of(link, struct delivery, link));
    mem_free(held);
}

static struct delivery *idle_or_new(struct deliveries *deliveries)
{
    struct list *link = list_take(&deliveries->idle);
    if (link) {
        deliveries->count--;
        return container_of(link, struct delivery, link);
    }
    struct delivery *delivery = NEW(struct delivery);
    list_init(&delivery->link);
    list_init(&delivery->held);
    arena_init(&delivery->arena, ARENA_MAX);
    return delivery;
}

static bool fill(struct delivery *delivery, struct slice head,
                 struct slice body)
{
    struct wire_frame frame;
    struct arena *arena = &delivery->arena;
    if (!body.ptr)
        return false;
    head = arena_slice(arena, head);
    body = arena_slice(arena, body);
    if (!head.ptr || !body.ptr || wire_decode(head, arena, &frame) != RC_OK)
        return false;
    delivery->job = frame.as.job;
    delivery->body = body;
    delivery->dialog = (struct transaction){
        .envelope = &delivery->job,
        .body = body,
        .outcomes = arena_new(arena, delivery->job.recipient_count,
                              sizeof(struct verdict)),
    };
    delivery->route_key = delivery_route_key(&delivery->job);
    return delivery->dialog.outcomes && delivery->job.recipient_count > 0
           && delivery->job.size == body.len;
}

struct delivery *delivery_take(struct deliveries *deliveries, struct slice head,
                               struct slice body)
{
    struct delivery *delivery = idle_or_new(deliveries);
    delivery->started_utc_ms = 0;
    if (fill(delivery, head, body))
        return delivery;
    delivery_put(deliveries, delivery);
    return NULL;
}

bool delivery_fit(struct delivery *delivery, const struct ehlo *peer,
                  enum fit_rule rule)
{
    struct transaction *dialog = &delivery->dialog;
    dialog->envelope = &delivery->job;
    dialog->body = delivery->body;
    if (!fit_is_needed(peer, &delivery->job))
        return true;
    const struct fit_case given = { peer, &delivery->job, delivery->body,
                                    rule };
    struct verdict why;
    if (!fit_make(&given, &delivery->arena, &delivery->text, &delivery->fitted,
                  &why)) {
        dialog->is_started = true;
        transaction_refuse(dialog, &why);
        return false;
    }
    dialog->envelope = &delivery->fitted.envelope;
    dialog->body = delivery->fitted.body;
    return true;
}

void delivery_put(struct deliveries *deliveries, struct delivery *delivery)
{
    if (deliveries->count == REUSED_MAX) {
        destroy(delivery);
        return;
    }
    arena_clear(&delivery->arena);
    buf_release(&delivery->text);
    list_push_back(&deliveries->idle, &delivery->link);
    deliveries->count++;
}

uint64_t delivery_route_key(const struct wire_job *job)
{
    /* FNV-1a: keys meet only within one lane, and only friends choose them */
    uint64_t key = 14695981039346656037u;
    for (size_t i = 0; i < job->host_count; i++) {
        const struct wire_host *host = &job->hosts[i];
        key = (key ^ host->preference) * 1099511628211u;
        for (size_t j = 0; j < host->name.len; j++)
            key = (key ^ (unsigned char)host->name.ptr[j]) * 1099511628211u;
    }
    return key;
}
