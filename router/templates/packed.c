/* packed.c - one template as bytes. */
#include "router/templates/packed.h"

#include "common/proto/tlv.h"

/* On disk and in Redis: never renumber. */
enum record_tag {
    TAG_ID = 1,
    TAG_TENANT = 2,
    TAG_BANDS = 3, /* four numbers of four bytes, big endian */
    TAG_SKELETON = 4,
    TAG_STATE = 5,
    TAG_SET = 6,
    TAG_TAUGHT = 7, /* kind + 1 */
    TAG_FIRST = 8,
    TAG_LAST = 9,
    TAG_SINCE = 10,
    TAG_RECIPIENTS = 11,
    TAG_DELIVERED = 12,
    TAG_BOUNCED = 13,
    TAG_COMPLAINED = 14,
    TAG_MEAN = 15, /* + 128 */
    TAG_DAYS = 16,
    TAG_PEAK = 17,
    TAG_RECENT = 18,
    TAG_TAKEN = 19, /* spans of an allowance, each as below */
    TAG_POT = 20,   /* one span */
    TAG_NOW = 21,
    TAG_BLAMED = 22,
};
#define TAG_LIMIT 23

#define BANDS_SIZE ((size_t)4 * GUARD_BANDS)
#define MEAN_ZERO  128

/* A span: length and number of its newest slice, then the counts; four bytes
 * each, big endian. */
#define SPAN_NUMBERS  (2 + ALLOWANCE_SLICES)
#define SPAN_SIZE     ((size_t)4 * SPAN_NUMBERS)
#define SPAN_USED_MAX (UINT32_MAX / ALLOWANCE_SLICES)

static void add(struct buf *out, enum record_tag tag, uint64_t number)
{
    if (number != 0)
        (void)tlv_add_number(out, tag, number);
}

static void put_number(char bytes[4], uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (char)(number >> (24 - 8 * i) & 0xff);
}

static uint32_t get_number(const char bytes[4])
{
    uint32_t number = 0;
    for (unsigned i = 0; i < 4; i++)
        number = number << 8 | (unsigned char)bytes[i];
    return number;
}

static void add_bands(struct buf *out, const struct guard_template *template)
{
    char bytes[BANDS_SIZE];
    for (size_t i = 0; i < GUARD_BANDS; i++)
        put_number(bytes + 4 * i, template->bands[i]);
    (void)tlv_add_bytes(out, TAG_BANDS, slice_of(bytes, sizeof bytes));
}

static void add_spans(struct buf *out, enum record_tag tag,
                      const struct allowance *allowance, unsigned count)
{
    char bytes[ALLOWANCE_SPANS * SPAN_SIZE];
    uint32_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct allowance_span *span = &allowance->spans[i];
        char *at = bytes + i * SPAN_SIZE;
        put_number(at, span->slice_ms);
        put_number(at + 4, span->slice);
        for (size_t k = 0; k < ALLOWANCE_SLICES; k++)
            put_number(at + 8 + 4 * k, span->used[k]);
        sum |= allowance_sum(span);
    }
    if (sum > 0)
        (void)tlv_add_bytes(out, tag, slice_of(bytes, count * SPAN_SIZE));
}

static void add_template(struct buf *out, const struct guard_template *template)
{
    const struct guard_word word = guard_word_of(template);
    add(out, TAG_ID, template->id);
    add_bands(out, template);
    add(out, TAG_SKELETON, template->skeleton);
    add(out, TAG_STATE, (uint64_t)word.state);
    add(out, TAG_SET, word.is_set);
    add(out, TAG_BLAMED, word.is_blamed);
    add(out, TAG_TAUGHT, (uint64_t)((int64_t)word.taught + 1));
    add(out, TAG_FIRST, template->first_utc_s);
    add(out, TAG_LAST, template->last_utc_s);
    add(out, TAG_SINCE, template->since_utc_s);
    add(out, TAG_RECIPIENTS, template->recipients);
    add(out, TAG_DELIVERED, template->delivered);
    add(out, TAG_BOUNCED, template->bounced);
    add(out, TAG_COMPLAINED, template->complained);
    (void)tlv_add_number(out, TAG_MEAN, (uint64_t)(template->mean + MEAN_ZERO));
    add(out, TAG_DAYS, template->days);
    add(out, TAG_PEAK, template->peak);
    add(out, TAG_RECENT, template->recent);
}

