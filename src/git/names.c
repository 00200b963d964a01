/* names: what a file in a tree may be called, and where a symlink may point. The tree is later checked out on machines
 * and file systems that are not ours, so that git's own rules for all of them hold (git's path.c and utf8.c). */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "git/internal.h"

enum { MAX_LINK_BYTES = 4096 };

/* Code points that HFS+ leaves out when it compares names: U+200C-F, U+202A-E, U+206A-F, U+FEFF. */
static bool is_ignorable(const unsigned char *at, size_t len) {
    if (len != 3)
        return false;
    if (at[0] == 0xe2 && at[1] == 0x80)
        return (at[2] >= 0x8c && at[2] <= 0x8f) || (at[2] >= 0xaa && at[2] <= 0xae);
    if (at[0] == 0xe2 && at[1] == 0x81)
        return at[2] >= 0xaa && at[2] <= 0xaf;
    return at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf;
}

/* As HFS+ and NTFS would see it: without ignorable characters, a stream's name, and dots and spaces at the end. */
static void plain_name(const char *name, char *out, size_t out_size) {
    size_t len = 0;
    size_t step;
    for (; *name && *name != ':' && len + 4 < out_size; name += step) {
        step = str_utf8_next(name, strlen(name));
        if (!is_ignorable((const unsigned char *)name, step)) {
            memcpy(out + len, name, step);
            len += step;
        }
    }
    while (len > 0 && (out[len - 1] == '.' || out[len - 1] == ' '))
        len--;
    out[len] = '\0';
}

static bool is_gits_own(const char *name) {
    /* How NTFS shortens .git and .gitmodules. */
    static const char *const short_names[] = {"git~", "gitmod~", "gi7eba~"};
    char plain[256];
    plain_name(name, plain, sizeof(plain));
    for (size_t i = 0; i < ARRAY_LEN(short_names); i++) {
        size_t len = strlen(short_names[i]);
        if (strncasecmp(plain, short_names[i], len) == 0 && isdigit((unsigned char)plain[len]))
            return true;
    }
    return strcasecmp(plain, ".git") == 0;
}

bool name_is_attributes(const char *name) {
    char plain[256];
    plain_name(name, plain, sizeof(plain));
    return strcasecmp(plain, ".gitattributes") == 0;
}

const char *name_fault(const char *name) {
    char plain[256];
    size_t len = strlen(name);
    if (len == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return "is no name";
    if (!str_is_utf8(name, len))
        return "has a name that is not UTF-8";
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return "has a control character in its name";
    if (strpbrk(name, "/\\"))
        return "has a slash or a backslash in its name";
    if (is_gits_own(name))
        return "has a name that is git's own: a repository in the tree is not allowed";
    plain_name(name, plain, sizeof(plain));
    if (strcasecmp(plain, ".gitmodules") == 0)
        return "would bring in other repositories, which is not allowed";
    return NULL;
}

const char *link_fault(const char *target, size_t depth) {
    size_t up = 0;
    bool is_down = false;
    if (!*target || *target == '/')
        return "is a symlink to an absolute path";
    if (strlen(target) > MAX_LINK_BYTES)
        return "is a symlink with too long a target";
    while (*target) {
        size_t len = strcspn(target, "/");
        char part[256];
        if (len >= sizeof(part))
            return "is a symlink with too long a name in its target";
        memcpy(part, target, len);
        part[len] = '\0';
        target += len;
        target += strspn(target, "/");
        if (len == 0 || strcmp(part, ".") == 0)
            continue;
        if (strcmp(part, "..") == 0) {
            /* Up after down: where that leads depends on whether what is between is a symlink, too. */
            if (is_down || ++up > depth)
                return "is a symlink that leaves the tree";
            continue;
        }
        is_down = true;
        if (name_fault(part))
            return "is a symlink to a name that is not allowed";
    }
    return NULL;
}

int name_order(const char *a, bool is_folder_a, const char *b, bool is_folder_b) {
    size_t len_a = strlen(a), len_b = strlen(b);
    size_t len = len_a < len_b ? len_a : len_b;
    int order = memcmp(a, b, len);
    if (order != 0)
        return order;
    int end_a = len < len_a ? (unsigned char)a[len] : is_folder_a ? '/' : 0;
    int end_b = len < len_b ? (unsigned char)b[len] : is_folder_b ? '/' : 0;
    return end_a - end_b;
}
