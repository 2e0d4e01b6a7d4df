/* exchange.c - templates' budgets and states with the other routers. */
#include "router/templates/exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/list.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/edge/log.h"
#include "common/proto/message_id.h"
#include "router/templates/scripts.h"

#define LOOK_EACH_MS     500u
#define STORE_TIMEOUT_MS 2000u
#define ANEW_EACH_MS     10000u /* after a write that failed */
#define WISHES_MAX       4096u
#define KEY_SIZE         768u
#define NEWS_MAX         256u /* records in one answer */
#define PUT_MAX          8u   /* records in one call */
#define PUTS_AT_ONCE     64u  /* calls in one look: a start is no rush */
#define BAND_TTL_MS      (25 * HOURS_MS(1))

/* A state that Redis shall have. */
struct put {
    struct list link;
    char id[ID_TEXT_SIZE];
    uint64_t rank;
    size_t len;
    char bytes[];
};

struct template_exchange {
    struct template_exchange_options options;
    char *prefix;
    struct loop *loop;
    struct store *store;
    struct timer *look;
    struct mailbox *wishes;
    struct list puts;
    struct list errands; /* that the store has */
    uint64_t epoch;
    uint64_t anew_ms;  /* not before this all is written again */
    uint64_t alone_ms; /* not before this Redis is given up */
    bool is_up;        /* as of the last look */
    bool is_asking;    /* for news */
};

/* ---- keys -------------------------------------------------------------- */

static struct slice key_of(const struct template_exchange *exchange,
                           char key[KEY_SIZE], struct slice owner,
                           const char *what, const char *which)
{
    const int len = snprintf(key, KEY_SIZE, "%stemplates:{%.*s}:%s%s",
                             exchange->prefix, SLICE_ARG(owner), what, which);
    return slice_of(key, (size_t)len < KEY_SIZE ? (size_t)len : KEY_SIZE - 1);
}

/* ---- states ------------------------------------------------------------ */

#define STATE_KEYS 3u

static void state_keys(const struct template_exchange *exchange,
                       char texts[STATE_KEYS][KEY_SIZE],
                       struct slice keys[STATE_KEYS])
{
    static const char *const names[STATE_KEYS] = { "changes", "states",
                                                   "epoch" };
    for (unsigned i = 0; i < STATE_KEYS; i++)
        keys[i] = key_of(exchange, texts[i], SLICE("all"), names[i], "");
}

static void forget_puts(struct template_exchange *exchange)
{
    for (struct list *link; (link = list_take(&exchange->puts));)
        mem_free(container_of(link, struct put, link));
}

/* What changes while Redis is away is written, with all else, when it is back.
 * What was taken here is no other router's. */
void template_exchange_put(struct template_exchange *exchange,
                           const struct template_record *record)
{
    const struct template_record state = { .template = record->template,
                                           .tenant = record->tenant,
                                           .now = record->now };
    scoped(buf_release) struct buf packed;
    buf_init(&packed, RECORD_PACKED_MAX);
    if (!exchange->is_up || !template_record_pack(&state, &packed))
        return;
    struct put *put = mem_new(1, sizeof *put + packed.len);
    (void)id_format(record->template.id, put->id);
    put->rank = template_record_rank(record);
    put->len = packed.len;
    memcpy(put->bytes, buf_slice(&packed).ptr, packed.len);
    list_init(&put->link);
    list_push_back(&exchange->puts, &put->link);
    timer_set(exchange->look, loop_now_ms(exchange->loop));
}

/* Those on their first trial are nobody else's business: budgets are shared by
 * other means. */
static void put_if_changed(void *context, const struct template_record *record)
{
    if (record->now != 0
        || (record->template.id != 0
            && template_has_changed(&record->template)))
        template_exchange_put(context, record);
}

static void heard_put(void *context, const struct store_reply *reply,
                      const struct fault *fault)
{
    struct template_exchange *exchange = context;
    if (reply)
        return;
    exchange->is_up = false;
    exchange->anew_ms = loop_now_ms(exchange->loop) + ANEW_EACH_MS;
    log_line(LOG_DEBUG, "template_not_shared", "why=\"%s\"", fault->text);
}

static void write_some(struct template_exchange *exchange)
{
    char texts[STATE_KEYS][KEY_SIZE];
    char max[STORE_NUMBER_SIZE];
    char ranks[PUT_MAX][STORE_NUMBER_SIZE];
    struct slice keys[STATE_KEYS];
    struct slice args[1 + 3 * PUT_MAX];
    struct put *puts[PUT_MAX];
    size_t count = 0;
    for (struct list *link;
         count < PUT_MAX && (link = list_take(&exchange->puts));)
        puts[count++] = container_of(link, struct put, link);
    args[0] = store_number(exchange->options.max_templates, max);
    for (size_t i = 0; i < count; i++) {
        args[1 + 3 * i] = slice_text(puts[i]->id);
        args[2 + 3 * i] = store_number(puts[i]->rank, ranks[i]);
        args[3 + 3 * i] = slice_of(puts[i]->bytes, puts[i]->len);
    }
    state_keys(exchange, texts, keys);
    store_eval(exchange->store, &script_put, keys, STATE_KEYS, args,
               1 + 3 * count, heard_put, exchange);
    for (size_t i = 0; i < count; i++)
        mem_free(puts[i]);
}

