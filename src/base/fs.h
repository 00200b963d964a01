/* fs: files and folders, with errors that name the path. */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct arena;
struct buf;

/* Like mkdir -p. */
MUST_CHECK int fs_mkdirs(const char *path, mode_t mode, struct err *err);
/* Removes path and everything below it without following symlinks; makes unwritable folders writable first. Absent is
 * fine. */
MUST_CHECK int fs_remove_tree(const char *path, struct err *err);
/* Appends the file's content; ERR_NOT_FOUND if absent, ERR_TOO_LARGE beyond max_bytes or what out may hold,
 * ERR_VALIDATION if it is not a regular file. On failure out is as before. */
MUST_CHECK int fs_read_file(const char *path, size_t max_bytes, struct buf *out, struct err *err);
/* Writes to a temporary file beside path, fsyncs it, renames it, fsyncs the folder. The file gets exactly
 * this mode. */
MUST_CHECK int fs_write_file_atomic(const char *path, const void *data, size_t len, mode_t mode, struct err *err);
/* Plain write, no fsync: for worktrees. Makes the parent folders. The file gets exactly this mode, whatever the umask;
 * a symlink in its place is an error. */
MUST_CHECK int fs_write_file(const char *path, const void *data, size_t len, mode_t mode, struct err *err);
bool fs_exists(const char *path); /* does not follow the last symlink */
bool fs_is_dir(const char *path);
char *fs_join(struct arena *arena, const char *a, const char *b);
/* realpath into the arena; NULL if it does not exist. */
char *fs_real(struct arena *arena, const char *path);
/* A relative path with no empty, "." or ".." part, no leading '/', no NUL, no backslash: safe to join below a folder.
 */
bool fs_is_safe_relative(const char *path);
/* Calls fn for each regular file and symlink below root, in byte order (strcmp) of the whole relative path. fn's
 * non-zero return stops the walk and is returned. Symlinks are not followed; other file types are reported too (see
 * st->st_mode), folders are not. What vanishes meanwhile is left out. ERR_VALIDATION below FS_WALK_MAX_DEPTH folders.
 */
#define FS_WALK_MAX_DEPTH 128
struct stat;
typedef int fs_walk_fn(const char *relative, const struct stat *st, void *arg);
MUST_CHECK int fs_walk(const char *root, fs_walk_fn *fn, void *arg, struct err *err);
/* Bytes free for this user on path's file system. */
MUST_CHECK int fs_free_bytes(const char *path, uint64_t *out, struct err *err);
/* fsync a folder, so that a rename in it lasts. */
MUST_CHECK int fs_sync_dir(const char *path, struct err *err);
/* Exclusive lock on a file (made 0600), held until *fd is closed. ERR_CONFLICT if somebody else has it. */
MUST_CHECK int fs_lock(const char *path, int *fd, struct err *err);

#endif
