/* service: a command that stays. A thread of its own reads its output, sees it end, and stops it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sandbox/launch.h"
#include "sandbox/meter.h"
#include "sandbox/output.h"
#include "sandbox/sandbox.h"

enum {
    DEFAULT_OUTPUT_BYTES = 256 << 10,
    LOG_MAX_BYTES = 1 << 20,
    CHECK_EVERY_MS = 500,
    STOP_LOOK_EVERY_MS = 20,
    READ_BATCH_BYTES = 64 << 10,
    DRAIN_BYTES = 1 << 20,
};

enum service_phase { SERVICE_STARTING, SERVICE_RUNNING, SERVICE_ENDED };

struct sandbox_service {
    pthread_t thread;
    int stop_fd; /* readable when it is to stop */
    int log_fd;  /* or -1; the thread's */
    int64_t log_bytes;
    const struct sandbox_spec *spec; /* only while starting */
    struct sandbox_spec limits;      /* what of it is needed until the end */
    char *dir, *home;                /* of limits */
    struct meter meter;              /* the thread's */
    struct launch launch;            /* the thread's */
    int pid;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t phase_changed;
    enum service_phase phase;
    struct output output;
    int64_t grace_ms;
    int start_rc; /* of the start, with start_err */
    struct err start_err;
};

static void set_phase(struct sandbox_service *service, enum service_phase phase) {
    (void)pthread_mutex_lock(&service->lock);
    service->phase = phase;
    (void)pthread_cond_broadcast(&service->phase_changed);
    (void)pthread_mutex_unlock(&service->lock);
}

/* What it writes to the log is lost silently when the disk is full: the service goes on. */
static void log_put(struct sandbox_service *service, const char *data, size_t len) {
    static const char end_note[] = "\n[log ends here: it has reached its limit]\n";
    if (service->log_fd < 0)
        return;
    int64_t room = LOG_MAX_BYTES - (int64_t)sizeof(end_note) - service->log_bytes;
    size_t part = (int64_t)len < room ? len : (size_t)room;
    ssize_t ignored = write(service->log_fd, data, part);
    service->log_bytes += (int64_t)part;
    if (part < len) {
        ignored = write(service->log_fd, end_note, sizeof(end_note) - 1);
        mem_closep(&service->log_fd);
    }
    (void)ignored;
}

/* False at the end of the pipe. */
static bool read_some(struct sandbox_service *service, size_t max_bytes) {
    char data[16 << 10];
    for (size_t done = 0; done < max_bytes;) {
        ssize_t len = read(service->launch.output_fd, data, sizeof(data));
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (len <= 0)
            return false;
        (void)pthread_mutex_lock(&service->lock);
        output_put(&service->output, data, (size_t)len);
        (void)pthread_mutex_unlock(&service->lock);
        log_put(service, data, (size_t)len);
        done += (size_t)len;
    }
    return true;
}

enum wake { WAKE_NONE, WAKE_ENDED, WAKE_STOP };

struct watch {
    struct pollfd fds[3]; /* the process, its output, the wish to stop */
};

static enum wake wait_some(struct sandbox_service *service, struct watch *watch, int64_t timeout_ms) {
    int ready = poll(watch->fds, ARRAY_LEN(watch->fds), (int)timeout_ms);
    if (ready <= 0)
        return WAKE_NONE;
    if (watch->fds[1].revents && !read_some(service, READ_BATCH_BYTES))
        watch->fds[1].fd = -1;
    if (watch->fds[0].revents)
        return WAKE_ENDED;
    return watch->fds[2].revents ? WAKE_STOP : WAKE_NONE;
}

/* Why it is ended, for whoever reads its output. */
static void put_reason(struct sandbox_service *service, const char *reason) {
    CLEANUP(mem_freep) char *text = mem_printf("\n[ended: %s]\n", reason);
    (void)pthread_mutex_lock(&service->lock);
    output_put(&service->output, text, strlen(text));
    (void)pthread_mutex_unlock(&service->lock);
    log_put(service, text, strlen(text));
}

/* Until it ends, is to stop, its time is up, or it takes more than it may. */
static void watch_until_end(struct sandbox_service *service, struct watch *watch) {
    int64_t wall_ms = service->limits.wall_ms;
    int64_t deadline_ms = wall_ms > 0 ? service->launch.started_mono_ms + wall_ms : INT64_MAX;
    int64_t next_check_ms = service->launch.started_mono_ms + CHECK_EVERY_MS;
    meter_init(&service->meter, &service->limits, true, &service->launch.tree);
    for (;;) {
        int64_t now_ms = clock_mono_ms();
        if (now_ms >= deadline_ms)
            return;
        if (now_ms >= next_check_ms) {
            if (meter_check(&service->meter) != SANDBOX_ENDED) {
                put_reason(service, service->meter.reason);
                return;
            }
            next_check_ms = clock_mono_ms() + CHECK_EVERY_MS;
            continue;
        }
        int64_t wake_ms = deadline_ms < next_check_ms ? deadline_ms : next_check_ms;
        if (wait_some(service, watch, wake_ms - now_ms) != WAKE_NONE)
            return;
    }
}

