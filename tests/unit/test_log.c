/* test_log - lines come out whole, escaped and once, to stderr and to files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/edge/eventlog.h"
#include "common/edge/log.h"

/* What `fd`, a standard stream, gets while it is a pipe of ours. */
struct capture {
    int fd;
    int kept;
    int pipe[2];
    char text[8192];
};

static void capture_start(struct capture *capture, int fd)
{
    *capture = (struct capture){ .fd = fd, .kept = dup(fd) };
    assert_true(capture->kept >= 0);
    assert_int_equal(pipe2(capture->pipe, O_NONBLOCK), 0);
    assert_int_equal(dup2(capture->pipe[1], fd), fd);
}

static void capture_end(struct capture *capture)
{
    assert_int_equal(dup2(capture->kept, capture->fd), capture->fd);
    ssize_t got =
        read(capture->pipe[0], capture->text, sizeof capture->text - 1);
    if (got < 0)
        capture->text[0] = 0;
    (void)close(capture->kept);
    (void)close(capture->pipe[0]);
    (void)close(capture->pipe[1]);
}

static void a_line_has_date_level_name_and_event(void **state)
{
    (void)state;
    struct capture capture;
    log_open("router", LOG_INFO);
    capture_start(&capture, STDERR_FILENO);
    log_line(LOG_INFO, "listening", "address=%s:%d", "127.0.0.1", 587);
    log_line(LOG_DEBUG, "hidden", "key=1");
    capture_end(&capture);
    assert_int_equal(capture.text[10], 'T');
    assert_int_equal(capture.text[23], 'Z');
    assert_string_equal(capture.text + 24,
                        " info router event=listening address=127.0.0.1:587\n");
}

static void a_line_stays_one_line(void **state)
{
    (void)state;
    struct capture capture;
    char huge[5000];
    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = 0;
    capture_start(&capture, STDERR_FILENO);
    log_line(LOG_ERROR, "bad", "text=%s", "a\r\nb");
    log_line(LOG_ERROR, "huge", "text=%s", huge);
    capture_end(&capture);
    const char *end = strchr(capture.text, '\n');
    assert_non_null(end);
    assert_non_null(strstr(capture.text, "text=a??b\n"));
    assert_int_equal(strlen(end + 1), 2048);
    assert_int_equal(end[2048], '\n');
}

static void quoting_escapes_and_cuts(void **state)
{
    (void)state;
    struct log_quoted quoted = log_quote("a\"\\\n\x1b\xff z", 8);
    assert_string_equal(quoted.text, "\"a\\\"\\\\\\x0a\\x1b\\xff z\"");
    assert_string_equal(log_quote("", 0).text, "\"\"");
    char huge[1000];
    memset(huge, '\n', sizeof huge);
    quoted = log_quote(huge, sizeof huge);
    size_t len = strlen(quoted.text);
    assert_true(len < LOG_QUOTE_MAX && len > LOG_QUOTE_MAX - 8);
    assert_string_equal(quoted.text + len - 4, "...\"");
}

static void levels_are_known_by_word(void **state)
{
    (void)state;
    enum log_level level = LOG_DEBUG;
    assert_true(log_level_of("error", &level));
    assert_int_equal(level, LOG_ERROR);
    assert_false(log_level_of("loud", &level));
    assert_int_equal(level, LOG_ERROR);
}

static void a_fault_is_logged_as_reason(void **state)
{
    (void)state;
    struct capture capture;
    struct fault fault;
    (void)fault_set(&fault, RC_IO, 0, "it \"broke\"");
    capture_start(&capture, STDERR_FILENO);
    log_fault(LOG_ERROR, "failed", &fault);
    capture_end(&capture);
    assert_non_null(
        strstr(capture.text, "event=failed reason=\"it \\\"broke\\\"\"\n"));
}

struct place {
    char folder[64];
    char path[128];
    char old[128];
};

static int make_place(void **state)
{
    struct place *place = NEW(struct place);
    (void)snprintf(place->folder, sizeof place->folder, "/tmp/test_log.XXXXXX");
    if (!mkdtemp(place->folder))
        return -1;
    (void)snprintf(place->path, sizeof place->path, "%s/events", place->folder);
    (void)snprintf(place->old, sizeof place->old, "%s/events.1", place->folder);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    (void)unlink(place->path);
    (void)unlink(place->old);
    (void)rmdir(place->folder);
    mem_free(place);
    return 0;
}

static size_t count_lines(const char *path, size_t line_len)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char line[256];
    size_t count = 0;
    while (fgets(line, sizeof line, file)) {
        assert_int_equal(strlen(line), line_len);
        assert_int_equal(line[0], '{');
        assert_int_equal(line[line_len - 2], '}');
        count++;
    }
    (void)fclose(file);
    return count;
}

#define WRITERS 4
#define LINES   5000

static void *write_lines(void *context)
{
    struct fault fault;
    struct eventlog *log = eventlog_open(context, &fault);
    for (int i = 0; log && i < LINES; i++) {
        (void)buf_addf(eventlog_line(log), "{\"n\":%08d}", i);
        eventlog_end_line(log);
        if (i % 7 == 0)
            eventlog_flush(log);
    }
    eventlog_close(&log);
    return NULL;
}

