/* stage: objects of a commit in the making, as an object database of their own in memory that is written as one pack.
 */
#include <git2/sys/odb_backend.h>
#include <stdlib.h>
#include <string.h>

#include "git/internal.h"
#include "git/oid_map.h"

/* Above all backends on disk (which are at 1 and 2), so that writes come here. */
enum { STAGE_PRIORITY = 1000 };
/* More than this is written as a pack of its own, to bound the memory. */
enum { STAGE_MAX_BYTES = 64 * 1024 * 1024 };

struct staged {
    git_oid id;
    git_object_t type;
    size_t len;
    char data[];
};

struct stage {
    git_odb_backend backend; /* first, so that a pointer to it is one to the stage */
    struct oid_map map;      /* to struct staged */
    struct staged **items;   /* in the order they came */
    size_t count;
    size_t capacity;
    size_t bytes;
};

static void stage_empty(struct stage *stage) {
    oid_map_release(&stage->map);
    for (size_t i = 0; i < stage->count; i++)
        free(stage->items[i]);
    mem_freep(&stage->items);
    stage->count = stage->capacity = stage->bytes = 0;
}

static void stage_add(struct stage *stage, const git_oid *id, git_object_t type, const void *data, size_t len) {
    if (oid_map_has(&stage->map, id))
        return;
    struct staged *item = mem_alloc(sizeof(*item) + len);
    *item = (struct staged){.id = *id, .type = type, .len = len};
    if (len)
        memcpy(item->data, data, len);
    if (stage->count == stage->capacity) {
        stage->capacity = stage->capacity ? stage->capacity * 2 : 64;
        stage->items = mem_realloc(stage->items, stage->capacity * sizeof(struct staged *));
    }
    stage->items[stage->count++] = item;
    stage->bytes += sizeof(*item) + len;
    (void)oid_map_add(&stage->map, id, item);
}

static int backend_read(void **data, size_t *len, git_object_t *type, git_odb_backend *backend, const git_oid *id) {
    const struct staged *item = oid_map_get(&((struct stage *)backend)->map, id);
    if (!item)
        return GIT_ENOTFOUND;
    /* One byte more: libgit2 wants texts it reads to be terminated. */
    char *copy = git_odb_backend_data_alloc(backend, item->len + 1);
    if (!copy)
        return GIT_ERROR;
    memcpy(copy, item->data, item->len);
    copy[item->len] = '\0';
    *data = copy;
    *len = item->len;
    *type = item->type;
    return 0;
}

static int backend_read_header(size_t *len, git_object_t *type, git_odb_backend *backend, const git_oid *id) {
    const struct staged *item = oid_map_get(&((struct stage *)backend)->map, id);
    if (!item)
        return GIT_ENOTFOUND;
    *len = item->len;
    *type = item->type;
    return 0;
}

static int backend_exists(git_odb_backend *backend, const git_oid *id) {
    return oid_map_has(&((struct stage *)backend)->map, id);
}

static int backend_write(git_odb_backend *backend, const git_oid *id, const void *data, size_t len, git_object_t type) {
    stage_add((struct stage *)backend, id, type, data, len);
    return 0;
}

static void backend_free(git_odb_backend *backend) {
    struct stage *stage = (struct stage *)backend;
    stage_empty(stage);
    free(stage);
}

int stage_attach(struct repo *repo, struct err *err) {
    struct stage *stage = mem_alloc(sizeof(*stage));
    if (git_odb_init_backend(&stage->backend, GIT_ODB_BACKEND_VERSION) == 0) {
        stage->backend.read = backend_read;
        stage->backend.read_header = backend_read_header;
        stage->backend.exists = backend_exists;
        stage->backend.write = backend_write;
        stage->backend.free = backend_free;
        if (git_odb_add_backend(repo->odb, &stage->backend, STAGE_PRIORITY) == 0) {
            repo->stage = stage;
            return 0;
        }
    }
    free(stage);
    return git_fail(err, ERR_INTERNAL, "cannot open %s", repo->path);
}

/* True if it is on disk. Asks the backends themselves, since git_odb_write would read the folder of packs once for each
 * new object; and by freshen, so that repo_tidy sees by the file's time that somebody counts on the object. */
static bool is_on_disk(const struct repo *repo, const git_oid *id) {
    git_odb_backend *backend;
    for (size_t i = 0; i < git_odb_num_backends(repo->odb); i++) {
        if (git_odb_get_backend(&backend, repo->odb, i) < 0 || backend == &repo->stage->backend)
            continue;
        if (backend->freshen ? backend->freshen(backend, id) == 0 : backend->exists && backend->exists(backend, id))
            return true;
    }
    return false;
}

int stage_put(struct repo *repo, git_object_t type, const void *data, size_t len, git_oid *out, struct err *err) {
    if (git_odb_hash(out, data, len, type) < 0)
        return git_fail(err, ERR_INTERNAL, "cannot hash %zu bytes", len);
    if (oid_map_has(&repo->stage->map, out) || is_on_disk(repo, out))
        return 0;
    stage_add(repo->stage, out, type, data, len);
    return repo->stage->bytes > STAGE_MAX_BYTES ? stage_flush(repo, err) : 0;
}

/* Commits before trees before blobs: the order that packs are read in. */
static int insert_all(const struct stage *stage, git_packbuilder *builder) {
    static const git_object_t order[] = {GIT_OBJECT_COMMIT, GIT_OBJECT_TREE, GIT_OBJECT_BLOB};
    for (size_t k = 0; k < ARRAY_LEN(order); k++)
        for (size_t i = 0; i < stage->count; i++)
            if (stage->items[i]->type == order[k] && git_packbuilder_insert(builder, &stage->items[i]->id, NULL) < 0)
                return -1;
    return 0;
}

int stage_flush(struct repo *repo, struct err *err) {
    CLEANUP(packbuilder_freep) git_packbuilder *builder = NULL;
    if (repo->stage->count == 0)
        return 0;
    if (git_packbuilder_new(&builder, repo->git) < 0 || insert_all(repo->stage, builder) < 0 ||
        git_packbuilder_write(builder, NULL, 0, NULL, NULL) < 0)
        return git_fail(err, ERR_INTERNAL, "cannot write %zu objects to %s", repo->stage->count, repo->path);
    stage_empty(repo->stage);
    return 0;
}

void stage_clear(struct repo *repo) {
    stage_empty(repo->stage);
}
