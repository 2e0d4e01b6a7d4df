/*
 * schema.h - what may stand in a config, in tables.
 *
 * One section per kind of object, one key per setting. The same tables drive
 * loading, defaults, the nearest known key of an unknown one, the printed
 * reference and the dump. A key says where its value goes by the offset of a
 * member in the section's struct (conf.h).
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/slice.h"
#include "config/conf.h"

enum schema_type {
    TYPE_TEXT,     /* const char *, printable */
    TYPE_NAME,     /* const char *, unique in its section */
    TYPE_FLAG,     /* bool */
    TYPE_COUNT,    /* uint32_t or uint64_t, by width */
    TYPE_DURATION, /* uint64_t ms */
    TYPE_SIZE,     /* uint64_t bytes */
    TYPE_RATE,     /* struct conf_rate */
    TYPE_SHARE,    /* uint32_t, hundredths of a per cent */
    TYPE_SCHEDULE, /* struct conf_schedule, or a pointer to one, by width; waits.h */
    TYPE_CHOICE,    /* an enum or bool by position, or the text, by width */
    TYPE_PATH,      /* const char *, made absolute */
    TYPE_ADDRESS,   /* const char *, IP literal in canonical form */
    TYPE_ENDPOINT,  /* struct conf_endpoint */
    TYPE_PROXY,     /* struct conf_proxy */
    TYPE_DOMAIN,    /* const char *, lower case */
    TYPE_PATTERN,   /* const char *, domain or "*.domain", lower case */
    TYPE_DOMAINS,   /* struct conf_texts of domains or ".domain" */
    TYPE_TEXTS,     /* struct conf_texts */
    TYPE_RANGES,    /* struct conf_ranges */
    TYPE_HEADER,    /* two const char *: field name and glob of its value */
    TYPE_HASH,      /* const char *, crypt(5) */
    TYPE_REFERENCE, /* pointer to an object of `section` */
    TYPE_NAMED,     /* const char *, name of an object of `section` */
    TYPE_GROUP,     /* one object of `section`, inside the struct */
    TYPE_LIST,      /* pointer to objects of `section`, and their count */
};

/* Who cannot run without the file that a path names. */
enum schema_need { NEED_NOBODY, NEED_ROUTER, NEED_ALL };

struct schema_section;

struct schema_key {
    const char *name;
    enum schema_type type;
    size_t offset;
    size_t width;
    size_t count_offset; /* TYPE_LIST: of its size_t */
    bool is_required;
    bool is_secret;
    bool takes_flag; /* TYPE_CHOICE: false and true are the first and second */
    bool is_limit;   /* goes into a struct conf_limit at offset */
    enum schema_need needs; /* TYPE_PATH */
    uint64_t min;
    uint64_t max;               /* 0: none but the type's */
    const char *initial;        /* the default, as it would be written */
    const char *otherwise;      /* says in words what holds without a value */
    const char *const *choices; /* in the order of the enum, NULL at the end */
    const struct schema_section *section;
    const char *foreign; /* what other mail servers call it */
    const char *help;
};

struct schema_section {
    const char *name;
    const char *noun; /* one of it */
    const char *help;
    size_t size; /* of its struct */
    const struct schema_key *keys;
    size_t key_count;
    size_t index_offset; /* of an unsigned with its position; 0: none */
    bool has_place;      /* the struct begins with a struct conf_place */
    bool takes_text;     /* a bare text stands for a group with the first key */
};

extern const struct schema_section schema_root;
extern const struct schema_section schema_listeners;
extern const struct schema_section schema_tls;
extern const struct schema_section schema_tenants;
extern const struct schema_section schema_accounts;
extern const struct schema_section schema_streams;
extern const struct schema_section schema_routes;
extern const struct schema_section schema_pools;
extern const struct schema_section schema_sources;
extern const struct schema_section schema_providers;
extern const struct schema_section schema_limits;
extern const struct schema_section schema_classifier;
extern const struct schema_section schema_spool;
extern const struct schema_section schema_resolver;
extern const struct schema_section schema_state;
extern const struct schema_section schema_routers;
extern const struct schema_section schema_bus;
extern const struct schema_section schema_log;

/* For tables: where a member is and how wide. */
#define AT(type, member)                                                       \
    .offset = offsetof(struct type, member),                                   \
    .width = sizeof(__typeof__(((struct type *)NULL)->member))

/* The key of that name; NULL when there is none. */
const struct schema_key *schema_key(const struct schema_section *section,
                                    struct slice name);

/* The key that the writer of an unknown name may have meant, or NULL. */
const struct schema_key *schema_nearest(const struct schema_section *section,
                                        struct slice name);

/* The name of an object of a section with a key "name". */
const char *schema_name_of(const struct schema_section *section,
                           const void *object);

/* The objects of a top-level list section. */
const void *schema_objects(const struct schema_section *section,
                           const struct conf *conf, size_t *count);

/* The object of a top-level list section with that name; NULL: none. */
const void *schema_object(const struct schema_section *section,
                          const struct conf *conf, struct slice name);

/* "duration", "list of texts" ...: for the reference and error messages. */
const char *schema_type_name(enum schema_type type);

#endif
