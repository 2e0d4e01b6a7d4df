/*
 * decode.h - what a part says, as UTF-8.
 *
 * Two steps: the transfer encoding (RFC 2045 section 6), read as mail readers
 * do, so that what is broken still gives what a reader would show: bytes
 * outside the alphabet are passed over, "=" before what is no hexadecimal
 * digit stands for itself. Then the charset: ASCII and UTF-8 as they are, the
 * others by iconv(3). Bytes that mean nothing become U+FFFD; a charset
 * that is not known is taken for windows-1252.
 *
 * A decoder belongs to one thread; it keeps the converters that it has opened.
 */
#ifndef CLASSIFIER_READING_DECODE_H
#define CLASSIFIER_READING_DECODE_H

#include "classifier/reading/parts.h"
#include "common/base/buf.h"

struct decoder;

struct decoder *decoder_new(void) must_check;
void decoder_free(struct decoder **decoder);

/* Appends the part's text to `out`, as much as its cap leaves room for.
 * False: it did not fit whole. */
bool decode_part(struct decoder *decoder, const struct part *part,
                 struct buf *out);

/* The part's text, as much as a cleared `room` has room for: where it stands
 * when nothing has to be decoded, else in `room`. *is_whole is false when it did
 * not fit whole. */
struct slice decode_text(struct decoder *decoder, const struct part *part,
                         struct buf *room, bool *is_whole);

/* Appends a field's value with its encoded words decoded (RFC 2047) and its
 * folds taken out. */
void decode_words(struct decoder *decoder, struct slice value, struct buf *out);

#endif
