/* commit: making commits of trees, without a working tree and without refs. */
#include <string.h>

#include "base/str.h"
#include "git/internal.h"

enum { MAX_PARENTS = 2 };

struct parents {
    git_commit *at[MAX_PARENTS];
    size_t count;
};

static void parents_release(struct parents *parents) {
    for (size_t i = 0; i < parents->count; i++)
        git_commit_free(parents->at[i]);
}

static int find_parents(struct repo *repo, const struct commit_spec *spec, struct parents *out, struct err *err) {
    for (size_t i = 0; i < MAX_PARENTS; i++) {
        if (!spec->parents[i] || !*spec->parents[i])
            continue;
        int result = git_commit_of(repo, spec->parents[i], &out->at[out->count], err);
        if (result < 0)
            return result;
        out->count++;
    }
    return 0;
}

int commit_stage(struct repo *repo, const git_tree *tree, const struct commit_spec *spec, git_oid *out,
                 struct err *err) {
    CLEANUP(parents_release) struct parents parents = {0};
    CLEANUP(signature_freep) git_signature *author = NULL;
    const char *message = str_or(spec->message, "");
    /* Ended by a newline, as git itself writes them. */
    CLEANUP(mem_freep) char *line = mem_printf(str_ends(message, "\n") ? "%s" : "%s\n", message);
    int result = find_parents(repo, spec, &parents, err);
    if (result < 0)
        return result;
    if (spec->time_ms < 0)
        return err_set(err, ERR_VALIDATION, "a commit cannot be older than 1970");
    if (git_signature_new(&author, str_or(spec->author_name, "Prazium"),
                          str_or(spec->author_email, "prazium@localhost"), spec->time_ms / 1000, 0) < 0)
        return git_fail(err, ERR_VALIDATION, "cannot use the author's name");
    if (git_commit_create(out, repo->git, NULL, author, author, NULL, line, tree, parents.count,
                          (const git_commit **)parents.at) < 0)
        return git_fail(err, ERR_INTERNAL, "cannot make a commit");
    return 0;
}

static int commit_write(struct repo *repo, const git_tree *tree, const struct commit_spec *spec, char out[SHA_LEN],
                        struct err *err) {
    git_oid id;
    int result = commit_stage(repo, tree, spec, &id, err);
    if (result == 0)
        result = stage_flush(repo, err);
    if (result == 0)
        (void)git_oid_tostr(out, SHA_LEN, &id);
    return result;
}

int repo_commit_empty(struct repo *repo, const struct commit_spec *spec, char out[SHA_LEN], struct err *err) {
    CLEANUP(tree_freep) git_tree *tree = NULL;
    git_oid id;
    int result = git_tree_of(repo, str_or(spec->parents[0], ""), &tree, err);
    if (result < 0)
        return result;
    if (!tree) {
        result = stage_put(repo, GIT_OBJECT_TREE, "", 0, &id, err);
        if (result < 0)
            return result;
        if (git_tree_lookup(&tree, repo->git, &id) < 0)
            return git_fail(err, ERR_INTERNAL, "cannot make an empty tree");
    }
    return commit_write(repo, tree, spec, out, err);
}

int repo_commit_tree(struct repo *repo, const char *tree, const struct commit_spec *spec, char out[SHA_LEN],
                     struct err *err) {
    CLEANUP(tree_freep) git_tree *found = NULL;
    git_oid id;
    int result = git_parse_sha(&id, tree) ? git_tree_lookup(&found, repo->git, &id) : GIT_ENOTFOUND;
    if (result == GIT_ENOTFOUND)
        return err_field(err, ERR_NOT_FOUND, "tree",
                         "there is no tree %s: it is committed with the handle that scanned it", str_or(tree, ""));
    if (result < 0)
        return git_fail(err, ERR_INTERNAL, "cannot read tree %s", tree);
    return commit_write(repo, found, spec, out, err);
}
