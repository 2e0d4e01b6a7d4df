/* shipped.c - the model that ships, as it stands in the program.
 *
 * The assembler takes the file in, so it lies in pages that are mapped from
 * the program, read-only and shared, as those of any other model are. */
#include "classifier/shipped.h"

extern const char shipped_model_start[];
extern const char shipped_model_end[];

__asm__(".pushsection .rodata\n"
        ".balign 8\n"
        ".global shipped_model_start\n"
        ".hidden shipped_model_start\n"
        "shipped_model_start:\n"
        ".incbin \"" SHIPPED_MODEL_FILE "\"\n"
        ".global shipped_model_end\n"
        ".hidden shipped_model_end\n"
        "shipped_model_end:\n"
        ".byte 0\n"
        ".popsection\n");

struct slice shipped_model(void)
{
    return slice_of(shipped_model_start,
                    (size_t)(shipped_model_end - shipped_model_start));
}
