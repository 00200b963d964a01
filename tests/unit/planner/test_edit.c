/* Unit test of edited documents: what is understood changes the plan, the rest is told, criteria keep their checks. */
#include "plans.h"

#define BOARDS plans_descriptions[0]

/* A spec, its documents as they will be changed, and what came of it. */
struct edited {
    struct planner_spec was, is;
    json_t *after;
    json_t *feedback;
};

static struct edited begin(struct fixture *f) {
    struct edited e = {.was = plans_spec(f, BOARDS, NULL)};
    e.after = json_own(f->arena, json_deep_copy(e.was.documents));
    return e;
}

static void set(struct edited *e, const char *document, const char *text) {
    json_object_set_new(e->after, document, json_string(text));
}

static void append(struct fixture *f, struct edited *e, const char *document, const char *text) {
    set(e, document, arena_printf(f->arena, "%s\n%s\n", json_str(e->after, document, ""), text));
}

/* Every occurrence of a text; fails the test when there is none. */
static void replace(struct fixture *f, struct edited *e, const char *document, const char *old, const char *fresh) {
    const char *text = json_str(e->after, document, ""), *at;
    const char *out = "";
    assert_non_null(strstr(text, old));
    for (; (at = strstr(text, old)) != NULL; text = at + strlen(old))
        out = arena_printf(f->arena, "%s%.*s%s", out, (int)(at - text), text, fresh);
    set(e, document, arena_printf(f->arena, "%s%s", out, text));
}

/* The line that begins with a text goes. */
static void remove_line(struct fixture *f, struct edited *e, const char *document, const char *beginning) {
    const char *text = json_str(e->after, document, ""), *at = strstr(text, arena_printf(f->arena, "\n%s", beginning));
    assert_non_null(at);
    set(e, document, arena_printf(f->arena, "%.*s%s", (int)(at - text), text, at + 1 + strcspn(at + 1, "\n")));
}

static int try_edit(struct fixture *f, struct edited *e, const json_t *feedback, struct err *err) {
    size_t count = json_array_size(feedback);
    const char **texts = arena_array(f->arena, count + 1, sizeof *texts);
    for (size_t i = 0; i < count; i++)
        texts[i] = json_string_value(json_array_get(feedback, i));
    struct planner_input input = {.name = "Other", .description = "Other", .feedback = texts, .feedback_count = count};
    struct planner_edit edit = {.input = &input, .plan = e->was.plan, .before = e->was.documents, .after = e->after};
    return planner_edit(f->planner, &edit, f->arena, &e->is, &e->feedback, err);
}

static void finish(struct fixture *f, struct edited *e) {
    struct err err = {0};
    json_t *tasks = NULL;
    if (try_edit(f, e, NULL, &err) < 0)
        fail_msg("%s", err.message);
    assert_true(json_equal(e->is.documents, e->after));
    if (planner_decompose(f->planner, e->is.plan, NULL, 0, f->arena, &tasks, &err) < 0)
        fail_msg("%s", err.message);
}

static void no_open_points(const struct edited *e) {
    if (json_array_size(e->is.open_points) > 0)
        fail_msg("%s", json_string_value(json_array_get(e->is.open_points, 0)));
}

static size_t open_points(const struct edited *e) {
    return json_array_size(e->is.open_points);
}

static bool tells(const struct edited *e, const char *text) {
    size_t i;
    json_t *point;
    json_array_foreach (e->is.open_points, i, point) {
        if (strstr(json_string_value(point), text))
            return true;
    }
    return false;
}

static const json_t *criterion(const struct planner_spec *spec, const char *id) {
    return plans_find(json_object_get(spec->plan, "criteria"), "id", id);
}

static const char *check_kind(const json_t *item) {
    return json_str(json_object_get(item, "check"), "kind", "");
}

