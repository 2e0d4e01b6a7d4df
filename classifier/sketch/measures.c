/* measures.c - a message in numbers. */
#include "classifier/sketch/measures.h"

static uint32_t rate(uint32_t count, uint32_t of, uint32_t scale)
{
    return of > 0 ? (uint32_t)((uint64_t)count * scale / of) : 0;
}

static void take_html(const struct measured *measured, uint32_t *m)
{
    const struct html_shape *html = &measured->html;
    m[MEASURE_MARKUP] = rate(measured->markup_bytes, measured->text_bytes, 1);
    m[MEASURE_TAGS] = html->tags;
    m[MEASURE_LINKS] = html->links;
    m[MEASURE_LINK_RATE] = rate(html->links, measured->text.words, 100);
    m[MEASURE_HOSTS] = html->hosts;
    m[MEASURE_MAIL_LINKS] = html->mail_links;
    m[MEASURE_IMAGES] = html->images;
    m[MEASURE_IMAGE_RATE] = rate(html->images, measured->text.words, 100);
    m[MEASURE_PIXELS] = html->pixels;
    m[MEASURE_TABLES] = html->tables;
    m[MEASURE_CELLS] = html->cells;
    m[MEASURE_ITEMS] = html->items;
    m[MEASURE_HEADINGS] = html->headings;
    m[MEASURE_PARAGRAPHS] = html->paragraphs;
    m[MEASURE_HTML_RULES] = html->rules;
    m[MEASURE_HTML_QUOTES] = html->quotes;
    m[MEASURE_HTML_CODES] = html->codes;
    m[MEASURE_STYLES] = html->styles;
    m[MEASURE_CLASSES] = html->classes;
    m[MEASURE_FORMS] = html->forms;
    m[MEASURE_CAMPAIGN_LINKS] = html->campaign_links;
    m[MEASURE_LEAVING_LINKS] = html->leaving_links;
    m[MEASURE_SOCIAL_LINKS] = html->social_links;
    m[MEASURE_STORE_LINKS] = html->store_links;
    m[MEASURE_TOKEN_LINKS] = html->token_links;
    m[MEASURE_HIDDEN_WORDS] = html->hidden_words;
    m[MEASURE_DEPTH] = html->deepest;
}

static void take_text(const struct measured *measured, uint32_t *m)
{
    const struct text_shape *text = &measured->text;
    m[MEASURE_WORDS] = text->words;
    m[MEASURE_LINES] = text->lines;
    m[MEASURE_LINE_WORDS] = rate(text->words, text->lines, 1);
    m[MEASURE_RECIPIENT] = text->kinds[WORD_RECIPIENT];
    m[MEASURE_NUMBERS] = text->kinds[WORD_NUMBER];
    m[MEASURE_CODES] = text->kinds[WORD_CODE];
    m[MEASURE_MONEY] = text->kinds[WORD_MONEY];
    m[MEASURE_PERCENT] = text->kinds[WORD_PERCENT];
    m[MEASURE_DATES] = text->kinds[WORD_DATE];
    m[MEASURE_IDS] = text->kinds[WORD_ID];
    m[MEASURE_TOKENS] = text->kinds[WORD_TOKEN];
    m[MEASURE_URLS] = text->kinds[WORD_URL];
    m[MEASURE_TEXT_HOSTS] = text->kinds[WORD_HOST];
    m[MEASURE_ADDRESSES] = text->kinds[WORD_ADDRESS];
    m[MEASURE_CAPITALS] = rate(text->capitals, text->words, 100);
    m[MEASURE_EXCLAIMS] = text->exclaims;
    m[MEASURE_QUESTIONS] = text->questions;
    m[MEASURE_QUOTES] = text->quotes;
    m[MEASURE_RULES] = text->rules;
    m[MEASURE_SYMBOLS] = text->symbols;
    m[MEASURE_WIDTHLESS] = text->widthless;
    m[MEASURE_FOREIGN] = text->foreign;
    m[MEASURE_GREETING] = measured->greeting;
    m[MEASURE_REPEATED] = rate(measured->repeated, text->words, 100);
    m[MEASURE_CONTRADICTION] = measured->contradiction;
}

