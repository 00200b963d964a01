/* hosts: which servers a command may speak to. */
#ifndef SANDBOX_HOSTS_H
#define SANDBOX_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

enum hosts_answer { HOSTS_REFUSED, HOSTS_PUBLIC_ONLY /* if its address is a public one */, HOSTS_ALLOWED };

/* Patterns are HOST:PORT. HOST is a name, an address (IPv6 in brackets), "*.NAME" for all below a name, or "*"; PORT is
 * a number or "*". Names are compared without regard to case. What a pattern with a star in its host matches must have
 * a public address; whoever writes a host out means it, but for one after HOSTS_PUBLIC ("public HOST:PORT"), which
 * somebody else wrote. NULL-terminated, or NULL: none. */
#define HOSTS_PUBLIC "public "
enum hosts_answer hosts_check(const char *const *patterns, const char *host, int port);
/* HOST:PORT apart; brackets fall away. False if it is no such thing, or host has no room. */
bool hosts_split(const char *text, char *host, size_t host_size, int *port);
/* Whether a host is this machine's loopback, by its usual names. */
bool hosts_is_loopback(const char *host);

#endif
