/* view_field: a field of the plan with what templates need of it. */
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/str.h"
#include "blueprint/decorate.h"
#include "blueprint/field_type.h"
#include "blueprint/names.h"

static json_t *kinds_of(const struct field_type *type) {
    json_t *is = json_object();
    for (size_t i = 0; i < field_type_count; i++)
        view_add_flag(is, field_types[i].name, type == &field_types[i]);
    for (size_t i = 0; i < field_group_count; i++)
        view_add_flag(is, field_groups[i].name, type->groups & field_groups[i].group);
    view_add_flag(is, "self", false); /* the entity knows */
    return is;
}

/* NULL when there is none, or it is null. */
static const json_t *default_of(const json_t *source) {
    const json_t *value = json_object_get(source, "default");
    return json_is_null(value) ? NULL : value;
}

static char *sql_default(const json_t *source, const struct field_type *type, struct arena *arena) {
    const json_t *value = default_of(source);
    if (str_eq(type->name, "boolean"))
        return arena_printf(arena, " DEFAULT %d", json_is_true(value));
    if (str_eq(type->name, "tags"))
        return arena_strdup(arena, " DEFAULT '[]'");
    if (!value)
        return arena_strdup(arena, "");
    if (json_is_string(value))
        return arena_printf(arena, " DEFAULT %s", literal_sql(arena, json_string_value(value)));
    return arena_printf(arena, " DEFAULT %s", literal_json(arena, value));
}

static const char *sql_on_delete(const json_t *source) {
    const char *chosen = json_str(source, "onDelete", "clear");
    if (str_eq(chosen, "cascade"))
        return "CASCADE";
    return str_eq(chosen, "restrict") ? "RESTRICT" : "SET NULL";
}

static void add_storage(json_t *field, const json_t *source, const struct field_type *type, struct arena *arena) {
    bool is_required = json_flag(source, "required", false);
    bool is_never_null = type->groups & FIELD_NEVER_NULL;
    bool is_cleared = str_eq(json_str(source, "onDelete", ""), "clear") || str_eq(type->name, "user");
    view_add_flag(field, "required", is_required);
    view_add_flag(field, "unique", json_flag(source, "unique", false));
    view_add_text(field, "tsType", type->ts);
    view_add_text(field, "sqlType", type->sql);
    view_add_text(field, "sqlDefault", sql_default(source, type, arena));
    view_add_text(field, "sqlNotNull", (is_required && !is_cleared) || is_never_null ? " NOT NULL" : "");
    view_add_text(field, "sqlOnDelete", sql_on_delete(source));
    view_add_flag(field, "isNullable", !is_required && !is_never_null);
}

static void add_limits(json_t *field, const json_t *source, const struct field_type *type, struct arena *arena) {
    const json_t *max = json_object_get(source, "max"), *value = default_of(source);
    view_add_text(field, "inputType", type->input);
    json_object_set_new(field, "maxLength", max ? json_incref((json_t *)max) : json_integer(type->max_length));
    view_add_flag(field, "hasMin", json_object_get(source, "min"));
    view_add_flag(field, "hasMax", max);
    view_add_flag(field, "hasDefault", value);
    view_add_flag(field, "hasHelp", *json_str(source, "help", ""));
    view_add_text(field, "defaultJson", value ? literal_json(arena, value) : "null");
}

static void add_target(json_t *field, const json_t *target, struct arena *arena) {
    static const char *const members[][2] = {{"refType", "Type"}, {"refTable", "table"}, {"refSlug", "slug"},
                                             {"refVar", "var"},   {"refVars", "vars"},   {"refPlural", "plural"}};
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        view_add(field, members[i][0], json_object_get(target, members[i][1]));
    view_add_literals(arena, field, "refPlural", NULL);
}

static void add_options(json_t *field, const json_t *source, struct arena *arena) {
    const json_t *given = json_object_get(source, "options");
    json_t *options = json_array(), *values = json_array();
    for (size_t i = 0; i < json_array_size(given); i++) {
        const json_t *option = json_array_get(given, i);
        json_t *plain = json_object();
        view_add(plain, "value", json_object_get(option, "value"));
        view_add(plain, "label", json_object_get(option, "label"));
        view_add_text(plain, "tone", json_str(option, "tone", "neutral"));
        json_array_append(values, json_object_get(option, "value"));
        json_array_append_new(options, plain);
    }
    view_add_text(field, "optionsJson", literal_json(arena, options));
    view_add_text(field, "optionValuesJson", literal_json(arena, values));
    for (size_t i = 0; i < json_array_size(options); i++) {
        json_t *option = json_array_get(options, i);
        view_add_literals(arena, option, "value", "label", "tone", NULL);
        view_add_text(option, "valueSql", literal_sql(arena, json_str(option, "value", "")));
        view_add_text(option, "labelSql", literal_sql(arena, json_str(option, "label", "")));
    }
    view_number(options);
    json_object_set_new(field, "options", options);
    json_decref(values);
}

json_t *decorate_field(const json_t *source, const json_t *named, struct arena *arena) {
    const struct field_type *type = field_type_find(json_str(source, "type", ""));
    const char *name = json_str(source, "name", "");
    const json_t *target = view_find(named, "slug", json_str(source, "entity", NULL));
    json_t *field = json_copy((json_t *)source);
    view_add_text(field, "column", name_snake(arena, name));
    view_add_text(field, "pascal", name_pascal(arena, name));
    json_object_set_new(field, "is", kinds_of(type));
    add_storage(field, source, type, arena);
    add_limits(field, source, type, arena);
    if (target)
        add_target(field, target, arena);
    if (str_eq(type->name, "choice"))
        add_options(field, source, arena);
    view_add_literals(arena, field, "label", "help", NULL);
    return field;
}

/* The number of sample, moved into what the field allows. */
static char *sample_number(const json_t *field, const char *sample, struct arena *arena) {
    const json_t *min = json_object_get(field, "min"), *max = json_object_get(field, "max");
    CLEANUP(buf_release) struct buf out = {0};
    int64_t whole = 0;
    double value = str_to_int(sample, 0, INT32_MAX, &whole) ? (double)whole : 1.5;
    if (json_is_number(max) && value > json_number_value(max))
        value = json_number_value(max);
    if (json_is_number(min) && value < json_number_value(min))
        value = json_number_value(min);
    number_put(&out, value);
    return arena_strndup(arena, out.data, out.len);
}

char *view_sample(const json_t *field, struct arena *arena) {
    const struct field_type *type = field_type_find(json_str(field, "type", ""));
    if (view_field_is(field, "choice")) {
        const json_t *value = default_of(field);
        const json_t *first = json_array_get(json_object_get(field, "options"), 0);
        return literal_json(arena, value ? value : json_object_get(first, "value"));
    }
    if (view_field_is(field, "numeric") && !view_field_is(field, "rating"))
        return sample_number(field, type->sample, arena);
    return arena_strdup(arena, type->sample);
}
