/* element.c - what an element of HTML is to those who read. */
#include "classifier/reading/element.h"

#include <stddef.h>

#include "classifier/reading/html.h"
#include "classifier/reading/tag.h"

#define LETTERS     26u
#define FORMS_A_ROW 9u /* the longest row, and the empty form that ends it */

/* By the first letter, in the order of how often mail has them: to find one
 * costs one or two comparisons. */
/* clang-format off */
static const struct element_form forms[LETTERS][FORMS_A_ROW] = {
#define VOID   ELEMENT_VOID
#define INLINE ELEMENT_INLINE
#define RAW    ELEMENT_RAW
#define BLOCK  ELEMENT_BLOCK
#define PARA   (BLOCK | ELEMENT_ENDS_BEFORE(ELEMENT_BLOCK))
#define CELL   (BLOCK | ELEMENT_CELL \
                | ELEMENT_ENDS_BEFORE(ELEMENT_CELL | ELEMENT_ROW))
#define ROW    (BLOCK | ELEMENT_ROW | ELEMENT_ENDS_BEFORE(ELEMENT_ROW))
#define ITEM   (BLOCK | ELEMENT_ITEM | ELEMENT_ENDS_BEFORE(ELEMENT_ITEM))
#define COUNT(counter) offsetof(struct html_shape, counter)
    ['a' - 'a'] = {
        { TAG("a"), INLINE | ELEMENT_LINK, 0 }, { TAG("area"), VOID, 0 } },
    ['b' - 'a'] = {
        { TAG("br"), VOID, 0 }, { TAG("b"), INLINE, 0 },
        { TAG("blockquo"), BLOCK, COUNT(quotes) }, { TAG("base"), VOID, 0 } },
    ['c' - 'a'] = {
        { TAG("code"), INLINE, COUNT(codes) }, { TAG("col"), VOID, 0 } },
    ['e' - 'a'] = { { TAG("em"), INLINE, 0 } },
    ['f' - 'a'] = {
        { TAG("font"), INLINE, 0 }, { TAG("form"), BLOCK, COUNT(forms) } },
    ['h' - 'a'] = {
        { TAG("h1"), BLOCK, COUNT(headings) },
        { TAG("h2"), BLOCK, COUNT(headings) },
        { TAG("h3"), BLOCK, COUNT(headings) },
        { TAG("h4"), BLOCK, COUNT(headings) },
        { TAG("h5"), BLOCK, COUNT(headings) },
        { TAG("h6"), BLOCK, COUNT(headings) },
        { TAG("hr"), VOID, COUNT(rules) } },
    ['i' - 'a'] = {
        { TAG("img"), VOID | INLINE | ELEMENT_IMAGE, 0 },
        { TAG("i"), INLINE, 0 }, { TAG("input"), VOID, COUNT(forms) } },
    ['l' - 'a'] = {
        { TAG("li"), ITEM, COUNT(items) }, { TAG("link"), VOID, 0 } },
    ['m' - 'a'] = { { TAG("meta"), VOID, 0 }, { TAG("mark"), INLINE, 0 } },
    ['p' - 'a'] = {
        { TAG("p"), PARA, COUNT(paragraphs) },
        { TAG("pre"), BLOCK, COUNT(codes) } },
    ['s' - 'a'] = {
        { TAG("span"), INLINE, 0 }, { TAG("strong"), INLINE, 0 },
        { TAG("style"), RAW, 0 }, { TAG("small"), INLINE, 0 },
        { TAG("sup"), INLINE, 0 }, { TAG("sub"), INLINE, 0 },
        { TAG("source"), VOID, 0 }, { TAG("script"), RAW, 0 } },
    ['t' - 'a'] = {
        { TAG("td"), CELL, COUNT(cells) }, { TAG("tr"), ROW, 0 },
        { TAG("table"), BLOCK, COUNT(tables) },
        { TAG("th"), CELL, COUNT(cells) },
        { TAG("title"), RAW, 0 } },
    ['u' - 'a'] = { { TAG("u"), INLINE, 0 } },
    ['w' - 'a'] = { { TAG("wbr"), VOID | INLINE, 0 } },
#undef VOID
#undef INLINE
#undef RAW
#undef BLOCK
#undef PARA
#undef CELL
#undef ROW
#undef ITEM
#undef COUNT
};
/* clang-format on */

const struct element_form *element_form(uint64_t name)
{
    static const struct element_form unknown = { .kind = ELEMENT_BLOCK };
    const uint64_t row = (name & 0xff) - 'a';
    if (row >= LETTERS)
        return &unknown;
    const struct element_form *form = forms[row];
    while (form->name != name && form->name != 0)
        form++;
    return form->name == name ? form : &unknown;
}