static void add_alias(struct buf *out, const struct template_record *record)
{
    add(out, TAG_ID, record->template.id);
    add(out, TAG_SINCE, record->template.since_utc_s);
    add(out, TAG_NOW, record->now);
}

bool template_record_pack(const struct template_record *record, struct buf *out)
{
    const size_t before = out->len;
    (void)tlv_add_bytes(out, TAG_TENANT, record->tenant);
    if (record->now != 0)
        add_alias(out, record);
    else if (record->template.id != 0)
        add_template(out, &record->template);
    add_spans(out, TAG_TAKEN, &record->taken, ALLOWANCE_SPANS);
    add_spans(out, TAG_POT, &record->pot, 1);
    if (!out->full)
        return true;
    buf_cut(out, before);
    return false;
}

/* What is read before it is a template. */
struct draft {
    uint64_t numbers[TAG_LIMIT]; /* by tag */
    struct slice bytes[TAG_LIMIT];
};

static bool take(const struct tlv_field *field, struct draft *draft)
{
    static const uint64_t most[TAG_LIMIT] = {
        [TAG_ID] = UINT64_MAX,           [TAG_SKELETON] = UINT16_MAX,
        [TAG_STATE] = TEMPLATE_TRIPPED,  [TAG_SET] = 1,
        [TAG_TAUGHT] = JUDGE_KIND_COUNT, [TAG_FIRST] = UINT32_MAX,
        [TAG_LAST] = UINT32_MAX,         [TAG_SINCE] = UINT32_MAX,
        [TAG_RECIPIENTS] = UINT32_MAX,   [TAG_DELIVERED] = UINT16_MAX,
        [TAG_BOUNCED] = UINT16_MAX,      [TAG_COMPLAINED] = UINT8_MAX,
        [TAG_MEAN] = UINT8_MAX,          [TAG_DAYS] = UINT8_MAX,
        [TAG_PEAK] = UINT8_MAX,          [TAG_RECENT] = UINT16_MAX,
        [TAG_NOW] = UINT64_MAX,          [TAG_BLAMED] = 1,
    };
    static const size_t sizes[TAG_LIMIT] = {
        [TAG_TENANT] = RECORD_TENANT_MAX,
        [TAG_BANDS] = BANDS_SIZE,
        [TAG_TAKEN] = ALLOWANCE_SPANS * SPAN_SIZE,
        [TAG_POT] = SPAN_SIZE,
    };
    if (field->tag >= TAG_LIMIT)
        return true; /* of a later version */
    if (field->is_bytes != (sizes[field->tag] > 0))
        return false;
    if (field->is_bytes) {
        draft->bytes[field->tag] = field->bytes;
        return field->tag == TAG_TENANT ? field->bytes.len <= RECORD_TENANT_MAX
                                        : field->bytes.len == sizes[field->tag];
    }
    draft->numbers[field->tag] = field->number;
    return field->number <= most[field->tag];
}

static void make_template(const struct draft *draft,
                          struct guard_template *template)
{
    const uint64_t *numbers = draft->numbers;
    *template = (struct guard_template){
        .id = numbers[TAG_ID],
        .skeleton = (uint16_t)numbers[TAG_SKELETON],
        .first_utc_s = (uint32_t)numbers[TAG_FIRST],
        .last_utc_s = (uint32_t)numbers[TAG_LAST],
        .since_utc_s = (uint32_t)numbers[TAG_SINCE],
        .recipients = (uint32_t)numbers[TAG_RECIPIENTS],
        .delivered = (uint16_t)numbers[TAG_DELIVERED],
        .bounced = (uint16_t)numbers[TAG_BOUNCED],
        .complained = (uint8_t)numbers[TAG_COMPLAINED],
        .mean = (int8_t)((int)numbers[TAG_MEAN] - MEAN_ZERO),
        .days = (uint8_t)numbers[TAG_DAYS],
        .peak = (uint8_t)numbers[TAG_PEAK],
        .recent = (uint16_t)numbers[TAG_RECENT],
    };
    template->drift = template->mean;
    for (size_t i = 0; i < GUARD_BANDS; i++)
        template->bands[i] = get_number(draft->bytes[TAG_BANDS].ptr + 4 * i);
    const struct guard_word word = {
        .state = (enum judge_state)numbers[TAG_STATE],
        .is_set = numbers[TAG_SET] == 1,
        .is_blamed = numbers[TAG_BLAMED] == 1,
        .taught = (int)numbers[TAG_TAUGHT] - 1,
    };
    guard_restore(template, &word);
}

