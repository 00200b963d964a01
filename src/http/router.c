/* router: the routes as a tree by segment; literal before parameter before rest. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "http/internal.h"

enum { MAX_SEGMENTS = 64 };

struct leaf {
    const struct http_route *routes[METHOD_COUNT];
};

struct branch {
    char *text; /* NULL for the root and for parameters */
    struct branch *sibling;
    struct branch *literals;
    struct branch *param;
    struct leaf here; /* the path ends in this segment */
    struct leaf rest; /* "*name" follows */
};

struct router {
    struct branch root;
};

struct search {
    enum http_method method;
    char *segments[MAX_SEGMENTS]; /* decoded */
    const char *raw[MAX_SEGMENTS];
    size_t count;
    const char *values[MAX_PARAMS];
    unsigned allowed;
    struct arena *arena;
};

static const char *const method_names[] = {
#define X(method, name) [method] = name,
    HTTP_METHOD_LIST(X)
#undef X
};

static void branch_release(struct branch *branch) {
    struct branch *child = branch->literals;
    while (child) {
        struct branch *sibling = child->sibling;
        branch_release(child);
        free(child);
        child = sibling;
    }
    if (branch->param) {
        branch_release(branch->param);
        free(branch->param);
    }
    free(branch->text);
}

static struct branch *child_of(struct branch *branch, const char *segment, size_t len) {
    if (segment[0] == ':') {
        if (!branch->param)
            branch->param = mem_alloc(sizeof(*branch->param));
        return branch->param;
    }
    for (struct branch *child = branch->literals; child; child = child->sibling) {
        if (strlen(child->text) == len && memcmp(child->text, segment, len) == 0)
            return child;
    }
    struct branch *child = mem_alloc(sizeof(*child));
    child->text = mem_strndup(segment, len);
    child->sibling = branch->literals;
    branch->literals = child;
    return child;
}

static int add_route(struct router *router, const struct http_route *route, struct err *err) {
    const char *at = route->path;
    struct branch *branch = &router->root;
    struct leaf *leaf = NULL;
    size_t params = 0, segments = 0;

    if (!at || at[0] != '/' || !route->handle || (unsigned)route->method >= METHOD_COUNT)
        return err_set(err, ERR_VALIDATION, "route %s: needs a method, a path from '/' and a handler", str_or(at, ""));
    while (!leaf) {
        const char *segment = at + 1;
        size_t len = strcspn(segment, "/");
        at = segment + len;
        params += segment[0] == ':' || segment[0] == '*';
        if (params > MAX_PARAMS || ++segments > MAX_SEGMENTS)
            return err_set(err, ERR_VALIDATION, "route %s: too long", route->path);
        if ((segment[0] == ':' || segment[0] == '*') && len == 1)
            return err_set(err, ERR_VALIDATION, "route %s: a parameter needs a name", route->path);
        if (segment[0] == '*') {
            if (at[0])
                return err_set(err, ERR_VALIDATION, "route %s: '*' must come last", route->path);
            leaf = &branch->rest;
            break;
        }
        branch = child_of(branch, segment, len);
        if (!at[0])
            leaf = &branch->here;
    }
    if (leaf->routes[route->method])
        return err_set(err, ERR_VALIDATION, "route %s %s is there twice", method_names[route->method], route->path);
    leaf->routes[route->method] = route;
    return 0;
}

int router_create(const struct http_route *routes, size_t count, struct router **out, struct err *err) {
    struct router *router = mem_alloc(sizeof(*router));

    for (size_t i = 0; i < count; i++) {
        int result = add_route(router, &routes[i], err);
        if (result) {
            router_destroy(router);
            return result;
        }
    }
    *out = router;
    return 0;
}

void router_destroy(struct router *router) {
    if (!router)
        return;
    branch_release(&router->root);
    free(router);
}

static const struct http_route *leaf_route(const struct leaf *leaf, struct search *search) {
    unsigned allowed = 0;
    for (unsigned method = 0; method < METHOD_COUNT; method++)
        allowed |= leaf->routes[method] ? 1U << method : 0;
    if (!search->allowed)
        search->allowed = allowed;
    if (search->method == HTTP_OTHER)
        return NULL;
    const struct http_route *route = leaf->routes[search->method];
    return !route && search->method == HTTP_HEAD ? leaf->routes[HTTP_GET] : route;
}

/* What is left of the path from segment `at`, decoded whole: an escaped slash is a slash there. */
static const struct http_route *match_rest(const struct branch *branch, size_t at, size_t params,
                                           struct search *search) {
    if (at >= search->count || !search->raw[at][0] || params >= MAX_PARAMS)
        return NULL;
    const struct http_route *route = leaf_route(&branch->rest, search);
    if (!route)
        return NULL;
    char *rest = arena_strdup(search->arena, search->raw[at]);
    (void)str_url_decode(rest, false); /* each segment was decoded before, so this cannot fail */
    search->values[params] = rest;
    return route;
}

static const struct http_route *match(const struct branch *branch, size_t at, size_t params, struct search *search) {
    const struct http_route *route = NULL;

    if (at == search->count)
        return leaf_route(&branch->here, search);
    const char *segment = search->segments[at];
    for (const struct branch *child = branch->literals; child; child = child->sibling) {
        if (strcmp(child->text, segment) == 0) {
            route = match(child, at + 1, params, search);
            break;
        }
    }
    if (!route && branch->param && segment[0] && params < MAX_PARAMS) {
        search->values[params] = segment;
        route = match(branch->param, at + 1, params + 1, search);
    }
    return route ? route : match_rest(branch, at, params, search);
}

/* Splits and decodes; what lies beyond MAX_SEGMENTS is checked with the last segment but can only match a rest. */
static bool split(const char *path, struct search *search) {
    const char *at = path;

    while (at[0] == '/' && search->count < MAX_SEGMENTS) {
        const char *segment = at + 1;
        size_t len = strcspn(segment, "/");
        bool is_last_kept = search->count == MAX_SEGMENTS - 1;
        char *text = is_last_kept ? arena_strdup(search->arena, segment) : arena_strndup(search->arena, segment, len);
        if (!str_url_decode(text, false) || !str_is_utf8(text, strlen(text)))
            return false;
        search->raw[search->count] = segment;
        search->segments[search->count++] = text;
        at = segment + len;
    }
    return true;
}

static void name_params(struct route_match *found, const struct search *search) {
    const char *at = found->route->path;

    while (at[0] == '/') {
        size_t len = strcspn(at + 1, "/");
        if (at[1] == ':' || at[1] == '*') {
            struct http_pair *param = &found->params[found->param_count];
            param->name = arena_strndup(search->arena, at + 2, len - 1);
            param->value = search->values[found->param_count++];
        }
        at += 1 + len;
    }
}

bool router_find(const struct router *router, enum http_method method, const char *path, struct arena *arena,
                 struct route_match *out) {
    struct search search = {.method = method, .arena = arena};

    *out = (struct route_match){0};
    if (!split(path, &search))
        return false;
    if (search.count)
        out->route = match(&router->root, 0, 0, &search);
    out->allowed = search.allowed;
    if (out->route)
        name_params(out, &search);
    return true;
}

const char *router_allow(unsigned allowed, struct arena *arena) {
    const char *text = "";

    if (allowed & (1U << HTTP_GET))
        allowed |= 1U << HTTP_HEAD;
    allowed |= 1U << HTTP_OPTIONS;
    for (unsigned method = 0; method < METHOD_COUNT; method++) {
        if (allowed & (1U << method))
            text = arena_printf(arena, "%s%s%s", text, text[0] ? ", " : "", method_names[method]);
    }
    return text;
}
