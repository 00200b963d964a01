/* run: a command from start to end, under deadline and cancellation. */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sandbox/launch.h"
#include "sandbox/output.h"

enum {
    DEFAULT_WALL_MS = 600000,
    DEFAULT_OUTPUT_BYTES = 256 << 10,
    DEFAULT_LINE_BYTES = 8 << 10,
    ASK_EVERY_MS = 100,
    /* Who belongs to the tree is also learnt while it runs: a member that later hides its origin stays known. */
    LOOK_EVERY_MS = 1000,
    READ_BATCH_BYTES = 256 << 10,
    /* The largest that a pipe can hold by default; with the tree dead nothing is added. */
    DRAIN_BYTES = 1 << 20,
};

struct watch {
    const struct sandbox_spec *spec;
    struct launch launch;
    struct output output;
    int64_t deadline_mono_ms;
    int64_t ended_mono_ms;
    int64_t next_ask_mono_ms;
    int64_t next_look_mono_ms;
    enum err_code verdict; /* ERR_NONE, ERR_TIMEOUT or ERR_CANCELLED */
};

/* False when the command is to be killed. */
static bool may_go_on(struct watch *watch) {
    const struct sandbox_spec *spec = watch->spec;
    int64_t now_ms = clock_mono_ms();
    if (now_ms >= watch->deadline_mono_ms) {
        watch->verdict = ERR_TIMEOUT;
        return false;
    }
    if (now_ms >= watch->next_ask_mono_ms) {
        watch->next_ask_mono_ms = now_ms + ASK_EVERY_MS;
        if (spec->is_cancelled && spec->is_cancelled(spec->cancel_arg)) {
            watch->verdict = ERR_CANCELLED;
            return false;
        }
    }
    if (now_ms >= watch->next_look_mono_ms) {
        (void)tree_look(&watch->launch.tree);
        watch->next_look_mono_ms = clock_mono_ms() + LOOK_EVERY_MS;
    }
    return true;
}

/* Until the first process ends, or must. */
static int watch_until_end(struct watch *watch, struct err *err) {
    struct pollfd fds[] = {
        {.fd = watch->launch.proc.pidfd, .events = POLLIN},
        {.fd = watch->launch.output_fd, .events = POLLIN},
    };
    while (may_go_on(watch)) {
        int64_t left_ms = watch->deadline_mono_ms - clock_mono_ms();
        if (left_ms < 0)
            left_ms = 0;
        int ready = poll(fds, ARRAY_LEN(fds), left_ms < ASK_EVERY_MS ? (int)left_ms : ASK_EVERY_MS);
        if (ready < 0 && errno != EINTR)
            return err_errno(err, ERR_INTERNAL, errno, "cannot wait for %s", watch->spec->argv[0]);
        if (ready <= 0)
            continue;
        if (fds[1].revents && output_read(&watch->output, fds[1].fd, READ_BATCH_BYTES) == OUTPUT_ENDED)
            fds[1].fd = -1; /* it closed its output, and lives on */
        if (fds[0].revents)
            return 0;
    }
    return 0;
}

static void fill_result(const struct watch *watch, const struct proc_exit *exit, struct arena *arena,
                        struct sandbox_result *out) {
    *out = (struct sandbox_result){
        .exit_code = exit->signal ? 128 + exit->signal : exit->code,
        .elapsed_ms = watch->ended_mono_ms - watch->launch.started_mono_ms,
        .output_total_bytes = watch->output.total_bytes,
    };
    out->output = output_text(&watch->output, arena, &out->output_len);
}

static int verdict(const struct watch *watch, int64_t wall_ms, struct err *err) {
    if (watch->verdict == ERR_TIMEOUT)
        return err_set(err, ERR_TIMEOUT, "%s did not end within %lld ms", watch->spec->argv[0], (long long)wall_ms);
    if (watch->verdict == ERR_CANCELLED)
        return err_set(err, ERR_CANCELLED, "%s was cancelled", watch->spec->argv[0]);
    return 0;
}

int sandbox_run(const struct sandbox_spec *spec, struct arena *arena, struct sandbox_result *out, struct err *err) {
    struct watch watch = {.spec = spec};
    struct proc_exit exit;
    int64_t wall_ms = spec->wall_ms > 0 ? spec->wall_ms : DEFAULT_WALL_MS;
    size_t kept_bytes = spec->output_bytes ? spec->output_bytes : DEFAULT_OUTPUT_BYTES;

    int rc = launch_start(&watch.launch, spec, false, err);
    if (rc < 0)
        return rc;
    output_init(&watch.output, kept_bytes / 2, kept_bytes - kept_bytes / 2);
    if (spec->on_line)
        output_watch(&watch.output, spec->line_bytes ? spec->line_bytes : DEFAULT_LINE_BYTES, spec->on_line,
                     spec->on_line_arg);
    watch.deadline_mono_ms = watch.launch.started_mono_ms + wall_ms;
    watch.next_look_mono_ms = watch.launch.started_mono_ms + LOOK_EVERY_MS;

    rc = watch_until_end(&watch, err);
    watch.ended_mono_ms = clock_mono_ms();
    struct err end_err;
    int end_rc = launch_end(&watch.launch, &exit, &end_err);
    (void)output_read(&watch.output, watch.launch.output_fd, DRAIN_BYTES);
    output_end(&watch.output);
    if (rc == 0 && end_rc < 0) {
        rc = end_rc;
        if (err)
            *err = end_err;
    } else if (rc == 0) {
        fill_result(&watch, &exit, arena, out);
        rc = verdict(&watch, wall_ms, err);
    }
    output_release(&watch.output);
    launch_release(&watch.launch);
    return rc;
}
