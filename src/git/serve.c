/* serve: git upload-pack as a child, its answer spooled to a file that has no name. */
#include "git/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"

enum {
    PORTION_BYTES = 64 * 1024,
    COMPLAINT_BYTES = 4096, /* kept of what git says on stderr */
    ASK_MS = 500,
    REAP_MS = 10000,
    CPU_SECONDS = 600,
};

struct serving {
    const struct serve_request *request;
    struct proc proc;
    int out_fd, complaint_fd; /* pipes from git; -1 once they ended */
    int spool_fd;
    int64_t size_bytes;
    struct buf complaint;
    char *portion;
    struct err *err;
};

static void serving_release(struct serving *serving) {
    mem_closep(&serving->out_fd);
    mem_closep(&serving->complaint_fd);
    mem_closep(&serving->spool_fd);
    buf_release(&serving->complaint);
    mem_freep(&serving->portion);
}

int serve_version(const char *header) {
    int version = 0;
    /* Parts by ':', and the highest that we know counts, as git does it. */
    for (const char *at = str_or(header, ""); *at; at += *at == ':') {
        size_t len = strcspn(at, ":");
        if (len == 9 && memcmp(at, "version=", 8) == 0 && (at[8] == '1' || at[8] == '2') && at[8] - '0' > version)
            version = at[8] - '0';
        at += len;
    }
    return version;
}

const char *serve_preamble(int version) {
    return version == 2 ? "" : "001e# service=git-upload-pack\n0000";
}

/* An unlinked file, on file systems without O_TMPFILE too. */
static int open_spool(const char *folder, struct err *err) {
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
        CLEANUP(mem_freep) char *path = mem_printf("%s/serve-XXXXXX", folder);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0)
            (void)unlink(path);
    }
    return fd < 0 ? err_errno(err, ERR_UNAVAILABLE, errno, "cannot make a file in %s", folder) : fd;
}

static bool write_all(int fd, const char *data, size_t len) {
    while (len > 0) {
        ssize_t put = write(fd, data, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        data += put;
        len -= (size_t)put;
    }
    return true;
}

/* The body as the child's standard input: in memory, so that nobody waits for anybody. */
static int open_body(const struct serve_request *request, struct err *err) {
    CLEANUP(mem_closep) int fd = memfd_create("request", MFD_CLOEXEC);
    if (fd < 0 || !write_all(fd, request->body, request->body_len) || lseek(fd, 0, SEEK_SET) < 0)
        return err_errno(err, ERR_UNAVAILABLE, errno, "cannot hold a request for git");
    int taken = fd;
    fd = -1;
    return taken;
}

/* What a repository's configuration or the machine's says is of no account. main and tags are published; later entries
 * of hideRefs win. Who may read the folder was decided before we came here. A partial clone asks for single objects
 * later, which only version 2 lets it do; filters are the ones that cost no walk of their own. */
static int start_git(struct serving *serving, int body_fd, const int ends[2]) {
    const struct serve_request *request = serving->request;
    const char *const argv[] = {"git",
                                "-c",
                                "safe.directory=*",
                                "-c",
                                "core.hooksPath=/dev/null",
                                "-c",
                                "transfer.hideRefs=refs",
                                "-c",
                                "transfer.hideRefs=!refs/heads/main",
                                "-c",
                                "transfer.hideRefs=!refs/tags",
                                "-c",
                                request->version == 2 ? "uploadpack.allowFilter=true" : "uploadpack.allowFilter=false",
                                "-c",
                                "uploadpackfilter.allow=false",
                                "-c",
                                "uploadpackfilter.blob:none.allow=true",
                                "-c",
                                "uploadpackfilter.blob:limit.allow=true",
                                "-c",
                                "uploadpackfilter.tree.allow=true",
                                "-c",
                                "pack.threads=1",
                                "upload-pack",
                                "--strict",
                                "--stateless-rpc",
                                request->is_advertisement ? "--advertise-refs" : request->repo_path,
                                request->is_advertisement ? request->repo_path : NULL,
                                NULL};
    const char *path = getenv("PATH");
    CLEANUP(mem_freep)
    char *path_variable = mem_printf("PATH=%s", path && *path ? path : "/usr/local/bin:/usr/bin:/bin");
    CLEANUP(mem_freep) char *version_variable = mem_printf("GIT_PROTOCOL=version=%d", request->version);
    const char *const env[] = {path_variable,
                               version_variable,
                               "HOME=/nonexistent",
                               "LC_ALL=C",
                               "GIT_CONFIG_NOSYSTEM=1",
                               "GIT_CONFIG_GLOBAL=/dev/null",
                               "GIT_NO_REPLACE_OBJECTS=1",
                               NULL};
    const struct proc_limit limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_CPU, CPU_SECONDS}};
    struct proc_spec spec = {.argv = argv,
                             .env = env,
                             .stdin_fd = body_fd,
                             .stdout_fd = ends[0],
                             .stderr_fd = ends[1],
                             .limits = limits,
                             .limit_count = ARRAY_LEN(limits),
                             .dies_with_parent = true,
                             .no_new_privileges = true};
    int result = proc_start(&serving->proc, &spec, serving->err);
    if (result == -ERR_NOT_FOUND)
        return err_set(
            serving->err, ERR_UNAVAILABLE,
            "The program git is not installed where this server runs, and repositories cannot be cloned without it");
    return result;
}

