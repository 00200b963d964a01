/* planning: from a description to an approved spec. Planning runs outside the transaction, which then checks that
 * nothing it was made from has changed meanwhile. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "engine/journal.h"
#include "engine/load.h"
#include "engine/model_source.h"
#include "engine/plannings.h"
#include "store/projects.h"

#define ROOM_WAIT_MS 60000 /* for calls of the same budget that are under way */

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

/* ---- who plans */

static int choose(struct engine *engine, const struct project *project, struct arena *arena, struct choice *out,
                  struct err *err) {
    struct db *db = NULL;
    int rc = store_reader(engine->store, &db, err);
    return rc < 0 ? rc : choice_of_project(engine, db, project, arena, out, err);
}

static bool is_by_model(const struct choice *choice) {
    return str_eq(choice->planner, "model");
}

static int open_source(struct engine *engine, const struct planning_order *order, const struct choice *choice,
                       const char *purpose, struct model_source *out, struct err *err) {
    const struct budget_scope scope = {.account_id = order->account_id,
                                       .project_id = order->id,
                                       .purpose = purpose,
                                       .wait_ms = ROOM_WAIT_MS,
                                       .is_cancelled = order->is_cancelled,
                                       .cancel_arg = order->cancel_arg};
    return model_source_init(out, engine, choice, &scope, err);
}

/* Whatever keeps the model from answering, it is not the fault of whoever asked; edited documents may be. */
static int blame_model(int rc, struct err *err) {
    if (rc == 0 || str_starts(err->field, "documents.") || err->code == ERR_QUOTA || err->code == ERR_BUDGET ||
        err->code == ERR_INTERNAL)
        return rc;
    err->code = ERR_UNAVAILABLE;
    err->field[0] = '\0';
    return -ERR_UNAVAILABLE;
}

/* All that planning begins from. */
static const char *state_text(struct arena *arena, const struct project *project) {
    return arena_printf(arena, "%s %s %lld\n%s\n%s\n%s\n%s\n%s", project->id, project_state_name(project->state),
                        (long long)project->spec_version, project->name, project->description,
                        str_or(project->questions_json, ""), str_or(project->answers_json, ""),
                        str_or(project->feedback_json, ""));
}

/* By blueprint at once, by model on a thread of its own. */
static int carry_out(struct engine *engine, const struct planning_order *order, struct arena *arena, struct err *err) {
    struct project *project = NULL;
    struct choice choice;
    int rc = load_project_read(engine, arena, order->account_id, order->id, &project, err);
    if (rc == 0)
        rc = choose(engine, project, arena, &choice, err);
    if (rc < 0)
        return rc;
    return is_by_model(&choice) ? plannings_run(engine->plannings, order, state_text(arena, project), arena, err)
                                : order->carry_out(engine, order, arena, err);
}

/* ---- questions */

static int make_questions(struct engine *engine, const struct planning_order *order, const struct choice *choice,
                          const struct planner_input *input, struct arena *arena, json_t **questions, struct err *err) {
    const struct planner *planner;
    struct model_source source;
    if (!is_by_model(choice)) {
        int rc = engine_planner(engine, &planner, err);
        return rc < 0 ? rc : planner_questions(planner, input, arena, questions, err);
    }
    int rc = open_source(engine, order, choice, "questions", &source, err);
    if (rc == 0)
        rc = model_questions(&source.by, input, arena, questions, &source.failure, err);
    return blame_model(rc, err);
}

static int clarify(struct engine *engine, const struct planning_order *order, struct arena *arena, struct err *err) {
    struct project *project = NULL;
    struct planner_input input;
    struct choice choice;
    json_t *asked = NULL;
    int rc = load_project_read(engine, arena, order->account_id, order->id, &project, err);
    if (rc == 0)
        rc = load_refuse_building(project, err);
    if (rc == 0)
        rc = planner_input_of(project, arena, &input, err);
    if (rc == 0)
        rc = choose(engine, project, arena, &choice, err);
    if (rc == 0)
        rc = make_questions(engine, order, &choice, &input, arena, &asked, err);
    if (rc < 0)
        return rc;
    struct planning_call call = {
        .account_id = order->account_id, .id = order->id, .before = project, .questions_json = json_text(arena, asked)};
    *order->questions = asked;
    return journal_write(engine, clarify_in_tx, &call, err);
}

int engine_project_clarify(struct engine *engine, const char *account_id, const char *id, struct arena *arena,
                           json_t **questions, struct err *err) {
    return carry_out(
        engine,
        &(struct planning_order){.carry_out = clarify, .account_id = account_id, .id = id, .questions = questions},
        arena, err);
}

