/* present: things as JSON, in the words of the contract. */
#ifndef API_PRESENT_H
#define API_PRESENT_H

#include "api/call.h"
#include "model/delivery.h"
#include "model/project.h"
#include "model/run.h"

/* Members of a project without its spec, into an open object. */
void present_project_members(struct jw *jw, struct api_call *call, const struct project *project);
/* The whole project with its spec (may be NULL). */
void present_project(struct jw *jw, struct api_call *call, const struct project *project, const struct spec *spec);
/* {"version", "documents", "isEdited", "approvedAt", "createdAt", "openPoints"} */
void present_spec(struct jw *jw, const struct spec *spec);
/* A run as it is answered when it begins. */
void present_run_begun(struct jw *jw, const struct run *run);
void present_task_summary(struct jw *jw, const struct task *task);
/* What a task's own answer has beside its row. */
struct task_extra {
    struct task_attempt *attempts;
    size_t attempt_count;
    struct usage_sum usage;
};
/* With its whole definition and extra, or only the members of the list (NULL). */
void present_task(struct jw *jw, struct api_call *call, const struct task *task, const struct task_extra *extra);
void present_event(struct jw *jw, const struct event *event);
/* As a block of an event stream: the data is the payload with taskId in it. */
void present_event_block(struct buf *out, const struct event *event);
/* As the data of a WebSocket message. */
void present_event_message(struct buf *out, const struct event *event);
void present_export(struct jw *jw, struct api_call *call, const struct export *row);
void present_deployment(struct jw *jw, const struct deployment *row);

#endif
