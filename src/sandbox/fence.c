/* fence: the bubblewrap command that shuts a command in.
 *
 * Where the server runs as root, what is behind the fence has its user number on the outside, too, though none of its
 * privileges: it owns root's files. So whatever it can see and root can write to must be bound read-only. Two places
 * are easily missed: /proc/sys, which bubblewrap leaves writable for such a user, and the device files, whose modes
 * could be changed for the whole machine; they are bound from copies that belong to nobody. */
#include "sandbox/fence.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"

enum {
    MAX_ARGS = 256, /* without the folders and the command */
    NOBODY = 65534,
};
#define USER_TEXT "1000" /* programs take root for more than it is here */
#define TMP_BYTES "536870912"
#define SHM_BYTES "67108864"

/* Of /: links stay links, folders are bound, what is absent is left out. */
static const char *const system_folders[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};

/* No folder with keys in it: not the whole of /etc/ssl. */
static const char *const etc_files[] = {
    "/etc/alternatives",    "/etc/ca-certificates", "/etc/ld.so.cache",   "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",    "/etc/localtime",       "/etc/nsswitch.conf", "/etc/pki/ca-trust/extracted",
    "/etc/pki/tls/certs",   "/etc/protocols",       "/etc/services",      "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf", "/etc/ssl/cert.pem",
};

/* Root may write to them, whatever its capabilities. */
static const char *const closed_proc[] = {"/proc/sys", "/proc/fs", "/proc/irq", "/proc/bus", "/proc/sysrq-trigger"};

static const struct device {
    const char *name;
    unsigned number; /* major 1 */
} devices[] = {{"null", 3}, {"zero", 5}, {"full", 7}, {"random", 8}, {"urandom", 9}};

struct args {
    struct arena *arena;
    const char **at;
    size_t count, capacity;
};

static void add(struct args *args, const char *text) {
    if (args->count < args->capacity)
        args->at[args->count++] = text;
}

static void add_two(struct args *args, const char *first, const char *second) {
    add(args, first);
    add(args, second);
}

static void bind(struct args *args, const char *how, const char *from, const char *to) {
    add(args, how);
    add(args, from);
    add(args, to);
}

static void bind_same(struct args *args, const char *how, const char *path) {
    bind(args, how, path, path);
}

static void add_system(struct args *args) {
    for (size_t i = 0; i < ARRAY_LEN(system_folders); i++) {
        const char *path = system_folders[i];
        char target[256];
        ssize_t len = readlink(path, target, sizeof(target) - 1);
        if (len > 0)
            bind(args, "--symlink", arena_strndup(args->arena, target, (size_t)len), path);
        else if (fs_is_dir(path))
            bind_same(args, "--ro-bind", path);
    }
    for (size_t i = 0; i < ARRAY_LEN(etc_files); i++)
        bind_same(args, "--ro-bind-try", etc_files[i]);
}

