/* glob: path patterns, matched and compared at two levels: lists of names with `**`, and names with `*` and `?`. */
#include "base/glob.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"

enum {
    LONGEST_PATTERN = 512,
    MOST_NAMES = LONGEST_PATTERN / 2 + 2,
};

/* A name pattern, or `**`. `?` stands for one UTF-8 character. */
struct name {
    const char *text;
    size_t len;
    bool is_any_names; /* `**`: zero or more names */
};

struct names {
    struct name at[MOST_NAMES];
    size_t count;
};

static size_t name_len(const char *text) {
    return strcspn(text, "/");
}

static bool is_name(const struct name *name, const char *text) {
    return name->len == strlen(text) && memcmp(name->text, text, name->len) == 0;
}

bool glob_is_valid(const char *pattern) {
    if (!pattern || !*pattern || strlen(pattern) > LONGEST_PATTERN || strchr(pattern, '\\') ||
        !str_is_utf8(pattern, strlen(pattern)))
        return false;
    for (;; pattern++) {
        struct name name = {pattern, name_len(pattern), false};
        if (name.len == 0 || is_name(&name, ".") || is_name(&name, ".."))
            return false;
        pattern += name.len;
        if (!*pattern)
            return true;
    }
}

/* The names of a valid pattern. A last `**` needs at least one name: it becomes `*` and `**`. */
static bool split(const char *pattern, struct names *names) {
    names->count = 0;
    if (!glob_is_valid(pattern))
        return false;
    for (;; pattern++) {
        struct name name = {pattern, name_len(pattern), false};
        name.is_any_names = is_name(&name, "**");
        pattern += name.len;
        if (!*pattern && name.is_any_names)
            names->at[names->count++] = (struct name){"*", 1, false};
        names->at[names->count++] = name;
        if (!*pattern)
            return true;
    }
}

/* Bytes of the character at text: a lead byte and its continuation bytes; a byte that is not UTF-8 counts as one. */
static size_t char_len(const char *text, size_t len) {
    size_t size = str_utf8_next(text, len);
    return size ? size : 1;
}

/* `*` takes as little as it can; on a mismatch the last one takes one character more. */
static bool name_matches(const struct name *pattern, const char *text, size_t text_len) {
    size_t p = 0, t = 0;
    size_t after_star = 0, star_from = 0;
    bool has_star = false;
    while (t < text_len) {
        size_t size = char_len(text + t, text_len - t);
        if (p < pattern->len && pattern->text[p] == '*') {
            has_star = true;
            after_star = ++p;
            star_from = t;
            continue;
        }
        if (p < pattern->len) {
            size_t pattern_size = char_len(pattern->text + p, pattern->len - p);
            if (pattern->text[p] == '?' || (pattern_size == size && memcmp(pattern->text + p, text + t, size) == 0)) {
                p += pattern_size;
                t += size;
                continue;
            }
        }
        if (!has_star)
            return false;
        star_from += char_len(text + star_from, text_len - star_from);
        t = star_from;
        p = after_star;
    }
    while (p < pattern->len && pattern->text[p] == '*')
        p++;
    return p == pattern->len;
}

/* The same walk as name_matches, with names for characters. */
bool glob_match(const char *pattern, const char *path) {
    struct names names;
    if (!path || !*path || !split(pattern, &names))
        return false;
    size_t p = 0, after_star = 0;
    const char *at = path, *star_from = NULL;
    while (at) {
        if (p < names.count && names.at[p].is_any_names) {
            after_star = ++p;
            star_from = at;
            continue;
        }
        size_t len = name_len(at);
        if (p < names.count && name_matches(&names.at[p], at, len)) {
            p++;
            at = at[len] ? at + len + 1 : NULL;
            continue;
        }
        if (!star_from)
            return false;
        len = name_len(star_from);
        star_from = star_from[len] ? star_from + len + 1 : NULL;
        at = star_from;
        p = after_star;
    }
    while (p < names.count && names.at[p].is_any_names)
        p++;
    return p == names.count;
}

/* What the characters read so far spell, as a set: names "." and ".." are not in any path, so a pair of patterns that
 * shares only those does not overlap. */
enum { READ_NOTHING = 1, READ_DOT = 2, READ_DOT_DOT = 4, READ_NAME = 8 };

