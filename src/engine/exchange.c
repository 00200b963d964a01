/* exchange: carries out the HTTP steps of checks against a running app. */
#include "engine/exchange.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/net.h"

#define STEP_TIMEOUT_MS 20000
#define BODY_MAX_BYTES (4 << 20)
#define EVIDENCE_BODY_BYTES 800 /* of a body, kept as evidence */

struct exchanges {
    struct net_client *client;
    int port;
    bool (*is_cancelled)(void *arg);
    void *cancel_arg;
    json_t *jars;    /* {"owner": {"session": "…"}} */
    json_t *saved;   /* {"task": 1} */
    json_t *covered; /* {"GET /tasks": true} */
};

struct exchanges *exchanges_create(int port, bool (*is_cancelled)(void *arg), void *cancel_arg) {
    struct exchanges *x = mem_alloc(sizeof *x);
    *x = (struct exchanges){.client = net_client_create(),
                            .port = port,
                            .is_cancelled = is_cancelled,
                            .cancel_arg = cancel_arg,
                            .jars = json_object(),
                            .saved = json_object(),
                            .covered = json_object()};
    return x;
}

void exchanges_destroy(struct exchanges *x) {
    if (!x)
        return;
    net_client_destroy(x->client);
    json_decref(x->jars);
    json_decref(x->saved);
    json_decref(x->covered);
    free(x);
}

bool exchanges_covered(const struct exchanges *x, const char *route) {
    return json_is_true(json_object_get(x->covered, route));
}

/* The value of ${name}: a saved one, or one of the clock's. NULL if there is none. Borrowed, or owned by the arena. */
static json_t *variable(const struct exchanges *x, struct arena *arena, const char *name) {
    char text[CLOCK_ISO_LEN];
    json_t *saved = json_object_get(x->saved, name);
    if (saved)
        return saved;
    int64_t now = clock_now_ms();
    if (str_eq(name, "now"))
        return json_own(arena, json_string(clock_iso(now, text)));
    if (str_eq(name, "tomorrow"))
        now += 24 * 3600 * 1000;
    else if (!str_eq(name, "today"))
        return NULL;
    clock_iso(now, text)[10] = '\0';
    return json_own(arena, json_string(text));
}

/* text with every ${name} replaced; unknown names stay as they are. */
static const char *fill_text(const struct exchanges *x, struct arena *arena, const char *text) {
    struct buf out = {0};
    const char *at = text, *open;
    while ((open = strstr(at, "${")) != NULL) {
        const char *close = strchr(open, '}');
        if (!close)
            break;
        json_t *value = variable(x, arena, arena_strndup(arena, open + 2, (size_t)(close - open - 2)));
        buf_put(&out, at, (size_t)(open - at));
        if (json_is_string(value))
            buf_puts(&out, json_string_value(value));
        else if (value)
            buf_puts(&out, json_text(arena, value));
        else
            buf_put(&out, open, (size_t)(close + 1 - open));
        at = close + 1;
    }
    buf_puts(&out, at);
    const char *filled = arena_strndup(arena, out.data, out.len);
    buf_release(&out);
    return filled;
}

/* A copy of value with its strings filled; a string that is just ${name} becomes the variable with its type. New
 * reference. */
static json_t *fill(const struct exchanges *x, struct arena *arena, const json_t *value) {
    const char *key;
    json_t *member, *copy;
    size_t i;
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        size_t len = strlen(text);
        if (len > 3 && str_starts(text, "${") && text[len - 1] == '}' && !strchr(text + 2, '$')) {
            json_t *whole = variable(x, arena, arena_strndup(arena, text + 2, len - 3));
            if (whole)
                return json_deep_copy(whole);
        }
        return json_string(fill_text(x, arena, text));
    }
    if (json_is_array(value)) {
        copy = json_array();
        json_array_foreach (value, i, member)
            json_array_append_new(copy, fill(x, arena, member));
        return copy;
    }
    if (json_is_object(value)) {
        copy = json_object();
        json_object_foreach ((json_t *)value, key, member)
            json_object_set_new(copy, key, fill(x, arena, member));
        return copy;
    }
    return json_deep_copy(value);
}

static const char *cookie_header(const struct exchanges *x, struct arena *arena, const char *jar_name) {
    const char *name, *text = NULL;
    json_t *value, *jar = json_object_get(x->jars, jar_name);
    json_object_foreach (jar, name, value) {
        const char *pair = arena_printf(arena, "%s=%s", name, json_string_value(value));
        text = text ? arena_printf(arena, "%s; %s", text, pair) : pair;
    }
    return text;
}

/* The cookie's attributes say that it is to be forgotten. RFC 6265, 5.2.2. */
static bool is_expired(struct arena *arena, const char *attributes) {
    char **parts;
    size_t count;
    int64_t seconds;
    str_split(arena, attributes, ";", &parts, &count);
    for (size_t i = 0; i < count; i++) {
        const char *part = str_trim(arena, parts[i]);
        if (strncasecmp(part, "max-age=", 8) == 0 && str_to_int(part + 8, INT64_MIN, INT64_MAX, &seconds) &&
            seconds <= 0)
            return true;
    }
    return false;
}

