/* planning: clarify, answers, approve, regenerate. */
#include "api/handlers.h"
#include "api/present.h"
#include "base/str.h"

static void write_review(struct jw *jw, struct api_call *call, void *arg) {
    struct spec *const *spec = arg;
    jw_object(jw);
    jw_kstr(jw, "status", project_state_name(PROJECT_SPEC_REVIEW));
    jw_key(jw, "spec");
    present_spec(jw, *spec);
    jw_object_end(jw);
}

static void write_questions(struct jw *jw, struct api_call *call, void *arg) {
    json_t *const *questions = arg;
    jw_object(jw);
    jw_key(jw, "questions");
    jw_value(jw, *questions);
    jw_object_end(jw);
}

static void write_approval(struct jw *jw, struct api_call *call, void *arg) {
    struct spec *const *spec = arg;
    jw_object(jw);
    jw_kstr(jw, "status", project_state_name(PROJECT_APPROVED));
    jw_key(jw, "spec");
    jw_object(jw);
    jw_kint(jw, "version", (*spec)->version);
    jw_ktime(jw, "approvedAt", (*spec)->approved_ms);
    jw_object_end(jw);
    jw_object_end(jw);
}

int project_clarify(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    json_t *questions = NULL;
    int rc = call_project(call, &project, err);
    reply_promise(call, 200, write_questions, &questions);
    if (rc == 0)
        rc = engine_project_clarify(call->engine, call->account_id, project->id, call->arena, &questions, err);
    return rc < 0 ? rc : reply_promised(call);
}

int project_answer(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct spec *spec = NULL;
    int rc = call_project(call, &project, err);
    reply_promise(call, 200, write_review, &spec);
    if (rc == 0)
        rc = engine_project_answer(call->engine, call->account_id, project->id, call_json(call, "answers"), call->arena,
                                   &spec, err);
    return rc < 0 ? rc : reply_promised(call);
}

int project_regenerate(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct spec *spec = NULL;
    int rc = call_project(call, &project, err);
    reply_promise(call, 200, write_review, &spec);
    if (rc == 0)
        rc = engine_project_regenerate(call->engine, call->account_id, project->id, call_text(call, "feedback"),
                                       call->arena, &spec, err);
    return rc < 0 ? rc : reply_promised(call);
}

int project_approve(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct spec *spec = NULL;
    int rc = call_project(call, &project, err);
    reply_promise(call, 200, write_approval, &spec);
    if (rc == 0)
        rc = engine_project_approve(call->engine, call->account_id, project->id, call->arena, &spec, err);
    return rc < 0 ? rc : reply_promised(call);
}
