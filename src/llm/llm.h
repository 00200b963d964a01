/* llm: one call of a language model, whatever its wire format: streamed, bounded, metered, retried, cancelled at once.
 */
#ifndef LLM_LLM_H
#define LLM_LLM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct llm_tape;

/* Wire formats, by the names of the providers that speak them. */
#define LLM_FORMAT_LIST(X)                                                                                             \
    X(LLM_ANTHROPIC, "anthropic") /* Anthropic Messages */                                                             \
    X(LLM_RESPONSES, "openai")    /* OpenAI Responses */                                                               \
    X(LLM_CHAT, "chat")           /* Chat Completions: OpenAI and whoever is compatible */                             \
    X(LLM_OLLAMA, "ollama")       /* Ollama's own */

enum llm_format {
#define X(id, name) id,
    LLM_FORMAT_LIST(X)
#undef X
        LLM_FORMAT_COUNT
};
const char *llm_format_name(enum llm_format format);
bool llm_format_parse(const char *name, enum llm_format *out);

/* Which model, and what a call of it may take. Zero takes the default. Strings are the caller's. */
struct llm_model {
    enum llm_format format;
    const char *base_url;      /* NULL: the provider's own; with or without its "/v1" */
    const char *name;          /* as the provider names it */
    const char *api_key;       /* NULL: none is sent */
    int64_t max_output_tokens; /* of one answer, thinking included; 8192 */
    int64_t context_tokens;    /* Ollama is told how much room to make; 0: it decides */
    int64_t connect_ms;        /* 10 s */
    int64_t idle_ms;           /* without a byte of the answer; 120 s */
    int64_t total_ms;          /* all attempts and the waits between them; 600 s */
    int64_t backoff_ms;        /* at most before the second attempt, doubled before each later one; 500 ms */
    int max_attempts;          /* 5 */
    bool only_public;          /* an outsider gave base_url: only public addresses are connected to, by no proxy */
};

enum llm_part_kind {
    LLM_TEXT,        /* text */
    LLM_TOOL_CALL,   /* id, name, arguments */
    LLM_TOOL_RESULT, /* id, text, is_error */
    LLM_OPAQUE,      /* name (of the format that it is of), opaque: goes back unchanged, and only to that format */
};

struct llm_part {
    enum llm_part_kind kind;
    bool is_error;
    bool is_volatile; /* its text may be another on another machine or day: a recording is not held to it */
    const char *text; /* UTF-8 */
    const char *id, *name;
    json_t *arguments; /* an object */
    json_t *opaque;
};

enum llm_role { LLM_USER, LLM_ASSISTANT };

/* Tool results are parts of the user's message that follows the calls. */
struct llm_message {
    enum llm_role role;
    const struct llm_part *parts;
    size_t part_count;
};

struct llm_tool {
    const char *name, *description;
    const json_t *schema; /* of its arguments, an object's */
};

/* Answers that are JSON. Servers that know no schemas ignore it, so that the prompt must ask for JSON, too. */
struct llm_output {
    const char *name; /* [a-zA-Z0-9_-]{1,64} */
    const json_t *schema;
    bool is_strict; /* the schema keeps to what OpenAI's strict mode takes */
};

/* Of one attempt or of all; input_tokens has the other two in it. */
struct llm_usage {
    int64_t input_tokens, cached_input_tokens, cache_write_tokens, output_tokens;
};

/* Keeps a budget. reserve is asked before each attempt, with the most that can go out and the most that can come
 * back; its failure is the call's, and nothing is sent. settle follows each reservation once: what was consumed; not
 * is_known when the attempt broke off, or the server told nothing: it may then be as much as was reserved. */
struct llm_meter {
    int (*reserve)(void *arg, int64_t input_tokens, int64_t output_tokens, struct err *err);
    void (*settle)(void *arg, const struct llm_usage *usage, bool is_known);
    void *arg;
};

struct llm_request {
    const char *system; /* or NULL */
    const struct llm_message *messages;
    size_t message_count;
    const struct llm_tool *tools;
    size_t tool_count;
    const struct llm_output *output; /* or NULL */
    int64_t max_output_tokens;       /* 0: the model's */
    /* The answer's text as it comes; text NULL when an attempt failed and what came of it is void. May be NULL. */
    void (*on_text)(const char *text, void *arg);
    void *text_arg;
    bool (*is_cancelled)(void *arg); /* asked at least every 200 ms; may be NULL */
    void *cancel_arg;
    const struct llm_meter *meter; /* or NULL */
    struct llm_tape *tape;         /* or NULL: llm/tape.h */
    const char *scope;             /* whose calls these are, on the tape: "task/ui-shell/1" */
};

