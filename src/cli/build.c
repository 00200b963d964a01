/* build: the whole job from the terminal, through the API like any other client. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/answers.h"
#include "cli/board.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/name.h"
#include "cli/server.h"
#include "net/net.h"

#define DELIVERY_WAIT_MS (5 * 60 * 1000)
#define DELIVERY_POLL_MS 200

struct build {
    const struct options *options;
    struct arena *arena;
    struct server server; /* its own, when it needs one */
    struct client client;
    struct board board;
    sigset_t ending;
    const char *project; /* "/projects/proj_…" */
    const char *run;     /* "/projects/…/runs/run_…" */
    const char *run_id;
    const char *preview_url;
};

/* Ctrl-C, asked between two moments of waiting; keeps the elapsed times moving meanwhile. */
static bool is_interrupted(void *arg) {
    struct build *build = arg;
    struct timespec now = {0};
    board_tick(&build->board);
    return sigtimedwait(&build->ending, NULL, &now) > 0;
}

static void heading(const struct build *build, const char *text) {
    printf("\n%s%s%s\n", board_bold(&build->board), text, board_plain(&build->board));
    fflush(stdout);
}

/* A server that is there already records where it was told to. */
static int check_foreign(const struct options *options, const char *url, struct err *err) {
    const char *name = options->values[OPTION_RECORD] ? "record" : options->values[OPTION_REPLAY] ? "replay" : NULL;
    return name ? err_field(err, ERR_VALIDATION, name, "--%s is for the server itself, and %s is running already", name,
                            url)
                : 0;
}

/* The server named, or the one on the data directory, or a new one in this process. */
static int connect_server(struct build *build, struct err *err) {
    const struct options *options = build->options;
    const char *data = options->values[OPTION_DATA], *url = options->values[OPTION_SERVER];
    struct buf text = {0};
    enum log_level level = LOG_ERROR;
    if (options->values[OPTION_LOG_LEVEL])
        (void)log_level_parse(options->values[OPTION_LOG_LEVEL], &level);
    log_set_level(level);
    int rc = 0;
    if (!url) {
        rc = server_start(&build->server, options, "127.0.0.1:0", build->arena, err);
        url = build->server.url;
        struct err read_err = {0};
        if (rc == -ERR_CONFLICT &&
            fs_read_file(arena_printf(build->arena, "%s/server.url", data), 1024, &text, &read_err) == 0) {
            url = str_trim(build->arena, text.data);
            rc = 0;
        }
        buf_release(&text);
    }
    if (rc == 0 && !build->server.engine)
        rc = check_foreign(options, url, err);
    const char *key = options->values[OPTION_KEY];
    if (rc == 0 && !key)
        rc = server_admin_key(data, build->arena, &key, err);
    if (rc < 0)
        return rc;
    build->client = (struct client){.net = net_client_create(),
                                    .url = url,
                                    .key = key,
                                    .arena = build->arena,
                                    .is_cancelled = is_interrupted,
                                    .cancel_arg = build};
    printf("%sserver%s   %s%s\n", board_dim(&build->board), board_plain(&build->board), url,
           build->server.engine ? " (started for this build)" : "");
    return 0;
}

static int create_project(struct build *build, const char *description, struct err *err) {
    const char *name = build->options->values[OPTION_NAME] ? build->options->values[OPTION_NAME]
                                                           : name_of_description(build->arena, description);
    json_t *project = NULL;
    int rc = client_call(&build->client, "POST", "/projects",
                         json_pack("{s:s, s:s}", "name", name, "description", description), &project, err);
    if (rc < 0)
        return rc;
    build->project = arena_printf(build->arena, "/projects/%s", json_str(project, "id", ""));
    printf("%sproject%s  %s  %s\n", board_dim(&build->board), board_plain(&build->board), json_str(project, "id", ""),
           name);
    return 0;
}

