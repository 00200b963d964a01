/* git: a project's bare repository, its branches, worktrees, merges, trees and archives, by libgit2.
 *
 * A worktree after an agent has been in it is hostile: nothing here opens its `.git`, reads its config or runs a hook
 * or a filter. Commits are made from a scan of its files. Objects of one commit are written as one pack that is
 * fsynced; refs are written atomically and fsynced. Safe for concurrent use from many threads and processes, each with
 * a handle of its own. */
#ifndef GIT_GIT_H
#define GIT_GIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/run.h"

struct repo;

/* Once per process, before and after all else. */
MUST_CHECK int git_start(struct err *err);
void git_stop(void);

/* Makes (if absent) and opens a bare repository whose HEAD is refs/heads/main. Idempotent, also after a crash half-way.
 */
MUST_CHECK int repo_create(const char *path, struct err *err);
MUST_CHECK int repo_open(struct repo **out, const char *path, struct err *err); /* ERR_NOT_FOUND if absent */
void repo_close(struct repo *repo);
void repo_closep(struct repo **repo);
/* Removes every lock file and half-written object file at once. For the start of the only process that uses the
 * repository. */
MUST_CHECK int repo_clear_locks(struct repo *repo, struct err *err);

/* A ref's commit: out is "" when there is none. name is a full name (refs/heads/main). */
MUST_CHECK int repo_ref_get(struct repo *repo, const char *name, char out[SHA_LEN], struct err *err);
/* Compare and set; old "" means it must not exist, NULL means whatever is there; new "" deletes. ERR_CONFLICT if it was
 * another. Waits for another's lock up to 10 s (ERR_UNAVAILABLE); one older than a minute is a dead process's, and
 * removed. */
MUST_CHECK int repo_ref_set(struct repo *repo, const char *name, const char *old_sha, const char *new_sha,
                            struct err *err);
/* All refs below prefix (e.g. "refs/heads/"), sorted. */
MUST_CHECK int repo_ref_list(struct repo *repo, struct arena *arena, const char *prefix, char ***names, size_t *count,
                             struct err *err);
/* Branch, tag, archived task branch (refs/prazium/…), or commit id → commit. ERR_NOT_FOUND, field "ref". */
MUST_CHECK int repo_resolve(struct repo *repo, const char *ref, char out[SHA_LEN], struct err *err);
/* True in *out if ancestor is reachable from (or equal to) commit. */
MUST_CHECK int repo_is_ancestor(struct repo *repo, const char *ancestor, const char *commit, bool *out,
                                struct err *err);

struct commit_spec {
    const char *parents[2]; /* parents[0] may be "" for a root commit; parents[1] NULL for no merge */
    const char *message;
    int64_t time_ms;                        /* author and committer time */
    const char *author_name, *author_email; /* NULL: "Prazium", "prazium@localhost" */
};

/* A commit without changes: its tree is parents[0]'s, or empty for a root commit. Deterministic: same input, same id.
 */
MUST_CHECK int repo_commit_empty(struct repo *repo, const struct commit_spec *spec, char out[SHA_LEN], struct err *err);

/* Fills path (must not exist) with the files of commit ("" for an empty tree), and registers it as a git worktree with
 * its HEAD on `branch`, so that tools that run inside see a normal checkout. Idempotent: leftovers of the same name are
 * removed first. */
MUST_CHECK int worktree_create(struct repo *repo, const char *name, const char *path, const char *branch,
                               const char *commit, struct err *err);
/* After somebody untrusted was in it: ERR_VALIDATION when its `.git` is not what worktree_create wrote, or the
 * repository's configuration is not ours any more, or it has hooks, filters or alternates: then they are removed. */
MUST_CHECK int worktree_check(const struct repo *repo, const char *name, const char *path, struct err *err);
/* Removes the folder and its registration; absent is fine. */
MUST_CHECK int worktree_remove(struct repo *repo, const char *name, const char *path, struct err *err);
/* Names of registered worktrees. */
MUST_CHECK int worktree_list(struct repo *repo, struct arena *arena, char ***names, size_t *count, struct err *err);
/* Plain files of a commit at path, without `.git`. */
MUST_CHECK int repo_checkout(struct repo *repo, const char *commit, const char *path, struct err *err);

enum change_kind { CHANGE_CREATED, CHANGE_MODIFIED, CHANGE_DELETED };
struct change {
    enum change_kind kind;
    const char *path;
    int64_t size_bytes; /* of the new content; 0 when deleted */
};
struct change_list {
    struct change *items; /* by path */
    size_t count;
};

