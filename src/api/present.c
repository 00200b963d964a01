/* present: things as JSON, in the words of the contract. */
#include "api/present.h"

#include "api/settings.h"
#include "api/spending.h"

#include <string.h>

#include "base/str.h"

void present_project_members(struct jw *jw, struct api_call *call, const struct project *project) {
    jw_kstr(jw, "id", project->id);
    jw_kstr(jw, "name", project->name);
    jw_kstr(jw, "description", project->description);
    jw_kstr(jw, "status", project_state_name(project->state));
    jw_kstr(jw, "repoPath", engine_repo_path(call->engine, project->id, call->arena));
    jw_ktime(jw, "createdAt", project->created_ms);
    jw_ktime(jw, "updatedAt", project->updated_ms);
}

void present_spec(struct jw *jw, const struct spec *spec) {
    if (!spec) {
        jw_null(jw);
        return;
    }
    jw_object(jw);
    jw_kint(jw, "version", spec->version);
    jw_kraw(jw, "documents", spec->documents_json);
    jw_kbool(jw, "isEdited", spec->is_edited);
    jw_ktime(jw, "approvedAt", spec->approved_ms);
    jw_ktime(jw, "createdAt", spec->created_ms);
    jw_kraw(jw, "openPoints", str_or(spec->open_points_json, "[]"));
    jw_object_end(jw);
}

void present_project(struct jw *jw, struct api_call *call, const struct project *project, const struct spec *spec) {
    jw_object(jw);
    present_project_members(jw, call, project);
    present_settings(jw, "settings", engine_project_settings(call->engine, project, call->arena));
    jw_kstr(jw, "cloneUrl", arena_printf(call->arena, "/projects/%s/repo.git", project->id));
    jw_key(jw, "spec");
    present_spec(jw, spec);
    jw_object_end(jw);
}

void present_run_begun(struct jw *jw, const struct run *run) {
    jw_object(jw);
    jw_kstr(jw, "id", run->id);
    jw_kstr(jw, "projectId", run->project_id);
    jw_kint(jw, "runNumber", run->number);
    jw_kstr(jw, "status", run_state_name(run->state));
    jw_kstr(jw, "trigger", run->trigger);
    jw_kstr(jw, "resumesRunId", run->resumes_run_id[0] ? run->resumes_run_id : NULL);
    jw_ktime(jw, "createdAt", run->created_ms);
    jw_object_end(jw);
}

void present_task_summary(struct jw *jw, const struct task *task) {
    jw_object(jw);
    jw_kstr(jw, "id", task->id);
    jw_kstr(jw, "slug", task->slug);
    jw_kstr(jw, "status", task_state_name(task->state));
    jw_kint(jw, "sequence", task->sequence);
    jw_object_end(jw);
}

/* Only description and pathScope of a definition. */
static void definition_in_short(struct jw *jw, struct api_call *call, const struct task *task) {
    json_t *definition = NULL;
    struct err err = {0};
    if (json_parse(call->arena, task->definition_json, strlen(task->definition_json), &definition, &err) < 0) {
        jw_null(jw);
        return;
    }
    jw_object(jw);
    jw_kstr(jw, "description", json_str(definition, "description", ""));
    jw_key(jw, "pathScope");
    jw_value(jw, json_object_get(definition, "pathScope"));
    jw_object_end(jw);
}

static void present_attempts(struct jw *jw, const struct task_extra *extra) {
    jw_key(jw, "attempts");
    jw_array(jw);
    for (size_t i = 0; i < extra->attempt_count; i++) {
        const struct task_attempt *attempt = &extra->attempts[i];
        jw_object(jw);
        jw_kint(jw, "number", attempt->number);
        jw_kstr(jw, "status", attempt_state_name(attempt->state));
        jw_kstr(jw, "agent", attempt->agent);
        jw_kstr(jw, "commitSha", attempt->commit_sha[0] ? attempt->commit_sha : NULL);
        jw_kstr(jw, "error", attempt->error);
        jw_ktime(jw, "startedAt", attempt->started_ms);
        jw_ktime(jw, "completedAt", attempt->completed_ms);
        jw_object_end(jw);
    }
    jw_array_end(jw);
}

