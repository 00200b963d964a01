/* page: reading what page is asked for, and cursors. */
#include "api/page.h"

#include <sodium.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"

enum { CURSOR_MAX = 200, BINDING_LEN = 16 };

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* What a cursor belongs to: this list of this account, filtered like this. */
static const char *binding_of(struct api_call *call) {
    static const char *const walking[] = {"page", "pageSize", "cursor"};
    CLEANUP(buf_release) struct buf text = {0};
    char hash[HASH_HEX_LEN];
    buf_printf(&text, "%s\n%s\n%s\n", call->account_id, call->route->operation, http_request_path(call->request));
    for (const struct api_field *field = call->route->query; field->name; field++) {
        bool is_filter = true;
        for (size_t i = 0; i < ARRAY_LEN(walking); i++)
            is_filter = is_filter && !str_eq(field->name, walking[i]);
        if (is_filter)
            buf_printf(&text, "%s=%s\n", field->name, str_or(call_query(call, field->name), ""));
    }
    hash_sha256_hex(hash, text.data, text.len);
    return arena_strndup(call->arena, hash, BINDING_LEN);
}

static const char *write_cursor(struct api_call *call, const char *key) {
    const char *text = arena_printf(call->arena, "%s%s", binding_of(call), key);
    size_t len = strlen(text), size = sodium_base64_encoded_len(len, BASE64);
    return sodium_bin2base64(arena_alloc(call->arena, size), size, (const unsigned char *)text, len, BASE64);
}

/* The key in it; NULL when it is none of this list. */
static const char *read_cursor(struct api_call *call, const char *cursor) {
    unsigned char text[CURSOR_MAX + 1];
    size_t len = 0;
    if (sodium_base642bin(text, CURSOR_MAX, cursor, strlen(cursor), NULL, &len, NULL, BASE64) != 0 ||
        len <= BINDING_LEN || memchr(text, '\0', len) || memcmp(text, binding_of(call), BINDING_LEN) != 0)
        return NULL;
    return arena_strndup(call->arena, (const char *)text + BINDING_LEN, len - BINDING_LEN);
}

/* *key is NULL for the beginning of a walk, and without a cursor. */
static int read_page(struct api_call *call, struct list_page *out, const char **key, struct err *err) {
    const char *cursor = http_request_query_param(call->request, "cursor", NULL);
    *out = (struct list_page){.number = call_query_int(call, "page"), .size = call_query_int(call, "pageSize")};
    *key = NULL;
    out->at = page_numbered(out->number, out->size);
    if (!cursor)
        return 0;
    out->number = 0;
    out->at = page_numbered(1, out->size);
    out->at.limit++;
    if (call_query(call, "page"))
        call_fault(call, "cursor", "cursor and page cannot be given together");
    if (*cursor) {
        *key = read_cursor(call, cursor);
        if (!*key)
            call_fault(call, "cursor",
                       "cursor is none of this list: give nextCursor of the page before, and the same "
                       "filters");
    }
    return call_check(call, err);
}

int page_of_ids(struct api_call *call, const char *prefix, struct list_page *out, struct err *err) {
    const char *key = NULL;
    int rc = read_page(call, out, &key, err);
    if (rc < 0 || !key)
        return rc;
    if (!id_is_valid(key, prefix))
        return err_field(err, ERR_VALIDATION, "cursor", "cursor is none of this list");
    out->at.below_id = key;
    return 0;
}

int page_of_numbers(struct api_call *call, struct list_page *out, struct err *err) {
    const char *key = NULL;
    int rc = read_page(call, out, &key, err);
    if (rc < 0 || !key)
        return rc;
    if (!str_to_int(key, 1, INT64_MAX, &out->at.below_number))
        return err_field(err, ERR_VALIDATION, "cursor", "cursor is none of this list");
    return 0;
}

size_t page_rows(struct list_page *page, size_t count) {
    page->has_more = count > (size_t)page->size;
    return page->has_more ? (size_t)page->size : count;
}

void page_reply_end(struct api_call *call, struct buf *out, struct jw *jw, const struct list_page *page, int64_t total,
                    const char *last) {
    jw_key(jw, "pagination");
    jw_object(jw);
    jw_key(jw, "page");
    if (page->number)
        jw_int(jw, page->number);
    else
        jw_null(jw);
    jw_kint(jw, "pageSize", page->size);
    jw_kint(jw, "total", total);
    jw_kint(jw, "totalPages", (total + page->size - 1) / page->size);
    if (!page->number)
        jw_kstr(jw, "nextCursor", page->has_more && last ? write_cursor(call, last) : NULL);
    jw_object_end(jw);
    reply_data_end(call, out, jw, 200);
}
