/* proxy: the way out for a command that has a network of its own: to the hosts that it may speak to, and no others.
 *
 * It listens within the command's network, at 127.0.0.1, but runs out here: there is nothing of it behind the fence. It
 * takes CONNECT and plain requests (RFC 9110, 7.6 and 9.3.6). What may be spoken to on this machine's loopback is
 * reached at its own port, without a proxy, since most programs take none for that. */
#ifndef SANDBOX_PROXY_H
#define SANDBOX_PROXY_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

#define PROXY_URL "http://127.0.0.1:3128"

struct proxy;
/* pid: a process in that network, whose user namespace this user owns. hosts: see hosts.h; they stay until the end. */
MUST_CHECK int proxy_start(struct proxy **out, pid_t pid, const char *const *hosts, struct err *err);
/* Ends all connections. Accepts NULL. */
void proxy_stop(struct proxy *proxy);
/* Hosts that were asked for in vain, each once, at most 16: "HOST:PORT, HOST:PORT", or NULL. */
const char *proxy_refused(struct proxy *proxy, struct arena *arena);

#endif
