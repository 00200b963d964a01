/* names: from words to the names of code. */
#include "blueprint/names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

/* Sorted (strcmp). Words of TypeScript, its global types, and variables of the templates: an entity of such a name
 * would hide them. */
static const char *const taken[] = {
    "abstract",  "add",     "any",       "arguments",  "array",    "as",      "async",  "await",      "bigint",
    "blob",      "body",    "boolean",   "break",      "case",     "catch",   "class",  "const",      "context",
    "continue",  "date",    "debugger",  "declare",    "default",  "delete",  "do",     "document",   "else",
    "enum",      "error",   "eval",      "event",      "export",   "extends", "false",  "field",      "file",
    "filters",   "finally", "for",       "form",       "formdata", "found",   "from",   "function",   "get",
    "headers",   "id",      "if",        "implements", "import",   "in",      "input",  "instanceof", "interface",
    "is",        "items",   "json",      "let",        "link",     "map",     "math",   "metadata",   "module",
    "namespace", "never",   "new",       "null",       "number",   "object",  "of",     "option",     "options",
    "package",   "page",    "pageof",    "params",     "partial",  "patch",   "path",   "private",    "process",
    "promise",   "props",   "protected", "public",     "q",        "query",   "reader", "record",     "regexp",
    "request",   "require", "response",  "result",     "return",   "row",     "set",    "static",     "string",
    "super",     "switch",  "symbol",    "text",       "this",     "throw",   "title",  "true",       "try",
    "tx",        "type",    "typeof",    "undefined",  "unknown",  "url",     "user",   "var",        "viewer",
    "void",      "weakmap", "while",     "window",     "with",     "yield",
};

static bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return is_lower(c) || is_upper(c);
}

static char lower(char c) {
    return is_upper(c) ? (char)(c + ('a' - 'A')) : c;
}

static char upper(char c) {
    return is_lower(c) ? (char)(c - ('a' - 'A')) : c;
}

char *name_snake(struct arena *arena, const char *name) {
    char *out = arena_alloc(arena, 2 * strlen(name) + 1);
    size_t len = 0;
    for (const char *at = name; *at; at++) {
        if (at > name && is_upper(*at) && (is_lower(at[-1]) || is_digit(at[-1])))
            out[len++] = '_';
        out[len++] = *at == '-' ? '_' : lower(*at);
    }
    return out;
}

char *name_pascal(struct arena *arena, const char *words) {
    char *out = arena_alloc(arena, strlen(words) + 1);
    size_t len = 0;
    bool is_start = true;
    for (; *words; words++) {
        bool is_word = is_letter(*words) || is_digit(*words);
        if (is_word)
            out[len++] = is_start ? upper(*words) : *words;
        is_start = !is_word;
    }
    return out;
}

char *name_capital(struct arena *arena, const char *text) {
    char *out = arena_strdup(arena, text);
    *out = upper(*out);
    return out;
}

char *name_lower_first(struct arena *arena, const char *text) {
    char *out = arena_strdup(arena, text);
    *out = lower(*out);
    return out;
}

char *name_sentence(struct arena *arena, const char *text) {
    bool is_word = is_upper(text[0]) && (is_lower(text[1]) || text[1] == '\0');
    return is_word ? name_lower_first(arena, text) : arena_strdup(arena, text);
}

char *name_with_article(struct arena *arena, const char *text) {
    char first = lower(*text);
    bool is_vowel = first != '\0' && strchr("aeio", first);
    /* "a unit", "a user", but "an umbrella" */
    if (first == 'u')
        is_vowel = strncasecmp(text + 1, "ni", 2) != 0 && strncasecmp(text + 1, "si", 2) != 0 &&
                   strncasecmp(text + 1, "se", 2) != 0;
    return arena_printf(arena, "%s %s", is_vowel ? "an" : "a", text);
}

const char *name_from_letter(const char *name) {
    while (*name && !is_letter(*name))
        name++;
    return name;
}

static int compare(const void *key, const void *entry) {
    return strcmp(key, *(const char *const *)entry);
}

bool name_is_taken(const char *name) {
    return bsearch(name, taken, ARRAY_LEN(taken), sizeof(*taken), compare) != NULL;
}
