/* cli_acp: any agent that speaks the Agent Client Protocol (agentclientprotocol.com): JSON-RPC 2.0, one message a line,
 * over its standard input and output. We offer it no files and no terminals of ours: it has the worktree. */
#include <string.h>

#include "agent/cli.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

enum { PROTOCOL_VERSION = 1, METHOD_NOT_FOUND = -32601, END_GRACE_MS = 2000 };

/* Our requests, by their ids. */
enum { ID_INITIALIZE = 1, ID_SESSION, ID_PROMPT };

struct conversation {
    const char *session_id; /* or NULL */
};

/* Takes over the message. */
static void send(struct cli_run *run, json_t *message) {
    json_object_set_new(message, "jsonrpc", json_string("2.0"));
    const char *text = json_text(run->line_arena, message);
    const char *line = arena_printf(run->line_arena, "%s\n", text);
    if (!sandbox_talk_send(run->talk, line, strlen(line)))
        cli_log(run, "it no longer listens");
    json_decref(message);
}

static void request(struct cli_run *run, int id, const char *method, json_t *params) {
    send(run, json_pack("{s:i, s:s, s:o}", "id", id, "method", method, "params", params));
}

static void end(struct cli_run *run) {
    run->is_over = true;
    sandbox_talk_end(run->talk, END_GRACE_MS);
}

static void on_talk(struct sandbox_talk *talk, void *arg) {
    struct cli_run *run = arg;
    run->talk = talk;
    request(run, ID_INITIALIZE, "initialize",
            json_pack("{s:i, s:{s:{s:b, s:b}, s:b}, s:{s:s, s:s}}", "protocolVersion", PROTOCOL_VERSION,
                      "clientCapabilities", "fs", "readTextFile", 0, "writeTextFile", 0, "terminal", 0, "clientInfo",
                      "name", "prazium", "version", "1"));
}

static void on_cancel(struct cli_run *run) {
    const struct conversation *conversation = run->state;
    if (conversation->session_id)
        send(run,
             json_pack("{s:s, s:{s:s}}", "method", "session/cancel", "params", "sessionId", conversation->session_id));
    else
        end(run);
}

/* ---- its answers */

static void begin_session(struct cli_run *run, const json_t *result) {
    if (json_int(result, "protocolVersion", PROTOCOL_VERSION) != PROTOCOL_VERSION) {
        cli_failed(run, "it speaks another version of the protocol");
        end(run);
        return;
    }
    request(run, ID_SESSION, "session/new", json_pack("{s:s, s:[]}", "cwd", run->request->worktree, "mcpServers"));
}

static void begin_prompt(struct cli_run *run, const json_t *result) {
    struct conversation *conversation = run->state;
    const char *session_id = json_str(result, "sessionId", NULL);
    if (!session_id) {
        cli_failed(run, "it began no session");
        end(run);
        return;
    }
    conversation->session_id = arena_strdup(run->request->arena, session_id);
    request(run, ID_PROMPT, "session/prompt",
            json_pack("{s:s, s:[{s:s, s:s}]}", "sessionId", session_id, "prompt", "type", "text", "text", run->prompt));
}

/* Newer agents say what the turn took. */
static void end_prompt(struct cli_run *run, const json_t *result) {
    const json_t *usage = json_object_get(result, "usage");
    const char *reason = json_str(result, "stopReason", "end_turn");
    if (usage)
        cli_used(run, &(struct llm_usage){.input_tokens = json_int(usage, "inputTokens", 0) +
                                                          json_int(usage, "cachedReadTokens", 0) +
                                                          json_int(usage, "cachedWriteTokens", 0),
                                          .cached_input_tokens = json_int(usage, "cachedReadTokens", 0),
                                          .cache_write_tokens = json_int(usage, "cachedWriteTokens", 0),
                                          .output_tokens = json_int(usage, "outputTokens", 0)});
    if (!str_eq(reason, "end_turn"))
        cli_failed(run, arena_printf(run->line_arena, "it stopped: %s", reason));
    end(run);
}

static void on_answer(struct cli_run *run, const json_t *message) {
    const json_t *error = json_object_get(message, "error"), *result = json_object_get(message, "result");
    if (error) {
        const char *details = json_str(json_object_get(error, "data"), "details", NULL);
        cli_failed(run, str_or(details, json_str(error, "message", "it failed")));
        end(run);
        return;
    }
    switch (json_int(message, "id", 0)) {
    case ID_INITIALIZE:
        begin_session(run, result);
        break;
    case ID_SESSION:
        begin_prompt(run, result);
        break;
    case ID_PROMPT:
        end_prompt(run, result);
        break;
    }
}

/* ---- what it does */

