/* locks: taking away what a killed process left in a repository: lock files, half-written packs and objects. */
#include <dirent.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "git/internal.h"

enum { STALE_S = 60 };

/* True if it is a file and was last written that long ago. By the kernel's clock, since that is what file times are of.
 */
static bool is_older(const char *path, int older_than_s) {
    struct stat st;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mtime <= time(NULL) - older_than_s;
}

/* Two who both find the same stale lock must not remove it twice: the second time it would be a living one. */
static int guard(const struct repo *repo, int *fd, struct err *err) {
    CLEANUP(mem_freep) char *path = mem_printf("%sguard", repo->path);
    return fs_lock(path, fd, err);
}

void lock_clear_stale(const struct repo *repo, const char *relative) {
    CLEANUP(mem_freep) char *path = mem_printf("%s%s", repo->path, relative);
    CLEANUP(mem_closep) int fd = -1;
    if (!is_older(path, STALE_S) || guard(repo, &fd, NULL) < 0)
        return;
    if (is_older(path, STALE_S))
        (void)unlink(path);
}

struct sweep {
    const char *root;
    int older_than_s;
};

static bool is_hex(const char *text, size_t len) {
    return strspn(text, "0123456789abcdef") >= len;
}

/* Names that a finished repository holds in objects/; all else is what somebody had begun to write. */
static bool is_object_file(const char *relative) {
    if (str_starts(relative, "pack/pack-"))
        return is_hex(relative + strlen("pack/pack-"), GIT_OID_HEXSZ) && !str_ends(relative, ".lock");
    if (str_starts(relative, "pack/multi-pack-index") || str_starts(relative, "info/"))
        return !str_ends(relative, ".lock");
    return strlen(relative) == GIT_OID_HEXSZ + 1 && relative[2] == '/' && is_hex(relative, 2) &&
           is_hex(relative + 3, GIT_OID_HEXSZ - 2);
}

static void remove_old(const struct sweep *sweep, const char *relative) {
    CLEANUP(mem_freep) char *path = mem_printf("%s/%s", sweep->root, relative);
    if (is_older(path, sweep->older_than_s))
        (void)unlink(path);
}

static int sweep_lock(const char *relative, const struct stat *st, void *arg) {
    if (S_ISREG(st->st_mode) && str_ends(relative, ".lock"))
        remove_old(arg, relative);
    return 0;
}

static int sweep_object(const char *relative, const struct stat *st, void *arg) {
    const struct sweep *sweep = arg;
    if (!S_ISREG(st->st_mode))
        return 0;
    if (!is_object_file(relative))
        remove_old(sweep, relative);
    /* An index whose pack did not come to its place any more. */
    if (str_starts(relative, "pack/pack-") && str_ends(relative, ".idx")) {
        CLEANUP(mem_freep)
        char *pack = mem_printf("%s/%.*s.pack", sweep->root, (int)(strlen(relative) - strlen(".idx")), relative);
        if (!fs_exists(pack))
            remove_old(sweep, relative);
    }
    return 0;
}

static int sweep_folder(const struct repo *repo, const char *name, fs_walk_fn *fn, int older_than_s, struct err *err) {
    CLEANUP(mem_freep) char *root = mem_printf("%s%s", repo->path, name);
    struct sweep sweep = {.root = root, .older_than_s = older_than_s};
    return fs_is_dir(root) ? fs_walk(root, fn, &sweep, err) : 0;
}

static void closedirp(DIR **dir) {
    if (*dir)
        (void)closedir(*dir);
}

static int clear_pending(const struct repo *repo, int older_than_s, struct err *err) {
    CLEANUP(mem_freep) char *all = mem_printf("%s" PENDING_FOLDER, repo->path);
    CLEANUP(closedirp) DIR *dir = opendir(all);
    const struct dirent *entry;
    int result = 0;
    while (dir && result == 0 && (entry = readdir(dir))) {
        CLEANUP(mem_freep) char *path = mem_printf("%s/%s", all, entry->d_name);
        struct stat st;
        if (entry->d_name[0] != '.' && lstat(path, &st) == 0 && st.st_mtime <= time(NULL) - older_than_s)
            result = fs_remove_tree(path, err);
    }
    return result;
}

int locks_clear(const struct repo *repo, int older_than_s, struct err *err) {
    static const char *const locks[] = {"HEAD.lock", "config.lock", "packed-refs.lock", "index.lock"};
    const struct sweep top = {.root = repo->path, .older_than_s = older_than_s};
    CLEANUP(mem_closep) int fd = -1;
    /* Whoever has the guard removes a single lock, and what we come for can wait. */
    int result = guard(repo, &fd, err);
    if (result < 0)
        return result == -ERR_CONFLICT ? 0 : result;
    for (size_t i = 0; i < ARRAY_LEN(locks); i++)
        remove_old(&top, locks[i]);
    result = sweep_folder(repo, "refs", sweep_lock, older_than_s, err);
    if (result == 0)
        result = sweep_folder(repo, "worktrees", sweep_lock, older_than_s, err);
    if (result == 0)
        result = sweep_folder(repo, "objects", sweep_object, older_than_s, err);
    if (result == 0)
        result = clear_pending(repo, older_than_s, err);
    return result;
}

int repo_clear_locks(struct repo *repo, struct err *err) {
    /* Also those from the future, by a clock that was put right since. */
    return locks_clear(repo, INT_MIN, err);
}
