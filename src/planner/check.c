/* check: answers against questions, and the tasks of any source against their plan. */
#include <string.h>

#include "base/glob.h"
#include "base/json.h"
#include "base/str.h"
#include "planner/planner.h"

#define MAX_ANSWER_CHARS 2000
#define MAX_TASKS 100
#define MAX_KEY 32 /* bytes of a member's name that are told */

/* ---- answers */

static int fault(struct err *err, size_t at, const char *what, const char *message) {
    char field[96];
    snprintf(field, sizeof field, "answers[%zu]%s", at, what);
    return err_field(err, ERR_VALIDATION, field, "%s", message);
}

static bool has_option(const json_t *question, const char *text) {
    size_t i;
    json_t *option;
    json_array_foreach (json_object_get(question, "options"), i, option) {
        if (str_eq(json_string_value(option), text))
            return true;
    }
    return false;
}

static int check_multiple(const json_t *question, const json_t *answer, size_t at, struct err *err) {
    size_t i;
    json_t *item;
    if (!json_is_array(answer))
        return fault(err, at, ".answer", "The answer must be an array of options");
    json_array_foreach (answer, i, item) {
        const char *text = json_string_value(item);
        if (!text || !has_option(question, text))
            return fault(err, at, ".answer", "The answer holds what is none of the options");
        for (size_t j = 0; j < i; j++)
            if (json_equal(json_array_get(answer, j), item))
                return fault(err, at, ".answer", "The answer holds an option twice");
    }
    return 0;
}

static int check_value(const json_t *question, const json_t *answer, size_t at, struct err *err) {
    const char *type = json_str(question, "type", "text"), *text = json_string_value(answer);
    if (str_eq(type, "boolean"))
        return json_is_boolean(answer) ? 0 : fault(err, at, ".answer", "The answer must be true or false");
    if (str_eq(type, "multiple_choice"))
        return check_multiple(question, answer, at, err);
    if (!text)
        return fault(err, at, ".answer", "The answer must be a text");
    if (str_eq(type, "single_choice"))
        return has_option(question, text) ? 0 : fault(err, at, ".answer", "The answer must be one of the options");
    if (str_utf8_len(text) > MAX_ANSWER_CHARS)
        return fault(err, at, ".answer", "The answer must be at most 2000 characters long");
    return 0;
}

static const json_t *question_of(const json_t *questions, const char *id) {
    size_t i;
    json_t *question;
    json_array_foreach (questions, i, question) {
        if (id && str_eq(json_str(question, "id", NULL), id))
            return question;
    }
    return NULL;
}

/* The first member that an answer has no use for, as the end of a field's name. */
static bool surplus_key(const json_t *given, char out[MAX_KEY]) {
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)given, key, value) {
        if (str_eq(key, "questionId") || str_eq(key, "answer"))
            continue;
        snprintf(out, MAX_KEY, ".%s", key);
        return true;
    }
    return false;
}