/* ---- a spec */

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

static struct spec *spec_of(struct arena *arena, const struct planner_spec *made) {
    struct spec *spec = arena_alloc(arena, sizeof *spec);
    spec->documents_json = json_text(arena, made->documents);
    spec->plan_json = json_text(arena, made->plan);
    spec->open_points_json = json_text(arena, made->open_points);
    return spec;
}

/* The version before; *base is all zero when there is none. */
static int load_base(struct engine *engine, const struct project *project, struct arena *arena,
                     struct planner_base *base, struct err *err) {
    struct spec *spec = NULL;
    struct db *db = NULL;
    json_t *plan = NULL, *documents = NULL;
    *base = (struct planner_base){0};
    if (project->spec_version == 0)
        return 0;
    int rc = store_reader(engine->store, &db, err);
    if (rc == 0)
        rc = store_spec_get(db, arena, project->id, project->spec_version, &spec, err);
    if (rc == 0 && !spec)
        return err_set(err, ERR_INTERNAL, "spec version %lld of project %s does not exist",
                       (long long)project->spec_version, project->id);
    if (rc == 0)
        rc = json_parse(arena, spec->plan_json, strlen(spec->plan_json), &plan, err);
    if (rc == 0)
        rc = json_parse(arena, spec->documents_json, strlen(spec->documents_json), &documents, err);
    if (rc == 0)
        *base = (struct planner_base){.plan = plan, .documents = documents};
    return rc;
}

static int spec_by_model(struct engine *engine, const struct planning_order *order, const struct choice *choice,
                         const struct planner_input *input, const struct planner_base *base, struct arena *arena,
                         struct planner_spec *out, struct err *err) {
    struct model_source source;
    int rc = open_source(engine, order, choice, "spec", &source, err);
    if (rc == 0)
        rc = model_spec(&source.by, input, base, arena, out, &source.failure, err);
    return blame_model(rc, err);
}

/* Plans from input and stores the next version. base: what it begins from, or NULL. after: the project with what is to
 * be stored with it. */
static int plan_and_store(struct engine *engine, const struct planning_order *order, struct project *before,
                          struct project *after, const struct planner_input *input, const struct planner_base *base,
                          struct arena *arena, struct err *err) {
    const struct planner *planner;
    struct planner_spec made;
    struct choice choice;
    int rc = choose(engine, before, arena, &choice, err);
    if (rc == 0 && is_by_model(&choice)) {
        rc = spec_by_model(engine, order, &choice, input, base, arena, &made, err);
    } else if (rc == 0) {
        rc = engine_planner(engine, &planner, err);
        if (rc == 0)
            rc = planner_spec(planner, input, arena, &made, err);
    }
    if (rc < 0)
        return rc;
    struct planning_call call = {.account_id = order->account_id,
                                 .id = order->id,
                                 .arena = arena,
                                 .before = before,
                                 .out = after,
                                 .spec = spec_of(arena, &made),
                                 .made = order->spec};
    return journal_write(engine, spec_in_tx, &call, err);
}

static int answer(struct engine *engine, const struct planning_order *order, struct arena *arena, struct err *err) {
    struct project *project = NULL;
    struct planner_input input;
    int rc = load_project_read(engine, arena, order->account_id, order->id, &project, err);
    if (rc == 0)
        rc = load_refuse_building(project, err);
    if (rc < 0)
        return rc;
    if (!project->questions_json || (project->state != PROJECT_CLARIFYING && project->state != PROJECT_SPEC_REVIEW))
        return err_set(err, ERR_CONFLICT, "There are no open questions; ask for them with clarify first");
    rc = planner_input_of(project, arena, &input, err);
    if (rc == 0)
        rc = planner_check_answers(input.questions, order->answers, err);
    if (rc < 0)
        return rc;
    input.answers = order->answers;
    struct project after = *project;
    after.answers_json = json_text(arena, order->answers);
    return plan_and_store(engine, order, project, &after, &input, NULL, arena, err);
}

int engine_project_answer(struct engine *engine, const char *account_id, const char *id, const json_t *answers,
                          struct arena *arena, struct spec **out, struct err *err) {
    return carry_out(engine,
                     &(struct planning_order){
                         .carry_out = answer, .account_id = account_id, .id = id, .answers = answers, .spec = out},
                     arena, err);
}

