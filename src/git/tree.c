/* tree: looking into a commit's files. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/fs.h"
#include "git/internal.h"

static int not_found(struct err *err, const char *path) {
    return err_field(err, ERR_NOT_FOUND, "path", "there is no %s", *path ? path : "such path");
}

/* Without slashes at both ends; the caller frees. */
static char *trim_slashes(const char *path) {
    path += strspn(path, "/");
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] == '/')
        len--;
    return mem_strndup(path, len);
}

/* An entry that the caller frees. tree may be NULL: an empty one. */
static int find_entry(const git_tree *tree, const char *path, git_tree_entry **out, struct err *err) {
    CLEANUP(mem_freep) char *trimmed = trim_slashes(path);
    if (!tree || !fs_is_safe_relative(trimmed))
        return not_found(err, path);
    int result = git_tree_entry_bypath(out, tree, trimmed);
    if (result == GIT_ENOTFOUND)
        return not_found(err, path);
    return result < 0 ? git_fail(err, ERR_INTERNAL, "cannot read %s", path) : 0;
}

/* Replaces *tree by the one at path within it. */
static int enter(struct repo *repo, git_tree **tree, const char *path, struct err *err) {
    git_tree_entry *entry = NULL;
    git_tree *below = NULL;
    if (strspn(path, "/") == strlen(path))
        return 0;
    int result = find_entry(*tree, path, &entry, err);
    if (result < 0)
        return result;
    if (git_tree_entry_type(entry) != GIT_OBJECT_TREE)
        result = not_found(err, path);
    else if (git_tree_lookup(&below, repo->git, git_tree_entry_id(entry)) < 0)
        result = git_fail(err, ERR_INTERNAL, "cannot read %s", path);
    git_tree_entry_free(entry);
    if (result < 0)
        return result;
    git_tree_free(*tree);
    *tree = below;
    return 0;
}

static int compare_entries(const void *a, const void *b) {
    const struct tree_entry *first = a, *second = b;
    if (first->is_directory != second->is_directory)
        return first->is_directory ? -1 : 1;
    return strcmp(first->name, second->name);
}

int repo_list(struct repo *repo, struct arena *arena, const char *commit, const char *path, struct tree_entry **out,
              size_t *count, struct err *err) {
    CLEANUP(tree_freep) git_tree *tree = NULL;
    int result = git_tree_of(repo, commit, &tree, err);
    if (result == 0)
        result = enter(repo, &tree, path, err);
    if (result < 0)
        return result;
    size_t entry_count = tree ? git_tree_entrycount(tree) : 0;
    struct tree_entry *entries = arena_array(arena, entry_count, sizeof(*entries));
    for (size_t i = 0; i < entry_count; i++) {
        const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
        size_t size = 0;
        git_object_t type = git_tree_entry_type(entry);
        entries[i].name = arena_strdup(arena, git_tree_entry_name(entry));
        entries[i].is_directory = type == GIT_OBJECT_TREE;
        if (type == GIT_OBJECT_BLOB && git_odb_read_header(&size, &type, repo->odb, git_tree_entry_id(entry)) < 0)
            return git_fail(err, ERR_INTERNAL, "cannot read %s", entries[i].name);
        entries[i].size_bytes = (int64_t)size;
    }
    if (entry_count > 1)
        qsort(entries, entry_count, sizeof(*entries), compare_entries);
    *out = entries;
    *count = entry_count;
    return 0;
}

static int read_blob(struct repo *repo, struct arena *arena, const git_oid *id, const char *path, size_t max_bytes,
                     const char **data, size_t *len, struct err *err) {
    CLEANUP(odb_object_freep) git_odb_object *object = NULL;
    git_object_t type;
    size_t size;
    if (git_odb_read_header(&size, &type, repo->odb, id) < 0)
        return git_fail(err, ERR_INTERNAL, "cannot read %s", path);
    if (size > max_bytes)
        return err_field(err, ERR_TOO_LARGE, "path", "%s is larger than %zu bytes", path, max_bytes);
    if (git_odb_read(&object, repo->odb, id) < 0)
        return git_fail(err, ERR_INTERNAL, "cannot read %s", path);
    /* Terminated, for those who want a text. */
    char *copy = arena_alloc(arena, size + 1);
    memcpy(copy, git_odb_object_data(object), size);
    *data = copy;
    *len = size;
    return 0;
}

int repo_read(struct repo *repo, struct arena *arena, const char *commit, const char *path, size_t max_bytes,
              const char **data, size_t *len, struct err *err) {
    CLEANUP(tree_freep) git_tree *tree = NULL;
    git_tree_entry *entry = NULL;
    int result = git_tree_of(repo, commit, &tree, err);
    if (result == 0)
        result = find_entry(tree, path, &entry, err);
    if (result < 0)
        return result;
    if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB)
        result = read_blob(repo, arena, git_tree_entry_id(entry), path, max_bytes, data, len, err);
    else
        result = not_found(err, path);
    git_tree_entry_free(entry);
    return result;
}

int repo_paths(struct repo *repo, struct arena *arena, const char *commit, char ***paths, size_t *count,
               struct err *err) {
    CLEANUP(tree_freep) git_tree *tree = NULL;
    struct change_list files;
    int result = git_tree_of(repo, commit, &tree, err);
    /* As if all were to be deleted: then the files themselves need not be looked at. */
    if (result == 0)
        result = diff_trees(repo, arena, tree, NULL, &files, err);
    if (result < 0)
        return result;
    *paths = arena_array(arena, files.count, sizeof(**paths));
    for (size_t i = 0; i < files.count; i++)
        (*paths)[i] = arena_strdup(arena, files.items[i].path);
    *count = files.count;
    return 0;
}
