/* glob.c - patterns with '*'. */
#include "common/base/glob.h"

#include "common/base/chars.h"

bool glob_match(struct slice pattern, struct slice text)
{
    size_t p = 0;
    size_t t = 0;
    size_t star = pattern.len; /* the last '*' seen; len: none */
    size_t star_text = 0;      /* where what it matches ends */
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            star_text = t;
        } else if (p < pattern.len
                   && char_lower(pattern.ptr[p]) == char_lower(text.ptr[t])) {
            p++;
            t++;
        } else if (star < pattern.len) {
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}
