/* catalog: the feature files, loaded and checked. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/blueprint.h"
#include "blueprint/feature_check.h"

#define FOLDER "features/"
#define SUFFIX ".json"

struct catalog {
    struct arena *arena;
    json_t *features; /* by slug */
    json_t *index;    /* slug → feature */
};

static int load(struct catalog *catalog, const struct assets *assets, const char *path, struct err *err) {
    size_t len = 0, name_len = strlen(path) - strlen(FOLDER) - strlen(SUFFIX);
    const char *slug = arena_strndup(catalog->arena, path + strlen(FOLDER), name_len);
    const char *text = assets_get(assets, path, &len);
    const struct place place = {catalog->arena, path, "", err};
    json_t *feature = NULL;
    int result = json_parse(catalog->arena, text, len, &feature, err);
    if (result < 0)
        return err_wrap(err, "%s", path);
    if ((result = feature_check(&place, feature, slug)) < 0)
        return result;
    json_object_set(catalog->index, slug, feature);
    return 0;
}

static int compare_slugs(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Paths are sorted with the suffix in them, which puts "a-b.json" before "a.json": slugs are sorted again. */
static void sort_features(struct catalog *catalog) {
    size_t count = json_object_size(catalog->index), i = 0;
    const char **slugs = arena_array(catalog->arena, count + 1, sizeof(*slugs));
    for (void *at = json_object_iter(catalog->index); at; at = json_object_iter_next(catalog->index, at))
        slugs[i++] = json_object_iter_key(at);
    qsort(slugs, count, sizeof(*slugs), compare_slugs);
    for (i = 0; i < count; i++)
        json_array_append(catalog->features, json_object_get(catalog->index, slugs[i]));
}

static int check_slugs(const struct catalog *catalog, const struct place *place, const json_t *slugs) {
    for (size_t i = 0; i < json_array_size(slugs); i++) {
        const char *slug = json_string_value(json_array_get(slugs, i));
        if (!json_object_get(catalog->index, slug))
            return shape_fault(place, "there is no feature \"%s\"", slug);
    }
    return 0;
}

/* Features that come along must be there. (Others may be named without being there: what names them is left out.) */
static int check_references(const struct catalog *catalog, const json_t *feature, json_t *ids,
                            const struct place *place) {
    const json_t *questions = json_object_get(feature, "questions");
    const struct place here = shape_key(place, "requires");
    int result = check_slugs(catalog, &here, json_object_get(feature, "requires"));
    for (size_t i = 0; i < json_array_size(questions) && result == 0; i++) {
        const json_t *question = json_array_get(questions, i), *effects = json_object_get(question, "effects");
        const struct place at = shape_item(place, "questions", i);
        const char *id = json_str(question, "id", "");
        if (json_object_get(ids, id))
            return shape_fault(&at, "the id \"%s\" is there twice", id);
        json_object_set_new(ids, id, json_true());
        for (size_t e = 0; e < json_array_size(effects) && result == 0; e++) {
            const json_t *added = json_object_get(json_array_get(effects, e), "add");
            result = check_slugs(catalog, &at, json_object_get(added, "features"));
        }
    }
    return result;
}

static int load_all(struct catalog *catalog, const struct assets *assets, struct err *err) {
    const char **paths = NULL;
    size_t count = 0;
    json_t *ids = json_own(catalog->arena, json_object());
    int result = 0;
    assets_list(assets, FOLDER, catalog->arena, &paths, &count);
    for (size_t i = 0; i < count && result == 0; i++)
        if (str_ends(paths[i], SUFFIX))
            result = load(catalog, assets, paths[i], err);
    if (result < 0)
        return result;
    sort_features(catalog);
    for (size_t i = 0; i < json_array_size(catalog->features) && result == 0; i++) {
        const json_t *feature = json_array_get(catalog->features, i);
        const char *file = arena_printf(catalog->arena, FOLDER "%s" SUFFIX, json_str(feature, "slug", ""));
        const struct place place = {catalog->arena, file, "", err};
        result = check_references(catalog, feature, ids, &place);
    }
    return result;
}

int catalog_open(struct catalog **out, const struct assets *assets, struct err *err) {
    struct catalog *catalog = mem_alloc(sizeof(*catalog));
    catalog->arena = arena_create();
    catalog->features = json_own(catalog->arena, json_array());
    catalog->index = json_own(catalog->arena, json_object());
    int result = load_all(catalog, assets, err);
    if (result < 0) {
        catalog_close(catalog);
        return result;
    }
    *out = catalog;
    return 0;
}

void catalog_close(struct catalog *catalog) {
    if (!catalog)
        return;
    arena_destroy(catalog->arena);
    free(catalog);
}

const json_t *catalog_features(const struct catalog *catalog) {
    return catalog->features;
}

const json_t *catalog_feature(const struct catalog *catalog, const char *slug) {
    return json_object_get(catalog->index, slug);
}