/* Scans the folder (not through git), leaving out its `.git` and what `ignored` names at any depth (node_modules,
 * .next, .DS_Store), and writes the tree. Refuses with ERR_VALIDATION, naming the path: symlinks that are absolute or
 * leave the tree, device files, sockets, fifos, a nested `.git`, names git refuses (also on other systems' file
 * systems, names that are not UTF-8, `.gitmodules`), set-user-id files, hard links, `.gitattributes` with a filter,
 * files over 32 MiB, more than 20,000 files, 1 GiB in all, folders 128 deep. changes: against base ("" for none). tree:
 * its id. The tree's new objects stay in memory with this handle until repo_commit_tree writes them together with the
 * commit: scan and commit with one handle, one after the other. */
MUST_CHECK int worktree_scan(struct repo *repo, struct arena *arena, const char *path, const char *base,
                             char tree[SHA_LEN], struct change_list *changes, struct err *err);
/* A commit of the tree that worktree_scan made with this handle (or of one in the repository). ERR_NOT_FOUND, field
 * "tree". */
MUST_CHECK int repo_commit_tree(struct repo *repo, const char *tree, const struct commit_spec *spec, char out[SHA_LEN],
                                struct err *err);

struct merge_result {
    bool is_conflict;
    char commit[SHA_LEN]; /* when not a conflict */
    char **conflicts;     /* paths, when a conflict */
    size_t conflict_count;
};
/* Three-way merge of theirs into ours, always as a merge commit (parents ours, theirs); refs are not touched. */
MUST_CHECK int repo_merge(struct repo *repo, struct arena *arena, const char *ours, const char *theirs,
                          const struct commit_spec *spec, struct merge_result *out, struct err *err);

struct tree_entry {
    const char *name;
    bool is_directory;
    int64_t size_bytes; /* of a file */
};
/* Entries of a directory ("" or "/" for the root) at a commit, directories first, then by name. ERR_NOT_FOUND field
 * "path". */
MUST_CHECK int repo_list(struct repo *repo, struct arena *arena, const char *commit, const char *path,
                         struct tree_entry **out, size_t *count, struct err *err);
/* A file's bytes. ERR_NOT_FOUND field "path" (also for a directory), ERR_TOO_LARGE. */
MUST_CHECK int repo_read(struct repo *repo, struct arena *arena, const char *commit, const char *path, size_t max_bytes,
                         const char **data, size_t *len, struct err *err);
/* All file paths of a commit ("" gives none), sorted. */
MUST_CHECK int repo_paths(struct repo *repo, struct arena *arena, const char *commit, char ***paths, size_t *count,
                          struct err *err);
/* Changes from one commit ("" for none) to another. */
MUST_CHECK int repo_diff(struct repo *repo, struct arena *arena, const char *from, const char *to,
                         struct change_list *out, struct err *err);

/* What the commit changed against its first parent, appended as a patch that `git apply` takes: binary files with their
 * content, no renames. ERR_NOT_FOUND, field "ref"; ERR_TOO_LARGE beyond what out may hold. On failure out is as before,
 * but may be overflowed. */
MUST_CHECK int repo_patch(struct repo *repo, const char *commit, unsigned context_lines, struct buf *out,
                          struct err *err);

/* The same in numbers. */
struct patch_file {
    enum change_kind kind;
    const char *path;
    size_t additions, deletions; /* lines; 0 of binary files */
    bool is_binary;
};
struct patch_files {
    char base[SHA_LEN]; /* the first parent, or "" */
    struct patch_file *items;
    size_t count;
};
MUST_CHECK int repo_patch_files(struct repo *repo, struct arena *arena, const char *commit, struct patch_files *out,
                                struct err *err);

/* A zip of the commit's files, put below the folder `prefix` in it (may be ""), at path; streamed, no more than a blob
 * in memory. Deterministic for a commit: entries sorted, times from the commit, no owners. fsynced. sha256 is hex of
 * the file. */
MUST_CHECK int repo_archive_zip(struct repo *repo, const char *commit, const char *prefix, const char *path,
                                int64_t *size_bytes, char sha256[65], struct err *err);

/* Removes objects that refs and worktrees no longer reach (but none that were written or used within ten minutes), lock
 * files that a crash left (older than a minute), empty folders; brings many packs into one. Others may read and write
 * meanwhile. Called when no run of the project is active. Does nothing if another process is at it. */
MUST_CHECK int repo_tidy(struct repo *repo, struct err *err);

#endif