static void on_content(struct cli_run *run, const json_t *update, bool is_ended) {
    size_t i;
    json_t *content;
    const char *output = json_str(json_object_get(update, "rawOutput"), "output", NULL);
    json_array_foreach (json_object_get(update, "content"), i, content) {
        const char *type = json_str(content, "type", "");
        if (str_eq(type, "diff") && is_ended)
            cli_wrote(run, json_str(content, "path", NULL), json_is_null(json_object_get(content, "oldText")));
        else if (str_eq(type, "content") && !output)
            output = json_str(json_object_get(content, "content"), "text", NULL);
    }
    if (is_ended)
        cli_tool_ended(run, json_str(update, "toolCallId", NULL),
                       str_eq(json_str(update, "status", NULL), "completed")
                           ? json_int(json_at(update, "rawOutput.metadata"), "exit", 0)
                           : -1,
                       output);
}

/* A command is known by its kind; with `rawInput` comes what it really is. */
static void on_tool(struct cli_run *run, const json_t *update) {
    const char *status = json_str(update, "status", "");
    const char *command = json_str(json_object_get(update, "rawInput"), "command", NULL);
    bool is_ended = str_eq(status, "completed") || str_eq(status, "failed");
    if (!command && is_ended && str_eq(json_str(update, "kind", NULL), "execute"))
        command = json_str(update, "title", NULL);
    cli_tool_began(run, json_str(update, "toolCallId", NULL), command, NULL);
    on_content(run, update, is_ended);
}

static void on_update(struct cli_run *run, const json_t *update) {
    const char *kind = json_str(update, "sessionUpdate", "");
    if (str_eq(kind, "agent_message_chunk"))
        cli_says(run, json_str(json_object_get(update, "content"), "text", NULL));
    else if (str_eq(kind, "tool_call") || str_eq(kind, "tool_call_update"))
        on_tool(run, update);
}

/* ---- its requests */

static bool is_within(const struct cli_run *run, const char *path) {
    size_t len = strlen(run->request->worktree);
    if (path[0] != '/')
        return !strstr(path, "..");
    return str_starts(path, run->request->worktree) && (path[len] == '/' || !path[len]) && !strstr(path, "/..");
}

/* Changes of files elsewhere are not allowed; all else is, since the fence holds. */
static bool is_allowed(const struct cli_run *run, const json_t *call) {
    size_t i;
    json_t *location;
    json_array_foreach (json_object_get(call, "locations"), i, location) {
        if (!is_within(run, json_str(location, "path", "")))
            return false;
    }
    return true;
}

static const char *option_of(const json_t *options, const char *kind) {
    size_t i;
    json_t *option;
    json_array_foreach (options, i, option) {
        if (str_eq(json_str(option, "kind", NULL), kind))
            return json_str(option, "optionId", NULL);
    }
    return NULL;
}

static json_t *permission(struct cli_run *run, const json_t *params) {
    const json_t *options = json_object_get(params, "options");
    bool may = run->cancel_mono_ms == 0 && is_allowed(run, json_object_get(params, "toolCall"));
    const char *id = option_of(options, may ? "allow_once" : "reject_once");
    if (!id)
        id = option_of(options, may ? "allow_always" : "reject_always");
    if (!id || run->cancel_mono_ms)
        return json_pack("{s:{s:s}}", "outcome", "outcome", "cancelled");
    if (!may)
        cli_log(run, "it asked to change a file outside its folder, and was refused");
    return json_pack("{s:{s:s, s:s}}", "outcome", "outcome", "selected", "optionId", id);
}

static void on_request(struct cli_run *run, const json_t *message, const char *method) {
    json_t *id = json_incref(json_object_get(message, "id"));
    if (str_eq(method, "session/request_permission"))
        send(run, json_pack("{s:o, s:o}", "id", id, "result", permission(run, json_object_get(message, "params"))));
    else
        send(run, json_pack("{s:o, s:{s:i, s:s}}", "id", id, "error", "code", METHOD_NOT_FOUND, "message",
                            "Method not found"));
}

static void on_event(struct cli_run *run, const json_t *message) {
    const char *method = json_str(message, "method", NULL);
    if (method && json_object_get(message, "id"))
        on_request(run, message, method);
    else if (method && str_eq(method, "session/update"))
        on_update(run, json_at(message, "params.update"));
    else if (!method && json_object_get(message, "id"))
        on_answer(run, message);
}

static int prepare(struct cli_run *run, struct err *err) {
    run->state = arena_alloc(run->request->arena, sizeof(struct conversation));
    cli_model_env(run);
    /* opencode, as the most common of them, reads no variables. */
    if (run->model && cli_model_name(run) && cli_opencode_prepare(run, err) < 0)
        return -(int)err->code;
    return cli_command_words(run, err);
}

const struct cli_kind cli_acp = {
    .name = "acp",
    .prepare = prepare,
    .on_event = on_event,
    .on_talk = on_talk,
    .on_cancel = on_cancel,
};
