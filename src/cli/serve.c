/* serve: the server until SIGTERM or SIGINT. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/server.h"

int command_serve(const struct options *options, struct arena *arena, struct err *err) {
    struct server server;
    enum log_level level = LOG_INFO;
    sigset_t ending;
    int signal_number = 0;
    if (options->values[OPTION_LOG_LEVEL])
        (void)log_level_parse(options->values[OPTION_LOG_LEVEL], &level);
    log_set_level(level);
    log_set_json(str_eq(options->values[OPTION_LOG_FORMAT], "json"));
    /* Blocked before any thread starts, so that only this one takes them. */
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ending, NULL);
    signal(SIGPIPE, SIG_IGN);
    int rc = server_start(&server, options, options->values[OPTION_LISTEN], arena, err);
    if (rc < 0)
        return rc;
    log_event(LOG_INFO, "serving", "url", server.url, "data", engine_data_dir(server.engine), "version",
              PRAZIUM_VERSION, NULL);
    /* For whoever starts us with port 0. */
    printf("%s\n", server.url);
    fflush(stdout);
    while (sigwait(&ending, &signal_number) != 0)
        ;
    log_event(LOG_INFO, "draining", "signal", signal_number == SIGINT ? "SIGINT" : "SIGTERM", NULL);
    server_stop(&server, option_int(options, OPTION_GRACE) * 1000);
    log_event(LOG_INFO, "stopped", NULL);
    return 0;
}
