/*
 * idn.h - internationalised domain names as the DNS knows them. The only file
 * (with idn.c) that knows libidn2.
 */
#ifndef COMMON_EDGE_IDN_H
#define COMMON_EDGE_IDN_H

#include <stdbool.h>

#include "common/base/slice.h"

#define IDN_DOMAIN_SIZE 256 /* 255 octets and a NUL */

/* Writes the domain in lower-case ASCII. A domain that is ASCII already, and an
 * address literal, is only lowered; one with U-labels is converted by IDNA2008
 * (RFC 5891, non-transitional). False when it cannot be a domain name. */
bool idn_to_ascii(struct slice domain, char ascii[IDN_DOMAIN_SIZE]);

#endif
