/* cli_notes: what an agent's program said and did, as notes. None of it is believed, and the model's key is in none. */
#include <string.h>
#include <sys/stat.h>

#include "agent/cli.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/str.h"

enum { ID_BYTES = 128, LAST_BYTES = 300, PATH_BYTES = 4096 };
#define COVER "[key]"

/* A copy in the arena without the key: a program that is told to may print it. */
static const char *without_key(const struct cli_run *run, struct arena *arena, const char *text) {
    const char *key = run->model ? run->model->api_key : NULL;
    if (!key || !*key || !strstr(text, key))
        return text;
    struct buf out = {0};
    for (const char *at; (at = strstr(text, key)); text = at + strlen(key)) {
        buf_put(&out, text, (size_t)(at - text));
        buf_puts(&out, COVER);
    }
    buf_puts(&out, text);
    const char *covered = arena_strndup(arena, out.data, out.len);
    buf_release(&out);
    return covered;
}

static json_t *text_value(const struct cli_run *run, const char *text) {
    const char *whole = str_mend(run->line_arena, without_key(run, run->line_arena, text));
    return json_stringn(whole, str_head_len(whole, CLI_TEXT_BYTES));
}

/* Takes over the payload. */
static void tell(struct cli_run *run, enum event_type type, json_t *payload) {
    cli_end_pieces(run);
    if (run->request->on_note) {
        struct agent_note note = {.type = type, .payload = payload};
        run->request->on_note(&note, run->request->note_arg);
    }
    json_decref(payload);
}

void cli_said(struct cli_run *run, const char *text) {
    if (!text || !*text)
        return;
    cli_end_pieces(run);
    const char *head = without_key(run, run->line_arena, text);
    run->said = str_mend(run->request->arena, arena_strndup(run->line_arena, head, str_head_len(head, CLI_TEXT_BYTES)));
    tell(run, EVENT_MESSAGE, json_pack("{s:s, s:o}", "role", "assistant", "text", text_value(run, text)));
}

void cli_says(struct cli_run *run, const char *piece) {
    if (piece)
        buf_puts(&run->pieces, piece);
}

void cli_end_pieces(struct cli_run *run) {
    if (run->pieces.len == 0)
        return;
    const char *text = arena_strndup(run->line_arena, run->pieces.data, run->pieces.len);
    buf_reset(&run->pieces);
    cli_said(run, text);
}

void cli_log(struct cli_run *run, const char *text) {
    cli_end_pieces(run);
    if (text && *text && run->request->on_output)
        run->request->on_output(str_mend(run->line_arena, without_key(run, run->line_arena, text)),
                                run->request->output_arg);
}

/* ---- files */

/* Below the worktree, or NULL. */
static const char *relative_of(const struct cli_run *run, const char *path) {
    size_t len = strlen(run->request->worktree);
    if (str_starts(path, "./"))
        path += 2;
    if (path[0] == '/') {
        if (!str_starts(path, run->request->worktree) || path[len] != '/')
            return NULL;
        path += len + 1;
    }
    bool is_ours = strlen(path) < PATH_BYTES && str_is_utf8(path, strlen(path)) && fs_is_safe_relative(path);
    return is_ours && !str_eq(path, ".git") && !str_starts(path, ".git/") ? path : NULL;
}

void cli_wrote(struct cli_run *run, const char *path, bool is_new) {
    const char *relative = path ? relative_of(run, path) : NULL;
    struct stat st;
    if (!relative)
        return;
    bool is_absent = lstat(fs_join(run->line_arena, run->request->worktree, relative), &st) < 0;
    if (is_absent && !is_new)
        tell(run, EVENT_FILE_DELETED, json_pack("{s:s}", "path", relative));
    else if (!is_absent && S_ISREG(st.st_mode))
        tell(run, is_new ? EVENT_FILE_CREATED : EVENT_FILE_MODIFIED,
             json_pack("{s:s, s:I}", "path", relative, "size", (json_int_t)st.st_size));
}

