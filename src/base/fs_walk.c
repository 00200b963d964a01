/* fs_walk: visiting the files of a whole tree in a fixed order. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"

struct walk {
    const char *root;
    fs_walk_fn *fn;
    void *arg;
    struct buf relative; /* the path of the entry being visited; a folder's has a slash at its end */
    struct err *err;
};

/* Sort keys: a folder's name has a slash at its end, and then byte order of the keys is that of whole paths. */
struct keys {
    char **at;
    size_t count;
    size_t capacity;
};

static void keys_release(struct keys *keys) {
    for (size_t i = 0; i < keys->count; i++)
        free(keys->at[i]);
    free(keys->at);
}

static void closedirp(DIR **dir) {
    if (*dir)
        (void)closedir(*dir);
}

static int compare_keys(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_key(struct keys *keys, const char *name, bool is_dir) {
    if (keys->count == keys->capacity) {
        keys->capacity = keys->capacity ? keys->capacity * 2 : 32;
        keys->at = mem_realloc(keys->at, keys->capacity * sizeof(*keys->at));
    }
    keys->at[keys->count++] = mem_printf(is_dir ? "%s/" : "%s", name);
}

/* 0 or an errno. */
static int read_keys(DIR *dir, struct keys *keys) {
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry && errno != 0)
            return errno;
        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        bool is_dir = entry->d_type == DT_DIR;
        struct stat st;
        if (entry->d_type == DT_UNKNOWN)
            is_dir = fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
        add_key(keys, entry->d_name, is_dir);
    }
    if (keys->count > 1)
        qsort(keys->at, keys->count, sizeof(*keys->at), compare_keys);
    return 0;
}

static int walk_error(struct walk *walk, int errnum) {
    return err_errno(walk->err, errnum == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL, errnum, "cannot read %s/%s",
                     walk->root, walk->relative.len ? walk->relative.data : "");
}

static int walk_folder(struct walk *walk, int fd, int depth);

/* fd is the folder that the entry is in; walk->relative ends with the entry's key. */
static int walk_entry(struct walk *walk, int fd, char *key, int depth) {
    size_t len = strlen(key);
    if (key[len - 1] != '/') {
        struct stat st;
        if (fstatat(fd, key, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return errno == ENOENT ? 0 : walk_error(walk, errno);
        /* What became a folder after its name was read is new, and left out. */
        return S_ISDIR(st.st_mode) ? 0 : walk->fn(walk->relative.data, &st, walk->arg);
    }
    if (depth >= FS_WALK_MAX_DEPTH)
        return err_set(walk->err, ERR_VALIDATION, "%s holds folders nested deeper than %d", walk->root,
                       FS_WALK_MAX_DEPTH);
    key[len - 1] = '\0'; /* with the slash, a symlink would be followed after all */
    int folder = openat(fd, key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : walk_error(walk, errno);
    return walk_folder(walk, folder, depth + 1);
}

/* Takes over fd. */
static int walk_folder(struct walk *walk, int fd, int depth) {
    CLEANUP(keys_release) struct keys keys = {0};
    CLEANUP(closedirp) DIR *dir = fdopendir(fd);
    int errnum = dir ? read_keys(dir, &keys) : errno;
    if (!dir)
        mem_closep(&fd);
    if (errnum != 0)
        return walk_error(walk, errnum);

    size_t len = walk->relative.len;
    int result = 0;
    for (size_t i = 0; i < keys.count && result == 0; i++) {
        walk->relative.len = len;
        buf_puts(&walk->relative, keys.at[i]);
        result = walk_entry(walk, fd, keys.at[i], depth);
    }
    walk->relative.len = len;
    return result;
}

int fs_walk(const char *root, fs_walk_fn *fn, void *arg, struct err *err) {
    struct walk walk = {.root = root, .fn = fn, .arg = arg, .err = err};
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd < 0 ? walk_error(&walk, errno) : walk_folder(&walk, fd, 0);
    buf_release(&walk.relative);
    return result;
}
