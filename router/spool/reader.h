/*
 * reader.h - the thread that reads messages back.
 *
 * Reads are taken in batches: the places of all are looked up at once, their
 * segments are kept from leaving until the batch is done, and records that lie
 * close together in one file come with one system call.
 */
#ifndef ROUTER_SPOOL_READER_H
#define ROUTER_SPOOL_READER_H

#include "common/base/attr.h"
#include "router/spool/spool.h"

struct reader;

/* Without its thread; the spool is borrowed. */
struct reader *reader_new(struct spool *spool) must_check;
void reader_free(struct reader **reader);

/* For pthread_create; the context is the struct reader. Returns after
 * reader_stop, when every read was answered. */
void *reader_run(void *context);

/* Reads that wait, or come from now on, are answered with RC_CLOSED. */
void reader_stop(struct reader *reader);

void reader_ask(struct reader *reader, struct spool_read *read);

#endif
