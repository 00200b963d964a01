/* mustache: renders tokens over a stack of JSON contexts. Prints what npm's mustache 4.2 prints: where that departs
 * from the spec (which characters are escaped, a dotted name that goes on to outer contexts when its end is missing,
 * `0` and the empty text being false, partials without the section's delimiters) it is followed. JavaScript's
 * properties that are no data (length, constructor) are not seen. */
#include "base/mustache.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/mustache_parse.h"
#include "base/number.h"
#include "base/str.h"

/* A partial that has been parsed, under one indentation. */
struct partial {
    struct partial *next;
    const char *name, *indent;
    bool is_after_text;
    struct token_list tokens;
};

struct render {
    struct arena *arena;
    struct buf *out;
    mustache_partial_fn *partial_text;
    void *partial_arg;
    struct partial *partials;
    const json_t **contexts; /* the innermost last */
    size_t context_count;
    size_t depth; /* of sections and partials */
};

static int render_tokens(struct render *render, const struct token_list *tokens, size_t from, size_t to,
                         struct err *err);

static const json_t *member(const json_t *value, const char *name) {
    int64_t index = 0;
    if (json_is_array(value) && str_to_int(name, 0, INT32_MAX, &index))
        return json_array_get(value, (size_t)index);
    return json_object_get(value, name);
}

/* The value a tag names, or NULL. */
static const json_t *lookup(const struct render *render, const struct token *token) {
    if (!token->parts)
        return render->context_count ? render->contexts[render->context_count - 1] : NULL;
    for (size_t i = render->context_count; i-- > 0;) {
        const json_t *value = render->contexts[i];
        const char *name = token->parts;
        for (size_t part = 0; value && part < token->part_count; part++) {
            value = member(value, name);
            name += strlen(name) + 1;
        }
        if (value)
            return value;
    }
    return NULL;
}

/* As JavaScript sees it: an empty array is true. */
static bool is_true(const json_t *value) {
    if (!value)
        return false;
    switch (json_typeof(value)) {
    case JSON_NULL:
    case JSON_FALSE:
        return false;
    case JSON_STRING:
        return json_string_length(value) > 0;
    case JSON_INTEGER:
        return json_integer_value(value) != 0;
    case JSON_REAL:
        return json_real_value(value) != 0;
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_TRUE:
        return true;
    }
    return false;
}

static void put_escaped(struct buf *out, const char *text, size_t len) {
    static const char specials[] = "&<>\"'/`=";
    static const char *const escapes[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&#x2F;", "&#x60;", "&#x3D;"};
    while (len > 0) {
        size_t plain = 0;
        while (plain < len && (text[plain] == '\0' || !strchr(specials, text[plain])))
            plain++;
        buf_put(out, text, plain);
        if (plain == len)
            return;
        buf_puts(out, escapes[strchr(specials, text[plain]) - specials]);
        text += plain + 1;
        len -= plain + 1;
    }
}

static void put_value(struct buf *out, const json_t *value, bool is_escaped) {
    switch (json_typeof(value)) {
    case JSON_NULL:
        return;
    case JSON_TRUE:
        buf_puts(out, "true");
        return;
    case JSON_FALSE:
        buf_puts(out, "false");
        return;
    case JSON_INTEGER:
        buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return;
    case JSON_REAL:
        number_put(out, json_real_value(value));
        return;
    case JSON_STRING:
        if (is_escaped)
            put_escaped(out, json_string_value(value), json_string_length(value));
        else
            buf_put(out, json_string_value(value), json_string_length(value));
        return;
    case JSON_OBJECT:
        buf_puts(out, "[object Object]");
        return;
    case JSON_ARRAY:
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (i > 0)
                buf_putc(out, ',');
            put_value(out, json_array_get(value, i), is_escaped);
        }
        return;
    }
}

static int render_section(struct render *render, const struct token_list *tokens, size_t index, struct err *err) {
    const struct token *token = &tokens->at[index];
    const json_t *value = lookup(render, token);
    bool is_shown = is_true(value);
    if (token->kind == TOKEN_INVERTED)
        is_shown = !is_shown || (json_is_array(value) && json_array_size(value) == 0);
    if (!is_shown)
        return 0;
    if (render->depth == MUSTACHE_MAX_DEPTH)
        return err_set(err, ERR_VALIDATION, "nested deeper than %d levels at section %s", MUSTACHE_MAX_DEPTH,
                       token->text);
    int result = 0;
    render->depth++;
    if (token->kind == TOKEN_INVERTED || json_is_true(value)) {
        result = render_tokens(render, tokens, index + 1, token->end, err);
    } else {
        bool is_array = json_is_array(value);
        size_t count = is_array ? json_array_size(value) : 1;
        size_t top = render->context_count++;
        for (size_t i = 0; i < count && result == 0 && !render->out->overflowed; i++) {
            render->contexts[top] = is_array ? json_array_get(value, i) : value;
            result = render_tokens(render, tokens, index + 1, token->end, err);
        }
        render->context_count--;
    }
    render->depth--;
    return result;
}

