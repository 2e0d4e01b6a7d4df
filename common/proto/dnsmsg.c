/* dnsmsg.c - reading the answer to a DNS question. */
#include "common/proto/dnsmsg.h"

#include "common/base/chars.h"

#define HEADER_LEN  12
#define LABEL_MAX   63
#define WIRE_MAX    255 /* of a name with its length bytes */
#define CLASS_IN    1
#define FLAG_ANSWER 0x8000u
#define FLAG_OPCODE 0x7800u
#define FLAG_CUT    0x0200u
#define MASK_RCODE  0x000fu

struct record {
    char owner[DNSMSG_NAME_SIZE];
    bool owner_is_void;
    unsigned type;
    unsigned class;
    uint32_t ttl_s;
    size_t data_at;
    size_t data_len;
};

static bool has(struct slice bytes, size_t at, size_t len)
{
    return at <= bytes.len && len <= bytes.len - at;
}

static unsigned byte_at(struct slice bytes, size_t at)
{
    return (unsigned char)bytes.ptr[at];
}

static uint16_t number16(struct slice bytes, size_t at)
{
    return (uint16_t)(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

static uint32_t number32(struct slice bytes, size_t at)
{
    return (uint32_t)number16(bytes, at) << 16 | number16(bytes, at + 2);
}

/* RFC 2181 section 8: a TTL with the high bit set is zero. */
static uint32_t ttl_at(struct slice bytes, size_t at)
{
    uint32_t ttl_s = number32(bytes, at);
    return ttl_s > INT32_MAX ? 0 : ttl_s;
}

/* Where the labels go on: behind this place, or where its pointer leads, which
 * must be before `limit`, the least place seen so far. *next becomes the place
 * behind the name at the first pointer. */
static bool follow(struct slice bytes, size_t *at, size_t *limit, size_t *next)
{
    if (!has(bytes, *at, 2))
        return false;
    size_t target = number16(bytes, *at) & 0x3fffu;
    if (target >= *limit)
        return false;
    if (*next == 0)
        *next = *at + 2;
    *limit = target;
    *at = target;
    return true;
}

static bool add_label(struct slice label, char name[DNSMSG_NAME_SIZE],
                      size_t *len, bool *is_void)
{
    size_t dot = *len > 0 ? 1 : 0;
    if (*len + dot + label.len > WIRE_MAX - 2)
        return false;
    if (dot)
        name[(*len)++] = '.';
    for (size_t i = 0; i < label.len; i++) {
        char byte = char_lower(label.ptr[i]);
        if (!char_is(byte, CHAR_LDH) && byte != '_')
            *is_void = true;
        name[(*len)++] = byte;
    }
    return true;
}

/* Expands the name at `at`; *next is the place behind it. A void name comes out
 * as "". False when the bytes are not of the form. */
static bool read_name(struct slice bytes, size_t at,
                      char name[DNSMSG_NAME_SIZE], bool *is_void, size_t *next)
{
    size_t limit = at;
    size_t len = 0;
    *next = 0;
    *is_void = false;
    while (has(bytes, at, 1)) {
        unsigned label = byte_at(bytes, at);
        if (label == 0) {
            if (*next == 0)
                *next = at + 1;
            name[*is_void ? 0 : len] = 0;
            return true;
        }
        if ((label & 0xc0u) == 0xc0u) {
            if (!follow(bytes, &at, &limit, next))
                return false;
            continue;
        }
        if (label > LABEL_MAX || !has(bytes, at + 1, label)
            || !add_label(slice_of(bytes.ptr + at + 1, label), name, &len,
                          is_void))
            return false;
        at += 1 + label;
    }
    return false;
}

static bool read_record(struct slice bytes, size_t *at, struct record *record)
{
    size_t fixed = 0;
    if (!read_name(bytes, *at, record->owner, &record->owner_is_void, &fixed)
        || !has(bytes, fixed, 10))
        return false;
    record->type = number16(bytes, fixed);
    record->class = number16(bytes, fixed + 2);
    record->ttl_s = ttl_at(bytes, fixed + 4);
    record->data_len = number16(bytes, fixed + 8);
    record->data_at = fixed + 10;
    if (!has(bytes, record->data_at, record->data_len))
        return false;
    *at = record->data_at + record->data_len;
    return true;
}

/* The next record of `type` that the name asked for has. */
static enum rc next_record(struct dnsmsg *msg, unsigned type,
                           struct record *record)
{
    while (msg->left > 0) {
        if (!read_record(msg->bytes, &msg->at, record))
            return RC_SYNTAX;
        msg->left--;
        if (record->class == CLASS_IN && record->type == type
            && !record->owner_is_void
            && slice_equal(slice_text(record->owner), slice_text(msg->name)))
            return RC_OK;
    }
    return RC_NONE;
}

static void rewind_answers(struct dnsmsg *msg)
{
    msg->at = msg->answers_at;
    msg->left = msg->answer_count < DNSMSG_RECORDS_MAX ? msg->answer_count
                                                       : DNSMSG_RECORDS_MAX;
}

static void use_ttl(struct dnsmsg *msg, uint32_t ttl_s)
{
    if (ttl_s < msg->ttl_s)
        msg->ttl_s = ttl_s;
}

/* A chain longer than we follow ends at a name without records. */
static enum rc follow_cnames(struct dnsmsg *msg)
{
    for (int hop = 0; hop < DNSMSG_CNAMES_MAX; hop++) {
        struct record record;
        rewind_answers(msg);
        enum rc rc = next_record(msg, DNSMSG_CNAME, &record);
        if (rc == RC_NONE)
            break;
        if (rc != RC_OK)
            return rc;
        bool is_void = false;
        size_t next = 0;
        if (!read_name(msg->bytes, record.data_at, msg->name, &is_void, &next)
            || next != record.data_at + record.data_len)
            return RC_SYNTAX;
        use_ttl(msg, record.ttl_s);
        if (is_void) {
            msg->voids++;
            break;
        }
    }
    rewind_answers(msg);
    return RC_OK;
}

enum rc dnsmsg_open(struct dnsmsg *msg, struct slice bytes)
{
    *msg = (struct dnsmsg){ .bytes = bytes, .ttl_s = UINT32_MAX };
    if (!has(bytes, 0, HEADER_LEN))
        return RC_SYNTAX;
    unsigned flags = number16(bytes, 2);
    if (!(flags & FLAG_ANSWER) || (flags & FLAG_OPCODE)
        || number16(bytes, 4) != 1)
        return RC_SYNTAX;
    msg->rcode = flags & MASK_RCODE;
    msg->truncated = (flags & FLAG_CUT) != 0;
    msg->answer_count = number16(bytes, 6);
    msg->authority_count = number16(bytes, 8);

    bool is_void = false;
    size_t at = 0;
    if (!read_name(bytes, HEADER_LEN, msg->name, &is_void, &at) || is_void
        || !has(bytes, at, 4) || number16(bytes, at + 2) != CLASS_IN)
        return RC_SYNTAX;
    msg->type = number16(bytes, at);
    msg->answers_at = at + 4;
    return follow_cnames(msg);
}

/* The root is the one name that is no host and still means something here. */
enum rc dnsmsg_next_mx(struct dnsmsg *msg, uint16_t *preference,
                       char host[DNSMSG_NAME_SIZE])
{
    struct record record;
    enum rc rc = RC_OK;
    while ((rc = next_record(msg, DNSMSG_MX, &record)) == RC_OK) {
        bool is_void = false;
        size_t next = 0;
        if (record.data_len < 3
            || !read_name(msg->bytes, record.data_at + 2, host, &is_void, &next)
            || next != record.data_at + record.data_len)
            return RC_SYNTAX;
        struct slice name = slice_text(host);
        if (!is_void && (name.len == 0 || dnsmsg_is_host(name))) {
            use_ttl(msg, record.ttl_s);
            *preference = number16(msg->bytes, record.data_at);
            return RC_OK;
        }
        msg->voids++;
    }
    return rc;
}

enum rc dnsmsg_next_address(struct dnsmsg *msg, struct slice *ip)
{
    struct record record;
    enum rc rc = next_record(msg, msg->type, &record);
    if (rc != RC_OK)
        return rc;
    if (record.data_len != (msg->type == DNSMSG_A ? 4u : 16u))
        return RC_SYNTAX;
    use_ttl(msg, record.ttl_s);
    *ip = slice_of(msg->bytes.ptr + record.data_at, record.data_len);
    return RC_OK;
}

/* SOA, RFC 1035 section 3.3.13: two names, then five numbers, of which the last
 * is the minimum. */
uint32_t dnsmsg_negative_ttl(const struct dnsmsg *msg)
{
    unsigned all = msg->answer_count + msg->authority_count;
    size_t at = msg->answers_at;
    for (unsigned i = 0; i < all && i < DNSMSG_RECORDS_MAX; i++) {
        struct record record;
        if (!read_record(msg->bytes, &at, &record))
            return 0;
        if (i < msg->answer_count || record.type != DNSMSG_SOA
            || record.data_len < 22)
            continue;
        uint32_t min_s =
            ttl_at(msg->bytes, record.data_at + record.data_len - 4);
        return record.ttl_s < min_s ? record.ttl_s : min_s;
    }
    return 0;
}

static bool is_label(struct slice label)
{
    if (label.len == 0 || label.len > LABEL_MAX || label.ptr[0] == '-'
        || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!char_is(label.ptr[i], CHAR_LDH))
            return false;
    return true;
}

bool dnsmsg_is_host(struct slice name)
{
    if (name.len == 0 || name.len >= DNSMSG_NAME_SIZE)
        return false;
    for (;;) {
        size_t dot = slice_find(name, '.');
        if (!is_label(slice_head(name, dot)))
            return false;
        if (dot == name.len)
            return true;
        name = slice_from(name, dot + 1);
    }
}