static void take_subject(const struct measured *measured, uint32_t *m)
{
    const struct text_shape *subject = &measured->subject;
    m[MEASURE_SUBJECT_WORDS] = subject->words;
    m[MEASURE_SUBJECT_CAPITALS] = subject->capitals;
    m[MEASURE_SUBJECT_EXCLAIMS] = subject->exclaims;
    m[MEASURE_SUBJECT_QUESTIONS] = subject->questions;
    m[MEASURE_SUBJECT_NUMBERS] = subject->kinds[WORD_NUMBER]
                                 + subject->kinds[WORD_CODE]
                                 + subject->kinds[WORD_ID];
    m[MEASURE_SUBJECT_MONEY] =
        subject->kinds[WORD_MONEY] + subject->kinds[WORD_PERCENT];
    m[MEASURE_SUBJECT_SYMBOLS] = subject->symbols;
    m[MEASURE_SUBJECT_RECIPIENT] = subject->kinds[WORD_RECIPIENT];
}

static void take_parts(const struct measured *measured, uint32_t *m)
{
    m[MEASURE_PARTS] = measured->parts;
    m[MEASURE_ATTACHED] = measured->attached;
    m[MEASURE_ATTACHED_IMAGES] = measured->attached_images;
    m[MEASURE_CALENDAR] = measured->calendars;
    m[MEASURE_HAS_TEXT] = measured->has_text;
    m[MEASURE_HAS_HTML] = measured->has_html;
}

void measures_take(const struct measured *measured,
                   uint32_t measures[MEASURE_COUNT])
{
    take_text(measured, measures);
    take_html(measured, measures);
    take_subject(measured, measures);
    take_parts(measured, measures);
    for (unsigned i = 0; i < THEME_COUNT; i++) {
        /* For 200 words, so that one in a short text and two in a long one
         * still differ from none. */
        measures[MEASURE_THEMES + i] =
            rate(measured->themes[i] * 200 + measured->text.words / 2,
                 measured->text.words, 1);
        measures[MEASURE_SUBJECT_THEMES + i] = measured->subject_themes[i];
    }
}

const char *measure_name(enum measure measure)
{
    static const char *const names[MEASURE_COUNT] = {
        "words",
        "lines",
        "words-a-line",
        "markup",
        "tags",
        "links",
        "link-rate",
        "link-hosts",
        "mail-links",
        "images",
        "image-rate",
        "tracking-pixels",
        "tables",
        "cells",
        "list-items",
        "headings",
        "paragraphs",
        "rulers",
        "blockquotes",
        "code",
        "style-blocks",
        "styled-tags",
        "forms",
        "campaign-links",
        "leaving-links",
        "social-links",
        "store-links",
        "token-links",
        "hidden-words",
        "depth",
        "recipient-named-in-text",
        "numbers",
        "codes",
        "money",
        "percent",
        "dates",
        "ids",
        "tokens",
        "urls",
        "hosts",
        "addresses",
        "capitals",
        "exclamations",
        "questions",
        "quoted-lines",
        "drawn-lines",
        "symbols",
        "zero-width",
        "mixed-scripts",
        "subject-words",
        "subject-capitals",
        "subject-exclamations",
        "subject-questions",
        "subject-numbers",
        "subject-money",
        "subject-symbols",
        "subject-recipient",
        "parts",
        "attachments",
        "attached-images",
        "calendar",
        "has-text",
        "has-html",
        "text-contradicts-html",
        "greeting",
        "repeated-words",
    };
    if (measure >= MEASURE_SUBJECT_THEMES)
        return theme_subject_name(measure - MEASURE_SUBJECT_THEMES);
    if (measure >= MEASURE_THEMES)
        return theme_name(measure - MEASURE_THEMES);
    return names[measure];
}
