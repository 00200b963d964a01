/* confine: the files of a worktree, without a way out of it. */
#include "agent/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"

enum { PATH_BYTES = 1024, READ_CHUNK = 64 * 1024, DIR_MODE = 0755, FILE_MODE = 0644 };

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int fail(struct err *err, int errnum, const char *path) {
    switch (errnum) {
    case ENOENT:
        return err_set(err, ERR_NOT_FOUND, "there is no %s", path);
    case ENOTDIR:
    case ELOOP:
        return err_set(err, ERR_VALIDATION, "a folder that leads to %s is none: it is a file or a symlink", path);
    case EISDIR:
        return err_set(err, ERR_VALIDATION, "%s is a folder", path);
    case ENOSPC:
    case EDQUOT:
        return err_set(err, ERR_TOO_LARGE, "there is no room for %s", path);
    default:
        return err_errno(err, ERR_VALIDATION, errnum, "%s", path);
    }
}

int confine_open(struct confine *out, const char *worktree, struct err *err) {
    out->fd = open(worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return out->fd < 0 ? err_errno(err, ERR_INTERNAL, errno, "open the worktree %s", worktree) : 0;
}

void confine_close(struct confine *confine) {
    mem_closep(&confine->fd);
    confine->fd = -1;
}

static bool has_git(const char *path) {
    for (const char *at = path; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
        if (strncasecmp(at, ".git", 4) == 0 && (at[4] == '/' || at[4] == '\0'))
            return true;
    return false;
}

int confine_check(const char *path, struct err *err) {
    if (!fs_is_safe_relative(path) || strlen(path) >= PATH_BYTES)
        return err_set(err, ERR_VALIDATION,
                       "a path must be relative to the project's folder, as src/app/page.tsx is, without \".\" or "
                       "\"..\" in it");
    if (has_git(path))
        return err_set(err, ERR_VALIDATION, ".git is not for you: the project's history is kept by others");
    return 0;
}

/* The folder that a path's last name is in, and that name. The descriptor, or -errno; makes folders if told so. */
static int open_parent(const struct confine *confine, const char *path, bool is_making, const char **name) {
    int at = fcntl(confine->fd, F_DUPFD_CLOEXEC, 0);
    const char *rest = path;
    for (const char *slash; at >= 0 && (slash = strchr(rest, '/')); rest = slash + 1) {
        char folder[PATH_BYTES];
        (void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - rest), rest);
        if (is_making && mkdirat(at, folder, DIR_MODE) < 0 && errno != EEXIST) {
            int errnum = errno;
            (void)close(at);
            return -errnum;
        }
        int next = openat(at, folder, OPEN_DIR);
        int errnum = errno;
        (void)close(at);
        if (next < 0)
            return -errnum;
        at = next;
    }
    *name = rest;
    return at >= 0 ? at : -errno;
}

bool confine_has_file(const struct confine *confine, const char *path) {
    struct stat st;
    const char *name = NULL;
    if (confine_check(path, NULL) < 0)
        return false;
    CLEANUP(mem_closep) int dir = open_parent(confine, path, false, &name);
    return dir >= 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* ---- reading */

static int read_all(int fd, size_t max_bytes, struct buf *out) {
    size_t before = out->len;
    for (;;) {
        char *to = buf_reserve(out, READ_CHUNK);
        if (!to)
            return EFBIG;
        ssize_t got = read(fd, to, READ_CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        buf_added(out, (size_t)got);
        if (out->len - before > max_bytes)
            return EFBIG;
        if (got == 0)
            return 0;
    }
}

int confine_read(const struct confine *confine, const char *path, size_t max_bytes, struct buf *out, struct err *err) {
    struct stat st;
    const char *name = NULL;
    int rc = confine_check(path, err);
    if (rc < 0)
        return rc;
    CLEANUP(mem_closep) int dir = open_parent(confine, path, false, &name);
    if (dir < 0)
        return fail(err, -dir, path);
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail(err, errno, path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_VALIDATION, "%s is %s, not a file", path,
                       S_ISDIR(st.st_mode)   ? "a folder"
                       : S_ISLNK(st.st_mode) ? "a symlink"
                                             : "a device, a pipe or a socket");
    /* O_NONBLOCK: whatever takes its place meanwhile must not hold us up. */
    CLEANUP(mem_closep) int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(err, errno, path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_VALIDATION, "%s is not a file", path);
    if (st.st_nlink > 1)
        return err_set(err, ERR_VALIDATION, "%s is a hard link: its content may be from elsewhere", path);
    size_t before = out->len;
    int errnum = read_all(fd, max_bytes, out);
    if (errnum == 0)
        return 0;
    out->len = before;
    if (errnum == EFBIG)
        return err_set(err, ERR_TOO_LARGE, "%s is larger than %zu bytes", path, max_bytes);
    return fail(err, errnum, path);
}

/* ---- writing */

static int write_all(int fd, const char *data, size_t len) {
    while (len > 0) {
        ssize_t done = write(fd, data, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return errno;
        data += done;
        len -= (size_t)done;
    }
    return 0;
}

/* Beside the file, then in its place: so it is there whole or not at all, and links to the old one are left alone. */
static int replace(int dir, const char *name, mode_t mode, const void *data, size_t len) {
    char random[8], hex[2 * sizeof(random) + 1], temporary[64];
    hash_random(random, sizeof(random));
    hash_hex(hex, random, sizeof(random));
    (void)snprintf(temporary, sizeof(temporary), ".prazium-%s", hex);
    CLEANUP(mem_closep) int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    int errnum = write_all(fd, data, len);
    if (errnum == 0 && fchmod(fd, mode) < 0)
        errnum = errno;
    if (errnum == 0 && renameat(dir, temporary, dir, name) < 0)
        errnum = errno;
    if (errnum)
        (void)unlinkat(dir, temporary, 0);
    return errnum;
}

int confine_write(const struct confine *confine, const char *path, const void *data, size_t len, bool *is_new,
                  struct err *err) {
    struct stat st;
    const char *name = NULL;
    int rc = confine_check(path, err);
    if (rc < 0)
        return rc;
    CLEANUP(mem_closep) int dir = open_parent(confine, path, true, &name);
    if (dir < 0)
        return fail(err, -dir, path);
    *is_new = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0;
    if (*is_new && errno != ENOENT)
        return fail(err, errno, path);
    if (!*is_new && !S_ISREG(st.st_mode))
        return err_set(err, ERR_VALIDATION, "%s is %s, not a file", path,
                       S_ISDIR(st.st_mode) ? "a folder" : "a symlink or a device");
    int errnum = replace(dir, name, *is_new ? FILE_MODE : st.st_mode & 0777, data, len);
    return errnum ? fail(err, errnum, path) : 0;
}

/* Removes the folders that lead to path as far as they are empty, the innermost first. */
static void remove_empty(const struct confine *confine, const char *path) {
    CLEANUP(mem_freep) char *folder = mem_strdup(path);
    for (char *slash; (slash = strrchr(folder, '/'));) {
        const char *name = NULL;
        *slash = '\0';
        CLEANUP(mem_closep) int dir = open_parent(confine, folder, false, &name);
        if (dir < 0 || unlinkat(dir, name, AT_REMOVEDIR) < 0)
            return;
    }
}

int confine_delete(const struct confine *confine, const char *path, struct err *err) {
    struct stat st;
    const char *name = NULL;
    int rc = confine_check(path, err);
    if (rc < 0)
        return rc;
    CLEANUP(mem_closep) int dir = open_parent(confine, path, false, &name);
    if (dir < 0)
        return fail(err, -dir, path);
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail(err, errno, path);
    if (S_ISDIR(st.st_mode))
        return err_set(err, ERR_VALIDATION, "%s is a folder: delete its files, and it goes with the last of them",
                       path);
    if (unlinkat(dir, name, 0) < 0)
        return fail(err, errno, path);
    remove_empty(confine, path);
    return 0;
}
