/*
 * check.h - broken invariants end the process.
 *
 * CHECK stays on in release builds: the spool makes a crash safe, and a process
 * that no longer knows its own state must not go on. Never CHECK what a peer,
 * a file or an operator can cause.
 */
#ifndef COMMON_BASE_CHECK_H
#define COMMON_BASE_CHECK_H

#define CHECK(condition)                                                       \
    ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

/* Writes the place and the condition to stderr, then aborts. */
_Noreturn void check_failed(const char *condition, const char *file, int line);

#endif
