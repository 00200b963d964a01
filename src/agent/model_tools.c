/* model_tools: the table of the tools, what their arguments have in common, and the one that ends the work. */
#include "agent/model_tools.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

enum { SUMMARY_BYTES = 500 };

static const struct tool *const tools[] = {
    &tool_list_files, &tool_read_file,   &tool_search,      &tool_write_file,
    &tool_edit_file,  &tool_delete_file, &tool_run_command, &tool_finish,
};

void tools_list(struct arena *arena, struct llm_tool **out, size_t *count) {
    *count = ARRAY_LEN(tools);
    *out = arena_array(arena, *count, sizeof(**out));
    for (size_t i = 0; i < *count; i++) {
        json_t *schema = json_own(arena, json_loads(tools[i]->schema, 0, NULL));
        (*out)[i] = (struct llm_tool){.name = tools[i]->name, .description = tools[i]->description, .schema = schema};
    }
}

int tools_run(struct bench *bench, const char *name, const json_t *arguments, struct arena *arena,
              struct tool_answer *out, struct err *err) {
    const char *names = "";
    *out = (struct tool_answer){0};
    for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
        if (str_eq(tools[i]->name, name))
            return tools[i]->run(bench, arguments, arena, out, err);
        names = arena_printf(arena, "%s%s%s", names, i ? ", " : "", tools[i]->name);
    }
    return err_field(err, ERR_VALIDATION, "name", "there is no such tool; there are %s", names);
}

/* ---- arguments */

int argument_text(const json_t *arguments, const char *name, const char *fallback, const char **out, struct err *err) {
    const json_t *value = json_object_get(arguments, name);
    if (value && !json_is_null(value) && !json_is_string(value))
        return err_field(err, ERR_VALIDATION, name, "%s must be a string", name);
    *out = json_is_string(value) ? json_string_value(value) : fallback;
    return *out ? 0 : err_field(err, ERR_VALIDATION, name, "%s is missing", name);
}

int argument_number(const json_t *arguments, const char *name, int64_t fallback, int64_t max, int64_t *out,
                    struct err *err) {
    const json_t *value = json_object_get(arguments, name);
    *out = fallback;
    if (!value || json_is_null(value))
        return 0;
    /* Some models write 10.0 for 10. */
    double number = json_number_value(value);
    if (!json_is_number(value) || number < 1 || number > (double)max || number != (double)(int64_t)number)
        return err_field(err, ERR_VALIDATION, name, "%s must be a whole number from 1 to %lld", name, (long long)max);
    *out = (int64_t)number;
    return 0;
}

int argument_flag(const json_t *arguments, const char *name, bool *out, struct err *err) {
    const json_t *value = json_object_get(arguments, name);
    if (value && !json_is_null(value) && !json_is_boolean(value))
        return err_field(err, ERR_VALIDATION, name, "%s must be true or false", name);
    *out = json_is_true(value);
    return 0;
}

/* ---- what is told */

void bench_tell(const struct bench *bench, enum event_type type, json_t *payload) {
    struct agent_note note = {.type = type, .payload = payload};
    if (bench->request->on_note)
        bench->request->on_note(&note, bench->request->note_arg);
    json_decref(payload);
}

/* Bytes of the escape sequence that text begins with (ECMA-48: ESC [ … final byte; ESC ] … BEL or ESC \). */
static size_t escape_len(const char *text) {
    size_t len = 2;
    if (text[1] == '[') {
        len += strspn(text + len, "0123456789;:<=>? !\"#$%&'()*+,-./");
        return text[len] >= '@' && text[len] <= '~' ? len + 1 : len; /* what else comes is none of its bytes */
    }
    if (text[1] == ']') {
        len += strcspn(text + len, "\a\x1b");
        return text[len] == '\a' ? len + 1 : text[len] ? len + 1 + (text[len + 1] == '\\') : len;
    }
    return 1;
}

const char *text_visible(struct arena *arena, const char *text) {
    CLEANUP(buf_release) struct buf out = {0};
    const char *at = str_mend(arena, text);
    buf_puts(&out, "");
    while (*at) {
        unsigned char c = (unsigned char)*at;
        size_t escape = c == 0x1b ? escape_len(at) : 0;
        if (escape > 1)
            at += escape;
        else if (c == '\r')
            at++, buf_puts(&out, *at == '\n' ? "" : "\n");
        else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            at++, buf_printf(&out, "\xe2\x90%c", c == 0x7f ? 0xa1 : 0x80 + c); /* U+2400 and on: pictures of them */
        else
            at++, buf_putc(&out, (char)c);
    }
    return arena_strndup(arena, out.data, out.len);
}

/* ---- finish */

static int finish(struct bench *bench, const json_t *arguments, struct arena *arena, struct tool_answer *out,
                  struct err *err) {
    const char *summary = NULL, *missing = NULL;
    size_t i;
    json_t *path;
    int rc = argument_text(arguments, "summary", NULL, &summary, err);
    if (rc < 0)
        return rc;
    json_array_foreach (json_object_get(bench->request->definition, "expectedOutputs"), i, path) {
        const char *name = str_or(json_string_value(path), "");
        if (!confine_has_file(&bench->confine, name))
            missing = arena_printf(arena, "%s%s%s", str_or(missing, ""), missing ? ", " : "", name);
    }
    if (missing)
        return err_set(err, ERR_CONFLICT, "not yet: these files are expected of the task and not there: %s", missing);
    summary = str_trim(arena, text_visible(arena, summary));
    bench->summary = arena_strndup(bench->request->arena, summary, str_head_len(summary, SUMMARY_BYTES));
    out->text = "done";
    return 0;
}

const struct tool tool_finish = {
    .name = "finish",
    .description = "Say that the task is done: every file that is expected is there, and what you could check is "
                   "right. The work is then built and verified by others.",
    .schema = "{\"type\":\"object\",\"properties\":{\"summary\":{\"type\":\"string\",\"description\":\"What was done, "
              "in one or two sentences.\"}},\"required\":[\"summary\"],\"additionalProperties\":false}",
    .run = finish,
};
