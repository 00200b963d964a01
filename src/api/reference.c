/* reference: the OpenAPI document and the page that shows it. */
#include "api/reference.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/openapi.h"
#include "api/packed.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"

struct reference {
    pthread_mutex_t lock; /* of what follows, until text is there; nothing changes after that */
    char *text;
    size_t len;
    char etag[HASH_HEX_LEN + 2];
};

struct reference *reference_create(void) {
    struct reference *reference = mem_alloc(sizeof *reference);
    pthread_mutex_init(&reference->lock, NULL);
    return reference;
}

void reference_destroy(struct reference *reference) {
    if (!reference)
        return;
    pthread_mutex_destroy(&reference->lock);
    free(reference->text);
    free(reference);
}

static void tag(char out[HASH_HEX_LEN + 2], const char *data, size_t len) {
    out[0] = '"';
    hash_sha256_hex(out + 1, data, len);
    memcpy(out + HASH_HEX_LEN, "\"", 2); /* in the place of the NUL */
}

/* The document of our routes, formatted by jansson's flags; free() is the caller's. */
static int make_text(size_t flags, char **out, struct err *err) {
    struct arena *arena = arena_create();
    json_t *document = NULL;
    size_t count;
    const struct api_route *routes = api_routes(&count);
    int rc = openapi_make(routes, count, arena, &document, err);
    if (rc == 0)
        *out = json_dumps(document, flags);
    arena_destroy(arena);
    return rc;
}

static int make(struct reference *reference, struct err *err) {
    int rc = make_text(JSON_COMPACT, &reference->text, err);
    if (rc < 0)
        return rc;
    reference->len = strlen(reference->text);
    tag(reference->etag, reference->text, reference->len);
    return 0;
}

int reference_print(struct buf *out, struct err *err) {
    CLEANUP(mem_freep) char *text = NULL;
    int rc = make_text(JSON_INDENT(2), &text, err);
    if (rc == 0)
        buf_printf(out, "%s\n", text);
    return rc;
}

int reference_document(struct reference *reference, const char **out, size_t *len, const char **etag, struct err *err) {
    pthread_mutex_lock(&reference->lock);
    int rc = reference->text ? 0 : make(reference, err);
    pthread_mutex_unlock(&reference->lock);
    if (rc < 0)
        return rc;
    *out = reference->text;
    *len = reference->len;
    *etag = reference->etag;
    return 0;
}

/* Weak comparison with each of the list, RFC 9110, 13.1.2. */
static void reply_tagged(struct api_call *call, const char *type, const char *data, size_t len, const char *etag) {
    const char *wanted = http_request_header(call->request, "If-None-Match");
    http_reply_header(call->reply, "ETag", etag);
    if (wanted && (str_eq(wanted, "*") || strstr(wanted, etag)))
        http_reply_status(call->reply, 304);
    else
        http_reply_body(call->reply, type, data, len);
}

int openapi_get(struct api_call *call, struct err *err) {
    const char *data, *etag;
    size_t len;
    int rc = reference_document(call->api->reference, &data, &len, &etag, err);
    if (rc == 0)
        reply_tagged(call, "application/json; charset=utf-8", data, len, etag);
    return rc;
}

static const struct packed_file *packed(const char *name) {
    const struct packed_file *file = packed_files;
    while (file->name && !str_eq(file->name, name))
        file++;
    return file;
}

int reference_get(struct api_call *call, struct err *err) {
    const struct packed_file *page = packed("reference/index.html"), *policy = packed("reference/policy");
    char etag[HASH_HEX_LEN + 2];
    if (!page->name || !policy->name)
        return err_set(err, ERR_INTERNAL, "the reference page is not compiled in");
    tag(etag, page->data, page->len);
    http_reply_header(call->reply, "Content-Security-Policy", policy->data);
    http_reply_header(call->reply, "Referrer-Policy", "no-referrer");
    reply_tagged(call, "text/html; charset=utf-8", page->data, page->len, arena_strdup(call->arena, etag));
    return 0;
}