static void write_puts(struct template_exchange *exchange)
{
    for (unsigned i = 0; i < PUTS_AT_ONCE && !list_is_empty(&exchange->puts);
         i++)
        write_some(exchange);
}

/* ---- news -------------------------------------------------------------- */

static void take_news(struct template_exchange *exchange,
                      const struct store_reply *reply)
{
    struct template_record record;
    for (size_t i = 1; i < reply->count; i++) {
        if (template_record_unpack(reply->items[i].text, &record) != RC_OK)
            log_line(LOG_WARNING, "template_unreadable", "bytes=%zu",
                     reply->items[i].text.len);
        else if (templates_merge(exchange->options.templates, &record,
                                 time_utc_ms()))
            exchange->options.heard(exchange->options.context, &record);
    }
}

static void ask_news(struct template_exchange *exchange);

static void heard_news(void *context, const struct store_reply *reply,
                       const struct fault *fault)
{
    (void)fault; /* the link tells of its own troubles */
    struct template_exchange *exchange = context;
    uint64_t epoch = 0;
    exchange->is_asking = false;
    if (!reply || reply->kind != STORE_ARRAY || reply->count == 0
        || !slice_number(reply->items[0].text, UINT64_MAX, &epoch)) {
        exchange->is_up = false;
        return;
    }
    take_news(exchange, reply);
    const bool has_lost = epoch < exchange->epoch; /* it is another Redis */
    exchange->epoch = epoch;
    if (has_lost)
        exchange->is_up = false;
    else if (reply->count > NEWS_MAX)
        ask_news(exchange);
}

static void ask_news(struct template_exchange *exchange)
{
    char texts[STATE_KEYS][KEY_SIZE];
    char numbers[2][STORE_NUMBER_SIZE];
    struct slice keys[STATE_KEYS];
    const struct slice args[] = {
        store_number(exchange->epoch, numbers[0]),
        store_number(NEWS_MAX, numbers[1]),
    };
    state_keys(exchange, texts, keys);
    exchange->is_asking = true;
    store_eval(exchange->store, &script_news, keys, STATE_KEYS, args,
               ARRAY_LEN(args), heard_news, exchange);
}

/* ---- shares ------------------------------------------------------------ */

struct errand {
    struct list link;
    struct template_exchange *exchange;
    struct templates_wish *wish;
};

static void end_errand(struct errand *errand)
{
    list_remove(&errand->link);
    mem_free(errand->wish);
    mem_free(errand);
}

static void heard_share(void *context, const struct store_reply *reply,
                        const struct fault *fault)
{
    (void)fault;
    struct errand *errand = context;
    uint32_t count = 0;
    if (reply && reply->kind == STORE_INTEGER && reply->integer > 0
        && reply->integer <= errand->wish->count)
        count = (uint32_t)reply->integer;
    templates_grant(errand->exchange->options.templates, errand->wish, count);
    end_errand(errand);
}

static void ask_share(struct errand *errand)
{
    static const char *const spans[ALLOWANCE_SPANS] = { "hour:", "day:" };
    const struct templates_wish *wish = errand->wish;
    char texts[ALLOWANCE_SPANS][KEY_SIZE];
    char numbers[1 + 2 * ALLOWANCE_SPANS][STORE_NUMBER_SIZE];
    char id[ID_TEXT_SIZE];
    struct slice keys[ALLOWANCE_SPANS];
    struct slice args[1 + 2 * ALLOWANCE_SPANS];
    size_t count = 0;
    args[0] = store_number(wish->count, numbers[0]);
    (void)id_format(wish->template, id);
    for (unsigned i = 0; i < ALLOWANCE_SPANS; i++) {
        if (wish->rule.span_ms[i] == 0)
            continue;
        const size_t at = 1 + 2 * count;
        keys[count] = key_of(errand->exchange, texts[i],
                             slice_of(wish->tenant, wish->tenant_len),
                             wish->template == 0 ? "pot" : spans[i],
                             wish->template == 0 ? "" : id);
        args[at] = store_number(wish->rule.span_ms[i] / (ALLOWANCE_SLICES - 1),
                                numbers[at]);
        args[at + 1] =
            store_number(allowance_stock(&wish->rule, i), numbers[at + 1]);
        count++;
    }
    store_eval(errand->exchange->store, &script_share, keys, count, args,
               1 + 2 * count, heard_share, errand);
}

