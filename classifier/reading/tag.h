/*
 * tag.h - one start tag of HTML, and what matters of its attributes.
 */
#ifndef CLASSIFIER_READING_TAG_H
#define CLASSIFIER_READING_TAG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/slice.h"

/* A name as a number: its first eight bytes in lower case, the first lowest.
 * Of a literal the compiler makes a constant. */
#define TAG_BYTE(text, i)                                                      \
    ((i) < __builtin_strlen(text)                                              \
         ? (uint64_t)(unsigned char)(text)[(i) < __builtin_strlen(text) ? (i)  \
                                                                        : 0]   \
               << (8 * (i))                                                    \
         : 0)
#define TAG(text)                                                              \
    (TAG_BYTE(text, 0) | TAG_BYTE(text, 1) | TAG_BYTE(text, 2)                 \
     | TAG_BYTE(text, 3) | TAG_BYTE(text, 4) | TAG_BYTE(text, 5)               \
     | TAG_BYTE(text, 6) | TAG_BYTE(text, 7))

enum tag_size { TAG_SIZE_KEPT, TAG_SIZE_NOTHING, TAG_SIZE_SOME };

/* Properties that can hide an element. */
#define TAG_HIDES_DISPLAY    0x1u
#define TAG_HIDES_VISIBILITY 0x2u
#define TAG_HIDES_OPACITY    0x4u

/* Attributes of which the first counts. */
#define TAG_GIVES_STYLE  0x01u
#define TAG_GIVES_TARGET 0x02u
#define TAG_GIVES_WIDTH  0x04u
#define TAG_GIVES_HEIGHT 0x08u
#define TAG_GIVES_GROUND 0x10u
#define TAG_GIVES_COLOUR 0x20u

struct tag {
    uint64_t name;
    enum tag_size size;     /* of its letters */
    struct slice target;    /* href */
    uint32_t width, height; /* of an image; UINT32_MAX: not given */
    bool has_style;         /* class= or style= */
    bool has_colour;        /* a background that is not white */
    bool is_white;          /* its letters are */
    bool is_hidden;
    bool may_hide;   /* something of its style, by itself, hides it */
    bool wavers;     /* and something behind that takes it back */
    uint8_t given;   /* TAG_GIVES_ bits */
    uint8_t decided; /* TAG_HIDES_ bits: properties that its style has */
    uint8_t settled; /* those that an "!important" decided */
    uint8_t hiding;  /* those that hide it */
};

/* Takes a name; 0 when there is none. Of one that has other bytes than letters
 * and digits ("style-x", "o:p") it is none that TAG() makes. */
uint64_t tag_name(struct cursor *cursor);

/* Takes all behind "<" up to the ">" that ends the tag, or to the end. */
void tag_read(struct cursor *cursor, struct tag *tag);

#endif
