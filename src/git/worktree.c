/* worktree: folders with a commit's files that are registered in the repository, so that tools inside see a checkout.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"
#include "git/internal.h"

enum { MAX_NAME_BYTES = 200, MAX_POINTER_BYTES = 8192 };

static int check_name(const char *name, struct err *err) {
    size_t len = strlen(name);
    bool is_fine = len > 0 && len <= MAX_NAME_BYTES && name[0] != '.';
    for (size_t i = 0; i < len; i++)
        is_fine = is_fine && (isalnum((unsigned char)name[i]) || strchr("-_.", name[i]));
    return is_fine ? 0 : err_set(err, ERR_VALIDATION, "%s cannot be the name of a worktree", name);
}

static char *admin_path(const struct repo *repo, const char *name) {
    return mem_printf("%sworktrees/%s", repo->path, name);
}

/* A registration comes and goes whole, by a rename from and to here: git stops at one that is half there. What a crash
 * leaves here is removed by the next of the name, or by locks_clear. */
static char *pending_path(const struct repo *repo, const char *name) {
    return mem_printf("%s" PENDING_FOLDER "/%s", repo->path, name);
}

/* The absolute path, without symlinks, of what is to be made at path; its parent is made. The caller frees. */
static int absolute_path(const char *path, char **out, struct err *err) {
    CLEANUP(mem_freep) char *copy = mem_strdup(path);
    size_t len = strlen(copy);
    while (len > 1 && copy[len - 1] == '/')
        copy[--len] = '\0';
    char *slash = strrchr(copy, '/');
    const char *last = slash ? slash + 1 : copy;
    if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0 || strchr(path, '\n'))
        return err_set(err, ERR_VALIDATION, "a worktree cannot be at %s", path);
    CLEANUP(mem_freep)
    char *parent = slash ? mem_strndup(copy, slash == copy ? 1 : (size_t)(slash - copy)) : mem_strdup(".");
    int result = fs_mkdirs(parent, 0755, err);
    if (result < 0)
        return result;
    CLEANUP(mem_freep) char *real = realpath(parent, NULL);
    if (!real)
        return err_errno(err, ERR_INTERNAL, errno, "cannot find %s", parent);
    *out = mem_printf("%s/%s", strcmp(real, "/") == 0 ? "" : real, last);
    return 0;
}

static int write_line(const char *folder, const char *name, const char *prefix, const char *text, struct err *err) {
    CLEANUP(mem_freep) char *path = mem_printf("%s/%s", folder, name);
    CLEANUP(mem_freep) char *line = mem_printf("%s%s\n", prefix, text);
    return fs_write_file(path, line, strlen(line), 0644, err);
}

static int move_folder(const char *from, const char *to, struct err *err) {
    if (rename(from, to) < 0)
        return err_errno(err, ERR_INTERNAL, errno, "cannot move %s to %s", from, to);
    return 0;
}

/* Before there is any file: whatever a crash leaves of the worktree is found by worktree_list. */
static int register_worktree(const struct repo *repo, const char *name, const char *path, const char *branch_ref,
                             struct err *err) {
    CLEANUP(mem_freep) char *pointer = mem_printf("%s/.git", path);
    CLEANUP(mem_freep) char *pending = pending_path(repo, name);
    CLEANUP(mem_freep) char *admin = admin_path(repo, name);
    CLEANUP(mem_freep) char *all = admin_path(repo, "");
    int result = fs_remove_tree(pending, err);
    if (result == 0)
        result = fs_mkdirs(pending, 0755, err);
    if (result == 0)
        result = write_line(pending, "gitdir", "", pointer, err);
    if (result == 0)
        result = write_line(pending, "commondir", "", "../..", err);
    if (result == 0)
        result = write_line(pending, "HEAD", "ref: ", branch_ref, err);
    if (result == 0)
        result = fs_mkdirs(all, 0755, err);
    return result == 0 ? move_folder(pending, admin, err) : result;
}

static int unregister_worktree(const struct repo *repo, const char *name, struct err *err) {
    CLEANUP(mem_freep) char *pending = pending_path(repo, name);
    CLEANUP(mem_freep) char *admin = admin_path(repo, name);
    CLEANUP(mem_freep) char *all = pending_path(repo, "");
    int result = fs_remove_tree(pending, err);
    if (result == 0 && fs_exists(admin)) {
        result = fs_mkdirs(all, 0755, err);
        if (result == 0)
            result = move_folder(admin, pending, err);
        if (result == 0)
            result = fs_remove_tree(pending, err);
    }
    return result;
}

