/* command: the table of commands. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/arena.h"
#include "base/err.h"
#include "cli/options.h"

/* Returns 0 or a negative code with err set; main prints it and exits by its code. */
typedef int command_run(const struct options *options, struct arena *arena, struct err *err);

struct command {
    const char *name;
    const char *usage; /* what follows the name */
    const char *help;
    unsigned options; /* FOR_… */
    command_run *run;
};

command_run command_account, command_build, command_doctor, command_key, command_openapi, command_serve,
    command_version;

#endif