#define LLM_STOP_LIST(X)                                                                                               \
    X(LLM_STOP_END, "end")                                                                                             \
    X(LLM_STOP_TOOLS, "tools")     /* it waits for the results of its calls */                                         \
    X(LLM_STOP_LENGTH, "length")   /* cut by max_output_tokens or the context; a call that was cut is left out */      \
    X(LLM_STOP_REFUSAL, "refusal") /* the model, or a filter, will not */                                              \
    X(LLM_STOP_PAUSE, "pause")     /* send the conversation again with this answer in it, to go on */

enum llm_stop {
#define X(id, name) id,
    LLM_STOP_LIST(X)
#undef X
        LLM_STOP_COUNT
};
const char *llm_stop_name(enum llm_stop stop);
bool llm_stop_parse(const char *name, enum llm_stop *out);

/* Why there is no answer, and the err_code that it comes with. */
#define LLM_FAULT_LIST(X)                                                                                              \
    X(LLM_FAULT_NONE, ERR_NONE)                                                                                        \
    X(LLM_FAULT_SETTINGS, ERR_VALIDATION) /* no model is named, or the address is none */                              \
    X(LLM_FAULT_CONNECT, ERR_UNAVAILABLE) /* no such host, refused, TLS */                                             \
    X(LLM_FAULT_KEY, ERR_UNAVAILABLE)     /* missing, wrong, or without the right */                                   \
    X(LLM_FAULT_MODEL, ERR_UNAVAILABLE)   /* the server has no such model */                                           \
    X(LLM_FAULT_FORMAT, ERR_UNAVAILABLE)  /* what answers does not speak this format, or speaks it wrongly */          \
    X(LLM_FAULT_REQUEST, ERR_UNAVAILABLE) /* the server refuses this request: too long, a schema it cannot take … */ \
    X(LLM_FAULT_QUOTA, ERR_QUOTA)         /* used up; resets_at_ms when it is known */                                 \
    X(LLM_FAULT_RATE, ERR_UNAVAILABLE)    /* too many requests, still so at the last attempt */                        \
    X(LLM_FAULT_OVERLOAD, ERR_UNAVAILABLE)  /* the server is, or fails */                                              \
    X(LLM_FAULT_CUT, ERR_UNAVAILABLE)       /* the answer broke off */                                                 \
    X(LLM_FAULT_TOO_LARGE, ERR_UNAVAILABLE) /* the answer is larger than LLM_MAX_ANSWER_BYTES */                       \
    X(LLM_FAULT_TIMEOUT, ERR_TIMEOUT)                                                                                  \
    X(LLM_FAULT_CANCELLED, ERR_CANCELLED)                                                                              \
    X(LLM_FAULT_METER, ERR_NONE)    /* err is what reserve said */                                                     \
    X(LLM_FAULT_TAPE, ERR_CONFLICT) /* the recording has no such call, or another */

enum llm_fault {
#define X(id, code) id,
    LLM_FAULT_LIST(X)
#undef X
};

#define LLM_MAX_ANSWER_BYTES (4 * 1024 * 1024)

/* In the caller's arena. After a failure only fault, http_status, resets_at_ms, usage and attempts are meant. */
struct llm_reply {
    struct llm_part *parts; /* may be none: the model may say nothing */
    size_t part_count;
    enum llm_stop stop;
    const char *model;      /* as the server names it; NULL when it does not */
    struct llm_usage usage; /* of all attempts, as far as it is known */
    bool is_usage_known;
    int attempts;
    enum llm_fault fault;
    int http_status;      /* of the last attempt; 0: none came */
    int64_t resets_at_ms; /* Unix time at which a used-up quota comes back; 0: unknown */
};

/* Where the format's own paths begin at the model's server: base_url or the provider's own, with the "/v1" that
 * belongs there ("https://api.anthropic.com/v1"; for Ollama none). Without a slash at its end. */
const char *llm_address(const struct llm_model *model, struct arena *arena);

/* Asks until there is a whole answer. Blocks for up to total_ms; cancelled within 300 ms. The key is in no message. */
MUST_CHECK int llm_call(const struct llm_model *model, const struct llm_request *request, struct arena *arena,
                        struct llm_reply *reply, struct err *err);

/* All text parts in one. */
const char *llm_text(const struct llm_reply *reply, struct arena *arena);
/* The JSON object or array that the answer is, or that its code fence or its first brace holds. ERR_UNAVAILABLE when
 * there is none, or it was cut. Borrowed: it lives as long as the arena. */
MUST_CHECK int llm_json(const struct llm_reply *reply, struct arena *arena, json_t **out, struct err *err);

#endif
