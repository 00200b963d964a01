/* diff: what files differ between two trees. */
#include <string.h>

#include "base/buf.h"
#include "git/internal.h"

struct diff {
    struct repo *repo;
    struct arena *arena;
    struct change *items; /* grows; copied to the arena at the end */
    size_t count;
    size_t capacity;
    struct buf path; /* of the folder being compared, with a slash at its end; empty for the root */
    struct err *err;
};

static void diff_release(struct diff *diff) {
    mem_freep(&diff->items);
    buf_release(&diff->path);
}

static int diff_folders(struct diff *diff, const git_tree *from, const git_tree *to);

static bool is_folder(const git_tree_entry *entry) {
    return git_tree_entry_type(entry) == GIT_OBJECT_TREE;
}

/* Then files come in the order of their paths. */
static int compare_entries(const git_tree_entry *a, const git_tree_entry *b) {
    return name_order(git_tree_entry_name(a), is_folder(a), git_tree_entry_name(b), is_folder(b));
}

static int add_change(struct diff *diff, int kind, const git_tree_entry *entry) {
    size_t size = 0;
    git_object_t type;
    const git_oid *id = git_tree_entry_id(entry);
    if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB)
        return 0;
    if (kind != CHANGE_DELETED && git_odb_read_header(&size, &type, diff->repo->odb, id) < 0)
        return git_fail(diff->err, ERR_INTERNAL, "cannot read %s%s", diff->path.data, git_tree_entry_name(entry));
    if (diff->count == diff->capacity) {
        diff->capacity = diff->capacity ? diff->capacity * 2 : 64;
        diff->items = mem_realloc(diff->items, diff->capacity * sizeof(*diff->items));
    }
    struct change *change = &diff->items[diff->count++];
    *change = (struct change){.size_bytes = (int64_t)size};
    change->path = arena_printf(diff->arena, "%s%s", diff->path.data, git_tree_entry_name(entry));
    change->kind = kind;
    return 0;
}

/* Either may be NULL; if neither is, they have one name. */
static int diff_entries(struct diff *diff, const git_tree_entry *from, const git_tree_entry *to) {
    CLEANUP(tree_freep) git_tree *old = NULL;
    CLEANUP(tree_freep) git_tree *new = NULL;
    const git_tree_entry *entry = from ? from : to;
    if (!is_folder(entry)) {
        bool is_same = from && to && git_oid_equal(git_tree_entry_id(from), git_tree_entry_id(to)) &&
                       git_tree_entry_filemode(from) == git_tree_entry_filemode(to);
        if (is_same)
            return 0;
        return add_change(diff, !from ? CHANGE_CREATED : !to ? CHANGE_DELETED : CHANGE_MODIFIED, to ? to : from);
    }
    if (from && to && git_oid_equal(git_tree_entry_id(from), git_tree_entry_id(to)))
        return 0;
    git_repository *git = diff->repo->git;
    if ((from && git_tree_lookup(&old, git, git_tree_entry_id(from)) < 0) ||
        (to && git_tree_lookup(&new, git, git_tree_entry_id(to)) < 0))
        return git_fail(diff->err, ERR_INTERNAL, "cannot read %s%s", diff->path.data, git_tree_entry_name(entry));
    size_t len = diff->path.len;
    buf_printf(&diff->path, "%s/", git_tree_entry_name(entry));
    int result = diff_folders(diff, old, new);
    diff->path.len = len;
    diff->path.data[len] = '\0';
    return result;
}

static int diff_folders(struct diff *diff, const git_tree *from, const git_tree *to) {
    size_t from_count = from ? git_tree_entrycount(from) : 0;
    size_t to_count = to ? git_tree_entrycount(to) : 0;
    size_t i = 0, k = 0;
    int result = 0;
    while (result == 0 && (i < from_count || k < to_count)) {
        const git_tree_entry *old = i < from_count ? git_tree_entry_byindex(from, i) : NULL;
        const git_tree_entry *new = k < to_count ? git_tree_entry_byindex(to, k) : NULL;
        int order = !old ? 1 : !new ? -1 : compare_entries(old, new);
        result = diff_entries(diff, order <= 0 ? old : NULL, order >= 0 ? new : NULL);
        i += order <= 0;
        k += order >= 0;
    }
    return result;
}

int diff_trees(struct repo *repo, struct arena *arena, const git_tree *from, const git_tree *to,
               struct change_list *out, struct err *err) {
    CLEANUP(diff_release) struct diff diff = {.repo = repo, .arena = arena, .err = err};
    buf_puts(&diff.path, "");
    int result = diff_folders(&diff, from, to);
    if (result < 0)
        return result;
    out->items = arena_array(arena, diff.count, sizeof(*out->items));
    if (diff.count)
        memcpy(out->items, diff.items, diff.count * sizeof(*out->items));
    out->count = diff.count;
    return 0;
}

int repo_diff(struct repo *repo, struct arena *arena, const char *from, const char *to, struct change_list *out,
              struct err *err) {
    CLEANUP(tree_freep) git_tree *old = NULL;
    CLEANUP(tree_freep) git_tree *new = NULL;
    int result = git_tree_of(repo, from, &old, err);
    if (result == 0)
        result = git_tree_of(repo, to, &new, err);
    return result < 0 ? result : diff_trees(repo, arena, old, new, out, err);
}