static void keep_cookies(struct exchanges *x, struct arena *arena, const char *jar_name,
                         const struct net_response *response) {
    for (size_t i = 0; i < response->header_count; i++) {
        const struct net_header *header = &response->headers[i];
        const char *equals = strchr(header->value, '=');
        if (!str_eq(header->name, "set-cookie") || !equals)
            continue;
        json_t *jar = json_object_get(x->jars, jar_name);
        if (!jar) {
            jar = json_object();
            json_object_set_new(x->jars, jar_name, jar);
        }
        const char *name = arena_strndup(arena, header->value, (size_t)(equals - header->value));
        size_t len = strcspn(equals + 1, ";");
        if (len == 0 || is_expired(arena, equals + 1 + len))
            json_object_del(jar, name);
        else
            json_object_set_new(jar, name, json_stringn(equals + 1, len));
    }
}

static const char *short_text(struct arena *arena, const char *text) {
    size_t len = strlen(text);
    if (len <= EVIDENCE_BODY_BYTES)
        return text;
    len = EVIDENCE_BODY_BYTES;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) /* not inside a character */
        len--;
    return arena_printf(arena, "%.*s…", (int)len, text);
}

static const char *check_texts(const struct exchanges *x, struct arena *arena, const json_t *wanted, const char *body,
                               bool is_wanted) {
    size_t i;
    json_t *text;
    json_array_foreach (wanted, i, text) {
        const char *part = fill_text(x, arena, str_or(json_string_value(text), ""));
        if ((strstr(body, part) != NULL) != is_wanted)
            return arena_printf(arena, is_wanted ? "the answer does not contain \"%s\"" : "the answer contains \"%s\"",
                                part);
    }
    return NULL;
}

static const char *check_json(const struct exchanges *x, struct arena *arena, const json_t *expect,
                              const struct net_response *response) {
    const char *path;
    json_t *wanted, *body = NULL;
    struct err err = {0};
    const json_t *equal = json_object_get(expect, "json"), *least = json_object_get(expect, "min");
    if (!equal && !least)
        return NULL;
    if (json_parse(arena, response->body, response->body_len, &body, &err) < 0)
        return "the answer is not JSON";
    json_object_foreach ((json_t *)equal, path, wanted) {
        json_t *is = json_at(body, path), *should = json_own(arena, fill(x, arena, wanted));
        bool both_numbers = json_is_number(is) && json_is_number(should);
        if (both_numbers ? json_number_value(is) != json_number_value(should) : !json_equal(is, should))
            return arena_printf(arena, "%s is %s, expected %s", path, is ? json_text(arena, is) : "missing",
                                json_text(arena, should));
    }
    json_object_foreach ((json_t *)least, path, wanted) {
        json_t *is = json_at(body, path);
        if (!json_is_number(is) || json_number_value(is) < json_number_value(wanted))
            return arena_printf(arena, "%s is %s, expected at least %s", path, is ? json_text(arena, is) : "missing",
                                json_text(arena, wanted));
    }
    return NULL;
}

/* What is not as expected, or NULL. */
static const char *find_fault(const struct exchanges *x, struct arena *arena, const json_t *expect,
                              const struct net_response *response) {
    const char *name;
    json_t *wanted;
    int64_t status = json_int(expect, "status", 200);
    if (response->status != status)
        return arena_printf(arena, "status %d, expected %lld", response->status, (long long)status);
    json_object_foreach (json_object_get(expect, "header"), name, wanted) {
        const char *is = net_response_header(response, name),
                   *should = fill_text(x, arena, str_or(json_string_value(wanted), ""));
        if (!is || !str_starts(is, should))
            return arena_printf(arena, "header %s is %s, expected %s…", name, str_or(is, "missing"), should);
    }
    const char *fault = check_json(x, arena, expect, response);
    if (!fault)
        fault = check_texts(x, arena, json_object_get(expect, "contains"), response->body, true);
    if (!fault)
        fault = check_texts(x, arena, json_object_get(expect, "absent"), response->body, false);
    return fault;
}

static void save_values(struct exchanges *x, struct arena *arena, const json_t *save,
                        const struct net_response *response) {
    const char *name;
    json_t *path, *body = NULL;
    struct err err = {0};
    if (!save || json_parse(arena, response->body, response->body_len, &body, &err) < 0)
        return;
    json_object_foreach ((json_t *)save, name, path) {
        json_t *value = json_at(body, str_or(json_string_value(path), ""));
        if (value)
            json_object_set(x->saved, name, value);
    }
}

struct prepared {
    const char *method, *path, *jar, *body, *content_type;
    const json_t *headers; /* of the step's own, or NULL */
};

