/* projects: from a description to an approved spec. Planning runs outside the transaction, which then checks that
 * nothing it was made from has changed meanwhile. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "engine/journal.h"
#include "engine/load.h"
#include "store/projects.h"

struct project_call {
    const char *account_id, *id;
    const char *name, *description, *feedback;
    const json_t *answers;
    struct arena *arena;
    /* made by planning */
    const char *questions_json;
    struct project *before;
    struct spec *spec;
    struct project *out;
};

static int refuse_archived(const struct project *project, struct err *err) {
    if (project->state == PROJECT_ARCHIVED)
        return err_set(err, ERR_CONFLICT, "The project is archived");
    return 0;
}

static int refuse_building(const struct project *project, struct err *err) {
    if (project->state == PROJECT_BUILDING)
        return err_set(err, ERR_CONFLICT, "A run is building the project; cancel it or wait until it ends");
    return refuse_archived(project, err);
}

static int create_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct project_call *call = arg;
    call->out->created_ms = call->out->updated_ms = journal->now_ms;
    return store_project_insert(journal->db, call->out, err);
}

int engine_project_create(struct engine *engine, const char *account_id, const char *name, const char *description,
                          struct arena *arena, struct project **out, struct err *err) {
    struct project *project = arena_alloc(arena, sizeof *project);
    id_make(project->id, "proj");
    str_copy(project->account_id, sizeof project->account_id, account_id);
    project->name = arena_strdup(arena, name);
    project->description = arena_strdup(arena, description);
    project->state = PROJECT_DRAFT;
    /* The repository comes first: a row without one must not exist; a folder without a row is swept by the janitor. */
    struct repo *repo = NULL;
    int rc = engine_repo_open(engine, project->id, &repo, err);
    if (rc < 0)
        return rc;
    repo_close(repo);
    struct project_call call = {.out = project};
    rc = journal_write(engine, create_in_tx, &call, err);
    if (rc == 0)
        *out = project;
    return rc;
}

static int update_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct project_call *call = arg;
    int rc = load_project(journal->db, call->arena, call->account_id, call->id, &call->out, err);
    if (rc == 0)
        rc = refuse_archived(call->out, err);
    if (rc < 0)
        return rc;
    if (call->name)
        call->out->name = call->name;
    if (call->description)
        call->out->description = call->description;
    call->out->updated_ms = journal->now_ms;
    return store_project_update(journal->db, call->out, err);
}

int engine_project_update(struct engine *engine, const char *account_id, const char *id, const char *name,
                          const char *description, struct arena *arena, struct project **out, struct err *err) {
    struct project_call call = {
        .account_id = account_id, .id = id, .name = name, .description = description, .arena = arena};
    int rc = journal_write(engine, update_in_tx, &call, err);
    if (rc == 0)
        *out = call.out;
    return rc;
}

static int archive_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct project_call *call = arg;
    struct project *project = NULL;
    int rc = load_project(journal->db, journal->arena, call->account_id, call->id, &project, err);
    /* Archiving twice is archiving once. */
    if (rc < 0 || project->state == PROJECT_ARCHIVED)
        return rc;
    rc = refuse_building(project, err);
    return rc < 0 ? rc : journal_project_move(journal, project, PROJECT_ARCHIVED, err);
}

int engine_project_archive(struct engine *engine, const char *account_id, const char *id, struct err *err) {
    struct project_call call = {.account_id = account_id, .id = id};
    return journal_write(engine, archive_in_tx, &call, err);
}

/* What planning starts from; strings and JSON live in the arena. */
static int planner_input_of(const struct project *project, struct arena *arena, struct planner_input *input,
                            struct err *err) {
    json_t *questions = NULL, *answers = NULL, *feedback = NULL;
    int rc = 0;
    if (project->questions_json)
        rc = json_parse(arena, project->questions_json, strlen(project->questions_json), &questions, err);
    if (rc == 0 && project->answers_json)
        rc = json_parse(arena, project->answers_json, strlen(project->answers_json), &answers, err);
    if (rc == 0 && project->feedback_json)
        rc = json_parse(arena, project->feedback_json, strlen(project->feedback_json), &feedback, err);
    if (rc < 0)
        return rc;
    size_t count = json_array_size(feedback);
    const char **texts = arena_array(arena, count + 2, sizeof *texts); /* room for one more */
    for (size_t i = 0; i < count; i++)
        texts[i] = json_string_value(json_array_get(feedback, i));
    *input = (struct planner_input){.name = project->name,
                                    .description = project->description,
                                    .questions = questions,
                                    .answers = answers,
                                    .feedback = texts,
                                    .feedback_count = count};
    return 0;
}