static int start(struct serving *serving) {
    int out[2], complaint[2];
    CLEANUP(mem_closep) int body_fd = open_body(serving->request, serving->err);
    if (body_fd < 0)
        return body_fd;
    int spool_fd = open_spool(serving->request->folder, serving->err);
    if (spool_fd < 0)
        return spool_fd;
    serving->spool_fd = spool_fd;
    if (pipe2(out, O_CLOEXEC) < 0)
        return err_errno(serving->err, ERR_UNAVAILABLE, errno, "cannot make a pipe for git");
    CLEANUP(mem_closep) int out_end = out[1];
    serving->out_fd = out[0];
    if (pipe2(complaint, O_CLOEXEC) < 0)
        return err_errno(serving->err, ERR_UNAVAILABLE, errno, "cannot make a pipe for git");
    CLEANUP(mem_closep) int complaint_end = complaint[1];
    serving->complaint_fd = complaint[0];
    return start_git(serving, body_fd, (const int[]){out_end, complaint_end});
}

/* The next bytes of a pipe that has some; closes it at its end. */
static size_t take_portion(struct serving *serving, int *fd) {
    ssize_t got;
    do
        got = read(*fd, serving->portion, PORTION_BYTES);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        mem_closep(fd);
    return got > 0 ? (size_t)got : 0;
}

static int take_answer(struct serving *serving) {
    size_t len = take_portion(serving, &serving->out_fd);
    if (serving->size_bytes + (int64_t)len > serving->request->max_bytes)
        return err_set(serving->err, ERR_TOO_LARGE, "The answer of git is larger than %lld bytes",
                       (long long)serving->request->max_bytes);
    if (!write_all(serving->spool_fd, serving->portion, len))
        return err_errno(serving->err, ERR_UNAVAILABLE, errno, "cannot keep the answer of git");
    serving->size_bytes += (int64_t)len;
    return 0;
}

/* To the end of both pipes. */
static int take_all(struct serving *serving) {
    const struct serve_request *request = serving->request;
    int64_t now_ms = clock_mono_ms(), end_ms = now_ms + request->total_ms, idle_ms = now_ms + request->idle_ms;
    int result = 0;
    while (result == 0 && (serving->out_fd >= 0 || serving->complaint_fd >= 0)) {
        struct pollfd ends[] = {{.fd = serving->out_fd, .events = POLLIN},
                                {.fd = serving->complaint_fd, .events = POLLIN}};
        int ready = poll(ends, ARRAY_LEN(ends), ASK_MS);
        now_ms = clock_mono_ms();
        if (request->is_cancelled && request->is_cancelled(request->cancel_arg))
            return err_set(serving->err, ERR_CANCELLED, "the client went away");
        if (ready > 0 && ends[1].revents)
            buf_put(&serving->complaint, serving->portion, take_portion(serving, &serving->complaint_fd));
        if (ready > 0 && ends[0].revents) {
            result = take_answer(serving);
            idle_ms = now_ms + request->idle_ms;
        }
        if (result == 0 && now_ms >= (idle_ms < end_ms ? idle_ms : end_ms))
            return err_set(serving->err, ERR_TIMEOUT, "git did not answer in time");
    }
    return result;
}

/* What it started is in its group, and became ours when it ended: this process may be the reaper of orphans. */
static void reap_group(const struct proc *proc) {
    int64_t deadline_ms = clock_mono_ms() + REAP_MS;
    pid_t pid;
    proc_signal_group(proc, SIGKILL);
    while ((pid = waitpid(-proc->pid, NULL, WNOHANG)) >= 0 && clock_mono_ms() < deadline_ms)
        if (pid == 0)
            (void)poll(NULL, 0, 2);
}

/* What git said of what it was asked, on one line, without our paths. */
static int complain(struct serving *serving) {
    char *text = serving->complaint.data;
    if (!text || !*text)
        return err_field(serving->err, ERR_VALIDATION, "body", "git does not understand the request");
    text[strcspn(text, "\r\n")] = '\0';
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f)
            *at = '?';
    if (strchr(text, '/'))
        return err_set(serving->err, ERR_INTERNAL, "git upload-pack failed: %s", text);
    return err_field(serving->err, ERR_VALIDATION, "body", "git does not understand the request: %s", text);
}

static int end(struct serving *serving, int result) {
    struct proc_exit ended = {0};
    struct err wait_err = {0};
    if (result < 0)
        proc_signal_group(&serving->proc, SIGKILL);
    /* Both pipes ended: so will it. */
    int waited = proc_wait(&serving->proc, clock_mono_ms() + REAP_MS, &ended, &wait_err);
    if (waited < 0) {
        proc_signal_group(&serving->proc, SIGKILL);
        (void)!proc_wait(&serving->proc, clock_mono_ms() + REAP_MS, &ended, &wait_err);
    }
    reap_group(&serving->proc);
    proc_release(&serving->proc);
    if (result < 0)
        return result;
    if (waited < 0)
        return err_set(serving->err, ERR_TIMEOUT, "git did not end in time");
    if (ended.signal)
        return err_set(serving->err, ERR_INTERNAL, "git upload-pack was ended by signal %d", ended.signal);
    return ended.code != 0 && serving->size_bytes == 0 ? complain(serving) : 0;
}

int repo_serve(const struct serve_request *request, int *fd, int64_t *size_bytes, struct err *err) {
    CLEANUP(serving_release)
    struct serving serving = {.request = request, .out_fd = -1, .complaint_fd = -1, .spool_fd = -1, .err = err};
    buf_init(&serving.complaint, COMPLAINT_BYTES);
    serving.portion = mem_alloc(PORTION_BYTES);
    int result = start(&serving);
    if (result < 0)
        return result;
    result = end(&serving, take_all(&serving));
    if (result < 0)
        return result;
    *fd = serving.spool_fd;
    serving.spool_fd = -1;
    *size_bytes = serving.size_bytes;
    return 0;
}
