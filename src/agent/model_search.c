/* model_search: finding a text in the files of a worktree.
 *
 * Regular expressions are POSIX extended ones, matched by the C library. What takes it exponential time or memory is
 * not taken: back references, counted repetitions, repetitions of repetitions, and groups nested deeply. Its automaton
 * grows with what it reads, so it is made anew now and then; and a deadline holds it all. */
#include <regex.h>
#include <string.h>
#include <strings.h>

#include "agent/model_tools.h"
#include "base/clock.h"
#include "base/glob.h"
#include "base/mem.h"
#include "base/str.h"

enum {
    QUERY_BYTES = 200,
    GROUPS_MAX = 3,
    HITS_MAX = 200,
    SHOWN_LINE = 300,
    MATCHED_LINE = 4096, /* no more of a line is looked at by a regular expression */
    FILE_BYTES = 1024 * 1024,
    RENEW_BYTES = 16 * 1024,
    DEADLINE_MS = 10000,
};

struct search {
    struct bench *bench;
    const char *query, *pattern;
    bool is_regex, is_any_case;
    regex_t regex;
    bool has_regex;
    size_t matched_bytes; /* since it was made */
    int64_t deadline_mono_ms;
    struct buf *out;
    size_t hits;
    struct arena *arena;
    struct err *err;
};

/* ---- which expressions are taken */

/* The length of a bracket expression, or 0 when it does not end. */
static size_t bracket_len(const char *at) {
    size_t len = 1 + (at[1] == '^');
    len += at[len] == ']';
    for (; at[len] && at[len] != ']'; len++) {
        if (at[len] == '[' && at[len + 1] && strchr(":.=", at[len + 1])) {
            const char end[] = {at[len + 1], ']', '\0'};
            const char *close = strstr(at + len + 2, end);
            if (!close)
                return 0;
            len = (size_t)(close + 1 - at);
        }
    }
    return at[len] ? len + 1 : 0;
}

static int refuse(struct err *err, const char *why) {
    return err_field(err, ERR_VALIDATION, "query", "this regular expression is not taken: %s", why);
}

static int check_regex(const char *query, struct err *err) {
    int depth = 0;
    bool is_repeated = false;
    for (const char *at = query; *at;) {
        bool repeats = *at == '*' || *at == '+' || *at == '?';
        if (repeats && is_repeated)
            return refuse(err, "a repetition of a repetition");
        is_repeated = repeats;
        if (*at == '{')
            return refuse(err, "counted repetitions are not; write \\{ for the brace");
        if (*at == '\\' && (!at[1] || (at[1] >= '0' && at[1] <= '9')))
            return refuse(err, "back references are not");
        if (*at == '(' && ++depth > GROUPS_MAX)
            return refuse(err, "groups are nested too deeply");
        depth -= *at == ')';
        size_t len = *at == '\\' ? 2 : *at == '[' ? bracket_len(at) : 1;
        if (len == 0)
            return refuse(err, "a bracket is not closed");
        at += len;
    }
    return 0;
}

static int make_regex(struct search *search) {
    char why[200];
    if (search->has_regex)
        regfree(&search->regex);
    int code = regcomp(&search->regex, search->query, REG_EXTENDED | REG_NOSUB | (search->is_any_case ? REG_ICASE : 0));
    search->has_regex = code == 0;
    search->matched_bytes = 0;
    if (code == 0)
        return 0;
    (void)regerror(code, &search->regex, why, sizeof(why));
    return refuse(search->err, why);
}

/* ---- matching */

static bool is_hit(struct search *search, char *line, size_t len) {
    if (!search->is_regex)
        return search->is_any_case ? strcasestr(line, search->query) != NULL : strstr(line, search->query) != NULL;
    size_t taken = len < MATCHED_LINE ? len : MATCHED_LINE;
    char kept = line[taken];
    line[taken] = '\0';
    bool is_one = regexec(&search->regex, line, 0, NULL, 0) == 0;
    line[taken] = kept;
    search->matched_bytes += taken;
    return is_one;
}

static int check_time(const struct search *search) {
    if (search->bench->is_cancelled(search->bench->cancel_arg))
        return err_set(search->err, ERR_CANCELLED, "stopped");
    if (clock_mono_ms() >= search->deadline_mono_ms)
        return err_set(search->err, ERR_TIMEOUT, "the search took longer than %d s: search in fewer files, or for less",
                       DEADLINE_MS / 1000);
    return 0;
}

