/* patch: what a commit changed, as text that `git apply` takes. */
#include <string.h>

#include "base/buf.h"
#include "git/internal.h"

static int put_line(const git_diff_delta *delta, const git_diff_hunk *hunk, const git_diff_line *line, void *arg) {
    struct buf *out = arg;
    /* The others come with what begins them: "\ No newline at end of file", headers, binary data. */
    if (line->origin == GIT_DIFF_LINE_CONTEXT || line->origin == GIT_DIFF_LINE_ADDITION ||
        line->origin == GIT_DIFF_LINE_DELETION)
        buf_putc(out, line->origin);
    buf_put(out, line->content, line->content_len);
    return out->overflowed ? GIT_EUSER : 0;
}

/* The tree of the commit's first parent; NULL in *out if it has none. */
static int parent_tree(git_commit *commit, git_tree **out, struct err *err) {
    CLEANUP(commit_freep) git_commit *parent = NULL;
    *out = NULL;
    if (git_commit_parentcount(commit) == 0)
        return 0;
    if (git_commit_parent(&parent, commit, 0) < 0 || git_commit_tree(out, parent) < 0)
        return git_fail(err, ERR_INTERNAL, "cannot read the parent of %s", git_oid_tostr_s(git_commit_id(commit)));
    return 0;
}

static int diff_of(struct repo *repo, const char *sha, const git_diff_options *options, char base[SHA_LEN],
                   git_diff **out, struct err *err) {
    CLEANUP(commit_freep) git_commit *commit = NULL;
    CLEANUP(tree_freep) git_tree *old = NULL;
    CLEANUP(tree_freep) git_tree *new = NULL;
    int result = git_commit_of(repo, sha, &commit, err);
    if (result == 0)
        result = parent_tree(commit, &old, err);
    if (result < 0)
        return result;
    base[0] = '\0';
    if (old)
        (void)git_oid_tostr(base, SHA_LEN, git_commit_parent_id(commit, 0));
    if (git_commit_tree(&new, commit) < 0 || git_diff_tree_to_tree(out, repo->git, old, new, options) < 0)
        return git_fail(err, ERR_INTERNAL, "cannot compare commit %s with its parent", sha);
    return 0;
}

int repo_patch(struct repo *repo, const char *sha, unsigned context_lines, struct buf *out, struct err *err) {
    CLEANUP(diff_freep) git_diff *diff = NULL;
    git_diff_options options = GIT_DIFF_OPTIONS_INIT;
    char base[SHA_LEN];
    /* Binary files with their content and whole ids: git apply asks for both. A file that becomes a symlink is one
     * removed and one made. */
    options.flags = GIT_DIFF_SHOW_BINARY;
    options.id_abbrev = GIT_OID_HEXSZ;
    options.context_lines = context_lines;
    int result = diff_of(repo, sha, &options, base, &diff, err);
    if (result < 0)
        return result;
    size_t len = out->len;
    buf_puts(out, ""); /* terminated, also when there is nothing to say */
    result = git_diff_print(diff, GIT_DIFF_FORMAT_PATCH, put_line, out);
    if (result == 0 && !out->overflowed)
        return 0;
    out->len = len;
    out->data[len] = '\0';
    if (out->overflowed)
        return err_set(err, ERR_TOO_LARGE, "The patch of commit %s is larger than %zu bytes", sha, out->max_bytes);
    return git_fail(err, ERR_INTERNAL, "cannot write the patch of commit %s", sha);
}

static int count_lines(git_diff *diff, size_t index, struct arena *arena, struct patch_file *file, struct err *err) {
    CLEANUP(patch_freep) git_patch *patch = NULL;
    const git_diff_delta *delta = git_diff_get_delta(diff, index);
    file->path = arena_strdup(arena, delta->new_file.path);
    file->kind = delta->status == GIT_DELTA_ADDED     ? CHANGE_CREATED
                 : delta->status == GIT_DELTA_DELETED ? CHANGE_DELETED
                                                      : CHANGE_MODIFIED;
    if (git_patch_from_diff(&patch, diff, index) < 0 ||
        (patch && git_patch_line_stats(NULL, &file->additions, &file->deletions, patch) < 0))
        return git_fail(err, ERR_INTERNAL, "cannot count the lines of %s", file->path);
    /* Known once the content was looked at. */
    delta = patch ? git_patch_get_delta(patch) : delta;
    file->is_binary = (delta->flags & GIT_DIFF_FLAG_BINARY) != 0;
    return 0;
}

int repo_patch_files(struct repo *repo, struct arena *arena, const char *sha, struct patch_files *out,
                     struct err *err) {
    CLEANUP(diff_freep) git_diff *diff = NULL;
    git_diff_options options = GIT_DIFF_OPTIONS_INIT;
    struct patch_files files = {0};
    int result = diff_of(repo, sha, &options, files.base, &diff, err);
    if (result < 0)
        return result;
    files.count = git_diff_num_deltas(diff);
    files.items = arena_array(arena, files.count + 1, sizeof *files.items);
    for (size_t i = 0; result == 0 && i < files.count; i++)
        result = count_lines(diff, i, arena, &files.items[i], err);
    if (result == 0)
        *out = files;
    return result;
}
