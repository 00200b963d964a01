/* netns: sockets in the network of another process. */
#ifndef SANDBOX_NETNS_H
#define SANDBOX_NETNS_H

#include <sys/types.h>

#include "base/err.h"

/* Sockets that listen at these ports of all addresses, IPv4, in the network of pid, whose user namespace this user must
 * own. They do not block. On failure none is left open. */
MUST_CHECK int netns_listen(pid_t pid, const int *ports, int *fds, int count, struct err *err);

#endif
