/*
 * rc.h - whether *we* could do it, and why not.
 *
 * An rc tells of our own work and never of what a far side decided: that is a
 * verdict (common/proto/verdict.h). At edges a fault carries the reason up to
 * the one place that gives up and logs it; it allocates nothing.
 */
#ifndef COMMON_BASE_RC_H
#define COMMON_BASE_RC_H

#include "common/base/attr.h"

enum rc {
    RC_OK = 0,
    RC_MORE,    /* not enough input yet: call again with more */
    RC_LIMIT,   /* one of our own limits was reached */
    RC_SYNTAX,  /* the input is not of the form */
    RC_IO,      /* the system refused; fault->sys_errno says why */
    RC_TIMEOUT, /* it took too long */
    RC_CLOSED,  /* the other end is gone */
    RC_NONE,    /* there is no such thing */
};

#define FAULT_TEXT_MAX 160

struct fault {
    enum rc rc;
    int sys_errno; /* 0 when no system call was the cause */
    char text[FAULT_TEXT_MAX];
};

/* "ok", "limit" ...: a constant word for logs. */
const char *rc_name(enum rc rc);

/* Fills *fault (which may be NULL) and returns rc, so that a failing function
 * can end with `return fault_set(fault, RC_IO, errno, "open %s", path);`.
 * With an errno its text is appended after ": ". */
enum rc fault_set(struct fault *fault, enum rc rc, int sys_errno,
                  const char *format, ...) printf_like(4, 5);

#endif
