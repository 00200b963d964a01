/* proxy: the way out for a command that has a network of its own. A thread accepts; each connection has one of its own
 * and is straight-line code, in which every wait also looks at stop_fd. */
#include "sandbox/proxy.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "sandbox/hosts.h"
#include "sandbox/netns.h"
#include "sandbox/proxy_link.h"

enum {
    PROXY_PORT = 3128, /* as PROXY_URL has it */
    MAX_LISTENERS = 8,
    MAX_LINKS = 64,
    MAX_REFUSED = 16,
};

struct proxy {
    const char *const *hosts;
    int stop_fd; /* readable once all is to end */
    int listeners[MAX_LISTENERS];
    int ports[MAX_LISTENERS]; /* the first is the proxy's own; the others lead to the same port of the loopback here */
    int listener_count;
    pthread_t thread;

    pthread_mutex_t lock; /* guards what follows */
    size_t links;
    size_t holders; /* whoever must not find it gone: its owner, and each connection */
    char *refused[MAX_REFUSED];
    size_t refused_count;
};

static void proxy_release(struct proxy *proxy) {
    (void)pthread_mutex_lock(&proxy->lock);
    bool is_last = --proxy->holders == 0;
    (void)pthread_mutex_unlock(&proxy->lock);
    if (!is_last)
        return;
    for (size_t i = 0; i < proxy->refused_count; i++)
        free(proxy->refused[i]);
    mem_closep(&proxy->stop_fd);
    (void)pthread_mutex_destroy(&proxy->lock);
    free(proxy);
}

static void note_refusal(void *arg, const char *host, int port) {
    struct proxy *proxy = arg;
    char *text = mem_printf("%s:%d", host, port);
    bool is_known = false;
    (void)pthread_mutex_lock(&proxy->lock);
    for (size_t i = 0; i < proxy->refused_count; i++)
        is_known = is_known || str_eq(proxy->refused[i], text);
    if (!is_known && proxy->refused_count < MAX_REFUSED)
        proxy->refused[proxy->refused_count++] = take(text);
    (void)pthread_mutex_unlock(&proxy->lock);
    free(text);
}

struct job {
    struct proxy *proxy;
    struct link link;
};

static void *link_main(void *arg) {
    struct job *job = arg;
    struct proxy *proxy = job->proxy;
    link_run(&job->link);
    free(job);
    (void)pthread_mutex_lock(&proxy->lock);
    proxy->links--;
    (void)pthread_mutex_unlock(&proxy->lock);
    proxy_release(proxy);
    return NULL;
}

/* The server's signals are not these threads' business. */
static int start_thread(pthread_t *thread, void *(*main)(void *), void *arg) {
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int errnum = pthread_create(thread, NULL, main, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return errnum;
}

/* Takes over fd. */
static void start_link(struct proxy *proxy, int fd, int forward_port) {
    pthread_t thread;
    struct job *job = mem_alloc(sizeof(*job));
    *job = (struct job){.proxy = proxy,
                        .link = {.fd = fd,
                                 .stop_fd = proxy->stop_fd,
                                 .forward_port = forward_port,
                                 .hosts = proxy->hosts,
                                 .on_refusal = note_refusal,
                                 .arg = proxy}};
    (void)pthread_mutex_lock(&proxy->lock);
    bool has_room = proxy->links < MAX_LINKS;
    proxy->links += has_room;
    proxy->holders += has_room;
    (void)pthread_mutex_unlock(&proxy->lock);
    if (has_room && start_thread(&thread, link_main, job) == 0) {
        (void)pthread_detach(thread);
        return;
    }
    (void)close(fd);
    free(job);
    (void)pthread_mutex_lock(&proxy->lock);
    proxy->links -= has_room;
    proxy->holders -= has_room;
    (void)pthread_mutex_unlock(&proxy->lock);
}

static void *accept_main(void *arg) {
    struct proxy *proxy = arg;
    struct pollfd fds[MAX_LISTENERS + 1] = {{.fd = proxy->stop_fd, .events = POLLIN}};
    for (int i = 0; i < proxy->listener_count; i++)
        fds[i + 1] = (struct pollfd){.fd = proxy->listeners[i], .events = POLLIN};
    while (fds[0].revents == 0) {
        (void)poll(fds, (nfds_t)proxy->listener_count + 1, -1);
        for (int i = 0; i < proxy->listener_count; i++) {
            int fd = fds[i + 1].revents ? accept4(fds[i + 1].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
            if (fd >= 0)
                start_link(proxy, fd, i == 0 ? 0 : proxy->ports[i]);
        }
    }
    return NULL;
}

/* Its own port, and those of the loopback that may be spoken to. */
static void choose_ports(struct proxy *proxy) {
    proxy->ports[proxy->listener_count++] = PROXY_PORT;
    for (size_t i = 0; proxy->hosts && proxy->hosts[i] && proxy->listener_count < MAX_LISTENERS; i++) {
        char host[64];
        int port;
        bool is_known = !hosts_split(proxy->hosts[i], host, sizeof(host), &port) || !hosts_is_loopback(host);
        for (int k = 0; k < proxy->listener_count; k++)
            is_known = is_known || proxy->ports[k] == port;
        if (!is_known)
            proxy->ports[proxy->listener_count++] = port;
    }
}

static int listen_and_start(struct proxy *proxy, pid_t pid, struct err *err) {
    choose_ports(proxy);
    int rc = netns_listen(pid, proxy->ports, proxy->listeners, proxy->listener_count, err);
    int errnum = rc == 0 ? start_thread(&proxy->thread, accept_main, proxy) : 0;
    if (!errnum)
        return rc;
    for (int i = 0; i < proxy->listener_count; i++)
        mem_closep(&proxy->listeners[i]);
    return err_errno(err, ERR_UNAVAILABLE, errnum, "cannot make a thread for a proxy");
}

int proxy_start(struct proxy **out, pid_t pid, const char *const *hosts, struct err *err) {
    struct proxy *proxy = mem_alloc(sizeof(*proxy));
    *proxy = (struct proxy){.hosts = hosts, .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .holders = 1};
    (void)pthread_mutex_init(&proxy->lock, NULL);
    int rc = proxy->stop_fd < 0 ? err_errno(err, ERR_UNAVAILABLE, errno, "cannot prepare a proxy")
                                : listen_and_start(proxy, pid, err);
    if (rc < 0)
        proxy_release(proxy);
    else
        *out = proxy;
    return rc;
}

void proxy_stop(struct proxy *proxy) {
    if (!proxy)
        return;
    (void)eventfd_write(proxy->stop_fd, 1);
    (void)pthread_join(proxy->thread, NULL);
    for (int i = 0; i < proxy->listener_count; i++)
        mem_closep(&proxy->listeners[i]);
    proxy_release(proxy);
}

const char *proxy_refused(struct proxy *proxy, struct arena *arena) {
    const char *text = NULL;
    (void)pthread_mutex_lock(&proxy->lock);
    for (size_t i = 0; i < proxy->refused_count; i++)
        text = text ? arena_printf(arena, "%s, %s", text, proxy->refused[i]) : arena_strdup(arena, proxy->refused[i]);
    (void)pthread_mutex_unlock(&proxy->lock);
    return text;
}
