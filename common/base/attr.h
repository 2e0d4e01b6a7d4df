/*
 * attr.h - the few compiler attributes that the house uses.
 *
 * must_check    the caller may not ignore the result
 * printf_like   arguments are checked like printf's
 * not_inlined   the rare case of a function that is called often, kept apart
 * scoped(F)     F(&variable) runs when the variable leaves its scope
 * steal(p)      gives p away and nulls it: `return steal(p);`
 */
#ifndef COMMON_BASE_ATTR_H
#define COMMON_BASE_ATTR_H

#define must_check        __attribute__((warn_unused_result))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define not_inlined       __attribute__((noinline))
#define scoped(release)   __attribute__((cleanup(release)))

#define steal(pointer)                                                         \
    (__extension__({                                                           \
        __typeof__(pointer) *steal_from_ = &(pointer);                         \
        __typeof__(pointer) stolen_ = *steal_from_;                            \
        *steal_from_ = NULL;                                                   \
        stolen_;                                                               \
    }))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that holds `member` at `pointer`. */
#define container_of(pointer, type, member)                                    \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