/* The project as it is now, checked to be as it was when planning began. */
static int reload_unchanged(struct journal *journal, const struct project_call *call, struct project **out,
                            struct err *err) {
    int rc = load_project(journal->db, journal->arena, call->account_id, call->id, out, err);
    if (rc == 0)
        rc = refuse_building(*out, err);
    if (rc < 0)
        return rc;
    const struct project *now = *out, *before = call->before;
    if (now->state != before->state || now->spec_version != before->spec_version || !str_eq(now->name, before->name) ||
        !str_eq(now->description, before->description) || !str_eq(now->questions_json, before->questions_json) ||
        !str_eq(now->answers_json, before->answers_json) || !str_eq(now->feedback_json, before->feedback_json))
        return err_set(err, ERR_CONFLICT, "The project was changed by another request meanwhile; try again");
    return 0;
}

static int clarify_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct project_call *call = arg;
    struct project *project = NULL;
    int rc = reload_unchanged(journal, call, &project, err);
    if (rc < 0)
        return rc;
    project->questions_json = call->questions_json;
    project->answers_json = NULL;
    project->updated_ms = journal->now_ms;
    rc = store_project_set_planning(journal->db, project, err);
    return rc < 0 ? rc : journal_project_move(journal, project, PROJECT_CLARIFYING, err);
}

int engine_project_clarify(struct engine *engine, const char *account_id, const char *id, struct arena *arena,
                           json_t **questions, struct err *err) {
    struct project *project = NULL;
    struct planner_input input;
    const struct planner *planner;
    json_t *asked = NULL;
    int rc = load_project_read(engine, arena, account_id, id, &project, err);
    if (rc == 0)
        rc = refuse_building(project, err);
    if (rc == 0)
        rc = planner_input_of(project, arena, &input, err);
    if (rc == 0)
        rc = engine_planner(engine, &planner, err);
    if (rc == 0)
        rc = planner_questions(planner, &input, arena, &asked, err);
    if (rc < 0)
        return rc;
    struct project_call call = {
        .account_id = account_id, .id = id, .before = project, .questions_json = json_text(arena, asked)};
    rc = journal_write(engine, clarify_in_tx, &call, err);
    if (rc == 0)
        *questions = asked;
    return rc;
}

static int spec_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct project_call *call = arg;
    struct project *project = NULL;
    int rc = reload_unchanged(journal, call, &project, err);
    if (rc < 0)
        return rc;
    struct spec *spec = call->spec;
    str_copy(spec->project_id, sizeof spec->project_id, project->id);
    spec->version = project->spec_version + 1;
    spec->created_ms = journal->now_ms;
    project->spec_version = spec->version;
    project->updated_ms = journal->now_ms;
    project->answers_json = call->out->answers_json;
    project->feedback_json = call->out->feedback_json;
    rc = store_spec_insert(journal->db, spec, err);
    if (rc == 0)
        rc = store_project_set_planning(journal->db, project, err);
    return rc < 0 ? rc : journal_project_move(journal, project, PROJECT_SPEC_REVIEW, err);
}

/* Plans from input and stores the next version; `after` carries the answers and feedback to store with it. */
static int plan_and_store(struct engine *engine, struct project_call *call, const struct planner_input *input,
                          struct err *err) {
    struct planner_spec made;
    const struct planner *planner;
    int rc = engine_planner(engine, &planner, err);
    if (rc == 0)
        rc = planner_spec(planner, input, call->arena, &made, err);
    if (rc < 0)
        return rc;
    call->spec = arena_alloc(call->arena, sizeof *call->spec);
    call->spec->documents_json = json_text(call->arena, made.documents);
    call->spec->plan_json = json_text(call->arena, made.plan);
    call->spec->open_points_json = json_text(call->arena, made.open_points);
    return journal_write(engine, spec_in_tx, call, err);
}

