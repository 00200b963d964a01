/* tidy: dropping objects that nothing reaches, and bringing many packs into one.
 *
 * Other processes may read and write meanwhile. So: what is there is listed first, and only that is ever removed; a
 * file that is young, or that a writer has touched since (which it does when it finds an object there and counts on
 * it), keeps all its objects; and the new pack is complete and synced before an old file goes. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"
#include "git/internal.h"
#include "git/oid_map.h"

enum {
    STALE_S = 60,
    YOUNG_S = 10 * 60, /* longer than a commit takes from its first object to its ref */
    MAX_PACKS = 30,
    MAX_LOOSE = 200,
    MAX_DEPTH = 256,
    MAX_HEAD_BYTES = 4096,
};

struct store_file {
    char *relative; /* below objects/ */
    bool is_pack;   /* a .pack, which stands for its index, too; otherwise a loose object */
    struct timespec time;
};

struct tidy {
    struct repo *repo;
    struct arena *arena;
    char *objects; /* the folder */
    struct store_file *files;
    size_t file_count;
    size_t capacity;
    size_t pack_count;
    time_t now;
    git_revwalk *walk;
    struct oid_map keep; /* to the name of a file, which helps to find deltas, or NULL */
    git_oid *order;      /* of keep, as they were found: commits, then their trees and files */
    size_t order_capacity;
    bool has_garbage;
    struct err *err;
};

static void tidy_release(struct tidy *tidy) {
    git_revwalk_free(tidy->walk);
    oid_map_release(&tidy->keep);
    mem_freep(&tidy->files);
    mem_freep(&tidy->order);
    mem_freep(&tidy->objects);
    arena_destroy(tidy->arena);
}

static int list_file(const char *relative, const struct stat *st, void *arg) {
    struct tidy *tidy = arg;
    bool is_pack = str_starts(relative, "pack/pack-") && str_ends(relative, ".pack");
    bool is_loose = strlen(relative) == GIT_OID_HEXSZ + 1 && relative[2] == '/' && !str_starts(relative, "pack/");
    if (!S_ISREG(st->st_mode) || (!is_pack && !is_loose))
        return 0;
    if (tidy->file_count == tidy->capacity) {
        tidy->capacity = tidy->capacity ? tidy->capacity * 2 : 64;
        tidy->files = mem_realloc(tidy->files, tidy->capacity * sizeof(*tidy->files));
    }
    tidy->files[tidy->file_count++] =
        (struct store_file){.relative = arena_strdup(tidy->arena, relative), .is_pack = is_pack, .time = st->st_mtim};
    tidy->pack_count += is_pack;
    return 0;
}

/* True if it was not there yet. */
static bool keep(struct tidy *tidy, const git_oid *id, char *name) {
    if (!oid_map_add(&tidy->keep, id, name))
        return false;
    if (tidy->keep.count > tidy->order_capacity) {
        tidy->order_capacity = tidy->order_capacity ? tidy->order_capacity * 2 : 256;
        tidy->order = mem_realloc(tidy->order, tidy->order_capacity * sizeof(*tidy->order));
    }
    tidy->order[tidy->keep.count - 1] = *id;
    return true;
}

static int keep_tree(struct tidy *tidy, const git_oid *id, char *name, int depth) {
    CLEANUP(tree_freep) git_tree *tree = NULL;
    if (!keep(tidy, id, name))
        return 0;
    if (depth >= MAX_DEPTH || git_tree_lookup(&tree, tidy->repo->git, id) < 0)
        return git_fail(tidy->err, ERR_INTERNAL, "cannot read a tree of %s", tidy->repo->path);
    int result = 0;
    for (size_t i = 0; i < git_tree_entrycount(tree) && result == 0; i++) {
        const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
        const git_oid *entry_id = git_tree_entry_id(entry);
        if (oid_map_has(&tidy->keep, entry_id))
            continue;
        char *entry_name = arena_strdup(tidy->arena, git_tree_entry_name(entry));
        if (git_tree_entry_type(entry) == GIT_OBJECT_TREE)
            result = keep_tree(tidy, entry_id, entry_name, depth + 1);
        else if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB)
            (void)keep(tidy, entry_id, entry_name);
    }
    return result;
}