static int regenerate(struct engine *engine, const struct planning_order *order, struct arena *arena, struct err *err) {
    struct project *project = NULL;
    struct planner_input input;
    struct planner_base base;
    int rc = load_project_read(engine, arena, order->account_id, order->id, &project, err);
    if (rc == 0)
        rc = load_refuse_building(project, err);
    if (rc < 0)
        return rc;
    if (project->spec_version == 0 || project->state == PROJECT_CLARIFYING)
        return err_set(err, ERR_CONFLICT, "There is no spec to regenerate yet; answer the questions first");
    rc = planner_input_of(project, arena, &input, err);
    if (rc == 0)
        rc = load_base(engine, project, arena, &base, err);
    if (rc < 0)
        return rc;
    struct project after = *project;
    if (order->feedback) {
        /* planner_input_of leaves room for one more. */
        ((const char **)input.feedback)[input.feedback_count++] = order->feedback;
        json_t *all = json_own(arena, json_array());
        for (size_t i = 0; i < input.feedback_count; i++)
            json_array_append_new(all, json_string(input.feedback[i]));
        after.feedback_json = json_text(arena, all);
    }
    return plan_and_store(engine, order, project, &after, &input, &base, arena, err);
}

int engine_project_regenerate(struct engine *engine, const char *account_id, const char *id, const char *feedback,
                              struct arena *arena, struct spec **out, struct err *err) {
    return carry_out(
        engine,
        &(struct planning_order){
            .carry_out = regenerate, .account_id = account_id, .id = id, .feedback = feedback, .spec = out},
        arena, err);
}

/* ---- a person's edit */

/* *feedback stays NULL when the project's own stays. */
static int plan_edit(struct engine *engine, const struct planning_order *order, const struct project *project,
                     const struct planner_base *base, struct arena *arena, struct planner_spec *made, json_t **feedback,
                     struct err *err) {
    const struct planner *planner;
    struct planner_input input;
    struct choice choice;
    int rc = planner_input_of(project, arena, &input, err);
    if (rc == 0)
        rc = choose(engine, project, arena, &choice, err);
    if (rc < 0)
        return rc;
    if (is_by_model(&choice))
        return spec_by_model(engine, order, &choice, &input, base, arena, made, err);
    if (plan_is_by_model(base->plan))
        return err_set(err, ERR_CONFLICT,
                       "A model made this version, and the project is planned by blueprint now; regenerate it first");
    struct planner_edit edit = {.input = &input, .plan = base->plan, .before = base->documents, .after = base->edited};
    rc = engine_planner(engine, &planner, err);
    return rc < 0 ? rc : planner_edit(planner, &edit, arena, made, feedback, err);
}

static int edit_spec(struct engine *engine, const struct planning_order *order, struct arena *arena, struct err *err) {
    struct project *project = NULL;
    struct planner_base base;
    struct planner_spec made;
    json_t *feedback = NULL;
    int rc = load_project_read(engine, arena, order->account_id, order->id, &project, err);
    if (rc == 0)
        rc = load_refuse_building(project, err);
    if (rc < 0)
        return rc;
    if (project->spec_version == 0 || project->state == PROJECT_CLARIFYING)
        return err_set(err, ERR_CONFLICT, "There is no spec to edit yet; answer the questions first");
    if (order->version && order->version != project->spec_version)
        return err_field(err, ERR_CONFLICT, "version", "The newest version of the spec is %lld",
                         (long long)project->spec_version);
    rc = load_base(engine, project, arena, &base, err);
    if (rc < 0)
        return rc;
    json_t *edited = json_own(arena, json_deep_copy(base.documents));
    json_object_update_existing(edited, (json_t *)order->documents);
    base.edited = edited;
    rc = plan_edit(engine, order, project, &base, arena, &made, &feedback, err);
    if (rc < 0)
        return rc;
    struct project after = *project;
    if (feedback)
        after.feedback_json = json_text(arena, feedback);
    struct planning_call call = {.account_id = order->account_id,
                                 .id = order->id,
                                 .arena = arena,
                                 .before = project,
                                 .out = &after,
                                 .spec = spec_of(arena, &made),
                                 .made = order->spec};
    call.spec->is_edited = true;
    return journal_write(engine, spec_in_tx, &call, err);
}

int engine_project_edit_spec(struct engine *engine, const char *account_id, const char *id, const json_t *documents,
                             int64_t version, struct arena *arena, struct spec **out, struct err *err) {
    return carry_out(engine,
                     &(struct planning_order){.carry_out = edit_spec,
                                              .account_id = account_id,
                                              .id = id,
                                              .documents = documents,
                                              .version = version,
                                              .spec = out},
                     arena, err);
}

/* ---- approval */

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
