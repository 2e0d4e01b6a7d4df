/*
 * reference.h - the whole reference, printed from the tables as Markdown.
 */
#ifndef CONFIG_REFERENCE_H
#define CONFIG_REFERENCE_H

#include <stdio.h>

void reference_print(FILE *out);

#endif
