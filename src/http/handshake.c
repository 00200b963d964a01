/* handshake: whether a request asks for a WebSocket as it should, and the proof that it was understood. RFC 6455
 * section 4.2. */
#include <string.h>
#include <strings.h>

#include "http/internal.h"

static const char version[] = "13";

/* One of the words between commas, in any of the headers of that name. */
static bool has_token(const struct http_request *request, const char *name, const char *token) {
    size_t token_len = strlen(token);

    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) != 0)
            continue;
        for (const char *at = request->headers[i].value; *at;) {
            at += strspn(at, " \t,");
            size_t len = strcspn(at, ","), kept = len;
            while (kept && (at[kept - 1] == ' ' || at[kept - 1] == '\t'))
                kept--;
            if (kept == token_len && strncasecmp(at, token, token_len) == 0)
                return true;
            at += len;
        }
    }
    return false;
}

/* The header if it is there once; else NULL. */
static const char *only_header(const struct http_request *request, const char *name) {
    const char *value = NULL;

    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) != 0)
            continue;
        if (value)
            return NULL;
        value = request->headers[i].value;
    }
    return value;
}

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* 16 bytes in base64: 22 digits, of which the last carries two bits only, and "==". */
static bool is_key(const char *key) {
    return key && strlen(key) == 24 && strspn(key, base64) == 22 && strchr("AQgw", key[21]) && key[22] == '=' &&
           key[23] == '=';
}

int handshake_check(const struct http_request *request, const char **message) {
    *message = NULL;
    if (!has_token(request, "Upgrade", "websocket")) {
        *message = "This is a WebSocket: the Upgrade header must be \"websocket\"";
        return 426;
    }
    if (request->method != HTTP_GET || request->is_http10)
        *message = "A WebSocket begins with GET and HTTP/1.1";
    else if (request->is_chunked || request->content_length)
        *message = "A WebSocket begins with a request without a body";
    else if (!has_token(request, "Connection", "Upgrade"))
        *message = "The Connection header must have \"Upgrade\"";
    if (*message)
        return 400;
    const char *wanted = only_header(request, "Sec-WebSocket-Version");
    if (!wanted || strcmp(wanted, version) != 0) {
        *message = "The Sec-WebSocket-Version header must be 13";
        return 426;
    }
    if (!is_key(only_header(request, "Sec-WebSocket-Key"))) {
        *message = "The Sec-WebSocket-Key header must be 16 bytes in base64";
        return 400;
    }
    return 0;
}

void handshake_accept(const struct http_request *request, char out[HANDSHAKE_ACCEPT_LEN]) {
    static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t hash[SHA1_BYTES + 1] = {0}; /* and one that fills up the last group of three */
    char text[24 + sizeof(suffix)];

    memcpy(text, only_header(request, "Sec-WebSocket-Key"), 24);
    memcpy(text + 24, suffix, sizeof(suffix));
    sha1(text, sizeof(text) - 1, hash);
    for (size_t i = 0; i < sizeof(hash) / 3; i++) {
        uint32_t bits = (uint32_t)hash[3 * i] << 16 | (uint32_t)hash[3 * i + 1] << 8 | hash[3 * i + 2];
        for (unsigned digit = 0; digit < 4; digit++)
            out[4 * i + digit] = base64[bits >> (18 - 6 * digit) & 63];
    }
    out[HANDSHAKE_ACCEPT_LEN - 2] = '=';
    out[HANDSHAKE_ACCEPT_LEN - 1] = '\0';
}
