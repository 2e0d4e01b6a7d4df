/* values.c - one setting: from a node to a member, checked by its type. */
#include "config/values.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <unistd.h>

#include "common/base/chars.h"
#include "common/base/check.h"
#include "config/files.h"
#include "config/names.h"
#include "config/units.h"
#include "config/waits.h"

#define NAME_LEN_MAX 128
#define RANGES_MAX   64 /* in one setting */

void values_error(const struct values_spot *spot, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    conf_errors_add(spot->fill->errors, spot->node->place, "%s%s%s: %s",
                    spot->path, spot->path[0] ? "." : "", spot->key->name,
                    text);
}

/* The text of the node, printable and not empty; errors are told. */
static bool text_of(const struct values_spot *spot, struct slice *text)
{
    if (spot->node->kind != NODE_TEXT) {
        values_error(spot, "takes a text in quotes (%s), not %s",
                     schema_type_name(spot->key->type),
                     tree_kind_name(spot->node->kind));
        return false;
    }
    *text = slice_text(spot->node->text);
    if (text->len == 0) {
        values_error(spot, "is empty");
        return false;
    }
    for (size_t i = 0; i < text->len; i++) {
        if (char_is(text->ptr[i], CHAR_CTRL)) {
            values_error(spot, "holds a control character");
            return false;
        }
    }
    return true;
}

static void put_text(const struct values_spot *spot, struct slice text)
{
    const char *copy = holder_text(spot->fill->holder, text);
    memcpy(spot->target, &copy, sizeof copy);
}

static void put_number(const struct values_spot *spot, uint64_t number)
{
    switch (spot->key->width) {
    case sizeof(uint8_t):
        *(bool *)spot->target = number != 0;
        break;
    case sizeof(uint32_t):
        memcpy(spot->target, &(uint32_t){ (uint32_t)number }, sizeof(uint32_t));
        break;
    default:
        CHECK(spot->key->width == sizeof number);
        memcpy(spot->target, &number, sizeof number);
    }
}

static void store_text(const struct values_spot *spot)
{
    struct slice text;
    if (text_of(spot, &text))
        put_text(spot, text);
}

static void store_name(const struct values_spot *spot)
{
    struct slice text;
    if (!text_of(spot, &text))
        return;
    bool is_good = text.len <= NAME_LEN_MAX;
    for (size_t i = 0; i < text.len; i++)
        is_good &= char_is(text.ptr[i], CHAR_LDH)
                   || slice_find(SLICE("._@+"), text.ptr[i]) < 4;
    if (is_good)
        put_text(spot, text);
    else
        values_error(spot,
                     "'%.40s' is no name: letters, digits and . _ - @ + only, "
                     "at most %d",
                     text.ptr, NAME_LEN_MAX);
}

static void store_flag(const struct values_spot *spot)
{
    if (spot->node->kind == NODE_FLAG)
        put_number(spot, (uint64_t)spot->node->number);
    else
        values_error(spot, "takes true or false, without quotes");
}

static bool is_in_range(const struct values_spot *spot, uint64_t number,
                        const char *unit)
{
    uint64_t max = spot->key->max                         ? spot->key->max
                   : spot->key->width == sizeof(uint32_t) ? UINT32_MAX
                                                          : INT64_MAX;
    if (number >= spot->key->min && number <= max)
        return true;
    if (spot->node->kind == NODE_TEXT)
        values_error(spot,
                     "%.40s is out of range (%" PRIu64 " to %" PRIu64 "%s)",
                     spot->node->text, spot->key->min, max, unit);
    else
        values_error(
            spot, "%" PRId64 " is out of range (%" PRIu64 " to %" PRIu64 "%s)",
            spot->node->number, spot->key->min, max, unit);
    return false;
}

static void store_count(const struct values_spot *spot)
{
    if (spot->node->kind != NODE_NUMBER)
        values_error(spot, "takes a whole number, not %s",
                     tree_kind_name(spot->node->kind));
    else if (is_in_range(spot, (uint64_t)spot->node->number, ""))
        put_number(spot, (uint64_t)spot->node->number);
}

static void store_duration(const struct values_spot *spot)
{
    uint64_t ms = 0;
    bool is_zero = spot->node->kind == NODE_NUMBER && spot->node->number == 0;
    if (!is_zero
        && (spot->node->kind != NODE_TEXT
            || !units_duration(slice_text(spot->node->text), &ms))) {
        values_error(spot, "takes a duration with its unit: \"250ms\", "
                           "\"30s\", \"5m\", \"1d12h\"");
        return;
    }
    if (is_in_range(spot, ms, " ms"))
        put_number(spot, ms);
}

