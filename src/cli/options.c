/* options: one table of options, from which all else is made. */
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum option_kind { KIND_TEXT, KIND_NUMBER, KIND_WORD, KIND_FLAG };

struct option_row {
    const char *name; /* without the dashes; the environment's name is PRAZIUM_ and this in capitals */
    enum option_kind kind;
    const char *metavar;
    const char *fallback; /* NULL: none */
    const char *words;    /* of KIND_WORD: "on|off" */
    int64_t min, max;     /* of KIND_NUMBER */
    unsigned commands;
    unsigned bare; /* commands for which it may stand without a value: then that of the environment counts */
    const char *help;
};

/* Sorted by name. */
static const struct option_row rows[] = {
    [OPTION_ACCOUNT] = {.name = "account",
                        .kind = KIND_TEXT,
                        .metavar = "ID",
                        .commands = FOR_KEY,
                        .help = "whose keys; without it, the first account's"},
    [OPTION_ACP_COMMAND] = {.name = "acp-command",
                            .kind = KIND_TEXT,
                            .metavar = "COMMAND",
                            .commands = FOR_SERVE | FOR_BUILD | FOR_DOCTOR,
                            .help = "what the agent acp is started with, such as \"opencode acp\""},
    [OPTION_AGENT] = {.name = "agent",
                      .kind = KIND_TEXT,
                      .metavar = "LIST",
                      .commands = FOR_SERVE | FOR_BUILD | FOR_DOCTOR,
                      .help =
                          "who carries out tasks, as KIND or KIND:MODEL; after commas, who takes over when it cannot "
                          "work. Without it, the planner's own"},
    [OPTION_AGENT_COMMAND] = {.name = "agent-command",
                              .kind = KIND_TEXT,
                              .metavar = "COMMAND",
                              .commands = FOR_SERVE | FOR_BUILD | FOR_DOCTOR,
                              .help = "what the agent command is started with"},
    [OPTION_ANSWERS] = {.name = "answers",
                        .kind = KIND_TEXT,
                        .metavar = "FILE",
                        .commands = FOR_BUILD,
                        .help =
                            "answers to the questions as JSON, {\"q1\": \"…\"}; what it leaves out takes the default"},
    [OPTION_BEHIND_PROXY] = {.name = "behind-proxy",
                             .kind = KIND_WORD,
                             .words = "on|off",
                             .fallback = "off",
                             .commands = FOR_SERVE,
                             .help = "whether every request comes through a proxy of yours, whose X-Forwarded-For and "
                                     "X-Forwarded-Proto are believed"},
    [OPTION_BLUEPRINTS] = {.name = "blueprints",
                           .kind = KIND_TEXT,
                           .metavar = "DIR",
                           .commands = FOR_SERVE | FOR_BUILD,
                           .help = "a catalog to use instead of the one compiled in"},
    [OPTION_DATA] = {.name = "data",
                     .kind = KIND_TEXT,
                     .metavar = "DIR",
                     .fallback = "./data",
                     .commands = FOR_SERVE | FOR_BUILD | FOR_KEY | FOR_ACCOUNT | FOR_DOCTOR,
                     .help = "where everything is kept; made if absent"},
    [OPTION_DATABASE] = {.name = "database",
                         .kind = KIND_TEXT,
                         .metavar = "URL",
                         .commands = FOR_SERVE | FOR_BUILD | FOR_KEY | FOR_ACCOUNT,
                         .help = "sqlite:PATH; without it, a SQLite file in the data directory"},
    [OPTION_EMAIL] = {.name = "email",
                      .kind = KIND_TEXT,
                      .metavar = "ADDRESS",
                      .commands = FOR_ACCOUNT,
                      .help = "of a first user of the account, whose password is read from PRAZIUM_PASSWORD or a line "
                              "of standard input"},
    [OPTION_GRACE] = {.name = "grace",
                      .kind = KIND_NUMBER,
                      .metavar = "SECONDS",
                      .fallback = "10",
                      .min = 0,
                      .max = 3600,
                      .commands = FOR_SERVE,
                      .help = "what running jobs have at the end before they go back to the queue"},
    [OPTION_KEEP] = {.name = "keep",
                     .kind = KIND_FLAG,
                     .commands = FOR_BUILD,
                     .help = "stay up with the preview until Ctrl-C (the default on a terminal)"},
    [OPTION_KEY] =
        {.name = "key",
         .kind = KIND_TEXT,
         .metavar = "KEY",
         .commands = FOR_BUILD,
         .help =
             "API key for --server; without it, the admin.key of the data directory. Better given by the environment"},
    [OPTION_LISTEN] = {.name = "listen",
                       .kind = KIND_TEXT,
                       .metavar = "ADDRESS",
                       .fallback = "127.0.0.1:3001",
                       .commands = FOR_SERVE | FOR_DOCTOR,
                       .help = "address and port of the API; port 0 takes a free one"},
    [OPTION_LOG_FORMAT] = {.name = "log-format",
                           .kind = KIND_WORD,
                           .words = "text|json",
                           .fallback = "text",
                           .commands = FOR_SERVE,
                           .help = "how log lines look"},
    [OPTION_LOG_LEVEL] =
        {.name = "log-level",
         .kind = KIND_WORD,
         .words = "debug|info|warn|error",
         .commands = FOR_SERVE | FOR_BUILD,
         .help = "least level that is logged: info for serve, error for build; debug has a line a request"},
    [OPTION_MODEL] = {.name = "model",
                      .kind = KIND_TEXT,
                      .metavar = "NAME",
                      .commands = FOR_SERVE | FOR_BUILD | FOR_DOCTOR,
                      .bare = FOR_DOCTOR,
                      .help = "the language model to use, as its provider names it; doctor asks it one small question"},
    [OPTION_MODEL_KEY_FILE] = {.name = "model-key-file",
                               .kind = KIND_TEXT,
                               .metavar = "FILE",
                               .commands = FOR_SERVE | FOR_BUILD | FOR_DOCTOR,
                               .help = "a file whose first line is the model's API key; or the environment has the key "
                                       "itself as PRAZIUM_MODEL_KEY"},
    [OPTION_MODEL_PRIVATE_ADDRESSES] = {.name = "model-private-addresses",
                                        .kind = KIND_WORD,
                                        .words = "refuse|allow",
                                        .fallback = "refuse",
                                        .commands = FOR_SERVE,
                                        .help = "whether accounts may name models on this machine and its network; "
                                                "allow is for a host of one tenant"},
    [OPTION_MODEL_PROVIDER] = {.name = "model-provider",
                               .kind = KIND_WORD,
                               .words = "anthropic|openai|chat|ollama",
                               .commands = FOR_SERVE | FOR_BUILD | FOR_DOCTOR,
                               .help = "who has the model, and so its wire format; chat is any server of OpenAI's Chat "
                                       "Completions"},
    [OPTION_MODEL_URL] = {.name = "model-url",
                          .kind = KIND_TEXT,
                          .metavar = "URL",
                          .commands = FOR_SERVE | FOR_BUILD | FOR_DOCTOR,
                          .help = "where the model is asked; without it, the provider's own address"},
    [OPTION_NAME] = {.name = "name",
                     .kind = KIND_TEXT,
                     .metavar = "NAME",
                     .commands = FOR_BUILD | FOR_KEY | FOR_ACCOUNT,
                     .help = "of the project (default: from the description), of the key, or of the account"},
    [OPTION_OUT] = {.name = "out",
                    .kind = KIND_TEXT,
                    .metavar = "FILE",
                    .commands = FOR_BUILD,
                    .help = "where the zip goes; default: its own name, in this folder"},
    [OPTION_PLANNER] = {.name = "planner",
                        .kind = KIND_WORD,
                        .words = "blueprint|model",
                        .commands = FOR_SERVE | FOR_BUILD | FOR_DOCTOR,
                        .help = "who asks, specifies and divides the work; without it, blueprint"},
    [OPTION_PREVIEW] = {.name = "preview",
                        .kind = KIND_WORD,
                        .words = "on|off",
                        .fallback = "on",
                        .commands = FOR_BUILD,
                        .help = "whether the app is started at the end"},
    [OPTION_RATE_LIMIT] = {.name = "rate-limit",
                           .kind = KIND_WORD,
                           .words = "on|off",
                           .fallback = "on",
                           .commands = FOR_SERVE,
                           .help = "whether requests are counted against the account's tier; off is for a host of one "
                                   "tenant"},
    [OPTION_RECORD] = {.name = "record",
                       .kind = KIND_TEXT,
                       .metavar = "DIR",
                       .commands = FOR_SERVE | FOR_BUILD,
                       .help = "keep every call of a model in this folder, without its key"},
    [OPTION_REGISTRATION] = {.name = "registration",
                             .kind = KIND_WORD,
                             .words = "on|off",
                             .fallback = "on",
                             .commands = FOR_SERVE,
                             .help = "whether anyone may make an account; off leaves it to administrators"},
    [OPTION_REPLAY] = {.name = "replay",
                       .kind = KIND_TEXT,
                       .metavar = "DIR",
                       .commands = FOR_SERVE | FOR_BUILD,
                       .help = "answer the calls of models from this folder, with neither key nor network"},
    [OPTION_ROLE] = {.name = "role",
                     .kind = KIND_WORD,
                     .words = "member|admin",
                     .fallback = "member",
                     .commands = FOR_KEY | FOR_ACCOUNT,
                     .help = "what a new key, or the account's first user, may do"},
    [OPTION_SANDBOX] = {.name = "sandbox",
                        .kind = KIND_WORD,
                        .words = "auto|bwrap|off",
                        .fallback = "auto",
                        .commands = FOR_SERVE | FOR_BUILD | FOR_DOCTOR,
                        .help =
                            "how what is built and run is fenced in: by bubblewrap where it works, by bubblewrap or "
                            "not at all, or without a fence"},
    [OPTION_SERVER] = {.name = "server",
                       .kind = KIND_TEXT,
                       .metavar = "URL",
                       .commands = FOR_BUILD,
                       .help = "a running server, such as http://127.0.0.1:3001; without it, the one on the data "
                               "directory, else one of its own"},
    [OPTION_TIER] = {.name = "tier",
                     .kind = KIND_WORD,
                     .words = "free|pro|enterprise",
                     .commands = FOR_ACCOUNT,
                     .help = "what the account may use; a new one is free"},
    [OPTION_WEBHOOK_PRIVATE_ADDRESSES] = {.name = "webhook-private-addresses",
                                          .kind = KIND_WORD,
                                          .words = "refuse|allow",
                                          .fallback = "refuse",
                                          .commands = FOR_SERVE,
                                          .help = "whether webhooks may go to this machine and its network; allow is "
                                                  "for a host of one tenant"},
    [OPTION_WORKERS] = {.name = "workers",
                        .kind = KIND_NUMBER,
                        .metavar = "N",
                        .min = 0,
                        .max = 64,
                        .commands = FOR_SERVE | FOR_BUILD,
                        .help = "worker threads in the server; default: one a core"},
    [OPTION_YES] = {.name = "yes",
                    .kind = KIND_FLAG,
                    .commands = FOR_BUILD,
                    .help = "take the default answers without asking"},
};