static int fill_worktree(struct repo *repo, const char *admin, const char *path, const git_tree *tree,
                         struct err *err) {
    CLEANUP(index_freep) git_index *index = NULL;
    CLEANUP(mem_freep) char *index_path = mem_printf("%s/index", admin);
    if (git_index_open(&index, index_path) < 0)
        return git_fail(err, ERR_INTERNAL, "cannot open %s", index_path);
    int result = checkout_tree(repo, tree, path, index, err);
    if (result < 0)
        return result;
    if (git_index_write(index) < 0)
        return git_fail(err, ERR_INTERNAL, "cannot write %s", index_path);
    return write_line(path, ".git", "gitdir: ", admin, err);
}

static int make_worktree(struct repo *repo, const char *name, const char *path, const char *branch_ref,
                         const char *commit, struct err *err) {
    CLEANUP(tree_freep) git_tree *tree = NULL;
    CLEANUP(mem_freep) char *admin = admin_path(repo, name);
    int result = git_tree_of(repo, commit, &tree, err);
    if (result == 0)
        result = register_worktree(repo, name, path, branch_ref, err);
    if (result == 0)
        result = repo_ref_set(repo, branch_ref, NULL, commit, err);
    if (result == 0)
        result = fill_worktree(repo, admin, path, tree, err);
    return result;
}

int worktree_create(struct repo *repo, const char *name, const char *path, const char *branch, const char *commit,
                    struct err *err) {
    CLEANUP(mem_freep) char *branch_ref = mem_printf("refs/heads/%s", branch);
    CLEANUP(mem_freep) char *admin = admin_path(repo, name);
    CLEANUP(mem_freep) char *absolute = NULL;
    int result = check_name(name, err);
    if (result == 0 && !ref_is_valid(branch_ref))
        result = err_set(err, ERR_VALIDATION, "%s cannot be the name of a branch", branch);
    if (result == 0)
        result = absolute_path(path, &absolute, err);
    if (result == 0 && fs_exists(admin))
        result = worktree_remove(repo, name, absolute, err);
    if (result < 0)
        return result;
    if (rmdir(absolute) < 0 && errno != ENOENT)
        return err_errno(err, ERR_CONFLICT, errno, "%s is there already, and is not the worktree %s", path, name);
    result = make_worktree(repo, name, absolute, branch_ref, commit, err);
    if (result < 0 && worktree_remove(repo, name, absolute, NULL) < 0)
        return err_wrap(err, "a part is left at %s", path);
    return result;
}

int worktree_check(const struct repo *repo, const char *name, const char *path, struct err *err) {
    CLEANUP(mem_freep) char *pointer = mem_printf("%s/.git", path);
    CLEANUP(mem_freep) char *admin = admin_path(repo, name);
    CLEANUP(mem_freep) char *expected = mem_printf("gitdir: %s\n", admin);
    struct buf text = {.max_bytes = MAX_POINTER_BYTES};
    struct stat st;
    int result = check_name(name, err);
    if (result < 0)
        return result;
    bool is_file = lstat(pointer, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1;
    bool is_same = is_file && fs_read_file(pointer, MAX_POINTER_BYTES, &text, NULL) == 0 && text.data &&
                   strcmp(text.data, expected) == 0;
    buf_release(&text);
    if (!is_same)
        return err_field(err, ERR_VALIDATION, "path", ".git was changed, removed or replaced");
    return guard_check(repo, err);
}

/* The folder first: as long as it is there, the registration says so. */
int worktree_remove(struct repo *repo, const char *name, const char *path, struct err *err) {
    int result = check_name(name, err);
    if (result == 0)
        result = fs_remove_tree(path, err);
    return result == 0 ? unregister_worktree(repo, name, err) : result;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void closedirp(DIR **dir) {
    if (*dir)
        (void)closedir(*dir);
}

int worktree_list(struct repo *repo, struct arena *arena, char ***names, size_t *count, struct err *err) {
    CLEANUP(mem_freep) char *all = mem_printf("%sworktrees", repo->path);
    CLEANUP(closedirp) DIR *dir = opendir(all);
    CLEANUP(mem_freep) char **found = NULL;
    size_t found_count = 0, capacity = 0;
    const struct dirent *entry;
    if (!dir && errno != ENOENT)
        return err_errno(err, ERR_INTERNAL, errno, "cannot read %s", all);
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        if (found_count == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            found = mem_realloc(found, capacity * sizeof(*found));
        }
        found[found_count++] = arena_strdup(arena, entry->d_name);
    }
    if (found_count > 1)
        qsort(found, found_count, sizeof(*found), compare_names);
    *names = arena_array(arena, found_count, sizeof(**names));
    if (found_count)
        memcpy(*names, found, found_count * sizeof(*found));
    *count = found_count;
    return 0;
}
