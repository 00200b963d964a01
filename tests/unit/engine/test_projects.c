/* projects: from a description to an approved spec, and what each state refuses. */
#include "fixture.h"

static const char description[] =
    "A project management tool with boards, tasks, deadlines and comments for small teams.";

static struct project *create(struct fixture *f, const char *text) {
    struct project *project = NULL;
    must(f, engine_project_create(f->engine, f->account_id, "Boards", text, NULL, f->arena, &project, &f->err));
    str_copy(f->project_id, sizeof(f->project_id), project->id);
    return project;
}

static int clarify(struct fixture *f, json_t **questions) {
    return engine_project_clarify(f->engine, f->account_id, f->project_id, f->arena, questions, &f->err);
}

static int answer(struct fixture *f, struct spec **spec) {
    return engine_project_answer(f->engine, f->account_id, f->project_id, json_own(f->arena, json_array()), f->arena,
                                 spec, &f->err);
}

static int regenerate(struct fixture *f, const char *feedback, struct spec **spec) {
    return engine_project_regenerate(f->engine, f->account_id, f->project_id, feedback, f->arena, spec, &f->err);
}

static int approve(struct fixture *f, struct spec **spec) {
    return engine_project_approve(f->engine, f->account_id, f->project_id, f->arena, spec, &f->err);
}

static void a_description_becomes_an_approved_spec(void **state) {
    struct fixture *f = *state;
    json_t *questions = NULL;
    struct spec *spec = NULL;
    create(f, description);
    assert_int_equal(project_now(f)->state, PROJECT_DRAFT);
    assert_true(fs_is_dir(engine_repo_path(f->engine, f->project_id, f->arena)));
    assert_int_equal(strlen(ref_of(f, "refs/heads/main")), 40);
    must(f, clarify(f, &questions));
    assert_in_range(json_array_size(questions), 3, 7);
    assert_int_equal(project_now(f)->state, PROJECT_CLARIFYING);
    must(f, answer(f, &spec));
    assert_int_equal(spec->version, 1);
    assert_int_equal(project_now(f)->state, PROJECT_SPEC_REVIEW);
    must(f, regenerate(f, "Add more detail about deadlines", &spec));
    assert_int_equal(spec->version, 2);
    assert_string_equal(project_now(f)->feedback_json, "[\"Add more detail about deadlines\"]");
    must(f, regenerate(f, NULL, &spec));
    assert_int_equal(spec->version, 3);
    must(f, approve(f, &spec));
    assert_int_equal(spec->version, 3);
    assert_true(spec->approved_ms > 0);
    assert_int_equal(project_now(f)->state, PROJECT_APPROVED);
    assert_int_equal(approve(f, &spec), -ERR_CONFLICT);
    assert_string_equal(f->err.message, "There is no spec under review; the project is approved");
}

static void each_step_has_its_place(void **state) {
    struct fixture *f = *state;
    json_t *questions = NULL;
    struct spec *spec = NULL;
    struct project *project = NULL;
    create(f, description);
    assert_int_equal(answer(f, &spec), -ERR_CONFLICT);
    assert_string_equal(f->err.message, "There are no open questions; ask for them with clarify first");
    assert_int_equal(regenerate(f, NULL, &spec), -ERR_CONFLICT);
    assert_string_equal(f->err.message, "There is no spec to regenerate yet; answer the questions first");
    assert_int_equal(approve(f, &spec), -ERR_CONFLICT);
    assert_string_equal(f->err.message, "There is no spec to approve yet; answer the questions first");
    must(f, clarify(f, &questions));
    json_t *wrong = json_own(f->arena, json_pack("[{s:s, s:s}]", "questionId", "q99", "answer", "x"));
    assert_int_equal(engine_project_answer(f->engine, f->account_id, f->project_id, wrong, f->arena, &spec, &f->err),
                     -ERR_VALIDATION);
    assert_string_equal(f->err.field, "answers[0].questionId");
    assert_int_equal(project_now(f)->state, PROJECT_CLARIFYING);
    must(f, engine_project_archive(f->engine, f->account_id, f->project_id, &f->err));
    must(f, engine_project_archive(f->engine, f->account_id, f->project_id, &f->err)); /* twice is once */
    assert_int_equal(clarify(f, &questions), -ERR_CONFLICT);
    assert_string_equal(f->err.message, "The project is archived");
    assert_int_equal(approve(f, &spec), -ERR_CONFLICT);
    assert_int_equal(
        engine_project_update(f->engine, f->account_id, f->project_id, "New", NULL, NULL, f->arena, &project, &f->err),
        -ERR_CONFLICT);
}

static void a_project_that_is_being_built_stays_as_it_is(void **state) {
    struct fixture *f = *state;
    json_t *questions = NULL;
    struct spec *spec = NULL;
    struct project *project = NULL;
    add_project(f, NULL);
    create_run(f);
    assert_int_equal(clarify(f, &questions), -ERR_CONFLICT);
    assert_string_equal(f->err.message, "A run is building the project; cancel it or wait until it ends");
    assert_int_equal(regenerate(f, NULL, &spec), -ERR_CONFLICT);
    assert_int_equal(approve(f, &spec), -ERR_CONFLICT);
    assert_int_equal(engine_project_archive(f->engine, f->account_id, f->project_id, &f->err), -ERR_CONFLICT);
    must(f, engine_project_update(f->engine, f->account_id, f->project_id, "New name", NULL, NULL, f->arena, &project,
                                  &f->err));
    assert_string_equal(project_now(f)->name, "New name");
    assert_string_equal(project_now(f)->description, "An app.");
    assert_int_equal(project_now(f)->state, PROJECT_BUILDING);
}

