/* decorate: adding members, literals and numbers to objects of the view. */
#include "blueprint/decorate.h"

#include <stdarg.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/field_type.h"
#include "blueprint/names.h"

void view_add_text(json_t *object, const char *key, const char *text) {
    json_object_set_new(object, key, json_string(text));
}

void view_add_flag(json_t *object, const char *key, bool flag) {
    json_object_set_new(object, key, json_boolean(flag));
}

void view_add(json_t *object, const char *key, const json_t *value) {
    if (value)
        json_object_set(object, key, (json_t *)value);
}

void view_add_literals(struct arena *arena, json_t *object, ...) {
    va_list keys;
    va_start(keys, object);
    for (const char *key; (key = va_arg(keys, const char *));) {
        const char *text = json_str(object, key, NULL);
        if (!text)
            continue;
        view_add_text(object, arena_printf(arena, "%sJson", key), literal_text(arena, text));
        view_add_text(object, arena_printf(arena, "%sJsx", key), literal_jsx(arena, text));
        view_add_text(object, arena_printf(arena, "%sAttr", key), literal_attr(arena, text));
    }
    va_end(keys);
}

json_t *view_flags(const char *on, ...) {
    json_t *flags = json_object();
    va_list names;
    va_start(names, on);
    for (const char *name; (name = va_arg(names, const char *));)
        view_add_flag(flags, name, str_eq(name, on));
    va_end(names);
    return flags;
}

json_t *view_numeric_flags(const char *type) {
    json_t *flags = json_object();
    for (size_t i = 0; i < field_type_count; i++)
        if (field_types[i].groups & FIELD_NUMERIC)
            view_add_flag(flags, field_types[i].name, str_eq(field_types[i].name, type));
    return flags;
}

/* true and false are stored as 1 and 0. */
static char *sql_value(struct arena *arena, const json_t *value) {
    if (json_is_boolean(value))
        return arena_strdup(arena, json_is_true(value) ? "1" : "0");
    return json_is_string(value) ? literal_sql(arena, json_string_value(value)) : literal_json(arena, value);
}

void view_add_where(struct arena *arena, json_t *object, const json_t *where, const json_t *entity) {
    CLEANUP(buf_release) struct buf sql = {0};
    const json_t *values = json_object_get(where, "in");
    json_t *texts = json_array();
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *value = json_array_get(values, i);
        buf_printf(&sql, "%s%s", i ? ", " : "", sql_value(arena, value));
        json_array_append_new(texts, json_string(literal_plain(arena, value)));
    }
    if (where) {
        view_add(object, "whereField", view_field(entity, json_str(where, "field", "")));
        view_add_text(object, "whereValuesJson", literal_json(arena, texts));
        view_add_text(object, "whereFirstJson", literal_json(arena, json_array_get(values, 0)));
        view_add_text(object, "whereValuesSql", sql.data);
    }
    json_decref(texts);
}

void view_number(json_t *list) {
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_array_get(list, i);
        json_object_set_new(item, "index", json_integer((json_int_t)i));
        view_add_flag(item, "isFirst", i == 0);
        view_add_flag(item, "isLast", i + 1 == count);
    }
}

json_t *view_numbered(const json_t *list) {
    json_t *copy = json_array();
    for (size_t i = 0; i < json_array_size(list); i++)
        json_array_append_new(copy, json_copy(json_array_get(list, i)));
    view_number(copy);
    return copy;
}

json_t *view_find(const json_t *list, const char *key, const char *value) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        if (value && str_eq(json_str(item, key, NULL), value))
            return item;
    }
    return NULL;
}

json_t *view_field(const json_t *entity, const char *name) {
    return view_find(json_object_get(entity, "fields"), "name", name);
}

bool view_field_is(const json_t *field, const char *name) {
    return json_is_true(json_object_get(json_object_get(field, "is"), name));
}

bool view_has(const json_t *object, const char *key) {
    return json_array_size(json_object_get(object, key)) > 0;
}

json_t *view_first_field(const json_t *entity, const char *kind) {
    const json_t *fields = json_object_get(entity, "fields");
    for (size_t i = 0; i < json_array_size(fields); i++)
        if (view_field_is(json_array_get(fields, i), kind))
            return json_array_get(fields, i);
    return NULL;
}