static const char *env_name(const struct option_row *row, char out[64]) {
    size_t n = (size_t)snprintf(out, 64, "PRAZIUM_");
    for (const char *c = row->name; *c && n < 63; c++)
        out[n++] = *c == '-' ? '_' : (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
    out[n] = '\0';
    return out;
}

static bool is_one_of(const char *value, const char *words) {
    size_t len = strlen(value);
    if (strchr(value, '|'))
        return false;
    for (const char *at = words; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strncmp(at, value, len) == 0 && (at[len] == '|' || at[len] == '\0'))
            return true;
    return false;
}

static int check_value(const struct option_row *row, const char *value, const char *given_as, struct err *err) {
    int64_t number;
    switch (row->kind) {
    case KIND_TEXT:
        return *value ? 0 : err_field(err, ERR_VALIDATION, row->name, "%s must not be empty", given_as);
    case KIND_NUMBER:
        if (!str_to_int(value, row->min, row->max, &number))
            return err_field(err, ERR_VALIDATION, row->name, "%s must be a number from %lld to %lld", given_as,
                             (long long)row->min, (long long)row->max);
        return 0;
    case KIND_WORD:
        return is_one_of(value, row->words)
                   ? 0
                   : err_field(err, ERR_VALIDATION, row->name, "%s must be one of %s", given_as, row->words);
    case KIND_FLAG:
        return is_one_of(value, "1|0|on|off|true|false")
                   ? 0
                   : err_field(err, ERR_VALIDATION, row->name, "%s must be on or off", given_as);
    }
    return 0;
}

static int take_environment(struct options *out, unsigned command, struct err *err) {
    char name[64];
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const char *value = getenv(env_name(&rows[i], name));
        out->values[i] = rows[i].fallback;
        if (!(rows[i].commands & command) || !value || !*value)
            continue;
        int rc = check_value(&rows[i], value, name, err);
        if (rc < 0)
            return rc;
        out->values[i] = value;
    }
    return 0;
}

