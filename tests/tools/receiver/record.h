/*
 * record.h - the append-only account of everything that happened.
 *
 * One JSON object a line, in the order of events, written out once a tick of
 * the loop. Members that are not known at an event are left out. README.md
 * lists them. With an .eml folder, each message that is taken is also kept
 * there whole, as ID.eml.
 */
#ifndef RECEIVER_RECORD_H
#define RECEIVER_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "message.h"
#include "text.h"

struct record {
    int fd;
    struct text lines;
    const char *eml_folder; /* borrowed; NULL: none */
};

/* What is known of an event; NULL and 0 mean "not known". All borrowed. */
struct happening {
    const char *event; /* connect message refused violation disconnect */
    const char *provider;
    const char *source;
    const char *target; /* our own address */
    uint64_t connection;
    const char *ehlo;
    const char *tls;
    bool tls_resumed;
    const char *mail_from;
    const struct text *rcpts;      /* each ends with NUL */
    const struct message *message; /* size, digest and header fields */
    const char *id;                /* of the message taken */
    const char *step;
    const char *kind;  /* of violation */
    const char *class; /* "limit" or "wire" */
    const char *reply; /* "" when there was none */
};

/* False with errno if the file cannot be opened for appending. */
bool record_open(struct record *record, const char *path,
                 const char *eml_folder);

void record_add(struct record *record, const struct happening *happening);

/* Writes what was added. False with errno if the file does not take it; what
 * was not written stays. */
bool record_flush(struct record *record);

void record_close(struct record *record);

#endif