/* Commits first, all of them; then what they hold. */
static int keep_walk(struct tidy *tidy) {
    size_t first = tidy->keep.count;
    git_oid id;
    int result;
    while ((result = git_revwalk_next(&id, tidy->walk)) == 0)
        (void)keep(tidy, &id, NULL);
    if (result != GIT_ITEROVER)
        return git_fail(tidy->err, ERR_INTERNAL, "cannot walk the history of %s", tidy->repo->path);
    size_t end = tidy->keep.count;
    for (size_t i = first; i < end; i++) {
        CLEANUP(commit_freep) git_commit *commit = NULL;
        id = tidy->order[i];
        if (git_commit_lookup(&commit, tidy->repo->git, &id) < 0)
            return git_fail(tidy->err, ERR_INTERNAL, "cannot read a commit of %s", tidy->repo->path);
        result = keep_tree(tidy, git_commit_tree_id(commit), NULL, 0);
        if (result < 0)
            return result;
    }
    return 0;
}

/* Keeps the tags on the way to a commit, and begins a walk there. */
static int push_object(struct tidy *tidy, const git_oid *id) {
    CLEANUP(object_freep) git_object *object = NULL;
    if (git_object_lookup(&object, tidy->repo->git, id, GIT_OBJECT_ANY) < 0)
        return git_fail(tidy->err, ERR_INTERNAL, "cannot read what a ref of %s names", tidy->repo->path);
    if (git_object_type(object) == GIT_OBJECT_COMMIT && git_revwalk_push(tidy->walk, id) < 0)
        return git_fail(tidy->err, ERR_INTERNAL, "cannot walk the history of %s", tidy->repo->path);
    if (git_object_type(object) == GIT_OBJECT_TAG) {
        (void)keep(tidy, id, NULL);
        return push_object(tidy, git_tag_target_id((git_tag *)object));
    }
    if (git_object_type(object) == GIT_OBJECT_TREE)
        return keep_tree(tidy, id, NULL, 0);
    if (git_object_type(object) == GIT_OBJECT_BLOB)
        (void)keep(tidy, id, NULL);
    return 0;
}

static int push_refs(struct tidy *tidy) {
    char **names;
    size_t count;
    int result = repo_ref_list(tidy->repo, tidy->arena, "refs/", &names, &count, tidy->err);
    for (size_t i = 0; i < count && result == 0; i++) {
        git_oid id;
        int found = git_reference_name_to_id(&id, tidy->repo->git, names[i]);
        if (found == GIT_ENOTFOUND)
            continue; /* deleted meanwhile */
        if (found < 0)
            return git_fail(tidy->err, ERR_INTERNAL, "cannot read %s", names[i]);
        result = push_object(tidy, &id);
    }
    return result;
}

/* A HEAD may hold a commit that no ref has. */
static int push_head(struct tidy *tidy, const char *path) {
    struct buf text = {.max_bytes = MAX_HEAD_BYTES};
    git_oid id;
    int result = 0;
    if (fs_read_file(path, MAX_HEAD_BYTES, &text, NULL) == 0 && text.len >= GIT_OID_HEXSZ) {
        text.data[GIT_OID_HEXSZ] = '\0';
        if (git_parse_sha(&id, text.data) && git_odb_exists(tidy->repo->odb, &id))
            result = push_object(tidy, &id);
    }
    buf_release(&text);
    return result;
}

static int push_heads(struct tidy *tidy) {
    CLEANUP(mem_freep) char *head = mem_printf("%sHEAD", tidy->repo->path);
    char **worktrees;
    size_t count;
    int result = push_head(tidy, head);
    if (result == 0)
        result = worktree_list(tidy->repo, tidy->arena, &worktrees, &count, tidy->err);
    for (size_t i = 0; result == 0 && i < count; i++) {
        CLEANUP(mem_freep) char *path = mem_printf("%sworktrees/%s/HEAD", tidy->repo->path, worktrees[i]);
        result = push_head(tidy, path);
    }
    return result;
}

