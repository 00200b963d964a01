/* task_log: what happened while a task was worked on, told for people, in DATA/logs/<run>/<task>.log.
 *
 * A line is "<ISO time> <text>". Lines are appended whole; one that a crash tore is closed before the next. There are
 * TASK_LOG_MAX_BYTES at most, and then a last line that says so. Of the truth the log is no part: what cannot be
 * written is told on our own log and holds up nothing. When the task has ended its log may be written no more (mode
 * 0400), which tells whoever follows it. */
#ifndef ENGINE_TASK_LOG_H
#define ENGINE_TASK_LOG_H

#include "engine/engine.h"

#define TASK_LOG_MAX_BYTES (10 << 20)
#define TASK_LOG_LINE_BYTES 4096 /* of text; the rest of a longer line is left out */

/* Each line of text, with what comes before it ("agent: "), at once. Control characters become visible, and what is no
 * UTF-8 becomes U+FFFD. Wakes who follows. */
void task_log_write(struct engine *engine, const struct task *task, const char *before, const char *text);

/* What a transaction tells of tasks. Kept in its arena; written once it is committed. */
struct task_note {
    struct task_note *next;
    char run_id[ID_LEN], task_id[ID_LEN];
    int64_t time_ms;
    const char *text;
    bool is_last; /* nothing follows in this log */
};
struct task_notes {
    struct task_note *first, **end;
};
void task_notes_add(struct task_notes *notes, struct arena *arena, const struct task *task, int64_t time_ms,
                    const char *text, bool is_last);
void task_notes_write(const struct task_notes *notes, struct engine *engine);

/* An event in words, in the arena; NULL for one that tells nothing of a task. */
const char *task_event_words(struct arena *arena, const struct task *task, enum event_type type,
                             const char *payload_json);

#endif