/* One argument that begins with "--". Returns how many arguments it took, or a negative code. */
static int take_option(struct options *out, unsigned command, char **args, int left, struct arena *arena,
                       struct err *err) {
    const char *equals = strchr(args[0], '=');
    const char *name = equals ? arena_strndup(arena, args[0] + 2, (size_t)(equals - args[0] - 2)) : args[0] + 2;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (!(rows[i].commands & command) || !str_eq(rows[i].name, name))
            continue;
        const char *value = equals ? equals + 1 : rows[i].kind == KIND_FLAG ? "on" : left > 1 ? args[1] : NULL;
        out->is_given[i] = true;
        if (!equals && (rows[i].bare & command) && (!value || str_starts(value, "--")))
            return 1;
        if (!value)
            return err_field(err, ERR_VALIDATION, rows[i].name, "--%s needs a value", name);
        int rc = check_value(&rows[i], value, arena_printf(arena, "--%s", name), err);
        if (rc < 0)
            return rc;
        out->values[i] = value;
        return equals || rows[i].kind == KIND_FLAG ? 1 : 2;
    }
    return err_set(err, ERR_VALIDATION, "there is no option --%s here; --help lists them", name);
}

int options_parse(struct options *out, unsigned command, char **args, int count, struct arena *arena, struct err *err) {
    *out = (struct options){.words = arena_array(arena, (size_t)count + 1, sizeof *out->words)};
    int rc = take_environment(out, command, err);
    bool only_words = false;
    for (int i = 0; rc == 0 && i < count;) {
        if (!only_words && (str_eq(args[i], "--help") || str_eq(args[i], "-h"))) {
            out->wants_help = true;
            i++;
        } else if (!only_words && str_eq(args[i], "--")) {
            only_words = true;
            i++;
        } else if (!only_words && str_starts(args[i], "--")) {
            int taken = take_option(out, command, args + i, count - i, arena, err);
            if (taken < 0)
                return taken;
            i += taken;
        } else {
            out->words[out->word_count++] = args[i++];
        }
    }
    return rc;
}

