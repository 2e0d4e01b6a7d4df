/*
 * test_wire_golden - each kind of frame with all its members, as bytes that
 * stand here for good.
 *
 * A router and its workers may be one version apart, so a change of the format
 * that one of them would not understand has to fail here. Bytes of this file
 * are added to, and never changed: a new member is a new key behind the others.
 * (test_wire.c has the frames of the first version, which lack the newer keys.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/chars.h"
#include "common/proto/msgpack_reader.h"
#include "common/proto/wire.h"
#include "common/proto/wire_schema.h"

#define FRAME_MAX (1u << 16)

static const struct slice sources[] = { { "ip1", 3 }, { "ip2", 3 } };
static const uint64_t leases[] = { 1, 300, UINT64_MAX };
static const uint64_t messages[] = { 11, 12, 13 };
static const uint64_t boots[] = { 21 };
static const struct wire_host hosts[] = {
    { .preference = 10, .name = { "mx.example.org", 14 } },
    { .preference = 20, .name = { "[192.0.2.1]", 11 } },
};
static const struct wire_recipient recipients[] = {
    { .index = 1,
      .address = { "ann@example.org", 15 },
      .orcpt = { "rfc822;ann@x", 12 },
      .notify = 3 },
    { .index = 70000, .address = { "bob@example.org", 15 } },
};
static const struct wire_outcome outcomes[] = {
    { .index = 1,
      .verdict = { .class = VERDICT_FAILED,
                   .code = 550,
                   .enhanced = { 5, 1, 1 },
                   .text = "no such user" } },
    { .index = 70000, .verdict = { .code = 250 } },
};

static const struct wire_line lines[] = {
    { .connection = 9,
      .since_ms = 120,
      .kind = 2,
      .site = { "mx.example.org", 14 },
      .source = { "ip1", 3 },
      .host = { "mx.example.org", 14 },
      .host_ip = { "192.0.2.1", 9 },
      .text = { "250 ok", 6 } },
};

static const struct golden {
    struct wire_frame frame;
    const char *hex;
} goldens[] = {
    { { .kind = WIRE_HELLO,
        .as.hello = { .worker = { "w1", 2 },
                      .boot = 0x1122334455667788,
                      .host = { "host", 4 },
                      .pid = 4711,
                      .config_digest = 99,
                      .sources = { sources, 2 },
                      .held_leases = { leases, 3 },
                      .held_messages = { messages, 3 },
                      .former_boots = { boots, 1 } } },
      "01018901a2773102cf112233445566778803a4686f737404cd126705630692a369"
      "7031a3697032079301cd012ccfffffffffffffffff08930b0c0d099115" },
    { { .kind = WIRE_WELCOME,
        .as.welcome = { .router = { "r1", 2 },
                        .boot = 5,
                        .config_digest = 99,
                        .beat_ms = 1000,
                        .lease_ms = 7000,
                        .rank = 2,
                        .workers = 3 } },
      "01028701a272310205036304cd03e805cd1b5806020703" },
    { { .kind = WIRE_OFFER,
        .as.offer = { .lane = 42,
                      .pool = { "bulk", 4 },
                      .site = { "mx.example.org", 14 },
                      .domain = { "example.org", 11 },
                      .provider = { "bigmail", 7 },
                      .depth = 100000,
                      .urgent = 17,
                      .is_behind = true } },
      "010388012a02a462756c6b03ae6d782e6578616d706c652e6f726704ab6578616d"
      "706c652e6f726705a76269676d61696c06ce000186a0071108c3" },
    { { .kind = WIRE_PULL,
        .as.pull = { .lane = 42, .source = { "ip1", 3 }, .total = 256 } },
      "010483012a02a369703103cd0100" },
    { { .kind = WIRE_JOB,
        .as.job = { .lease = 77,
                    .message = 0x0102030405060708,
                    .lane = 42,
                    .source = { "ip1", 3 },
                    .domain = { "example.org", 11 },
                    .tenant = { "acme", 4 },
                    .stream = { "bulk", 4 },
                    .mail_from = { "a@example.com", 13 },
                    .envid = { "QQ3", 3 },
                    .ret = 1,
                    .body_8bit = true,
                    .smtputf8 = true,
                    .size = 20480,
                    .attempt = 2,
                    .accepted_utc_ms = 1790000000000,
                    .hosts = hosts,
                    .host_count = 2,
                    .recipients = recipients,
                    .recipient_count = 2,
                    .rank = WIRE_RANK_URGENT } },
      "0105de0012014d02cf0102030405060708032a04a369703105ab6578616d706c65"
      "2e6f726706a461636d6507a462756c6b08ad61406578616d706c652e636f6d09a3"
      "5151330a010bc30cc30dcd50000e020fcf000001a0c4506c00109282010a02ae6d"
      "782e6578616d706c652e6f726782011402ab5b3139322e302e322e315d11928401"
      "0102af616e6e406578616d706c652e6f726703ac7266633832323b616e6e407804"
      "038201ce0001117002af626f62406578616d706c652e6f72671202" },
    { { .kind = WIRE_HANDBACK,
        .as.handback = { .leases = { leases, 3 }, .reason = { "drain", 5 } } },
      "010682019301cd012ccfffffffffffffffff02a5647261696e" },
    { { .kind = WIRE_RESULT,
        .as.result = { .lease = 77,
                       .message = 0x0102030405060708,
                       .lane = 42,
                       .source = { "ip1", 3 },
                       .source_ip = { "192.0.2.7", 9 },
                       .host = { "mx.example.org", 14 },
                       .host_ip = { "192.0.2.1", 9 },
                       .tls = { "TLSv1.3", 7 },
                       .started_utc_ms = 1790000000100,
                       .ended_utc_ms = 1790000000345,
                       .in_doubt = true,
                       .ends_dsn = true,
                       .posthumous = true,
                       .converted = true,
                       .outcomes = outcomes,
                       .outcome_count = 2 } },
      "01078f014d02cf0102030405060708032a04a369703105a93139322e302e322e37"
      "06ae6d782e6578616d706c652e6f726707a93139322e302e322e3108a7544c5376"
      "312e3309cf000001a0c4506c640acf000001a0c4506d590bc30c92870101020203"
      "cd022604050501060107ac6e6f207375636820757365728301ce00011170020003"
      "ccfa0dc30ec30fc3" },
    { { .kind = WIRE_ACK, .as.ack = { .leases = { leases, 3 } } },
      "010881019301cd012ccfffffffffffffffff" },
    { { .kind = WIRE_BEAT, .as.beat = { .boot = 5, .rank = 1, .workers = 3 } },
      "010983010102030305" },
    { { .kind = WIRE_DRAIN, .as.drain = { .is_over = true } }, "010a8101c3" },
    { { .kind = WIRE_TRACE,
        .as.trace = { .trace = 3,
                      .site = { "mx.example.org", 14 },
                      .domain = { "example.org", 11 },
                      .message = 77,
                      .for_ms = 10000 } },
      "010b85010302ae6d782e6578616d706c652e6f726703ab6578616d706c652e6f7267044d"
      "05cd2710" },
    { { .kind = WIRE_LINES,
        .as.lines = { .trace = 3,
                      .left_out = 5,
                      .lines = lines,
                      .line_count = 1 } },
      "010c830103020503918801090278030204ae6d782e6578616d706c652e6f726705a3"
      "69703106ae6d782e6578616d706c652e6f726707a93139322e302e322e3108a63235"
      "30206f6b" },
};

static void of_hex(const char *hex, struct buf *out)
{
    for (; hex[0] && hex[1]; hex += 2)
        (void)buf_add_byte(
            out, (char)(char_hex_value(hex[0]) * 16 + char_hex_value(hex[1])));
}

static void to_hex(struct slice bytes, struct buf *out)
{
    for (size_t i = 0; i < bytes.len; i++)
        (void)buf_addf(out, "%02x", (unsigned char)bytes.ptr[i]);
    (void)buf_add_byte(out, '\0');
}

/* Whether these bytes decode to what has the golden bytes. */
static void check_understood(struct slice bytes, const struct golden *golden)
{
    scoped(buf_release) struct buf again = { .max = FRAME_MAX };
    scoped(buf_release) struct buf hex = { .max = FRAME_MAX };
    struct arena arena;
    struct wire_frame frame;
    arena_init(&arena, FRAME_MAX);
    assert_int_equal(wire_decode(bytes, &arena, &frame), RC_OK);
    assert_int_equal(frame.kind, golden->frame.kind);
    assert_int_equal(wire_encode(&frame, &again), RC_OK);
    to_hex(buf_slice(&again), &hex);
    assert_string_equal(hex.ptr, golden->hex);
    arena_release(&arena);
}

