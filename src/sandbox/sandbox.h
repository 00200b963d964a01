/* sandbox: running commands that are not trusted, under limits, with their whole process tree in hand. */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* How a command may behave. Zeroed members take the defaults named. The environment is clean: PATH, HOME (a private
 * folder), LANG, TMPDIR, and env. */
struct sandbox_spec {
    const char *const *argv; /* NULL-terminated */
    const char *dir;         /* working directory, writable */
    const char *home;        /* HOME and TMPDIR lie here (made if absent) */
    const char *const *env;  /* further NAME=value, NULL-terminated, or NULL; they replace ours of the same name */
    int64_t wall_ms;         /* default 10 min (a service: none); afterwards the tree is killed: ERR_TIMEOUT */
    int64_t memory_bytes;    /* data limit of each process (RLIMIT_DATA); default 4 GiB */
    int64_t cpu_seconds;     /* of each process; default 600 (a service: none) */
    int64_t file_bytes;      /* largest file; default 1 GiB */
    int64_t processes;       /* default 512; 0 takes the default; as root it does not bind */
    size_t output_bytes;     /* kept output, head and tail; default 256 KiB; what is beyond is counted and dropped */
    size_t line_bytes;       /* on_line gets no more of a line; default 8 KiB */
    /* Asked at least every 200 ms; true kills the tree: ERR_CANCELLED. May be NULL. */
    bool (*is_cancelled)(void *arg);
    void *cancel_arg;
    /* Each line of output as it comes (without newline), from the calling thread. May be NULL. */
    void (*on_line)(const char *line, size_t len, void *arg);
    void *on_line_arg;
};

struct sandbox_result {
    int exit_code; /* 0..255, or 128 + signal */
    int64_t elapsed_ms;
    const char *output; /* stdout and stderr as they came; the middle cut with a line that says so */
    size_t output_len;
    int64_t output_total_bytes;
};

/* Once per process, before the first command: becomes a child subreaper, so that double-forked children are found and
 * killed. */
MUST_CHECK int sandbox_start(struct err *err);

/* Runs to the end; on return no process of the command's tree is left, whatever happened. A non-zero exit is not an
 * error. After ERR_TIMEOUT and ERR_CANCELLED, and only these errors, out is filled too. ERR_NOT_FOUND: there is no such
 * program. */
MUST_CHECK int sandbox_run(const struct sandbox_spec *spec, struct arena *arena, struct sandbox_result *out,
                           struct err *err);

/* A command that stays (a server). Its output is kept (tail) in a bounded buffer; log_path, when set, gets it too,
 * capped at 1 MiB. is_cancelled and on_line are not used. When its first process ends, the rest of its tree is killed.
 */
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
 * PRAZIUM_SANDBOX=<tag>/…, and its descendants; never this process or one it descends from. Returns how many. */
int sandbox_kill_tagged(const char *tag);
/* The tag put into the environment of every command of this process as PRAZIUM_SANDBOX; set once at start. */
void sandbox_set_tag(const char *tag);

#endif