static void nothing_changed_changes_nothing(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    replace(f, &e, "SPEC.md", "\n\n## People", "\n\n\n\n## People"); /* blank lines say nothing */
    finish(f, &e);
    no_open_points(&e);
    assert_int_equal(json_array_size(e.feedback), 0);
    json_object_del(e.is.plan, "droppedCriteria");
    assert_string_equal(json_text(f->arena, e.is.plan), json_text(f->arena, e.was.plan));
}

static void sentences_are_feedback(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    append(f, &e, "SPEC.md", "Please add a field budget to projects.");
    append(f, &e, "SPEC.md", "The moon must be painted in plaid.");
    finish(f, &e);
    assert_string_equal(json_str(plans_field(&e.is, "projects", "budget"), "type", ""), "money");
    assert_int_equal(open_points(&e), 1);
    assert_true(tells(&e, "SPEC.md now says \"The moon must be painted in plaid.\""));
    /* Only what was understood is feedback from now on. */
    assert_int_equal(json_array_size(e.feedback), 1);
    assert_non_null(strstr(json_string_value(json_array_get(e.feedback, 0)), "budget"));
}

static void fields_come_go_and_change(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    remove_line(f, &e, "DATA.md", "| `dueOn`");
    replace(f, &e, "DATA.md", "| `name` | Name | text, required, at most 120 characters",
            "| `weight` | Weight | whole number, required |\n| `name` | Name | text, required, at most 120 characters");
    finish(f, &e);
    json_t *field = plans_field(&e.is, "projects", "weight");
    assert_string_equal(json_str(field, "type", ""), "integer");
    assert_true(json_flag(field, "required", false));
    assert_true(plans_field(&e.was, "projects", "dueOn") || plans_field(&e.was, "tasks", "dueOn"));
    assert_true(!plans_field(&e.is, "projects", "dueOn") || !plans_field(&e.is, "tasks", "dueOn"));
    /* The rule that the due date comes after the start went with it, and the criterion of that. */
    assert_int_equal(open_points(&e), 1);
    assert_true(tells(&e, "no longer in the plan"));
}

static void a_row_that_changed_is_one_wish(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    const json_t *due = plans_field(&e.was, "tasks", "dueOn");
    assert_non_null(due);
    const char *section = strstr(json_str(e.after, "DATA.md", ""), "\n## Tasks\n");
    const char *row = strstr(section, "| `dueOn`");
    size_t len = strcspn(row, "\n");
    const char *text = json_str(e.after, "DATA.md", "");
    set(&e, "DATA.md",
        arena_printf(f->arena, "%.*s| `dueOn` | Deadline | date, required |%s", (int)(row - text), text, row + len));
    finish(f, &e);
    due = plans_field(&e.is, "tasks", "dueOn");
    assert_string_equal(json_str(due, "label", ""), "Deadline");
    assert_true(json_flag(due, "required", false));
    no_open_points(&e);
}

static void words_that_the_plan_cannot_follow_are_told(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    replace(f, &e, "DATA.md", "| `name` | Name | text, required, at most 120 characters",
            "| `shape` | Shape | one of Round, Square |\n| `name` | Name | text, required, at most 120 characters");
    finish(f, &e);
    assert_non_null(plans_field(&e.is, "projects", "shape"));
    assert_true(tells(&e, "one of Round, Square"));
}

static void records_come_and_go(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    append(f, &e, "DATA.md",
           "## Suppliers\n\n| field | label | what it holds |\n|---|---|---|\n| `name` | Name | text, required |\n"
           "| `rating` | Rating | rating from 1 to 5 |");
    remove_line(f, &e, "SPEC.md", "| Time entries");
    finish(f, &e);
    assert_non_null(plans_entity(&e.is, "suppliers"));
    assert_string_equal(json_str(plans_field(&e.is, "suppliers", "rating"), "type", ""), "rating");
    assert_null(plans_entity(&e.is, "time-entries"));
    /* The criteria of what is gone are left out, and said to be. */
    assert_true(tells(&e, "no longer in the plan"));
    /* What proves the new records is carried out, though no criterion of the document. */
    assert_non_null(plans_find(json_object_get(e.is.plan, "checks"), "title", "Suppliers are kept and found again"));
    assert_null(plans_find(json_object_get(e.is.plan, "criteria"), "title", "Suppliers are kept and found again"));
    plans_check_proofs(e.is.plan);
}