static void frames_are_encoded_as_ever(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(goldens); i++) {
        scoped(buf_release) struct buf bytes = { .max = FRAME_MAX };
        scoped(buf_release) struct buf hex = { .max = FRAME_MAX };
        assert_int_equal(wire_encode(&goldens[i].frame, &bytes), RC_OK);
        to_hex(buf_slice(&bytes), &hex);
        assert_string_equal(hex.ptr, goldens[i].hex);
    }
}

static void frames_are_decoded_as_ever(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(goldens); i++) {
        scoped(buf_release) struct buf bytes = { .max = FRAME_MAX };
        of_hex(goldens[i].hex, &bytes);
        check_understood(buf_slice(&bytes), &goldens[i]);
    }
}

/* The golden frame as a later version would send it: with a key more, in front
 * of the others or behind them. */
static void add_key(struct slice golden, const char *pair_hex, bool in_front,
                    struct buf *out)
{
    struct cursor cursor = cursor_of(slice_from(golden, 2));
    uint32_t keys = 0;
    assert_true(msgpack_read_map(&cursor, &keys));
    (void)buf_add(out, slice_head(golden, 2)); /* version, kind */
    (void)buf_add_byte(out, (char)0xde);       /* a map of so many pairs */
    (void)buf_add_byte(out, (char)((keys + 1) >> 8));
    (void)buf_add_byte(out, (char)((keys + 1) & 0xff));
    if (in_front)
        of_hex(pair_hex, out);
    (void)buf_add(out, cursor_rest(&cursor));
    if (!in_front)
        of_hex(pair_hex, out);
}

