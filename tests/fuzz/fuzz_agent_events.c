/* fuzz_agent_events: what programs of agents print. The first byte says whose it is, each line is one event or none.
 * Nothing is told that has the key in it, and what is told has the members that its type has. */
#include "fuzz.h"

#include "agent/cli.h"
#include "base/str.h"
#include "sandbox/talk.h"

#define KEY "fuzzed-key"

static const struct cli_kind *const kinds[] = {&cli_codex, &cli_opencode, &cli_claude, &cli_gemini, &cli_acp};

static void check_text(const json_t *payload, const char *name) {
    const json_t *value = json_object_get(payload, name);
    FUZZ_HOLDS(json_is_string(value));
    FUZZ_HOLDS(json_string_length(value) <= CLI_TEXT_BYTES);
    FUZZ_HOLDS(!strstr(json_string_value(value), KEY));
}

static void on_note(const struct agent_note *note, void *arg) {
    (void)arg;
    if (note->type == EVENT_MESSAGE) {
        check_text(note->payload, "text");
    } else if (note->type == EVENT_COMMAND_STARTED || note->type == EVENT_COMMAND_COMPLETED) {
        check_text(note->payload, "command");
        if (note->type == EVENT_COMMAND_COMPLETED)
            check_text(note->payload, "output");
    } else {
        FUZZ_HOLDS(note->type == EVENT_FILE_CREATED || note->type == EVENT_FILE_MODIFIED ||
                   note->type == EVENT_FILE_DELETED);
        const char *path = json_string_value(json_object_get(note->payload, "path"));
        FUZZ_HOLDS(path && path[0] != '/' && !str_starts(path, "../") && !str_starts(path, ".git/"));
    }
}

static void on_output(const char *text, void *arg) {
    (void)arg;
    FUZZ_HOLDS(str_is_utf8(text, strlen(text)) && !strstr(text, KEY));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_create();
    int fd = -1; /* it listens no more */
    struct sandbox_talk talk = {.fd = &fd};
    const struct llm_model model = {.format = LLM_CHAT, .name = "m", .api_key = KEY};
    json_t *definition = json_object();
    const struct agent_request request = {.definition = definition,
                                          .worktree = "/nowhere/at-all",
                                          .home = "/nowhere/home",
                                          .arena = arena,
                                          .on_output = on_output,
                                          .on_note = on_note};
    struct cli_run run = {
        .kind = kinds[size ? data[0] % ARRAY_LEN(kinds) : 0], .request = &request, .model = &model, .talk = &talk};
    run.prompt = "p";
    run.state = arena_alloc(arena, 64);
    run.line_arena = arena_create();
    buf_init(&run.pieces, 4 * CLI_TEXT_BYTES);
    for (const uint8_t *at = data + 1, *end = data + size; size && at < end;) {
        const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        char *line = fuzz_copy(at, len);
        cli_heard(&run, line, len);
        free(line);
        arena_reset(run.line_arena);
        at += len + 1;
    }
    cli_end_pieces(&run);
    FUZZ_HOLDS(!run.said || !strstr(run.said, KEY));
    FUZZ_HOLDS(!run.fault || !strstr(run.fault, KEY));
    FUZZ_HOLDS(run.usage.input_tokens >= 0 && run.usage.output_tokens >= 0);
    arena_destroy(run.line_arena);
    buf_release(&run.pieces);
    buf_release(&run.last_lines);
    json_decref(definition);
    arena_destroy(arena);
    return 0;
}
