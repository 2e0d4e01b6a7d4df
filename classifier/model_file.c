/* model_file.c - the checksum of a model's file. */
#include "classifier/model_file.h"

#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static XXH128_canonical_t digest_of(const char *file, size_t len)
{
    XXH128_canonical_t digest;
    XXH128_canonicalFromHash(&digest, XXH3_128bits(file, len));
    return digest;
}

bool model_digest_is_right(struct slice file)
{
    size_t len = file.len - MODEL_DIGEST_BYTES;
    XXH128_canonical_t digest = digest_of(file.ptr, len);
    return memcmp(digest.digest, file.ptr + len, MODEL_DIGEST_BYTES) == 0;
}

void model_digest_write(char *file, size_t len)
{
    XXH128_canonical_t digest = digest_of(file, len - MODEL_DIGEST_BYTES);
    memcpy(file + len - MODEL_DIGEST_BYTES, digest.digest, MODEL_DIGEST_BYTES);
}
