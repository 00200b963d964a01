/* doctor: checks what this machine has for the job, and says what to do about what it has not. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/registry.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/model.h"
#include "cli/server.h"
#include "sandbox/sandbox.h"
#include "store/store.h"

#define ANSWER_WALL_MS 10000
#define NODE_MAJOR_MIN 20
#define NODE_MINOR_MIN 9
#define DISK_MIN_BYTES (UINT64_C(2) << 30)

struct finding {
    bool is_well;
    const char *is;   /* what was found */
    const char *mend; /* what to do, when it is not well */
};

/* First line of what a program prints, or NULL when it cannot be run. */
static const char *first_line(struct arena *arena, const char *program, const char *argument) {
    const char *argv[] = {program, argument, NULL};
    const char *env[] = {arena_printf(arena, "PATH=%s", str_or(getenv("PATH"), "/usr/local/bin:/usr/bin:/bin")),
                         arena_printf(arena, "HOME=%s", str_or(getenv("HOME"), "/")), NULL};
    struct proc_spec spec = {.argv = argv, .env = env};
    struct proc_exit ended = {0};
    struct err err = {0};
    struct buf text;
    buf_init(&text, 4096);
    int rc = proc_capture(&spec, ANSWER_WALL_MS, &text, &ended, &err);
    const char *line =
        rc == 0 && ended.code == 0 && text.len ? arena_strndup(arena, text.data, strcspn(text.data, "\n")) : NULL;
    buf_release(&text);
    return line && *line ? line : NULL;
}

static void check_node(const struct options *options, struct arena *arena, struct finding *out) {
    int major = 0, minor = 0;
    out->is = first_line(arena, "node", "--version");
    out->is_well = out->is && sscanf(out->is, "v%d.%d", &major, &minor) == 2 &&
                   (major > NODE_MAJOR_MIN || (major == NODE_MAJOR_MIN && minor >= NODE_MINOR_MIN));
    out->mend = "install Node.js 20.9 or newer: `make setup` brings it, or npm's `node` package does";
}

static void check_npm(const struct options *options, struct arena *arena, struct finding *out) {
    out->is = first_line(arena, "npm", "--version");
    out->is_well = out->is != NULL;
    out->mend = "install npm, which comes with Node.js: apt-get install npm";
}

static void check_data(const struct options *options, struct arena *arena, struct finding *out) {
    const char *data = options->values[OPTION_DATA];
    struct err err = {0};
    out->is = data;
    out->is_well = fs_mkdirs(data, 0750, &err) == 0 && access(data, W_OK | X_OK) == 0;
    out->mend = "make it writable for this user, or choose another with --data";
}

static void check_disk(const struct options *options, struct arena *arena, struct finding *out) {
    uint64_t bytes = 0;
    struct err err = {0};
    out->is_well = fs_free_bytes(options->values[OPTION_DATA], &bytes, &err) == 0 && bytes >= DISK_MIN_BYTES;
    out->is = arena_printf(arena, "%.1f GiB free", (double)bytes / (1 << 30));
    out->mend = "a build needs up to 1 GiB while it is verified: free some space, or choose another --data";
}

static void check_database(const struct options *options, struct arena *arena, struct finding *out) {
    struct store *store = NULL;
    struct err err = {0};
    const char *path = arena_printf(arena, "%s/prazium.db", options->values[OPTION_DATA]);
    out->mend = "restore it from a backup, and keep the broken file for looking into";
    if (!fs_exists(path)) {
        out->is = "none yet: the first start makes it";
        out->is_well = true;
        return;
    }
    int rc = store_open(&store, &(struct store_config){.url = arena_printf(arena, "sqlite:%s", path)}, &err);
    if (rc == 0)
        rc = store_check(store, &err);
    store_close(store);
    out->is_well = rc == 0;
    out->is =
        rc == 0 ? arena_printf(arena, "sound, schema %d", store_schema_version()) : arena_strdup(arena, err.message);
}

