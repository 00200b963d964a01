/* merge: three-way merges of commits, in the object database alone. */
#include <stdlib.h>
#include <string.h>

#include "git/internal.h"

static int compare_paths(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_path(struct arena *arena, struct merge_result *out, const git_index_entry *entry) {
    if (entry)
        out->conflicts[out->conflict_count++] = arena_strdup(arena, entry->path);
}

static void sort_unique(struct merge_result *out) {
    size_t kept = 0;
    if (out->conflict_count > 1)
        qsort(out->conflicts, out->conflict_count, sizeof(*out->conflicts), compare_paths);
    for (size_t i = 0; i < out->conflict_count; i++)
        if (kept == 0 || strcmp(out->conflicts[kept - 1], out->conflicts[i]) != 0)
            out->conflicts[kept++] = out->conflicts[i];
    out->conflict_count = kept;
}

/* The paths of both sides and the base: a rename may give them different ones. */
static int list_conflicts(struct arena *arena, git_index *index, struct merge_result *out, struct err *err) {
    const git_index_entry *base, *ours, *theirs;
    git_index_conflict_iterator *iterator;
    if (git_index_conflict_iterator_new(&iterator, index) < 0)
        return git_fail(err, ERR_INTERNAL, "cannot list the conflicts");
    out->conflicts = arena_array(arena, git_index_entrycount(index), sizeof(*out->conflicts));
    int result;
    while ((result = git_index_conflict_next(&base, &ours, &theirs, iterator)) == 0) {
        add_path(arena, out, base);
        add_path(arena, out, ours);
        add_path(arena, out, theirs);
    }
    git_index_conflict_iterator_free(iterator);
    if (result != GIT_ITEROVER)
        return git_fail(err, ERR_INTERNAL, "cannot list the conflicts");
    sort_unique(out);
    out->is_conflict = true;
    return 0;
}

static int merge_commits(struct repo *repo, const char *ours, const char *theirs, git_index **out, struct err *err) {
    CLEANUP(commit_freep) git_commit *our_commit = NULL;
    CLEANUP(commit_freep) git_commit *their_commit = NULL;
    git_merge_options options = GIT_MERGE_OPTIONS_INIT;
    options.flags = GIT_MERGE_FIND_RENAMES | GIT_MERGE_SKIP_REUC;
    int result = git_commit_of(repo, ours, &our_commit, err);
    if (result == 0)
        result = git_commit_of(repo, theirs, &their_commit, err);
    if (result < 0)
        return result;
    if (git_merge_commits(out, repo->git, our_commit, their_commit, &options) < 0)
        return git_fail(err, ERR_INTERNAL, "cannot merge %s into %s", theirs, ours);
    return 0;
}

static int commit_index(struct repo *repo, git_index *index, const char *ours, const char *theirs,
                        const struct commit_spec *spec, char out[SHA_LEN], struct err *err) {
    CLEANUP(tree_freep) git_tree *tree = NULL;
    struct commit_spec merge = *spec;
    git_oid id;
    if (git_index_write_tree_to(&id, index, repo->git) < 0 || git_tree_lookup(&tree, repo->git, &id) < 0)
        return git_fail(err, ERR_INTERNAL, "cannot write the merged tree");
    merge.parents[0] = ours;
    merge.parents[1] = theirs;
    int result = commit_stage(repo, tree, &merge, &id, err);
    if (result == 0)
        result = stage_flush(repo, err);
    if (result == 0)
        (void)git_oid_tostr(out, SHA_LEN, &id);
    return result;
}

int repo_merge(struct repo *repo, struct arena *arena, const char *ours, const char *theirs,
               const struct commit_spec *spec, struct merge_result *out, struct err *err) {
    CLEANUP(index_freep) git_index *index = NULL;
    struct merge_result merged = {0};
    int result = merge_commits(repo, ours, theirs, &index, err);
    if (result == 0 && git_index_has_conflicts(index))
        result = list_conflicts(arena, index, &merged, err);
    else if (result == 0)
        result = commit_index(repo, index, ours, theirs, spec, merged.commit, err);
    /* Files merged on the way to a conflict are of no use. */
    stage_clear(repo);
    if (result == 0)
        *out = merged;
    return result;
}
