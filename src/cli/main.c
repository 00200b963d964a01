/* main: finds the command, parses its options, runs it. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/command.h"

/* Sorted by name. */
static const struct command commands[] = {
    {.name = "account",
     .usage = "create | list | set ID | suspend ID | resume ID",
     .options = FOR_ACCOUNT,
     .run = command_account,
     .help = "accounts: who owns projects, and what they may use"},
    {.name = "build",
     .usage = "\"DESCRIPTION\"",
     .options = FOR_BUILD,
     .run = command_build,
     .help = "build an app: questions, spec, run with live progress, export, preview"},
    {.name = "doctor",
     .usage = "",
     .options = FOR_DOCTOR,
     .run = command_doctor,
     .help = "check this machine, and say what to do"},
    {.name = "key",
     .usage = "create | list | revoke ID",
     .options = FOR_KEY,
     .run = command_key,
     .help = "API keys of an account"},
    {.name = "openapi",
     .usage = "",
     .options = 0,
     .run = command_openapi,
     .help = "print the OpenAPI document of the API, for making clients"},
    {.name = "serve",
     .usage = "",
     .options = FOR_SERVE,
     .run = command_serve,
     .help = "run the server: API, event streams, workers"},
    {.name = "version", .usage = "", .options = 0, .run = command_version, .help = "print the version"},
};

static void print_usage(FILE *out) {
    fprintf(out, "prazium turns the description of an app into a built, verified, running app.\n\nusage: prazium "
                 "COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-10s %-28s %s\n", commands[i].name, commands[i].usage, commands[i].help);
    fprintf(out, "\n`prazium COMMAND --help` lists the options of a command.\n");
}

static void print_markdown(void) {
    printf("# Commands and options\n\nMade from the option table by `prazium help --markdown`. Options given on the "
           "command line win over the environment.\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        printf("\n## `prazium %s%s%s`\n\n%s.\n", commands[i].name, commands[i].usage[0] ? " " : "", commands[i].usage,
               commands[i].help);
        if (commands[i].options) {
            printf("\n");
            options_print_markdown(commands[i].options);
        }
    }
}

int command_version(const struct options *options, struct arena *arena, struct err *err) {
    printf("prazium %s\n", PRAZIUM_VERSION);
    return 0;
}

static const struct command *find_command(const char *name) {
    if (str_eq(name, "--version"))
        name = "version";
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (str_eq(commands[i].name, name))
            return &commands[i];
    return NULL;
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "help";
    if (str_eq(name, "help") || str_eq(name, "--help") || str_eq(name, "-h")) {
        if (argc > 2 && str_eq(argv[2], "--markdown"))
            print_markdown();
        else
            print_usage(stdout);
        return 0;
    }
    const struct command *command = find_command(name);
    if (!command) {
        fprintf(stderr, "prazium: there is no command %s\n\n", name);
        print_usage(stderr);
        return 2;
    }
    struct arena *arena = arena_create();
    struct options options;
    struct err err = {0};
    int rc = options_parse(&options, command->options, argv + 2, argc - 2, arena, &err);
    if (rc == 0 && options.wants_help) {
        printf("usage: prazium %s %s [OPTIONS]\n\n%s.\n\n", command->name, command->usage, command->help);
        options_print(command->options);
    } else if (rc == 0 && options.word_count > 0 && !command->usage[0]) {
        rc = err_set(&err, ERR_VALIDATION, "%s takes no further words, such as %s", command->name, options.words[0]);
    } else if (rc == 0) {
        rc = command->run(&options, arena, &err);
    }
    fflush(stdout); /* what was said before the error stands before it */
    if (rc < 0)
        fprintf(stderr, "prazium: %s\n", err.message);
    arena_destroy(arena);
    return rc < 0 ? err_exit_code(err.code) : 0;
}
