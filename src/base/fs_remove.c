/* fs_remove: removing a whole tree, which may have been made by somebody hostile. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

enum {
    REMOVE_MAX_DEPTH = 32,  /* folders open at a time while removing */
    REMOVE_MAX_ROUNDS = 64, /* of a folder that never gets empty, since somebody fills it */
};

static int tree_error(struct err *err, int errnum, const char *doing, const char *root) {
    return err_errno(err, errnum == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL, errnum, "%s %s", doing, root);
}

static bool is_dots(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void closedirp(DIR **dir) {
    if (*dir)
        (void)closedir(*dir);
}

struct removal {
    int root_fd;          /* the folder that is removed */
    unsigned moved_count; /* folders moved up into it, see move_up */
    bool has_moved;       /* since root's names were last read */
};

static int remove_entries(struct removal *removal, int dir_fd, int depth);

/* A folder too deep to descend into is moved up into the root and removed from there: so neither descriptors nor the
 * stack grow with the depth of the tree. 0 or an errno. */
static int move_up(struct removal *removal, int parent_fd, const char *name) {
    for (;;) {
        char moved[32];
        (void)snprintf(moved, sizeof(moved), ".moved-%u", removal->moved_count++);
        if (renameat2(parent_fd, name, removal->root_fd, moved, RENAME_NOREPLACE) == 0) {
            removal->has_moved = true;
            return 0;
        }
        if (errno != EEXIST)
            return errno;
    }
}

/* Opens a folder that may lack the rights for it, which are added first. -1 with errno on failure. */
static int open_folder(int parent_fd, const char *name) {
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    struct stat st;
    int fd = openat(parent_fd, name, flags);
    if (fd < 0 && errno == EACCES && fchmodat(parent_fd, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0)
        return openat(parent_fd, name, flags);
    if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & S_IRWXU) != S_IRWXU)
        (void)fchmod(fd, S_IRWXU);
    return fd;
}

/* 0 or an errno. */
static int remove_folder(struct removal *removal, int parent_fd, const char *name, int depth) {
    CLEANUP(mem_closep) int fd = open_folder(parent_fd, name);
    if (fd < 0)
        return errno == ENOENT ? 0 : errno;
    if (depth >= REMOVE_MAX_DEPTH)
        return move_up(removal, parent_fd, name);
    for (int round = 0; round < REMOVE_MAX_ROUNDS; round++) {
        int errnum = remove_entries(removal, fd, depth + 1);
        if (errnum != 0)
            return errnum;
        if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
            return 0;
        if (errno != ENOTEMPTY && errno != EEXIST)
            return errno;
    }
    return ENOTEMPTY;
}

static int remove_entry(struct removal *removal, int parent_fd, const char *name, int depth) {
    if (unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT)
        return 0;
    /* Linux answers EISDIR for a folder, POSIX has EPERM; EACCES comes before either. */
    int errnum = errno;
    struct stat st;
    if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
        return errnum;
    return remove_folder(removal, parent_fd, name, depth);
}

/* Everything in the folder but not itself. dir_fd stays open. 0 or an errno. */
static int remove_entries(struct removal *removal, int dir_fd, int depth) {
    int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0)
        return errno;
    CLEANUP(closedirp) DIR *dir = fdopendir(copy);
    if (!dir) {
        int errnum = errno;
        mem_closep(&copy);
        return errnum;
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry)
            return errno;
        if (is_dots(entry->d_name))
            continue;
        int errnum = remove_entry(removal, dir_fd, entry->d_name, depth);
        if (errnum != 0)
            return errnum;
    }
}

/* path is a folder: empties it, again as long as folders have been moved up into it. 0 or an errno. */
static int empty_root(const char *path) {
    CLEANUP(mem_closep) int fd = open_folder(AT_FDCWD, path);
    if (fd < 0)
        return errno;
    struct removal removal = {.root_fd = fd};
    do {
        removal.has_moved = false;
        int errnum = remove_entries(&removal, fd, 0);
        if (errnum != 0)
            return errnum;
    } while (removal.has_moved);
    return 0;
}

int fs_remove_tree(const char *path, struct err *err) {
    int errnum = ENOTEMPTY;
    if (unlink(path) == 0 || errno == ENOENT)
        return 0;
    struct stat st;
    int unlink_errnum = errno;
    if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return tree_error(err, unlink_errnum, "cannot remove", path);
    for (int round = 0; round < REMOVE_MAX_ROUNDS && (errnum == ENOTEMPTY || errnum == EEXIST); round++) {
        errnum = empty_root(path);
        if (errnum == 0)
            errnum = rmdir(path) == 0 ? 0 : errno;
    }
    return errnum == 0 || errnum == ENOENT ? 0 : tree_error(err, errnum, "cannot remove", path);
}
