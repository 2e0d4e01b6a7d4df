/*
 * command.h - SMTP command lines, read as strictly as RFC 5321 writes them.
 *
 * A receiver for tests must not be liberal: "MAIL FROM: <a@b>" with its blank
 * works at many places and fails at some, so here it fails.
 */
#ifndef RECEIVER_COMMAND_H
#define RECEIVER_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verb {
    VERB_UNKNOWN,
    VERB_HELO,
    VERB_EHLO,
    VERB_STARTTLS,
    VERB_MAIL,
    VERB_RCPT,
    VERB_DATA,
    VERB_BDAT,
    VERB_RSET,
    VERB_NOOP,
    VERB_QUIT,
    VERB_VRFY,
    VERB_COUNT,
};

/* Borrowed from the line. */
struct command {
    enum verb verb;
    const char *argument; /* NUL-terminated, without the blank before it */
};

struct path_argument {
    char address[512];  /* without brackets; "" is the null sender */
    bool not_ascii;     /* some byte is 8-bit */
    const char *params; /* what follows the path, "" or without its blank */
};

/* One "KEYWORD=value" or "KEYWORD". */
struct param {
    char name[32]; /* in upper case */
    char value[512];
};

/* Splits a line, without its line end, into verb and argument. */
struct command command_parse(const char *line);

/* Domain or address literal of HELO and EHLO. */
bool command_is_host_name(const char *argument);

/* RFC 5321, 4.1.2: "FROM:" or "TO:" `keyword`, then "<" Mailbox ">" or, if
 * `null_allowed`, "<>". Source routes are refused. False if the syntax is
 * wrong. */
bool command_parse_path(const char *argument, const char *keyword,
                        bool null_allowed, struct path_argument *path);

/* Takes the next parameter from `*at`, moves it on. False at the end and on
 * bad syntax; at the end, and only then, **at is NUL. */
bool command_next_param(const char **at, struct param *param);

/* Decimal digits only, within 64 bits, to the end of the string or a blank;
 * `*end` is where it stopped. */
bool command_parse_number(const char *digits, uint64_t *number,
                          const char **end);

#endif
