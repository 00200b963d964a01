/* model_tools: what a model may do in the worktree of its task. */
#ifndef AGENT_MODEL_TOOLS_H
#define AGENT_MODEL_TOOLS_H

#include "agent/agent.h"
#include "agent/confine.h"
#include "llm/llm.h"

/* What the tools work on, and what they keep of it. */
struct bench {
    const struct agent_request *request;
    struct arena *arena; /* as long as the conversation */
    struct confine confine;
    bool (*is_cancelled)(void *arg); /* also when time is up */
    void *cancel_arg;
    size_t changes;      /* how often a tool changed the tree */
    const char *summary; /* of what was done; NULL until the model has finished */
};

/* What a tool says, in the arena of its call. */
struct tool_answer {
    const char *text;
    bool is_volatile; /* it may be another on another machine */
};

/* A failure is told to the model, as its message; it ends nothing but ERR_CANCELLED does. With a field: the arguments
 * are not what the schema asks for. */
typedef int tool_fn(struct bench *bench, const json_t *arguments, struct arena *arena, struct tool_answer *out,
                    struct err *err);

struct tool {
    const char *name, *description;
    const char *schema; /* JSON */
    tool_fn *run;
};

/* model_read.c */
extern const struct tool tool_list_files, tool_read_file;
/* model_search.c */
extern const struct tool tool_search;
/* model_write.c */
extern const struct tool tool_write_file, tool_edit_file, tool_delete_file;
/* model_command.c */
extern const struct tool tool_run_command;
/* model_tools.c */
extern const struct tool tool_finish;

/* All of them, as a request names them. */
void tools_list(struct arena *arena, struct llm_tool **out, size_t *count);
MUST_CHECK int tools_run(struct bench *bench, const char *name, const json_t *arguments, struct arena *arena,
                         struct tool_answer *out, struct err *err);

/* Arguments. A text that is left out is the fallback; with none, it must be there. */
MUST_CHECK int argument_text(const json_t *arguments, const char *name, const char *fallback, const char **out,
                             struct err *err);
/* Whole numbers from 1 to max; left out, the fallback. */
MUST_CHECK int argument_number(const json_t *arguments, const char *name, int64_t fallback, int64_t max, int64_t *out,
                               struct err *err);
MUST_CHECK int argument_flag(const json_t *arguments, const char *name, bool *out, struct err *err);

/* Tells the request's on_note. Takes payload over. */
void bench_tell(const struct bench *bench, enum event_type type, json_t *payload);

/* The words of "npm ci" and "npm install NAME…", when that is all that the command is, so that it may have a network;
 * NULL for all others. */
const char *const *command_install_words(struct arena *arena, const char *command);

/* Text as a model, and whoever reads along, can take it: valid UTF-8, colours left out, other control characters
 * visible. */
const char *text_visible(struct arena *arena, const char *text);

#endif
