/* run: a command from start to end, under its limits and cancellation, with its input and output. */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sandbox/fence.h"
#include "sandbox/launch.h"
#include "sandbox/meter.h"
#include "sandbox/output.h"
#include "sandbox/proxy.h"
#include "sandbox/talk.h"

enum {
    DEFAULT_WALL_MS = 600000,
    DEFAULT_OUTPUT_BYTES = 256 << 10,
    DEFAULT_LINE_BYTES = 8 << 10,
    DEFAULT_TOTAL_OUTPUT_BYTES = 256 << 20,
    ERROR_BYTES = 4 << 10,
    ASK_EVERY_MS = 100,
    GRACE_LOOK_EVERY_MS = 20,
    READ_BATCH_BYTES = 256 << 10,
    /* The largest that a pipe can hold by default; with the tree dead nothing is added. */
    DRAIN_BYTES = 1 << 20,
    SIGNAL_BASE = 128,
};

struct run {
    const struct sandbox_spec *spec;
    struct launch launch;
    struct output output;
    struct output errors; /* of a standard error that is apart */
    struct sandbox_talk talk;
    struct meter meter;
    int64_t wall_ms;
    int64_t deadline_mono_ms;
    int64_t heard_mono_ms; /* when it last wrote something */
    int64_t ended_mono_ms;
    int64_t next_ask_mono_ms;
    enum sandbox_end end;
};

const char *sandbox_end_name(enum sandbox_end end) {
    static const char *const names[] = {
#define X(value, name) [value] = name,
        SANDBOX_END_LIST(X)
#undef X
    };
    return names[end];
}

static int64_t written_bytes(const struct run *run) {
    return run->output.total_bytes + run->errors.total_bytes;
}

static int64_t output_limit(const struct sandbox_spec *spec) {
    return spec->total_output_bytes > 0 ? spec->total_output_bytes : DEFAULT_TOTAL_OUTPUT_BYTES;
}

/* What it is to be ended for now, if anything. */
static enum sandbox_end judge(struct run *run) {
    const struct sandbox_spec *spec = run->spec;
    int64_t now_ms = clock_mono_ms();
    if (now_ms >= run->deadline_mono_ms)
        return SANDBOX_WALL_TIME;
    if (written_bytes(run) > output_limit(spec))
        return SANDBOX_OUTPUT;
    if (spec->idle_ms > 0 && now_ms - run->heard_mono_ms >= spec->idle_ms)
        return SANDBOX_IDLE_TIME;
    if (now_ms < run->next_ask_mono_ms)
        return SANDBOX_ENDED;
    run->next_ask_mono_ms = now_ms + ASK_EVERY_MS;
    if (spec->is_cancelled && spec->is_cancelled(spec->cancel_arg))
        return SANDBOX_CANCELLED;
    return meter_check(&run->meter);
}

enum { FD_PROCESS, FD_OUTPUT, FD_ERROR, FD_INPUT, FD_COUNT };

struct fds {
    struct pollfd at[FD_COUNT];
};

static struct fds fds_of(const struct run *run) {
    return (struct fds){{
        [FD_PROCESS] = {.fd = run->launch.proc.pidfd, .events = POLLIN},
        [FD_OUTPUT] = {.fd = run->launch.output_fd, .events = POLLIN},
        [FD_ERROR] = {.fd = run->launch.error_fd, .events = POLLIN},
        [FD_INPUT] = {.fd = -1, .events = POLLOUT},
    }};
}

static void read_from(struct pollfd *fd, struct output *output) {
    if (fd->fd >= 0 && fd->revents && output_read(output, fd->fd, READ_BATCH_BYTES) == OUTPUT_ENDED)
        fd->fd = -1; /* it closed its output, and lives on */
}

