/* stack_parts: the parts of one plan, with their scopes and paths, and the files of a part. */
#include <string.h>

#include "base/fs.h"
#include "base/glob.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/mustache.h"
#include "base/str.h"
#include "blueprint/stack.h"

enum { LARGEST_NAME_BYTES = 512, LARGEST_FILE_BYTES = 4 * 1024 * 1024 };

/* What a template sees: the view, and on top of it the entity or view of the part. */
struct scene {
    const struct stack *stack;
    json_t *contexts[2];
    size_t count;
};

struct listing {
    const struct stack *stack;
    json_t *view;
    struct arena *arena;
    struct part *parts;
    size_t count, capacity;
    struct err *err;
};

static struct scene scene_of(const struct stack *stack, json_t *view, json_t *subject) {
    return (struct scene){stack, {view, subject}, subject ? 2 : 1};
}

static const char *partial(const char *name, size_t *len, void *arg) {
    const struct scene *scene = arg;
    CLEANUP(mem_freep) char *path = mem_printf("%s/%s.mustache", scene->stack->folder, name);
    return assets_get(scene->stack->assets, path, len);
}

static int render(const struct scene *scene, const char *text, size_t len, struct buf *out, struct err *err) {
    return mustache_render(text, len, scene->contexts, scene->count, partial, (void *)scene, out, err);
}

static int render_name(const struct scene *scene, const char *text, struct arena *arena, const char **out,
                       struct err *err) {
    CLEANUP(buf_release) struct buf name = {.max_bytes = LARGEST_NAME_BYTES};
    int result = render(scene, text, strlen(text), &name, err);
    if (result < 0)
        return err_wrap(err, "\"%s\"", text);
    *out = arena_strndup(arena, name.data, name.len);
    return 0;
}

/* The innermost context that has the first name of the path decides, as in templates. */
static bool holds(const struct scene *scene, const char *when) {
    CLEANUP(mem_freep) char *head = when ? mem_strndup(when, strcspn(when, ".")) : NULL;
    if (!when)
        return true;
    for (size_t i = scene->count; i-- > 0;) {
        if (!json_object_get(scene->contexts[i], head))
            continue;
        const json_t *value = json_at(scene->contexts[i], when);
        return json_is_true(value) || json_is_object(value) || json_array_size(value) > 0 ||
               json_string_length(value) > 0 || (json_is_number(value) && json_number_value(value) != 0);
    }
    return false;
}

static const struct part *find_part(const struct part *parts, size_t count, const char *id) {
    for (size_t i = 0; i < count; i++)
        if (str_eq(parts[i].id, id))
            return &parts[i];
    return NULL;
}

static int add_scope(struct listing *listing, const struct scene *scene, const struct stack_part *kind,
                     struct part *part) {
    part->scope = arena_array(listing->arena, kind->scope_count + 1, sizeof(*part->scope));
    part->scope_count = kind->scope_count;
    for (size_t i = 0; i < kind->scope_count; i++) {
        int result = render_name(scene, kind->scope[i], listing->arena, &part->scope[i], listing->err);
        if (result < 0)
            return result;
        if (!glob_is_valid(part->scope[i]))
            return err_set(listing->err, ERR_INTERNAL, "stack: part %s: \"%s\" is not a valid pattern", part->id,
                           part->scope[i]);
    }
    return 0;
}

static bool is_in_scope(const struct part *part, const char *path) {
    for (size_t i = 0; i < part->scope_count; i++)
        if (glob_match(part->scope[i], path))
            return true;
    return false;
}

static int add_paths(struct listing *listing, const struct scene *scene, const struct stack_part *kind,
                     struct part *part) {
    part->paths = arena_array(listing->arena, kind->file_count + 1, sizeof(*part->paths));
    for (size_t i = 0; i < kind->file_count; i++) {
        const char *path = NULL;
        if (!holds(scene, kind->files[i].when))
            continue;
        int result = render_name(scene, kind->files[i].path, listing->arena, &path, listing->err);
        if (result < 0)
            return result;
        if (!fs_is_safe_relative(path) || !is_in_scope(part, path))
            return err_set(listing->err, ERR_INTERNAL, "stack: part %s: %s is outside its scope", part->id, path);
        for (size_t p = 0; p < part->path_count; p++)
            if (str_eq(part->paths[p], path))
                return err_set(listing->err, ERR_INTERNAL, "stack: part %s: %s is there twice", part->id, path);
        part->paths[part->path_count++] = path;
    }
    return 0;
}

/* "view.board" of the view at board is "view:board". */
static const char *part_id(struct arena *arena, const char *kind, const json_t *subject) {
    if (!subject)
        return arena_strdup(arena, kind);
    return arena_printf(arena, "%.*s:%s", (int)strcspn(kind, "."), kind, json_str(subject, "slug", ""));
}

