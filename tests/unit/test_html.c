/* test_html - what shows is text, what does not is not, and both are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "classifier/reading/html.h"
#include "common/base/attr.h"

/* The visible text with all runs of blanks as one. */
static void read_text(const char *markup, struct html_shape *shape, char *text,
                      size_t size)
{
    struct buf out;
    buf_init(&out, size - 1);
    *shape = (struct html_shape){ .tags = 0 };
    html_read(slice_text(markup), shape, &out);
    struct slice raw = slice_trim(buf_slice(&out));
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        bool is_blank = raw.ptr[i] == ' ' || raw.ptr[i] == '\n'
                        || raw.ptr[i] == '\r' || raw.ptr[i] == '\t';
        if (!is_blank)
            text[len++] = raw.ptr[i];
        else if (len > 0 && text[len - 1] != ' ')
            text[len++] = ' ';
    }
    text[len] = '\0';
    buf_release(&out);
}

static const struct {
    const char *markup;
    const char *text;
} shown[] = {
    { "<p>Hello <b>world</b></p><p>again", "Hello world again" },
    { "un<!-- x -->sub<b></b>scribe", "unsubscribe" },
    { "a<br>b<td>c</td><td>d</td>", "a b c d" },
    { "<style>p { color: red }</style>x", "x" },
    { "<script>if (a < b) { x() }</script>y", "y" },
    { "<style>never closed, all of it", "" },
    { "<title>not here</title>z", "z" },
    { "&lt;b&gt; &amp; &uuml; &#65;&#x42; &nosuch; &", "<b> & \xc3\xbc AB "
                                                       "&nosuch; &" },
    { "1 < 2 and <3 hearts", "1 < 2 and <3 hearts" },
    { "<div style=\"display:none\">secret <b>more</b></div>seen", "seen" },
    { "<span style='visibility: hidden'>secret</span>seen", "seen" },
    { "<p style=\"display:none;display:block\">seen", "seen" },
    { "<p style=\"display:none !important;display:block\">secret</p>x", "x" },
    { "<p style=\"display:block!important;display:none\">seen", "seen" },
    { "<p style=\"visibility:hidden;visibility:inherit\">seen", "seen" },
    { "<p style=\"display:none;display :block\">seen", "seen" },
    { "<p style=\"display:nonesuch\">seen", "seen" },
    { "<p style=\"visibility:hiddenmost\">seen", "seen" },
    { "<p style=\"display:none!important\">secret</p>x", "x" },
    { "<p style=\"opacity:0;opacity:1\">seen", "seen" },
    { "<p style=\"opacity:01\">seen", "seen" },
    { "<p style=\"opacity:00\">secret</p>x", "x" },
    { "<p style=\"font-size:012px\">seen", "seen" },
    { "<p style=\"display:inline\" hidden>seen", "seen" },
    { "<p hidden>secret</p>x", "x" },
    { "<p style=\"mso-hide:all\">seen but in one program", "seen but in one "
                                                           "program" },
    { "<p style=\"max-height:0\">seen below its box", "seen below its box" },
    { "<span style=\"font-size:0px\">secret</span>seen", "seen" },
    { "<p style=\"color:#ffffff\">secret</p>seen", "seen" },
    { "<table bgcolor=\"#000000\"><tr><td style=\"color:#fff\">seen</td></tr>"
      "</table>",
      "seen" },
    { "<p aria-hidden=\"true\">seen", "seen" },
    { "<p data-style=\"display:none\">seen", "seen" },
    { "<p \"style=display:none>seen", "seen" },
    { "<p =a=\" hidden \">seen", "seen" },
    { "<p style=\"color:red\" style=\"display:none\">seen", "seen" },
    { "<p style=\"display:none\" style=\"display:block\">secret</p>x", "x" },
    { "<div style=\"display:none\"/>secret</div>x", "x" },
    { "<style-x>seen</style-x>", "seen" },
    { "<style></style-x>secret</style>x", "x" },
    { "<!-- a --!>seen<!-- b -->", "seen" },
    { "<!--!>secret-->x", "x" },
    { "<svg><p>seen", "seen" },
    { "<noscript>seen</noscript>", "seen" },
    { "<o:p>seen</o:p>", "seen" },
    { "<p style=\"display:none x\">seen", "seen" },
    { "<p style=\"display:none!x\">seen", "seen" },
    { "<p style=\"opacity:00.9\">seen", "seen" },
    { "<p style=\"opacity:.0\">secret</p>x", "x" },
    { "<p style=\"/*;display:none;*/\">seen", "seen" },
    { "<p style=\"display:/**/none/**/\">secret</p>x", "x" },
    { "<p style=\"x:';display:none;'\">seen", "seen" },
    { "<p style=\"x:(];display:none;)\">seen", "seen" },
    { "<p style=\"x:{;display:none;}\">seen", "seen" },
    { "<p style=\"x:'\n;display:none\">secret</p>x", "x" },
    { "<p style=\"x:'\f';display:none;y:'\">seen", "seen" },
    { "<p style=\"x:'(';display:none\">secret</p>x", "x" },
    { "<p style=\"background:url(//a/*b);display:none\">secret</p>x", "x" },
    { "<p style=\"disp&#108;ay:none\">secret</p>x", "x" },
    { "<p style=\"d\\69splay:none\">secret</p>x", "x" },
    { "<p style=\"x:\\;display:none;display:block\">seen", "seen" },
    { "<p style=\"color:rgb(255,255,255)\">secret</p>x", "x" },
    { "<a href=\"x>y\">quoted</a>", "quoted" },
    { "<p", "" },
    { "<!-- <p>never closed", "" },
};

