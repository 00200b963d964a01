/* rework: what verification found wrong, traced to the tasks that were to bring it about, which are done again. */
#include "engine/rework.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/choice.h"
#include "engine/load.h"
#include "engine/steps.h"
#include "engine/task_attempts.h"
#include "store/runs.h"

#define EVIDENCE_BYTES 2000  /* of one criterion */
#define OUTPUT_BYTES 4000    /* of a command, its end */
#define FEEDBACK_BYTES 16000 /* of all that a task is told */
#define CONFLICT_PATHS 5     /* described of a conflict */
#define CONFLICT_BYTES 3000  /* of each as it is now */
#define OWN_CHANGE_BYTES 8000
#define FILE_BYTES (1 << 20)

/* A task, and what it is to be told. */
struct suspect {
    struct task *task;
    json_t *definition;
    const char *feedback; /* NULL: it is not to blame */
    int64_t failures;
    bool can_learn; /* its agent makes more of it when it is told */
};

struct trace {
    struct arena *arena;
    struct suspect *items;
    size_t count;
};

static void blame(struct trace *trace, struct suspect *suspect, const char *text) {
    const char *before = suspect->feedback ? suspect->feedback : "Verification of the merged work found:";
    if (suspect->task->state == TASK_SUCCEEDED && strlen(before) < FEEDBACK_BYTES)
        suspect->feedback = arena_printf(trace->arena, "%s\n\n%s", before, text);
}

static const char *cut(struct arena *arena, const char *text, size_t most) {
    return strlen(text) > most ? str_mend(arena, arena_strndup(arena, text, most)) : text;
}

/* ---- Criteria that were tried, and failed */

static bool was_reached(const json_t *criterion) {
    return !str_starts(json_str(criterion, "fault", ""), "not reached:");
}

static const char *criterion_text(struct arena *arena, const json_t *criterion) {
    const json_t *evidence = json_object_get(criterion, "evidence");
    return arena_printf(arena, "%s (%s) is not met: %s\nIt says: %s\nEvidence: %s", json_str(criterion, "id", ""),
                        json_str(criterion, "title", ""), json_str(criterion, "fault", ""),
                        json_str(criterion, "statement", ""),
                        cut(arena, evidence ? json_text(arena, evidence) : "none", EVIDENCE_BYTES));
}

static size_t blame_criteria(struct trace *trace, const json_t *result) {
    json_t *criterion, *id;
    size_t i, k, blamed = 0;
    json_array_foreach (json_object_get(result, "criteria"), i, criterion) {
        if (!str_eq(json_str(criterion, "status", ""), "failed") || !was_reached(criterion))
            continue;
        json_array_foreach (json_object_get(criterion, "tasks"), k, id) {
            for (size_t n = 0; n < trace->count; n++) {
                if (!str_eq(json_str(trace->items[n].definition, "id", ""), json_string_value(id)))
                    continue;
                blame(trace, &trace->items[n], criterion_text(trace->arena, criterion));
                blamed++;
            }
        }
    }
    return blamed;
}

/* ---- Checks of the whole: whose files they name; else, when nothing else is known, the task that saw all others */

static bool is_criterion(const json_t *result, const char *id) {
    json_t *criterion;
    size_t i;
    json_array_foreach (json_object_get(result, "criteria"), i, criterion) {
        if (str_eq(json_str(criterion, "id", NULL), id))
            return true;
    }
    return false;
}

static bool names_file_of(struct arena *arena, const struct suspect *suspect, const char *text) {
    static const char *const lists[] = {"filesCreated", "filesModified"};
    json_t *result = NULL, *path;
    struct err err = {0};
    size_t i;
    const char *stored = str_or(suspect->task->result_json, "{}");
    json_array_foreach (json_object_get(suspect->definition, "expectedOutputs"), i, path) {
        if (strstr(text, json_string_value(path)))
            return true;
    }
    if (json_parse(arena, stored, strlen(stored), &result, &err) < 0)
        return false;
    for (size_t n = 0; n < ARRAY_LEN(lists); n++) {
        json_array_foreach (json_object_get(result, lists[n]), i, path) {
            if (strstr(text, str_or(json_string_value(path), "\n\n")))
                return true;
        }
    }
    return false;
}

static void blame_checks(struct trace *trace, const json_t *result, bool may_guess) {
    json_t *check;
    size_t i;
    json_array_foreach (json_object_get(result, "checks"), i, check) {
        if (!str_eq(json_str(check, "status", ""), "failed") || is_criterion(result, json_str(check, "id", "")))
            continue;
        const json_t *exchanges = json_object_get(check, "exchanges");
        const char *text =
            arena_printf(trace->arena, "%s: %s\n%s\n%s%s", json_str(check, "title", ""), json_str(check, "fault", ""),
                         json_str(check, "command", ""), str_tail(json_str(check, "output", ""), OUTPUT_BYTES),
                         exchanges ? cut(trace->arena, json_text(trace->arena, exchanges), EVIDENCE_BYTES) : "");
        bool is_named = false;
        for (size_t n = 0; n < trace->count; n++) {
            if (!names_file_of(trace->arena, &trace->items[n], text))
                continue;
            blame(trace, &trace->items[n], text);
            is_named = true;
        }
        if (!is_named && may_guess && trace->count > 0)
            blame(trace, &trace->items[trace->count - 1], text);
    }
}

