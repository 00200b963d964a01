/* peer: the other end of a connection: its address, what the kernel knows of what it sent, and cutting it off. */
#include <arpa/inet.h>
#include <linux/sockios.h>
#include <linux/tcp.h> /* the C library's tcp_info lacks the byte counts */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/internal.h"

enum {
    TICK_MS = 10,          /* the kernel's clock of what was received goes by steps up to this long */
    STATE_ESTABLISHED = 1, /* TCP_ESTABLISHED of netinet/tcp.h, which clashes with linux/tcp.h */
};

void peer_name(struct MHD_Connection *mhd, char out[INET6_ADDRSTRLEN]) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;

    out[0] = '\0';
    if (address && address->sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, out, INET6_ADDRSTRLEN);
    } else if (address && address->sa_family == AF_INET6) {
        const struct in6_addr *in6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(in6))
            (void)inet_ntop(AF_INET, &in6->s6_addr[12], out, INET6_ADDRSTRLEN);
        else
            (void)inet_ntop(AF_INET6, in6, out, INET6_ADDRSTRLEN);
    }
}

void conn_cut(struct conn *conn) {
    conn->is_refused = true;
    (void)shutdown(conn->fd, SHUT_RDWR);
}

bool conn_has_vanished(const struct conn *conn) {
    char byte;
    return recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

bool conn_has_sent_in_vain(const struct conn *conn) {
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);
    int unsent = 0;

    return !conn->served && !getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len) &&
           info.tcpi_state == STATE_ESTABLISHED && info.tcpi_bytes_received > 0 && info.tcpi_bytes_sent == 0 &&
           !ioctl(conn->fd, SIOCOUTQ, &unsent) && unsent == 0;
}

/* The wait for a request's line began when the one before it was done. */
bool conn_has_sent_anew(const struct conn *conn) {
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    if (getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 || info.tcpi_bytes_received == 0)
        return false;
    int64_t waiting_ms = clock_mono_ms() - (conn->deadline_ms - conn->loop->server->config.header_timeout_ms);
    return !conn->served || (int64_t)info.tcpi_last_data_recv + TICK_MS < waiting_ms;
}
