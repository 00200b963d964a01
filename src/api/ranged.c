/* ranged: tags and ranges of bytes. */
#include "api/ranged.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

/* True when one of the tags in an If-None-Match list is ours. Weak comparison, RFC 9110, 13.1.2. */
static bool matches_tag(const char *list, const char *etag) {
    return list && (str_eq(list, "*") || strstr(list, etag) != NULL);
}

bool reply_unchanged(struct api_call *call, const char *etag) {
    http_reply_header(call->reply, "ETag", etag);
    if (!matches_tag(http_request_header(call->request, "If-None-Match"), etag))
        return false;
    http_reply_status(call->reply, 304);
    return true;
}

static enum http_range range_of(struct api_call *call, const struct ranged *ranged, int64_t *first, int64_t *last) {
    const char *if_range = http_request_header(call->request, "If-Range");
    *first = 0;
    *last = ranged->size_bytes - 1;
    /* RFC 9110, 14.2: of GET alone. */
    if (http_request_method(call->request) != HTTP_GET || (if_range && !str_eq(if_range, ranged->etag)))
        return HTTP_RANGE_NONE;
    return http_range(http_request_header(call->request, "Range"), ranged->size_bytes, first, last);
}

int reply_ranged(struct api_call *call, int fd, const struct ranged *ranged, struct err *err) {
    CLEANUP(mem_closep) int file = fd;
    long long size = (long long)ranged->size_bytes;
    int64_t first, last;
    http_reply_header(call->reply, "Accept-Ranges", "bytes");
    if (reply_unchanged(call, ranged->etag))
        return 0;
    enum http_range kind = range_of(call, ranged, &first, &last);
    if (kind == HTTP_RANGE_UNSATISFIABLE) {
        http_reply_header(call->reply, "Content-Range", arena_printf(call->arena, "bytes */%lld", size));
        return err_field(err, ERR_RANGE, "Range", "The range lies beyond the %lld bytes of the %s", size, ranged->what);
    }
    if (kind == HTTP_RANGE_ONE) {
        http_reply_status(call->reply, 206);
        http_reply_header(call->reply, "Content-Range",
                          arena_printf(call->arena, "bytes %lld-%lld/%lld", (long long)first, (long long)last, size));
    }
    if (size == 0) {
        http_reply_body(call->reply, ranged->content_type, "", 0);
        return 0;
    }
    http_reply_file(call->reply, ranged->content_type, file, (uint64_t)first, (uint64_t)(last - first + 1));
    file = -1;
    return 0;
}
