/* process: what /proc says about the processes of the machine. */
#ifndef SANDBOX_PROCESS_H
#define SANDBOX_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t pid;
    pid_t parent;
    pid_t group;
    pid_t session;
    char state; /* as in proc(5): 'R', 'S', 'T', 'Z' … */
    int64_t threads;
    int64_t resident_pages;
    int64_t cpu_ticks;    /* its own, and of children that it waited for */
    uint64_t start_ticks; /* since boot; with the pid it names one process for ever */
};

/* By ascending pid. Zeroed is empty. */
struct process_list {
    struct process *items;
    size_t count;
    size_t capacity;
};

/* Replaces what the list holds. False when /proc cannot be read. One process is asked for at a time, and on_pid called
 * with it at once: numbers ascend, so that a chain of processes that fork and end, each short-lived, cannot run ahead
 * of the look. *vanished is how many ended between the two: then the look may have missed what they started. */
bool process_list_read(struct process_list *list, void (*on_pid)(pid_t pid, void *arg), void *arg, size_t *vanished);
void process_list_release(struct process_list *list);
const struct process *process_list_find(const struct process_list *list, pid_t pid);

/* False if there is no such process. */
bool process_read(pid_t pid, struct process *out);
/* Neither a zombie nor past that. */
bool process_is_live(const struct process *process);
/* The hard RLIMIT_RTTIME: see tag.h. 0 when it cannot be read. Zombies still have it. */
uint64_t process_mark(pid_t pid);
/* Whether the environment that the process was started with has an entry that is text, or with is_prefix starts so. */
bool process_env_has(pid_t pid, const char *text, bool is_prefix);
/* Signals this very process, never a later one that got its number. */
void process_signal(const struct process *process, int signal);
/* The same, where the mark says which process is meant. */
void process_signal_marked(pid_t pid, uint64_t mark, int signal);
/* Threads of all processes of this user: what RLIMIT_NPROC is counted against. */
int64_t process_count_threads(uid_t uid);

#endif