static void settings_are_followed(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    replace(f, &e, "SPEC.md", "the colour is indigo", "the colour is rose");
    finish(f, &e);
    assert_string_equal(json_str(json_object_get(e.is.plan, "settings"), "theme", ""), "rose");
    no_open_points(&e);
}

static void a_heading_of_data_renames(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    replace(f, &e, "DATA.md", "\n## Tasks\n", "\n## Tickets\n");
    finish(f, &e);
    assert_non_null(plans_entity(&e.is, "tickets"));
    assert_null(plans_entity(&e.is, "tasks"));
}

static void what_stays_in_the_plan_is_told(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    remove_line(f, &e, "ROUTES.md", "| GET | `/api/tasks` ");
    finish(f, &e);
    assert_int_equal(open_points(&e), 1);
    assert_true(tells(&e, "ROUTES.md no longer says"));
    assert_int_equal(json_array_size(e.feedback), 0);
}

static void a_page_goes_with_its_route(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    assert_non_null(plans_find(json_object_get(e.was.plan, "views"), "slug", "board"));
    remove_line(f, &e, "ROUTES.md", "| `/board`");
    finish(f, &e);
    assert_null(plans_find(json_object_get(e.is.plan, "views"), "slug", "board"));
}

/* An edit after an edit: what was added goes again, what was dropped stays so. */
static void edits_follow_edits(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    struct err err = {0};
    append(f, &e, "SPEC.md", "Add a field budget to projects.");
    const char *title = json_str(criterion(&e.was, "AC-2"), "title", "");
    const char *text = json_str(e.after, "ACCEPTANCE.md", ""), *from = strstr(text, "### AC-2 "),
               *to = strstr(text, "### AC-3 ");
    set(&e, "ACCEPTANCE.md", arena_printf(f->arena, "%.*s%s", (int)(from - text), text, to));
    finish(f, &e);
    assert_null(criterion(&e.is, "AC-2"));
    assert_null(plans_find(json_object_get(e.is.plan, "checks"), "title", title));
    no_open_points(&e);

    struct edited again = {.was = e.is, .after = json_own(f->arena, json_deep_copy(e.is.documents))};
    remove_line(f, &again, "SPEC.md", "Add a field budget to projects.");
    if (try_edit(f, &again, e.feedback, &err) < 0)
        fail_msg("%s", err.message);
    assert_null(plans_field(&again.is, "projects", "budget"));
    assert_int_equal(json_array_size(again.feedback), 0);
    no_open_points(&again);
    assert_null(criterion(&again.is, "AC-2"));
    assert_null(plans_find(json_object_get(again.is.plan, "checks"), "title", title));
    plans_check_proofs(again.is.plan);
}

