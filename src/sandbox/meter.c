/* meter: what a command's tree uses of the machine, held against its limits.
 *
 * A look at the tree goes through all of /proc, one at the disk through all of the folders. So there are few of them,
 * and more when the numbers of the whole machine, which cost one read, move by much of what the command may have. */
#include "sandbox/meter.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

enum {
    /* Who belongs to the tree is learnt by it, too: a member that later hides its origin stays known. */
    LOOK_EVERY_MS = 1000,
    SERVICE_LOOK_EVERY_MS = 2000,
    DISK_EVERY_MS = 10000,
    DISK_REST = 20, /* times what the last look took */
    DEFAULT_PROCESSES = 512,
    DEFAULT_CPU_SECONDS = 600,
    CPU_FACTOR = 6, /* of all processes, against that of one */
    SIGNAL_BASE = 128,
    PART = 8, /* of a limit: a move of the machine that is worth a look */
};
static const int64_t default_memory_bytes = INT64_C(8) << 30;
static const int64_t default_disk_bytes = INT64_C(8) << 30;
static const int64_t default_file_bytes = INT64_C(1) << 30;

static int64_t or_default(int64_t value, int64_t fallback) {
    return value > 0 ? value : fallback;
}

static int64_t max_processes(const struct meter *meter) {
    return or_default(meter->spec->processes, DEFAULT_PROCESSES);
}

static int64_t max_memory(const struct meter *meter) {
    return or_default(meter->spec->all_memory_bytes, default_memory_bytes);
}

static int64_t max_disk(const struct meter *meter) {
    return or_default(meter->spec->disk_bytes, default_disk_bytes);
}

static size_t read_proc(const char *path, char *out, size_t size) {
    CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, out, size - 1);
    out[len > 0 ? len : 0] = '\0';
    return len > 0 ? (size_t)len : 0;
}

static int64_t read_threads(void) {
    char text[128];
    long long threads = 0;
    (void)read_proc("/proc/loadavg", text, sizeof(text));
    return sscanf(text, "%*f %*f %*f %*d/%lld", &threads) == 1 ? threads : 0;
}

static int64_t read_free_memory(void) {
    char text[512];
    long long kib = 0;
    (void)read_proc("/proc/meminfo", text, sizeof(text));
    const char *line = strstr(text, "MemAvailable:");
    return line && sscanf(line, "MemAvailable: %lld", &kib) == 1 ? kib << 10 : 0;
}

static int64_t read_free_disk(const struct meter *meter) {
    struct statvfs disk;
    return statvfs(meter->spec->dir, &disk) == 0 ? (int64_t)disk.f_bavail * (int64_t)disk.f_frsize : 0;
}

void meter_init(struct meter *meter, const struct sandbox_spec *spec, bool is_service, struct tree *tree) {
    int64_t now_ms = clock_mono_ms();
    *meter = (struct meter){.spec = spec, .is_service = is_service, .tree = tree};
    meter->machine_threads = read_threads();
    meter->machine_memory_bytes = read_free_memory();
    meter->disk_free_bytes = read_free_disk(meter);
    meter->next_look_mono_ms = now_ms + LOOK_EVERY_MS;
    meter->due_disk_mono_ms = now_ms + DISK_EVERY_MS;
}

__attribute__((format(printf, 3, 4))) static enum sandbox_end exceed(struct meter *meter, enum sandbox_end end,
                                                                     const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)vsnprintf(meter->reason, sizeof(meter->reason), format, args);
    va_end(args);
    return end;
}

/* ---- the tree */

static enum sandbox_end judge_tree(struct meter *meter) {
    const struct sandbox_spec *spec = meter->spec;
    int64_t threads = 0, pages = 0, ticks = 0;
    const struct process_list *members = &meter->tree->members;
    for (size_t i = 0; i < members->count; i++) {
        threads += process_is_live(&members->items[i]) ? members->items[i].threads : 0;
        pages += members->items[i].resident_pages;
        ticks += members->items[i].cpu_ticks;
    }
    int64_t cpu_limit = or_default(spec->cpu_seconds, DEFAULT_CPU_SECONDS) * CPU_FACTOR;
    bool has_cpu_limit = !meter->is_service || spec->cpu_seconds > 0;
    if (threads > max_processes(meter))
        return exceed(meter, SANDBOX_PROCESSES, "it had more than %lld processes and threads",
                      (long long)max_processes(meter));
    if (pages * sysconf(_SC_PAGESIZE) > max_memory(meter))
        return exceed(meter, SANDBOX_MEMORY, "it took more than %lld MiB of memory",
                      (long long)(max_memory(meter) >> 20));
    if (has_cpu_limit && ticks / sysconf(_SC_CLK_TCK) > cpu_limit)
        return exceed(meter, SANDBOX_CPU_TIME, "it computed for more than %lld s", (long long)cpu_limit);
    return SANDBOX_ENDED;
}

