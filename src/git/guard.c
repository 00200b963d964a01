/* guard: what must be as it was in a repository that somebody untrusted could reach: its configuration, and the places
 * from which git takes programs, filters and other repositories' objects. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "git/internal.h"

enum { MAX_CONFIG_BYTES = 64 * 1024 };

/* We make none of these. */
static const char *const planted[] = {"hooks",           "config.worktree",         "commondir",
                                      "info/attributes", "objects/info/alternates", "objects/info/http-alternates",
                                      "info/grafts"};

static bool has_own_config(const char *path) {
    struct buf text = {.max_bytes = MAX_CONFIG_BYTES};
    struct stat st;
    bool is_own = lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
                  fs_read_file(path, MAX_CONFIG_BYTES, &text, NULL) == 0 && text.data &&
                  strcmp(text.data, repo_config_text) == 0;
    buf_release(&text);
    return is_own;
}

int guard_check(const struct repo *repo, struct err *err) {
    CLEANUP(mem_freep) char *config = mem_printf("%sconfig", repo->path);
    const char *fault = NULL;
    struct err mend_err = {0};
    int result = 0;
    for (size_t i = 0; i < ARRAY_LEN(planted) && result == 0; i++) {
        CLEANUP(mem_freep) char *path = mem_printf("%s%s", repo->path, planted[i]);
        if (!fs_exists(path))
            continue;
        fault = planted[i];
        result = fs_remove_tree(path, &mend_err);
    }
    if (result == 0 && !has_own_config(config)) {
        fault = "config";
        /* In its place: what is there may be a link, or a folder. */
        result = fs_remove_tree(config, &mend_err);
        if (result == 0)
            result = fs_write_file_atomic(config, repo_config_text, strlen(repo_config_text), 0644, &mend_err);
    }
    if (result < 0) {
        if (err)
            *err = mend_err;
        return result;
    }
    return fault ? err_field(err, ERR_VALIDATION, "path", "the repository's %s was changed", fault) : 0;
}