static void criteria_keep_their_ids_and_checks(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    size_t count = json_array_size(json_object_get(e.was.plan, "criteria"));
    const char *second = json_str(criterion(&e.was, "AC-2"), "statement", "");
    replace(f, &e, "ACCEPTANCE.md", second, "Given the moon, when it is full, then wolves howl.");
    append(f, &e, "ACCEPTANCE.md", "### AC-999 The moon is round\n\nWhen somebody looks up, then it is round.");
    append(f, &e, "ACCEPTANCE.md", "### No number yet\n\nWhen it has none, then it gets one.");
    append(f, &e, "ACCEPTANCE.md", "- **AC-998**: in one line");
    append(f, &e, "ACCEPTANCE.md", "### Nothing but a title");
    finish(f, &e);
    assert_int_equal(json_array_size(json_object_get(e.is.plan, "criteria")), count + 4);
    assert_string_equal(check_kind(criterion(&e.is, "AC-2")), "none");
    assert_string_equal(check_kind(criterion(&e.is, "AC-999")), "none");
    assert_string_equal(json_str(criterion(&e.is, "AC-1000"), "title", ""), "No number yet");
    assert_string_equal(json_str(criterion(&e.is, "AC-998"), "statement", ""), "in one line");
    assert_true(json_equal(criterion(&e.is, "AC-3"), criterion(&e.was, "AC-3")));
    assert_string_equal(json_str(criterion(&e.is, "AC-1001"), "title", ""), "Nothing but a title");
    assert_int_equal(open_points(&e), 5);
    assert_true(tells(&e, "AC-999 (\"The moon is round\"): no check is known for it"));
    /* The next edit leaves them as they are, and says it again. */
    struct edited again = {.was = e.is, .after = json_own(f->arena, json_deep_copy(e.is.documents))};
    finish(f, &again);
    assert_true(json_equal(json_object_get(again.is.plan, "criteria"), json_object_get(e.is.plan, "criteria")));
    assert_int_equal(open_points(&again), 5);
}

static void a_check_is_found_again_by_its_words(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    replace(f, &e, "ACCEPTANCE.md", "### AC-3 ", "### AC-77 ");
    finish(f, &e);
    assert_null(criterion(&e.is, "AC-3"));
    assert_true(json_equal(json_object_get(criterion(&e.is, "AC-77"), "check"),
                           json_object_get(criterion(&e.was, "AC-3"), "check")));
    no_open_points(&e);
}

static void a_criterion_twice_is_refused(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    struct err err = {0};
    append(f, &e, "ACCEPTANCE.md", "### AC-1 Once more");
    assert_int_equal(try_edit(f, &e, NULL, &err), -ERR_VALIDATION);
    assert_string_equal(err.field, "documents.ACCEPTANCE.md");
    assert_string_equal(err.message, "AC-1 is there twice");
}

