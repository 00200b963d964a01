/* shape: walks an object along the table of its keys. */
#include "blueprint/shape.h"

#include <stdarg.h>

#include "base/str.h"

struct place shape_key(const struct place *place, const char *key) {
    struct place inner = *place;
    inner.path = arena_printf(place->arena, "%s%s%s", place->path, *place->path ? "." : "", key);
    return inner;
}

struct place shape_item(const struct place *place, const char *key, size_t index) {
    struct place inner = shape_key(place, key);
    inner.path = arena_printf(place->arena, "%s[%zu]", inner.path, index);
    return inner;
}

int shape_fault(const struct place *place, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *what = arena_vprintf(place->arena, format, args);
    va_end(args);
    return err_set(place->err, ERR_VALIDATION, "%s: %s%s%s", place->file, place->path, *place->path ? ": " : "", what);
}

bool shape_is_one_of(const char *text, const char *const *names) {
    for (; *names; names++)
        if (str_eq(text, *names))
            return true;
    return false;
}

static bool is_text(const json_t *value) {
    return json_string_length(value) > 0;
}

static bool is_texts(const json_t *value) {
    bool fits = json_is_array(value);
    for (size_t i = 0; i < json_array_size(value); i++)
        fits = fits && is_text(json_array_get(value, i));
    return fits;
}

static bool is_whole(const json_t *value, const struct shape *shape) {
    json_int_t number = json_integer_value(value);
    return json_is_integer(value) &&
           ((shape->min == 0 && shape->max == 0) || (number >= shape->min && number <= shape->max));
}

static int check_list(const struct place *place, const json_t *list, const struct shape *shape) {
    int result = 0;
    if (!json_is_array(list)) {
        const struct place here = shape_key(place, shape->key);
        return shape_fault(&here, "must be a list");
    }
    for (size_t i = 0; i < json_array_size(list) && result == 0; i++) {
        const struct place here = shape_item(place, shape->key, i);
        result = shape_check(&here, json_array_get(list, i), shape->inner);
    }
    return result;
}

static int check_value(const struct place *place, const json_t *value, const struct shape *shape) {
    const struct place here = shape_key(place, shape->key);
    switch (shape->type) {
    case SHAPE_ANY:
        return 0;
    case SHAPE_TEXT:
        return is_text(value) ? 0 : shape_fault(&here, "must be a text");
    case SHAPE_TEXTS:
        return is_texts(value) ? 0 : shape_fault(&here, "must be a list of texts");
    case SHAPE_NAMES:
        return is_text(value) || (is_texts(value) && json_array_size(value) > 0)
                   ? 0
                   : shape_fault(&here, "must be a text or a list of texts");
    case SHAPE_WHOLE:
        if (is_whole(value, shape))
            return 0;
        return shape->min || shape->max ? shape_fault(&here, "must be from %d to %d", shape->min, shape->max)
                                        : shape_fault(&here, "must be a whole number");
    case SHAPE_NUMBER:
        return json_is_number(value) ? 0 : shape_fault(&here, "must be a number");
    case SHAPE_LIMIT:
        return json_is_number(value) || is_text(value) ? 0
                                                       : shape_fault(&here, "must be a number or the name of a field");
    case SHAPE_BOOLEAN:
        return json_is_boolean(value) ? 0 : shape_fault(&here, "must be true or false");
    case SHAPE_MAP:
        return json_is_object(value) ? 0 : shape_fault(&here, "must be an object");
    case SHAPE_OBJECT:
        return shape_check(&here, value, shape->inner);
    case SHAPE_LIST:
        return check_list(place, value, shape);
    }
    return 0;
}

static const struct shape *find(const struct shape *shape, const char *key) {
    for (; shape->key; shape++)
        if (str_eq(shape->key, key))
            return shape;
    return NULL;
}

int shape_check(const struct place *place, const json_t *object, const struct shape *shape) {
    json_t *given = (json_t *)object; /* jansson's iterator has no const */
    int result = json_is_object(object) ? 0 : shape_fault(place, "must be an object");
    for (void *at = json_object_iter(given); at && result == 0; at = json_object_iter_next(given, at)) {
        const struct shape *known = find(shape, json_object_iter_key(at));
        const struct place here = shape_key(place, json_object_iter_key(at));
        result = known ? check_value(place, json_object_iter_value(at), known) : shape_fault(&here, "unknown key");
    }
    for (; shape->key && result == 0; shape++) {
        const struct place here = shape_key(place, shape->key);
        if (shape->is_required && !json_object_get(object, shape->key))
            result = shape_fault(&here, "is missing");
    }
    return result;
}
