/* cli: agents that are programs of their own: what one is told, what it sees of the machine, and what is made of what
 * it prints.
 *
 * Each is a row, cli_kind. Whatever it prints and however it ends, its work is what the worktree holds afterwards. */
#ifndef AGENT_CLI_H
#define AGENT_CLI_H

#include "agent/agent.h"

#include "base/buf.h"

enum { CLI_ARGS_MAX = 64, CLI_ENV_MAX = 64, CLI_TOOLS_MAX = 32, CLI_TEXT_BYTES = 4096 };

struct cli_run;

struct cli_kind {
    const char *name;    /* as the registry has it */
    const char *program; /* found in PATH; NULL: the first word of the operator's command */
    unsigned formats;    /* bits 1 << llm_format: whose servers it can be pointed at */
    bool needs_model;    /* cannot work without one that is set up */
    bool has_own_model;  /* cannot be pointed at one */
    /* Without a model: the variable of this server that has a key for its own, and where that is, HOST:PORT; NULL: it
     * needs no key, and may be anywhere. */
    const char *key_env, *own_host;
    /* Arguments, variables and files in its home: the words after the program. */
    int (*prepare)(struct cli_run *run, struct err *err);
    /* One line of its output that is a JSON object; NULL: its output goes to the log. event is void afterwards. */
    void (*on_event)(struct cli_run *run, const json_t *event);
    /* Its input is a conversation: see sandbox_spec. NULL: there is none. */
    void (*on_talk)(struct sandbox_talk *talk, void *run);
    /* Tells it to stop, before it is ended. */
    void (*on_cancel)(struct cli_run *run);
};

/* What it does at the moment: a command, or a change of a file. */
struct cli_tool {
    const char *id;
    const char *command; /* or NULL */
    const char *path;    /* or NULL */
    bool is_new;         /* there was no such file */
    int64_t began_mono_ms;
};

/* One attempt. */
struct cli_run {
    const struct cli_kind *kind;
    const struct agent_request *request;
    const struct llm_model *model; /* that it is pointed at, or NULL */
    const char **words;            /* of the operator's command; NULL: it has a program of its own */
    size_t word_count;
    const char *program; /* absolute */
    const char *prompt;
    const char *path; /* PATH, without its name */
    const char *argv[CLI_ARGS_MAX + 1];
    size_t argc;
    const char *env[CLI_ENV_MAX + 1];
    size_t env_count;
    struct arena *line_arena; /* of the line at hand */

    struct cli_tool tools[CLI_TOOLS_MAX];
    size_t tool_count;
    struct buf pieces;      /* of what it is saying */
    struct buf last_lines;  /* the end of what it printed that was no event */
    const char *said;       /* its last words, or NULL */
    const char *fault;      /* what went wrong by its own account, or NULL */
    int64_t faulty_mono_ms; /* since when it tells of nothing but faults; 0: it does not */
    int64_t resets_ms;      /* when its quota is there again; 0: not said */
    struct llm_usage usage; /* by its own account */
    bool has_usage;
    struct sandbox_talk *talk; /* of a conversation */
    bool is_over;              /* the conversation came to its end: what the program did then counts no more */
    int64_t cancel_mono_ms;    /* when it was told to stop; 0: it was not */
    void *state;               /* the kind's own */
};

/* Runs one attempt; agent_ops.run of each kind is this. */
MUST_CHECK int cli_run_attempt(const struct cli_kind *kind, const struct agent_request *request,
                               struct agent_result *result, struct err *err);

extern const struct cli_kind cli_codex, cli_opencode, cli_claude, cli_gemini, cli_qwen, cli_acp, cli_command;

/* ---- for prepare */

void cli_arg(struct cli_run *run, const char *text);
/* NAME=value; nothing when value is NULL. */
void cli_env(struct cli_run *run, const char *name, const char *value);
/* A file in its home, which only this user may read. path is relative. */
MUST_CHECK int cli_home_file(struct cli_run *run, const char *path, const char *text, struct err *err);
/* A path below its home. */
const char *cli_home_path(const struct cli_run *run, const char *path);
/* Where and how to reach the model, in the variables that most programs know. */
void cli_model_env(struct cli_run *run);
/* The model's address without "/v1" at its end. */
const char *cli_bare_address(const struct cli_run *run);
/* opencode's configuration, and where it lies. */
MUST_CHECK int cli_opencode_prepare(struct cli_run *run, struct err *err);
/* The operator's command, filled in, after its first word. */
MUST_CHECK int cli_command_words(struct cli_run *run, struct err *err);
/* The name of the model to ask for, or NULL: its own choice. */
const char *cli_model_name(const struct cli_run *run);
/* Whether it is shut in by us, so that it need not do so itself. */
bool cli_is_fenced(const struct cli_run *run);

/* ---- for on_event. Texts may be NULL, which tells nothing, and of any length. */

void cli_said(struct cli_run *run, const char *text);
/* A part of what it says; told as one with the parts around it, before anything else is. */
void cli_says(struct cli_run *run, const char *piece);
void cli_end_pieces(struct cli_run *run);
void cli_log(struct cli_run *run, const char *text);
/* A line of its output: an event, or one that is none. What it takes of the line arena is its caller's to free. */
void cli_heard(struct cli_run *run, const char *line, size_t len);
/* A line that is no event. */
void cli_printed(struct cli_run *run, const char *line, size_t len);
/* A tool of its that runs a command, or changes the file at path. Either may be NULL; with both nothing is told. id: by
 * which its end is told. */
void cli_tool_began(struct cli_run *run, const char *id, const char *command, const char *path);
/* exit_code: below 0: not known. An id that nobody knows is left alone. */
void cli_tool_ended(struct cli_run *run, const char *id, int64_t exit_code, const char *output);
/* A file that it says to have written or removed: told if it lies in the worktree, as it now is. */
void cli_wrote(struct cli_run *run, const char *path, bool is_new);
/* That it cannot go on; the last one counts. */
void cli_failed(struct cli_run *run, const char *text);
void cli_used(struct cli_run *run, const struct llm_usage *usage);

/* ---- parts of an attempt */

/* What it is told to do: the task, its criteria and documents, and why the last attempt failed. */
const char *cli_prompt(const struct agent_request *request);
/* A number that differs when anything in the worktree was changed, but for `.git` and `node_modules`. */
MUST_CHECK int cli_tree_print(const char *worktree, uint64_t *out, struct err *err);
/* Words of the operator's command: split at blanks; '…' and "…" hold together. ERR_VALIDATION: a quote has no end. */
MUST_CHECK int cli_words(struct arena *arena, const char *command, const char **words, size_t max, size_t *count,
                         struct err *err);

#endif
