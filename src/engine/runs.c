/* runs: beginning, retrying and cancelling a run. */
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "engine/bell.h"
#include "engine/journal.h"
#include "engine/load.h"
#include "engine/queue.h"
#include "engine/settings.h"
#include "engine/steps.h"
#include "engine/task_attempts.h"
#include "store/jobs.h"
#include "store/projects.h"
#include "store/runs.h"

struct run_call {
    const char *account_id, *project_id, *run_id, *task_id, *trigger;
    bool may_queue;
    struct spending_limits limits;
    int64_t max_attempts;            /* 0: the default */
    const struct run_agents *agents; /* or NULL */
    struct run *run;
    struct build_room *room;
    struct arena *arena; /* of the room */
};

/* A run of this spec version begins, or waits: the row, its first event, its first job, the project's state, all or
 * nothing. old: which it is another try of, or NULL. */
static int begin_run(struct journal *journal, struct project *project, int64_t spec_version, const struct run *old,
                     struct run_call *call, struct err *err) {
    static const struct run_agents nobody;
    struct run *run = call->run;
    if (project->state == PROJECT_ARCHIVED)
        return err_set(err, ERR_CONFLICT, "The project is archived");
    if (project->state == PROJECT_BUILDING)
        return err_set(err, ERR_CONFLICT, "A run of this project is active already");
    if (project->state != PROJECT_APPROVED && project->state != PROJECT_BUILT && project->state != PROJECT_FAILED)
        return err_set(err, ERR_CONFLICT, "The project has no approved spec; it is %s",
                       project_state_name(project->state));
    *run = (struct run){.state = RUN_QUEUED,
                        .trigger = call->trigger,
                        .spec_version = spec_version,
                        .limits = call->limits,
                        .max_attempts = call->max_attempts ? call->max_attempts : TASK_ATTEMPTS_DEFAULT,
                        .settings_json = old ? old->settings_json : NULL,
                        .created_ms = journal->now_ms};
    id_make(run->id, "run");
    str_copy(run->project_id, sizeof run->project_id, project->id);
    if (call->task_id)
        str_copy(run->resumes_run_id, sizeof run->resumes_run_id, old->id);
    int rc = settings_apply_run(journal, run, call->agents ? call->agents : &nobody, err);
    if (rc == 0 && run->settings_json)
        run->settings_json = arena_strdup(call->arena, run->settings_json);
    if (rc == 0)
        rc = store_run_insert(journal->db, run, err);
    if (rc == 0)
        rc = journal_project_move(journal, project, PROJECT_BUILDING, err);
    return rc < 0 ? rc : queue_begin(journal, project->account_id, run, call->may_queue, call->room, call->arena, err);
}

static int create_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct run_call *call = arg;
    struct project *project = NULL;
    int rc = load_project(journal->db, journal->arena, call->account_id, call->project_id, &project, err);
    return rc < 0 ? rc : begin_run(journal, project, project->spec_version, NULL, call, err);
}

/* A task that may be tried again: it did not succeed, and nobody works on it. */
static int check_task(struct journal *journal, const char *task_id, const struct run *old, struct err *err) {
    struct task *task = NULL;
    int rc = store_task_get(journal->db, journal->arena, task_id, old->id, &task, err);
    if (rc == 0 && !task)
        return err_set(err, ERR_NOT_FOUND, "Task not found");
    if (rc == 0 && task->state == TASK_SUCCEEDED)
        return err_set(err, ERR_CONFLICT, "The task succeeded; there is nothing to try again");
    return rc;
}

static int retry_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct run_call *call = arg;
    struct project *project = NULL;
    struct run *old = NULL;
    int rc = load_run(journal->db, journal->arena, call->account_id, call->project_id, call->run_id, &old, err);
    if (rc == 0)
        rc = load_project(journal->db, journal->arena, call->account_id, call->project_id, &project, err);
    if (rc == 0 && call->task_id)
        rc = check_task(journal, call->task_id, old, err);
    if (rc < 0)
        return rc;
    if (!run_state_is_terminal(old->state))
        return err_set(err, ERR_CONFLICT, "The run is %s; only a run that ended can be tried again",
                       run_state_name(old->state));
    call->limits = old->limits;
    call->max_attempts = old->max_attempts;
    return rc < 0 ? rc : begin_run(journal, project, old->spec_version, old, call, err);
}