static int prepare(const struct exchanges *x, struct arena *arena, const json_t *step, struct prepared *out,
                   struct err *err) {
    const json_t *request = json_object_get(step, "request"), *json = json_object_get(request, "json");
    out->method = json_str(request, "method", "GET");
    out->path = fill_text(x, arena, json_str(request, "path", ""));
    out->jar = json_str(step, "as", NULL);
    out->headers = json_object_get(request, "headers");
    if (out->path[0] != '/')
        return err_set(err, ERR_INTERNAL, "a step of the plan has no path");
    if (json) {
        out->body = json_text(arena, json_own(arena, fill(x, arena, json)));
        out->content_type = "application/json";
    } else if (json_str(request, "text", NULL)) {
        out->body = fill_text(x, arena, json_str(request, "text", ""));
        out->content_type = json_str(request, "contentType", "text/plain");
    }
    return 0;
}

static int send_step(struct exchanges *x, struct arena *arena, const struct prepared *p, struct net_response *response,
                     struct err *err) {
    char origin[64];
    const char *name, *cookies = p->jar ? cookie_header(x, arena, p->jar) : NULL;
    json_t *value;
    size_t count = 0;
    struct net_header *headers = arena_array(arena, 3 + json_object_size(p->headers), sizeof *headers);
    snprintf(origin, sizeof origin, "http://127.0.0.1:%d", x->port);
    bool has_origin = false;
    json_object_foreach ((json_t *)p->headers, name, value) {
        headers[count++] = (struct net_header){name, fill_text(x, arena, str_or(json_string_value(value), ""))};
        has_origin |= strcasecmp(name, "origin") == 0;
    }
    if (!has_origin)
        headers[count++] = (struct net_header){"origin", origin};
    if (p->content_type)
        headers[count++] = (struct net_header){"Content-Type", p->content_type};
    if (cookies)
        headers[count++] = (struct net_header){"Cookie", cookies};
    struct net_request request = {.method = p->method,
                                  .url = arena_printf(arena, "%s%s", origin, p->path),
                                  .headers = headers,
                                  .header_count = count,
                                  .body = p->body,
                                  .body_len = p->body ? strlen(p->body) : 0,
                                  .total_timeout_ms = STEP_TIMEOUT_MS,
                                  .max_body_bytes = BODY_MAX_BYTES,
                                  .is_cancelled = x->is_cancelled,
                                  .cancel_arg = x->cancel_arg};
    return net_request(x->client, &request, arena, response, err);
}

static json_t *evidence_of(struct arena *arena, const json_t *step, const struct prepared *p,
                           const struct net_response *response, const char *fault) {
    json_t *said = json_pack("{s:s, s:{s:s, s:s}, s:b}", "note", json_str(step, "note", ""), "request", "method",
                             p->method, "path", p->path, "ok", fault == NULL);
    json_t *request = json_object_get(said, "request");
    if (p->jar)
        json_object_set_new(request, "as", json_string(p->jar));
    if (p->body)
        json_object_set_new(request, "body", json_string(short_text(arena, p->body)));
    if (response->status) {
        bool is_text = str_is_utf8(response->body, response->body_len);
        json_object_set_new(said, "response",
                            json_pack("{s:i, s:s}", "status", response->status, "body",
                                      is_text ? short_text(arena, response->body) : "(binary)"));
    }
    if (fault)
        json_object_set_new(said, "fault", json_string(str_mend(arena, fault)));
    return said;
}

int exchanges_run(struct exchanges *x, const json_t *steps, struct arena *arena, json_t *evidence, const char **fault,
                  struct err *err) {
    size_t i;
    json_t *step;
    *fault = NULL;
    json_array_foreach (steps, i, step) {
        struct prepared prepared = {0};
        struct net_response response = {0};
        struct err send_err = {0};
        const char *wrong;
        int rc = prepare(x, arena, step, &prepared, err);
        if (rc < 0)
            return rc;
        rc = send_step(x, arena, &prepared, &response, &send_err);
        if (rc == -ERR_CANCELLED)
            return err_set(err, ERR_CANCELLED, "stopped");
        wrong = rc < 0 ? arena_strdup(arena, send_err.message)
                       : find_fault(x, arena, json_object_get(step, "expect"), &response);
        json_array_append_new(evidence, evidence_of(arena, step, &prepared, &response, wrong));
        if (wrong) {
            *fault = arena_printf(arena, "%s: %s %s: %s", json_str(step, "note", "step"), prepared.method,
                                  prepared.path, wrong);
            return 0;
        }
        if (prepared.jar)
            keep_cookies(x, arena, prepared.jar, &response);
        save_values(x, arena, json_object_get(step, "save"), &response);
        if (json_str(step, "route", NULL))
            json_object_set_new(x->covered, json_str(step, "route", ""), json_true());
    }
    return 0;
}
