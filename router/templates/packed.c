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
};

#define BANDS_SIZE ((size_t)4 * GUARD_BANDS)
#define MEAN_ZERO  128

static void add(struct buf *out, enum record_tag tag, uint64_t number)
{
    if (number != 0)
        (void)tlv_add_number(out, tag, number);
}

static void add_bands(struct buf *out, const struct guard_template *template)
{
    char bytes[BANDS_SIZE];
    for (unsigned i = 0; i < BANDS_SIZE; i++)
        bytes[i] = (char)(template->bands[i / 4] >> (24 - 8 * (i % 4)) & 0xff);
    (void)tlv_add_bytes(out, TAG_BANDS, slice_of(bytes, sizeof bytes));
}

bool template_record_pack(const struct template_record *record, struct buf *out)
{
    const struct guard_template *template = &record->template;
    enum judge_kind taught;
    const size_t before = out->len;
    add(out, TAG_ID, template->id);
    (void)tlv_add_bytes(out, TAG_TENANT, record->tenant);
    add_bands(out, template);
    add(out, TAG_SKELETON, template->skeleton);
    add(out, TAG_STATE, (uint64_t)guard_state(template));
    add(out, TAG_SET, guard_is_set(template));
    if (guard_is_taught(template, &taught))
        add(out, TAG_TAUGHT, (uint64_t)taught + 1);
    add(out, TAG_FIRST, template->first_utc_s);
    add(out, TAG_LAST, template->last_utc_s);
    add(out, TAG_SINCE, template->since_utc_s);
    add(out, TAG_RECIPIENTS, template->recipients);
    add(out, TAG_DELIVERED, template->delivered);
    add(out, TAG_BOUNCED, template->bounced);
    add(out, TAG_COMPLAINED, template->complained);
    (void)tlv_add_number(out, TAG_MEAN, (uint64_t)(template->mean + MEAN_ZERO));
    add(out, TAG_DAYS, template->days);
    if (!out->full)
        return true;
    buf_cut(out, before);
    return false;
}

/* What is read before it is a template. */
struct draft {
    uint64_t numbers[TAG_DAYS + 1]; /* by tag */
    struct slice tenant;
    struct slice bands;
};

static bool take(const struct tlv_field *field, struct draft *draft)
{
    static const uint64_t most[TAG_DAYS + 1] = {
        [TAG_ID] = UINT64_MAX,           [TAG_SKELETON] = UINT16_MAX,
        [TAG_STATE] = TEMPLATE_TRIPPED,  [TAG_SET] = 1,
        [TAG_TAUGHT] = JUDGE_KIND_COUNT, [TAG_FIRST] = UINT32_MAX,
        [TAG_LAST] = UINT32_MAX,         [TAG_SINCE] = UINT32_MAX,
        [TAG_RECIPIENTS] = UINT32_MAX,   [TAG_DELIVERED] = UINT16_MAX,
        [TAG_BOUNCED] = UINT16_MAX,      [TAG_COMPLAINED] = UINT8_MAX,
        [TAG_MEAN] = UINT8_MAX,          [TAG_DAYS] = UINT8_MAX,
    };
    if (field->tag > TAG_DAYS)
        return true; /* of a later version */
    if (field->tag == TAG_TENANT || field->tag == TAG_BANDS) {
        *(field->tag == TAG_TENANT ? &draft->tenant : &draft->bands) =
            field->bytes;
        return field->is_bytes;
    }
    draft->numbers[field->tag] = field->number;
    return !field->is_bytes && field->number <= most[field->tag];
}

static void read_bands(struct slice bytes, struct guard_template *template)
{
    for (unsigned i = 0; i < BANDS_SIZE; i++)
        template->bands[i / 4] =
            template->bands[i / 4] << 8 | (unsigned char)bytes.ptr[i];
}

static void make(const struct draft *draft, struct template_record *record)
{
    const uint64_t *numbers = draft->numbers;
    struct guard_template template = {
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
    };
    template.drift = template.mean;
    read_bands(draft->bands, &template);
    guard_restore(&template, (enum judge_state)numbers[TAG_STATE],
                  numbers[TAG_SET] == 1, (int)numbers[TAG_TAUGHT] - 1);
    record->template = template;
    record->tenant = draft->tenant;
}

enum rc template_record_unpack(struct slice packed,
                               struct template_record *record)
{
    struct draft draft = { .numbers = { [TAG_MEAN] = MEAN_ZERO } };
    struct cursor cursor = cursor_of(packed);
    struct tlv_field field;
    enum rc rc = RC_SYNTAX;
    while ((rc = tlv_next(&cursor, &field)) == RC_OK)
        if (!take(&field, &draft))
            return RC_SYNTAX;
    if (rc != RC_NONE || draft.numbers[TAG_ID] == 0
        || draft.numbers[TAG_STATE] == TEMPLATE_UNKNOWN
        || draft.tenant.len > RECORD_TENANT_MAX
        || draft.bands.len != BANDS_SIZE)
        return RC_SYNTAX;
    make(&draft, record);
    return RC_OK;
}

uint64_t template_rank(const struct guard_template *template)
{
    enum judge_kind taught;
    const bool is_said =
        guard_is_set(template) || guard_is_taught(template, &taught);
    return (uint64_t) template->since_utc_s * 2 + is_said;
}

bool template_has_changed(const struct guard_template *template)
{
    return template->since_utc_s > template->first_utc_s;
}
