/* agent_tape: the work of agents that are programs, kept in a recording, and done again from it without them. */
#include "engine/agent_tape.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "llm/tape.h"

enum {
    NOTES_KEPT = 2000,
    NOTE_BYTES = 64 * 1024,
    FILE_BYTES = 32 << 20, /* as large as a file of a commit may be */
    WORK_BYTES = 256 << 20,
};

struct keeping {
    const struct agent_request *request;
    json_t *notes; /* [{"type", "payload"} or {"output"}], in order */
};

bool agent_tape_is_for(const struct agent_kind *kind) {
    return kind->program || kind->needs_command;
}

static const char *place(const struct engine *engine, const struct agent_request *request, const char *name) {
    return arena_printf(request->arena, "%s/%s/%s", engine->recording_dir, request->scope, name);
}

/* What the task is, and is of: the same for each run of the same spec. */
static const char *hash_of(const struct agent_request *request) {
    json_t *about = json_own(
        request->arena, json_pack("{s:O?, s:O?}", "definition", request->definition, "documents", request->documents));
    char *sorted = json_dumps(about, JSON_SORT_KEYS | JSON_COMPACT), *hash = arena_alloc(request->arena, HASH_HEX_LEN);
    hash_sha256_hex(hash, str_or(sorted, ""), strlen(str_or(sorted, "")));
    free(sorted);
    return hash;
}

/* ---- Recording */

static void keep(struct keeping *keeping, json_t *note) {
    if (json_array_size(keeping->notes) < NOTES_KEPT)
        json_array_append(keeping->notes, note);
    json_decref(note);
}

static void keep_note(const struct agent_note *note, void *arg) {
    struct keeping *keeping = arg;
    char *size = json_dumps(note->payload, JSON_COMPACT);
    if (size && strlen(size) <= NOTE_BYTES)
        keep(keeping, json_pack("{s:s, s:O}", "type", event_type_name(note->type), "payload", note->payload));
    free(size);
    if (keeping->request->on_note)
        keeping->request->on_note(note, keeping->request->note_arg);
}

static void keep_output(const char *text, void *arg) {
    struct keeping *keeping = arg;
    const char *mended = str_mend(keeping->request->arena, text);
    keep(keeping, json_pack("{s:o}", "output", json_stringn(mended, str_head_len(mended, NOTE_BYTES))));
    if (keeping->request->on_output)
        keeping->request->on_output(text, keeping->request->output_arg);
}

