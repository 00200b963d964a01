/* cli_tree: whether an agent's program changed anything. */
#include <string.h>
#include <sys/stat.h>

#include "agent/cli.h"
#include "base/fs.h"
#include "base/str.h"

#define FNV_PRIME 0x100000001b3ULL
#define FNV_START 0xcbf29ce484222325ULL

static void mix(uint64_t *print, const void *data, size_t len) {
    const unsigned char *bytes = data;
    for (size_t i = 0; i < len; i++)
        *print = (*print ^ bytes[i]) * FNV_PRIME;
}

static int note_file(const char *relative, const struct stat *st, void *arg) {
    if (str_eq(relative, ".git") || str_starts(relative, ".git/") || str_starts(relative, "node_modules/") ||
        str_eq(relative, "node_modules"))
        return 0;
    mix(arg, relative, strlen(relative) + 1);
    mix(arg, &st->st_ino, sizeof st->st_ino);
    mix(arg, &st->st_mode, sizeof st->st_mode);
    mix(arg, &st->st_size, sizeof st->st_size);
    mix(arg, &st->st_ctim.tv_sec, sizeof st->st_ctim.tv_sec);
    mix(arg, &st->st_ctim.tv_nsec, sizeof st->st_ctim.tv_nsec);
    return 0;
}

int cli_tree_print(const char *worktree, uint64_t *out, struct err *err) {
    uint64_t print = FNV_START;
    int rc = fs_walk(worktree, note_file, &print, err);
    if (rc == 0)
        *out = print;
    return rc;
}