static bool read_spans(struct slice bytes, struct allowance *allowance)
{
    *allowance = (struct allowance){ .share = 0 };
    for (size_t i = 0; i < bytes.len / SPAN_SIZE; i++) {
        struct allowance_span *span = &allowance->spans[i];
        const char *at = bytes.ptr + i * SPAN_SIZE;
        span->slice_ms = get_number(at);
        span->slice = get_number(at + 4);
        for (size_t k = 0; k < ALLOWANCE_SLICES; k++) {
            span->used[k] = get_number(at + 8 + 4 * k);
            if (span->used[k] > (span->slice_ms > 0 ? SPAN_USED_MAX : 0))
                return false;
        }
    }
    return true;
}

/* A template, another name of one, or a pot: has it what it needs? */
static bool is_whole(const struct draft *draft, const struct allowance *pot)
{
    if (draft->numbers[TAG_ID] == 0)
        return draft->numbers[TAG_NOW] == 0
               && allowance_sum(&pot->spans[0]) > 0;
    return draft->numbers[TAG_NOW] != 0
           || (draft->bytes[TAG_BANDS].len > 0
               && draft->numbers[TAG_STATE] != TEMPLATE_UNKNOWN);
}

static enum rc read_fields(struct slice packed, struct draft *draft)
{
    struct cursor cursor = cursor_of(packed);
    struct tlv_field field;
    enum rc rc = RC_SYNTAX;
    *draft = (struct draft){ .numbers = { [TAG_MEAN] = MEAN_ZERO } };
    while ((rc = tlv_next(&cursor, &field)) == RC_OK)
        if (!take(&field, draft))
            return RC_SYNTAX;
    return rc == RC_NONE ? RC_OK : RC_SYNTAX;
}

enum rc template_record_unpack(struct slice packed,
                               struct template_record *record)
{
    struct draft draft;
    struct template_record read = { .template = { .id = 0 } };
    if (read_fields(packed, &draft) != RC_OK
        || !read_spans(draft.bytes[TAG_TAKEN], &read.taken)
        || !read_spans(draft.bytes[TAG_POT], &read.pot))
        return RC_SYNTAX;
    if (!is_whole(&draft, &read.pot))
        return RC_SYNTAX;
    read.now = draft.numbers[TAG_NOW];
    if (read.now != 0) {
        read.template.id = draft.numbers[TAG_ID];
        read.template.since_utc_s = (uint32_t)draft.numbers[TAG_SINCE];
    } else if (draft.numbers[TAG_ID] != 0) {
        make_template(&draft, &read.template);
    }
    read.tenant = draft.bytes[TAG_TENANT];
    *record = read;
    return RC_OK;
}

/* Of a rank, below the time and whether the operator said so. */
#define KIND_BITS  3 /* what was taught */
#define STATE_BITS 3
#define LAST_BITS  (KIND_BITS + STATE_BITS + 2)
_Static_assert(JUDGE_KIND_COUNT<1 << KIND_BITS && KIND_BULK> KIND_TRANSACTIONAL,
               "the kind that allows less is the higher one");
_Static_assert(
    TEMPLATE_TRIPPED<1 << STATE_BITS && TEMPLATE_TRIPPED> TEMPLATE_TRUSTED,
    "and so is the state");

uint64_t template_rank(const struct guard_template *template)
{
    const struct guard_word word = guard_word_of(template);
    const bool is_said = word.is_set || word.taught >= 0;
    uint64_t rank = (uint64_t) template->since_utc_s * 2 + is_said;
    rank = rank << KIND_BITS | (unsigned)(word.taught + 1);
    rank = rank << STATE_BITS | (unsigned)word.state;
    return rank << 2 | (unsigned)word.is_blamed << 1 | word.is_set;
}

/* A name outdoes what the template was when it got it. */
uint64_t template_record_rank(const struct template_record *record)
{
    if (record->now == 0)
        return template_rank(&record->template);
    return ((uint64_t)record->template.since_utc_s * 2 + 2) << LAST_BITS;
}

bool template_has_changed(const struct guard_template *template)
{
    return template->since_utc_s > template->first_utc_s;
}
