/* scan: what an agent left in a folder, as a tree. The folder is hostile: every step is by openat without following
 * symlinks, types are checked before a file is opened and after, and everything has a bound. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fs.h"
#include "git/internal.h"

enum {
    MAX_FILE_BYTES = 32 * 1024 * 1024,
    MAX_FILES = 20000,
    MAX_ENTRIES = 200000, /* with folders and what is left out */
    MAX_DEPTH = FS_WALK_MAX_DEPTH,
    MAX_LINK_BYTES = 4096,
};
#define MAX_TOTAL_BYTES (INT64_C(1024) * 1024 * 1024)

/* At any depth: what build tools make and nobody commits. */
static const char *const ignored[] = {"node_modules", ".next", ".DS_Store"};

struct scan {
    struct repo *repo;
    struct arena *arena; /* for the entries' names, until the scan ends */
    struct buf path;     /* of the entry at hand, below the root */
    struct buf content;
    size_t file_count;
    size_t entry_count;
    int64_t total_bytes;
    struct err *err;
};

struct scan_entry {
    const char *name;
    git_filemode_t mode;
    git_oid id;
};
/* A folder's, as they go into its tree. */
struct scan_entries {
    struct scan_entry *items;
    size_t count;
    size_t capacity;
};

static void entries_release(struct scan_entries *entries) {
    free(entries->items);
}

static void closedirp(DIR **dir) {
    if (*dir)
        (void)closedir(*dir);
}

static int refuse(struct scan *scan, const char *reason) {
    return err_field(scan->err, ERR_VALIDATION, "path", "%s %s", scan->path.data, reason);
}

static int fail_errno(struct scan *scan, int errnum) {
    /* What the agent can bring about is its fault, the rest is ours. */
    bool is_theirs = errnum == EACCES || errnum == EPERM || errnum == ELOOP || errnum == ENAMETOOLONG;
    return err_errno(scan->err, is_theirs ? ERR_VALIDATION : ERR_INTERNAL, errnum, "cannot read %s",
                     scan->path.len ? scan->path.data : "the folder");
}

static bool is_ignored(const char *name) {
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        if (strcmp(name, ignored[i]) == 0)
            return true;
    return false;
}

static int count_file(struct scan *scan, int64_t size) {
    if (size > MAX_FILE_BYTES)
        return refuse(scan, "is larger than 32 MiB");
    if (++scan->file_count > MAX_FILES)
        return refuse(scan, "is one too many: more than 20,000 files");
    scan->total_bytes += size;
    return scan->total_bytes > MAX_TOTAL_BYTES ? refuse(scan, "is too much: more than 1 GiB in all") : 0;
}

/* The whole file into scan->content, though it may be written to meanwhile. */
static int read_content(struct scan *scan, int fd, int64_t size) {
    buf_reset(&scan->content);
    for (;;) {
        /* One more than is expected, to see the end in one call. */
        size_t want = (size_t)size + 1 > scan->content.len + 4096 ? (size_t)size + 1 - scan->content.len : 4096;
        char *to = buf_reserve(&scan->content, want);
        if (!to)
            return refuse(scan, "is larger than 32 MiB");
        ssize_t got = read(fd, to, want);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(scan, errno);
        if (got == 0)
            return scan->content.len > MAX_FILE_BYTES ? refuse(scan, "is larger than 32 MiB") : 0;
        buf_added(&scan->content, (size_t)got);
    }
}

/* base is the entry at this path of the commit that the work began from, or NULL. */
static int put_content(struct scan *scan, const git_tree_entry *base, const void *data, size_t len, git_oid *out) {
    if (git_odb_hash(out, data, len, GIT_OBJECT_BLOB) < 0)
        return git_fail(scan->err, ERR_INTERNAL, "cannot hash %s", scan->path.data);
    /* What the base has is in the repository: no need to look. */
    if (base && git_oid_equal(out, git_tree_entry_id(base)))
        return 0;
    return stage_put(scan->repo, GIT_OBJECT_BLOB, data, len, out, scan->err);
}

/* What would run or read something when git checks the file out. */
static bool names_filter(const struct buf *content) {
    static const char word[] = "filter=";
    return content->len >= strlen(word) && memmem(content->data, content->len, word, strlen(word));
}

static const char *file_fault(const struct stat *st) {
    if (!S_ISREG(st->st_mode))
        return "is not a regular file";
    if (st->st_mode & (S_ISUID | S_ISGID))
        return "is a set-user-id or set-group-id file";
    if (st->st_nlink > 1)
        return "is a hard link: what it is linked with may lie outside";
    return NULL;
}

