/* confine_walk: every file of a worktree that is the project's own, in an order that does not depend on the disk. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/confine.h"
#include "base/mem.h"
#include "base/str.h"

struct walk {
    confine_walk_fn *fn;
    void *arg;
    char path[4096];
    size_t files;
};

struct names {
    char **at;
    size_t count, capacity;
};

static void names_release(struct names *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->at[i]);
    free(names->at);
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_skipped(const char *name) {
    static const char *const skipped[] = {".", "..", ".git", "node_modules", ".next"};
    for (size_t i = 0; i < ARRAY_LEN(skipped); i++)
        if (str_eq(name, skipped[i]))
            return true;
    return false;
}

/* Takes dir over. */
static void read_names(int dir, struct names *out) {
    DIR *stream = fdopendir(dir);
    if (!stream) {
        (void)close(dir);
        return;
    }
    for (struct dirent *entry; (entry = readdir(stream)) && out->count < CONFINE_WALK_MAX;) {
        if (is_skipped(entry->d_name) || !str_is_utf8(entry->d_name, strlen(entry->d_name)))
            continue;
        if (out->count == out->capacity) {
            out->capacity = out->capacity ? out->capacity * 2 : 32;
            out->at = mem_realloc(out->at, out->capacity * sizeof(*out->at));
        }
        out->at[out->count++] = mem_strdup(entry->d_name);
    }
    (void)closedir(stream);
    if (out->count > 1)
        qsort(out->at, out->count, sizeof(*out->at), by_bytes);
}

/* dir: the folder that walk->path names, its first len bytes. What vanishes meanwhile is left out. */
static int walk_folder(struct walk *walk, int dir, size_t len, int depth) {
    CLEANUP(names_release) struct names names = {0};
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
    if (copy >= 0)
        read_names(copy, &names);
    for (size_t i = 0; rc == 0 && i < names.count && walk->files < CONFINE_WALK_MAX; i++) {
        struct stat st;
        int more = snprintf(walk->path + len, sizeof(walk->path) - len, "%s%s", len ? "/" : "", names.at[i]);
        if ((size_t)more >= sizeof(walk->path) - len || fstatat(dir, names.at[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISREG(st.st_mode)) {
            walk->files++;
            rc = walk->fn(walk->path, &st, walk->arg);
        } else if (S_ISDIR(st.st_mode) && depth < CONFINE_WALK_DEPTH) {
            CLEANUP(mem_closep)
            int next = openat(dir, names.at[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (next >= 0)
                rc = walk_folder(walk, next, len + (size_t)more, depth + 1);
        }
    }
    return rc;
}

int confine_walk(const struct confine *confine, const char *dir, confine_walk_fn *fn, void *arg, struct err *err) {
    struct walk walk = {.fn = fn, .arg = arg};
    int rc = dir[0] ? confine_check(dir, err) : 0;
    if (rc < 0)
        return rc;
    CLEANUP(mem_closep) int at = fcntl(confine->fd, F_DUPFD_CLOEXEC, 0);
    for (const char *rest = dir; at >= 0 && *rest;) {
        size_t len = strcspn(rest, "/");
        char name[1024];
        (void)snprintf(name, sizeof(name), "%.*s", (int)len, rest);
        int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        (void)close(at);
        at = next;
        rest += len + (rest[len] == '/');
    }
    if (at < 0)
        return err_set(err, ERR_NOT_FOUND, "there is no folder %s", dir);
    (void)snprintf(walk.path, sizeof(walk.path), "%s", dir);
    return walk_folder(&walk, at, strlen(walk.path), 0);
}
