/* planning: from a description to an approved spec. Planning runs outside the transaction, which then checks that
 * nothing it was made from has changed meanwhile. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "engine/journal.h"
#include "engine/load.h"
#include "store/projects.h"

struct planning_call {
    const char *account_id, *id;
    struct arena *arena;
    /* made by planning */
    const char *questions_json;
    struct project *before;
    struct spec *spec;
    struct spec **made; /* the caller's: is spec by the end of the transaction */
    struct project *out;
};

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
static int reload_unchanged(struct journal *journal, const struct planning_call *call, struct project **out,
                            struct err *err) {
    int rc = load_project(journal->db, journal->arena, call->account_id, call->id, out, err);
    if (rc == 0)
        rc = load_refuse_building(*out, err);
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
    struct planning_call *call = arg;
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
        rc = load_refuse_building(project, err);
    if (rc == 0)
        rc = planner_input_of(project, arena, &input, err);
    if (rc == 0)
        rc = engine_planner(engine, &planner, err);
    if (rc == 0)
        rc = planner_questions(planner, &input, arena, &asked, err);
    if (rc < 0)
        return rc;
    struct planning_call call = {
        .account_id = account_id, .id = id, .before = project, .questions_json = json_text(arena, asked)};
    *questions = asked;
    return journal_write(engine, clarify_in_tx, &call, err);
}

static int spec_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct planning_call *call = arg;
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
    *call->made = spec;
    rc = store_spec_insert(journal->db, spec, err);
    if (rc == 0)
        rc = store_project_set_planning(journal->db, project, err);
    return rc < 0 ? rc : journal_project_move(journal, project, PROJECT_SPEC_REVIEW, err);
}

/* Plans from input and stores the next version; `after` carries the answers and feedback to store with it. */
static int plan_and_store(struct engine *engine, struct planning_call *call, const struct planner_input *input,
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
        rc = load_refuse_building(project, err);
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
    struct planning_call call = {
        .account_id = account_id, .id = id, .arena = arena, .before = project, .out = &after, .made = out};
    return plan_and_store(engine, &call, &input, err);
}

int engine_project_regenerate(struct engine *engine, const char *account_id, const char *id, const char *feedback,
                              struct arena *arena, struct spec **out, struct err *err) {
    struct project *project = NULL;
    struct planner_input input;
    int rc = load_project_read(engine, arena, account_id, id, &project, err);
    if (rc == 0)
        rc = load_refuse_building(project, err);
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
    struct planning_call call = {
        .account_id = account_id, .id = id, .arena = arena, .before = project, .out = &after, .made = out};
    return plan_and_store(engine, &call, &input, err);
}

/* ---- a person's edit */

static int load_newest(struct engine *engine, const struct project *project, struct arena *arena, struct spec **spec,
                       struct err *err) {
    struct db *db = NULL;
    int rc = store_reader(engine->store, &db, err);
    if (rc == 0)
        rc = store_spec_get(db, arena, project->id, project->spec_version, spec, err);
    if (rc == 0 && !*spec)
        return err_set(err, ERR_INTERNAL, "spec version %lld of project %s does not exist",
                       (long long)project->spec_version, project->id);
    return rc;
}

static int plan_edit(struct engine *engine, const struct project *project, const json_t *documents,
                     struct planning_call *call, struct err *err) {
    struct arena *arena = call->arena;
    struct planner_input input;
    struct planner_edit edit = {.input = &input};
    struct planner_spec made;
    const struct planner *planner;
    struct spec *spec = NULL;
    json_t *plan = NULL, *before = NULL, *feedback = NULL;
    int rc = planner_input_of(project, arena, &input, err);
    if (rc == 0)
        rc = load_newest(engine, project, arena, &spec, err);
    if (rc == 0)
        rc = json_parse(arena, spec->plan_json, strlen(spec->plan_json), &plan, err);
    if (rc == 0)
        rc = json_parse(arena, spec->documents_json, strlen(spec->documents_json), &before, err);
    if (rc == 0)
        rc = engine_planner(engine, &planner, err);
    if (rc < 0)
        return rc;
    json_t *after = json_own(arena, json_deep_copy(before));
    json_object_update_existing(after, (json_t *)documents);
    edit.plan = plan;
    edit.before = before;
    edit.after = after;
    rc = planner_edit(planner, &edit, arena, &made, &feedback, err);
    if (rc < 0)
        return rc;
    call->out->feedback_json = json_text(arena, feedback);
    call->spec = arena_alloc(arena, sizeof *call->spec);
    call->spec->is_edited = true;
    call->spec->documents_json = json_text(arena, made.documents);
    call->spec->plan_json = json_text(arena, made.plan);
    call->spec->open_points_json = json_text(arena, made.open_points);
    return 0;
}

int engine_project_edit_spec(struct engine *engine, const char *account_id, const char *id, const json_t *documents,
                             int64_t version, struct arena *arena, struct spec **out, struct err *err) {
    struct project *project = NULL;
    int rc = load_project_read(engine, arena, account_id, id, &project, err);
    if (rc == 0)
        rc = load_refuse_building(project, err);
    if (rc < 0)
        return rc;
    if (project->spec_version == 0 || project->state == PROJECT_CLARIFYING)
        return err_set(err, ERR_CONFLICT, "There is no spec to edit yet; answer the questions first");
    if (version && version != project->spec_version)
        return err_field(err, ERR_CONFLICT, "version", "The newest version of the spec is %lld",
                         (long long)project->spec_version);
    struct project after = *project;
    struct planning_call call = {
        .account_id = account_id, .id = id, .arena = arena, .before = project, .out = &after, .made = out};
    rc = plan_edit(engine, project, documents, &call, err);
    return rc < 0 ? rc : journal_write(engine, spec_in_tx, &call, err);
}

static int approve_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct planning_call *call = arg;
    struct project *project = NULL;
    int rc = load_project(journal->db, journal->arena, call->account_id, call->id, &project, err);
    if (rc == 0)
        rc = load_refuse_building(project, err);
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
        rc = store_spec_get(journal->db, call->arena, project->id, project->spec_version, call->made, err);
    return rc;
}

int engine_project_approve(struct engine *engine, const char *account_id, const char *id, struct arena *arena,
                           struct spec **out, struct err *err) {
    struct planning_call call = {.account_id = account_id, .id = id, .arena = arena, .made = out};
    return journal_write(engine, approve_in_tx, &call, err);
}
