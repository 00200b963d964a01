/* agent_notes: what an agent tells while it works, as events and in the log. */
#include "engine/agent_notes.h"

#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/visible.h"
#include "engine/load.h"
#include "engine/steps.h"

enum member_kind { MEMBER_HEAD, MEMBER_TAIL /* of a long text */, MEMBER_PATH, MEMBER_WORD, MEMBER_NUMBER };

/* What is taken of a note. */
static const struct member {
    enum event_type type;
    const char *name;
    enum member_kind kind;
} members[] = {
    {EVENT_MESSAGE, "role", MEMBER_WORD},
    {EVENT_MESSAGE, "text", MEMBER_HEAD},
    {EVENT_TASK_OUTPUT, "text", MEMBER_HEAD},
    {EVENT_COMMAND_STARTED, "command", MEMBER_HEAD},
    {EVENT_COMMAND_COMPLETED, "command", MEMBER_HEAD},
    {EVENT_COMMAND_COMPLETED, "exitCode", MEMBER_NUMBER},
    {EVENT_COMMAND_COMPLETED, "durationMs", MEMBER_NUMBER},
    {EVENT_COMMAND_COMPLETED, "output", MEMBER_TAIL},
    {EVENT_FILE_CREATED, "path", MEMBER_PATH},
    {EVENT_FILE_CREATED, "size", MEMBER_NUMBER},
    {EVENT_FILE_MODIFIED, "path", MEMBER_PATH},
    {EVENT_FILE_MODIFIED, "size", MEMBER_NUMBER},
    {EVENT_FILE_DELETED, "path", MEMBER_PATH},
};

static bool is_of_file(enum event_type type) {
    return type == EVENT_FILE_CREATED || type == EVENT_FILE_MODIFIED || type == EVENT_FILE_DELETED;
}

void agent_notes_init(struct agent_notes *notes, struct job_context *context, const struct task *task) {
    *notes = (struct agent_notes){.context = context, .task = task, .told = json_own(context->arena, json_object())};
}

/* The key of the agent's model may stand in what a command prints. */
static void put_without_secret(struct buf *out, const struct agent_notes *notes, const char *text) {
    size_t len = notes->secret ? strlen(notes->secret) : 0;
    const char *at;
    while (len > 0 && (at = strstr(text, notes->secret))) {
        buf_put(out, text, (size_t)(at - text));
        buf_puts(out, "[key]");
        text = at + len;
    }
    buf_puts(out, text);
}

static void put_text(struct jw *jw, const struct agent_notes *notes, const struct member *member, const char *text) {
    CLEANUP(buf_release) struct buf plain = {0}, shown = {0};
    put_without_secret(&plain, notes, text);
    text = str_or(plain.data, "");
    if (member->kind == MEMBER_TAIL)
        text = str_tail(text, NOTE_TEXT_BYTES / 4); /* each byte may come to four, to be shown */
    visible_put(&shown, text, strlen(text), NOTE_TEXT_BYTES, true);
    jw_kstr(jw, member->name, str_or(shown.data, ""));
}

/* Roles are words of ours. */
static const char *role_of(const char *text) {
    return str_eq(text, "user") || str_eq(text, "system") ? text : "agent";
}

/* False when nothing is left of the note that says something. */
static bool put_payload(struct buf *out, const struct agent_notes *notes, const struct agent_note *note) {
    struct jw jw;
    bool has_any = false;
    jw_init(&jw, out);
    jw_object(&jw);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const struct member *member = &members[i];
        const json_t *value = json_object_get(note->payload, member->name);
        const char *text = json_string_value(value);
        if (member->type != note->type)
            continue;
        if (member->kind == MEMBER_NUMBER) {
            jw_kint(&jw, member->name, json_integer_value(value));
            continue;
        }
        if (member->kind == MEMBER_WORD) {
            jw_kstr(&jw, member->name, role_of(text));
            continue;
        }
        if (member->kind == MEMBER_PATH && (!text || strlen(text) > NOTE_PATH_BYTES || !fs_is_safe_relative(text)))
            return false;
        if (text)
            put_text(&jw, notes, member, text);
        has_any = has_any || (text && *text);
    }
    jw_object_end(&jw);
    return has_any;
}

struct note_call {
    const struct agent_notes *notes;
    enum event_type type;
    const char *payload_json;
};

static int note_in_tx(struct journal *journal, void *arg, struct err *err) {
    const struct note_call *call = arg;
    struct run *run = NULL;
    struct task *task = NULL;
    int rc = step_begin(journal, call->notes->context->job, &run, err);
    if (rc == 0)
        rc = load_task(journal->db, journal->arena, call->notes->task->id, &task, err);
    return rc < 0 ? rc : journal_event(journal, run, task, call->type, call->payload_json, err);
}

/* In words, for who reads the log. */
static void tell_log_alone(struct agent_notes *notes, enum event_type type, const char *payload_json) {
    struct arena *arena = arena_create();
    const char *words = task_event_words(arena, notes->task, type, payload_json);
    if (notes->count == NOTES_MAX)
        task_log_write(notes->context->engine, notes->task, "",
                       "the agent tells more than there are events for; what follows is told here alone");
    if (words)
        task_log_write(notes->context->engine, notes->task, "", words);
    arena_destroy(arena);
}

void agent_notes_tell(const struct agent_note *note, void *agent_notes) {
    struct agent_notes *notes = agent_notes;
    CLEANUP(buf_release) struct buf payload = {0};
    struct err err = {0};
    if (!put_payload(&payload, notes, note))
        return;
    if (notes->count >= NOTES_MAX) {
        tell_log_alone(notes, note->type, payload.data);
        notes->count = NOTES_MAX + 1;
        return;
    }
    struct note_call call = {.notes = notes, .type = note->type, .payload_json = payload.data};
    int rc = journal_write(notes->context->engine, note_in_tx, &call, &err);
    if (rc < 0) {
        /* Whose work it is no longer tells nothing. */
        if (rc != -ERR_STALE && rc != -ERR_CANCELLED)
            log_event(LOG_WARN, "cannot tell what an agent says", "task", notes->task->id, "error", err.message, NULL);
        return;
    }
    notes->count++;
    if (is_of_file(note->type))
        json_object_set_new(notes->told, json_str(note->payload, "path", ""),
                            json_boolean(note->type != EVENT_FILE_DELETED));
}

void agent_notes_output(const char *text, void *agent_notes) {
    struct agent_notes *notes = agent_notes;
    CLEANUP(buf_release) struct buf plain = {0};
    put_without_secret(&plain, notes, text);
    task_log_write(notes->context->engine, notes->task, "agent: ", str_or(plain.data, ""));
}

bool agent_notes_has_told(const struct agent_notes *notes, const struct change *change) {
    const json_t *told = json_object_get(notes->told, change->path);
    return told && json_is_true(told) == (change->kind != CHANGE_DELETED);
}