/* text with indent before each line that is not empty, but for the first when that goes on a line of text. */
static const char *indented(struct arena *arena, const char *text, size_t *len, const struct token *token) {
    CLEANUP(buf_release) struct buf out = {0};
    const char *end = text + *len;
    bool is_first = true;
    buf_put(&out, "", 0);
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *next = newline ? newline + 1 : end;
        if (*text != '\n' && !(is_first && token->is_after_text))
            buf_puts(&out, token->indent);
        buf_put(&out, text, (size_t)(next - text));
        text = next;
        is_first = false;
    }
    *len = out.len;
    return arena_strndup(arena, out.data, out.len);
}

static int load_partial(struct render *render, const struct token *token, struct partial **out, struct err *err) {
    for (struct partial *p = render->partials; p; p = p->next)
        if (str_eq(p->name, token->text) && str_eq(p->indent, token->indent) &&
            p->is_after_text == token->is_after_text) {
            *out = p;
            return 0;
        }
    struct partial *partial = arena_alloc(render->arena, sizeof(*partial));
    size_t len = 0;
    const char *text = render->partial_text ? render->partial_text(token->text, &len, render->partial_arg) : NULL;
    if (text && token->indent)
        text = indented(render->arena, text, &len, token);
    int result = text ? mustache_parse(text, len, render->arena, &partial->tokens, err) : 0;
    if (result < 0)
        return err_wrap(err, "partial %s", token->text);
    partial->name = token->text;
    partial->indent = token->indent;
    partial->is_after_text = token->is_after_text;
    partial->next = render->partials;
    render->partials = partial;
    *out = partial;
    return 0;
}

static int render_partial(struct render *render, const struct token *token, struct err *err) {
    struct partial *partial = NULL;
    int result = load_partial(render, token, &partial, err);
    if (result < 0)
        return result;
    if (render->depth == MUSTACHE_MAX_DEPTH)
        return err_set(err, ERR_VALIDATION, "nested deeper than %d levels at partial %s", MUSTACHE_MAX_DEPTH,
                       token->text);
    render->depth++;
    result = render_tokens(render, &partial->tokens, 0, partial->tokens.count, err);
    render->depth--;
    return result;
}

static int render_tokens(struct render *render, const struct token_list *tokens, size_t from, size_t to,
                         struct err *err) {
    for (size_t i = from; i < to; i++) {
        const struct token *token = &tokens->at[i];
        const json_t *value;
        int result = 0;
        switch (token->kind) {
        case TOKEN_TEXT:
            buf_put(render->out, token->text, token->len);
            break;
        case TOKEN_ESCAPED:
        case TOKEN_RAW:
            value = lookup(render, token);
            if (value)
                put_value(render->out, value, token->kind == TOKEN_ESCAPED);
            break;
        case TOKEN_SECTION:
        case TOKEN_INVERTED:
            result = render_section(render, tokens, i, err);
            i = token->end;
            break;
        case TOKEN_PARTIAL:
            result = render_partial(render, token, err);
            break;
        case TOKEN_CLOSE:
            break;
        }
        if (result < 0)
            return result;
    }
    return 0;
}

static void destroy_arena(struct arena **arena) {
    arena_destroy(*arena);
}

int mustache_render(const char *text, size_t len, json_t *const *contexts, size_t context_count,
                    mustache_partial_fn *partial, void *partial_arg, struct buf *out, struct err *err) {
    CLEANUP(destroy_arena) struct arena *arena = arena_create();
    struct token_list tokens = {0};
    int result = mustache_parse(text, len, arena, &tokens, err);
    if (result < 0)
        return result;
    struct render render = {
        .arena = arena,
        .out = out,
        .partial_text = partial,
        .partial_arg = partial_arg,
        .contexts = arena_array(arena, context_count + MUSTACHE_MAX_DEPTH, sizeof(*render.contexts)),
        .context_count = context_count,
    };
    for (size_t i = 0; i < context_count; i++)
        render.contexts[i] = contexts[i];
    buf_put(out, "", 0); /* so that an empty result is a terminated text, too */
    result = render_tokens(&render, &tokens, 0, tokens.count, err);
    if (result == 0 && out->overflowed)
        return err_set(err, ERR_TOO_LARGE, "the rendered text is larger than %zu bytes", out->max_bytes);
    return result;
}
