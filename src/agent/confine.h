/* confine: the files of a worktree, without a way out of it.
 *
 * Paths are relative, of plain names; no symlink is followed at any of them, wherever it leads, and none is swapped in
 * under our feet: each name is opened from the folder before it. `.git` is nobody's business. What goes wrong with a
 * path is told by the path alone, since a model reads it. */
#ifndef AGENT_CONFINE_H
#define AGENT_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct confine {
    int fd; /* the worktree's */
};

MUST_CHECK int confine_open(struct confine *out, const char *worktree, struct err *err);
void confine_close(struct confine *confine); /* accepts one that was never opened, with fd -1 */

/* ERR_VALIDATION, when path is none that may be used. */
MUST_CHECK int confine_check(const char *path, struct err *err);
/* Whether there is a regular file of that name. */
bool confine_has_file(const struct confine *confine, const char *path);

/* The whole file appended to out. ERR_NOT_FOUND, ERR_TOO_LARGE, ERR_VALIDATION (no regular file, or one that has
 * another name, too, and so may be anybody's). */
MUST_CHECK int confine_read(const struct confine *confine, const char *path, size_t max_bytes, struct buf *out,
                            struct err *err);
/* Makes the file, with the folders that lead to it, or replaces it; its mode stays. Another name of an old file keeps
 * the old content. */
MUST_CHECK int confine_write(const struct confine *confine, const char *path, const void *data, size_t len,
                             bool *is_new, struct err *err);
/* Removes the file or symlink, and the folders that are empty then. */
MUST_CHECK int confine_delete(const struct confine *confine, const char *path, struct err *err);

/* Regular files below dir ("": all), sorted within each folder; symlinks and whatever else there is are left out, and
 * so are `.git`, `node_modules` and `.next`, unless dir lies in them. fn's non-zero return stops the walk and is
 * returned. Ends by itself after CONFINE_WALK_MAX files or beyond CONFINE_WALK_DEPTH folders. */
enum { CONFINE_WALK_MAX = 50000, CONFINE_WALK_DEPTH = 64 };
typedef int confine_walk_fn(const char *path, const struct stat *st, void *arg);
MUST_CHECK int confine_walk(const struct confine *confine, const char *dir, confine_walk_fn *fn, void *arg,
                            struct err *err);

#endif