/* A criterion that nobody knows how to prove fails the run, whatever is done. */
static bool is_hopeless(const json_t *result) {
    json_t *criterion;
    size_t i;
    json_array_foreach (json_object_get(result, "criteria"), i, criterion) {
        if (str_eq(json_str(criterion, "status", ""), "unproven"))
            return true;
    }
    return json_array_size(json_object_get(result, "criteria")) == 0;
}

/* ---- Sending back */

static int load_suspects(struct journal *journal, const struct run *run, struct trace *trace, struct err *err) {
    struct task *tasks = NULL;
    int rc = store_task_list(journal->db, journal->arena, run->id, &tasks, &trace->count, err);
    trace->arena = journal->arena;
    trace->items = arena_array(journal->arena, trace->count + 1, sizeof *trace->items);
    for (size_t i = 0; rc == 0 && i < trace->count; i++) {
        struct attempt_record record = {0};
        trace->items[i].task = &tasks[i];
        rc = load_definition(&tasks[i], journal->arena, &trace->items[i].definition, err);
        if (rc == 0)
            rc = attempt_look(journal->db, journal->arena, tasks[i].id, &record, err);
        trace->items[i].failures = record.failures;
        if (rc == 0)
            rc = choice_learns(journal->engine, journal->db, run, &tasks[i], journal->arena, &trace->items[i].can_learn,
                               err);
    }
    return rc;
}

static int send_back(struct journal *journal, const struct suspect *suspect, struct err *err) {
    struct task *task = suspect->task;
    const char *reason = "verification found its work wanting";
    struct attempt_end end = {
        .from = ATTEMPT_SUCCEEDED, .to = ATTEMPT_REJECTED, .error = reason, .feedback = suspect->feedback};
    int rc = attempt_move(journal->db, journal->arena, journal->now_ms, task, &end, err);
    if (rc < 0)
        return rc;
    task->commit_sha[0] = '\0';
    task->merge_sha[0] = '\0';
    rc = store_task_update(journal->db, task, err);
    return rc < 0 ? rc : journal_task_move(journal, task, TASK_PENDING, reason, err);
}

int rework_begin(struct journal *journal, struct run *run, const json_t *result, bool *is_sent, struct err *err) {
    struct trace trace = {0};
    size_t able = 0;
    *is_sent = false;
    if (is_hopeless(result))
        return 0;
    int rc = load_suspects(journal, run, &trace, err);
    if (rc < 0)
        return rc;
    size_t blamed = blame_criteria(&trace, result);
    blame_checks(&trace, result, blamed == 0);
    for (size_t i = 0; i < trace.count; i++) {
        /* This failure is one, too. */
        if (trace.items[i].failures + 1 >= run->max_attempts || !trace.items[i].can_learn)
            trace.items[i].feedback = NULL;
        able += trace.items[i].feedback != NULL;
    }
    for (size_t i = 0; rc == 0 && i < trace.count; i++)
        if (trace.items[i].feedback)
            rc = send_back(journal, &trace.items[i], err);
    if (rc < 0 || able == 0)
        return rc;
    rc = journal_run_move(journal, run, RUN_EXECUTING, NULL, err);
    *is_sent = rc == 0;
    return rc < 0 ? rc : step_schedule(journal, run, err);
}

/* ---- Conflicts */

const char *rework_conflict(struct repo *repo, struct arena *arena, const char *head_sha, const struct task *task,
                            const struct merge_result *merge) {
    CLEANUP(buf_release) struct buf own = {0};
    struct err err = {0};
    const char *text = "Your change does not merge with what was merged meanwhile. Do the task again on what is there "
                       "now. These files conflict, and this is how they are now:";
    for (size_t i = 0; i < merge->conflict_count && i < CONFLICT_PATHS; i++) {
        const char *data = "";
        size_t len = 0;
        bool is_there = repo_read(repo, arena, head_sha, merge->conflicts[i], FILE_BYTES, &data, &len, &err) == 0;
        text = arena_printf(
            arena, "%s\n\n--- %s%s\n%s", text, merge->conflicts[i], is_there ? "" : " (removed)",
            is_there ? str_mend(arena, arena_strndup(arena, data, len < CONFLICT_BYTES ? len : CONFLICT_BYTES)) : "");
    }
    if (merge->conflict_count > CONFLICT_PATHS)
        text = arena_printf(arena, "%s\n\nand %zu more", text, merge->conflict_count - CONFLICT_PATHS);
    if (repo_patch(repo, task->commit_sha, 3, &own, &err) < 0 || own.len == 0)
        return text;
    size_t len = own.len < OWN_CHANGE_BYTES ? own.len : OWN_CHANGE_BYTES;
    return arena_printf(arena, "%s\n\nThis was your change:\n%s", text,
                        str_mend(arena, arena_strndup(arena, own.data, len)));
}
