/* model_questions: the questions that a model asks about a description. */
#include "base/json.h"
#include "base/str.h"
#include "planner/draft.h"
#include "planner/model_parts.h"

enum { LEAST = 3, MOST = 7, OPTIONS_MOST = 8 };

struct taking {
    struct arena *arena;
    json_t *questions; /* as the API has them */
};

/* The answer that counts when none is given, in the type of the question; NULL after a fault. New reference. */
static json_t *take_default(const json_t *given, const char *type, const char *place, struct faults *faults) {
    const json_t *chosen = need_list(faults, given, "default", 0, OPTIONS_MOST, place),
                 *options = json_object_get(given, "options");
    const char *first = str_or(json_string_value(json_array_get(chosen, 0)), "");
    size_t i;
    json_t *item;
    if (str_eq(type, "boolean"))
        return json_boolean(str_eq(first, "true"));
    if (str_eq(type, "text"))
        return json_string(first);
    json_array_foreach (chosen, i, item) {
        if (!is_in(options, str_or(json_string_value(item), "")))
            faults_add(faults, place, "default.%zu is none of the options", i);
    }
    if (str_eq(type, "multiple_choice"))
        return json_deep_copy(chosen);
    if (json_array_size(chosen) == 1)
        return json_string(first);
    faults_add(faults, place, "\"default\" must hold the one option that counts when nothing is answered");
    return NULL;
}

static void judge_options(const json_t *options, bool has_options, const char *place, struct faults *faults) {
    size_t i;
    json_t *option;
    if (!has_options && json_array_size(options) > 0)
        faults_add(faults, place, "a question of this type has no options");
    if (has_options && json_array_size(options) < 2)
        faults_add(faults, place, "it needs at least 2 options");
    json_array_foreach (options, i, option) {
        const char *text = json_string_value(option);
        if (!text || !*text || str_utf8_len(text) > 120)
            faults_add(faults, place, "options.%zu must be a text of 1 to 120 characters", i);
        for (size_t k = 0; k < i; k++)
            if (json_equal(json_array_get(options, k), option))
                faults_add(faults, place, "options.%zu is there twice", i);
    }
}

static void take_question(struct taking *taking, const json_t *given, size_t at, struct faults *faults) {
    const char *place = arena_printf(faults->arena, "questions.%zu", at), *type = json_str(given, "type", "");
    const char *text = need_text(faults, given, "question", 5, 300, place);
    const json_t *options = need_list(faults, given, "options", 0, OPTIONS_MOST, place);
    bool has_options = str_eq(type, "single_choice") || str_eq(type, "multiple_choice");
    if (!has_options && !str_eq(type, "boolean") && !str_eq(type, "text")) {
        faults_add(faults, place, "\"type\" must be single_choice, multiple_choice, boolean or text");
        return;
    }
    if (text && find_by(taking->questions, "question", text, NULL))
        faults_add(faults, place, "this question is there twice");
    judge_options(options, has_options, place, faults);
    json_t *fallback = take_default(given, type, place, faults);
    json_t *question =
        json_pack("{s:o, s:s, s:s}", "id", json_sprintf("q%zu", at + 1), "question", str_or(text, ""), "type", type);
    if (has_options && options)
        json_object_set_new(question, "options", json_deep_copy(options));
    if (fallback)
        json_object_set_new(question, "default", fallback);
    json_array_append_new(taking->questions, question);
}

static void judge_questions(const json_t *answer, void *arg, struct faults *faults) {
    struct taking *taking = arg;
    const json_t *given = need_list(faults, answer, "questions", LEAST, MOST, "");
    size_t i;
    json_t *question;
    taking->questions = json_own(taking->arena, json_array());
    json_array_foreach (given, i, question)
        take_question(taking, question, i, faults);
}

int model_questions(const struct planner_model *by, const struct planner_input *input, struct arena *arena,
                    json_t **questions, struct planner_failure *failure, struct err *err) {
    struct taking taking = {.arena = arena};
    int rc = model_ask(by,
                       &(struct model_asking){.scope = "questions",
                                              .prompt = "questions",
                                              .context = model_context(input, arena),
                                              .judge = judge_questions,
                                              .judge_arg = &taking},
                       arena, failure, err);
    if (rc == 0)
        *questions = taking.questions;
    return rc;
}
