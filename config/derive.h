/*
 * derive.h - values that follow from others, and what is in other files.
 *
 * Runs once the references are set: EHLO names, the postmaster, the scope of
 * limits, the streams of classes, the bus, passwords from files.
 */
#ifndef CONFIG_DERIVE_H
#define CONFIG_DERIVE_H

#include "config/fill.h"

/* Needs a conf whose tables were applied without an error. */
void derive_all(struct fill *fill);

#endif
