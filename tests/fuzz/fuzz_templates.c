/*
 * fuzz_templates.c - any bytes are read as the file of templates and as one
 * template; and what was read writes to the same again. Replies of receivers
 * are searched for words of spam.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/check.h"
#include "common/proto/spamword.h"
#include "router/templates/file.h"

static void write_again(void *context, const struct template_record *record)
{
    struct template_record again;
    scoped(buf_release) struct buf packed;
    buf_init(&packed, RECORD_PACKED_MAX);
    CHECK(template_record_pack(record, &packed));
    CHECK(template_record_unpack(buf_slice(&packed), &again) == RC_OK);
    CHECK(memcmp(&record->template, &again.template, sizeof again.template)
          == 0);
    CHECK(slice_equal(record->tenant, again.tenant));
    CHECK(record->now == again.now);
    CHECK(memcmp(&record->taken, &again.taken, sizeof again.taken) == 0
          || allowance_is_idle(&record->taken, 0));
    CHECK(templates_file_add(context, record));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice bytes = slice_of((const char *)data, size);
    struct template_record record;
    scoped(buf_release) struct buf file;
    scoped(buf_release) struct buf again;
    buf_init(&file, TEMPLATES_FILE_MAX);
    buf_init(&again, TEMPLATES_FILE_MAX);
    templates_file_begin(&file);
    (void)templates_file_parse(bytes, write_again, &file);
    if (template_record_unpack(bytes, &record) == RC_OK)
        write_again(&file, &record);
    CHECK(templates_file_parse(buf_slice(&file), write_again, &again));
    (void)spamword_is_in(bytes);
    return 0;
}
