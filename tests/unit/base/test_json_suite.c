/* base/json against tests/data/json: what is JSON, what is not, and what is JSON but not taken. With a folder of
 * JSONTestSuite's form (y_, n_ and i_ files) as argument it counts how the reader does on those instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

enum { LARGEST_BYTES = 1 << 20 };

/* ---- The files: see tests/data/json/README.md. ---- */

static unsigned char byte_of(const char *hex) {
    const char two[3] = {hex[0], hex[0] ? hex[1] : '\0'};
    char *end = NULL;
    unsigned long value = strtoul(two, &end, 16);
    if (end != two + 2)
        fail_msg("~%s is no byte", two);
    return (unsigned char)value;
}

static void expand(const char *text, size_t len, struct buf *out) {
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '~') {
            buf_putc(out, text[i]);
        } else if (text[i + 1] != '(') {
            buf_putc(out, (char)byte_of(text + i + 1));
            i += 2;
        } else {
            char *what = NULL;
            unsigned long times = strtoul(text + i + 2, &what, 10);
            const char *end = strstr(what, "~)");
            assert_true(*what == ' ' && end);
            while (times--)
                buf_put(out, what + 1, (size_t)(end - what - 1));
            i = (size_t)(end + 1 - text);
        }
    }
}

struct row {
    const char *name, *place; /* place: the part between name and text of files that have one, else NULL */
    const char *text;
    size_t len;
};

/* Calls check for each row of the file, and answers how many there are. */
static size_t for_each_row(const char *file, bool has_place, void (*check)(const struct row *row)) {
    CLEANUP(buf_release) struct buf lines = {0};
    char path[1024];
    struct err err;
    size_t count = 0;

    (void)snprintf(path, sizeof(path), "%s/tests/data/json/%s", TEST_SOURCE_ROOT, file);
    if (fs_read_file(path, LARGEST_BYTES, &lines, &err) != 0)
        fail_msg("%s", err.message);
    for (char *rest = lines.data, *line; (line = strsep(&rest, "\n"));) {
        CLEANUP(buf_release) struct buf text = {0};
        struct row row = {.name = line};
        if (!line[0] || line[0] == '#')
            continue;
        char *at = strstr(line, " | ");
        assert_non_null(at);
        *at = '\0';
        if (has_place) {
            row.place = at += 3;
            at = strstr(at, " | ");
            assert_non_null(at);
            *at = '\0';
        }
        expand(at + 3, strlen(at + 3), &text);
        row.text = str_or(text.data, "");
        row.len = text.len;
        check(&row);
        count++;
    }
    return count;
}

/* ---- The reader. ---- */

static struct arena *arena;

/* On the heap with no byte to spare, so that reading beyond the end is noticed. */
static int parse(const struct row *row, json_t **value, struct err *err) {
    CLEANUP(mem_freep) char *exact = malloc(row->len ? row->len : 1);
    assert_non_null(exact);
    memcpy(exact, row->text, row->len);
    *err = (struct err){0};
    return json_parse(arena, exact, row->len, value, err);
}

/* What is written reads back as the same. */
static void check_taken(const struct row *row) {
    json_t *value = NULL, *again = NULL;
    struct err err;
    if (parse(row, &value, &err) != 0)
        fail_msg("%s is not taken: %s", row->name, err.message);
    const char *text = json_text(arena, value);
    if (json_parse(arena, text, strlen(text), &again, &err) != 0 || !json_equal(value, again))
        fail_msg("%s is written as %s", row->name, text);
}

static void check_refused(const struct row *row, struct err *err) {
    json_t *value = NULL;
    if (parse(row, &value, err) != -ERR_VALIDATION || value || err->code != ERR_VALIDATION)
        fail_msg("%s is taken", row->name);
    if (!str_is_utf8(err->message, strlen(err->message)))
        fail_msg("%s has a message that is not UTF-8", row->name);
}

static void check_invalid(const struct row *row) {
    struct err err;
    check_refused(row, &err);
    if (!str_starts(err.message, "line ") || err.field[0])
        fail_msg("%s: %s is at fault: %s", row->name, err.field, err.message);
}

static void check_sound(const struct row *row) {
    struct err err;
    char start[128];
    check_refused(row, &err);
    (void)snprintf(start, sizeof(start), "%s ", row->place[0] ? row->place : "the value");
    if (!str_eq(err.field, row->place) && !(row->place[0] == '\0' && !err.field[0]))
        fail_msg("%s: %s is at fault, not %s", row->name, err.field, row->place);
    if (row->place[0] && !str_starts(err.message, start))
        fail_msg("%s: %s", row->name, err.message);
    if (str_starts(err.message, "line "))
        fail_msg("%s is taken for no JSON: %s", row->name, err.message);
}

