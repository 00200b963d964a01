/* planning: clarify, answers, approve, regenerate. */
#include "api/handlers.h"
#include "api/present.h"
#include "base/str.h"

static void reply_spec(struct api_call *call, enum project_state state, const struct spec *spec) {
    struct buf out;
    struct jw jw;
    reply_data(&out, &jw);
    jw_object(&jw);
    jw_kstr(&jw, "status", project_state_name(state));
    jw_key(&jw, "spec");
    present_spec(&jw, spec);
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
}

int project_clarify(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    json_t *questions = NULL;
    struct buf out;
    struct jw jw;
    int rc = call_project(call, &project, err);
    if (rc == 0)
        rc = engine_project_clarify(call->engine, call->account_id, project->id, call->arena, &questions, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_object(&jw);
    jw_key(&jw, "questions");
    jw_value(&jw, questions);
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

int project_answer(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct spec *spec = NULL;
    int rc = call_project(call, &project, err);
    if (rc == 0)
        rc = engine_project_answer(call->engine, call->account_id, project->id, call_json(call, "answers"), call->arena,
                                   &spec, err);
    if (rc == 0)
        reply_spec(call, PROJECT_SPEC_REVIEW, spec);
    return rc;
}

int project_regenerate(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct spec *spec = NULL;
    int rc = call_project(call, &project, err);
    if (rc == 0)
        rc = engine_project_regenerate(call->engine, call->account_id, project->id, call_text(call, "feedback"),
                                       call->arena, &spec, err);
    if (rc == 0)
        reply_spec(call, PROJECT_SPEC_REVIEW, spec);
    return rc;
}

int project_approve(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct spec *spec = NULL;
    struct buf out;
    struct jw jw;
    int rc = call_project(call, &project, err);
    if (rc == 0)
        rc = engine_project_approve(call->engine, call->account_id, project->id, call->arena, &spec, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_object(&jw);
    jw_kstr(&jw, "status", project_state_name(PROJECT_APPROVED));
    jw_key(&jw, "spec");
    jw_object(&jw);
    jw_kint(&jw, "version", spec->version);
    jw_ktime(&jw, "approvedAt", spec->approved_ms);
    jw_object_end(&jw);
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}
