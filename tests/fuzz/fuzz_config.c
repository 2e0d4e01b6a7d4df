/* fuzz_config - any bytes load or are refused, and a loaded conf is whole. */
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/check.h"
#include "config/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets the text that it was reading at a syntax error: up to
 * the length of that text for a refused config, and out of our hands. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier): the sanitizer's name */
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_errors errors;
    scoped(conf_release) struct conf *conf = NULL;
    conf_errors_init(&errors);
    enum rc rc = conf_load_text("fuzz.cfg", slice_of((const char *)data, size),
                                &conf, &errors);
    CHECK((rc == RC_OK) == (errors.count == 0));
    CHECK((rc == RC_OK) == (conf != NULL));
    for (size_t i = 0; conf && i < conf->stream_count; i++)
        CHECK(conf->streams[i].route->pool->member_count > 0);
    for (size_t i = 0; conf && i < LIMIT_KIND_COUNT; i++)
        CHECK(conf_limit(conf, (enum conf_limit_kind)i, SLICE("x.test"), NULL)
                  ->is_set);
    conf_errors_release(&errors);
    return 0;
}
