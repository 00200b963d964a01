/* sandbox: running commands that are not trusted, behind a fence, under limits, with their whole process tree in hand.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* ---- the fence: what a command sees of the machine, by bubblewrap */

enum sandbox_mode {
    SANDBOX_AUTO /* a fence where there can be one */,
    SANDBOX_BWRAP /* or none at all */,
    SANDBOX_OFF
};
bool sandbox_mode_parse(const char *name, enum sandbox_mode *out); /* auto, bwrap, off */
/* Looks for bubblewrap and tries it. dir: a folder for the fence's own few files, made if absent. With SANDBOX_BWRAP
 * ERR_UNAVAILABLE says why there can be none; with the others the fence is then down, and commands run without. */
struct sandbox_fence;
MUST_CHECK int sandbox_fence_open(struct sandbox_fence **out, enum sandbox_mode mode, const char *dir, struct err *err);
void sandbox_fence_close(struct sandbox_fence *fence); /* accepts NULL */
/* Why the fence is down, as a sentence's part; NULL when it is up. */
const char *sandbox_fence_fault(const struct sandbox_fence *fence);

/* Behind the fence, a command sees: the system's programs and libraries, read-only; an /etc with little in it;
 * processes of its own alone; a /tmp, which ends with it; its dir and home, writable, but for the `.git` that dir has
 * when it starts; and these. Further folders lie nowhere below one that is writable, unless nobody untrusted was there
 * yet. */
enum sandbox_access {
    SANDBOX_READ_ONLY,
    SANDBOX_WRITABLE,
    SANDBOX_SHARED /* writable, and not counted */,
    SANDBOX_HIDDEN
};
struct sandbox_folder {
    const char *path; /* a folder or file, absolute; what does not exist is left out */
    enum sandbox_access access;
};

enum sandbox_network {
    SANDBOX_NETWORK_OFF,   /* its own loopback, and nothing else */
    SANDBOX_NETWORK_PROXY, /* what the spec's `hosts` allow, through HTTP_PROXY and HTTPS_PROXY */
    SANDBOX_NETWORK_HOST,  /* that of the machine, its loopback too */
};

/* ---- limits */

/* How a command came to its end: by itself, or what it was ended for. */
#define SANDBOX_END_LIST(X)                                                                                            \
    X(SANDBOX_ENDED, "ended")                                                                                          \
    X(SANDBOX_CANCELLED, "cancelled")                                                                                  \
    X(SANDBOX_WALL_TIME, "wall_time")                                                                                  \
    X(SANDBOX_IDLE_TIME, "idle_time")                                                                                  \
    X(SANDBOX_CPU_TIME, "cpu_time")                                                                                    \
    X(SANDBOX_MEMORY, "memory")                                                                                        \
    X(SANDBOX_PROCESSES, "processes")                                                                                  \
    X(SANDBOX_DISK, "disk")                                                                                            \
    X(SANDBOX_FILE_SIZE, "file_size")                                                                                  \
    X(SANDBOX_OUTPUT, "output")

enum sandbox_end {
#define X(end, name) end,
    SANDBOX_END_LIST(X)
#undef X
};
const char *sandbox_end_name(enum sandbox_end end);

/* What is sent to a command whose input is a conversation; only to be used from its callbacks. */
struct sandbox_talk;
/* Sends; false when it no longer reads, or more than 4 MiB wait for it: then nothing of it is sent. */
bool sandbox_talk_send(struct sandbox_talk *talk, const char *data, size_t len);
/* Its standard input ends after what was sent. */
void sandbox_talk_close(struct sandbox_talk *talk);
/* The conversation is over: its input ends, and if it still runs after grace_ms its tree is ended, without an error. */
void sandbox_talk_end(struct sandbox_talk *talk, int64_t grace_ms);

/* How a command may behave. Zeroed members take the defaults named. The environment is clean: PATH, HOME (a private
 * folder), LANG, TMPDIR, and env. Limits are of the whole tree where not said otherwise; with one exceeded, it ends. */
struct sandbox_spec {
    const char *const *argv; /* NULL-terminated */
    const char *dir;         /* working directory, writable */
    const char *home;        /* HOME and, without a fence, TMPDIR lie here (made if absent) */
    const char *const *env;  /* further NAME=value, NULL-terminated, or NULL; they replace ours of the same name */

    const struct sandbox_fence *fence; /* NULL, or one that is down: none, and neither folders nor network count */
    const struct sandbox_folder *folders;
    size_t folder_count;
    enum sandbox_network network;
    const char *const *hosts; /* NULL-terminated HOST:PORT, see sandbox/hosts.h; or NULL */

