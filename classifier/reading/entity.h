/*
 * entity.h - character references of HTML.
 */
#ifndef CLASSIFIER_READING_ENTITY_H
#define CLASSIFIER_READING_ENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/slice.h"

/* The character that the reference at the start of `text`, which begins with
 * "&", stands for: by number, or by a name that mail uses (Latin letters,
 * punctuation, spaces). What is none stands for "&". Returns the bytes taken,
 * at least 1. */
size_t entity_read(struct slice text, uint32_t *character);

#define ENTITY_BYTES_MAX 4u

/* Writes one character as UTF-8; returns its bytes, 0 for what is none. */
size_t entity_write(uint32_t character, char bytes[ENTITY_BYTES_MAX]);

#endif