/* Waits a little, and moves what there is to move. */
static int move_some(struct run *run, struct fds *fds, int64_t timeout_ms, struct err *err) {
    int64_t before_bytes = written_bytes(run);
    fds->at[FD_INPUT].fd = talk_is_due(&run->talk) ? run->launch.input_fd : -1;
    int ready = poll(fds->at, FD_COUNT, (int)timeout_ms);
    if (ready < 0 && errno != EINTR)
        return err_errno(err, ERR_INTERNAL, errno, "cannot wait for %s", run->spec->argv[0]);
    if (ready <= 0)
        return 0;
    read_from(&fds->at[FD_OUTPUT], &run->output);
    read_from(&fds->at[FD_ERROR], &run->errors);
    if (fds->at[FD_INPUT].fd >= 0 && fds->at[FD_INPUT].revents)
        talk_flush(&run->talk);
    if (written_bytes(run) != before_bytes)
        run->heard_mono_ms = clock_mono_ms();
    return 0;
}

static bool is_over(const struct run *run) {
    return run->talk.is_over && clock_mono_ms() >= run->talk.end_mono_ms;
}

/* Until the first process ends, or must. */
static int watch_until_end(struct run *run, struct fds *fds, struct err *err) {
    while ((run->end = judge(run)) == SANDBOX_ENDED && !is_over(run)) {
        int64_t left_ms = run->deadline_mono_ms - clock_mono_ms();
        int64_t wait_ms = left_ms < 0 ? 0 : left_ms < ASK_EVERY_MS ? left_ms : ASK_EVERY_MS;
        int rc = move_some(run, fds, wait_ms, err);
        if (rc < 0 || fds->at[FD_PROCESS].revents)
            return rc;
    }
    return 0;
}

/* SIGTERM, then time to act on it, for the whole tree. */
static int ask_to_end(struct run *run, struct fds *fds, struct err *err) {
    int64_t deadline_ms = clock_mono_ms() + run->spec->grace_ms;
    int rc = 0;
    if (run->spec->grace_ms <= 0 || fds->at[FD_PROCESS].revents)
        return 0;
    tree_signal(&run->launch.tree, SIGTERM);
    while (rc == 0 && clock_mono_ms() < deadline_ms && tree_look(&run->launch.tree) > 0) {
        rc = move_some(run, fds, GRACE_LOOK_EVERY_MS, err);
        if (fds->at[FD_PROCESS].revents)
            fds->at[FD_PROCESS].fd = -1; /* its children may still be at it */
    }
    return rc;
}

static const char *reason_of(const struct run *run, struct arena *arena) {
    const struct sandbox_spec *spec = run->spec;
    switch (run->end) {
    case SANDBOX_ENDED:
        return NULL;
    case SANDBOX_CANCELLED:
        return arena_printf(arena, "%s was cancelled", spec->argv[0]);
    case SANDBOX_WALL_TIME:
        return arena_printf(arena, "%s did not end within %lld ms", spec->argv[0], (long long)run->wall_ms);
    case SANDBOX_IDLE_TIME:
        return arena_printf(arena, "%s was ended: it wrote nothing for %lld ms", spec->argv[0],
                            (long long)spec->idle_ms);
    case SANDBOX_OUTPUT:
        return arena_printf(arena, "%s was ended: it wrote more than %lld KiB of output", spec->argv[0],
                            (long long)(output_limit(spec) >> 10));
    case SANDBOX_CPU_TIME:
    case SANDBOX_MEMORY:
    case SANDBOX_PROCESSES:
    case SANDBOX_DISK:
    case SANDBOX_FILE_SIZE:
        return arena_printf(arena, "%s was ended: %s", spec->argv[0], run->meter.reason);
    }
    return NULL;
}

static int fill_result(const struct run *run, const struct proc_exit *exit, struct arena *arena,
                       struct sandbox_result *out, struct err *err) {
    *out = (struct sandbox_result){
        .exit_code = exit->signal ? SIGNAL_BASE + exit->signal : exit->code,
        .end = run->end,
        .reason = reason_of(run, arena),
        .refused = run->launch.proxy ? proxy_refused(run->launch.proxy, arena) : NULL,
        .elapsed_ms = run->ended_mono_ms - run->launch.started_mono_ms,
        .output_total_bytes = run->output.total_bytes,
    };
    out->output = output_text(&run->output, arena, &out->output_len);
    if (run->end == SANDBOX_ENDED)
        return 0;
    enum err_code code =
        run->end == SANDBOX_CANCELLED ? ERR_CANCELLED
        : run->end == SANDBOX_WALL_TIME || run->end == SANDBOX_IDLE_TIME || run->end == SANDBOX_CPU_TIME
            ? ERR_TIMEOUT
            : ERR_TOO_LARGE;
    return err_set(err, code, "%s", out->reason);
}