static void what_shows_is_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        struct html_shape shape;
        char text[256];
        read_text(shown[i].markup, &shape, text, sizeof text);
        if (strcmp(text, shown[i].text) != 0)
            fail_msg("%s: \"%s\"", shown[i].markup, text);
    }
}

/* A browser that does not know the second value hides what we read. */
static void what_is_in_doubt_is_both(void **state)
{
    (void)state;
    static const char *const styles[] = {
        "display:none;display:nonesuch", "visibility:hidden;visibility:x",
        "opacity:0;opacity:x",           "color:#fff;color:nonesuch",
        "font-size:0;font-size:x",
    };
    for (size_t i = 0; i < ARRAY_LEN(styles); i++) {
        struct html_shape shape;
        char markup[128];
        char text[128];
        (void)snprintf(markup, sizeof markup,
                       "<p style=\"%s\">one <b>two</b></p>three", styles[i]);
        read_text(markup, &shape, text, sizeof text);
        assert_string_equal(text, "one two three");
        assert_int_equal(shape.hidden_words, 2);
    }
}

/* Nor does it matter where in the markup it stands, and how much follows. */
static void places_change_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shown); i++)
        for (size_t before = 1; before < 40; before++)
            for (size_t behind = 0; behind < 40; behind += 13) {
                struct html_shape shape;
                char markup[256];
                char text[256];
                char expected[256];
                memset(markup, 'x', before);
                (void)snprintf(markup + before, sizeof markup - before,
                               " \n  %s%*s", shown[i].markup, (int)behind, "");
                memset(expected, 'x', before);
                (void)snprintf(expected + before, sizeof expected - before,
                               "%s%s", shown[i].text[0] ? " " : "",
                               shown[i].text);
                read_text(markup, &shape, text, sizeof text);
                assert_string_equal(text, expected);
            }
}

/* As much of a text as there is room for, to the last byte of it. */
static void text_ends_where_its_room_does(void **state)
{
    (void)state;
    const struct slice markup = SLICE("one two  three &amp; <b>four</b> five "
                                      "six seven eight nine ten");
    const struct slice whole =
        SLICE("one two three & four five six seven eight "
              "nine ten\n");
    for (size_t max = 9; max < whole.len + 16; max++) {
        struct html_shape shape = { .tags = 0 };
        struct buf out;
        buf_init(&out, max);
        html_read(markup, &shape, &out);
        assert_true(out.len <= max
                    && out.len + 4 >= slice_head(whole, max).len);
        assert_memory_equal(out.ptr, whole.ptr, out.len);
        buf_release(&out);
    }
}

