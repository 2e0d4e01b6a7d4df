/* rc.c - names of results and the text of a fault. */
#include "common/base/rc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *rc_name(enum rc rc)
{
    static const char *const names[] = {
        [RC_OK] = "ok",         [RC_MORE] = "more",       [RC_LIMIT] = "limit",
        [RC_SYNTAX] = "syntax", [RC_IO] = "io",           [RC_NONE] = "none",
        [RC_CLOSED] = "closed", [RC_TIMEOUT] = "timeout",
    };
    return names[rc];
}

enum rc fault_set(struct fault *fault, enum rc rc, int sys_errno,
                  const char *format, ...)
{
    if (!fault)
        return rc;
    fault->rc = rc;
    fault->sys_errno = sys_errno;

    va_list args;
    va_start(args, format);
    int len = vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    if (sys_errno == 0 || len < 0 || (size_t)len >= sizeof fault->text)
        return rc;

    char reason[80];
    (void)snprintf(fault->text + len, sizeof fault->text - (size_t)len, ": %s",
                   strerror_r(sys_errno, reason, sizeof reason));
    return rc;
}
