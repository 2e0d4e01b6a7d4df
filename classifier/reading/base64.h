/*
 * base64.h - what base64 stands for, read as mail readers do.
 *
 * Tolerant where base64_decode() of codec.h, for what we are sent in commands,
 * is strict.
 *
 * RFC 2045 section 6.8. Bytes outside the alphabet are passed over, padding is
 * one of them; bits that make no whole byte at the end are dropped.
 */
#ifndef CLASSIFIER_READING_BASE64_H
#define CLASSIFIER_READING_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/slice.h"

/* Writes what `text` stands for, at most `size` bytes. True with *len written;
 * false when there is more, *len is `size` then. */
bool base64_read(struct slice text, char *to, size_t size, size_t *len);

#endif
