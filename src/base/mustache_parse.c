/* mustache_parse: cuts a template into tokens, leaving out the blanks of lines that hold only tags. */
#include "base/mustache_parse.h"

#include <string.h>

#include "base/mem.h"

struct marks {
    const char *open, *close;
    size_t open_len, close_len;
};

struct parser {
    struct arena *arena;
    const char *start, *at, *end;
    struct marks marks;
    struct token_list tokens;
    size_t sections[MUSTACHE_MAX_DEPTH]; /* indices of the open ones */
    size_t section_count;
    /* The line being read. A tag that spans lines does not begin a new one. */
    const char *line_start;
    size_t line_first; /* its first token */
    size_t line_tags;
    bool line_has_output; /* a character that is no white space, or a tag that prints */
};

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static const char *skip_space(const char *at, const char *end) {
    while (at < end && is_space(*at))
        at++;
    return at;
}

static const char *trim_end(const char *start, const char *end) {
    while (end > start && is_space(end[-1]))
        end--;
    return end;
}

/* Where part begins within [at, end), or NULL. */
static const char *find(const char *at, const char *end, const char *part, size_t len) {
    while (at && (size_t)(end - at) >= len) {
        at = memchr(at, *part, (size_t)(end - at) - len + 1);
        if (!at || memcmp(at, part, len) == 0)
            return at;
        at++;
    }
    return NULL;
}

static int fault(const struct parser *parser, const char *where, const char *what, const char *name, size_t len,
                 struct err *err) {
    size_t line = 1;
    for (const char *at = parser->start; at < where; at++)
        line += *at == '\n';
    return err_set(err, ERR_VALIDATION, "line %zu: %s%s%.*s", line, what, len ? " " : "", (int)len, name);
}

static struct token *push(struct parser *parser, enum token_kind kind, const char *text, size_t len) {
    struct token_list *tokens = &parser->tokens;
    if (tokens->count == tokens->capacity) {
        size_t capacity = tokens->capacity ? tokens->capacity * 2 : 64;
        struct token *grown = arena_array(parser->arena, capacity, sizeof(*grown));
        if (tokens->count)
            memcpy(grown, tokens->at, tokens->count * sizeof(*grown));
        tokens->at = grown;
        tokens->capacity = capacity;
    }
    struct token *token = &tokens->at[tokens->count++];
    *token = (struct token){.kind = kind, .text = text, .len = len};
    return token;
}

static struct token *push_name(struct parser *parser, enum token_kind kind, const char *name, size_t len) {
    struct token *token = push(parser, kind, name, len);
    token->text = arena_strndup(parser->arena, name, len);
    if (len == 1 && *name == '.')
        return token;
    char *parts = arena_strndup(parser->arena, name, len);
    token->parts = parts;
    token->part_count = 1;
    /* A dot in front separates nothing. */
    for (size_t i = 0; len > 0 && *name != '.' && i < len; i++)
        if (parts[i] == '.') {
            parts[i] = '\0';
            token->part_count++;
        }
    return token;
}

/* Joins a line of mere text to the text before it, so that long stretches become one token. */
static void join_text(struct parser *parser) {
    struct token_list *tokens = &parser->tokens;
    if (tokens->count < 2 || tokens->count - 1 != parser->line_first)
        return;
    struct token *before = &tokens->at[tokens->count - 2], *last = before + 1;
    if (before->kind == TOKEN_TEXT && before->len > 0 && before->text + before->len == last->text) {
        before->len += last->len;
        tokens->count--;
    }
}

static void end_line(struct parser *parser) {
    if (parser->line_tags == 0)
        join_text(parser);
    else if (!parser->line_has_output)
        for (size_t i = parser->line_first; i < parser->tokens.count; i++)
            if (parser->tokens.at[i].kind == TOKEN_TEXT)
                parser->tokens.at[i].len = 0;
    parser->line_start = parser->at;
    parser->line_first = parser->tokens.count;
    parser->line_tags = 0;
    parser->line_has_output = false;
}

static void read_text(struct parser *parser, const char *to) {
    while (parser->at < to) {
        const char *newline = memchr(parser->at, '\n', (size_t)(to - parser->at));
        const char *from = parser->at;
        parser->at = newline ? newline + 1 : to;
        push(parser, TOKEN_TEXT, from, (size_t)(parser->at - from));
        if (skip_space(from, parser->at) < parser->at)
            parser->line_has_output = true;
        if (newline)
            end_line(parser);
    }
}

/* The blanks before a partial that is the first tag of its line; other characters count as blanks, too. */
static const char *indent_of(struct parser *parser, const char *tag) {
    size_t len = 0;
    char *indent = arena_alloc(parser->arena, (size_t)(tag - parser->line_start) + 1);
    for (const char *at = parser->line_start; at < tag; at++) {
        if (*at == '\t')
            indent[len++] = '\t';
        else if (!is_space(*at) ? ((unsigned char)*at & 0xc0) != 0x80 : *at == ' ')
            indent[len++] = ' ';
    }
    return len ? indent : NULL;
}