static void store_size(const struct values_spot *spot)
{
    uint64_t bytes = 0;
    bool is_number = spot->node->kind == NODE_NUMBER;
    if (is_number)
        bytes = (uint64_t)spot->node->number;
    if (!is_number
        && (spot->node->kind != NODE_TEXT
            || !units_size(slice_text(spot->node->text), &bytes))) {
        values_error(spot, "takes a size: \"64KB\", \"10MB\", \"1GB\"");
        return;
    }
    if (is_in_range(spot, bytes, " bytes"))
        put_number(spot, bytes);
}

static void store_rate(const struct values_spot *spot)
{
    struct conf_rate rate;
    if (spot->node->kind == NODE_TEXT
        && units_rate(slice_text(spot->node->text), &rate))
        memcpy(spot->target, &rate, sizeof rate);
    else
        values_error(spot, "takes a rate: \"10/s\", \"100/min\", \"1000/h\", "
                           "\"83/5s\", \"unlimited\"");
}

static void store_share(const struct values_spot *spot)
{
    uint32_t share = 0;
    if (spot->node->kind == NODE_TEXT
        && units_share(slice_text(spot->node->text), &share))
        memcpy(spot->target, &share, sizeof share);
    else
        values_error(spot, "takes a share: \"90%%\", \"0.3%%\"");
}

static void store_schedule(const struct values_spot *spot)
{
    struct waits waits;
    char reason[WAITS_REASON_SIZE];
    struct slice text;
    if (!text_of(spot, &text))
        return;
    if (!waits_parse(text, &waits, reason)) {
        values_error(spot,
                     "takes waits above 0, \"1m,5m,30m,2h\", growth, "
                     "\"1m*2..4h\", and a jitter, \"~20%%\"; %s",
                     reason);
        return;
    }
    struct holder *holder = spot->fill->holder;
    struct conf_schedule schedule = { 0 };
    schedule.count = waits.count;
    schedule.jitter_permille = waits.jitter_permille;
    schedule.text = holder_text(holder, text);
    schedule.waits_ms =
        holder_new_items(holder, waits.count, sizeof waits.ms[0]);
    memcpy(schedule.waits_ms, waits.ms, waits.count * sizeof waits.ms[0]);
    if (spot->key->width == sizeof schedule) {
        memcpy(spot->target, &schedule, sizeof schedule);
        return;
    }
    struct conf_schedule *kept = holder_new_items(holder, 1, sizeof *kept);
    *kept = schedule;
    *(const struct conf_schedule **)spot->target = kept;
}

static void store_choice(const struct values_spot *spot)
{
    struct slice text;
    const char *const *choices = spot->key->choices;
    if (spot->key->takes_flag && spot->node->kind == NODE_FLAG) {
        put_number(spot, (uint64_t)spot->node->number);
        return;
    }
    if (!text_of(spot, &text))
        return;
    char known[160] = "";
    size_t len = 0;
    for (size_t i = 0; choices[i]; i++) {
        if (slice_equal(text, slice_text(choices[i]))) {
            if (spot->key->width == sizeof(char *) && !spot->key->is_limit)
                put_text(spot, text);
            else
                put_number(spot, i);
            return;
        }
        len += (size_t)snprintf(known + len, sizeof known - len, "%s\"%s\"",
                                i > 0 ? ", " : "", choices[i]);
        CHECK(len < sizeof known);
    }
    values_error(spot, "\"%.40s\" is none of %s", text.ptr, known);
}

static bool is_needed(const struct values_spot *spot)
{
    enum schema_need needs = spot->key->needs;
    switch (spot->fill->files) {
    case CONF_FILES_NONE:
        return false;
    case CONF_FILES_WORKER:
        return needs == NEED_ALL;
    case CONF_FILES_ALL:
        return needs != NEED_NOBODY;
    }
    return false;
}

static void store_path(const struct values_spot *spot)
{
    struct slice text;
    if (!text_of(spot, &text))
        return;
    scoped(buf_release) struct buf path;
    buf_init(&path, PATH_MAX);
    if (slice_equal(text, SLICE("-")))
        (void)buf_add(&path, slice_of("-", 2));
    else
        files_join(&path, spot->fill->folder, text.ptr);
    if (path.full) {
        values_error(spot, "is too long for a path");
        return;
    }
    struct slice whole = slice_text(buf_slice(&path).ptr);
    if (is_needed(spot) && access(whole.ptr, R_OK) != 0) {
        struct fault fault;
        (void)fault_set(&fault, RC_IO, errno, "cannot read '%s'", whole.ptr);
        values_error(spot, "%s", fault.text);
    }
    put_text(spot, whole);
}

