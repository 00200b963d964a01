/* repo: starting libgit2, making and opening bare repositories, and the look-ups that the rest is made of. */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "git/internal.h"

/* What every repository of ours holds. Readers need no reflogs; a git run by hand or by an agent in a worktree must
 * neither run hooks nor collect garbage beside us. libgit2 1.5 takes pack.deltaCacheSize for the size, too, from which
 * on it stores a file without searching for deltas. */
const char repo_config_text[] = "[core]\n"
                                "\trepositoryformatversion = 0\n"
                                "\tfilemode = true\n"
                                "\tbare = true\n"
                                "\tlogAllRefUpdates = false\n"
                                "\tautocrlf = false\n"
                                "\thooksPath = /dev/null\n"
                                "\tprotectHFS = true\n"
                                "\tprotectNTFS = true\n"
                                "[gc]\n"
                                "\tauto = 0\n"
                                "[maintenance]\n"
                                "\tauto = false\n"
                                "[pack]\n"
                                "\tdeltaCacheSize = 1m\n"
                                "\twindowMemory = 32m\n";
static const char head_text[] = "ref: refs/heads/main\n";

int git_start(struct err *err) {
    static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
                                 GIT_CONFIG_LEVEL_GLOBAL};
    if (git_libgit2_init() < 0)
        return git_fail(err, ERR_INTERNAL, "cannot start libgit2");
    /* No configuration but the repository's own; who owns its files is for the data directory's mode to guard. */
    int result = git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    for (size_t i = 0; i < ARRAY_LEN(levels) && result == 0; i++)
        result = git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
    if (result == 0)
        result = git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    /* What is cached would still be "there" after the stage was emptied, or after repo_tidy of another process. */
    if (result == 0)
        result = git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0);
    if (result == 0)
        return 0;
    result = git_fail(err, ERR_INTERNAL, "cannot set up libgit2");
    git_stop();
    return result;
}

void git_stop(void) {
    (void)git_libgit2_shutdown();
}

static int write_if_absent(const char *path, const char *name, const char *text, struct err *err) {
    CLEANUP(mem_freep) char *file = mem_printf("%s/%s", path, name);
    return fs_exists(file) ? 0 : fs_write_file_atomic(file, text, strlen(text), 0644, err);
}

/* By ourselves: each step is atomic or may be done twice, and HEAD, without which it is no repository, comes last. */
int repo_create(const char *path, struct err *err) {
    static const char *const folders[] = {
        "objects/pack", "objects/info", "refs/heads", "refs/tags", "refs", "objects", ""};
    int result = 0;
    for (size_t i = 0; i < ARRAY_LEN(folders) && result == 0; i++) {
        CLEANUP(mem_freep) char *folder = mem_printf("%s/%s", path, folders[i]);
        result = fs_mkdirs(folder, 0755, err);
        if (result == 0)
            result = fs_sync_dir(folder, err);
    }
    if (result == 0)
        result = write_if_absent(path, "config", repo_config_text, err);
    if (result == 0)
        result = write_if_absent(path, "HEAD", head_text, err);
    if (result == 0) {
        CLEANUP(mem_freep) char *parent = mem_printf("%s/..", path);
        result = fs_sync_dir(parent, err);
    }
    if (result < 0)
        return err_wrap(err, "cannot make a repository");
    CLEANUP(repo_closep) struct repo *repo = NULL;
    return repo_open(&repo, path, err);
}

int repo_open(struct repo **out, const char *path, struct err *err) {
    CLEANUP(repo_closep) struct repo *repo = mem_alloc(sizeof(*repo));
    int result = git_repository_open_bare(&repo->git, path);
    if (result == GIT_ENOTFOUND)
        return err_set(err, ERR_NOT_FOUND, "there is no repository at %s", path);
    if (result < 0 || git_repository_odb(&repo->odb, repo->git) < 0)
        return git_fail(err, ERR_INTERNAL, "cannot open the repository at %s", path);
    repo->path = mem_strdup(git_repository_path(repo->git));
    result = stage_attach(repo, err);
    if (result < 0)
        return result;
    *out = take(repo);
    return 0;
}

void repo_close(struct repo *repo) {
    if (!repo)
        return;
    git_odb_free(repo->odb);
    git_repository_free(repo->git);
    free(repo->path);
    free(repo);
}

void repo_closep(struct repo **repo) {
    repo_close(*repo);
    *repo = NULL;
}

bool git_parse_sha(git_oid *out, const char *text) {
    return text && strlen(text) == GIT_OID_HEXSZ && git_oid_fromstr(out, text) == 0;
}

int git_commit_of(struct repo *repo, const char *sha, git_commit **out, struct err *err) {
    git_oid id;
    if (!git_parse_sha(&id, sha))
        return err_field(err, ERR_NOT_FOUND, "ref", "%s is no commit id", sha && *sha ? sha : "an empty text");
    int result = git_commit_lookup(out, repo->git, &id);
    if (result == GIT_ENOTFOUND)
        return err_field(err, ERR_NOT_FOUND, "ref", "there is no commit %s", sha);
    return result < 0 ? git_fail(err, ERR_INTERNAL, "cannot read commit %s", sha) : 0;
}

int git_tree_of(struct repo *repo, const char *sha, git_tree **out, struct err *err) {
    CLEANUP(commit_freep) git_commit *commit = NULL;
    if (!*sha) {
        *out = NULL;
        return 0;
    }
    int result = git_commit_of(repo, sha, &commit, err);
    if (result < 0)
        return result;
    return git_commit_tree(out, commit) < 0 ? git_fail(err, ERR_INTERNAL, "cannot read the tree of %s", sha) : 0;
}

int repo_is_ancestor(struct repo *repo, const char *ancestor, const char *commit, bool *out, struct err *err) {
    CLEANUP(commit_freep) git_commit *old = NULL;
    CLEANUP(commit_freep) git_commit *new = NULL;
    int result = git_commit_of(repo, ancestor, &old, err);
    if (result == 0)
        result = git_commit_of(repo, commit, &new, err);
    if (result < 0)
        return result;
    const git_oid *old_id = git_commit_id(old);
    const git_oid *new_id = git_commit_id(new);
    int is_below = git_oid_equal(old_id, new_id) ? 1 : git_graph_descendant_of(repo->git, new_id, old_id);
    if (is_below < 0)
        return git_fail(err, ERR_INTERNAL, "cannot walk the history of %s", commit);
    *out = is_below == 1;
    return 0;
}
