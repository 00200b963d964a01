/* internal: what the files of git/ share. Not for other layers. */
#ifndef GIT_INTERNAL_H
#define GIT_INTERNAL_H

#include <git2.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/mem.h"
#include "git/git.h"

/* In the repository: registrations of worktrees that are being made or removed. */
#define PENDING_FOLDER "pending-worktrees"

struct stage;

struct repo {
    git_repository *git;
    git_odb *odb;
    struct stage *stage; /* owned by odb */
    char *path;          /* absolute, with a slash at its end */
};

/* The whole configuration of a repository of ours. */
extern const char repo_config_text[];
/* ERR_VALIDATION when somebody changed the configuration, or planted hooks and their like; then it is mended. */
int guard_check(const struct repo *repo, struct err *err);

/* As err_set, with what libgit2 said of its latest failure in this thread appended. */
int git_fail(struct err *err, enum err_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Whole of text as a full object id. */
bool git_parse_sha(git_oid *out, const char *text);
/* A full name that git takes, below refs/. */
bool ref_is_valid(const char *name);
/* The commit, or ERR_NOT_FOUND with field "ref". The caller frees. */
MUST_CHECK int git_commit_of(struct repo *repo, const char *sha, git_commit **out, struct err *err);
/* The tree of a commit; NULL in *out for "". ERR_NOT_FOUND with field "ref". */
MUST_CHECK int git_tree_of(struct repo *repo, const char *sha, git_tree **out, struct err *err);

/* stage: objects in the making, in memory, where every read of this handle finds them. */
MUST_CHECK int stage_attach(struct repo *repo, struct err *err);
/* Puts an object there unless the repository has it; one it has is kept from repo_tidy for a while. */
MUST_CHECK int stage_put(struct repo *repo, git_object_t type, const void *data, size_t len, git_oid *out,
                         struct err *err);
/* Writes all that is staged as one pack, fsynced. */
MUST_CHECK int stage_flush(struct repo *repo, struct err *err);
void stage_clear(struct repo *repo);

/* Why git, or some file system, would not take this as the name of a file; NULL if it is fine. */
const char *name_fault(const char *name);
bool name_is_attributes(const char *name); /* as any file system may see it */
/* Why a symlink that is `depth` folders below the root must not hold this target; NULL if it is fine. */
const char *link_fault(const char *target, size_t depth);
/* Like strcmp, in the order of entries in a tree: as if a folder's name had a slash at its end. */
int name_order(const char *a, bool is_folder_a, const char *b, bool is_folder_b);

/* Fills path (made; must be absent or an empty folder) with a tree's files; adds them to index unless that is NULL. */
MUST_CHECK int checkout_tree(struct repo *repo, const git_tree *tree, const char *path, git_index *index,
                             struct err *err);
/* Changes from one tree to another; either may be NULL. */
MUST_CHECK int diff_trees(struct repo *repo, struct arena *arena, const git_tree *from, const git_tree *to,
                          struct change_list *out, struct err *err);
/* Signature, parents and message of spec, with this tree; into the stage. */
MUST_CHECK int commit_stage(struct repo *repo, const git_tree *tree, const struct commit_spec *spec, git_oid *out,
                            struct err *err);
/* Removes lock files and half-written files that are older than this. */
MUST_CHECK int locks_clear(const struct repo *repo, int older_than_s, struct err *err);
/* Removes this lock file if it is older than a minute: its maker was killed. */
void lock_clear_stale(const struct repo *repo, const char *relative);

#define GIT_CLEANUP(type)                                                                                              \
    static inline void type##_freep(git_##type **it) {                                                                 \
        git_##type##_free(*it);                                                                                        \
    }
GIT_CLEANUP(blob)
GIT_CLEANUP(commit)
GIT_CLEANUP(diff)
GIT_CLEANUP(index)
GIT_CLEANUP(object)
GIT_CLEANUP(odb_object)
GIT_CLEANUP(packbuilder)
GIT_CLEANUP(patch)
GIT_CLEANUP(reference)
GIT_CLEANUP(reference_iterator)
GIT_CLEANUP(revwalk)
GIT_CLEANUP(signature)
GIT_CLEANUP(tree)
#undef GIT_CLEANUP

#endif