bool option_flag(const struct options *options, enum option_id id) {
    const char *value = options->values[id];
    return value && is_one_of(value, "1|on|true");
}

int64_t option_int(const struct options *options, enum option_id id) {
    int64_t number = 0;
    if (options->values[id])
        (void)str_to_int(options->values[id], rows[id].min, rows[id].max, &number);
    return number;
}

static const char *usage_of(const struct option_row *row, char out[64]) {
    if (row->kind == KIND_FLAG)
        snprintf(out, 64, "--%s", row->name);
    else
        snprintf(out, 64, "--%s %s", row->name, row->words ? row->words : row->metavar);
    return out;
}

void options_print(unsigned command) {
    char name[64], usage[64];
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (!(rows[i].commands & command))
            continue;
        printf("  %-34s %s\n", usage_of(&rows[i], usage), rows[i].help);
        printf("  %-34s %s", "", env_name(&rows[i], name));
        if (rows[i].fallback)
            printf("; default %s", rows[i].fallback);
        printf("\n");
    }
}

void options_print_markdown(unsigned command) {
    char name[64], usage[64];
    printf("| option | environment | default | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (!(rows[i].commands & command))
            continue;
        usage_of(&rows[i], usage);
        printf("| `");
        for (const char *c = usage; *c; c++) /* a bar would end the cell */
            printf(*c == '|' ? "\\|" : "%c", *c);
        printf("` | `%s` | %s%s%s | %s |\n", env_name(&rows[i], name), rows[i].fallback ? "`" : "",
               str_or(rows[i].fallback, "–"), rows[i].fallback ? "`" : "", rows[i].help);
    }
}