static int scan_file(struct scan *scan, int dir_fd, const git_tree_entry *base, struct scan_entry *entry) {
    struct stat st;
    CLEANUP(mem_closep) int fd = openat(dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail_errno(scan, errno);
    const char *fault = file_fault(&st);
    if (fault)
        return refuse(scan, fault);
    int result = count_file(scan, st.st_size);
    if (result == 0)
        result = read_content(scan, fd, st.st_size);
    if (result == 0 && name_is_attributes(entry->name) && names_filter(&scan->content))
        return refuse(scan, "names a filter, which is not allowed");
    if (result < 0)
        return result;
    entry->mode = st.st_mode & S_IXUSR ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
    return put_content(scan, base, scan->content.data, scan->content.len, &entry->id);
}

static int scan_link(struct scan *scan, int dir_fd, size_t depth, const git_tree_entry *base,
                     struct scan_entry *entry) {
    char target[MAX_LINK_BYTES + 1];
    ssize_t len = readlinkat(dir_fd, entry->name, target, sizeof(target));
    if (len < 0)
        return fail_errno(scan, errno);
    if ((size_t)len >= sizeof(target))
        return refuse(scan, "is a symlink with too long a target");
    target[len] = '\0';
    const char *fault = link_fault(target, depth);
    if (fault)
        return refuse(scan, fault);
    int result = count_file(scan, len);
    if (result < 0)
        return result;
    entry->mode = GIT_FILEMODE_LINK;
    return put_content(scan, base, target, (size_t)len, &entry->id);
}

static int scan_folder(struct scan *scan, int fd, const git_tree *base, size_t depth, git_oid *out, bool *is_empty);

static int scan_subfolder(struct scan *scan, int dir_fd, const git_tree_entry *base, size_t depth,
                          struct scan_entry *entry, bool *is_empty) {
    CLEANUP(tree_freep) git_tree *tree = NULL;
    if (depth >= MAX_DEPTH)
        return refuse(scan, "is nested too deep");
    if (base && git_tree_entry_type(base) == GIT_OBJECT_TREE &&
        git_tree_lookup(&tree, scan->repo->git, git_tree_entry_id(base)) < 0)
        return git_fail(scan->err, ERR_INTERNAL, "cannot read %s of the base", scan->path.data);
    int fd = openat(dir_fd, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(scan, errno);
    buf_putc(&scan->path, '/');
    entry->mode = GIT_FILEMODE_TREE;
    return scan_folder(scan, fd, tree, depth + 1, &entry->id, is_empty);
}

static const char *type_fault(mode_t mode) {
    if (S_ISFIFO(mode))
        return "is a named pipe";
    if (S_ISSOCK(mode))
        return "is a socket";
    return "is a device file";
}

/* *is_absent: the entry does not go into the tree. */
static int scan_entry(struct scan *scan, int dir_fd, const git_tree *base, size_t depth, struct scan_entry *entry,
                      bool *is_absent) {
    struct stat st;
    const char *fault = name_fault(entry->name);
    const git_tree_entry *base_entry = base ? git_tree_entry_byname(base, entry->name) : NULL;
    *is_absent = false;
    if (fault)
        return refuse(scan, fault);
    if (fstatat(dir_fd, entry->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        *is_absent = errno == ENOENT; /* vanished meanwhile */
        return *is_absent ? 0 : fail_errno(scan, errno);
    }
    if (S_ISDIR(st.st_mode))
        return scan_subfolder(scan, dir_fd, base_entry, depth, entry, is_absent);
    if (S_ISREG(st.st_mode))
        return scan_file(scan, dir_fd, base_entry, entry);
    if (S_ISLNK(st.st_mode))
        return scan_link(scan, dir_fd, depth, base_entry, entry);
    return refuse(scan, type_fault(st.st_mode));
}

static int compare_entries(const void *a, const void *b) {
    const struct scan_entry *first = a, *second = b;
    return name_order(first->name, first->mode == GIT_FILEMODE_TREE, second->name, second->mode == GIT_FILEMODE_TREE);
}

/* The tree object: for each entry its mode, a space, its name, a NUL and its id in bytes. */
static int put_tree(struct scan *scan, struct scan_entries *entries, const git_tree *base, git_oid *out) {
    struct buf tree = {0};
    int result = 0;
    if (entries->count > 1)
        qsort(entries->items, entries->count, sizeof(*entries->items), compare_entries);
    buf_puts(&tree, "");
    for (size_t i = 0; i < entries->count; i++) {
        const struct scan_entry *entry = &entries->items[i];
        buf_printf(&tree, "%o %s", (unsigned)entry->mode, entry->name);
        buf_putc(&tree, '\0');
        buf_put(&tree, entry->id.id, sizeof(entry->id.id));
    }
    if (git_odb_hash(out, tree.data, tree.len, GIT_OBJECT_TREE) < 0)
        result = git_fail(scan->err, ERR_INTERNAL, "cannot hash a tree");
    else if (!base || !git_oid_equal(out, git_tree_id(base)))
        result = stage_put(scan->repo, GIT_OBJECT_TREE, tree.data, tree.len, out, scan->err);
    buf_release(&tree);
    return result;
}

static void add_entry(struct scan_entries *entries, const struct scan_entry *entry) {
    if (entries->count == entries->capacity) {
        entries->capacity = entries->capacity ? entries->capacity * 2 : 16;
        entries->items = mem_realloc(entries->items, entries->capacity * sizeof(*entries->items));
    }
    entries->items[entries->count++] = *entry;
}

static bool is_left_out(const char *name, size_t depth) {
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || is_ignored(name))
        return true;
    return depth == 0 && strcmp(name, ".git") == 0;
}

/* Takes over fd. scan->path is the folder's, with a slash at its end unless it is the root. */
static int scan_folder(struct scan *scan, int fd, const git_tree *base, size_t depth, git_oid *out, bool *is_empty) {
    CLEANUP(entries_release) struct scan_entries entries = {0};
    CLEANUP(closedirp) DIR *dir = fdopendir(fd);
    size_t len = scan->path.len;
    int result = 0;
    if (!dir) {
        mem_closep(&fd);
        return fail_errno(scan, errno);
    }
    while (result == 0) {
        bool is_absent;
        errno = 0;
        const struct dirent *found = readdir(dir);
        if (!found && errno != 0)
            return fail_errno(scan, errno);
        if (!found)
            break;
        if (++scan->entry_count > MAX_ENTRIES)
            return refuse(scan, "has too many entries");
        if (is_left_out(found->d_name, depth))
            continue;
        struct scan_entry entry = {.name = arena_strdup(scan->arena, found->d_name)};
        scan->path.len = len;
        buf_puts(&scan->path, entry.name);
        result = scan_entry(scan, fd, base, depth, &entry, &is_absent);
        if (result == 0 && !is_absent)
            add_entry(&entries, &entry);
    }
    if (result < 0)
        return result;
    *is_empty = entries.count == 0;
    /* git has no empty folders, but for the root. */
    return *is_empty && depth > 0 ? 0 : put_tree(scan, &entries, base, out);
}

static void arena_freep(struct arena **arena) {
    arena_destroy(*arena);
}

static int scan_root(struct repo *repo, const char *path, const git_tree *base, git_oid *out, struct err *err) {
    CLEANUP(arena_freep) struct arena *names = arena_create();
    struct scan scan = {.repo = repo, .arena = names, .err = err};
    bool is_empty;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL, errno, "cannot open %s", path);
    buf_init(&scan.content, MAX_FILE_BYTES + 64 * 1024);
    buf_puts(&scan.path, "");
    int result = scan_folder(&scan, fd, base, 0, out, &is_empty);
    buf_release(&scan.content);
    buf_release(&scan.path);
    return result;
}

int worktree_scan(struct repo *repo, struct arena *arena, const char *path, const char *base, char tree[SHA_LEN],
                  struct change_list *changes, struct err *err) {
    CLEANUP(tree_freep) git_tree *base_tree = NULL;
    CLEANUP(tree_freep) git_tree *new_tree = NULL;
    git_oid id;
    stage_clear(repo);
    int result = git_tree_of(repo, base, &base_tree, err);
    if (result == 0 && git_odb_refresh(repo->odb) < 0)
        result = git_fail(err, ERR_INTERNAL, "cannot read %s", repo->path);
    if (result == 0)
        result = scan_root(repo, path, base_tree, &id, err);
    if (result == 0 && git_tree_lookup(&new_tree, repo->git, &id) < 0)
        result = git_fail(err, ERR_INTERNAL, "cannot read the tree of %s", path);
    if (result == 0)
        result = diff_trees(repo, arena, base_tree, new_tree, changes, err);
    if (result == 0)
        (void)git_oid_tostr(tree, SHA_LEN, &id);
    else
        stage_clear(repo);
    return result;
}