/* SIGTERM, then time to act on it, for the whole tree. */
static void ask_to_end(struct sandbox_service *service, struct watch *watch) {
    (void)pthread_mutex_lock(&service->lock);
    int64_t grace_ms = service->grace_ms;
    (void)pthread_mutex_unlock(&service->lock);
    if (grace_ms <= 0)
        return;
    int64_t deadline_ms = clock_mono_ms() + grace_ms;
    watch->fds[2].fd = -1;
    tree_signal(&service->launch.tree, SIGTERM);
    while (clock_mono_ms() < deadline_ms) {
        if (wait_some(service, watch, STOP_LOOK_EVERY_MS) == WAKE_ENDED)
            watch->fds[0].fd = -1; /* its children may still be at it */
        if (tree_look(&service->launch.tree) == 0)
            return;
    }
}

static void *service_main(void *arg) {
    struct sandbox_service *service = arg;
    struct proc_exit exit;
    struct err end_err;

    /* Started here, since the command is killed when its starting thread ends. */
    service->start_rc = launch_start(&service->launch, service->spec, true, &service->start_err);
    service->spec = NULL;
    if (service->start_rc < 0) {
        set_phase(service, SERVICE_ENDED);
        return NULL;
    }
    service->pid = service->launch.proc.pid;
    set_phase(service, SERVICE_RUNNING);

    struct watch watch = {{{.fd = service->launch.proc.pidfd, .events = POLLIN},
                           {.fd = service->launch.output_fd, .events = POLLIN},
                           {.fd = service->stop_fd, .events = POLLIN}}};
    watch_until_end(service, &watch);
    if (watch.fds[2].revents)
        ask_to_end(service, &watch);
    int rc = launch_end(&service->launch, &exit, &end_err);
    (void)read_some(service, DRAIN_BYTES);
    if (rc < 0) {
        (void)pthread_mutex_lock(&service->lock);
        output_put(&service->output, end_err.message, strlen(end_err.message));
        (void)pthread_mutex_unlock(&service->lock);
    }
    launch_release(&service->launch);
    set_phase(service, SERVICE_ENDED);
    return NULL;
}

static void service_destroy(struct sandbox_service *service) {
    output_release(&service->output);
    free(service->dir);
    free(service->home);
    mem_closep(&service->log_fd);
    mem_closep(&service->stop_fd);
    (void)pthread_cond_destroy(&service->phase_changed);
    (void)pthread_mutex_destroy(&service->lock);
    free(service);
}

/* The server's signals are not this thread's business. */
static int start_thread(struct sandbox_service *service) {
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int errnum = pthread_create(&service->thread, NULL, service_main, service);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return errnum;
}

static int prepare(struct sandbox_service *service, const char *log_path, struct err *err) {
    service->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (service->stop_fd < 0)
        return err_errno(err, ERR_UNAVAILABLE, errno, "cannot prepare a service");
    if (!log_path)
        return 0;
    service->log_fd = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (service->log_fd < 0)
        return err_errno(err, ERR_INTERNAL, errno, "cannot open the log %s", log_path);
    return 0;
}

int sandbox_service_start(struct sandbox_service **out, const struct sandbox_spec *spec, const char *log_path,
                          struct err *err) {
    struct sandbox_service *service = mem_alloc(sizeof(*service));
    service->log_fd = service->stop_fd = -1;
    service->spec = spec;
    /* Its folders but dir and home are not counted: the caller's list is gone by then. */
    service->limits = *spec;
    service->limits.dir = service->dir = spec->dir ? mem_strdup(spec->dir) : NULL;
    service->limits.home = service->home = spec->home ? mem_strdup(spec->home) : NULL;
    service->limits.folders = NULL;
    service->limits.folder_count = 0;
    (void)pthread_mutex_init(&service->lock, NULL);
    (void)pthread_cond_init(&service->phase_changed, NULL);
    output_init(&service->output, 0, spec->output_bytes ? spec->output_bytes : DEFAULT_OUTPUT_BYTES);
    int rc = prepare(service, log_path, err);
    if (rc < 0) {
        service_destroy(service);
        return rc;
    }
    int errnum = start_thread(service);
    if (errnum) {
        service_destroy(service);
        return err_errno(err, ERR_UNAVAILABLE, errnum, "cannot make a thread for a service");
    }
    (void)pthread_mutex_lock(&service->lock);
    while (service->phase == SERVICE_STARTING)
        (void)pthread_cond_wait(&service->phase_changed, &service->lock);
    rc = service->start_rc;
    (void)pthread_mutex_unlock(&service->lock);
    if (rc < 0) {
        if (err)
            *err = service->start_err;
        (void)pthread_join(service->thread, NULL);
        service_destroy(service);
        return rc;
    }
    *out = service;
    return 0;
}

bool sandbox_service_is_running(struct sandbox_service *service) {
    (void)pthread_mutex_lock(&service->lock);
    bool is_running = service->phase == SERVICE_RUNNING;
    (void)pthread_mutex_unlock(&service->lock);
    return is_running;
}

const char *sandbox_service_output(struct sandbox_service *service, struct arena *arena) {
    size_t len;
    (void)pthread_mutex_lock(&service->lock);
    const char *text = output_text(&service->output, arena, &len);
    (void)pthread_mutex_unlock(&service->lock);
    return text;
}

void sandbox_service_stop(struct sandbox_service *service, int64_t grace_ms) {
    if (!service)
        return;
    (void)pthread_mutex_lock(&service->lock);
    service->grace_ms = grace_ms;
    (void)pthread_mutex_unlock(&service->lock);
    (void)eventfd_write(service->stop_fd, 1);
    (void)pthread_join(service->thread, NULL);
    service_destroy(service);
}

int sandbox_service_pid(const struct sandbox_service *service) {
    return service->pid;
}
