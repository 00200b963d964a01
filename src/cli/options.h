/* options: one table of options, from which come parsing, --help, the environment's names and the page in docs/. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum option_id {
    OPTION_ACCOUNT,
    OPTION_ACP_COMMAND,
    OPTION_AGENT,
    OPTION_AGENT_COMMAND,
    OPTION_ANSWERS,
    OPTION_BEHIND_PROXY,
    OPTION_BLUEPRINTS,
    OPTION_DATA,
    OPTION_DATABASE,
    OPTION_EMAIL,
    OPTION_GRACE,
    OPTION_KEEP,
    OPTION_KEY,
    OPTION_LISTEN,
    OPTION_LOG_FORMAT,
    OPTION_LOG_LEVEL,
    OPTION_MODEL,
    OPTION_MODEL_KEY_FILE,
    OPTION_MODEL_PRIVATE_ADDRESSES,
    OPTION_MODEL_PROVIDER,
    OPTION_MODEL_URL,
    OPTION_NAME,
    OPTION_OUT,
    OPTION_PLANNER,
    OPTION_PREVIEW,
    OPTION_RATE_LIMIT,
    OPTION_RECORD,
    OPTION_REGISTRATION,
    OPTION_REPLAY,
    OPTION_ROLE,
    OPTION_SANDBOX,
    OPTION_SERVER,
    OPTION_TIER,
    OPTION_WEBHOOK_PRIVATE_ADDRESSES,
    OPTION_WORKERS,
    OPTION_YES,
    OPTION_COUNT,
};

/* Which commands an option belongs to, one bit each. */
enum {
    FOR_SERVE = 1 << 0,
    FOR_BUILD = 1 << 1,
    FOR_KEY = 1 << 2,
    FOR_DOCTOR = 1 << 3,
    FOR_ACCOUNT = 1 << 4,
};

struct options {
    const char
        *values[OPTION_COUNT]; /* given on the command line, else of the environment, else the default; NULL for none */
    const char **words;        /* what is no option, in order */
    size_t word_count;
    bool is_given[OPTION_COUNT]; /* on the command line */
    bool wants_help;
};

/* args are those after the command's name. ERR_VALIDATION says what is wrong with which option. */
MUST_CHECK int options_parse(struct options *out, unsigned command, char **args, int count, struct arena *arena,
                             struct err *err);
bool option_flag(const struct options *options, enum option_id id);
int64_t option_int(const struct options *options, enum option_id id); /* parsed and in range already */
/* Two lines an option, for --help. */
void options_print(unsigned command);
/* The same as rows of a Markdown table, for docs/. */
void options_print_markdown(unsigned command);

#endif
