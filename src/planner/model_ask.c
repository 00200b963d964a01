/* model_ask: a question to a model, asked again with the faults of its answer until there are none. */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/mustache.h"
#include "base/str.h"
#include "planner/model_parts.h"

enum {
    ASKED_MOST = 4, /* times: once, and three times more */
    PROMPT_BYTES = 1 << 20,
    ECHO_BYTES = 256 << 10, /* of a faulty answer, said back */
    ANSWER_TOKENS = 16384,  /* a spec is long */
};

struct conversation {
    const struct planner_model *by;
    const struct model_asking *asking;
    struct arena *arena;
    struct llm_message messages[2 * ASKED_MOST];
    size_t count;
};

/* ---- Prompts */

static const char *asset(const struct planner_model *by, const char *path, size_t *len, struct err *err) {
    const char *text = assets_get(by->assets, path, len);
    if (!text)
        err_set(err, ERR_INTERNAL, "%s is missing", path);
    return text;
}

static int render(const struct planner_model *by, struct arena *arena, const char *name, json_t *context,
                  const char **out, struct err *err) {
    CLEANUP(buf_release) struct buf text = {.max_bytes = PROMPT_BYTES};
    const char *path = arena_printf(arena, "prompts/%s.mustache", name);
    size_t len = 0;
    const char *template = asset(by, path, &len, err);
    if (!template)
        return -(int)err->code;
    int rc = mustache_render(template, len, &context, 1, NULL, NULL, &text, err);
    if (rc == 0 && text.overflowed)
        rc = err_set(err, ERR_TOO_LARGE, "what the model would be told is larger than %d bytes", PROMPT_BYTES);
    if (rc < 0)
        return err_wrap(err, "%s", path);
    *out = arena_strndup(arena, str_or(text.data, ""), text.len);
    return 0;
}

/* The stack, and how what is built with it is proven. */
static json_t *stack_context(const struct planner_model *by, struct arena *arena) {
    static const char *const names[] = {"install", "typecheck", "build", "test", "start"};
    json_t *commands = json_array();
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *const *argv = stack_command(by->stack, names[i]);
        const char *line = "";
        for (size_t k = 0; argv && argv[k]; k++)
            line = arena_printf(arena, "%s%s%s", line, k ? " " : "", argv[k]);
        if (argv)
            json_array_append_new(commands, json_pack("{s:s, s:s}", "name", names[i], "line", line));
    }
    return json_own(arena, json_pack("{s:o}", "commands", commands));
}

json_t *model_context(const struct planner_input *input, struct arena *arena) {
    json_t *feedback = json_array();
    for (size_t i = 0; i < input->feedback_count; i++)
        json_array_append_new(feedback, json_string(str_or(input->feedback[i], "")));
    return json_own(arena, json_pack("{s:s, s:s, s:o, s:b}", "name", input->name, "description", input->description,
                                     "feedback", feedback, "hasFeedback", input->feedback_count > 0));
}

static void say(struct conversation *c, enum llm_role role, const char *text) {
    struct llm_part *part = arena_alloc(c->arena, sizeof *part);
    *part = (struct llm_part){.kind = LLM_TEXT, .text = text};
    c->messages[c->count++] = (struct llm_message){.role = role, .parts = part, .part_count = 1};
}

/* ---- Answers */

/* Control pictures (U+2400…) for C0 but newline and tab, and for DEL; U+FFFD for C1. */
static json_t *clean_text(struct arena *arena, const char *text) {
    size_t len = strlen(text);
    char *out = arena_alloc(arena, 3 * len + 1), *to = out;
    for (size_t i = 0; i < len;) {
        size_t step = str_utf8_next(text + i, len - i);
        unsigned char c = (unsigned char)text[i];
        bool is_c1 = step == 2 && c == 0xc2 && (unsigned char)text[i + 1] < 0xa0;
        bool is_c0 = step == 1 && c < 0x20 && c != '\n' && c != '\t';
        if (c == '\r' && text[i + 1] == '\n') {
            i++;
            continue;
        }
        if (step == 0 || is_c1)
            to = mempcpy(to, "\xef\xbf\xbd", 3);
        else if (is_c0 || c == 0x7f)
            to = mempcpy(to, (char[]){'\xe2', '\x90', (char)(0x80 + (c == 0x7f ? 0x21 : c))}, 3);
        else
            to = mempcpy(to, text + i, step);
        i += step ? step : 1;
    }
    return json_stringn(out, (size_t)(to - out));
}

