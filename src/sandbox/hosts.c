/* hosts: which servers a command may speak to. */
#include "sandbox/hosts.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

enum { MAX_HOST = 256, MAX_PORT = 65535 };

static bool split(const char *text, char *host, size_t host_size, const char **port) {
    const char *colon = strrchr(text, ':');
    if (!colon)
        return false;
    size_t len = (size_t)(colon - text);
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    } else if (memchr(text, ':', len)) {
        return false;
    }
    if (len == 0 || len >= host_size)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    *port = colon + 1;
    return true;
}

bool hosts_split(const char *text, char *host, size_t host_size, int *port) {
    const char *port_text;
    int64_t number;
    if (!split(text, host, host_size, &port_text) || !str_to_int(port_text, 1, MAX_PORT, &number))
        return false;
    *port = (int)number;
    return true;
}

/* A dot at the end of a name is its root, and says nothing. */
static size_t plain_len(const char *host) {
    size_t len = strlen(host);
    return len > 1 && host[len - 1] == '.' ? len - 1 : len;
}

static bool host_matches(const char *pattern, const char *host) {
    size_t len = plain_len(host);
    if (strcmp(pattern, "*") == 0)
        return true;
    if (str_starts(pattern, "*.")) {
        size_t end_len = strlen(pattern + 1);
        return len > end_len && strncasecmp(host + len - end_len, pattern + 1, end_len) == 0;
    }
    return strlen(pattern) == len && strncasecmp(pattern, host, len) == 0;
}

enum hosts_answer hosts_check(const char *const *patterns, const char *host, int port) {
    enum hosts_answer best = HOSTS_REFUSED;
    for (size_t i = 0; patterns && patterns[i]; i++) {
        char pattern[MAX_HOST];
        const char *port_text;
        int64_t number;
        bool is_public = str_starts(patterns[i], HOSTS_PUBLIC);
        const char *text = patterns[i] + (is_public ? strlen(HOSTS_PUBLIC) : 0);
        if (!split(text, pattern, sizeof(pattern), &port_text) || !host_matches(pattern, host))
            continue;
        bool is_port = strcmp(port_text, "*") == 0 || (str_to_int(port_text, 1, MAX_PORT, &number) && number == port);
        enum hosts_answer answer = is_public || strchr(pattern, '*') ? HOSTS_PUBLIC_ONLY : HOSTS_ALLOWED;
        if (is_port && answer > best)
            best = answer;
    }
    return best;
}

bool hosts_is_loopback(const char *host) {
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0;
}
