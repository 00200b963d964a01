/* assets: the files under blueprints/, compiled in or read from a folder, as one sorted table. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/assets_packed.h"
#include "blueprint/blueprint.h"

enum { LARGEST_FILE_BYTES = 4 * 1024 * 1024, MOST_FILES = 10000 };

struct assets {
    const struct asset *at;
    size_t count;
    struct asset *owned; /* at, when read from a folder */
    struct arena *arena; /* what owned points to */
    size_t capacity;
};

struct loading {
    struct assets *assets;
    const char *dir;
    struct err *err;
};

/* The same folders and names as scripts/pack-blueprints takes. */
static bool is_data(const char *path) {
    static const char *const kinds[] = {"documents/", "features/", "lexicon/", "prompts/", "stacks/"};
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (*name == '.' || str_ends(name, "~") || str_eq(name, "README") || str_eq(name, "README.md"))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_starts(path, kinds[i]))
            return true;
    return false;
}

static int load_file(const char *relative, const struct stat *st, void *arg) {
    struct loading *loading = arg;
    struct assets *assets = loading->assets;
    CLEANUP(buf_release) struct buf data = {0};
    if (!is_data(relative) || !S_ISREG(st->st_mode))
        return 0;
    if (assets->count == MOST_FILES)
        return err_set(loading->err, ERR_TOO_LARGE, "%s holds more than %d files", loading->dir, MOST_FILES);
    CLEANUP(mem_freep) char *path = mem_printf("%s/%s", loading->dir, relative);
    int result = fs_read_file(path, LARGEST_FILE_BYTES, &data, loading->err);
    if (result < 0)
        return result;
    if (assets->count == assets->capacity) {
        assets->capacity = assets->capacity ? assets->capacity * 2 : 128;
        assets->owned = mem_realloc(assets->owned, assets->capacity * sizeof(*assets->owned));
    }
    char *copy = arena_alloc(assets->arena, data.len + 1);
    memcpy(copy, data.data, data.len);
    assets->owned[assets->count++] = (struct asset){arena_strdup(assets->arena, relative), copy, data.len};
    return 0;
}

int assets_open(struct assets **out, const char *dir, struct err *err) {
    struct assets *assets = mem_alloc(sizeof(*assets));
    if (!dir) {
        assets->at = assets_packed;
        assets->count = assets_packed_count;
        *out = assets;
        return 0;
    }
    struct loading loading = {assets, dir, err};
    assets->arena = arena_create();
    int result = fs_is_dir(dir) ? fs_walk(dir, load_file, &loading, err)
                                : err_set(err, ERR_NOT_FOUND, "%s is not a folder of blueprints", dir);
    if (result < 0) {
        assets_close(assets);
        return result;
    }
    assets->at = assets->owned;
    *out = assets;
    return 0;
}

void assets_close(struct assets *assets) {
    if (!assets)
        return;
    arena_destroy(assets->arena);
    free(assets->owned);
    free(assets);
}

/* Index of the first path that is not before name. */
static size_t lower_bound(const struct assets *assets, const char *name) {
    size_t low = 0, high = assets->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(assets->at[middle].path, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *assets_get(const struct assets *assets, const char *path, size_t *len) {
    size_t i = lower_bound(assets, path);
    if (i == assets->count || strcmp(assets->at[i].path, path) != 0)
        return NULL;
    if (len)
        *len = assets->at[i].len;
    return assets->at[i].data;
}

void assets_list(const struct assets *assets, const char *prefix, struct arena *arena, const char ***paths,
                 size_t *count) {
    size_t first = lower_bound(assets, prefix), end = first;
    while (end < assets->count && str_starts(assets->at[end].path, prefix))
        end++;
    *count = end - first;
    *paths = arena_array(arena, *count + 1, sizeof(**paths));
    for (size_t i = first; i < end; i++)
        (*paths)[i - first] = assets->at[i].path;
}
