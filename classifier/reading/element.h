/*
 * element.h - what an element of HTML is to those who read.
 */
#ifndef CLASSIFIER_READING_ELEMENT_H
#define CLASSIFIER_READING_ELEMENT_H

#include <stdint.h>

/* What an element is: several may be true. */
#define ELEMENT_VOID   0x001u /* has no end tag: nothing is ever inside it */
#define ELEMENT_INLINE 0x002u /* within a line: parts no words */
#define ELEMENT_RAW    0x004u /* all up to its end tag is no text */
#define ELEMENT_LINK   0x008u
#define ELEMENT_IMAGE  0x010u
#define ELEMENT_BLOCK  0x100u /* none of these */
#define ELEMENT_CELL   0x200u
#define ELEMENT_ROW    0x400u
#define ELEMENT_ITEM   0x800u

/* And before which of the last four it ends by itself: a paragraph before a
 * block, a cell before a cell or row, an item before an item. */
#define ELEMENT_ENDS_BEFORE(kind) ((0xF00u & (kind)) << 8)

struct element_form {
    uint64_t name;
    uint32_t kind;
    uint32_t count; /* offset of a counter in struct html_shape; 0: none */
};

/* Of the element of this name (tag.h). One that is not known is a block and
 * nothing else. */
const struct element_form *element_form(uint64_t name);

#endif
