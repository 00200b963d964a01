/* wire: what a wire format is to the rest of the layer, and the answer it fills. For the layer's own files. */
#ifndef LLM_WIRE_H
#define LLM_WIRE_H

#include "base/buf.h"
#include "base/json.h"
#include "llm/llm.h"
#include "net/net.h"

/* What became of an attempt that gave no answer; its message is in err. */
struct refusal {
    enum llm_fault fault;
    bool is_retryable;
    int status;           /* HTTP, or 0 */
    int64_t wait_ms;      /* the server asks for at least this; 0: it does not say */
    int64_t resets_at_ms; /* 0: unknown */
};

/* A part of the answer that is still coming. */
struct slot {
    enum llm_part_kind kind;
    int64_t key; /* by which the format's events name it */
    bool is_closed;
    const char *id, *name;
    struct buf text; /* or arguments, or the text of an opaque part */
    struct buf extra;
    json_t *opaque;
};

enum { ANSWER_MAX_PARTS = 256 };

struct answer {
    struct arena *arena; /* the reply's */
    const struct llm_request *request;
    struct slot slots[ANSWER_MAX_PARTS];
    size_t count;
    size_t bytes; /* of all slots */
    bool has_stop;
    enum llm_stop stop;
    struct llm_usage usage;
    bool has_usage;
    const char *model;
    struct refusal refusal; /* when an event function failed */
};

/* Event functions give 0 to go on, ANSWER_DONE when this was the last one, or what answer_fail gave. */
enum { ANSWER_DONE = 1 };

struct wire {
    const char *default_url;
    const char *path;    /* after base_url */
    const char *v1;      /* what goes in between, when base_url has no path; NULL: nothing */
    bool is_ndjson;      /* a JSON object a line, not Server-Sent Events */
    bool ends_by_itself; /* the end of the stream is the end of the answer, once it said why it stopped */
    /* At most 3; names and values live as long as model and arena. */
    size_t (*headers)(const struct llm_model *model, struct arena *arena, struct net_header out[3]);
    void (*put_body)(struct jw *jw, const struct llm_model *model, const struct llm_request *request,
                     struct arena *arena);
    /* scratch is emptied after each event. */
    int (*take_event)(struct answer *answer, const json_t *event, struct arena *scratch, struct err *err);
};

extern const struct wire wire_anthropic, wire_responses, wire_chat, wire_ollama;

/* answer.c */
void answer_init(struct answer *answer, const struct llm_request *request, struct arena *arena);
void answer_release(struct answer *answer);
/* Sets the refusal; returns a negative code. */
int answer_fail(struct answer *answer, enum llm_fault fault, bool is_retryable, struct err *err, const char *format,
                ...) __attribute__((format(printf, 5, 6)));
/* A new slot, or NULL after answer_fail. */
struct slot *answer_add(struct answer *answer, enum llm_part_kind kind, int64_t key, struct err *err);
struct slot *answer_find(struct answer *answer, int64_t key); /* NULL: none */
MUST_CHECK int answer_put(struct answer *answer, struct buf *out, const char *text, struct err *err);
/* As answer_put to the slot's text, telling on_text. */
MUST_CHECK int answer_say(struct answer *answer, struct slot *slot, const char *text, struct err *err);
/* The slots as parts, with all arguments parsed. */
MUST_CHECK int answer_finish(struct answer *answer, struct llm_reply *reply, struct err *err);

/* body.c: what the formats' requests have in common. */
int64_t body_max_tokens(const struct llm_model *model, const struct llm_request *request);
/* The text parts of a message with empty lines between; NULL when it has none. */
const char *body_text(const struct llm_message *message, struct arena *arena);
/* A tool's result for formats that have no place for is_error. */
const char *body_result(const struct llm_part *part, struct arena *arena);
/* {"type":"function","function":{"name","description","parameters"}}, …, as Chat Completions and Ollama have it. */
void body_function_tools(struct jw *jw, const struct llm_request *request);
/* The name of the tool that this id's call was of; "" when the conversation has none. */
const char *body_tool_name(const struct llm_request *request, const char *id);
bool body_is_opaque_of(const struct llm_part *part, enum llm_format format);
/* Bearer, when there is a key. */
size_t body_bearer(const struct llm_model *model, struct arena *arena, struct net_header out[3]);

/* refusal.c */
/* By an error object ({"type","code","message"}), a string, or anything; status 0 when it came within a stream. */
void refusal_read(struct refusal *out, int status, const json_t *error);
/* By status, headers and the body's beginning; *message is the server's own word, "" for none. */
void refusal_of_answer(struct refusal *out, const struct net_response *head, const char *body, size_t body_len,
                       struct arena *arena, const char **message);
/* What the server says for itself in an error object. */
const char *refusal_message(const json_t *error);
/* `retry-after-ms` and `retry-after`: milliseconds from now; 0 when there is neither. */
int64_t refusal_wait_ms(const struct net_response *head, int64_t now_ms);
/* An error event within a stream: answer_fail with what it says. */
int refusal_event(struct answer *answer, const json_t *error, struct err *err);

/* attempt.c */
struct attempt {
    const struct llm_model *model;
    const struct llm_request *request;
    const struct wire *wire;
    const char *url;
    const struct buf *body;
    int64_t deadline_mono_ms;
    struct arena *arena;
};
/* One exchange. 0: reply has parts, stop, model. Otherwise *refusal says why not. Either way *usage is what was
 * consumed, as far as *is_known. */
MUST_CHECK int attempt_run(const struct attempt *attempt, struct llm_reply *reply, struct refusal *refusal,
                           struct llm_usage *usage, bool *is_known, struct err *err);

/* llm.c */
const struct wire *wire_of(enum llm_format format);
enum err_code fault_code(enum llm_fault fault);
/* text without the key: what a server says may hold what it was sent. */
const char *without_key(struct arena *arena, const char *text, const char *key);

#endif
