/* agent_notes: what an agent tells while it works: events of the run, and lines of the task's log.
 *
 * What an agent says is text of nobody knows whom: only the members that a kind of event has are taken, cut, mended and
 * without the key of its model. There are NOTES_MAX events at most in an attempt; what is beyond goes into the log
 * alone, which has a bound of its own. */
#ifndef ENGINE_AGENT_NOTES_H
#define ENGINE_AGENT_NOTES_H

#include "engine/context.h"
#include "git/git.h"

#define NOTES_MAX 2000
#define NOTE_TEXT_BYTES 4096
#define NOTE_PATH_BYTES 1024

struct agent_notes {
    struct job_context *context;
    const struct task *task;
    const char *secret; /* never told; or NULL */
    size_t count;       /* events so far */
    json_t *told;       /* {path: true if it is there}: files whose events are told */
};

/* told lives in the context's arena. */
void agent_notes_init(struct agent_notes *notes, struct job_context *context, const struct task *task);
/* For agent_request. */
void agent_notes_tell(const struct agent_note *note, void *agent_notes);
void agent_notes_output(const char *text, void *agent_notes);
/* Whether an event says so of this file already. */
bool agent_notes_has_told(const struct agent_notes *notes, const struct change *change);

#endif