static void the_shape_is_counted(void **state)
{
    (void)state;
    struct html_shape shape;
    char text[1024];
    read_text("<h1>x</h1><table><tr><td><img src=a><img src=b width=1 "
              "height=1></td></tr></table><ul><li>a<li>b</ul><hr>"
              "<a href=\"https://a.example/x?utm_source=m\">1</a>"
              "<a href=\"https://b.example/unsubscribe\">2</a>"
              "<a href=\"https://a.example/9f86d081884c7d659a2feaa0c55ad015\">"
              "3</a><a href=\"mailto:x@a.example\">4</a>"
              "<a href=\"https://www.facebook.com/x\">5</a><a href=\"#top\">6"
              "</a><div style=\"display:none\">one two three</div>",
              &shape, text, sizeof text);
    assert_int_equal(shape.headings, 1);
    assert_int_equal(shape.tables, 1);
    assert_int_equal(shape.cells, 1);
    assert_int_equal(shape.images, 1);
    assert_int_equal(shape.pixels, 1);
    assert_int_equal(shape.items, 2);
    assert_int_equal(shape.rules, 1);
    assert_int_equal(shape.links, 4);
    assert_int_equal(shape.mail_links, 1);
    assert_int_equal(shape.hosts, 3);
    assert_int_equal(shape.campaign_links, 1);
    assert_int_equal(shape.leaving_links, 1);
    assert_int_equal(shape.social_links, 1);
    assert_int_equal(shape.token_links, 1);
    assert_int_equal(shape.hidden_words, 3);
}

#define SOCIAL   offsetof(struct html_shape, social_links)
#define STORE    offsetof(struct html_shape, store_links)
#define LEAVING  offsetof(struct html_shape, leaving_links)
#define CAMPAIGN offsetof(struct html_shape, campaign_links)

static const struct {
    const char *target;
    size_t counter;
    uint32_t count;
} links[] = {
    { "https://apps.apple.com/x", STORE, 1 },
    { "https://itunes.apple.com", STORE, 1 },
    { "HTTPS://PLAY.GOOGLE.COM/store", STORE, 1 },
    { "https://www.facebook.com", SOCIAL, 1 },
    { "http://instagram.com/x", SOCIAL, 1 },
    { "https://de.linkedin.com/in/x", SOCIAL, 1 },
    { "https://mastodon.social/@x", SOCIAL, 1 },
    { "https://www.pinterest.de/x", SOCIAL, 1 },
    { "https://twitter.com/x", SOCIAL, 1 },
    { "https://www.tiktok.com/@x", SOCIAL, 1 },
    { "https://youtube.com?v=x", SOCIAL, 1 },
    { "https://myfacebook.com", SOCIAL, 0 },
    { "https://a.example/facebook.com", SOCIAL, 0 },
    { "https://a.example/Abmelden", LEAVING, 1 },
    { "https://a.example/desinscription", LEAVING, 1 },
    { "https://a.example/desuscribir", LEAVING, 1 },
    { "https://a.example/x?a=optout&b=opt-out&c=opt_out", LEAVING, 3 },
    { "https://a.example/email-preferences", LEAVING, 1 },
    { "https://a.example?unsub=1", LEAVING, 1 },
    { "https://unsubscribe.example/x", LEAVING, 0 },
    { "https://a.example/resubscribe?undo=1", LEAVING, 0 },
    { "https://a.example/x?utm_source=a&utm_medium=b", CAMPAIGN, 2 },
    { "https://a.example/x?mc_cid=1", CAMPAIGN, 1 },
    { "https://a.example/campaign/x", CAMPAIGN, 1 },
    { "https://a.example/x?putm_source=a", CAMPAIGN, 0 },
    { "ftp://a.example/campaign", CAMPAIGN, 0 },
    { "https:/x//facebook.com", SOCIAL, 1 },
    { "httpxxxxxxxxxxxxxxxxxxx//itunes.apple.com", STORE, 1 },
    { "https://abcdefghijklmnopq.unsub.example/x", LEAVING, 0 },
    { "https://abcdefghijklmnopq.example.com/unsub", LEAVING, 1 },
};