static void heard_adopt(void *context, const struct store_reply *reply,
                        const struct fault *fault)
{
    (void)fault;
    struct errand *errand = context;
    uint64_t id = 0;
    if (!reply || reply->kind != STORE_TEXT || !id_parse(reply->text, &id)
        || id == 0) {
        end_errand(errand);
        return;
    }
    errand->wish->template = templates_adopt(
        errand->exchange->options.templates, errand->wish, id, time_utc_ms());
    ask_share(errand);
}

static void ask_adopt(struct errand *errand)
{
    const struct templates_wish *wish = errand->wish;
    char texts[GUARD_BANDS][KEY_SIZE];
    char band[sizeof "00000000-0000"];
    char ttl[STORE_NUMBER_SIZE];
    char id[ID_TEXT_SIZE];
    struct slice keys[GUARD_BANDS];
    for (unsigned i = 0; i < GUARD_BANDS; i++) {
        (void)snprintf(band, sizeof band, "%08" PRIx32 "-%04x",
                       wish->key.bands[i], (unsigned)wish->key.skeleton);
        keys[i] =
            key_of(errand->exchange, texts[i],
                   slice_of(wish->tenant, wish->tenant_len), "band:", band);
    }
    const struct slice args[] = {
        slice_text(id_format(wish->template, id)),
        store_number(BAND_TTL_MS, ttl),
    };
    store_eval(errand->exchange->store, &script_adopt, keys, GUARD_BANDS, args,
               ARRAY_LEN(args), heard_adopt, errand);
}

bool template_exchange_wish(struct template_exchange *exchange,
                            struct templates_wish *wish)
{
    return mailbox_post(exchange->wishes, wish);
}

static void hear_wish(void *context, void *item)
{
    struct template_exchange *exchange = context;
    struct errand *errand = NEW(struct errand);
    errand->exchange = exchange;
    errand->wish = item;
    list_init(&errand->link);
    list_push_back(&exchange->errands, &errand->link);
    if (!exchange->store || !store_is_up(exchange->store))
        end_errand(errand);
    else if (errand->wish->template != 0 && !errand->wish->is_shared)
        ask_adopt(errand);
    else
        ask_share(errand);
}

/* ---- */

/* Redis is back, perhaps with nothing in it. */
static void begin_anew(struct template_exchange *exchange)
{
    exchange->is_up = true;
    exchange->epoch = 0;
    forget_puts(exchange);
    templates_each_other(exchange->options.templates, put_if_changed, exchange);
    templates_each(exchange->options.templates, put_if_changed, exchange);
}

static void look(void *context)
{
    struct template_exchange *exchange = context;
    const bool is_up = store_is_up(exchange->store);
    timer_set(exchange->look, loop_now_ms(exchange->loop) + LOOK_EACH_MS);
    templates_set_alone(
        exchange->options.templates,
        !is_up && loop_now_ms(exchange->loop) >= exchange->alone_ms);
    if (is_up)
        exchange->alone_ms = 0;
    if (!is_up)
        exchange->is_up = false;
    else if (!exchange->is_up && !exchange->is_asking
             && loop_now_ms(exchange->loop) >= exchange->anew_ms)
        begin_anew(exchange);
    if (!exchange->is_up)
        return;
    write_puts(exchange);
    if (!exchange->is_asking)
        ask_news(exchange);
}

struct template_exchange *template_exchange_new(
    struct loop *loop, const struct template_exchange_options *options,
    struct fault *fault)
{
    struct store *store =
        store_new(loop, &options->redis, STORE_TIMEOUT_MS, fault);
    if (!store)
        return NULL;
    struct template_exchange *exchange = NEW(struct template_exchange);
    exchange->options = *options;
    exchange->prefix = mem_copy_text(options->prefix, strlen(options->prefix));
    exchange->loop = loop;
    exchange->store = store;
    list_init(&exchange->puts);
    list_init(&exchange->errands);
    exchange->wishes = mailbox_new(loop, WISHES_MAX, hear_wish, exchange);
    exchange->alone_ms = loop_now_ms(loop) + STORE_TIMEOUT_MS;
    templates_set_alone(options->templates, false);
    exchange->look = timer_new(loop, look, exchange);
    timer_set(exchange->look, loop_now_ms(loop));
    return exchange;
}

void template_exchange_free(struct template_exchange **exchange)
{
    struct template_exchange *freed = steal(*exchange);
    if (!freed)
        return;
    store_free(&freed->store); /* its calls are dropped */
    mailbox_free(&freed->wishes);
    while (!list_is_empty(&freed->errands))
        end_errand(container_of(freed->errands.next, struct errand, link));
    timer_free(&freed->look);
    forget_puts(freed);
    mem_free(freed->prefix);
    mem_free(freed);
}
