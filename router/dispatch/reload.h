/*
 * reload.h - the lane thread changes over to a new config.
 *
 * Every job gets the numbers of its stream, route and tenant anew, by the names
 * in its envelope, and every READY job goes to the lane where it belongs now.
 * Jobs that are out stay out. Workers hear a WELCOME; their credit begins anew.
 */
#ifndef ROUTER_DISPATCH_RELOAD_H
#define ROUTER_DISPATCH_RELOAD_H

#include "router/dispatch/core.h"

/* Takes over one reference to the new config, gives the old one back. */
void reload(struct dispatch *dispatch, struct conf *conf);

#endif
