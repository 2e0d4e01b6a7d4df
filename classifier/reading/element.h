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

struct element_form {
    uint64_t name;
    uint32_t kind;
    uint32_t count; /* offset of a counter in struct html_shape; 0: none */
};

/* Of the element of this name (tag.h). One that is not known parts words and is
 * nothing else. */
const struct element_form *element_form(uint64_t name);

#endif
