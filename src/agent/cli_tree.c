/* cli_tree: whether an agent's program changed anything, and the words of a command. */
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

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}

int cli_words(struct arena *arena, const char *command, const char **words, size_t max, size_t *count,
              struct err *err) {
    size_t found = 0;
    for (const char *at = command; *at;) {
        if (is_blank(*at)) {
            at++;
            continue;
        }
        char *word = arena_alloc(arena, strlen(at) + 1), *end = word, quote = '\0';
        for (; *at && (quote || !is_blank(*at)); at++) {
            if (quote ? *at == quote : *at == '\'' || *at == '"')
                quote = quote ? '\0' : *at;
            else
                *end++ = *at;
        }
        if (quote)
            return err_set(err, ERR_VALIDATION, "a quotation in the agent's command has no end");
        if (found == max)
            return err_set(err, ERR_VALIDATION, "the agent's command has more than %zu words", max);
        words[found++] = word;
    }
    *count = found;
    return 0;
}
