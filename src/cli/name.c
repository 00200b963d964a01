/* name: what an app is called that was only described: the thing that the description begins with. */
#include "cli/name.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

#define MAX_NAME_BYTES 40

static bool is_among(const char *word, size_t len, const char *one_of) {
    for (const char *at = one_of; *at; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        if (size == len && strncasecmp(at, word, len) == 0)
            return true;
        at += size;
    }
    return false;
}

static const char *skip_opening(const char *at) {
    for (;;) {
        at += strspn(at, " \t\r\n");
        size_t len = strcspn(at, " \t\r\n.,:;");
        if (at[len] != ' ' ||
            !is_among(at, len, "a an the our my we i run want need have own would like please build make create"))
            return at;
        at += len;
    }
}

/* What follows these says what the app is for, not what it is. */
static bool ends_name(const char *word, size_t len) {
    return is_among(
        word, len,
        "where that which who whose so for with to from and or is are in on at keeps keep lends sells tracks "
        "manages needs wants has gets lets helps shows holds offers by");
}

/* Alone these say nothing: "Site for classes" is better than "Site". */
static bool says_nothing(const char *name, size_t len) {
    return is_among(
        name, len,
        "app application site website system tool platform software portal program database place one something");
}

const char *name_of_description(struct arena *arena, const char *description) {
    const char *start = skip_opening(description), *end = start;
    for (const char *at = start; *at && !strchr(".,:;!?\r\n", *at);) {
        size_t len = strcspn(at, " \t.,:;!?\r\n"), so_far = (size_t)(end - start);
        if (len > 0 && so_far > 0 && ends_name(at, len) && !says_nothing(start, so_far))
            break;
        if ((size_t)(at - start) + len > MAX_NAME_BYTES)
            break;
        at += len;
        if (!is_among(at - len, len, "of the a an our my your its"))
            end = at; /* a name does not end with these */
        at += strspn(at, " \t");
    }
    char *name = arena_strndup(arena, start, (size_t)(end - start));
    if ((unsigned char)*name < 0x80)
        *name = (char)toupper((unsigned char)*name);
    return *name ? name : "App";
}
