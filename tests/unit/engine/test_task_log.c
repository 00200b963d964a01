/* task_log: lines that people read: whole, visible, bounded, and closed at the end. */
#include "fixture.h"

#include <sys/stat.h>

#include "engine/task_log.h"

static struct task a_task(void) {
    struct task task = {0};
    id_make(task.id, "task");
    id_make(task.run_id, "run");
    return task;
}

static const char *path_of(struct fixture *f, const struct task *task) {
    return engine_task_log_path(f->engine, task, f->arena);
}

/* The whole log. */
static const char *text_of(struct fixture *f, const struct task *task) {
    struct buf text = {0};
    must(f, fs_read_file(path_of(f, task), 2 * TASK_LOG_MAX_BYTES, &text, &f->err));
    const char *copy = arena_strndup(f->arena, text.data, text.len);
    buf_release(&text);
    return copy;
}

/* The log without its times, each of which must be one. */
static const char *words_of(struct fixture *f, const struct task *task) {
    struct buf out = {0};
    int64_t time_ms;
    for (const char *at = text_of(f, task); *at;) {
        const char *space = strchr(at, ' '), *end = strchr(at, '\n');
        if (!end || !space || space > end)
            fail_msg("no line: %s", at);
        if (!clock_parse_iso(arena_strndup(f->arena, at, (size_t)(space - at)), &time_ms))
            fail_msg("no time: %s", at);
        buf_put(&out, space + 1, (size_t)(end - space));
        at = end + 1;
    }
    buf_puts(&out, "");
    const char *copy = arena_strndup(f->arena, out.data, out.len);
    buf_release(&out);
    return copy;
}

static void write_last(struct fixture *f, const struct task *task, const char *text) {
    struct task_notes notes = {0};
    task_notes_add(&notes, f->arena, task, clock_now_ms(), text, true);
    task_notes_write(&notes, f->engine);
}

