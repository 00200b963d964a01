/* Unit test of questions: how many, of which types, that every answer changes the app, and the checks of answers. */
#include "plans.h"

/* The plan without what it only says about the answers. */
static const char *app_of(struct fixture *f, const json_t *plan) {
    json_auto_t *copy = json_deep_copy(plan);
    json_object_del(copy, "answers");
    return json_text(f->arena, copy);
}

static json_t *ask(struct fixture *f, const char *description) {
    struct planner_input input = {.name = "Acme", .description = description};
    json_t *questions = NULL;
    struct err err = {0};
    if (planner_questions(f->planner, &input, f->arena, &questions, &err) < 0)
        fail_msg("%.60s: %s", description, err.message);
    return questions;
}

static struct planner_spec answer(struct fixture *f, const char *description, json_t *questions, const char *id,
                                  json_t *value) {
    json_t *answers = json_own(f->arena, json_array());
    if (id)
        json_array_append_new(answers, json_pack("{s:s, s:o}", "questionId", id, "answer", value));
    struct planner_input input = {
        .name = "Acme", .description = description, .questions = questions, .answers = answers};
    struct planner_spec spec = {0};
    struct err err = {0};
    if (planner_spec(f->planner, &input, f->arena, &spec, &err) < 0)
        fail_msg("%.60s, %s: %s", description, str_or(id, ""), err.message);
    return spec;
}

/* An answer other than the default. */
static json_t *other_answer(const json_t *question) {
    const char *type = json_str(question, "type", "");
    const json_t *chosen = json_object_get(question, "default"), *options = json_object_get(question, "options");
    size_t i;
    json_t *option;
    if (strcmp(type, "boolean") == 0)
        return json_boolean(!json_is_true(chosen));
    if (strcmp(type, "text") == 0)
        return json_string("17, Alpha, Beta");
    if (strcmp(type, "multiple_choice") == 0) {
        json_t *all = json_array();
        json_array_foreach ((json_t *)options, i, option) {
            if (!plans_has_text(chosen, json_string_value(option)))
                json_array_append(all, option);
        }
        return all;
    }
    json_array_foreach ((json_t *)options, i, option) {
        if (!json_equal(option, chosen))
            return json_incref(option);
    }
    return json_null();
}

static void there_are_three_to_seven_and_each_changes_the_app(void **state) {
    struct fixture *f = *state;
    json_auto_t *types = json_object();
    for (size_t i = 0; i < ARRAY_LEN(plans_descriptions); i += 2) {
        arena_reset(f->arena);
        json_t *questions = ask(f, plans_descriptions[i]), *question;
        assert_in_range(json_array_size(questions), 3, 7);
        struct planner_spec plain = answer(f, plans_descriptions[i], questions, NULL, NULL);
        const char *app = app_of(f, plain.plan);
        size_t at;
        json_array_foreach (questions, at, question) {
            const char *id = json_str(question, "id", "");
            json_object_set_new(types, json_str(question, "type", ""), json_true());
            assert_true(*json_str(question, "question", ""));
            assert_null(strchr(json_str(question, "question", ""), '{'));
            struct planner_spec spec = answer(f, plans_descriptions[i], questions, id, other_answer(question));
            if (strcmp(app_of(f, spec.plan), app) == 0)
                fail_msg("%.40s: an answer to %s changes nothing", plans_descriptions[i], id);
            assert_string_not_equal(json_str(spec.documents, "SPEC.md", ""), json_str(plain.documents, "SPEC.md", ""));
            plans_check(f, &spec);
        }
    }
    assert_int_equal(json_object_size(types), 4);
}

static void check(const json_t *questions, const char *answers_text, const char *field) {
    json_auto_t *answers = json_loads(answers_text, 0, NULL);
    struct err err = {0};
    int rc = planner_check_answers(questions, answers, &err);
    if (!field) {
        assert_int_equal(rc, 0);
        return;
    }
    assert_int_equal(rc, -ERR_VALIDATION);
    assert_string_equal(err.field, field);
}

static void answers_are_checked(void **state) {
    (void)state;
    json_auto_t *questions = json_loads("[{\"id\":\"a\",\"type\":\"single_choice\",\"options\":[\"X\",\"Y\"]},"
                                        "{\"id\":\"b\",\"type\":\"multiple_choice\",\"options\":[\"X\",\"Y\"]},{\"id\":"
                                        "\"c\",\"type\":\"boolean\"},{\"id\":\"d\",\"type\":\"text\"}]",
                                        0, NULL);
    check(questions, "[]", NULL);
    check(questions,
          "[{\"questionId\":\"a\",\"answer\":\"Y\"},{\"questionId\":\"b\",\"answer\":[]},{\"questionId\":\"c\","
          "\"answer\":false},{\"questionId\":\"d\",\"answer\":\"\"}]",
          NULL);
    check(questions, "{}", "answers");
    check(questions, "[1]", "answers[0]");
    check(questions, "[{\"answer\":\"X\"}]", "answers[0].questionId");
    check(questions, "[{\"questionId\":\"z\",\"answer\":\"X\"}]", "answers[0].questionId");
    check(questions, "[{\"questionId\":\"a\",\"answer\":\"X\"},{\"questionId\":\"a\",\"answer\":\"Y\"}]",
          "answers[1].questionId");
    check(questions, "[{\"questionId\":\"a\"}]", "answers[0].answer");
    check(questions, "[{\"questionId\":\"a\",\"answer\":\"Z\"}]", "answers[0].answer");
    check(questions, "[{\"questionId\":\"a\",\"answer\":[\"X\"]}]", "answers[0].answer");
    check(questions, "[{\"questionId\":\"b\",\"answer\":\"X\"}]", "answers[0].answer");
    check(questions, "[{\"questionId\":\"b\",\"answer\":[\"X\",\"X\"]}]", "answers[0].answer");
    check(questions, "[{\"questionId\":\"b\",\"answer\":[\"Z\"]}]", "answers[0].answer");
    check(questions, "[{\"questionId\":\"c\",\"answer\":\"true\"}]", "answers[0].answer");
    check(questions, "[{\"questionId\":\"d\",\"answer\":7}]", "answers[0].answer");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_are_three_to_seven_and_each_changes_the_app),
                                       cmocka_unit_test(answers_are_checked)};
    return cmocka_run_group_tests(tests, plans_setup, plans_teardown);
}
