/* Unit test of odd input: thin, long, foreign, marked up, colliding: a whole plan or a clear refusal, never anything
 * else. */
#include "plans.h"

static void thin_descriptions_are_refused(void **state) {
    struct fixture *f = *state;
    static const char *const thin[] = {"",
                                       " ",
                                       "hello",
                                       "an app",
                                       "asdf qwer",
                                       "!!!",
                                       "\xf0\x9f\x90\x9d\xf0\x9f\x90\x9d",
                                       "A really nice and modern web app for my business, please.",
                                       "login and password"};
    for (size_t i = 0; i < ARRAY_LEN(thin); i++) {
        struct planner_input input = {.name = "A", .description = thin[i]};
        struct planner_spec spec;
        json_t *questions = NULL;
        struct err err = {0};
        if (planner_questions(f->planner, &input, f->arena, &questions, &err) != -ERR_VALIDATION)
            fail_msg("\"%s\" was planned", thin[i]);
        assert_string_equal(err.field, "description");
        assert_true(strlen(err.message) > 40);
        assert_int_equal(planner_spec(f->planner, &input, f->arena, &spec, &err), -ERR_VALIDATION);
    }
}

static void whole_or_refused(struct fixture *f, const char *name, const char *description, const char *feedback) {
    struct planner_input input = {
        .name = name, .description = description, .feedback = &feedback, .feedback_count = feedback ? 1 : 0};
    struct planner_spec spec;
    struct err err = {0};
    if (planner_spec(f->planner, &input, f->arena, &spec, &err) == 0)
        plans_check(f, &spec);
    else if (err.code != ERR_VALIDATION || strcmp(err.field, "description") != 0)
        fail_msg("%.60s: %s", description, err.message);
}

static void strange_descriptions_do_no_harm(void **state) {
    struct fixture *f = *state;
    static const char *const strange[] = {
        "<script>alert('tasks')</script> \"quoted\" {{mustache}} {tasks.name} ${today} `code` | pipes | and books",
        "users, settings, sessions, files, notifications, searches, audits, tokens and new things",
        "boards, board, boards, BOARD, Boards and task boards; tasks, tasks, tasks, tasks",
        "Eine App für Imker: Bienenstöcke, Durchsichten, Behandlungen und Ernten.",
        "Une application pour gérer: recettes, ingrédients, courses.",
        "Приложение для учёта: книги, авторы, читатели",
        "读书笔记: 书, 作者, 读者",
        "Books \xf0\x9f\x93\x9a and authors \xe2\x9c\x8d\xef\xb8\x8f with \xff\xfe broken bytes",
        "Classes with dates, records with errors, promises with maps, objects with arrays, strings with numbers",
        "Track interfaces, packages, functions, defaults, returns, exports, imports and enums",
        "planets, moons, comets, asteroids, galaxies, nebulas, quasars, pulsars, telescopes, rockets, satellites, "
        "probes, rovers, astronauts, launches, orbits and crews",
    };
    for (size_t i = 0; i < ARRAY_LEN(strange); i++) {
        arena_reset(f->arena);
        whole_or_refused(f, "Name \"with\" <b>signs</b> \xe2\x80\xa6", strange[i], NULL);
        whole_or_refused(f, "\xf0\x9f\x90\x9d", strange[i], strange[ARRAY_LEN(strange) - 1 - i]);
    }
}

static void more_than_a_plan_takes_is_an_open_point(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f,
                                          "planets, moons, comets, asteroids, galaxies, nebulas, quasars, pulsars, "
                                          "telescopes, rockets, satellites, probes, rovers and crews",
                                          NULL);
    assert_int_equal(json_array_size(json_object_get(spec.plan, "entities")), 12);
    assert_true(json_array_size(spec.open_points) >= 2);
    plans_check(f, &spec);
}

static void long_descriptions_are_planned(void **state) {
    struct fixture *f = *state;
    char *text = arena_alloc(f->arena, 20100);
    size_t len = 0;
    for (size_t i = 0; len < 19950; i++)
        len += (size_t)snprintf(text + len, 20000 - len, "%s ", plans_descriptions[i % ARRAY_LEN(plans_descriptions)]);
    whole_or_refused(f, "Long", text, "remove bookings. add notifications");
    memset(text, 'a', 20000);
    whole_or_refused(f, "Long", text, NULL);
    for (size_t i = 0; i + 6 < 20000; i += 6)
        memcpy(text + i, "bees, ", 6);
    whole_or_refused(f, "Long", text, NULL);
}

/* An order ends as workers do, and is nobody; what was written is quoted without what only joins it. */
static void orders_are_no_people(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, "A small hotel: rooms, guests, breakfast orders and reviews.", NULL);
    assert_non_null(plans_entity(&spec, "breakfast-orders"));
    assert_null(plans_field(&spec, "breakfast-orders", "email"));
    const json_t *reviews = plans_find(json_object_get(spec.plan, "features"), "slug", "reviews");
    assert_true(plans_has_text(json_object_get(reviews, "because"), "reviews"));
    assert_false(plans_has_text(json_object_get(reviews, "because"), "and reviews"));
}

/* What has no English plural keeps the form it is written in. */
static void other_languages_keep_their_words(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec =
        plans_spec(f, "Eine Verwaltung für unseren Sportverein: Mitglieder, Mannschaften und Beiträge.", NULL);
    const json_t *members = plans_entity(&spec, "mitglieder"), *fees = plans_entity(&spec, "beitraege");
    assert_string_equal(json_str(members, "name", ""), "Mitglieder");
    assert_string_equal(json_str(members, "plural", ""), "Mitglieder");
    assert_string_equal(json_str(fees, "plural", ""), "Beiträge");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thin_descriptions_are_refused),           cmocka_unit_test(strange_descriptions_do_no_harm),
        cmocka_unit_test(more_than_a_plan_takes_is_an_open_point), cmocka_unit_test(long_descriptions_are_planned),
        cmocka_unit_test(other_languages_keep_their_words),        cmocka_unit_test(orders_are_no_people)};
    return cmocka_run_group_tests(tests, plans_setup, plans_teardown);
}
