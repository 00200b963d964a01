/* answers: what the questions are answered with. */
#include "cli/answers.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/str.h"

#define LINE_MAX_BYTES 4096

/* The question's own default, else what commits to least: the first option, no, no text (then the question is left
 * out). */
static json_t *default_of(const json_t *question) {
    json_t *given = json_object_get(question, "default"), *options = json_object_get(question, "options");
    const char *type = json_str(question, "type", "");
    if (given)
        return json_incref(given);
    if (str_eq(type, "boolean"))
        return json_false();
    if (str_eq(type, "single_choice"))
        return json_incref(json_array_get(options, 0));
    if (str_eq(type, "multiple_choice"))
        return json_pack("[O]", json_array_get(options, 0));
    return NULL;
}

/* An option by its number (from 1) or its text, or NULL. Borrowed. */
static json_t *option_of(const json_t *question, const char *text) {
    json_t *options = json_object_get(question, "options"), *option;
    int64_t number;
    size_t i;
    if (str_to_int(text, 1, (int64_t)json_array_size(options), &number))
        return json_array_get(options, (size_t)number - 1);
    json_array_foreach (options, i, option) {
        if (strcasecmp(json_string_value(option), text) == 0)
            return option;
    }
    return NULL;
}

/* What was typed, as an answer; NULL when it is none. */
static json_t *answer_of(const json_t *question, const char *text, struct arena *arena) {
    const char *type = json_str(question, "type", "");
    if (str_eq(type, "boolean")) {
        bool yes = strncasecmp(text, "y", 1) == 0, no = strncasecmp(text, "n", 1) == 0;
        return yes || no ? json_boolean(yes) : NULL;
    }
    if (str_eq(type, "single_choice"))
        return json_incref(option_of(question, text));
    if (!str_eq(type, "multiple_choice"))
        return json_string(text);
    char **parts;
    size_t count;
    json_t *chosen = json_array();
    str_split(arena, text, ",", &parts, &count);
    for (size_t i = 0; i < count; i++) {
        json_t *option = option_of(question, str_trim(arena, parts[i]));
        if (!option) {
            json_decref(chosen);
            return NULL;
        }
        json_array_append(chosen, option);
    }
    return chosen;
}

static json_t *ask(const json_t *question, json_t *fallback, struct arena *arena) {
    json_t *options = json_object_get(question, "options"), *option;
    const char *type = json_str(question, "type", "");
    char line[LINE_MAX_BYTES];
    size_t i;
    json_array_foreach (options, i, option)
        printf("    %zu. %s\n", i + 1, json_string_value(option));
    for (;;) {
        printf("    %s [%s] ",
               str_eq(type, "boolean")           ? "y/n"
               : str_eq(type, "multiple_choice") ? "numbers, with commas"
               : str_eq(type, "text")            ? "text"
                                                 : "number",
               fallback ? json_text(arena, fallback) : "none");
        fflush(stdout);
        if (!fgets(line, sizeof line, stdin))
            return json_incref(fallback);
        const char *text = str_trim(arena, line);
        if (!*text)
            return json_incref(fallback);
        json_t *answer = answer_of(question, text, arena);
        if (answer)
            return answer;
        printf("    that is no answer to this question\n");
    }
}

static int read_file(const char *file, struct arena *arena, json_t **out, struct err *err) {
    struct buf text = {0};
    int rc = fs_read_file(file, 1 << 20, &text, err);
    if (rc == 0)
        rc = json_parse(arena, text.data ? text.data : "", text.len, out, err);
    buf_release(&text);
    if (rc == 0 && !json_is_object(*out))
        rc = err_set(err, ERR_VALIDATION, "must be an object such as {\"q1\": \"…\"}");
    return rc < 0 ? err_wrap(err, "%s", file) : 0;
}

int answers_take(const json_t *questions, const char *file, bool asks, struct arena *arena, json_t **answers,
                 struct err *err) {
    json_t *given = NULL, *question, *all = json_own(arena, json_array());
    size_t i;
    int rc = file ? read_file(file, arena, &given, err) : 0;
    if (rc < 0)
        return rc;
    json_array_foreach (questions, i, question) {
        const char *id = json_str(question, "id", "");
        json_t *fallback = default_of(question), *answer = json_incref(json_object_get(given, id));
        printf("  %s  %s\n", id, json_str(question, "question", ""));
        if (!answer)
            answer = asks ? ask(question, fallback, arena) : json_incref(fallback);
        if (answer) {
            printf("      → %s\n", json_is_string(answer)    ? json_string_value(answer)
                                   : json_is_boolean(answer) ? (json_is_true(answer) ? "yes" : "no")
                                                             : json_text(arena, answer));
            json_array_append_new(all, json_pack("{s:s, s:o}", "questionId", id, "answer", answer));
        }
        json_decref(fallback);
    }
    *answers = all;
    return 0;
}
