/* process: what /proc says about the processes of the machine. */
#include "sandbox/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

/* No environment is larger in practice; beyond it we stop looking. */
enum { ENVIRONMENT_MAX_BYTES = 4 << 20, READ_STEP_BYTES = 64 << 10, ONE_PID_BYTES = 40 };

static bool parse_stat(const char *text, pid_t pid, struct process *out) {
    /* The name in parentheses may hold anything, ')' and spaces too. */
    const char *rest = strrchr(text, ')');
    struct process process = {.pid = pid};
    int64_t ticks[4];
    if (!rest || sscanf(rest + 1,
                        " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64
                        " %*d %*d %" SCNd64 " %*d %" SCNu64 " %*u %" SCNd64,
                        &process.state, &process.parent, &process.group, &process.session, &ticks[0], &ticks[1],
                        &ticks[2], &ticks[3], &process.threads, &process.start_ticks, &process.resident_pages) != 11)
        return false;
    process.cpu_ticks = ticks[0] + ticks[1] + ticks[2] + ticks[3];
    *out = process;
    return true;
}

bool process_read(pid_t pid, struct process *out) {
    char path[64];
    char text[1024];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t len = read(fd, text, sizeof(text) - 1);
    if (len <= 0)
        return false;
    text[len] = '\0';
    return parse_stat(text, pid, out);
}

bool process_is_live(const struct process *process) {
    return process->state != 'Z' && process->state != 'X' && process->state != 'x';
}

static void list_put(struct process_list *list, const struct process *process) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 128;
        list->items = mem_realloc(list->items, list->capacity * sizeof(*list->items));
    }
    list->items[list->count++] = *process;
}

static int by_pid(const void *a, const void *b) {
    const struct process *left = a;
    const struct process *right = b;
    return (left->pid > right->pid) - (left->pid < right->pid);
}

/* Calls on_pid with each number in /proc; false if it cannot be read. */
static bool read_pids(int proc_fd, bool (*on_pid)(pid_t pid, void *arg), void *arg) {
    /* What getdents64(2) writes. */
    struct entry {
        uint64_t inode;
        int64_t offset;
        unsigned short size;
        unsigned char type;
        char name[NAME_MAX + 1];
    } entry;
    /* The other names come first; from then on there is room for a single number. */
    size_t room = sizeof(entry);
    for (;;) {
        int64_t pid;
        long len = syscall(SYS_getdents64, proc_fd, &entry, room);
        if (len <= 0)
            return len == 0;
        for (long at = 0; at < len;) {
            const struct entry *one = (const struct entry *)((const char *)&entry + at);
            if (str_to_int(one->name, 1, INT32_MAX, &pid)) {
                room = ONE_PID_BYTES;
                if (!on_pid((pid_t)pid, arg))
                    return false;
            }
            at += one->size;
        }
    }
}

struct reading {
    struct process_list *list;
    void (*on_pid)(pid_t pid, void *arg);
    void *arg;
    size_t vanished;
};

static bool read_one(pid_t pid, void *arg) {
    struct reading *reading = arg;
    struct process process;
    if (reading->on_pid)
        reading->on_pid(pid, reading->arg);
    errno = 0;
    if (process_read(pid, &process))
        list_put(reading->list, &process);
    else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
        return false; /* not gone, only unseen */
    else
        reading->vanished++;
    return true;
}

bool process_list_read(struct process_list *list, void (*on_pid)(pid_t pid, void *arg), void *arg, size_t *vanished) {
    struct reading reading = {.list = list, .on_pid = on_pid, .arg = arg};
    CLEANUP(mem_closep) int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    list->count = 0;
    if (proc_fd < 0 || !read_pids(proc_fd, read_one, &reading))
        return false;
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(*list->items), by_pid);
    if (vanished)
        *vanished = reading.vanished;
    return true;
}

void process_list_release(struct process_list *list) {
    free(list->items);
    *list = (struct process_list){0};
}

const struct process *process_list_find(const struct process_list *list, pid_t pid) {
    struct process key = {.pid = pid};
    return list->count ? bsearch(&key, list->items, list->count, sizeof(key), by_pid) : NULL;
}

uint64_t process_mark(pid_t pid) {
    struct rlimit limit;
    return prlimit(pid, RLIMIT_RTTIME, NULL, &limit) == 0 ? (uint64_t)limit.rlim_max : 0;
}

static void read_environment(pid_t pid, struct buf *out) {
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
    CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    for (;;) {
        char *at = buf_reserve(out, READ_STEP_BYTES);
        ssize_t len = at ? read(fd, at, READ_STEP_BYTES) : 0;
        if (len <= 0)
            return;
        buf_added(out, (size_t)len);
    }
}

bool process_env_has(pid_t pid, const char *text, bool is_prefix) {
    CLEANUP(buf_release) struct buf environment;
    buf_init(&environment, ENVIRONMENT_MAX_BYTES);
    read_environment(pid, &environment);

    const char *end = environment.data + environment.len;
    for (const char *entry = environment.data; entry && entry < end; entry += strlen(entry) + 1)
        if (is_prefix ? str_starts(entry, text) : str_eq(entry, text))
            return true;
    return false;
}

void process_signal(const struct process *process, int signal) {
    struct process now;
    /* In this order: if the number went to another process before the look at /proc, the look tells; if after, the
     * descriptor is of the dead one. */
    CLEANUP(mem_closep) int pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    if (pidfd < 0 || !process_read(process->pid, &now) || now.start_ticks != process->start_ticks)
        return;
    (void)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

void process_signal_marked(pid_t pid, uint64_t mark, int signal) {
    CLEANUP(mem_closep) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd >= 0 && process_mark(pid) == mark)
        (void)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int64_t process_count_threads(uid_t uid) {
    struct process_list list = {0};
    int64_t count = 0;
    (void)process_list_read(&list, NULL, NULL, NULL);
    for (size_t i = 0; i < list.count; i++) {
        char path[64];
        struct stat st;
        (void)snprintf(path, sizeof(path), "/proc/%d", (int)list.items[i].pid);
        if (stat(path, &st) == 0 && st.st_uid == uid)
            count += list.items[i].threads;
    }
    process_list_release(&list);
    return count;
}