/* Calls fn for each object of the file. */
static int each_object(struct tidy *tidy, const struct store_file *file, git_odb_foreach_cb fn) {
    git_odb_backend *backend;
    git_odb *odb = NULL;
    git_oid id;
    if (!file->is_pack) {
        CLEANUP(mem_freep) char *hex = mem_printf("%.2s%s", file->relative, file->relative + 3);
        return git_parse_sha(&id, hex) ? fn(&id, tidy) : 0;
    }
    CLEANUP(mem_freep)
    char *index =
        mem_printf("%s/%.*s.idx", tidy->objects, (int)(strlen(file->relative) - strlen(".pack")), file->relative);
    int result = git_odb_new(&odb);
    if (result == 0)
        result = git_odb_backend_one_pack(&backend, index);
    if (result == 0)
        result = git_odb_add_backend(odb, backend, 1);
    if (result == 0)
        result = git_odb_foreach(odb, fn, tidy);
    git_odb_free(odb);
    /* A failure of fn's own has been told already. */
    if (result < 0 && tidy->err->code == ERR_NONE)
        return git_fail(tidy->err, ERR_INTERNAL, "cannot read %s", index);
    return result < 0 ? -(int)tidy->err->code : 0;
}

static int type_of(struct tidy *tidy, const git_oid *id, git_object_t *out) {
    size_t len;
    if (git_odb_read_header(&len, out, tidy->repo->odb, id) < 0)
        return git_fail(tidy->err, ERR_INTERNAL, "cannot read an object of %s", tidy->repo->path);
    return 0;
}

static int push_young(const git_oid *id, void *arg) {
    git_object_t type;
    int result = type_of(arg, id, &type);
    if (result < 0 || type == GIT_OBJECT_TREE || type == GIT_OBJECT_BLOB)
        return result;
    return push_object(arg, id);
}

static int keep_young(const git_oid *id, void *arg) {
    struct tidy *tidy = arg;
    git_object_t type;
    if (oid_map_has(&tidy->keep, id))
        return 0;
    int result = type_of(tidy, id, &type);
    if (result < 0 || type == GIT_OBJECT_TREE)
        return result < 0 ? result : keep_tree(tidy, id, NULL, 0);
    (void)keep(tidy, id, NULL);
    return 0;
}

static int see_object(const git_oid *id, void *arg) {
    struct tidy *tidy = arg;
    if (!oid_map_has(&tidy->keep, id))
        tidy->has_garbage = true;
    return 0;
}

static int each_file(struct tidy *tidy, bool is_young, git_odb_foreach_cb fn) {
    int result = 0;
    for (size_t i = 0; i < tidy->file_count && result == 0; i++)
        if (is_young == (tidy->files[i].time.tv_sec > tidy->now - YOUNG_S))
            result = each_object(tidy, &tidy->files[i], fn);
    return result;
}

/* What refs and worktrees reach, and what young files hold and that reaches: somebody may be about to set a ref to it.
 */
static int find_kept(struct tidy *tidy) {
    if (git_revwalk_new(&tidy->walk, tidy->repo->git) < 0)
        return git_fail(tidy->err, ERR_INTERNAL, "cannot walk the history of %s", tidy->repo->path);
    int result = push_refs(tidy);
    if (result == 0)
        result = push_heads(tidy);
    if (result == 0)
        result = each_file(tidy, true, push_young);
    if (result == 0)
        result = keep_walk(tidy);
    if (result == 0)
        result = each_file(tidy, true, keep_young);
    return result;
}

/* All that is kept, as one pack; its name without ".pack" goes to *name, or NULL if there is nothing to keep. */
static int write_pack(struct tidy *tidy, char **name) {
    CLEANUP(packbuilder_freep) git_packbuilder *builder = NULL;
    *name = NULL;
    if (tidy->keep.count == 0)
        return 0;
    int result = git_packbuilder_new(&builder, tidy->repo->git);
    for (size_t i = 0; i < tidy->keep.count && result == 0; i++)
        result = git_packbuilder_insert(builder, &tidy->order[i], oid_map_get(&tidy->keep, &tidy->order[i]));
    if (result == 0)
        result = git_packbuilder_write(builder, NULL, 0, NULL, NULL);
    if (result < 0 || git_packbuilder_object_count(builder) != tidy->keep.count)
        return git_fail(tidy->err, ERR_INTERNAL, "cannot pack %s", tidy->repo->path);
    *name = arena_printf(tidy->arena, "pack/pack-%s", git_packbuilder_name(builder));
    return 0;
}

