/*
 * mem.h - the one place that asks the system for memory.
 *
 * These never return NULL: when the system has no memory left the process dies
 * (the spool makes that safe). Bounds that a peer can reach are ours to check
 * before the call; reaching one is RC_LIMIT, never a failed malloc.
 */
#ifndef COMMON_BASE_MEM_H
#define COMMON_BASE_MEM_H

#include <stddef.h>

#include "common/base/attr.h"

/* Zeroed memory for `count` items of `size` bytes. */
void *mem_new(size_t count, size_t size) must_check;

/* Like realloc; new bytes are not zeroed. A product that overflows dies. */
void *mem_resize(void *old, size_t count, size_t size) must_check;

/* A NUL-terminated copy of len bytes. */
char *mem_copy_text(const char *text, size_t len) must_check;

/* Accepts NULL. */
void mem_free(void *memory);

/* For scoped(): frees what the variable points to. */
void mem_free_at(void *variable);

#define NEW(type) ((type *)mem_new(1, sizeof(type)))

#endif
