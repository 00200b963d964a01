/* checkout: a tree's files in a folder, byte for byte: no filters, no attributes, no hooks. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "git/internal.h"

/* Trees we make are not deeper: see scan.c. */
enum { MAX_DEPTH = FS_WALK_MAX_DEPTH };

struct checkout {
    struct repo *repo;
    git_index *index; /* or NULL */
    struct buf path;  /* of the entry being made, below the root */
    struct err *err;
};

static int fail_errno(struct checkout *checkout, int errnum) {
    return err_errno(checkout->err, ERR_INTERNAL, errnum, "cannot make %s", checkout->path.data);
}

/* 0 or an errno. */
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

/* 0 or an errno. The file gets exactly this mode, whatever the umask. */
static int make_file(int dir_fd, const char *name, mode_t mode, const char *data, size_t len, struct stat *st) {
    CLEANUP(mem_closep) int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return errno;
    int errnum = write_all(fd, data, len);
    if (errnum != 0)
        return errnum;
    if (fstat(fd, st) < 0)
        return errno;
    if ((st->st_mode & 07777) != mode && (fchmod(fd, mode) < 0 || fstat(fd, st) < 0))
        return errno;
    return 0;
}

/* What `git status` compares, so that it need not read the file. */
static int add_to_index(struct checkout *checkout, const git_tree_entry *entry, const struct stat *st) {
    git_index_entry item = {
        .ctime = {.seconds = (int32_t)st->st_ctim.tv_sec, .nanoseconds = (uint32_t)st->st_ctim.tv_nsec},
        .mtime = {.seconds = (int32_t)st->st_mtim.tv_sec, .nanoseconds = (uint32_t)st->st_mtim.tv_nsec},
        .dev = (uint32_t)st->st_dev,
        .ino = (uint32_t)st->st_ino,
        .mode = git_tree_entry_filemode(entry),
        .uid = st->st_uid,
        .gid = st->st_gid,
        .file_size = (uint32_t)st->st_size,
        .id = *git_tree_entry_id(entry),
        .path = checkout->path.data,
    };
    if (git_index_add(checkout->index, &item) < 0)
        return git_fail(checkout->err, ERR_INTERNAL, "cannot register %s", checkout->path.data);
    return 0;
}

static int make_entry(struct checkout *checkout, int dir_fd, const git_tree_entry *entry, size_t depth) {
    CLEANUP(odb_object_freep) git_odb_object *object = NULL;
    const char *name = git_tree_entry_name(entry);
    struct stat st;
    int errnum;
    if (git_odb_read(&object, checkout->repo->odb, git_tree_entry_id(entry)) < 0)
        return git_fail(checkout->err, ERR_INTERNAL, "cannot read %s", checkout->path.data);
    const char *data = git_odb_object_data(object);
    size_t len = git_odb_object_size(object);
    if (git_tree_entry_filemode(entry) == GIT_FILEMODE_LINK) {
        const char *fault = link_fault(data, depth);
        if (fault)
            return err_field(checkout->err, ERR_VALIDATION, "path", "%s %s", checkout->path.data, fault);
        errnum = symlinkat(data, dir_fd, name) < 0 || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? errno : 0;
    } else {
        bool is_program = git_tree_entry_filemode(entry) == GIT_FILEMODE_BLOB_EXECUTABLE;
        errnum = make_file(dir_fd, name, is_program ? 0755 : 0644, data, len, &st);
    }
    if (errnum != 0)
        return fail_errno(checkout, errnum);
    return checkout->index ? add_to_index(checkout, entry, &st) : 0;
}

static int fill_folder(struct checkout *checkout, int dir_fd, const git_tree *tree, size_t depth);

static int make_folder(struct checkout *checkout, int dir_fd, const git_tree_entry *entry, size_t depth) {
    CLEANUP(tree_freep) git_tree *tree = NULL;
    const char *name = git_tree_entry_name(entry);
    if (depth >= MAX_DEPTH)
        return err_field(checkout->err, ERR_VALIDATION, "path", "%s is too deep", checkout->path.data);
    if (git_tree_lookup(&tree, checkout->repo->git, git_tree_entry_id(entry)) < 0)
        return git_fail(checkout->err, ERR_INTERNAL, "cannot read %s", checkout->path.data);
    if (mkdirat(dir_fd, name, 0755) < 0)
        return fail_errno(checkout, errno);
    CLEANUP(mem_closep) int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(checkout, errno);
    buf_putc(&checkout->path, '/');
    return fill_folder(checkout, fd, tree, depth + 1);
}

static int fill_folder(struct checkout *checkout, int dir_fd, const git_tree *tree, size_t depth) {
    size_t len = checkout->path.len;
    int result = 0;
    for (size_t i = 0; i < git_tree_entrycount(tree) && result == 0; i++) {
        const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
        const char *fault = name_fault(git_tree_entry_name(entry));
        checkout->path.len = len;
        buf_puts(&checkout->path, git_tree_entry_name(entry));
        if (fault)
            return err_field(checkout->err, ERR_VALIDATION, "path", "%s %s", checkout->path.data, fault);
        if (git_tree_entry_type(entry) == GIT_OBJECT_TREE)
            result = make_folder(checkout, dir_fd, entry, depth);
        else if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB)
            result = make_entry(checkout, dir_fd, entry, depth);
    }
    return result;
}

int checkout_tree(struct repo *repo, const git_tree *tree, const char *path, git_index *index, struct err *err) {
    struct checkout checkout = {.repo = repo, .index = index, .err = err};
    int result = fs_mkdirs(path, 0755, err);
    if (result < 0)
        return result;
    CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, ERR_INTERNAL, errno, "cannot open %s", path);
    if (tree)
        result = fill_folder(&checkout, fd, tree, 0);
    buf_release(&checkout.path);
    return result;
}

int repo_checkout(struct repo *repo, const char *commit, const char *path, struct err *err) {
    CLEANUP(tree_freep) git_tree *tree = NULL;
    int result = git_tree_of(repo, commit, &tree, err);
    if (result < 0)
        return result;
    /* An empty folder is as good as none. */
    if (rmdir(path) < 0 && errno != ENOENT)
        return err_errno(err, ERR_CONFLICT, errno, "%s is there already", path);
    result = checkout_tree(repo, tree, path, NULL, err);
    if (result < 0 && fs_remove_tree(path, NULL) < 0)
        return err_wrap(err, "a part is left at %s", path);
    return result;
}
