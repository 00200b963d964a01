/* journal: the only setter of states. */
#include "engine/journal.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/messages.h"
#include "engine/task_attempts.h"
#include "store/deliveries.h"
#include "store/jobs.h"
#include "store/projects.h"
#include "store/runs.h"

struct journal_call {
    struct journal journal;
    journal_fn *fn;
    void *arg;
};

static int journal_run(struct db *db, void *arg, struct err *err) {
    struct journal_call *call = arg;
    struct journal *journal = &call->journal;
    /* A group that is retried runs this again: start from nothing. */
    arena_reset(journal->arena);
    journal->db = db;
    journal->now_ms = clock_now_ms();
    journal->wakes_workers = journal->wakes_webhooks = false;
    journal->events = 0;
    journal->woken = NULL;
    journal->cancelled_run[0] = '\0';
    journal->notes = (struct task_notes){0};
    return call->fn(journal, call->arg, err);
}

static void journal_wake(const struct journal *journal) {
    atomic_fetch_add(&journal->engine->events_appended, journal->events);
    char topic[ID_LEN + 16];
    if (journal->cancelled_run[0]) {
        snprintf(topic, sizeof topic, "cancel:%s", journal->cancelled_run);
        bus_publish(journal->engine->bus, topic, 0);
    }
    for (const struct woken_run *woken = journal->woken; woken; woken = woken->next) {
        snprintf(topic, sizeof topic, "run:%s", woken->run_id);
        bus_publish(journal->engine->bus, topic, woken->sequence);
        snprintf(topic, sizeof topic, "project:%s", woken->project_id);
        bus_publish(journal->engine->bus, topic, 0);
    }
    if (journal->wakes_workers)
        bus_publish(journal->engine->bus, "jobs", 0);
    if (journal->wakes_webhooks)
        bus_publish(journal->engine->bus, "webhooks", 0);
}

int journal_write(struct engine *engine, journal_fn *fn, void *arg, struct err *err) {
    struct journal_call call = {.journal = {.engine = engine, .arena = arena_create()}, .fn = fn, .arg = arg};
    int rc = store_write(engine->store, journal_run, &call, err);
    if (rc == 0) {
        task_notes_write(&call.journal.notes, engine);
        journal_wake(&call.journal);
    }
    arena_destroy(call.journal.arena);
    return rc;
}

static int refuse_move(struct err *err, const char *what, const char *id, const char *from, const char *to) {
    return err_set(err, ERR_CONFLICT, "%s %s is %s and cannot become %s", what, id, from, to);
}

int journal_project_move(struct journal *journal, struct project *project, enum project_state to, struct err *err) {
    bool moved = false;
    enum project_state from = project->state;
    if (project_state_may_move(project->state, to)) {
        int rc = store_project_move(journal->db, project->id, project->state, to, journal->now_ms, &moved, err);
        if (rc < 0)
            return rc;
    }
    if (!moved)
        return refuse_move(err, "project", project->id, project_state_name(project->state), project_state_name(to));
    project->state = to;
    project->updated_ms = journal->now_ms;
    return messages_of_project(journal, project, from, err);
}

static void note_event(struct journal *journal, const struct task *task, const struct event *event) {
    const char *words = task_event_words(journal->arena, task, event->type, event->payload_json);
    bool is_last = event->type == EVENT_TASK_COMPLETED;
    if (words || is_last)
        task_notes_add(&journal->notes, journal->arena, task, journal->now_ms, str_or(words, "ended"), is_last);
}

void journal_note(struct journal *journal, const struct task *task, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(journal->arena, format, args);
    va_end(args);
    task_notes_add(&journal->notes, journal->arena, task, journal->now_ms, text, false);
}

static void wake_run(struct journal *journal, const struct run *run, int64_t sequence) {
    struct woken_run *woken = journal->woken;
    while (woken && !str_eq(woken->run_id, run->id))
        woken = woken->next;
    if (!woken) {
        woken = arena_alloc(journal->arena, sizeof *woken);
        str_copy(woken->run_id, sizeof woken->run_id, run->id);
        str_copy(woken->project_id, sizeof woken->project_id, run->project_id);
        woken->next = journal->woken;
        journal->woken = woken;
    }
    woken->sequence = sequence;
}