static void others_do_not_find_it(void **state) {
    struct fixture *f = *state;
    struct project *project = NULL;
    struct spec *spec = NULL;
    char other[ID_LEN];
    create(f, description);
    id_make(other, "acct");
    assert_int_equal(
        engine_project_update(f->engine, other, f->project_id, "Mine", NULL, NULL, f->arena, &project, &f->err),
        -ERR_NOT_FOUND);
    assert_int_equal(engine_project_archive(f->engine, other, f->project_id, &f->err), -ERR_NOT_FOUND);
    assert_int_equal(engine_project_approve(f->engine, other, f->project_id, f->arena, &spec, &f->err), -ERR_NOT_FOUND);
}

static void a_thin_description_is_refused(void **state) {
    struct fixture *f = *state;
    json_t *questions = NULL;
    create(f, "App.");
    assert_int_equal(clarify(f, &questions), -ERR_VALIDATION);
    assert_string_equal(f->err.field, "description");
    assert_int_equal(project_now(f)->state, PROJECT_DRAFT);
}

static int edit(struct fixture *f, json_t *documents, int64_t version, struct spec **spec) {
    return engine_project_edit_spec(f->engine, f->account_id, f->project_id, json_own(f->arena, documents), version,
                                    f->arena, spec, &f->err);
}

static json_t *parsed(struct fixture *f, const char *text) {
    json_t *out = NULL;
    must(f, json_parse(f->arena, text, strlen(text), &out, &f->err));
    return out;
}

static void an_edit_is_a_version_of_its_own(void **state) {
    struct fixture *f = *state;
    json_t *questions = NULL;
    struct spec *spec = NULL;
    create(f, description);
    assert_int_equal(edit(f, json_pack("{s:s}", "SPEC.md", "x"), 0, &spec), -ERR_CONFLICT);
    must(f, clarify(f, &questions));
    assert_int_equal(edit(f, json_pack("{s:s}", "SPEC.md", "x"), 0, &spec), -ERR_CONFLICT);
    must(f, answer(f, &spec));
    must(f, approve(f, &spec));
    json_t *documents = parsed(f, spec->documents_json);
    const char *text =
        arena_printf(f->arena, "%s\nAdd suppliers.\nPaint the moon.\n", json_str(documents, "SPEC.md", ""));
    assert_int_equal(edit(f, json_pack("{s:s}", "SPEC.md", text), 7, &spec), -ERR_CONFLICT);
    assert_string_equal(f->err.field, "version");
    must(f, edit(f, json_pack("{s:s}", "SPEC.md", text), 1, &spec));
    assert_int_equal(spec->version, 2);
    assert_true(spec->is_edited);
    assert_int_equal(spec->approved_ms, 0);
    assert_int_equal(project_now(f)->state, PROJECT_SPEC_REVIEW);
    assert_string_equal(project_now(f)->feedback_json, "[\"Add suppliers.\"]");
    json_t *after = parsed(f, spec->documents_json), *points = parsed(f, spec->open_points_json);
    assert_string_equal(json_str(after, "SPEC.md", ""), text);
    assert_string_equal(json_str(after, "DATA.md", ""), json_str(documents, "DATA.md", ""));
    assert_non_null(strstr(spec->plan_json, "\"slug\":\"suppliers\""));
    assert_int_equal(json_array_size(points), 1);
    assert_non_null(strstr(json_string_value(json_array_get(points, 0)), "Paint the moon."));
    must(f, approve(f, &spec));
    assert_int_equal(spec->version, 2);
    assert_true(spec->is_edited);
    /* What was understood stays in what is written anew. */
    must(f, regenerate(f, NULL, &spec));
    assert_false(spec->is_edited);
    assert_non_null(strstr(spec->documents_json, "Suppliers"));
}

/* Ten plan at once: each version is made once, and who was overtaken is told. */
struct racer {
    struct fixture *f;
    int rc;
    int64_t version;
};

static void *race_main(void *arg) {
    struct racer *racer = arg;
    struct arena *arena = arena_create();
    struct spec *spec = NULL;
    struct err err = {0};
    racer->rc = engine_project_regenerate(racer->f->engine, racer->f->account_id, racer->f->project_id, NULL, arena,
                                          &spec, &err);
    racer->version = spec ? spec->version : 0;
    arena_destroy(arena);
    store_thread_end(racer->f->engine->store);
    return NULL;
}

static void overtaken_planning_is_refused(void **state) {
    struct fixture *f = *state;
    json_t *questions = NULL;
    struct spec *spec = NULL;
    struct racer racers[6];
    pthread_t threads[ARRAY_LEN(racers)];
    int64_t made = 0;
    create(f, description);
    must(f, clarify(f, &questions));
    must(f, answer(f, &spec));
    for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
        racers[i] = (struct racer){.f = f};
        assert_int_equal(pthread_create(&threads[i], NULL, race_main, &racers[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
        pthread_join(threads[i], NULL);
        assert_true(racers[i].rc == 0 || racers[i].rc == -ERR_CONFLICT);
        made += racers[i].rc == 0;
    }
    assert_true(made >= 1);
    assert_int_equal(project_now(f)->spec_version, 1 + made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(a_description_becomes_an_approved_spec),
        engine_test(each_step_has_its_place),
        engine_test(a_project_that_is_being_built_stays_as_it_is),
        engine_test(others_do_not_find_it),
        engine_test(a_thin_description_is_refused),
        engine_test(an_edit_is_a_version_of_its_own),
        engine_test(overtaken_planning_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