static int clarify(struct build *build, struct err *err) {
    json_t *asked = NULL, *planned = NULL, *answers = NULL;
    int rc = client_call(&build->client, "POST", arena_printf(build->arena, "%s/clarify", build->project), NULL, &asked,
                         err);
    if (rc < 0)
        return rc;
    heading(build, "Questions");
    bool asks = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !option_flag(build->options, OPTION_YES);
    rc = answers_take(json_object_get(asked, "questions"), build->options->values[OPTION_ANSWERS], asks, build->arena,
                      &answers, err);
    if (rc == 0)
        rc = client_call(&build->client, "POST", arena_printf(build->arena, "%s/answers", build->project),
                         json_pack("{s:O}", "answers", answers), &planned, err);
    if (rc < 0)
        return rc;
    heading(build, "Spec");
    const char *name;
    json_t *text;
    json_object_foreach (json_object_get(json_object_get(planned, "spec"), "documents"), name, text) {
        printf("  %s%s%s\n", board_green(&build->board), name, board_plain(&build->board));
        for (const char *line = json_string_value(text); line && *line;
             line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
            if (str_starts(line, "## ") || str_starts(line, "# "))
                printf("    %.*s\n", (int)strcspn(line, "\n"), line);
    }
    return client_call(&build->client, "POST", arena_printf(build->arena, "%s/approve", build->project), NULL, &planned,
                       err);
}

static int on_event(const char *type, const json_t *data, void *arg) {
    struct build *build = arg;
    board_event(&build->board, type, data);
    return 0;
}

static int run(struct build *build, struct err *err) {
    json_t *begun = NULL, *ignored = NULL;
    int rc = client_call(&build->client, "POST", arena_printf(build->arena, "%s/runs", build->project),
                         json_pack("{s:s}", "trigger", "manual"), &begun, err);
    if (rc < 0)
        return rc;
    build->run_id = json_str(begun, "id", "");
    build->run = arena_printf(build->arena, "%s/runs/%s", build->project, build->run_id);
    heading(build,
            arena_printf(build->arena, "Run %lld  %s", (long long)json_int(begun, "runNumber", 0), build->run_id));
    rc =
        client_follow(&build->client, arena_printf(build->arena, "%s/events/stream", build->run), on_event, build, err);
    if (rc == -ERR_CANCELLED) {
        struct err cancel_err = {0};
        printf("\ncancelling…\n");
        build->client.is_cancelled = NULL;
        if (client_call(&build->client, "POST", arena_printf(build->arena, "%s/cancel", build->run), NULL, &ignored,
                        &cancel_err) < 0)
            fprintf(stderr, "prazium: %s\n", cancel_err.message);
        return err_set(err, ERR_CANCELLED, "the run was cancelled");
    }
    return rc;
}

/* What proves a criterion, on one line. */
static const char *evidence_line(struct arena *arena, const json_t *criterion) {
    const json_t *evidence = json_object_get(criterion, "evidence"),
                 *exchanges = json_object_get(evidence, "exchanges");
    size_t count = json_array_size(exchanges);
    if (count == 0)
        return arena_printf(arena, "check %s", json_str(evidence, "check", json_str(evidence, "kind", "")));
    const json_t *last = json_array_get(exchanges, count - 1);
    return arena_printf(arena, "%zu exchange%s, last %s %s → %lld", count, count == 1 ? "" : "s",
                        json_str(json_object_get(last, "request"), "method", ""),
                        json_str(json_object_get(last, "request"), "path", ""),
                        (long long)json_int(json_object_get(last, "response"), "status", 0));
}

static int report(struct build *build, struct err *err) {
    json_t *view = NULL, *criterion;
    size_t i, proven = 0;
    int rc = client_call(&build->client, "GET", build->run, NULL, &view, err);
    if (rc < 0)
        return rc;
    const json_t *criteria = json_object_get(json_object_get(view, "verificationResult"), "criteria");
    heading(build, "Acceptance criteria");
    json_array_foreach (criteria, i, criterion) {
        bool is_proven = str_eq(json_str(criterion, "status", ""), "proven");
        proven += is_proven;
        printf("  %s%-6s %-7s%s %-58.58s %s%s%s\n", is_proven ? board_green(&build->board) : board_red(&build->board),
               json_str(criterion, "id", ""), json_str(criterion, "status", ""), board_plain(&build->board),
               json_str(criterion, "title", ""), board_dim(&build->board),
               is_proven ? evidence_line(build->arena, criterion) : json_str(criterion, "fault", ""),
               board_plain(&build->board));
    }
    printf("  %zu of %zu proven\n", proven, json_array_size(criteria));
    if (!str_eq(json_str(view, "status", ""), "succeeded"))
        return err_set(err, ERR_INTERNAL, "the run is %s: %s", json_str(view, "status", ""),
                       json_str(view, "error", "see the events"));
    return 0;
}

/* Asks until the thing at path has left the state `busy`. */
static int await(struct build *build, const char *path, const char *busy, json_t **out, struct err *err) {
    int64_t deadline = clock_mono_ms() + DELIVERY_WAIT_MS;
    for (;;) {
        int rc = client_call(&build->client, "GET", path, NULL, out, err);
        if (rc < 0 || !str_eq(json_str(*out, "status", ""), busy))
            return rc;
        if (clock_mono_ms() >= deadline)
            return err_set(err, ERR_TIMEOUT, "%s is still %s", path, busy);
        if (is_interrupted(build))
            return err_set(err, ERR_CANCELLED, "stopped");
        poll(NULL, 0, DELIVERY_POLL_MS);
    }
}

static int export(struct build *build, struct err *err) {
    json_t *row = NULL, *project = NULL;
    int rc = client_call(&build->client, "POST", arena_printf(build->arena, "%s/export", build->project),
                         json_pack("{s:s, s:s}", "runId", build->run_id, "format", "zip"), &row, err);
    if (rc == 0)
        rc = await(build, arena_printf(build->arena, "%s/exports/%s", build->project, json_str(row, "id", "")),
                   "processing", &row, err);
    if (rc == 0 && !str_eq(json_str(row, "status", ""), "completed"))
        rc =
            err_set(err, ERR_INTERNAL, "the export is %s: %s", json_str(row, "status", ""), json_str(row, "error", ""));
    if (rc == 0)
        rc = client_call(&build->client, "GET", build->project, NULL, &project, err);
    if (rc < 0)
        return rc;
    const char *file = build->options->values[OPTION_OUT];
    if (!file)
        file = arena_printf(build->arena, "%s.zip", str_slug(build->arena, json_str(project, "name", ""), 60, "app"));
    rc = client_download(&build->client, json_str(row, "downloadUrl", ""), file, err);
    if (rc < 0)
        return rc;
    heading(build, "Export");
    printf("  %s  %lld bytes\n", fs_real(build->arena, file), (long long)json_int(row, "sizeBytes", 0));
    return 0;
}

static int preview(struct build *build, struct err *err) {
    json_t *row = NULL;
    struct net_response response = {0};
    int rc = client_call(&build->client, "POST", arena_printf(build->arena, "%s/deploy", build->project),
                         json_pack("{s:s, s:s}", "runId", build->run_id, "provider", "local"), &row, err);
    if (rc == 0)
        rc = await(build,
                   arena_printf(build->arena, "%s/deployments/%s", build->project, json_str(row, "deploymentId", "")),
                   "deploying", &row, err);
    if (rc < 0)
        return rc;
    if (!str_eq(json_str(row, "status", ""), "live"))
        return err_set(err, ERR_UNAVAILABLE, "the preview is %s: %s", json_str(row, "status", ""),
                       json_str(row, "error", ""));
    build->preview_url = json_str(row, "url", "");
    struct net_request request = {.method = "GET", .url = build->preview_url, .follow_redirects = true};
    rc = net_request(build->client.net, &request, build->arena, &response, err);
    if (rc == 0 && response.status != 200)
        rc = err_set(err, ERR_UNAVAILABLE, "the preview answered %d", response.status);
    if (rc < 0)
        return rc;
    heading(build, "Preview");
    printf("  %s  answered %d with %zu bytes in %lld ms\n", build->preview_url, response.status, response.body_len,
           (long long)response.elapsed_ms);
    fflush(stdout);
    return 0;
}

static void stay_up(struct build *build) {
    int signal_number;
    if (!build->server.engine || !(option_flag(build->options, OPTION_KEEP) || isatty(STDOUT_FILENO)))
        return;
    printf("\nThe preview stays up until Ctrl-C.\n");
    fflush(stdout);
    while (sigwait(&build->ending, &signal_number) != 0)
        ;
}

int command_build(const struct options *options, struct arena *arena, struct err *err) {
    struct build build = {.options = options, .arena = arena};
    if (options->word_count != 1)
        return err_set(err, ERR_VALIDATION,
                       "give the description as one argument: prazium build \"A recipe box for families.\"");
    if (!str_is_utf8(options->words[0], strlen(options->words[0])))
        return err_set(err, ERR_VALIDATION,
                       "the description is not UTF-8: the terminal seems to have another encoding");
    board_init(&build.board);
    /* Blocked before any thread starts; asked for by is_interrupted and stay_up. */
    sigemptyset(&build.ending);
    sigaddset(&build.ending, SIGINT);
    sigaddset(&build.ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &build.ending, NULL);
    signal(SIGPIPE, SIG_IGN);
    int rc = connect_server(&build, err);
    if (rc == 0)
        rc = create_project(&build, options->words[0], err);
    if (rc == 0)
        rc = clarify(&build, err);
    if (rc == 0)
        rc = run(&build, err);
    if (rc == 0)
        rc = report(&build, err);
    if (rc == 0)
        rc = export(&build, err);
    if (rc == 0 && str_eq(options->values[OPTION_PREVIEW], "on"))
        rc = preview(&build, err);
    if (rc == 0 && build.preview_url)
        stay_up(&build);
    net_client_destroy(build.client.net);
    server_stop(&build.server, 2000);
    return rc;
}