void cli_printed(struct cli_run *run, const char *line, size_t len) {
    const char *text = arena_strndup(run->line_arena, line, len < CLI_TEXT_BYTES ? len : CLI_TEXT_BYTES);
    cli_log(run, text);
    text = str_trim(run->line_arena, str_mend(run->line_arena, without_key(run, run->line_arena, text)));
    if (!*text)
        return;
    buf_printf(&run->last_lines, "%s%.*s", run->last_lines.len ? "; " : "", (int)str_head_len(text, LAST_BYTES), text);
    if (run->last_lines.len > LAST_BYTES)
        buf_consume(&run->last_lines, run->last_lines.len - strlen(str_tail(run->last_lines.data, LAST_BYTES)));
}

void cli_heard(struct cli_run *run, const char *line, size_t len) {
    json_t *event = NULL;
    struct err err = {0};
    if (len == 0)
        return;
    if (!run->kind->on_event || json_parse(run->line_arena, line, len, &event, &err) < 0 || !json_is_object(event)) {
        cli_printed(run, line, len);
        return;
    }
    int64_t since = run->faulty_mono_ms;
    run->faulty_mono_ms = 0;
    run->kind->on_event(run, event);
    if (run->faulty_mono_ms && since)
        run->faulty_mono_ms = since;
}

/* ---- tools */

static struct cli_tool *find_tool(struct cli_run *run, const char *id) {
    for (size_t i = 0; i < run->tool_count; i++)
        if (str_eq(run->tools[i].id, id))
            return &run->tools[i];
    return NULL;
}

void cli_tool_began(struct cli_run *run, const char *id, const char *command, const char *path) {
    struct arena *arena = run->request->arena;
    const char *relative = path ? relative_of(run, path) : NULL;
    if (!id || strlen(id) > ID_BYTES || (!command && !relative) || find_tool(run, id))
        return;
    if (run->tool_count == CLI_TOOLS_MAX) /* the oldest never ended */
        memmove(run->tools, run->tools + 1, --run->tool_count * sizeof *run->tools);
    struct cli_tool *tool = &run->tools[run->tool_count++];
    *tool = (struct cli_tool){.id = arena_strdup(arena, id), .began_mono_ms = clock_mono_ms()};
    if (command) {
        tool->command = arena_strndup(arena, command, str_head_len(command, CLI_TEXT_BYTES));
        tell(run, EVENT_COMMAND_STARTED, json_pack("{s:o}", "command", text_value(run, command)));
    } else {
        tool->path = arena_strdup(arena, relative);
        tool->is_new = !fs_exists(fs_join(run->line_arena, run->request->worktree, relative));
    }
}

void cli_tool_ended(struct cli_run *run, const char *id, int64_t exit_code, const char *output) {
    struct cli_tool *found = id ? find_tool(run, id) : NULL;
    if (!found)
        return;
    struct cli_tool tool = *found;
    *found = run->tools[--run->tool_count];
    if (tool.command)
        tell(run, EVENT_COMMAND_COMPLETED,
             json_pack("{s:o, s:o, s:I, s:o}", "command", text_value(run, tool.command), "exitCode",
                       exit_code < 0 ? json_null() : json_integer(exit_code), "durationMs",
                       (json_int_t)(clock_mono_ms() - tool.began_mono_ms), "output",
                       text_value(run, str_tail(str_or(output, ""), CLI_TEXT_BYTES))));
    else
        cli_wrote(run, tool.path, tool.is_new);
}

/* ---- its account of itself */

void cli_failed(struct cli_run *run, const char *text) {
    if (!text || !*text)
        return;
    cli_log(run, text);
    run->faulty_mono_ms = clock_mono_ms();
    const char *head = without_key(run, run->line_arena, text);
    head = arena_strndup(run->line_arena, head, str_head_len(head, 300));
    run->fault = str_trim(run->request->arena, str_mend(run->request->arena, head));
}

static int64_t at_least_none(int64_t count) {
    return count > 0 && count < INT32_MAX ? count : 0;
}

void cli_used(struct cli_run *run, const struct llm_usage *usage) {
    run->has_usage = true;
    run->usage.input_tokens += at_least_none(usage->input_tokens);
    run->usage.cached_input_tokens += at_least_none(usage->cached_input_tokens);
    run->usage.cache_write_tokens += at_least_none(usage->cache_write_tokens);
    run->usage.output_tokens += at_least_none(usage->output_tokens);
}
