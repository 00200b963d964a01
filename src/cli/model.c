/* model: the language model that the options name, and whether it answers. */
#include "cli/model.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

enum { KEY_MAX_BYTES = 16 * 1024, EXAMINE_MS = 60000, EXAMINE_TOKENS = 64 };

static int read_key(const struct options *options, struct arena *arena, const char **out, struct err *err) {
    const char *key = getenv("PRAZIUM_MODEL_KEY"), *file = options->values[OPTION_MODEL_KEY_FILE];
    CLEANUP(buf_release) struct buf text = {0};

    *out = key && key[0] ? key : NULL;
    if (*out || !file)
        return 0;
    int rc = fs_read_file(file, KEY_MAX_BYTES, &text, err);
    if (rc < 0)
        return err_wrap(err, "--model-key-file");
    char *line = arena_strndup(arena, str_or(text.data, ""), text.len);
    for (char *c = line; *c; c++)
        *c = (char)(*c == '\n' ? '\0' : *c);
    *out = str_trim(arena, line);
    if (!**out)
        return err_field(err, ERR_VALIDATION, "model-key-file", "--model-key-file: the first line of %s is empty",
                         file);
    return 0;
}

int model_of(const struct options *options, struct arena *arena, struct llm_model *out, struct err *err) {
    const char *provider = options->values[OPTION_MODEL_PROVIDER], *name = options->values[OPTION_MODEL];

    *out = (struct llm_model){0};
    if (!name && !provider)
        return 0;
    if (!name)
        return err_field(err, ERR_VALIDATION, "model", "--model-provider needs a --model");
    if (!provider || !llm_format_parse(provider, &out->format))
        return err_field(err, ERR_VALIDATION, "model-provider", "--model needs a --model-provider");
    out->name = name;
    out->base_url = options->values[OPTION_MODEL_URL];
    return read_key(options, arena, &out->api_key, err);
}

static const char *advice(enum llm_fault fault) {
    switch (fault) {
    case LLM_FAULT_NONE:
    case LLM_FAULT_METER:
    case LLM_FAULT_TAPE:
    case LLM_FAULT_CANCELLED:
        return NULL;
    case LLM_FAULT_SETTINGS:
        return "look at --model and --model-url";
    case LLM_FAULT_CONNECT:
        return "look at --model-url: the host, the port, http or https, and whether it runs";
    case LLM_FAULT_KEY:
        return "give a key that the server knows, by PRAZIUM_MODEL_KEY or --model-key-file";
    case LLM_FAULT_MODEL:
        return "give a --model that the server has; for Ollama, pull it first";
    case LLM_FAULT_FORMAT:
        return "what answers there does not speak this format: look at --model-provider and --model-url";
    case LLM_FAULT_REQUEST:
        return "the server refuses even a small request; its words above say why";
    case LLM_FAULT_QUOTA:
        return "what the provider allows is used up: wait until it is renewed, or raise the limit there";
    case LLM_FAULT_RATE:
    case LLM_FAULT_OVERLOAD:
        return "try again later: the address and the key may be right";
    case LLM_FAULT_CUT:
    case LLM_FAULT_TOO_LARGE:
        return "try again; if it stays so, look at what lies between this machine and the server";
    case LLM_FAULT_TIMEOUT:
        return "the server takes too long: a model of one's own may still be loading";
    }
    return NULL;
}

static int report_failure(const struct llm_model *model, const struct llm_reply *reply, struct err *err) {
    const char *what_to_do = advice(reply->fault);
    char time[CLOCK_ISO_LEN];

    printf("✗ %-9s %s of %s: %s\n", "model", str_or(model->name, "none"), llm_format_name(model->format), err->message);
    if (reply->resets_at_ms)
        printf("  %-9s → it is renewed at %s\n", "", clock_iso(reply->resets_at_ms, time));
    if (what_to_do)
        printf("  %-9s → %s\n", "", what_to_do);
    return err_set(err, err->code, "the model does not answer");
}

int model_examine(const struct options *options, struct arena *arena, struct err *err) {
    struct llm_model model;
    struct llm_reply reply;
    struct llm_part part = {.kind = LLM_TEXT, .text = "Answer with the one word: ready"};
    struct llm_message message = {.role = LLM_USER, .parts = &part, .part_count = 1};
    struct llm_request request = {.messages = &message, .message_count = 1, .max_output_tokens = EXAMINE_TOKENS};

    int rc = model_of(options, arena, &model, err);
    if (rc < 0)
        return rc;
    if (!model.name)
        return err_field(err, ERR_VALIDATION, "model",
                         "no model is named: give --model-provider and --model, or PRAZIUM_MODEL_PROVIDER and "
                         "PRAZIUM_MODEL");
    model.total_ms = model.idle_ms = EXAMINE_MS;
    model.max_attempts = 1;
    int64_t before_ms = clock_mono_ms();
    rc = llm_call(&model, &request, arena, &reply, err);
    if (rc < 0)
        return report_failure(&model, &reply, err);
    printf("✓ %-9s %s of %s answers in %lld ms, with %lld tokens in and %lld out\n", "model",
           str_or(reply.model, model.name), llm_format_name(model.format), (long long)(clock_mono_ms() - before_ms),
           (long long)reply.usage.input_tokens, (long long)reply.usage.output_tokens);
    return 0;
}
