/* overrule: libmicrohttpd answers some malformed requests by itself, in HTML, and for a bad Content-Length sends its
 * headers twice (0.9.75). It says so to its logger just before; that is where our own answer takes the place of its
 * own. */
#include <stdarg.h>
#include <string.h>

#include "http/internal.h"

static bool has_headers(const struct conn *conn) {
    return MHD_get_connection_info(conn->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE) != NULL;
}

/* The line or the headers are not complete. */
static bool is_in_headers(const struct conn *conn) {
    return conn->request && !conn->request->is_begun;
}

static bool is_in_chunks(const struct conn *conn) {
    return conn->stage == CONN_BODY && conn->request && conn->request->is_chunked;
}

enum { LINE = 1, HEADERS = 2 };

static bool is_suspect(const struct conn *conn, unsigned where) {
    if (conn->is_refused)
        return false;
    if ((where & LINE) && conn->stage == CONN_WAITING && !conn->request && conn_has_sent_anew(conn))
        return true;
    return (where & HEADERS) && (is_in_headers(conn) || is_in_chunks(conn));
}

/* The logger is not told which connection it is. One whose headers are complete but which was not given to
 * exchange_access is it for sure: that is a state within one call. Else it is one of those whose state allows such an
 * error; with more than one, libmicrohttpd's answer stands. */
static struct conn *find_culprit(struct http_loop *loop, unsigned where) {
    struct conn *only = NULL;
    size_t count = 0;

    list_for_each (node, next, &loop->conns) {
        struct conn *conn = container_of(node, struct conn, node);
        if (!conn->is_refused && is_in_headers(conn) && has_headers(conn))
            return conn;
        if (is_suspect(conn, where)) {
            only = conn;
            count++;
        }
    }
    return count == 1 ? only : NULL;
}

static unsigned where_of(unsigned status) {
    switch (status) {
    case MHD_HTTP_URI_TOO_LONG:
    case MHD_HTTP_HTTP_VERSION_NOT_SUPPORTED:
        return LINE;
    case MHD_HTTP_BAD_REQUEST:
        return LINE | HEADERS;
    default:
        return HEADERS;
    }
}

static const char *message_of(unsigned status) {
    switch (status) {
    case MHD_HTTP_CONTENT_TOO_LARGE:
        return "The body is too large";
    case MHD_HTTP_URI_TOO_LONG:
        return "The address is too long";
    case MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE:
        return "The headers are too large";
    case MHD_HTTP_HTTP_VERSION_NOT_SUPPORTED:
        return "The version of HTTP is not supported";
    default:
        return "The request is malformed";
    }
}

void overrule_logged(void *arg, const char *format, va_list args) {
    struct http_loop *loop = arg;

    /* "Error processing request (HTTP response code is %u ('%s')). Closing connection.", in whatever language. */
    const char *first = strchr(format, '%');
    if (!first || strncmp(first, "%u ('%s')", 9) != 0)
        return;
    unsigned status = va_arg(args, unsigned);
    struct conn *conn = find_culprit(loop, where_of(status));
    if (conn)
        conn_refuse(conn, (int)status, message_of(status));
}