static int add_part(struct listing *listing, const struct stack_part *kind, json_t *subject) {
    const struct scene scene = scene_of(listing->stack, listing->view, subject);
    if (!holds(&scene, kind->when))
        return 0;
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity ? listing->capacity * 2 : 32;
        struct part *grown = arena_array(listing->arena, capacity, sizeof(*grown));
        if (listing->count)
            memcpy(grown, listing->parts, listing->count * sizeof(*grown));
        listing->parts = grown;
        listing->capacity = capacity;
    }
    struct part *part = &listing->parts[listing->count];
    *part = (struct part){
        .id = part_id(listing->arena, kind->kind, subject),
        .kind = arena_strdup(listing->arena, kind->kind),
        .subject = subject,
    };
    if (find_part(listing->parts, listing->count, part->id))
        return err_set(listing->err, ERR_INTERNAL, "stack: there are two parts %s", part->id);
    listing->count++;
    int result = render_name(&scene, kind->title, listing->arena, &part->title, listing->err);
    if (result < 0 || (result = add_scope(listing, &scene, kind, part)) < 0)
        return result;
    return add_paths(listing, &scene, kind, part);
}

static int add_parts(struct listing *listing, const struct stack_part *kind) {
    const char *key = kind->each == EACH_ENTITY ? "entities" : "views";
    const json_t *subjects = json_object_get(listing->view, key);
    int result = 0;
    if (kind->each == EACH_ONCE)
        return add_part(listing, kind, NULL);
    for (size_t i = 0; i < json_array_size(subjects) && result == 0; i++) {
        json_t *subject = json_array_get(subjects, i);
        if (kind->each == EACH_ENTITY || str_eq(json_str(subject, "kind", NULL), kind->view_kind))
            result = add_part(listing, kind, subject);
    }
    return result;
}

/* A view needs of a part that is made for each entity only that of the entity it shows; others need all of them. */
static bool is_needed(const struct listing *listing, const struct part *part, const struct part *other) {
    const struct stack_part *kind = stack_part_find(listing->stack, part->kind);
    const struct stack_part *needed = stack_part_find(listing->stack, other->kind);
    bool is_named = false;
    for (size_t i = 0; i < kind->need_count; i++)
        is_named = is_named || str_eq(kind->needs[i], other->kind);
    if (!is_named || needed->each != EACH_ENTITY || kind->each == EACH_ONCE)
        return is_named;
    const char *key = kind->each == EACH_VIEW ? "entitySlug" : "slug";
    const char *slug = json_str(part->subject, key, NULL);
    return !slug || str_eq(slug, json_str(other->subject, "slug", NULL));
}

static void add_needs(struct listing *listing) {
    for (size_t i = 0; i < listing->count; i++) {
        struct part *part = &listing->parts[i];
        part->needs = arena_array(listing->arena, i + 1, sizeof(*part->needs));
        for (size_t n = 0; n < i; n++)
            if (is_needed(listing, part, &listing->parts[n]))
                part->needs[part->need_count++] = listing->parts[n].id;
    }
}

/* Most patterns differ in what stands before their first wild character: no need to walk them. */
static bool may_overlap(const char *a, const char *b) {
    while (*a && *a == *b && *a != '*' && *a != '?') {
        a++;
        b++;
    }
    return *a == *b || *a == '*' || *a == '?' || *b == '*' || *b == '?';
}

static int refuse_overlap(const struct listing *listing, const struct part *a, const struct part *b) {
    for (size_t i = 0; i < a->scope_count; i++)
        for (size_t j = 0; j < b->scope_count; j++)
            if (may_overlap(a->scope[i], b->scope[j]) && glob_overlap(a->scope[i], b->scope[j]))
                return err_set(listing->err, ERR_INTERNAL, "stack: the scopes of %s and %s overlap: %s and %s", a->id,
                               b->id, a->scope[i], b->scope[j]);
    return 0;
}

int stack_parts(const struct stack *stack, json_t *view, struct arena *arena, struct part **parts, size_t *count,
                struct err *err) {
    struct listing listing = {.stack = stack, .view = view, .arena = arena, .err = err};
    int result = 0;
    for (size_t order = 1; order <= stack->part_count; order++)
        for (size_t i = 0; i < stack->part_count && result == 0; i++)
            if (stack->parts[i].order == order)
                result = add_parts(&listing, &stack->parts[i]);
    for (size_t i = 0; i < listing.count && result == 0; i++)
        for (size_t j = 0; j < i && result == 0; j++)
            result = refuse_overlap(&listing, &listing.parts[j], &listing.parts[i]);
    if (result < 0)
        return result;
    add_needs(&listing);
    *parts = listing.parts;
    *count = listing.count;
    return 0;
}

int stack_render(const struct stack *stack, json_t *view, const struct part *part, part_file_fn *fn, void *arg,
                 struct err *err) {
    const struct stack_part *kind = stack_part_find(stack, part->kind);
    const struct scene scene = scene_of(stack, view, part->subject);
    CLEANUP(buf_release) struct buf text = {.max_bytes = LARGEST_FILE_BYTES};
    size_t done = 0;
    if (!kind)
        return err_set(err, ERR_VALIDATION, "the stack has no part %s", part->kind);
    for (size_t i = 0; i < kind->file_count; i++) {
        const struct stack_file *file = &kind->files[i];
        if (!holds(&scene, file->when))
            continue;
        const char *path = part->paths[done++];
        int result = 0;
        buf_reset(&text);
        if (!file->is_copy && (result = render(&scene, file->text, file->len, &text, err)) < 0)
            return err_wrap(err, "%s for %s", file->template, path);
        result = file->is_copy ? fn(path, file->text, file->len, arg, err) : fn(path, text.data, text.len, arg, err);
        if (result != 0)
            return result;
    }
    return 0;
}