static enum sandbox_end check_tree(struct meter *meter, int64_t now_ms) {
    int64_t threads = read_threads(), memory = read_free_memory();
    bool has_moved = threads - meter->machine_threads > max_processes(meter) / PART ||
                     meter->machine_memory_bytes - memory > max_memory(meter) / PART;
    if (now_ms < meter->next_look_mono_ms && !has_moved)
        return SANDBOX_ENDED;
    (void)tree_look(meter->tree);
    meter->machine_threads = threads;
    meter->machine_memory_bytes = memory;
    meter->next_look_mono_ms = clock_mono_ms() + (meter->is_service ? SERVICE_LOOK_EVERY_MS : LOOK_EVERY_MS);
    return judge_tree(meter);
}

/* ---- the disk */

static bool is_within(const char *path, const char *folder) {
    size_t len = strlen(folder);
    return str_starts(path, folder) && (path[len] == '/' || path[len] == '\0');
}

static bool is_counted(const struct sandbox_folder *folder) {
    return folder->access == SANDBOX_WRITABLE;
}

static enum sandbox_end check_disk(struct meter *meter, int64_t now_ms, bool is_last) {
    const struct sandbox_spec *spec = meter->spec;
    int64_t limit = max_disk(meter), free_bytes = read_free_disk(meter);
    bool has_moved = meter->disk_free_bytes - free_bytes > limit / PART;
    bool is_due = !is_last && now_ms >= meter->due_disk_mono_ms;
    if ((now_ms < meter->next_disk_mono_ms && !is_last) || (!is_due && !has_moved))
        return SANDBOX_ENDED;
    int64_t used = usage_bytes(spec->dir, limit);
    if (used <= limit && !is_within(spec->home, spec->dir))
        used += usage_bytes(spec->home, limit);
    for (size_t i = 0; i < spec->folder_count && used <= limit; i++)
        if (is_counted(&spec->folders[i]))
            used += usage_bytes(spec->folders[i].path, limit);
    int64_t end_ms = clock_mono_ms();
    meter->disk_free_bytes = free_bytes;
    meter->next_disk_mono_ms = end_ms + DISK_REST * (end_ms - now_ms);
    meter->due_disk_mono_ms = end_ms + DISK_EVERY_MS;
    if (used <= limit)
        return SANDBOX_ENDED;
    return exceed(meter, SANDBOX_DISK, "its folders held more than %lld MiB", (long long)(limit >> 20));
}

enum sandbox_end meter_check(struct meter *meter) {
    int64_t now_ms = clock_mono_ms();
    enum sandbox_end end = check_tree(meter, now_ms);
    return end == SANDBOX_ENDED ? check_disk(meter, now_ms, false) : end;
}

static int64_t milliseconds_of(const struct timeval *time) {
    return (int64_t)time->tv_sec * 1000 + time->tv_usec / 1000;
}

enum sandbox_end meter_verdict(struct meter *meter, const struct proc_exit *exit) {
    const struct sandbox_spec *spec = meter->spec;
    /* Behind the fence and below a shell, the signal is told by the exit code. */
    int signal = exit->signal ? exit->signal : exit->code > SIGNAL_BASE ? exit->code - SIGNAL_BASE : 0;
    int64_t cpu_ms = milliseconds_of(&exit->usage.ru_utime) + milliseconds_of(&exit->usage.ru_stime);
    int64_t cpu_limit = or_default(spec->cpu_seconds, DEFAULT_CPU_SECONDS);
    if (signal == SIGXFSZ)
        return exceed(meter, SANDBOX_FILE_SIZE, "it wrote a file of more than %lld KiB",
                      (long long)(or_default(spec->file_bytes, default_file_bytes) >> 10));
    if (signal == SIGXCPU || (signal == SIGKILL && cpu_ms >= cpu_limit * 1000))
        return exceed(meter, SANDBOX_CPU_TIME, "it computed for more than %lld s", (long long)cpu_limit);
    return check_disk(meter, clock_mono_ms(), true);
}