static void store_address(const struct values_spot *spot)
{
    struct slice text;
    char address[INET6_ADDRSTRLEN];
    if (!text_of(spot, &text))
        return;
    if (names_address(text, address))
        put_text(spot, slice_text(address));
    else
        values_error(spot, "'%.60s' is no IP address", text.ptr);
}

static void store_endpoint(const struct values_spot *spot)
{
    struct slice text;
    struct slice host;
    struct slice digits;
    char address[INET6_ADDRSTRLEN];
    uint64_t port = 0;
    if (!text_of(spot, &text))
        return;
    if (!names_split_endpoint(text, &host, &digits)
        || !names_address(host, address)) {
        values_error(spot,
                     "'%.60s' is no IP address and port: \"127.0.0.1:587\", "
                     "\"[::1]:587\"",
                     text.ptr);
        return;
    }
    if (!slice_number(digits, UINT16_MAX, &port) || port < spot->key->min) {
        values_error(spot, "'%.60s': the port must be 1 to 65535", text.ptr);
        return;
    }
    struct holder *holder = spot->fill->holder;
    *(struct conf_endpoint *)spot->target = (struct conf_endpoint){
        .text = holder_text(holder, text),
        .host = holder_text(holder, slice_text(address)),
        .port = (uint16_t)port,
    };
}

static void store_proxy(const struct values_spot *spot)
{
    static const struct {
        struct slice scheme;
        enum conf_proxy_kind kind;
    } known[] = {
        { { "socks5://", 9 }, CONF_PROXY_SOCKS5 },
        { { "haproxy://", 10 }, CONF_PROXY_HAPROXY },
    };
    struct slice text;
    if (!text_of(spot, &text))
        return;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (!slice_starts_nocase(text, known[i].scheme))
            continue;
        struct conf_proxy *proxy = spot->target;
        const struct node rest = { .kind = NODE_TEXT,
                                   .place = spot->node->place,
                                   .text =
                                       spot->node->text + known[i].scheme.len };
        struct values_spot inner = *spot;
        inner.node = &rest;
        inner.target = &proxy->at;
        store_endpoint(&inner);
        proxy->kind = known[i].kind;
        return;
    }
    values_error(spot,
                 "'%.60s' is no proxy: \"socks5://IP:PORT\", "
                 "\"haproxy://IP:PORT\"",
                 text.ptr);
}

/* Lower case copy of a domain behind a prefix of `skip` bytes. */
static bool domain_of(const struct values_spot *spot, struct slice text,
                      size_t skip, const char **domain)
{
    if (!names_is_domain(slice_from(text, skip))) {
        values_error(spot,
                     "'%.80s' is no domain; write international names in "
                     "their xn-- form",
                     text.ptr);
        return false;
    }
    char lower[NAMES_DOMAIN_MAX + 3];
    for (size_t i = 0; i < text.len; i++)
        lower[i] = char_lower(text.ptr[i]);
    *domain = holder_text(spot->fill->holder, slice_of(lower, text.len));
    return true;
}

static void store_domain(const struct values_spot *spot)
{
    struct slice text;
    const char *domain = NULL;
    if (!text_of(spot, &text))
        return;
    size_t skip = spot->key->type == TYPE_PATTERN
                          && slice_starts_nocase(text, SLICE("*."))
                      ? 2
                      : 0;
    if (domain_of(spot, text, skip, &domain))
        memcpy(spot->target, &domain, sizeof domain);
}

/* A list of texts, or one text alone. */
static void store_texts(const struct values_spot *spot)
{
    const struct node *node = spot->node;
    bool is_list = node->kind == NODE_LIST;
    size_t count = is_list ? node->count : 1;
    const char **items =
        holder_new_items(spot->fill->holder, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        struct values_spot item = *spot;
        item.node = is_list ? &node->items[i] : node;
        struct slice text;
        if (!text_of(&item, &text))
            return;
        if (spot->key->type == TYPE_TEXTS)
            items[i] = holder_text(spot->fill->holder, text);
        else if (!domain_of(&item, text, text.ptr[0] == '.', &items[i]))
            return;
    }
    *(struct conf_texts *)spot->target = (struct conf_texts){ items, count };
}

/* One range more. */
static bool add_range(const struct values_spot *spot, struct slice text,
                      struct conf_ranges *ranges)
{
    if (ranges->count == RANGES_MAX) {
        values_error(spot, "has more than %d ranges", RANGES_MAX);
        return false;
    }
    if (iprange_parse(text, &ranges->items[ranges->count++]))
        return true;
    values_error(spot,
                 "'%.*s' is no range of addresses: \"127.0.0.0/8\", "
                 "\"fc00::/7\", \"192.0.2.1\"",
                 SLICE_ARG(text));
    return false;
}