static void add_own_files(struct args *args, const struct sandbox_fence *fence, const struct sandbox_spec *spec) {
    static const char *const names[] = {"passwd", "group", "hosts"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        bind(args, "--ro-bind", fs_join(args->arena, fence->dir, names[i]),
             arena_printf(args->arena, "/etc/%s", names[i]));
    if (spec->network == SANDBOX_NETWORK_HOST)
        bind_same(args, "--ro-bind-try", "/etc/resolv.conf");
}

static void add_kernel(struct args *args, const struct sandbox_fence *fence) {
    add_two(args, "--proc", "/proc");
    for (size_t i = 0; i < ARRAY_LEN(closed_proc); i++)
        bind_same(args, "--ro-bind-try", closed_proc[i]);
    add_two(args, "--dev", "/dev");
    for (size_t i = 0; fence->has_devices && i < ARRAY_LEN(devices); i++)
        bind(args, "--dev-bind", fs_join(args->arena, fence->dir, devices[i].name),
             arena_printf(args->arena, "/dev/%s", devices[i].name));
    add_two(args, "--remount-ro", "/dev");
    if (fence->is_full)
        add_two(args, "--size", SHM_BYTES);
    add_two(args, "--tmpfs", "/dev/shm");
    if (fence->is_full)
        add_two(args, "--size", TMP_BYTES);
    add_two(args, "--tmpfs", FENCE_TMP);
    bind(args, "--symlink", FENCE_TMP, "/var/tmp");
    add_two(args, "--dir", "/run");
}

static void add_folder(struct args *args, const struct sandbox_folder *folder) {
    switch (folder->access) {
    case SANDBOX_READ_ONLY:
        bind_same(args, "--ro-bind-try", folder->path);
        break;
    case SANDBOX_WRITABLE:
    case SANDBOX_SHARED:
        bind_same(args, "--bind-try", folder->path);
        break;
    case SANDBOX_HIDDEN:
        if (fs_is_dir(folder->path))
            add_two(args, "--tmpfs", folder->path);
        else if (fs_exists(folder->path))
            bind(args, "--ro-bind", "/dev/null", folder->path);
        break;
    }
}

static void add_folders(struct args *args, const struct sandbox_spec *spec) {
    struct stat st;
    bind_same(args, "--bind", spec->home);
    bind_same(args, "--bind", spec->dir);
    for (size_t i = 0; i < spec->folder_count; i++)
        add_folder(args, &spec->folders[i]);
    const char *git = fs_join(args->arena, spec->dir, ".git");
    /* Not a symlink: it would be followed by what makes the fence. */
    if (lstat(git, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
        bind_same(args, "--ro-bind", git);
}

static void add_namespaces(struct args *args, const struct sandbox_fence *fence, const struct sandbox_spec *spec) {
    static const char *const always[] = {
        "--unshare-user", "--unshare-pid", "--unshare-ipc",     "--unshare-uts", "--hostname",
        "fenced",         "--uid",         USER_TEXT,           "--gid",         USER_TEXT,
        "--cap-drop",     "ALL",           "--die-with-parent", "--new-session", "--unshare-cgroup-try"};
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        add(args, always[i]);
    if (spec->network != SANDBOX_NETWORK_HOST)
        add(args, "--unshare-net");
    if (fence->is_full)
        add(args, "--disable-userns");
}

bool fence_is_up(const struct sandbox_fence *fence) {
    return fence && !fence->fault;
}

const char **fence_wrap(const struct sandbox_fence *fence, const struct sandbox_spec *spec,
                        const struct fence_pipes *pipes, struct arena *arena) {
    size_t argc = 0;
    while (spec->argv[argc])
        argc++;
    struct args args = {.arena = arena, .capacity = MAX_ARGS + 3 * spec->folder_count + argc};
    args.at = arena_array(arena, args.capacity + 1, sizeof(*args.at));
    add(&args, fence->program);
    add_namespaces(&args, fence, spec);
    add_system(&args);
    add_own_files(&args, fence, spec);
    add_kernel(&args, fence);
    bind(&args, "--symlink", spec->home, "/home/fenced");
    add_folders(&args, spec);
    add_two(&args, "--remount-ro", "/");
    add_two(&args, "--chdir", spec->dir);
    if (pipes->info_fd)
        add_two(&args, "--info-fd", arena_printf(arena, "%d", pipes->info_fd));
    if (pipes->block_fd)
        add_two(&args, "--block-fd", arena_printf(arena, "%d", pipes->block_fd));
    add(&args, "--");
    for (size_t i = 0; i < argc; i++)
        add(&args, spec->argv[i]);
    return args.at;
}

const char *fence_complaint(const struct sandbox_fence *fence, int exit_code, const char *output) {
    const char *end = strchr(output, '\n');
    bool is_one_line = end && end[1] == '\0';
    return fence_is_up(fence) && exit_code == 1 && is_one_line && str_starts(output, "bwrap: ")
               ? output + strlen("bwrap: ")
               : NULL;
}

/* ---- opening */

static int write_files(const struct sandbox_fence *fence, struct err *err) {
    static const struct {
        const char *name, *text;
    } files[] = {
        {"passwd", "fenced:x:" USER_TEXT ":" USER_TEXT "::/home/fenced:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"},
        {"group", "fenced:x:" USER_TEXT ":\nnogroup:x:65534:\n"},
        {"hosts", "127.0.0.1 localhost fenced\n::1 localhost\n"},
    };
    int rc = fs_mkdirs(fence->dir, 0700, err);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(files); i++) {
        CLEANUP(mem_freep) char *path = mem_printf("%s/%s", fence->dir, files[i].name);
        rc = fs_write_file(path, files[i].text, strlen(files[i].text), 0444, err);
    }
    return rc;
}

/* True when all are there and are nobody's. */
static bool make_devices(const struct sandbox_fence *fence) {
    bool is_done = geteuid() == 0;
    for (size_t i = 0; is_done && i < ARRAY_LEN(devices); i++) {
        CLEANUP(mem_freep) char *path = mem_printf("%s/%s", fence->dir, devices[i].name);
        (void)unlink(path);
        is_done = mknod(path, S_IFCHR | 0666, makedev(1, devices[i].number)) == 0 && chmod(path, 0666) == 0 &&
                  chown(path, NOBODY, NOBODY) == 0;
    }
    return is_done;
}

/* What it says when it does not work, or NULL. */
static char *try_out(const struct sandbox_fence *fence) {
    struct arena *arena = arena_create();
    CLEANUP(mem_freep) char *home = mem_printf("%s/home", fence->dir);
    CLEANUP(mem_freep) char *work = mem_printf("%s/work", fence->dir);
    const char *const argv[] = {"sh", "-c", "echo >/dev/null && test -d /proc/self", NULL};
    struct sandbox_spec spec = {.argv = argv, .dir = work, .home = home, .fence = fence, .wall_ms = 10000};
    struct sandbox_result result = {0};
    struct err err = {0};
    char *fault = NULL;
    int rc = fs_mkdirs(work, 0700, &err);
    if (rc == 0)
        rc = sandbox_run(&spec, arena, &result, &err);
    if (rc < 0)
        fault = mem_strdup(err.message);
    else if (result.exit_code != 0)
        fault = mem_printf("a trial ended with exit code %d: %s", result.exit_code, str_trim(arena, result.output));
    arena_destroy(arena);
    return fault;
}

/* With all that the newest bubblewrap has, then with less. */
static char *choose(struct sandbox_fence *fence) {
    char *first_fault = NULL;
    bool may_have_devices = make_devices(fence);
    for (int attempt = 0; attempt < 4; attempt++) {
        fence->has_devices = attempt < 2;
        fence->is_full = attempt % 2 == 0;
        if (fence->has_devices && !may_have_devices)
            continue;
        char *fault = try_out(fence);
        if (!fault) {
            free(first_fault);
            return NULL;
        }
        if (first_fault)
            free(fault);
        else
            first_fault = fault;
    }
    return first_fault;
}

bool sandbox_mode_parse(const char *name, enum sandbox_mode *out) {
    static const char *const names[] = {[SANDBOX_AUTO] = "auto", [SANDBOX_BWRAP] = "bwrap", [SANDBOX_OFF] = "off"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq(names[i], name)) {
            *out = (enum sandbox_mode)i;
            return true;
        }
    }
    return false;
}

int sandbox_fence_open(struct sandbox_fence **out, enum sandbox_mode mode, const char *dir, struct err *err) {
    char found[4096];
    struct sandbox_fence *fence = mem_alloc(sizeof(*fence));
    fence->dir = mem_strdup(dir);
    int rc = 0;
    if (mode == SANDBOX_OFF)
        fence->fault = mem_strdup("it is turned off");
    else if (!proc_find_program("bwrap", getenv("PATH"), found, sizeof(found)))
        fence->fault = mem_strdup("bubblewrap is not installed");
    else
        fence->program = mem_strdup(found);
    if (!fence->fault)
        rc = write_files(fence, err);
    if (rc == 0 && !fence->fault)
        fence->fault = choose(fence);
    if (rc == 0 && fence->fault && mode == SANDBOX_BWRAP)
        rc = err_set(err, ERR_UNAVAILABLE, "commands cannot be fenced: %s", fence->fault);
    if (rc < 0) {
        sandbox_fence_close(fence);
        return rc;
    }
    *out = fence;
    return 0;
}

void sandbox_fence_close(struct sandbox_fence *fence) {
    if (!fence)
        return;
    free(fence->dir);
    free(fence->program);
    free(fence->fault);
    free(fence);
}

const char *sandbox_fence_fault(const struct sandbox_fence *fence) {
    return fence ? fence->fault : "there is none";
}
