/* netns: sockets in the network of another process. A socket stays in the network that it was made in: a child goes
 * there, makes it, and hands it back. */
#include "sandbox/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

enum { BACKLOG = 64, ANSWER_S = 10 };

/* ---- in the child: system calls alone */

static int listen_at(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* All addresses: loopback may not be up yet, and there is no other. */
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
        return -1;
    return fd;
}

/* The descriptor, or errno without one. */
static bool send_fd(int channel, int fd, int errnum) {
    struct iovec data = {.iov_base = &errnum, .iov_len = sizeof(errnum)};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof(control.space);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(fd));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    return sendmsg(channel, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(errnum);
}

static _Noreturn void child_run(int net_fd, int user_fd, int channel, const int *ports, int count) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    bool is_there = setns(user_fd, CLONE_NEWUSER) == 0 && setns(net_fd, CLONE_NEWNET) == 0;
    if (!is_there)
        (void)send_fd(channel, -1, errno);
    for (int i = 0; is_there && i < count; i++) {
        int fd = listen_at(ports[i]);
        is_there = send_fd(channel, fd, fd < 0 ? errno : 0) && fd >= 0;
    }
    _exit(0);
}

/* ---- in the parent */

/* The descriptor, or -1 with errno. */
static int receive_fd(int channel) {
    int errnum = 0, fd = -1;
    struct iovec data = {.iov_base = &errnum, .iov_len = sizeof(errnum)};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof(control.space)};
    ssize_t got;
    do
        got = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        errno = ECHILD;
    const struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header && header->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    else if (got > 0)
        errno = errnum;
    return fd;
}

static int receive_all(int channel, int *fds, int count, struct err *err) {
    for (int i = 0; i < count; i++) {
        fds[i] = receive_fd(channel);
        if (fds[i] >= 0)
            continue;
        int errnum = errno;
        while (i-- > 0)
            mem_closep(&fds[i]);
        return err_errno(err, ERR_UNAVAILABLE, errnum, "cannot listen in a command's network");
    }
    return 0;
}

int netns_listen(pid_t pid, const int *ports, int *fds, int count, struct err *err) {
    char path[64];
    int channel[2];
    struct timeval patience = {.tv_sec = ANSWER_S};
    sigset_t all, before;
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
    CLEANUP(mem_closep) int net_fd = open(path, O_RDONLY | O_CLOEXEC);
    CLEANUP(mem_closep) int user_fd = net_fd < 0 ? -1 : ioctl(net_fd, NS_GET_USERNS);
    if (user_fd < 0)
        return err_errno(err, ERR_UNAVAILABLE, errno, "cannot find a command's network");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0)
        return err_errno(err, ERR_UNAVAILABLE, errno, "cannot make a pair of sockets");
    CLEANUP(mem_closep) int ours = channel[0];
    CLEANUP(mem_closep) int theirs = channel[1];
    (void)setsockopt(ours, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child == 0)
        child_run(net_fd, user_fd, theirs, ports, count);
    int errnum = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (child < 0)
        return err_errno(err, ERR_UNAVAILABLE, errnum, "cannot start a process");
    mem_closep(&theirs);
    int rc = receive_all(ours, fds, count, err);
    (void)kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    return rc;
}