/* The ranges of one text, which commas part. */
static bool add_ranges(const struct values_spot *spot,
                       struct conf_ranges *ranges)
{
    struct slice text;
    if (!text_of(spot, &text))
        return false;
    for (bool more = true; more;) {
        const size_t comma = slice_find(text, ',');
        more = comma < text.len;
        if (!add_range(spot, slice_trim(slice_head(text, comma)), ranges))
            return false;
        text = slice_from(text, comma + 1);
    }
    return true;
}

static void store_ranges(const struct values_spot *spot)
{
    const struct node *node = spot->node;
    const bool is_list = node->kind == NODE_LIST;
    struct conf_ranges ranges = {
        .items = holder_new_items(spot->fill->holder, RANGES_MAX,
                                  sizeof(struct iprange)),
    };
    for (size_t i = 0; i < (is_list ? node->count : 1); i++) {
        struct values_spot item = *spot;
        item.node = is_list ? &node->items[i] : node;
        if (!add_ranges(&item, &ranges))
            return;
    }
    *(struct conf_ranges *)spot->target = ranges;
}

static void store_header(const struct values_spot *spot)
{
    struct slice text;
    if (!text_of(spot, &text))
        return;
    size_t colon = slice_find(text, ':');
    struct slice name = slice_trim(slice_head(text, colon));
    struct slice value = slice_trim(slice_from(text, colon + 1));
    for (size_t i = 0; i < name.len; i++) {
        if (!char_is(name.ptr[i], CHAR_FTEXT)) {
            values_error(spot, "'%.60s': write \"Field-Name: value*\"",
                         text.ptr);
            return;
        }
    }
    if (name.len == 0) {
        values_error(spot, "names no field: write \"Field-Name: value*\"");
        return;
    }
    const char *both[2];
    both[0] = holder_text(spot->fill->holder, name);
    both[1] = value.len > 0 ? holder_text(spot->fill->holder, value) : "*";
    memcpy(spot->target, both, sizeof both);
}

static void store_hash(const struct values_spot *spot)
{
    struct slice text;
    if (!text_of(spot, &text))
        return;
    if (names_is_hash(text))
        put_text(spot, text);
    else
        values_error(spot, "is no crypt(5) hash (\"$y$...\"); passwords are "
                           "never written here: make one with `sendyard "
                           "password`");
}

typedef void store_fn(const struct values_spot *spot);

/* clang-format off */
static store_fn *const stores[] = {
    [TYPE_TEXT]     = store_text,
    [TYPE_NAME]     = store_name,
    [TYPE_FLAG]     = store_flag,
    [TYPE_COUNT]    = store_count,
    [TYPE_DURATION] = store_duration,
    [TYPE_SIZE]     = store_size,
    [TYPE_RATE]     = store_rate,
    [TYPE_SHARE]    = store_share,
    [TYPE_SCHEDULE] = store_schedule,
    [TYPE_CHOICE]   = store_choice,
    [TYPE_PATH]     = store_path,
    [TYPE_ADDRESS]  = store_address,
    [TYPE_ENDPOINT] = store_endpoint,
    [TYPE_PROXY]    = store_proxy,
    [TYPE_DOMAIN]   = store_domain,
    [TYPE_PATTERN]  = store_domain,
    [TYPE_DOMAINS]  = store_texts,
    [TYPE_TEXTS]    = store_texts,
    [TYPE_RANGES]   = store_ranges,
    [TYPE_HEADER]   = store_header,
    [TYPE_HASH]     = store_hash,
};
/* clang-format on */

void values_store(const struct values_spot *spot)
{
    CHECK(spot->key->type < ARRAY_LEN(stores));
    if (!spot->key->is_limit) {
        stores[spot->key->type](spot);
        return;
    }
    struct values_spot inner = *spot;
    struct conf_limit *limit = spot->target;
    limit->is_set = true;
    limit->place = spot->node->place;
    if (spot->key->type == TYPE_RATE)
        inner.target = &limit->rate;
    else if (spot->key->type == TYPE_SCHEDULE)
        inner.target = &limit->schedule;
    else if (spot->key->type == TYPE_TEXTS)
        inner.target = &limit->texts;
    else if (spot->key->type == TYPE_RANGES)
        inner.target = &limit->ranges;
    else
        inner.target = &limit->number;
    stores[spot->key->type](&inner);
}