int engine_run_create(struct engine *engine, const char *account_id, const char *project_id,
                      const struct run_request *request, struct arena *arena, struct run **out, struct build_room *room,
                      struct err *err) {
    struct run_call call = {.account_id = account_id,
                            .project_id = project_id,
                            .trigger = arena_strdup(arena, request->trigger),
                            .may_queue = request->may_queue,
                            .limits = request->limits ? *request->limits : SPENDING_UNLIMITED,
                            .max_attempts = request->max_attempts,
                            .agents = request->agents,
                            .run = arena_alloc(arena, sizeof(struct run)),
                            .room = room,
                            .arena = arena};
    *out = call.run;
    return journal_write(engine, create_in_tx, &call, err);
}

int engine_run_retry(struct engine *engine, const char *account_id, const char *project_id, const char *run_id,
                     const char *task_id, const struct run_request *request, struct arena *arena, struct run **out,
                     struct build_room *room, struct err *err) {
    struct run_call call = {.account_id = account_id,
                            .project_id = project_id,
                            .run_id = run_id,
                            .task_id = task_id,
                            .trigger = "retry",
                            .may_queue = request->may_queue,
                            .agents = request->agents,
                            .run = arena_alloc(arena, sizeof(struct run)),
                            .room = room,
                            .arena = arena};
    *out = call.run;
    return journal_write(engine, retry_in_tx, &call, err);
}

static int cancel_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct run_call *call = arg;
    struct run *run = NULL;
    bool is_ending = false;
    int rc = load_run(journal->db, journal->arena, call->account_id, call->project_id, call->run_id, &run, err);
    if (rc < 0)
        return rc;
    if (run_state_is_terminal(run->state))
        return err_set(err, ERR_CONFLICT, "The run is %s already", run_state_name(run->state));
    if (run->is_cancel_requested)
        return 0;
    /* One that waits has nothing to clean: it ends at once. */
    if (run->state == RUN_QUEUED)
        return journal_run_move(journal, run, RUN_CANCELLED, NULL, err);
    rc = step_is_ending(journal, run, &is_ending, err);
    if (rc == 0 && is_ending)
        return err_set(err, ERR_CONFLICT, "The run is ending already");
    if (rc == 0)
        rc = store_run_request_cancel(journal->db, run->id, err);
    if (rc == 0)
        rc = store_job_delete_pending(journal->db, run->id, err);
    if (rc == 0)
        rc = journal_enqueue(journal,
                             &(struct job_spec){.kind = JOB_RUN_FINISH,
                                                .project_id = run->project_id,
                                                .run_id = run->id,
                                                .is_exclusive = true,
                                                .payload_json = "{\"status\":\"cancelled\"}",
                                                .max_attempts = 20},
                             err);
    str_copy(journal->cancelled_run, sizeof journal->cancelled_run, run->id);
    return rc;
}

int engine_run_cancel(struct engine *engine, const char *account_id, const char *project_id, const char *run_id,
                      int64_t wait_ms, struct arena *arena, struct run **out, struct err *err) {
    struct run_call call = {.account_id = account_id, .project_id = project_id, .run_id = run_id};
    struct bell bell;
    struct db *db = NULL;
    struct run *run = NULL;
    int rc = bell_init(&bell, engine, arena_printf(arena, "run:%s", run_id), err);
    if (rc == 0)
        rc = store_reader(engine->store, &db, err);
    if (rc == 0)
        rc = journal_write(engine, cancel_in_tx, &call, err);
    int64_t deadline = clock_mono_ms() + wait_ms;
    while (rc == 0) {
        rc = load_run(db, arena, account_id, project_id, run_id, &run, err);
        if (rc < 0 || run_state_is_terminal(run->state) || clock_mono_ms() >= deadline)
            break;
        bell_wait(&bell, deadline - clock_mono_ms());
    }
    bell_release(&bell);
    if (rc == 0)
        *out = run;
    return rc;
}