int journal_event(struct journal *journal, const struct run *run, const struct task *task, enum event_type type,
                  const char *payload_json, struct err *err) {
    struct event event = {
        .type = type, .payload_json = payload_json ? payload_json : "{}", .created_ms = journal->now_ms};
    id_make(event.id, "evt");
    str_copy(event.run_id, sizeof event.run_id, run->id);
    str_copy(event.project_id, sizeof event.project_id, run->project_id);
    if (task)
        str_copy(event.task_id, sizeof event.task_id, task->id);
    int rc = store_event_append(journal->db, &event, err);
    if (rc < 0)
        return rc;
    wake_run(journal, run, event.sequence);
    journal->events++;
    if (task)
        note_event(journal, task, &event);
    return messages_of_event(journal, &event, err);
}

/* {"status": …, "error": …} with further members of an object text, such as {"slug": "x"}. */
static const char *status_payload(struct journal *journal, const char *status, const char *error, const char *slug) {
    struct buf out = {0};
    struct jw jw;
    jw_init(&jw, &out);
    jw_object(&jw);
    if (slug)
        jw_kstr(&jw, "slug", slug);
    jw_kstr(&jw, "status", status);
    if (error)
        jw_kstr(&jw, "error", error);
    jw_object_end(&jw);
    const char *text = arena_strndup(journal->arena, out.data, out.len);
    buf_release(&out);
    return text;
}

/* A run that ends leaves no task open. */
static int close_tasks(struct journal *journal, const struct run *run, enum run_state to, struct err *err) {
    struct task *tasks = NULL;
    size_t count = 0;
    int rc = store_task_list(journal->db, journal->arena, run->id, &tasks, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct task *task = &tasks[i];
        if (task_state_is_terminal(task->state))
            continue;
        if (to == RUN_CANCELLED)
            rc = journal_task_move(journal, task, TASK_CANCELLED, NULL, err);
        else if (task->state == TASK_PENDING)
            rc = journal_task_move(journal, task, TASK_SKIPPED, NULL, err);
        else
            rc = journal_task_move(journal, task, TASK_FAILED, "the run ended", err);
    }
    return rc;
}

static int move_project_after_run(struct journal *journal, const struct run *run, enum run_state to, struct err *err) {
    struct project *project = NULL;
    int rc = store_project_get(journal->db, journal->arena, run->project_id, NULL, &project, err);
    if (rc < 0 || !project || project->state != PROJECT_BUILDING)
        return rc;
    enum project_state next = PROJECT_APPROVED;
    if (to == RUN_SUCCEEDED)
        next = PROJECT_BUILT;
    else if (to == RUN_FAILED)
        next = PROJECT_FAILED;
    return journal_project_move(journal, project, next, err);
}

static const struct {
    bool is_told;
    enum event_type type;
} run_move_events[] = {
    [RUN_QUEUED] = {false, 0},
    [RUN_DECOMPOSING] = {true, EVENT_RUN_STARTED},
    [RUN_EXECUTING] = {false, 0}, /* RUN_DECOMPOSED is told by decompose, with the tasks */
    [RUN_VERIFYING] = {true, EVENT_VERIFICATION_STARTED},
    [RUN_WAITING] = {true, EVENT_RUN_WAITING},
    [RUN_SUCCEEDED] = {true, EVENT_RUN_COMPLETED},
    [RUN_FAILED] = {true, EVENT_RUN_COMPLETED},
    [RUN_CANCELLED] = {true, EVENT_RUN_COMPLETED},
};

static int tell_run_move(struct journal *journal, const struct run *run, enum run_state from, const char *error,
                         struct err *err) {
    const char *payload = status_payload(journal, run_state_name(run->state), error, NULL);
    /* Whoever goes on began before. */
    if (from == RUN_WAITING && !run_state_is_terminal(run->state))
        return journal_event(journal, run, NULL, EVENT_RUN_RESUMED, payload, err);
    if (run->state == RUN_WAITING)
        payload = run->waiting_json;
    if (!run_move_events[run->state].is_told)
        return 0;
    return journal_event(journal, run, NULL, run_move_events[run->state].type, payload, err);
}

int journal_run_move(struct journal *journal, struct run *run, enum run_state to, const char *error, struct err *err) {
    bool moved = false;
    int rc = 0;
    bool is_terminal = run_state_is_terminal(to);
    if (is_terminal && !run_state_is_terminal(run->state))
        rc = close_tasks(journal, run, to, err);
    if (rc == 0 && run_state_may_move(run->state, to))
        rc = store_run_move(journal->db, run->id, run->state, to, error, journal->now_ms, &moved, err);
    if (rc < 0)
        return rc;
    if (!moved)
        return refuse_move(err, "run", run->id, run_state_name(run->state), run_state_name(to));
    enum run_state from = run->state;
    run->state = to;
    if (is_terminal)
        rc = move_project_after_run(journal, run, to, err);
    return rc < 0 ? rc : tell_run_move(journal, run, from, error, err);
}

