/*
 * names.h - forms of domains, addresses and password hashes. Pure.
 */
#ifndef CONFIG_NAMES_H
#define CONFIG_NAMES_H

#include <netinet/in.h>

#include "common/base/slice.h"

#define NAMES_DOMAIN_MAX 253 /* RFC 1035 section 2.3.4, as text */
#define NAMES_LABEL_MAX  63

/* Labels of letters, digits, '-' and '_', joined by single dots. */
bool names_is_domain(struct slice text);

/* The canonical text of an IP literal without brackets, so that equal
 * addresses are equal texts. False: it is none. */
bool names_address(struct slice text, char canonical[INET6_ADDRSTRLEN]);

/* Splits "1.2.3.4:25" and "[::1]:25" at the last colon; *host is without
 * brackets, which IPv6 must have and IPv4 may not. Neither part is parsed. */
bool names_split_endpoint(struct slice text, struct slice *host,
                          struct slice *port);

/* True for the form of a crypt(5) hash that libxcrypt knows. */
bool names_is_hash(struct slice hash);

#endif
