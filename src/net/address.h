/* address: which addresses of the Internet are everybody's, and which belong to the house. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"

/* True for an address that is reachable from everywhere. False for all others: loopback, private and link-local ones,
 * carrier-grade NAT, multicast, reserved and documentation ranges, whatever is neither IPv4 nor IPv6; an IPv6 form that
 * carries an IPv4 address (mapped, 6to4, NAT64) is as good as what it carries. Sources: the IANA special-purpose
 * registries (RFC 6890 and its updates); 2000::/3 is all that is given out for global unicast. */
bool net_address_is_public(const struct sockaddr *address);

/* Whether outsiders may name this URL as one to be called: http or https, a host, neither user nor password. With
 * only_public also no literal address that is not public, and not localhost; a name is looked at when it is connected
 * to (only_public in net_request). ERR_VALIDATION says what is wrong, to follow the name of a field. */
MUST_CHECK int net_url_check(const char *url, bool only_public, struct err *err);

#endif