static void links_tell_what_they_are_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        char markup[160];
        char text[64];
        struct html_shape shape;
        uint32_t count;
        (void)snprintf(markup, sizeof markup, "<a href=\"%s\">x</a>",
                       links[i].target);
        read_text(markup, &shape, text, sizeof text);
        memcpy(&count, (const char *)&shape + links[i].counter, sizeof count);
        if (count != links[i].count)
            fail_msg("%s: %u", links[i].target, count);
    }
}

/* Where no end tag says so: a paragraph ends before a block, a cell before a
 * cell or row, an item before an item, and nothing within a line ends any. */
static const struct {
    const char *markup;
    uint32_t deepest;
} endings[] = {
    { "<p>a<p>b<p>c", 1 },
    { "<p>a<b>b</b><span>c<i>d", 3 },
    { "<p>a<div>b<p>c", 2 },
    { "<p>a<h3>b", 1 },
    { "<p>a<table>b", 1 },
    { "<p>a<tr>b", 1 },
    { "<p>a<td>b", 1 },
    { "<p>a<li>b", 1 },
    { "<p>a<pre>b", 1 },
    { "<p>a<hr>b<code>c", 2 },
    { "<p>a<br><img src=x>b", 1 },
    { "<table><tr><td>a<td>b<tr><td>c<th>d", 3 },
    { "<table><tr><td>a<p>b<td>c", 4 },
    { "<tr><tr><tr>", 1 },
    { "<ul><li>a<li>b<li>c</ul>", 2 },
    { "<ul><li>a<b>b<li>c", 4 },
    { "<div><div><div>", 3 },
};

static void elements_end_by_themselves(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        struct html_shape shape;
        char text[64];
        read_text(endings[i].markup, &shape, text, sizeof text);
        if (shape.deepest != endings[i].deepest)
            fail_msg("%s: %u", endings[i].markup, shape.deepest);
    }
}

/* A skeleton is of the tags, not of what stands between them, and a list is
 * the same however long. */
static void instances_share_a_skeleton(void **state)
{
    (void)state;
    struct html_shape one;
    struct html_shape other;
    char text[256];
    read_text("<div><p>Hi Anna</p><ul><li>a</li><li>b</li></ul></div>", &one,
              text, sizeof text);
    read_text("<div><p>Hi Bo</p><ul><li>c</li><li>d</li><li>e</li></ul></div>",
              &other, text, sizeof text);
    assert_true(one.skeleton != 0);
    assert_true(one.skeleton == other.skeleton);
    read_text("<div><h1>Hi Bo</h1><p>c</p></div>", &other, text, sizeof text);
    assert_true(one.skeleton != other.skeleton);
}

static uint64_t skeleton_of(const char *markup)
{
    struct html_shape shape;
    char text[64];
    read_text(markup, &shape, text, sizeof text);
    return shape.skeleton;
}

/* A tag, or a pair of them, that comes again at once is one; later it is not. */
static void what_repeats_is_one_bone(void **state)
{
    (void)state;
    const uint64_t pair = skeleton_of("<b><i>");
    assert_true(skeleton_of("<b><b><i>") == pair);
    assert_true(skeleton_of("<b><i><i>") == pair);
    assert_true(skeleton_of("<b><i><b><i>") == pair);
    assert_true(skeleton_of("<b><i><b><i><b>") == pair);
    assert_true(skeleton_of("<b>") != pair);
    assert_true(skeleton_of("<i><b>") != pair);
    const uint64_t three = skeleton_of("<b><i><u>");
    assert_true(three != pair);
    assert_true(skeleton_of("<b><i><b><u>") == three);
    assert_true(skeleton_of("<b><i><u><i><u>") == three);
    assert_true(skeleton_of("<b><i><u><b>") != three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_shows_is_text),
        cmocka_unit_test(what_is_in_doubt_is_both),
        cmocka_unit_test(places_change_nothing),
        cmocka_unit_test(text_ends_where_its_room_does),
        cmocka_unit_test(the_shape_is_counted),
        cmocka_unit_test(links_tell_what_they_are_for),
        cmocka_unit_test(elements_end_by_themselves),
        cmocka_unit_test(instances_share_a_skeleton),
        cmocka_unit_test(what_repeats_is_one_bone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