static void check_open(const struct row *row) {
    struct err err;
    if (str_eq(row->place, "+"))
        check_taken(row);
    else
        check_refused(row, &err);
}

static void test_takes_what_is_json(void **state) {
    assert_true(for_each_row("taken.txt", false, check_taken) >= 95);
}

static void test_refuses_what_is_none(void **state) {
    assert_true(for_each_row("invalid.txt", false, check_invalid) >= 188);
}

static void test_names_the_place_of_what_it_cannot_hold(void **state) {
    assert_true(for_each_row("sound.txt", true, check_sound) >= 20);
}

static void test_decides_what_is_open(void **state) {
    assert_true(for_each_row("open.txt", true, check_open) >= 35);
}

/* Any beginning of what is taken is refused or taken, and nothing is read beyond it. */
static void check_beginnings(const struct row *row) {
    for (size_t len = 0; len < row->len && len < 200; len++) {
        json_t *value = NULL;
        struct err err;
        (void)!parse(&(struct row){.text = row->text, .len = len}, &value, &err);
    }
}

static void test_beginnings(void **state) {
    (void)for_each_row("taken.txt", false, check_beginnings);
    (void)for_each_row("sound.txt", true, check_beginnings);
}

static void test_cuts_a_long_place(void **state) {
    CLEANUP(buf_release) struct buf text = {0};
    struct err err;
    buf_puts(&text, "{\"");
    for (int i = 0; i < 500; i++)
        buf_puts(&text, "\xf0\x9f\xa6\x8a");
    buf_puts(&text, "\":\"\\u0000\"}");
    check_refused(&(struct row){.name = "a long name", .text = text.data, .len = text.len}, &err);
    assert_true(str_starts(err.field, "\xf0\x9f\xa6\x8a"));
    assert_true(str_is_utf8(err.field, strlen(err.field)));
}

/* ---- Another's files. ---- */

struct tally {
    size_t seen, taken, refused, named; /* named: refused as sound JSON that nothing can hold */
};

static int count_file(const char *relative, const struct stat *st, void *arg) {
    struct tally *tallies = arg;
    CLEANUP(buf_release) struct buf text = {0};
    json_t *value = NULL;
    struct err err = {0};
    const char *kinds = "yni", *kind = strchr(kinds, relative[0]);

    if (!kind || !str_ends(relative, ".json"))
        return 0;
    if (fs_read_file(relative, LARGEST_BYTES, &text, &err) != 0) {
        (void)fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    struct tally *tally = &tallies[kind - kinds];
    tally->seen++;
    if (parse(&(struct row){.text = str_or(text.data, ""), .len = text.len}, &value, &err) == 0)
        tally->taken++;
    else if (str_starts(err.message, "line "))
        tally->refused++;
    else
        tally->named++;
    bool is_wrong =
        *kind == 'y' ? str_starts(err.message, "line ") : *kind == 'n' && (value || !str_starts(err.message, "line "));
    if (is_wrong || !value != !!err.message[0])
        printf("WRONG %s: %s\n", relative, err.message);
    else if (*kind == 'y' && !value)
        printf("%s: %s\n", relative, err.message);
    return 0;
}

static int count_folder(const char *folder) {
    struct tally tallies[3] = {0};
    struct err err;

    arena = arena_create();
    int result = chdir(folder) ? -1 : fs_walk(".", count_file, tallies, &err);
    arena_destroy(arena);
    for (int i = 0; i < 3; i++)
        printf("%c: %zu files, %zu taken, %zu refused by the place of a value, %zu refused as no JSON\n", "yni"[i],
               tallies[i].seen, tallies[i].taken, tallies[i].named, tallies[i].refused);
    return result != 0 || tallies[0].refused || tallies[1].taken || tallies[1].named;
}

static int set_up(void **state) {
    arena = arena_create();
    return 0;
}

static int tear_down(void **state) {
    arena_destroy(arena);
    return 0;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_takes_what_is_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_what_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_the_place_of_what_it_cannot_hold, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_decides_what_is_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_beginnings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cuts_a_long_place, set_up, tear_down),
    };
    return argc == 2 ? count_folder(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