static bool is_left_out(const char *path) {
    static const char *const names[] = {".git", "node_modules", ".next"};
    for (const char *at = path; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            if (strcspn(at, "/") == strlen(names[i]) && str_starts(at, names[i]))
                return true;
    return false;
}

struct survey {
    const struct agent_request *request;
    json_t *hashes; /* {path: hash of mode and content} */
    struct err err;
};

static int survey_file(const char *path, const struct stat *st, void *arg) {
    struct survey *survey = arg;
    CLEANUP(buf_release) struct buf text = {0};
    char hash[HASH_HEX_LEN];
    if (!S_ISREG(st->st_mode) || is_left_out(path) || !str_is_utf8(path, strlen(path)))
        return 0;
    const char *full = arena_printf(survey->request->arena, "%s/%s", survey->request->worktree, path);
    if (fs_read_file(full, FILE_BYTES, &text, &survey->err) < 0)
        return 0; /* it is gone meanwhile, or so large that no commit takes it */
    buf_putc(&text, st->st_mode & S_IXUSR ? 'x' : '-');
    json_object_set_new(survey->hashes, path, json_string(hash_sha256_hex(hash, text.data, text.len)));
    return 0;
}

static int take_survey(const struct agent_request *request, struct survey *out, struct err *err) {
    *out = (struct survey){.request = request, .hashes = json_own(request->arena, json_object())};
    return fs_walk(request->worktree, survey_file, out, err);
}

static void put_without(struct buf *out, const char *data, size_t len, const char *secret) {
    size_t secret_len = strlen(secret);
    const char *at;
    while (secret_len > 0 && (at = memmem(data, len, secret, secret_len))) {
        buf_put(out, data, (size_t)(at - data));
        buf_puts(out, "[key]");
        len -= (size_t)(at - data) + secret_len;
        data = at + secret_len;
    }
    buf_put(out, data, len);
}

/* The key of the agent's model may stand in what it wrote. */
static int write_clean(const struct agent_request *request, const char *path, const char *data, size_t len, mode_t mode,
                       struct err *err) {
    CLEANUP(buf_release) struct buf clean = {0};
    put_without(&clean, data, len, request->model ? str_or(request->model->api_key, "") : "");
    return fs_write_file(path, str_or(clean.data, ""), clean.len, mode, err);
}

static int copy(const struct agent_request *request, const char *from, const char *to, struct err *err) {
    CLEANUP(buf_release) struct buf text = {0};
    struct stat st;
    int rc = fs_read_file(from, FILE_BYTES, &text, err);
    if (rc == 0 && stat(from, &st) < 0)
        rc = err_set(err, ERR_UNAVAILABLE, "%s is gone", from);
    return rc < 0 ? rc : write_clean(request, to, str_or(text.data, ""), text.len, st.st_mode & 0777, err);
}

static int record_files(const struct engine *engine, const struct survey *before, const struct survey *after,
                        json_t *work, struct err *err) {
    const struct agent_request *request = after->request;
    json_t *files = json_array(), *deleted = json_array(), *hash;
    const char *path;
    int rc = 0;
    json_object_set_new(work, "files", files);
    json_object_set_new(work, "deleted", deleted);
    json_object_foreach (after->hashes, path, hash) {
        if (rc < 0 || json_equal(hash, json_object_get(before->hashes, path)))
            continue;
        json_array_append_new(files, json_string(path));
        rc = copy(request, arena_printf(request->arena, "%s/%s", request->worktree, path),
                  place(engine, request, arena_printf(request->arena, "files/%s", path)), err);
    }
    json_object_foreach (before->hashes, path, hash) {
        if (!json_object_get(after->hashes, path))
            json_array_append_new(deleted, json_string(path));
    }
    return rc;
}

/* Of what came to an end by itself: of an agent that could not work, or was told to stop, there is nothing to do
 * again. */
static bool is_worth_keeping(int rc, const struct err *why) {
    return rc == 0 || (why->code != ERR_CANCELLED && why->code != ERR_STALE && why->code != ERR_UNAVAILABLE &&
                       why->code != ERR_QUOTA && why->code != ERR_BUDGET);
}

static int record(struct engine *engine, const struct agent *agent, const struct agent_request *request,
                  struct agent_result *result, struct err *err) {
    struct survey before, after;
    struct err why = {0};
    struct keeping keeping = {.request = request, .notes = json_own(request->arena, json_array())};
    struct agent_request watched = *request;
    watched.on_note = keep_note;
    watched.on_output = keep_output;
    watched.note_arg = watched.output_arg = &keeping;
    int rc = take_survey(request, &before, err);
    if (rc < 0)
        return rc;
    int ended = agent->ops->run(agent->self, &watched, result, err);
    if (!is_worth_keeping(ended, err))
        return ended;
    json_t *work =
        json_own(request->arena,
                 json_pack("{s:i, s:s, s:s, s:s?, s:s?, s:O}", "version", 1, "agent", agent->ops->name, "taskHash",
                           hash_of(request), "summary", str_mend(request->arena, result->summary), "error",
                           ended < 0 ? str_mend(request->arena, err->message) : NULL, "notes", keeping.notes));
    rc = fs_remove_tree(place(engine, request, "files"), &why);
    if (rc == 0)
        rc = take_survey(request, &after, &why);
    if (rc == 0)
        rc = record_files(engine, &before, &after, work, &why);
    const char *text = json_text(request->arena, work);
    if (rc == 0)
        rc = write_clean(request, place(engine, request, "work.json"), text, strlen(text), 0600, &why);
    if (rc < 0)
        log_event(LOG_WARN, "an agent's work is not recorded", "scope", request->scope, "error", why.message, NULL);
    return ended;
}

/* ---- Replaying */

static int read_work(const struct engine *engine, const struct agent_request *request, json_t **out, struct err *err) {
    CLEANUP(buf_release) struct buf text = {0};
    const char *path = place(engine, request, "work.json");
    int rc = fs_read_file(path, WORK_BYTES, &text, err);
    if (rc == -ERR_NOT_FOUND)
        return err_set(err, ERR_CONFLICT, "the recording does not fit: it has nothing of %s", request->scope);
    if (rc == 0)
        rc = json_parse(request->arena, text.data, text.len, out, err);
    if (rc < 0)
        return err_wrap(err, "%s", path);
    if (!str_eq(json_str(*out, "taskHash", NULL), hash_of(request)))
        return err_set(err, ERR_CONFLICT, "the recording does not fit: %s was another task", request->scope);
    return 0;
}

static void tell_again(const struct agent_request *request, const json_t *notes) {
    size_t i;
    json_t *item;
    json_array_foreach (notes, i, item) {
        struct agent_note note = {.payload = json_object_get(item, "payload")};
        const char *output = json_str(item, "output", NULL);
        if (output && request->on_output)
            request->on_output(output, request->output_arg);
        else if (note.payload && event_type_parse(json_str(item, "type", ""), &note.type) && request->on_note)
            request->on_note(&note, request->note_arg);
    }
}

static int write_again(const struct engine *engine, const struct agent_request *request, const json_t *work,
                       struct err *err) {
    size_t i;
    json_t *item;
    int rc = 0;
    json_array_foreach (json_object_get(work, "files"), i, item) {
        const char *path = str_or(json_string_value(item), "");
        if (rc == 0 && (!fs_is_safe_relative(path) || is_left_out(path)))
            rc = err_set(err, ERR_VALIDATION, "the recording of %s has a file %s", request->scope, path);
        if (rc == 0)
            rc = copy(request, place(engine, request, arena_printf(request->arena, "files/%s", path)),
                      arena_printf(request->arena, "%s/%s", request->worktree, path), err);
    }
    json_array_foreach (json_object_get(work, "deleted"), i, item) {
        const char *path = str_or(json_string_value(item), "");
        if (rc == 0 && fs_is_safe_relative(path) && !is_left_out(path))
            (void)unlink(arena_printf(request->arena, "%s/%s", request->worktree, path));
    }
    return rc;
}

static int replay(struct engine *engine, const struct agent_request *request, struct agent_result *result,
                  struct err *err) {
    json_t *work = NULL;
    int rc = read_work(engine, request, &work, err);
    if (rc < 0)
        return rc;
    tell_again(request, json_object_get(work, "notes"));
    rc = write_again(engine, request, work, err);
    result->summary = json_str(work, "summary", NULL);
    if (rc == 0 && json_str(work, "error", NULL))
        rc = err_set(err, ERR_INTERNAL, "%s", json_str(work, "error", ""));
    return rc;
}

int agent_tape_run(struct engine *engine, const struct agent *agent, const struct agent_request *request,
                   struct agent_result *result, struct err *err) {
    if (tape_is_replay(engine->tape))
        return replay(engine, request, result, err);
    return record(engine, agent, request, result, err);
}