int engine_project_answer(struct engine *engine, const char *account_id, const char *id, const json_t *answers,
                          struct arena *arena, struct spec **out, struct err *err) {
    struct project *project = NULL;
    struct planner_input input;
    int rc = load_project_read(engine, arena, account_id, id, &project, err);
    if (rc == 0)
        rc = refuse_building(project, err);
    if (rc < 0)
        return rc;
    if (!project->questions_json || (project->state != PROJECT_CLARIFYING && project->state != PROJECT_SPEC_REVIEW))
        return err_set(err, ERR_CONFLICT, "There are no open questions; ask for them with clarify first");
    rc = planner_input_of(project, arena, &input, err);
    if (rc == 0)
        rc = planner_check_answers(input.questions, answers, err);
    if (rc < 0)
        return rc;
    input.answers = answers;
    struct project after = *project;
    after.answers_json = json_text(arena, answers);
    struct project_call call = {.account_id = account_id, .id = id, .arena = arena, .before = project, .out = &after};
    rc = plan_and_store(engine, &call, &input, err);
    if (rc == 0)
        *out = call.spec;
    return rc;
}

int engine_project_regenerate(struct engine *engine, const char *account_id, const char *id, const char *feedback,
                              struct arena *arena, struct spec **out, struct err *err) {
    struct project *project = NULL;
    struct planner_input input;
    int rc = load_project_read(engine, arena, account_id, id, &project, err);
    if (rc == 0)
        rc = refuse_building(project, err);
    if (rc < 0)
        return rc;
    if (project->spec_version == 0 || project->state == PROJECT_CLARIFYING)
        return err_set(err, ERR_CONFLICT, "There is no spec to regenerate yet; answer the questions first");
    rc = planner_input_of(project, arena, &input, err);
    if (rc < 0)
        return rc;
    struct project after = *project;
    if (feedback) {
        /* planner_input_of leaves room for one more. */
        ((const char **)input.feedback)[input.feedback_count++] = feedback;
        json_t *all = json_own(arena, json_array());
        for (size_t i = 0; i < input.feedback_count; i++)
            json_array_append_new(all, json_string(input.feedback[i]));
        after.feedback_json = json_text(arena, all);
    }
    struct project_call call = {.account_id = account_id, .id = id, .arena = arena, .before = project, .out = &after};
    rc = plan_and_store(engine, &call, &input, err);
    if (rc == 0)
        *out = call.spec;
    return rc;
}

static int approve_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct project_call *call = arg;
    struct project *project = NULL;
    int rc = load_project(journal->db, journal->arena, call->account_id, call->id, &project, err);
    if (rc == 0)
        rc = refuse_building(project, err);
    if (rc < 0)
        return rc;
    if (project->spec_version == 0)
        return err_set(err, ERR_CONFLICT, "There is no spec to approve yet; answer the questions first");
    if (project->state != PROJECT_SPEC_REVIEW)
        return err_set(err, ERR_CONFLICT, "There is no spec under review; the project is %s",
                       project_state_name(project->state));
    rc = store_spec_approve(journal->db, project->id, project->spec_version, journal->now_ms, err);
    if (rc == 0)
        rc = journal_project_move(journal, project, PROJECT_APPROVED, err);
    if (rc == 0)
        rc = store_spec_get(journal->db, call->arena, project->id, project->spec_version, &call->spec, err);
    return rc;
}

int engine_project_approve(struct engine *engine, const char *account_id, const char *id, struct arena *arena,
                           struct spec **out, struct err *err) {
    struct project_call call = {.account_id = account_id, .id = id, .arena = arena};
    int rc = journal_write(engine, approve_in_tx, &call, err);
    if (rc == 0)
        *out = call.spec;
    return rc;
}
