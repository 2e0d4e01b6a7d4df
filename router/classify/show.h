/*
 * show.h - a verdict as people and programs read it.
 */
#ifndef ROUTER_CLASSIFY_SHOW_H
#define ROUTER_CLASSIFY_SHOW_H

#include "classifier/naming.h"
#include "common/base/buf.h"
#include "router/classify/judging.h"

/* Appends lines:
 *
 *     FILE
 *       stream bulk (declared transactional, trust verify)  p(bulk) 0.97 ...
 *       +2.10 bulk           subject: last chance
 *
 * All that came from outside is escaped. */
void show_text(const struct judging *judging, struct slice name,
               const struct judged *judged, const struct naming *naming,
               struct buf *out);

/* Appends one JSON object and a line end. */
void show_json(const struct judging *judging, struct slice name,
               const struct judged *judged, const struct naming *naming,
               struct buf *out);

#endif