static int close_section(struct parser *parser, const char *tag, const char *name, size_t len, struct err *err) {
    if (parser->section_count == 0)
        return fault(parser, tag, "nothing is open to be closed by", name, len, err);
    size_t index = parser->sections[--parser->section_count];
    const struct token *open = &parser->tokens.at[index];
    if (open->len != len || memcmp(open->text, name, len) != 0)
        return fault(parser, tag, "section closed by another name:", name, len, err);
    push(parser, TOKEN_CLOSE, name, len);
    parser->tokens.at[index].end = parser->tokens.count - 1;
    return 0;
}

/* `{{=<% %>=}}`: value is between the equals signs. */
static int set_marks(struct parser *parser, const char *tag, const char *value, const char *end, struct err *err) {
    const char *open_end = value;
    while (open_end < end && !is_space(*open_end))
        open_end++;
    const char *close = skip_space(open_end, end);
    for (const char *at = close; at < end; at++)
        if (is_space(*at))
            close = end;
    if (open_end == value || close == end)
        return fault(parser, tag, "delimiters must be two words:", value, (size_t)(end - value), err);
    parser->marks = (struct marks){value, close, (size_t)(open_end - value), (size_t)(end - close)};
    return 0;
}

static int read_section(struct parser *parser, enum token_kind kind, const char *tag, const char *name, size_t len,
                        struct err *err) {
    if (parser->section_count == MUSTACHE_MAX_DEPTH)
        return fault(parser, tag, "sections nested too deep at", name, len, err);
    parser->sections[parser->section_count++] = parser->tokens.count;
    push_name(parser, kind, name, len);
    return 0;
}

static int add_tag(struct parser *parser, char type, const char *tag, const char *name, size_t len, struct err *err) {
    struct token *token;
    switch (type) {
    case '#':
        return read_section(parser, TOKEN_SECTION, tag, name, len, err);
    case '^':
        return read_section(parser, TOKEN_INVERTED, tag, name, len, err);
    case '/':
        return close_section(parser, tag, name, len, err);
    case '!':
        return 0;
    case '=':
        return set_marks(parser, tag, name, name + len, err);
    case '>':
        token = push_name(parser, TOKEN_PARTIAL, name, len);
        /* A partial after text of its line has its first line there: only later ones are indented. */
        token->indent = parser->line_tags == 0 ? indent_of(parser, tag) : NULL;
        token->is_after_text = parser->line_has_output;
        return 0;
    case '{':
    case '&':
        push_name(parser, TOKEN_RAW, name, len);
        parser->line_has_output = true;
        return 0;
    }
    push_name(parser, TOKEN_ESCAPED, name, len);
    parser->line_has_output = true;
    return 0;
}

/* parser->at is at the opening mark. */
static int read_tag(struct parser *parser, struct err *err) {
    const struct marks marks = parser->marks;
    const char *tag = parser->at;
    const char *at = skip_space(tag + marks.open_len, parser->end);
    char type = at < parser->end && strchr("#^/>{&=!", *at) && *at ? *at : '\0';
    const char *name = skip_space(type ? at + 1 : at, parser->end);
    const char *name_end, *close;

    if (type == '=') {
        name_end = memchr(name, '=', (size_t)(parser->end - name));
        close = name_end ? find(name_end + 1, parser->end, marks.close, marks.close_len) : NULL;
    } else if (type == '{') {
        CLEANUP(mem_freep) char *curly = mem_printf("}%.*s", (int)marks.close_len, marks.close);
        name_end = find(name, parser->end, curly, marks.close_len + 1);
        close = name_end ? name_end + 1 : NULL;
    } else {
        close = name_end = find(name, parser->end, marks.close, marks.close_len);
    }
    if (!close)
        return fault(parser, tag, "unclosed tag", "", 0, err);
    int result = add_tag(parser, type, tag, name, (size_t)(trim_end(name, name_end) - name), err);
    parser->line_tags++;
    parser->at = close + marks.close_len;
    return result;
}

int mustache_parse(const char *text, size_t len, struct arena *arena, struct token_list *out, struct err *err) {
    struct parser parser = {
        .arena = arena,
        .start = text,
        .at = text,
        .end = text + len,
        .line_start = text,
        .marks = {"{{", "}}", 2, 2},
    };
    while (parser.at < parser.end) {
        const char *tag = find(parser.at, parser.end, parser.marks.open, parser.marks.open_len);
        read_text(&parser, tag ? tag : parser.end);
        int result = tag ? read_tag(&parser, err) : 0;
        if (result < 0)
            return result;
    }
    end_line(&parser);
    if (parser.section_count) {
        const struct token *open = &parser.tokens.at[parser.sections[parser.section_count - 1]];
        return fault(&parser, parser.end, "unclosed section", open->text, open->len, err);
    }
    *out = parser.tokens;
    return 0;
}