static void remove_file(struct tidy *tidy, const struct store_file *file, const char *new_pack) {
    /* The index first: readers find packs by it. */
    static const char *const endings[] = {".idx", ".rev", ".bitmap", ".mtimes", ".pack"};
    int stem_len = (int)(strlen(file->relative) - (file->is_pack ? strlen(".pack") : 0));
    CLEANUP(mem_freep) char *path = mem_printf("%s/%s", tidy->objects, file->relative);
    CLEANUP(mem_freep) char *stem = mem_printf("%s/%.*s", tidy->objects, stem_len, file->relative);
    CLEANUP(mem_freep) char *marker = mem_printf("%s.keep", stem);
    struct stat st;
    bool is_touched =
        lstat(path, &st) < 0 || st.st_mtim.tv_sec != file->time.tv_sec || st.st_mtim.tv_nsec != file->time.tv_nsec;
    if (is_touched)
        return;
    if (!file->is_pack) {
        (void)unlink(path);
        return;
    }
    if (fs_exists(marker) || (new_pack && strncmp(file->relative, new_pack, (size_t)stem_len) == 0))
        return;
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        CLEANUP(mem_freep) char *part = mem_printf("%s%s", stem, endings[i]);
        (void)unlink(part);
    }
}

/* Removes folders that hold nothing, but not path itself. */
static void remove_empty(const char *path, int depth) {
    DIR *dir = depth < MAX_DEPTH ? opendir(path) : NULL;
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        CLEANUP(mem_freep) char *below = mem_printf("%s/%s", path, entry->d_name);
        remove_empty(below, depth + 1);
        (void)rmdir(below);
    }
    if (dir)
        (void)closedir(dir);
}

static void remove_empty_folders(struct tidy *tidy) {
    static const char *const roots[] = {"refs/heads", "refs/tags", "refs/prazium"};
    for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
        CLEANUP(mem_freep) char *path = mem_printf("%s%s", tidy->repo->path, roots[i]);
        remove_empty(path, 0);
    }
    for (int i = 0; i < 256; i++) {
        CLEANUP(mem_freep) char *path = mem_printf("%s/%02x", tidy->objects, i);
        (void)rmdir(path);
    }
}

static int tidy_objects(struct tidy *tidy) {
    char *new_pack;
    int result = fs_walk(tidy->objects, list_file, tidy, tidy->err);
    if (result == 0 && git_odb_refresh(tidy->repo->odb) < 0)
        result = git_fail(tidy->err, ERR_INTERNAL, "cannot read %s", tidy->repo->path);
    if (result == 0)
        result = find_kept(tidy);
    if (result == 0)
        result = each_file(tidy, false, see_object);
    size_t loose_count = tidy->file_count - tidy->pack_count;
    if (result < 0 || (!tidy->has_garbage && tidy->pack_count <= MAX_PACKS && loose_count <= MAX_LOOSE))
        return result;
    result = write_pack(tidy, &new_pack);
    for (size_t i = 0; i < tidy->file_count && result == 0; i++)
        remove_file(tidy, &tidy->files[i], new_pack);
    if (result == 0) {
        CLEANUP(mem_freep) char *packs = mem_printf("%s/pack", tidy->objects);
        result = fs_sync_dir(packs, tidy->err);
    }
    return result;
}

int repo_tidy(struct repo *repo, struct err *err) {
    struct err own = {0};
    CLEANUP(mem_freep) char *lock = mem_printf("%stidy-guard", repo->path);
    CLEANUP(mem_closep) int fd = -1;
    int result = fs_lock(lock, &fd, &own);
    /* If another process is at it, it need not be done twice. */
    if (result == -ERR_CONFLICT)
        return 0;
    if (result == 0)
        result = locks_clear(repo, STALE_S, &own);
    if (result == 0) {
        CLEANUP(tidy_release)
        struct tidy tidy = {.repo = repo, .arena = arena_create(), .now = time(NULL), .err = &own};
        tidy.objects = mem_printf("%sobjects", repo->path);
        stage_clear(repo);
        result = tidy_objects(&tidy);
        if (result == 0)
            remove_empty_folders(&tidy);
    }
    if (result < 0 && err)
        *err = own;
    return result;
}
