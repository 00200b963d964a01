/* framing: refuses what two parsers could read in two ways. Sources: RFC 9110 section 5.5, RFC 9112 sections 3 to 6. */
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "http/internal.h"

struct walk {
    struct http_pair pairs[MAX_HEADERS];
    size_t count;
    size_t bytes;
    bool is_too_many;
};

static bool is_token_char(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *text) {
    if (!text[0])
        return false;
    for (; *text; text++) {
        if (!is_token_char((unsigned char)*text))
            return false;
    }
    return true;
}

static bool is_field_text(const char *text) {
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static enum MHD_Result collect(void *arg, enum MHD_ValueKind kind, const char *name, const char *value) {
    struct walk *walk = arg;

    if (walk->count == MAX_HEADERS) {
        walk->is_too_many = true;
        return MHD_NO;
    }
    walk->pairs[walk->count++] = (struct http_pair){name, str_or(value, "")};
    walk->bytes += strlen(name) + strlen(str_or(value, "")) + 4;
    return MHD_YES;
}

/* Before 0.9.76 libmicrohttpd cuts a header at a NUL in it, silently. But it parses in place: names and values stay
 * where they were received, with ':' and line ends made NUL. So whatever lies between a value's end and the next
 * name, beyond one line end, was cut off. This finds continued lines too, which RFC 9112 section 5.2 has refused. */
static bool has_cut_headers(const struct walk *walk, struct MHD_Connection *mhd, const char *method,
                            const char *version) {
    if (strverscmp(MHD_get_version(), "0.9.76") >= 0)
        return false; /* refuses them itself, and parses differently */
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (!info)
        return true;
    const char *at = version + strlen(version), *block_end = method + info->header_size;
    for (size_t i = 0; i < walk->count; i++) {
        const struct http_pair *pair = &walk->pairs[i];
        if (pair->name < at || pair->name - at < 1 || pair->name - at > 2)
            return true;
        if (pair->value <= pair->name || pair->value >= block_end)
            return true;
        for (const char *gap = pair->name + strlen(pair->name) + 1; gap < pair->value; gap++) {
            if (*gap != ' ' && *gap != '\t')
                return true;
        }
        at = pair->value + strlen(pair->value);
    }
    return block_end - at < 2 || block_end - at > 4;
}

/* White space after a value is no part of it, but libmicrohttpd keeps it. The checks see it still: what libmicrohttpd
 * does not take for "chunked" must not be taken for it here. */
static const char *without_tail(struct arena *arena, const char *value) {
    size_t len = strlen(value), kept = len;

    while (kept && (value[kept - 1] == ' ' || value[kept - 1] == '\t'))
        kept--;
    return kept == len ? value : arena_strndup(arena, value, kept);
}

static int check_headers(struct http_request *request, const struct walk *walk, const char **message) {
    size_t hosts = 0, lengths = 0, encodings = 0;

    for (size_t i = 0; i < walk->count; i++) {
        const struct http_pair *pair = &walk->pairs[i];
        if (!is_token(pair->name) || !is_field_text(pair->value)) {
            *message = "A header has characters that are not allowed";
            return 400;
        }
        if (strcasecmp(pair->name, "Host") == 0) {
            hosts++;
        } else if (strcasecmp(pair->name, "Content-Length") == 0) {
            lengths++;
            int64_t length = 0;
            if (!str_to_int(pair->value, 0, INT64_MAX, &length)) {
                *message = "Content-Length is not a number";
                return 400;
            }
            request->content_length = (uint64_t)length;
        } else if (strcasecmp(pair->name, "Transfer-Encoding") == 0) {
            encodings++;
            request->is_chunked = strcasecmp(pair->value, "chunked") == 0;
        } else if (strcasecmp(pair->name, "Expect") == 0) {
            request->expects_continue = strcasecmp(pair->value, "100-continue") == 0;
            if (!request->expects_continue) {
                *message = "The expectation cannot be met";
                return 417;
            }
        }
    }
    if (hosts > 1 || (hosts == 0 && !request->is_http10)) {
        *message = hosts ? "More than one Host header" : "The Host header is missing";
        return 400;
    }
    if (lengths > 1 || encodings > 1 || (lengths && encodings)) {
        *message = "The length of the body is ambiguous";
        return 400;
    }
    if (encodings && (!request->is_chunked || request->is_http10)) {
        *message = "The transfer encoding is not known";
        return 400;
    }
    return 0;
}

static bool has_control_bytes(const char *uri) {
    for (; *uri; uri++) {
        if ((unsigned char)*uri <= 0x20 || *uri == 0x7f)
            return true;
    }
    return false;
}

/* In place, too: whatever lies between method, address and version was cut off at a NUL. */
static bool has_cut_line(const char *method, const char *url, size_t url_len, const char *version) {
    return strverscmp(MHD_get_version(), "0.9.76") < 0 &&
           (method + strlen(method) + 1 != url || url + url_len + 1 != version);
}

int framing_check(struct http_request *request, struct MHD_Connection *mhd, const char *method, const char *url,
                  const char *version, const char **message) {
    struct walk walk;
    size_t uri_len = strlen(request->uri);

    walk.count = walk.bytes = 0;
    walk.is_too_many = false;
    request->is_http10 = strcmp(version, "HTTP/1.0") == 0;
    (void)MHD_get_connection_values(mhd, MHD_HEADER_KIND, collect, &walk);
    if (!is_token(method) || has_control_bytes(request->uri) || has_cut_line(method, url, uri_len, version)) {
        *message = "The request line is malformed";
        return 400;
    }
    if (uri_len > MAX_URI_BYTES) {
        *message = "The address is too long";
        return 414;
    }
    if (walk.is_too_many || walk.bytes > MAX_HEADER_BYTES) {
        *message = "Too many headers";
        return 431;
    }
    if (has_cut_headers(&walk, mhd, method, version)) {
        *message = "A header is malformed";
        return 400;
    }
    request->header_count = walk.count;
    request->headers = arena_array(request->arena, walk.count ? walk.count : 1, sizeof(*request->headers));
    for (size_t i = 0; i < walk.count; i++)
        request->headers[i] = (struct http_pair){walk.pairs[i].name, without_tail(request->arena, walk.pairs[i].value)};
    return check_headers(request, &walk, message);
}