static json_t *clean(struct arena *arena, const json_t *value) {
    const char *key;
    json_t *member, *copy;
    size_t i;
    if (json_is_string(value))
        return clean_text(arena, json_string_value(value));
    if (json_is_array(value)) {
        copy = json_array();
        json_array_foreach (value, i, member)
            json_array_append_new(copy, clean(arena, member));
        return copy;
    }
    if (!json_is_object(value))
        return json_deep_copy(value);
    copy = json_object();
    json_object_foreach ((json_t *)value, key, member)
        json_object_set_new(copy, key, clean(arena, member));
    return copy;
}

json_t *model_clean(struct arena *arena, const json_t *value) {
    return json_own(arena, clean(arena, value));
}

static void judge(const struct conversation *c, const struct llm_reply *reply, struct faults *faults) {
    struct err err = {0};
    json_t *answer = NULL;
    if (reply->stop == LLM_STOP_LENGTH) {
        faults_add(faults, "", "the answer was cut because it is too long; say the same in fewer words");
        return;
    }
    int rc = llm_json(reply, c->arena, &answer, &err);
    if (rc < 0 || !json_is_object(answer)) {
        faults_add(faults, "", "the answer is no JSON object%s%s", rc < 0 ? ": " : "", rc < 0 ? err.message : "");
        return;
    }
    c->asking->judge(model_clean(c->arena, answer), c->asking->judge_arg, faults);
}

/* ---- Asking */

static int ask(struct conversation *c, const char *system, const json_t *schema, struct llm_reply *reply,
               struct planner_failure *failure, struct err *err) {
    const struct planner_model *by = c->by;
    struct llm_output output = {.name = c->asking->scope, .schema = schema, .is_strict = true};
    struct llm_request request = {
        .system = system,
        .messages = c->messages,
        .message_count = c->count,
        .output = &output,
        .max_output_tokens = by->model->max_output_tokens ? by->model->max_output_tokens : ANSWER_TOKENS,
        .is_cancelled = by->is_cancelled,
        .cancel_arg = by->cancel_arg,
        .meter = by->meter,
        .tape = by->tape,
        .scope = c->asking->scope,
    };
    int rc = llm_call(by->model, &request, c->arena, reply, err);
    if (rc < 0)
        failure->resets_at_ms = reply->resets_at_ms;
    if (rc == 0 && reply->stop == LLM_STOP_REFUSAL) {
        failure->is_faulty = true;
        rc = err_set(err, ERR_UNAVAILABLE, "The model refuses to plan this: %.300s", llm_text(reply, c->arena));
    }
    return rc;
}

/* What it said and what is wrong with it, as the next two messages. */
static int ask_again(struct conversation *c, const struct llm_reply *reply, const struct faults *faults,
                     struct err *err) {
    const char *said = llm_text(reply, c->arena), *again = NULL;
    json_t *context = json_own(c->arena, json_pack("{s:s}", "faults", faults_list(faults)));
    int rc = render(c->by, c->arena, "again", context, &again, err);
    if (rc < 0)
        return rc;
    say(c, LLM_ASSISTANT, *said ? arena_strndup(c->arena, said, str_head_len(said, ECHO_BYTES)) : "{}");
    say(c, LLM_USER, again);
    return 0;
}

int model_ask(const struct planner_model *by, const struct model_asking *asking, struct arena *arena,
              struct planner_failure *failure, struct err *err) {
    struct conversation c = {.by = by, .asking = asking, .arena = arena};
    struct planner_failure unused, *why = failure ? failure : &unused;
    const char *system = NULL, *prompt = NULL, *schema_text = NULL;
    json_t *schema = NULL;
    size_t len = 0;
    *why = (struct planner_failure){0};
    int rc = render(by, arena, "planner", stack_context(by, arena), &system, err);
    if (rc == 0)
        rc = render(by, arena, asking->prompt, asking->context, &prompt, err);
    if (rc == 0 && !(schema_text = asset(by, arena_printf(arena, "prompts/%s.json", asking->scope), &len, err)))
        rc = -(int)err->code;
    if (rc == 0)
        rc = json_parse(arena, schema_text, len, &schema, err);
    if (rc < 0)
        return rc;
    say(&c, LLM_USER, prompt);
    for (int asked = 1;; asked++) {
        struct faults faults = {.arena = arena};
        struct llm_reply reply = {0};
        rc = ask(&c, system, schema, &reply, why, err);
        if (rc < 0)
            return rc;
        judge(&c, &reply, &faults);
        if (faults.count == 0)
            return 0;
        if (asked == ASKED_MOST) {
            why->is_faulty = true;
            return err_set(err, ERR_UNAVAILABLE, "The model did not answer as it should, %d times; the last time: %s",
                           ASKED_MOST, faults_brief(&faults));
        }
        rc = ask_again(&c, &reply, &faults, err);
        if (rc < 0)
            return rc;
    }
}