    int64_t wall_ms;            /* default 10 min (a service: none) */
    int64_t idle_ms;            /* longest time without output; default none */
    int64_t memory_bytes;       /* data limit of each process (RLIMIT_DATA); default 4 GiB */
    int64_t all_memory_bytes;   /* resident; default 8 GiB */
    int64_t cpu_seconds;        /* of each process, and six times as much in all; default 600 (a service: none) */
    int64_t file_bytes;         /* largest file; default 1 GiB */
    int64_t disk_bytes;         /* of dir, home and the writable folders; default 8 GiB */
    int64_t processes;          /* with their threads; default 512 */
    int64_t total_output_bytes; /* default 256 MiB (a service: none) */
    int64_t grace_ms;           /* between SIGTERM and SIGKILL when it is ended; default none: SIGKILL at once */

    size_t output_bytes; /* kept output, head and tail; default 256 KiB; what is beyond is counted and dropped */
    size_t line_bytes;   /* on_line gets no more of a line; default 8 KiB */
    /* Asked at least every 200 ms; true kills the tree: ERR_CANCELLED. May be NULL. */
    bool (*is_cancelled)(void *arg);
    void *cancel_arg;
    /* Each line of output as it comes (without newline), from the calling thread. May be NULL. */
    void (*on_line)(const char *line, size_t len, void *arg);
    void *on_line_arg;
    /* When set, standard error is apart: its lines come here, and not into the result's output. With on_line_arg. */
    void (*on_error_line)(const char *line, size_t len, void *arg);

    /* Standard input: empty; a text; or a conversation, which on_talk begins, and what on_line is given goes on with.
     * on_talk's talk lives until sandbox_run returns. */
    const char *input;
    size_t input_len;
    void (*on_talk)(struct sandbox_talk *talk, void *arg);
    void *talk_arg;
};

struct sandbox_result {
    int exit_code; /* 0..255, or 128 + signal */
    enum sandbox_end end;
    const char *reason;  /* a sentence: what it was ended for; NULL when it ended by itself */
    const char *refused; /* the hosts that the proxy refused, "HOST:PORT, HOST:PORT", or NULL */
    int64_t elapsed_ms;
    const char *output; /* stdout and stderr as they came; the middle cut with a line that says so */
    size_t output_len;
    int64_t output_total_bytes;
};

/* ---- running */

/* Once per process, before the first command: becomes a child subreaper, so that double-forked children are found and
 * killed. */
MUST_CHECK int sandbox_start(struct err *err);

/* Runs to the end; on return no process of the command's tree is left, whatever happened. A non-zero exit is not an
 * error. What it is ended for is one: ERR_CANCELLED, ERR_TIMEOUT (wall, idle and processor time) or ERR_TOO_LARGE (the
 * other limits), with the reason as the message; with these, and only these errors, out is filled too. ERR_NOT_FOUND:
 * there is no such program. */
MUST_CHECK int sandbox_run(const struct sandbox_spec *spec, struct arena *arena, struct sandbox_result *out,
                           struct err *err);

/* A command that stays (a server). Its output is kept (tail) in a bounded buffer, with the reason when it is ended for
 * one; log_path, when set, gets it too, capped at 1 MiB. is_cancelled, on_line, input and on_talk are not used. When
 * its first process ends, the rest of its tree is killed. */
struct sandbox_service;
MUST_CHECK int sandbox_service_start(struct sandbox_service **out, const struct sandbox_spec *spec,
                                     const char *log_path, struct err *err);
bool sandbox_service_is_running(struct sandbox_service *service);
/* The last output, into the arena. */
const char *sandbox_service_output(struct sandbox_service *service, struct arena *arena);
/* SIGTERM to the tree, grace_ms, then SIGKILL until nobody is left; frees. Accepts NULL. */
void sandbox_service_stop(struct sandbox_service *service, int64_t grace_ms);
/* The process group, for the record. */
int sandbox_service_pid(const struct sandbox_service *service);

/* Kills process trees left by an earlier instance of the server: every process whose environment has
 * PRAZIUM_COMMAND=<tag>/…, and its descendants; never this process or one it descends from. Returns how many. */
int sandbox_kill_tagged(const char *tag);
/* The tag put into the environment of every command of this process as PRAZIUM_COMMAND; set once at start. */
void sandbox_set_tag(const char *tag);

#endif
