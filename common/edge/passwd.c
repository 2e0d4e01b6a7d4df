/* passwd.c - password hashes of crypt(5). */
#include "common/edge/passwd.h"

#include <crypt.h>
#include <string.h>

#include "common/base/mem.h"

_Static_assert(PASSWD_HASH_SIZE >= CRYPT_OUTPUT_SIZE, "a hash fits");

static bool take_password(struct slice password, char text[PASSWD_MAX + 1])
{
    if (password.len == 0 || password.len > PASSWD_MAX
        || slice_find(password, '\0') < password.len)
        return false;
    memcpy(text, password.ptr, password.len);
    text[password.len] = '\0';
    return true;
}

/* Hashes under a setting (or a hash, which begins with its setting). The data
 * has 32 KB: too much for a thread's stack. */
static bool hash_with(const char *text, const char *setting,
                      char hash[PASSWD_HASH_SIZE])
{
    struct crypt_data *data = NEW(struct crypt_data);
    const char *made = crypt_r(text, setting, data);
    bool is_made = made && made[0] != '*';
    if (is_made)
        memcpy(hash, made, strlen(made) + 1);
    explicit_bzero(data, sizeof *data);
    mem_free(data);
    return is_made;
}

static bool equal_in_constant_time(const char *a, const char *b)
{
    size_t len = strlen(a);
    if (len != strlen(b))
        return false;
    unsigned differs = 0;
    for (size_t i = 0; i < len; i++)
        differs |= (unsigned)(unsigned char)a[i] ^ (unsigned char)b[i];
    return differs == 0;
}

bool passwd_matches(struct slice password, const char *hash)
{
    char text[PASSWD_MAX + 1];
    char made[PASSWD_HASH_SIZE];
    if (!take_password(password, text))
        return false;
    bool is_hashed = hash_with(text, hash, made);
    explicit_bzero(text, sizeof text);
    return is_hashed && equal_in_constant_time(made, hash);
}

bool passwd_make(struct slice password, char hash[PASSWD_HASH_SIZE])
{
    char text[PASSWD_MAX + 1];
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (!take_password(password, text))
        return false;
    bool is_made =
        crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof setting) != NULL
        && hash_with(text, setting, hash);
    explicit_bzero(text, sizeof text);
    return is_made;
}
