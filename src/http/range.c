/* range: the Range header. Source: RFC 9110 section 14.1.2. */
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "http/http.h"

/* The last `count` of size bytes. */
static enum http_range suffix(int64_t count, int64_t size, int64_t *first, int64_t *last) {
    if (count == 0 || size == 0)
        return HTTP_RANGE_UNSATISFIABLE;
    *first = count >= size ? 0 : size - count;
    *last = size - 1;
    return HTTP_RANGE_ONE;
}

enum http_range http_range(const char *header, int64_t size, int64_t *first, int64_t *last) {
    char from[24];
    int64_t a = 0, b = INT64_MAX;

    if (!header || strncasecmp(header, "bytes=", 6) != 0 || strchr(header, ','))
        return HTTP_RANGE_NONE;
    const char *spec = header + 6, *dash = strchr(spec, '-');
    if (!dash || (size_t)(dash - spec) >= sizeof(from))
        return HTTP_RANGE_NONE;
    memcpy(from, spec, (size_t)(dash - spec));
    from[dash - spec] = '\0';
    const char *to = dash + 1;
    if (!from[0])
        return str_to_int(to, 0, INT64_MAX, &b) ? suffix(b, size, first, last) : HTTP_RANGE_NONE;
    if (!str_to_int(from, 0, INT64_MAX, &a) || (*to && !str_to_int(to, a, INT64_MAX, &b)))
        return HTTP_RANGE_NONE;
    if (a >= size)
        return HTTP_RANGE_UNSATISFIABLE;
    *first = a;
    *last = b >= size ? size - 1 : b;
    return HTTP_RANGE_ONE;
}
