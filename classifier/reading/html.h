/*
 * html.h - what a reader sees of an HTML part, and how it is built.
 *
 * One pass over the markup (UTF-8). The visible text goes to a buffer, a blank
 * for every tag that parts words and a line end for every block; the rest is
 * counted. This is no parser of HTML: it knows what must not be taken for
 * text (comments, style, script, title), which elements end by themselves
 * (br, img, p before a block ...), and follows what is hidden: display:none,
 * visibility:hidden, a size of nothing, white letters on no colour. What is
 * hidden is counted and never becomes text; what is said to be hidden, and then
 * not, is counted and becomes text.
 *
 * The depth that is followed is HTML_DEPTH_MAX; deeper elements count as
 * their parent. Work is linear in the bytes.
 */
#ifndef CLASSIFIER_READING_HTML_H
#define CLASSIFIER_READING_HTML_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/slice.h"

#define HTML_DEPTH_MAX  64u
#define HTML_HOSTS_MAX  32u
#define HTML_TAIL_BYTES (3u << 10)

/* All counts are of one message; a second part adds to them. */
struct html_shape {
    uint32_t tags;
    uint32_t links; /* <a href> that lead to a page */
    uint32_t mail_links;
    uint32_t hosts;  /* different ones that links lead to */
    uint32_t images; /* that can be seen */
    uint32_t pixels; /* images of at most 2 x 2 */
    uint32_t tables;
    uint32_t cells;
    uint32_t items; /* li */
    uint32_t headings;
    uint32_t paragraphs;
    uint32_t rules;   /* hr */
    uint32_t quotes;  /* blockquote */
    uint32_t codes;   /* code, pre, kbd */
    uint32_t styles;  /* style blocks */
    uint32_t classes; /* class= and style= */
    uint32_t forms;
    uint32_t campaign_links; /* with utm_ or the like */
    uint32_t leaving_links;  /* unsubscribe, preferences, opt out */
    uint32_t social_links;
    uint32_t store_links; /* app stores */
    uint32_t token_links; /* with a long opaque piece */
    uint32_t hidden_words;
    uint32_t deepest;
    uint32_t skipped_bytes; /* of markup that was not looked at */
    uint64_t own_hash;      /* of the long pieces in links; 0: there are none */
    uint64_t skeleton;      /* hash of the tags, repeated runs taken once */
    uint32_t host_hashes[HTML_HOSTS_MAX];
};

/* Reads one part. Text that `text` has no room for is left out; then
 * all but the last HTML_TAIL_BYTES of the markup is
 * passed over, so that a message costs by what it shows. */
void html_read(struct slice markup, struct html_shape *shape, struct buf *text);

#endif