/* Bubblewrap's own failures are not the command's. */
static int check_fence(const struct run *run, const struct proc_exit *exit, struct arena *arena, struct err *err) {
    const struct output *heard = run->spec->on_error_line ? &run->errors : &run->output;
    size_t len;
    if (!fence_is_up(run->spec->fence) || exit->code != 1 || heard->total_bytes > ERROR_BYTES)
        return 0;
    const char *complaint = fence_complaint(run->spec->fence, exit->code, output_text(heard, arena, &len));
    if (!complaint)
        return 0;
    bool is_absent = strncmp(complaint, "execvp ", strlen("execvp ")) == 0;
    return err_set(err, is_absent ? ERR_NOT_FOUND : ERR_INTERNAL, "%s cannot be run behind the fence: %.*s",
                   run->spec->argv[0], (int)strcspn(complaint, "\n"), complaint);
}

static void begin(struct run *run) {
    const struct sandbox_spec *spec = run->spec;
    size_t kept_bytes = spec->output_bytes ? spec->output_bytes : DEFAULT_OUTPUT_BYTES;
    size_t line_bytes = spec->line_bytes ? spec->line_bytes : DEFAULT_LINE_BYTES;
    output_init(&run->output, kept_bytes / 2, kept_bytes - kept_bytes / 2);
    output_init(&run->errors, 0, ERROR_BYTES);
    if (spec->on_line)
        output_watch(&run->output, line_bytes, spec->on_line, spec->on_line_arg);
    if (spec->on_error_line)
        output_watch(&run->errors, line_bytes, spec->on_error_line, spec->on_line_arg);
    run->wall_ms = spec->wall_ms > 0 ? spec->wall_ms : DEFAULT_WALL_MS;
    run->deadline_mono_ms = run->launch.started_mono_ms + run->wall_ms;
    run->heard_mono_ms = run->launch.started_mono_ms;
    meter_init(&run->meter, spec, false, &run->launch.tree);
    talk_init(&run->talk, spec, &run->launch.input_fd);
    if (spec->on_talk)
        spec->on_talk(&run->talk, spec->talk_arg);
}

static void drain(struct run *run) {
    (void)output_read(&run->output, run->launch.output_fd, DRAIN_BYTES);
    if (run->launch.error_fd >= 0)
        (void)output_read(&run->errors, run->launch.error_fd, DRAIN_BYTES);
    output_end(&run->output);
    output_end(&run->errors);
}

static void run_release(struct run *run) {
    output_release(&run->output);
    output_release(&run->errors);
    talk_release(&run->talk);
    launch_release(&run->launch);
}

int sandbox_run(const struct sandbox_spec *spec, struct arena *arena, struct sandbox_result *out, struct err *err) {
    struct run run = {.spec = spec};
    struct proc_exit exit;
    struct err end_err;

    int rc = launch_start(&run.launch, spec, false, err);
    if (rc < 0)
        return rc;
    begin(&run);
    struct fds fds = fds_of(&run);
    rc = watch_until_end(&run, &fds, err);
    if (rc == 0)
        rc = ask_to_end(&run, &fds, err);
    run.ended_mono_ms = clock_mono_ms();
    int end_rc = launch_end(&run.launch, &exit, &end_err);
    drain(&run);
    if (rc == 0 && end_rc < 0) {
        rc = end_rc;
        if (err)
            *err = end_err;
    }
    if (rc == 0 && run.end == SANDBOX_ENDED && !is_over(&run))
        run.end = meter_verdict(&run.meter, &exit);
    if (rc == 0 && run.end == SANDBOX_ENDED)
        rc = check_fence(&run, &exit, arena, err);
    if (rc == 0)
        rc = fill_result(&run, &exit, arena, out, err);
    run_release(&run);
    return rc;
}