static void keys_of_a_later_version_are_skipped(void **state)
{
    (void)state;
    static const char *const pairs[] = {
        "2807",                 /* 40: a number */
        "28a178",               /* a text */
        "28c3",                 /* a flag */
        "28cb3ff0000000000000", /* a fraction */
        "28c4030d0a00",         /* bytes that no text of ours has */
        "2993010203",           /* 41: a list */
        "cd03e881a17892c3c0",   /* 1000: a list in a map by text */
        "ccff8201810203c090",   /* 255: maps in maps */
    };
    for (size_t i = 0; i < ARRAY_LEN(goldens); i++)
        for (size_t j = 0; j < 2 * ARRAY_LEN(pairs); j++) {
            scoped(buf_release) struct buf bytes = { .max = FRAME_MAX };
            scoped(buf_release) struct buf longer = { .max = FRAME_MAX };
            of_hex(goldens[i].hex, &bytes);
            add_key(buf_slice(&bytes), pairs[j / 2], j % 2 == 0, &longer);
            check_understood(buf_slice(&longer), &goldens[i]);
        }
}

/* A member that is new has to be added to the golden frame of its kind. */
static void the_golden_frames_have_every_key(void **state)
{
    (void)state;
    for (size_t kind = 1; wire_schema_of(kind); kind++) {
        assert_in_range(kind, 1, ARRAY_LEN(goldens));
        const struct wire_record *record = wire_schema_of(kind);
        scoped(buf_release) struct buf bytes = { .max = FRAME_MAX };
        of_hex(goldens[kind - 1].hex, &bytes);
        struct cursor cursor = cursor_of(slice_from(buf_slice(&bytes), 2));
        uint32_t count = 0;
        uint32_t known = 0;
        for (size_t key = 0; key < record->keys; key++)
            known += record->fields[key].type != FIELD_NONE;
        assert_true(msgpack_read_map(&cursor, &count));
        assert_int_equal(count, known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_encoded_as_ever),
        cmocka_unit_test(frames_are_decoded_as_ever),
        cmocka_unit_test(keys_of_a_later_version_are_skipped),
        cmocka_unit_test(the_golden_frames_have_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