/* What the task is tried again for. */
static const char *again_payload(struct journal *journal, const struct task *task, const char *reason) {
    CLEANUP(buf_release) struct buf out = {0};
    struct jw jw;
    jw_init(&jw, &out);
    jw_object(&jw);
    jw_kint(&jw, "attempt", task->attempts + 1);
    jw_kstr(&jw, "reason", reason);
    jw_object_end(&jw);
    return arena_strndup(journal->arena, out.data, out.len);
}

int journal_task_move(struct journal *journal, struct task *task, enum task_state to, const char *error,
                      struct err *err) {
    bool moved = false;
    if (task_state_may_move(task->state, to)) {
        const char *kept = to == TASK_PENDING ? NULL : error; /* it is why it is tried again, and no end */
        int rc = store_task_move(journal->db, task->id, task->state, to, kept, journal->now_ms, &moved, err);
        if (rc < 0)
            return rc;
    }
    if (!moved)
        return refuse_move(err, "task", task->id, task_state_name(task->state), task_state_name(to));
    task->state = to;
    int rc = attempt_follow(journal->db, journal->arena, journal->now_ms, task, to, error, err);
    if (rc < 0)
        return rc;
    struct run run = {0};
    str_copy(run.id, sizeof run.id, task->run_id);
    str_copy(run.project_id, sizeof run.project_id, task->project_id);
    if (to == TASK_RUNNING)
        return journal_event(journal, &run, task, EVENT_TASK_STARTED,
                             arena_printf(journal->arena, "{\"slug\":\"%s\",\"sequence\":%lld,\"attempt\":%lld}",
                                          task->slug, (long long)task->sequence, (long long)task->attempts),
                             err);
    if (to == TASK_PENDING)
        return journal_event(journal, &run, task, EVENT_TASK_RETRIED,
                             again_payload(journal, task, str_or(error, "it must")), err);
    return journal_event(journal, &run, task, EVENT_TASK_COMPLETED,
                         status_payload(journal, task_state_name(to), error, task->slug), err);
}

int journal_export_move(struct journal *journal, struct export *row, enum export_state to, struct err *err) {
    bool moved = false;
    if (export_state_may_move(row->state, to)) {
        int rc = store_export_move(journal->db, row, row->state, to, &moved, err);
        if (rc < 0)
            return rc;
    }
    if (!moved)
        return refuse_move(err, "export", row->id, export_state_name(row->state), export_state_name(to));
    row->state = to;
    return messages_of_export(journal, row, err);
}

int journal_deployment_move(struct journal *journal, struct deployment *row, enum deployment_state to,
                            struct err *err) {
    bool moved = false;
    row->updated_ms = journal->now_ms;
    if (deployment_state_may_move(row->state, to)) {
        int rc = store_deployment_move(journal->db, row, row->state, to, &moved, err);
        if (rc < 0)
            return rc;
    }
    if (!moved)
        return refuse_move(err, "deployment", row->id, deployment_state_name(row->state), deployment_state_name(to));
    row->state = to;
    return messages_of_deployment(journal, row, err);
}

int journal_enqueue(struct journal *journal, const struct job_spec *spec, struct err *err) {
    struct job job = {
        .kind = spec->kind,
        .state = JOB_PENDING,
        .payload_json = spec->payload_json,
        .run_after_ms = journal->now_ms + spec->delay_ms,
        .max_attempts = spec->max_attempts ? spec->max_attempts : 3,
        .created_ms = journal->now_ms,
    };
    id_make(job.id, "job");
    str_copy(job.project_id, sizeof job.project_id, spec->project_id);
    str_copy(job.run_id, sizeof job.run_id, str_or(spec->run_id, ""));
    str_copy(job.subject_id, sizeof job.subject_id, str_or(spec->subject_id, ""));
    if (spec->is_exclusive)
        snprintf(job.exclusive_key, sizeof job.exclusive_key, "%s:%s", job_kind_name(spec->kind),
                 spec->subject_id ? spec->subject_id : str_or(spec->run_id, spec->project_id));
    int rc = store_job_enqueue(journal->db, &job, NULL, err);
    if (rc == 0)
        journal->wakes_workers = true;
    return rc;
}
