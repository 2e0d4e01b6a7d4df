/*
 * holder.h - what a conf carries beside its public part; config/ only.
 *
 * The notes remember every setting in the order of the tables, written or
 * defaulted, for the dump. Everything but the note array and the account
 * table's slots lives in the arena.
 */
#ifndef CONFIG_HOLDER_H
#define CONFIG_HOLDER_H

#include <stdatomic.h>

#include "common/base/arena.h"
#include "config/schema.h"

struct holder_note {
    const char *path; /* "streams.bulk", "" for the top level */
    const struct schema_key *key;
    const void *object; /* the struct that the key belongs to */
    struct conf_place place;
    const char *text; /* as written; NULL: no value */
};

struct holder {
    struct conf conf;
    atomic_uint references;
    struct arena arena;
    struct holder_note *notes;
    size_t note_count;
    size_t note_room;
    uint32_t *account_slots; /* index + 1 by hash of the name; 0: free */
    size_t account_slot_count;
};

/* An empty conf with one reference; conf_release() frees it. */
struct holder *holder_new(void) must_check;

/* The holder of a conf that the loader made. */
const struct holder *holder_of(const struct conf *conf);

void holder_note(struct holder *holder, struct holder_note note);

/* Call when the accounts are complete and before any look-up. */
void holder_index_accounts(struct holder *holder);

/* Arena memory and texts that never fail: the input is bounded. */
void *holder_new_items(struct holder *holder, size_t count,
                       size_t size) must_check;
const char *holder_text(struct holder *holder, struct slice text) must_check;

#endif