void present_task(struct jw *jw, struct api_call *call, const struct task *task, const struct task_extra *extra) {
    jw_object(jw);
    jw_kstr(jw, "id", task->id);
    jw_kstr(jw, "slug", task->slug);
    jw_kstr(jw, "status", task_state_name(task->state));
    jw_kint(jw, "sequence", task->sequence);
    jw_key(jw, "definition");
    if (extra)
        jw_raw(jw, task->definition_json);
    else
        definition_in_short(jw, call, task);
    jw_kstr(jw, "branchName", task->branch);
    if (extra)
        jw_kstr(jw, "worktreePath", engine_worktree_path(call->engine, task, call->arena));
    jw_kraw(jw, "result", task->result_json);
    jw_kint(jw, "attemptCount", task->attempts);
    if (extra) {
        present_attempts(jw, extra);
        present_usage(jw, "usage", &extra->usage);
    }
    jw_kstr(jw, "mergeSha", task->merge_sha[0] ? task->merge_sha : NULL);
    jw_kstr(jw, "error", task->error);
    jw_ktime(jw, "startedAt", task->started_ms);
    jw_ktime(jw, "completedAt", task->completed_ms);
    jw_object_end(jw);
}

void present_event(struct jw *jw, const struct event *event) {
    jw_object(jw);
    jw_kstr(jw, "id", event->id);
    jw_kstr(jw, "runId", event->run_id);
    jw_kstr(jw, "taskId", event->task_id[0] ? event->task_id : NULL);
    jw_kstr(jw, "eventType", event_type_name(event->type));
    jw_kraw(jw, "payload", event->payload_json);
    jw_kint(jw, "sequence", event->sequence);
    jw_ktime(jw, "createdAt", event->created_ms);
    jw_object_end(jw);
}

/* The payload is an object that our own writer made: "{}" or "{\"…", without line breaks. */
void present_event_block(struct buf *out, const struct event *event) {
    bool is_empty = str_eq(event->payload_json, "{}");
    buf_printf(out, "id: %lld\nevent: %s\ndata: ", (long long)event->sequence, event_type_name(event->type));
    if (event->task_id[0])
        buf_printf(out, "{\"taskId\":\"%s\"%s%s", event->task_id, is_empty ? "" : ",", event->payload_json + 1);
    else
        buf_puts(out, event->payload_json);
    buf_puts(out, "\n\n");
}

void present_event_message(struct buf *out, const struct event *event) {
    struct jw jw;
    jw_init(&jw, out);
    jw_object(&jw);
    jw_kstr(&jw, "eventType", event_type_name(event->type));
    jw_kstr(&jw, "taskId", event->task_id[0] ? event->task_id : NULL);
    jw_kraw(&jw, "payload", event->payload_json);
    jw_ktime(&jw, "timestamp", event->created_ms);
    jw_kint(&jw, "sequence", event->sequence);
    jw_kstr(&jw, "runId", event->run_id);
    jw_kstr(&jw, "id", event->id);
    jw_object_end(&jw);
}

void present_export(struct jw *jw, struct api_call *call, const struct export *row) {
    jw_object(jw);
    jw_kstr(jw, "id", row->id);
    jw_kstr(jw, "status", export_state_name(row->state));
    jw_kstr(jw, "format", row->format);
    if (row->completed_ms) {
        bool is_there = row->state == EXPORT_COMPLETED;
        jw_key(jw, "sizeBytes");
        if (is_there)
            jw_int(jw, row->size_bytes);
        else
            jw_null(jw);
        jw_kstr(jw, "downloadUrl",
                is_there ? arena_printf(call->arena, "/projects/%s/exports/%s/download", row->project_id, row->id)
                         : NULL);
        jw_ktime(jw, "expiresAt", row->expires_ms);
        if (row->state == EXPORT_FAILED)
            jw_kstr(jw, "error", row->error);
    }
    jw_object_end(jw);
}

void present_deployment(struct jw *jw, const struct deployment *row) {
    jw_object(jw);
    jw_kstr(jw, "id", row->id);
    jw_kstr(jw, "status", deployment_state_name(row->state));
    jw_kstr(jw, "provider", row->provider);
    jw_kstr(jw, "url", row->url);
    if (row->error)
        jw_kstr(jw, "error", row->error);
    jw_ktime(jw, "createdAt", row->created_ms);
    jw_object_end(jw);
}