static int search_text(struct search *search, const char *path, char *text) {
    int64_t number = 1;
    for (char *line = text, *next; line && search->hits < HITS_MAX; line = next, number++) {
        next = strchr(line, '\n');
        size_t len = next ? (size_t)(next - line) : strlen(line);
        int rc = search->matched_bytes < RENEW_BYTES ? 0 : check_time(search);
        if (rc == 0 && search->is_regex && search->matched_bytes >= RENEW_BYTES)
            rc = make_regex(search);
        if (rc < 0)
            return rc;
        if (next)
            *next++ = '\0';
        if (!is_hit(search, line, len))
            continue;
        search->hits++;
        size_t shown = str_head_len(line, SHOWN_LINE);
        buf_printf(search->out, "%s:%lld: %.*s%s\n", path, (long long)number, (int)shown, line,
                   shown < len ? " [cut]" : "");
    }
    return 0;
}

static int search_file(const char *path, const struct stat *st, void *arg) {
    struct search *search = arg;
    CLEANUP(buf_release) struct buf file = {0};
    if (search->hits >= HITS_MAX || st->st_size > FILE_BYTES || !glob_match(search->pattern, path))
        return 0;
    int rc = check_time(search);
    if (rc < 0)
        return rc;
    /* What cannot be read, or is no text, has no lines to find. */
    if (confine_read(&search->bench->confine, path, FILE_BYTES, &file, NULL) < 0 || file.len == 0 ||
        !str_is_utf8(file.data, file.len))
        return 0;
    return search_text(search, path, file.data);
}

static int read_arguments(struct search *search, const json_t *arguments) {
    struct err *err = search->err;
    int rc = argument_text(arguments, "query", NULL, &search->query, err);
    if (rc == 0)
        rc = argument_text(arguments, "pattern", "**", &search->pattern, err);
    if (rc == 0)
        rc = argument_flag(arguments, "is_regex", &search->is_regex, err);
    if (rc == 0)
        rc = argument_flag(arguments, "ignore_case", &search->is_any_case, err);
    if (rc < 0)
        return rc;
    if (!search->query[0] || strlen(search->query) > QUERY_BYTES || strchr(search->query, '\n'))
        return err_field(err, ERR_VALIDATION, "query", "query must be one line of 1 to %d bytes", QUERY_BYTES);
    if (!glob_is_valid(search->pattern))
        return err_field(err, ERR_VALIDATION, "pattern", "pattern must be a glob, as src/**/*.ts");
    if (search->is_regex)
        rc = check_regex(search->query, err);
    return rc == 0 && search->is_regex ? make_regex(search) : rc;
}

static int run(struct bench *bench, const json_t *arguments, struct arena *arena, struct tool_answer *out,
               struct err *err) {
    CLEANUP(buf_release) struct buf text = {0};
    struct search search = {
        .bench = bench, .out = &text, .arena = arena, .err = err, .deadline_mono_ms = clock_mono_ms() + DEADLINE_MS};
    int rc = read_arguments(&search, arguments);
    if (rc == 0)
        rc = confine_walk(&bench->confine, "", search_file, &search, err);
    if (search.has_regex)
        regfree(&search.regex);
    if (rc < 0)
        return rc;
    if (search.hits >= HITS_MAX)
        buf_printf(&text, "[cut after %d lines: search in fewer files, or for more]\n", HITS_MAX);
    out->text = text.len ? arena_strndup(arena, text.data, text.len) : "[no line matches]";
    return 0;
}

const struct tool tool_search = {
    .name = "search",
    .description =
        "Find the lines that hold a text, in all files or in those whose path matches a glob. With is_regex, "
        "the text is a POSIX extended regular expression.",
    .schema = "{\"type\":\"object\",\"properties\":{\"query\":{\"type\":\"string\"},\"pattern\":{\"type\":\"string\","
              "\"description\":\"Such as src/**/*.ts; all files, if left out.\"},\"is_regex\":{\"type\":\"boolean\"},"
              "\"ignore_case\":{\"type\":\"boolean\"}},\"required\":[\"query\"],\"additionalProperties\":false}",
    .run = run,
};