static unsigned read_dot(unsigned read) {
    unsigned next = 0;
    if (read & READ_NOTHING)
        next |= READ_DOT;
    if (read & READ_DOT)
        next |= READ_DOT_DOT;
    if (read & (READ_DOT_DOT | READ_NAME))
        next |= READ_NAME;
    return next;
}

/* After one character that both patterns allow: a fixed one, or any. */
static unsigned read_char(unsigned read, bool can_be_dot, bool can_be_other) {
    return read == 0 ? 0 : (can_be_dot ? read_dot(read) : 0) | (can_be_other ? READ_NAME : 0);
}

/* Cuts a name into characters; returns how many. */
static size_t cut_chars(const struct name *name, const char *chars[LONGEST_PATTERN + 1]) {
    size_t count = 0;
    size_t i = 0;
    for (; i < name->len; i += char_len(name->text + i, name->len - i))
        chars[count++] = name->text + i;
    chars[count] = name->text + i;
    return count;
}

static bool is_wild(char c) {
    return c == '*' || c == '?';
}

/* What can be read after a character that lies in both x and y: x and y are single characters or wild. */
static unsigned read_both(unsigned read, const char *const *x, const char *const *y) {
    if (is_wild(**x) && is_wild(**y))
        return read_char(read, true, true);
    const char *const *fixed = is_wild(**x) ? y : x;
    size_t x_size = (size_t)(x[1] - x[0]), y_size = (size_t)(y[1] - y[0]);
    if (!is_wild(**x) && !is_wild(**y) && (x_size != y_size || memcmp(*x, *y, x_size) != 0))
        return 0;
    return read_char(read, **fixed == '.', **fixed != '.');
}

/* True if some name matches both. reached[j] is what can have been read with the first pattern at its character i and
 * the second at j; all steps go to a larger i or j, but the one where two stars take a character together. */
static bool names_overlap(const struct name *a, const struct name *b) {
    const char *x[LONGEST_PATTERN + 1], *y[LONGEST_PATTERN + 1];
    unsigned char rows[2][LONGEST_PATTERN + 2] = {{READ_NOTHING}, {0}};
    size_t x_count = cut_chars(a, x), y_count = cut_chars(b, y);

    for (size_t i = 0;; i++) {
        unsigned char *here = rows[i % 2], *below = rows[(i + 1) % 2];
        bool x_star = i < x_count && *x[i] == '*';
        memset(below, 0, y_count + 1);
        for (size_t j = 0; j <= y_count; j++) {
            bool y_star = j < y_count && *y[j] == '*';
            unsigned read = here[j];
            if (i < x_count && j < y_count) {
                if (x_star && y_star)
                    for (int round = 0; round < 3; round++)
                        read |= read_char(read, true, true);
                unsigned next = read_both(read, &x[i], &y[j]);
                /* A star stays where it is when it takes a character. */
                (x_star ? here : below)[y_star ? j : j + 1] |= (unsigned char)next;
            }
            if (x_star)
                below[j] |= (unsigned char)read;
            if (y_star)
                here[j + 1] |= (unsigned char)read;
            if (i == x_count && j == y_count)
                return read & READ_NAME;
        }
    }
}

static bool entries_overlap(const struct name *a, const struct name *b) {
    static const struct name any_name = {"*", 1, false};
    return names_overlap(a->is_any_names ? &any_name : a, b->is_any_names ? &any_name : b);
}

/* As names_overlap, one level up: reached[j] tells whether some list of names leads to (i, j). */
bool glob_overlap(const char *a, const char *b) {
    struct names x, y;
    bool rows[2][MOST_NAMES + 1] = {{true}, {false}};
    if (!split(a, &x) || !split(b, &y))
        return false;
    for (size_t i = 0;; i++) {
        bool *here = rows[i % 2], *below = rows[(i + 1) % 2];
        memset(below, 0, sizeof(rows[0]));
        for (size_t j = 0; j <= y.count; j++) {
            if (i == x.count && j == y.count)
                return here[j];
            if (!here[j])
                continue;
            bool x_star = i < x.count && x.at[i].is_any_names;
            bool y_star = j < y.count && y.at[j].is_any_names;
            if (i < x.count && j < y.count && entries_overlap(&x.at[i], &y.at[j]))
                (x_star ? here : below)[y_star ? j : j + 1] = true;
            if (x_star)
                below[j] = true;
            if (y_star)
                here[j + 1] = true;
        }
    }
}