int planner_check_answers(const json_t *questions, const json_t *answers, struct err *err) {
    char surplus[MAX_KEY];
    size_t i;
    json_t *given;
    if (!json_is_array(answers))
        return err_field(err, ERR_VALIDATION, "answers", "answers must be an array");
    json_array_foreach (answers, i, given) {
        const char *id = json_str(given, "questionId", NULL);
        const json_t *question = question_of(questions, id), *answer = json_object_get(given, "answer");
        if (!json_is_object(given))
            return fault(err, i, "", "An answer must be an object with questionId and answer");
        if (surplus_key(given, surplus))
            return fault(err, i, surplus, "An answer has questionId and answer, and nothing else");
        if (!question)
            return fault(err, i, ".questionId", id ? "There is no question with this id" : "questionId is required");
        for (size_t j = 0; j < i; j++)
            if (str_eq(json_str(json_array_get(answers, j), "questionId", NULL), id))
                return fault(err, i, ".questionId", "This question is answered twice");
        if (!answer || json_is_null(answer))
            return fault(err, i, ".answer", "answer is required");
        int rc = check_value(question, answer, i, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- tasks */

struct graph {
    const json_t *tasks;
    size_t count;
    bool before[MAX_TASKS][MAX_TASKS]; /* [a][b]: a is done before b, directly or not */
};

static bool is_slug(const char *text) {
    size_t len = strlen(text);
    return len > 0 && len <= 60 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && text[0] != '-' &&
           text[len - 1] != '-';
}

static long index_of(const struct graph *graph, const char *id) {
    for (size_t i = 0; i < graph->count; i++)
        if (id && str_eq(json_str(json_array_get(graph->tasks, i), "id", NULL), id))
            return (long)i;
    return -1;
}

static int check_task(const struct graph *graph, size_t at, struct err *err) {
    const json_t *task = json_array_get(graph->tasks, at);
    const char *id = json_str(task, "id", ""), *slug = json_str(task, "slug", "");
    size_t i;
    json_t *item;
    if (!is_slug(id) || index_of(graph, id) != (long)at)
        return err_set(err, ERR_VALIDATION, "task %zu: its id \"%s\" is no slug or there twice", at + 1, id);
    if (!is_slug(slug))
        return err_set(err, ERR_VALIDATION, "task %s: \"%s\" is no slug", id, slug);
    for (i = 0; i < at; i++)
        if (str_eq(json_str(json_array_get(graph->tasks, i), "slug", NULL), slug))
            return err_set(err, ERR_VALIDATION, "task %s: the slug \"%s\" is there twice", id, slug);
    if (!*json_str(task, "description", "") || !*json_str(task, "instructions", ""))
        return err_set(err, ERR_VALIDATION, "task %s: description and instructions are required", id);
    if (json_array_size(json_object_get(task, "pathScope")) == 0)
        return err_set(err, ERR_VALIDATION, "task %s: pathScope is empty", id);
    json_array_foreach (json_object_get(task, "pathScope"), i, item) {
        if (!json_is_string(item) || !glob_is_valid(json_string_value(item)))
            return err_set(err, ERR_VALIDATION, "task %s: pathScope[%zu] is no valid pattern", id, i);
    }
    json_array_foreach (json_object_get(task, "expectedOutputs"), i, item) {
        size_t j;
        json_t *scope;
        bool is_within = false;
        json_array_foreach (json_object_get(task, "pathScope"), j, scope)
            is_within = is_within || glob_match(json_string_value(scope), str_or(json_string_value(item), ""));
        if (!is_within)
            return err_set(err, ERR_VALIDATION, "task %s: the output %s is outside its pathScope", id,
                           str_or(json_string_value(item), "?"));
    }
    return 0;
}

/* Every dependency comes earlier in mergeOrder: then the graph has no circle. */
static int check_order(struct graph *graph, const json_t *order, struct err *err) {
    size_t position[MAX_TASKS], i, j;
    json_t *item;
    if (json_array_size(order) != graph->count)
        return err_set(err, ERR_VALIDATION, "mergeOrder must name every task once");
    for (i = 0; i < graph->count; i++)
        position[i] = MAX_TASKS;
    json_array_foreach (order, i, item) {
        long at = index_of(graph, json_string_value(item));
        if (at < 0 || position[at] != MAX_TASKS)
            return err_set(err, ERR_VALIDATION, "mergeOrder[%zu] names no task, or one twice", i);
        position[at] = i;
    }
    json_array_foreach (order, j, item) {
        size_t at = (size_t)index_of(graph, json_string_value(item));
        json_t *needed;
        json_array_foreach (json_object_get(json_array_get(graph->tasks, at), "dependencies"), i, needed) {
            long before = index_of(graph, json_string_value(needed));
            if (before < 0)
                return err_set(err, ERR_VALIDATION, "task %s depends on \"%s\", which is no task",
                               json_string_value(item), str_or(json_string_value(needed), "?"));
            if (position[before] >= j)
                return err_set(err, ERR_VALIDATION, "task %s is merged before %s, on which it depends",
                               json_string_value(item), json_string_value(needed));
            graph->before[before][at] = true;
            for (size_t k = 0; k < graph->count; k++)
                graph->before[k][at] = graph->before[k][at] || graph->before[k][before];
        }
    }
    return 0;
}

static int check_scopes(const struct graph *graph, struct err *err) {
    for (size_t a = 0; a < graph->count; a++) {
        for (size_t b = a + 1; b < graph->count; b++) {
            if (graph->before[a][b] || graph->before[b][a])
                continue;
            const json_t *first = json_array_get(graph->tasks, a), *second = json_array_get(graph->tasks, b);
            size_t i, j;
            json_t *x, *y;
            json_array_foreach (json_object_get(first, "pathScope"), i, x) {
                json_array_foreach (json_object_get(second, "pathScope"), j, y) {
                    if (glob_overlap(json_string_value(x), json_string_value(y)))
                        return err_set(err, ERR_VALIDATION,
                                       "tasks %s and %s can run side by side, but their scopes overlap: %s, %s",
                                       json_str(first, "id", ""), json_str(second, "id", ""), json_string_value(x),
                                       json_string_value(y));
                }
            }
        }
    }
    return 0;
}

static int check_covered(const struct graph *graph, const json_t *plan, struct err *err) {
    size_t i, j, k;
    json_t *criterion, *task, *id;
    json_array_foreach (json_object_get(plan, "criteria"), i, criterion) {
        bool is_covered = false;
        json_array_foreach (graph->tasks, j, task) {
            json_array_foreach (json_object_get(task, "criteria"), k, id)
                is_covered = is_covered || str_eq(json_string_value(id), json_str(criterion, "id", ""));
        }
        if (!is_covered)
            return err_set(err, ERR_VALIDATION, "no task answers for criterion %s", json_str(criterion, "id", "?"));
    }
    return 0;
}

int planner_check_tasks(const json_t *tasks, const json_t *plan, struct err *err) {
    struct graph graph = {.tasks = json_object_get(tasks, "tasks")};
    graph.count = json_array_size(graph.tasks);
    if (graph.count == 0 || graph.count > MAX_TASKS)
        return err_set(err, ERR_VALIDATION, "there must be 1 to %d tasks", MAX_TASKS);
    int rc = 0;
    for (size_t i = 0; i < graph.count && rc == 0; i++)
        rc = check_task(&graph, i, err);
    if (rc == 0)
        rc = check_order(&graph, json_object_get(tasks, "mergeOrder"), err);
    if (rc == 0)
        rc = check_scopes(&graph, err);
    return rc < 0 ? rc : check_covered(&graph, plan, err);
}
