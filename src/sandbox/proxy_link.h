/* proxy_link: one connection of a command to the outside. */
#ifndef SANDBOX_PROXY_LINK_H
#define SANDBOX_PROXY_LINK_H

struct link {
    int fd;           /* the command's end; does not block; closed at the end */
    int stop_fd;      /* readable once it is to end */
    int forward_port; /* of the loopback here, where it leads without a word; 0: it is asked where to */
    const char *const *hosts;
    void (*on_refusal)(void *arg, const char *host, int port);
    void *arg;
};

/* Until either side is done, nothing happens for long, or it is to end. */
void link_run(struct link *link);

#endif
