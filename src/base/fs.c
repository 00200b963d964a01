/* fs: single files and folders, with errors that name the path. */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"

enum { READ_CHUNK_BYTES = 16 * 1024 };

static int path_error(struct err *err, int errnum, const char *doing, const char *path) {
    bool is_absent = errnum == ENOENT || errnum == ENOTDIR;
    return err_errno(err, is_absent ? ERR_NOT_FOUND : ERR_INTERNAL, errnum, "%s %s", doing, path);
}

/* The folder that path is in, as "." or without its last name; the caller frees. */
static char *parent_of(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash)
        return mem_strdup(".");
    return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}

/* One folder that may be there already. */
static int make_dir(const char *path, mode_t mode, struct err *err) {
    if (mkdir(path, mode) == 0)
        return 0;
    int errnum = errno;
    /* Asked second: mkdir of what is there can also fail with EROFS or EACCES. */
    if (fs_is_dir(path))
        return 0;
    return path_error(err, errnum, "cannot make folder", path);
}

int fs_mkdirs(const char *path, mode_t mode, struct err *err) {
    CLEANUP(mem_freep) char *copy = mem_strdup(path);
    if (fs_is_dir(path))
        return 0;
    for (char *at = copy + strspn(copy, "/"); (at = strchr(at, '/')); at += strspn(at, "/")) {
        *at = '\0';
        /* Those in between must let the next one be made in them. */
        int result = make_dir(copy, mode | S_IWUSR | S_IXUSR, err);
        *at = '/';
        if (result < 0)
            return result;
    }
    return make_dir(path, mode, err);
}

/* Reads to the end of the file, trusting no size told beforehand. 0 or an errno; EFBIG beyond room bytes. */
static int read_all(int fd, size_t room, struct buf *out) {
    for (;;) {
        char extra; /* where the byte goes that would be one too many */
        size_t want = room < READ_CHUNK_BYTES ? room : READ_CHUNK_BYTES;
        char *to = room ? buf_reserve(out, want) : &extra;
        if (!to)
            return EFBIG;
        ssize_t got = read(fd, to, room ? want : 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            return 0;
        if (room == 0)
            return EFBIG;
        buf_added(out, (size_t)got);
        room -= (size_t)got;
    }
}

int fs_read_file(const char *path, size_t max_bytes, struct buf *out, struct err *err) {
    struct stat st;
    /* O_NONBLOCK: a named pipe must not hold us up before we can see that it is one. */
    CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return path_error(err, errno, "cannot open", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_VALIDATION, "%s is not a regular file", path);

    size_t len_before = out->len;
    size_t room = max_bytes;
    if (out->max_bytes) {
        size_t left = out->max_bytes > out->len ? out->max_bytes - out->len : 0;
        room = left < room ? left : room;
    }
    buf_put(out, "", 0); /* so that an empty file gives a terminated text, too */
    int errnum = out->overflowed ? EFBIG : read_all(fd, room, out);
    if (errnum == 0)
        return 0;
    out->len = len_before;
    if (out->data)
        out->data[out->len] = '\0';
    if (errnum == EFBIG)
        return err_set(err, ERR_TOO_LARGE, "%s is larger than %zu bytes", path, room);
    return path_error(err, errnum, "cannot read", path);
}

/* 0 or an errno. */
static int write_all(int fd, const void *data, size_t len) {
    const char *at = data;
    while (len > 0) {
        ssize_t done = write(fd, at, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return errno;
        at += done;
        len -= (size_t)done;
    }
    return 0;
}

/* Opens a new file beside path; its name is the caller's to free. -1 with errno on failure. */
static int open_temporary(const char *path, char **name) {
    const char *slash = strrchr(path, '/');
    int dir_len = slash ? (int)(slash - path) + 1 : 0;
    for (;;) {
        char random[8], hex[2 * sizeof(random) + 1];
        hash_random(random, sizeof(random));
        hash_hex(hex, random, sizeof(random));
        *name = mem_printf("%.*s.tmp-%s", dir_len, path, hex);
        int fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
        mem_freep(name);
    }
}

int fs_write_file_atomic(const char *path, const void *data, size_t len, mode_t mode, struct err *err) {
    CLEANUP(mem_freep) char *temporary = NULL;
    CLEANUP(mem_freep) char *parent = parent_of(path);
    CLEANUP(mem_closep) int fd = open_temporary(path, &temporary);
    if (fd < 0)
        return path_error(err, errno, "cannot make a file for", path);

    int errnum = write_all(fd, data, len);
    if (errnum == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0))
        errnum = errno;
    if (errnum != 0) {
        (void)unlink(temporary);
        return path_error(err, errnum, "cannot write", path);
    }
    return fs_sync_dir(parent, err);
}

int fs_write_file(const char *path, const void *data, size_t len, mode_t mode, struct err *err) {
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    struct stat st;
    CLEANUP(mem_closep) int fd = open(path, flags, mode);
    if (fd < 0 && errno == ENOENT) {
        CLEANUP(mem_freep) char *parent = parent_of(path);
        int result = fs_mkdirs(parent, 0755, err);
        if (result < 0)
            return result;
        fd = open(path, flags, mode);
    }
    if (fd < 0 || fstat(fd, &st) < 0)
        return path_error(err, errno, "cannot write", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_VALIDATION, "%s is not a regular file", path);
    int errnum = write_all(fd, data, len);
    if (errnum == 0 && (st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
        errnum = errno;
    return errnum ? path_error(err, errnum, "cannot write", path) : 0;
}

bool fs_exists(const char *path) {
    struct stat st;
    return path && lstat(path, &st) == 0;
}

bool fs_is_dir(const char *path) {
    struct stat st;
    return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *fs_join(struct arena *arena, const char *a, const char *b) {
    b += strspn(b, "/");
    if (!*a || !*b)
        return arena_strdup(arena, *a ? a : b);
    return arena_printf(arena, str_ends(a, "/") ? "%s%s" : "%s/%s", a, b);
}

char *fs_real(struct arena *arena, const char *path) {
    CLEANUP(mem_freep) char *real = path ? realpath(path, NULL) : NULL;
    return arena_strdup(arena, real);
}

bool fs_is_safe_relative(const char *path) {
    if (!path || strlen(path) >= PATH_MAX || strchr(path, '\\'))
        return false;
    for (;; path++) {
        size_t len = strcspn(path, "/");
        bool is_dots = (len == 1 || len == 2) && strncmp(path, "..", len) == 0;
        if (len == 0 || len > NAME_MAX || is_dots)
            return false;
        path += len;
        if (!*path)
            return true;
    }
}

int fs_free_bytes(const char *path, uint64_t *out, struct err *err) {
    struct statvfs st;
    if (statvfs(path, &st) < 0)
        return path_error(err, errno, "cannot ask for the free space at", path);
    *out = (uint64_t)st.f_bavail * st.f_frsize;
    return 0;
}

int fs_sync_dir(const char *path, struct err *err) {
    CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* EINVAL: a file system whose folders need or know no fsync. */
    if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
        return path_error(err, errno, "cannot sync folder", path);
    return 0;
}

int fs_lock(const char *path, int *fd, struct err *err) {
    CLEANUP(mem_closep) int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return path_error(err, errno, "cannot open", path);
    while (flock(file, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            return err_set(err, ERR_CONFLICT, "%s is locked by another process", path);
        if (errno != EINTR)
            return path_error(err, errno, "cannot lock", path);
    }
    *fd = file;
    file = -1;
    return 0;
}
