/*
 * packed.h - one template as bytes: for the file and for the other routers.
 *
 * TLV (common/proto/tlv.h). A record says how the template is found, its state
 * and its history; and for this router's own file what was taken of its budget
 * and of its tenant's pot. A record without an id is of a pot alone; one with a
 * later id (`now`) says that the template is known by that now, and when. Of two
 * copies the later state counts; of the same second the operator's, then the
 * one that allows less: so that all routers come to the same. Pure.
 */
#ifndef ROUTER_TEMPLATES_PACKED_H
#define ROUTER_TEMPLATES_PACKED_H

#include <stdbool.h>

#include "classifier/guard/guard.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/rc.h"
#include "common/base/slice.h"
#include "router/templates/witnesses.h"

#define RECORD_TENANT_MAX 255u
#define RECORD_PACKED_MAX 1024u

struct template_record {
    struct guard_template template; /* its watch and tenant: not used */
    struct slice tenant;
    struct allowance taken; /* shares are not packed */
    struct allowance pot;   /* as `taken`; of the first span alone */
    uint64_t now;           /* 0: not renamed; else only the id and since_utc_s
                               of the template count */
    /* Of one that tripped here; not packed. */
    uint64_t witnesses[WITNESSES_EACH];
};

/* False when it does not fit. */
bool template_record_pack(const struct template_record *record,
                          struct buf *out);

/* Total over any bytes: RC_OK, RC_SYNTAX. The tenant points into `packed`. */
enum rc template_record_unpack(struct slice packed,
                               struct template_record *record) must_check;

/* Of two copies the higher one counts; of equal ones the states are equal. */
uint64_t template_rank(const struct guard_template *template);
uint64_t template_record_rank(const struct template_record *record);

/* Was its state ever another? Then others may know it by that one. */
bool template_has_changed(const struct guard_template *template);

#endif
