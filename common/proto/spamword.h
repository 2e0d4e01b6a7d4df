/*
 * spamword.h - does a refusal speak of spam?
 *
 * Receivers say in prose what they hold against a message: "likely unsolicited
 * mail", "message content rejected as spam", "too much bulk mail". Words count
 * that stand alone, case ignored:
 *
 *     spam spammy spamming unsolicited junk bulk uce ube
 *
 * and none in a name or address (www.spamcop.example, no-spam@...). A refusal
 * of the host that sends says nothing of the message: where the text has an IP
 * address or one of
 *
 *     ip listed blacklisted blocklisted blacklist blocklist dnsbl rbl
 *     greylisted greylisting
 *
 * there is no spam word in it. Total over any bytes, linear, no memory.
 */
#ifndef COMMON_PROTO_SPAMWORD_H
#define COMMON_PROTO_SPAMWORD_H

#include <stdbool.h>

#include "common/base/slice.h"

bool spamword_is_in(struct slice text);

#endif