static void lines_have_a_time_and_what_comes_before(void **state) {
    struct fixture *f = *state;
    struct task task = a_task();
    task_log_write(f->engine, &task, "agent: ", "one\ntwo\r\n\nfour");
    task_log_write(f->engine, &task, "", "");
    task_log_write(f->engine, &task, "", "five\n");
    assert_string_equal(words_of(f, &task), "agent: one\nagent: two\nagent: \nagent: four\nfive\n");
    struct stat st;
    assert_int_equal(stat(path_of(f, &task), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void what_a_terminal_would_obey_is_shown(void **state) {
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"\x1b[2J", "\\x1b[2J"},
        {"a\tb", "a\tb"},
        {"a\rb", "a\\x0db"},
        {"\x01\x7f", "\\x01\\x7f"},
        {"\xc2\x9b", "\\x9b"}, /* CSI as one character */
        {"\xe2\x80\xae"
         "gnp.exe",
         "\\u202egnp.exe"}, /* turns the order of what follows */
        {"\xe2\x81\xa6x\xd8\x9c", "\\u2066x\\u061c"},
        {"\xe2\x80\xa8x\xef\xbb\xbf", "\\u2028x\\ufeff"},
        {"gr\xc3\xb6\xc3\x9f"
         "er \xf0\x9f\x9a\xb2",
         "gr\xc3\xb6\xc3\x9f"
         "er \xf0\x9f\x9a\xb2"},
        {"\xff", "\xef\xbf\xbd"},
        {"a\xc3", "a\xef\xbf\xbd"},                               /* cut short */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* half a surrogate */
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* too long a form */
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct task task = a_task();
        task_log_write(f->engine, &task, "", rows[i].text);
        assert_string_equal(words_of(f, &task), arena_printf(f->arena, "%s\n", rows[i].shown));
    }
}

static void a_long_line_is_cut(void **state) {
    struct fixture *f = *state;
    struct task task = a_task();
    char *line = arena_alloc(f->arena, 10001);
    memset(line, 'x', 10000);
    task_log_write(f->engine, &task, "agent: ", line);
    const char *words = words_of(f, &task);
    size_t kept = strspn(words + strlen("agent: "), "x");
    assert_in_range(kept, TASK_LOG_LINE_BYTES - 16, TASK_LOG_LINE_BYTES);
    assert_string_equal(words + strlen("agent: ") + kept,
                        arena_printf(f->arena, " … (%zu more bytes)\n", 10000 - kept));
    /* What is no UTF-8 takes more room than it had, and is counted as it was. */
    task = a_task();
    memset(line, 0xff, 10000);
    task_log_write(f->engine, &task, "", line);
    assert_true(strlen(words_of(f, &task)) < TASK_LOG_LINE_BYTES + 64);
}

static void a_torn_line_is_closed(void **state) {
    struct fixture *f = *state;
    struct task task = a_task();
    static const char torn[] = "2024-01-15T10:30:00.000Z whole\n2024-01-15T10:30:00.000Z hal";
    must(f, fs_write_file(path_of(f, &task), torn, sizeof torn - 1, 0600, &f->err));
    task_log_write(f->engine, &task, "", "next");
    assert_string_equal(words_of(f, &task), "whole\nhal\nnext\n");
    write_last(f, &task, "last");
    assert_string_equal(words_of(f, &task), "whole\nhal\nnext\nlast\n");
}

static size_t count_of(const char *text, const char *what) {
    size_t count = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        count++;
    return count;
}

/* Some 400 KB of lines. */
static const char *many_lines(struct fixture *f) {
    char *text = arena_alloc(f->arena, 400001);
    memset(text, 'y', 400000);
    for (size_t i = 999; i < 400000; i += 1000)
        text[i] = '\n';
    return text;
}

static void a_full_log_says_so_once(void **state) {
    struct fixture *f = *state;
    struct task task = a_task();
    const char *lines = many_lines(f);
    for (int i = 0; i < 30; i++)
        task_log_write(f->engine, &task, "", lines);
    const char *text = text_of(f, &task);
    size_t len = strlen(text);
    assert_in_range(len, TASK_LOG_MAX_BYTES - 8192, TASK_LOG_MAX_BYTES);
    assert_int_equal(count_of(text, "the log is full: the rest is left out\n"), 1);
    assert_true(str_ends(text, " the log is full: the rest is left out\n"));
    assert_string_equal(words_of(f, &task) + strlen(words_of(f, &task)) - 38,
                        "the log is full: the rest is left out\n");
    write_last(f, &task, "succeeded");
    assert_int_equal(strlen(text_of(f, &task)), len);
    struct stat st;
    assert_int_equal(stat(path_of(f, &task), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0400); /* closed all the same */
}

static void nothing_follows_the_last_line(void **state) {
    struct fixture *f = *state;
    struct task task = a_task(), other = a_task();
    struct task_notes notes = {0};
    task_notes_add(&notes, f->arena, &task, 1000, "one", false);
    task_notes_add(&notes, f->arena, &task, 2000, "two", true);
    task_notes_add(&notes, f->arena, &other, 3000, "other", false);
    task_notes_add(&notes, f->arena, &task, 4000, "too late", false);
    task_notes_write(&notes, f->engine);
    task_log_write(f->engine, &task, "", "too late");
    write_last(f, &task, "too late");
    assert_string_equal(text_of(f, &task), "1970-01-01T00:00:01.000Z one\n1970-01-01T00:00:02.000Z two\n");
    assert_string_equal(text_of(f, &other), "1970-01-01T00:00:03.000Z other\n");
}

static void what_cannot_be_written_holds_up_nothing(void **state) {
    struct fixture *f = *state;
    struct task task = a_task();
    const char *folder = arena_printf(f->arena, "%s/logs", f->dir), *elsewhere = arena_printf(f->arena, "%s/x", f->dir);
    must(f, fs_remove_tree(folder, &f->err));
    must(f, fs_write_file(folder, "", 0, 0644, &f->err));
    task_log_write(f->engine, &task, "", "lost");
    write_last(f, &task, "lost");
    must(f, fs_remove_tree(folder, &f->err));
    task_log_write(f->engine, &task, "", "there");
    assert_string_equal(words_of(f, &task), "there\n");
    /* Nothing is written through a link. */
    struct task linked = a_task();
    str_copy(linked.run_id, sizeof linked.run_id, task.run_id);
    assert_int_equal(symlink(elsewhere, path_of(f, &linked)), 0);
    task_log_write(f->engine, &linked, "", "lost");
    assert_false(fs_exists(elsewhere));
}

/* ---- Several writers */

enum { WRITERS = 4, LINES = 300 };

struct writer {
    struct fixture *f;
    const struct task *task;
    const char *text; /* NULL: numbered lines */
    int number;
    pthread_t thread;
};

static void *write_many(void *arg) {
    struct writer *writer = arg;
    char text[128];
    for (int i = 0; i < LINES && !writer->text; i++) {
        (void)snprintf(text, sizeof text, "%d first\nwriter %d line %d", writer->number, writer->number, i);
        task_log_write(writer->f->engine, writer->task, "", text);
    }
    for (int i = 0; i < 10 && writer->text; i++)
        task_log_write(writer->f->engine, writer->task, "", writer->text);
    return NULL;
}

static void write_at_once(struct fixture *f, const struct task *task, const char *text) {
    struct writer writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.f = f, .task = task, .text = text, .number = i};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_many, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
}

static void lines_of_several_writers_do_not_mix(void **state) {
    struct fixture *f = *state;
    struct task task = a_task();
    int next[WRITERS] = {0};
    char **lines;
    size_t count;
    write_at_once(f, &task, NULL);
    str_split(f->arena, words_of(f, &task), "\n", &lines, &count);
    for (size_t i = 0; i + 1 < count; i += 2) {
        int first = -1, writer = -1, line = -1;
        assert_int_equal(sscanf(lines[i], "%d first", &first), 1);
        assert_int_equal(sscanf(lines[i + 1], "writer %d line %d", &writer, &line), 2);
        assert_int_equal(first, writer); /* what is written at once stays together */
        assert_int_equal(line, next[writer]++);
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(next[i], LINES);
}

static void several_writers_keep_the_bound(void **state) {
    struct fixture *f = *state;
    struct task task = a_task();
    write_at_once(f, &task, many_lines(f));
    const char *text = text_of(f, &task);
    assert_true(strlen(text) <= TASK_LOG_MAX_BYTES);
    assert_int_equal(count_of(text, "the log is full"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(lines_have_a_time_and_what_comes_before),
        engine_test(what_a_terminal_would_obey_is_shown),
        engine_test(a_long_line_is_cut),
        engine_test(a_torn_line_is_closed),
        engine_test(a_full_log_says_so_once),
        engine_test(nothing_follows_the_last_line),
        engine_test(what_cannot_be_written_holds_up_nothing),
        engine_test(lines_of_several_writers_do_not_mix),
        engine_test(several_writers_keep_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
