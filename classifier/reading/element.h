/*
 * element.h - what an element of HTML is to those who read.
 */
#ifndef CLASSIFIER_READING_ELEMENT_H
#define CLASSIFIER_READING_ELEMENT_H

#include <stdint.h>

/* What an element is: several may be true. */
#define ELEMENT_VOID   0x01u /* has no end tag: nothing is ever inside it */
#define ELEMENT_INLINE 0x02u /* within a line: parts no words */
#define ELEMENT_CELL   0x04u
#define ELEMENT_RAW    0x08u /* all up to its end tag is no text */
#define ELEMENT_LINK   0x10u
#define ELEMENT_IMAGE  0x20u

/* What its start tag is to an element that is open and needs no end tag, ... */
#define ELEMENT_STARTS_BLOCK 0x0100u /* neither void nor inline */
#define ELEMENT_STARTS_CELL  0x0200u
#define ELEMENT_STARTS_ROW   0x0400u
#define ELEMENT_STARTS_ITEM  0x0800u
/* ... which ends by itself before one of these: a paragraph before a block, a
 * cell before a cell or row, an item before an item. */
#define ELEMENT_ENDS_BEFORE(starts) (((starts)&0x0F00u) << 8)

struct element_form {
    uint64_t name;
    uint32_t kind;
    uint32_t count; /* offset of a counter in struct html_shape; 0: none */
};

/* Of the element of this name (tag.h). One that is not known is a block and
 * nothing else. */
const struct element_form *element_form(uint64_t name);

#endif