static void check_port(const struct options *options, struct arena *arena, struct finding *out) {
    const char *listen_on = options->values[OPTION_LISTEN], *colon = strrchr(listen_on, ':');
    struct sockaddr_in address = {.sin_family = AF_INET};
    int64_t port = 0;
    out->mend = "another program has it: choose another with --listen, or port 0 for a free one";
    out->is = listen_on;
    if (!colon || !str_to_int(colon + 1, 0, 65535, &port)) {
        out->mend = "give --listen as ADDRESS:PORT";
        return;
    }
    if (inet_pton(AF_INET,
                  colon == listen_on ? "0.0.0.0" : arena_strndup(arena, listen_on, (size_t)(colon - listen_on)),
                  &address.sin_addr) != 1) {
        out->is_well = true; /* a name, or IPv6: the server says so itself */
        return;
    }
    address.sin_port = htons((uint16_t)port);
    CLEANUP(mem_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    out->is_well = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (!out->is_well)
        out->is = arena_printf(arena, "%s: %s", listen_on, strerror(errno));
}

/* Everything works without: but for whoever insists, to lack it is no fault. */
static void check_sandbox(const struct options *options, struct arena *arena, struct finding *out) {
    char dir[] = "/tmp/prazium-doctor-XXXXXX";
    enum sandbox_mode mode = SANDBOX_AUTO;
    struct sandbox_fence *fence = NULL;
    struct err err = {0};
    (void)sandbox_mode_parse(options->values[OPTION_SANDBOX], &mode);
    int rc = mkdtemp(dir) ? sandbox_start(&err) : err_errno(&err, ERR_UNAVAILABLE, errno, "cannot make a folder");
    if (rc == 0)
        rc = sandbox_fence_open(&fence, mode == SANDBOX_OFF ? SANDBOX_OFF : SANDBOX_AUTO, dir, &err);
    const char *fault = rc < 0 ? err.message : sandbox_fence_fault(fence);
    out->is = fault ? arena_printf(arena, "builds are not fenced in: %s", fault) : "builds are fenced in by bubblewrap";
    out->is_well = !fault || mode != SANDBOX_BWRAP;
    out->mend = "install bubblewrap (apt-get install bubblewrap), and let this user make namespaces "
                "(user.max_user_namespaces); or choose --sandbox auto";
    sandbox_fence_close(fence);
    (void)!fs_remove_tree(dir, &err);
}

/* One of --agent's list: KIND or KIND:MODEL. */
static const char *agent_fault(const struct options *options, const char *name, struct arena *arena) {
    char found[4096];
    const struct agent_kind *kind = agent_kind_find(name);
    if (!kind || !kind->ops)
        return arena_printf(arena, "there is no agent %s", name);
    if (kind->needs_model && !options->values[OPTION_MODEL])
        return arena_printf(arena, "%s needs a --model", name);
    if (kind->needs_command && !options->values[str_eq(name, "acp") ? OPTION_ACP_COMMAND : OPTION_AGENT_COMMAND])
        return arena_printf(arena, "%s needs --%s", name, str_eq(name, "acp") ? "acp-command" : "agent-command");
    if (kind->program && !proc_find_program(kind->program, getenv("PATH"), found, sizeof found))
        return arena_printf(arena, "%s: its program %s is not to be found", name, kind->program);
    return NULL;
}

static void check_agents(const struct options *options, struct arena *arena, struct finding *out) {
    const char *planner = str_or(options->values[OPTION_PLANNER], "blueprint"),
               *listed = str_or(options->values[OPTION_AGENT], planner);
    char **names;
    size_t count;
    out->is = arena_printf(arena, "planned by %s, carried out by %s", planner, listed);
    out->mend = "look at --planner, --agent and --model; an agent's program must be in the PATH of the server";
    out->is_well = true;
    if (str_eq(planner, "model") && !options->values[OPTION_MODEL]) {
        out->is = "the planner model needs a --model";
        out->is_well = false;
    }
    str_split(arena, listed, ", ", &names, &count);
    for (size_t i = 0; out->is_well && i < count; i++) {
        names[i][strcspn(names[i], ":")] = '\0';
        const char *fault = agent_fault(options, names[i], arena);
        out->is = str_or(fault, out->is);
        out->is_well = !fault;
    }
}

static const struct {
    const char *name;
    void (*check)(const struct options *options, struct arena *arena, struct finding *out);
} checks[] = {
    {"node", check_node},         {"npm", check_npm},         {"data", check_data},     {"disk", check_disk},
    {"database", check_database}, {"sandbox", check_sandbox}, {"agents", check_agents}, {"listen", check_port},
};

int command_doctor(const struct options *options, struct arena *arena, struct err *err) {
    if (options->is_given[OPTION_MODEL])
        return model_examine(options, arena, err);
    int unwell = 0;
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        struct finding finding = {0};
        checks[i].check(options, arena, &finding);
        printf("%s %-9s %s\n", finding.is_well ? "✓" : "✗", checks[i].name, str_or(finding.is, "not found"));
        if (!finding.is_well)
            printf("  %-9s → %s\n", "", finding.mend);
        unwell += !finding.is_well;
    }
    if (unwell)
        return err_set(err, ERR_UNAVAILABLE, "%d of %zu checks need attention", unwell, ARRAY_LEN(checks));
    printf("all is well\n");
    return 0;
}