static void feedback_stays_bounded(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    struct err err = {0};
    json_t *feedback = json_own(f->arena, json_array());
    for (int i = 0; i < 1000; i++)
        json_array_append_new(feedback, json_sprintf("add a field shade %d to projects", i));
    append(f, &e, "SPEC.md", "Add a field budget to projects.");
    assert_int_equal(try_edit(f, &e, feedback, &err), -ERR_VALIDATION);
    assert_string_equal(err.field, "documents");
    /* What is said again takes no further place. */
    json_array_set_new(feedback, 7, json_string("Add a field budget to projects."));
    if (try_edit(f, &e, feedback, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(json_array_size(e.feedback), 1000);
}

static void odd_documents_do_no_harm(void **state) {
    static const char *const odd[] = {
        "x",      "|",     "|||||||||||", "# ",           "## \n## \n", "### AC-\n###\n",
        "- **\n", "\\|\\", "> ",          "\xe2\x80\x94", "AC-1\nAC-2", "|a|b|\n|-|-|\n|c"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        struct edited e = begin(f);
        set(&e, "SPEC.md", odd[i]);
        set(&e, "ROUTES.md", odd[i]);
        set(&e, "ACCEPTANCE.md", odd[i]);
        append(f, &e, "DATA.md", odd[i]);
        finish(f, &e);
        arena_reset(f->arena);
    }
}

/* Lines dropped, doubled, cut and mixed at random, always the same: whatever comes of it can be built. */
static uint32_t dice;
static uint32_t rolled(uint32_t sides) {
    dice = dice * 1664525 + 1013904223;
    return (dice >> 8) % sides;
}

static const char *shuffled(struct fixture *f, const char *text) {
    static const char *const more[] = {"Add suppliers.",
                                       "| `x` | X | whole number, required |",
                                       "## Whales",
                                       "Remove tasks.",
                                       "rename projects to ships",
                                       "### AC-7 again",
                                       "- **Dashboard** (`/`): x",
                                       "|",
                                       "Every task needs a due date and a colour."};
    char **lines;
    size_t count;
    const char *out = "";
    str_split(f->arena, text, "\n", &lines, &count);
    for (size_t i = 0; i < count; i++) {
        const char *line = lines[i];
        uint32_t roll = rolled(str_starts(text, "# Acme: acceptance") ? 400 : 40);
        if (roll == 0)
            continue;
        if (roll == 1)
            line = arena_printf(f->arena, "%s\n%s", line, more[rolled(ARRAY_LEN(more))]);
        if (roll == 2)
            line = arena_strndup(f->arena, line, str_utf8_next(line, strlen(line)));
        if (roll == 3)
            line = lines[rolled((uint32_t)count)];
        out = arena_printf(f->arena, "%s%s\n", out, line);
    }
    return out;
}

static void any_mixture_can_be_built(void **state) {
    struct fixture *f = *state;
    const char *rounds = getenv("EDIT_ROUNDS");
    size_t planned = 0;
    for (dice = 1; dice <= (rounds ? (uint32_t)atoi(rounds) : 20); dice++) {
        uint32_t seed = dice;
        struct edited e = begin(f);
        struct err err = {0};
        json_t *tasks = NULL;
        const char *name;
        json_t *text;
        json_object_foreach (e.was.documents, name, text)
            set(&e, name, shuffled(f, json_string_value(text)));
        int rc = try_edit(f, &e, NULL, &err);
        if (rc < 0 && !str_starts(err.field, "documents"))
            fail_msg("round %u: %s", seed, err.message);
        planned += rc == 0;
        if (rc == 0 && planner_decompose(f->planner, e.is.plan, NULL, 0, f->arena, &tasks, &err) < 0)
            fail_msg("round %u: %s", seed, err.message);
        arena_reset(f->arena);
        dice = seed;
    }
    assert_true(planned > 0); /* the others name a criterion twice */
}

/* As many lines as there may be are gone over once, and the rest is counted. */
static void long_documents_are_bounded(void **state) {
    struct fixture *f = *state;
    struct edited e = begin(f);
    char *text = arena_alloc(f->arena, 100001);
    for (size_t i = 0; i < 50000; i++)
        memcpy(text + 2 * i, i % 2 ? "a\n" : "b\n", 2);
    append(f, &e, "SPEC.md", text);
    append(f, &e, "ACCEPTANCE.md", arena_printf(f->arena, "### AC-900 All of it\n\n%s", text));
    finish(f, &e);
    assert_int_equal(strlen(json_str(criterion(&e.is, "AC-900"), "statement", "")), 99999);
    assert_true(open_points(&e) <= 62);
    assert_true(tells(&e, "not looked into"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_changed_changes_nothing),
        cmocka_unit_test(sentences_are_feedback),
        cmocka_unit_test(fields_come_go_and_change),
        cmocka_unit_test(a_row_that_changed_is_one_wish),
        cmocka_unit_test(words_that_the_plan_cannot_follow_are_told),
        cmocka_unit_test(records_come_and_go),
        cmocka_unit_test(settings_are_followed),
        cmocka_unit_test(a_heading_of_data_renames),
        cmocka_unit_test(what_stays_in_the_plan_is_told),
        cmocka_unit_test(a_page_goes_with_its_route),
        cmocka_unit_test(edits_follow_edits),
        cmocka_unit_test(criteria_keep_their_ids_and_checks),
        cmocka_unit_test(a_check_is_found_again_by_its_words),
        cmocka_unit_test(a_criterion_twice_is_refused),
        cmocka_unit_test(feedback_stays_bounded),
        cmocka_unit_test(odd_documents_do_no_harm),
        cmocka_unit_test(any_mixture_can_be_built),
        cmocka_unit_test(long_documents_are_bounded),
    };
    return cmocka_run_group_tests(tests, plans_setup, plans_teardown);
}