static void threads_append_whole_lines(void **state)
{
    struct place *place = *state;
    pthread_t writers[WRITERS];
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(
            pthread_create(&writers[i], NULL, write_lines, place->path), 0);
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(writers[i], NULL), 0);
    assert_int_equal(count_lines(place->path, 15), WRITERS * LINES);
}

static void rotation_goes_on_in_the_new_file(void **state)
{
    struct place *place = *state;
    struct fault fault;
    struct eventlog *log = eventlog_open(place->path, &fault);
    assert_non_null(log);
    (void)buf_add_text(eventlog_line(log), "{1}");
    eventlog_end_line(log);
    assert_int_equal(rename(place->path, place->old), 0);
    (void)buf_add_text(eventlog_line(log), "{2}");
    eventlog_end_line(log);
    eventlog_reopen(log);
    (void)buf_add_text(eventlog_line(log), "{3}");
    eventlog_end_line(log);
    eventlog_close(&log);
    assert_int_equal(count_lines(place->old, 4), 2);
    assert_int_equal(count_lines(place->path, 4), 1);
}

/* Of a process that was killed amid a write: the next one begins a line. */
static void a_torn_line_costs_no_other(void **state)
{
    struct place *place = *state;
    struct fault fault;
    FILE *file = fopen(place->path, "w");
    assert_non_null(file);
    assert_true(fputs("{1}\n{2", file) >= 0);
    assert_int_equal(fclose(file), 0);
    for (int i = 3; i < 5; i++) {
        struct eventlog *log = eventlog_open(place->path, &fault);
        (void)buf_addf(eventlog_line(log), "{%d}", i);
        eventlog_end_line(log);
        eventlog_close(&log);
    }
    char text[32] = "";
    file = fopen(place->path, "r");
    assert_non_null(file);
    const size_t len = fread(text, 1, sizeof text - 1, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(len, 15);
    assert_string_equal(text, "{1}\n{2\n{3}\n{4}\n");
}

static void a_line_that_does_not_fit_is_lost_alone(void **state)
{
    struct place *place = *state;
    struct fault fault;
    struct capture capture;
    struct eventlog *log = eventlog_open(place->path, &fault);
    (void)buf_add_text(eventlog_line(log), "{1}");
    eventlog_end_line(log);
    for (int i = 0; i < 20000; i++)
        (void)buf_add_text(eventlog_line(log), "too long ");
    capture_start(&capture, STDERR_FILENO);
    eventlog_end_line(log);
    capture_end(&capture);
    assert_non_null(strstr(capture.text, "event=event_line_lost"));
    (void)buf_add_text(eventlog_line(log), "{2}");
    eventlog_end_line(log);
    eventlog_close(&log);
    assert_int_equal(count_lines(place->path, 4), 2);
}

/* A pipe that nobody empties takes what it can, in whole lines, and the writer
 * neither waits nor complains more than once. */
static void a_full_pipe_loses_whole_lines(void **state)
{
    (void)state;
    struct fault fault;
    struct capture out;
    struct capture err;
    capture_start(&err, STDERR_FILENO);
    capture_start(&out, STDOUT_FILENO);
    struct eventlog *log = eventlog_open("-", &fault);
    for (int i = 0; i < 100000; i++) {
        (void)buf_addf(eventlog_line(log), "{%05d}", i);
        eventlog_end_line(log);
    }
    eventlog_close(&log);
    capture_end(&out);
    capture_end(&err);
    const char *told = strstr(err.text, "event=event_log_failing");
    assert_non_null(told);
    assert_null(strstr(told + 1, "event="));
    for (int i = 0; i < 1000; i++) {
        char line[16];
        (void)snprintf(line, sizeof line, "{%05d}\n", i);
        assert_memory_equal(out.text + 8 * i, line, 8);
    }
}

static void a_log_that_cannot_be_opened_says_why(void **state)
{
    (void)state;
    struct fault fault;
    assert_null(eventlog_open("/nonexistent/events", &fault));
    assert_int_equal(fault.rc, RC_IO);
    assert_non_null(strstr(fault.text, "/nonexistent/events"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_date_level_name_and_event),
        cmocka_unit_test(a_line_stays_one_line),
        cmocka_unit_test(quoting_escapes_and_cuts),
        cmocka_unit_test(levels_are_known_by_word),
        cmocka_unit_test(a_fault_is_logged_as_reason),
        cmocka_unit_test_setup_teardown(threads_append_whole_lines, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(rotation_goes_on_in_the_new_file,
                                        make_place, remove_place),
        cmocka_unit_test_setup_teardown(a_torn_line_costs_no_other, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(a_line_that_does_not_fit_is_lost_alone,
                                        make_place, remove_place),
        cmocka_unit_test(a_full_pipe_loses_whole_lines),
        cmocka_unit_test(a_log_that_cannot_be_opened_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
