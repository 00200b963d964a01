/* describe: fields, rules and views of a plan in words. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/draft.h"
#include "planner/instruct.h"

#define TEXT(...) arena_printf(arena, __VA_ARGS__)

static const json_t *entity_of(const json_t *plan, const char *slug) {
    return find_by(json_object_get(plan, "entities"), "slug", slug, NULL);
}

static const char *label_of(const json_t *entity, const char *name) {
    return json_str(entity_field(entity, name), "label", name);
}

static const char *option_list(struct arena *arena, const json_t *options) {
    const char *text = "";
    size_t i;
    json_t *option;
    json_array_foreach (options, i, option)
        text = TEXT("%s%s%s", text, i ? ", " : "", json_str(option, "label", ""));
    return text;
}

static const char *type_words(struct arena *arena, const json_t *plan, const json_t *field) {
    static const struct {
        const char *type, *words;
    } rows[] = {{"text", "text"},       {"longtext", "long text"},           {"email", "email address"},
                {"url", "web address"}, {"phone", "phone number"},           {"integer", "whole number"},
                {"decimal", "number"},  {"money", "amount of money"},        {"boolean", "yes or no"},
                {"date", "date"},       {"datetime", "date and time"},       {"time", "time of day"},
                {"minutes", "minutes"}, {"rating", "rating from 1 to 5"},    {"tags", "tags"},
                {"file", "file"},       {"user", "a person with an account"}};
    const char *type = json_str(field, "type", "text");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_eq(rows[i].type, type))
            return rows[i].words;
    if (str_eq(type, "choice"))
        return TEXT("one of %s", option_list(arena, json_object_get(field, "options")));
    const json_t *target = entity_of(plan, json_str(field, "entity", ""));
    const char *effect = json_str(field, "onDelete", "clear");
    return TEXT("refers to %s (%s)", text_article(arena, text_lower_first(arena, json_str(target, "name", ""))),
                str_eq(effect, "cascade")    ? "deleted with it"
                : str_eq(effect, "restrict") ? "which cannot be deleted meanwhile"
                                             : "emptied when that is deleted");
}

static const char *default_words(struct arena *arena, const json_t *field) {
    const json_t *value = json_object_get(field, "default");
    if (!value || json_is_null(value))
        return "";
    if (json_is_boolean(value))
        return json_is_true(value) ? ", yes unless said otherwise" : "";
    if (json_is_string(value)) {
        const json_t *option = find_by(json_object_get(field, "options"), "value", json_string_value(value), NULL);
        return TEXT(", %s unless said otherwise", json_str(option, "label", json_string_value(value)));
    }
    return TEXT(", %s unless said otherwise", json_text(arena, value));
}

const char *describe_field(struct arena *arena, const json_t *plan, const json_t *field) {
    const char *type = json_str(field, "type", "");
    bool has_length = str_eq(type, "text") || str_eq(type, "longtext");
    const json_t *min = json_object_get(field, "min"), *max = json_object_get(field, "max");
    const char *text = type_words(arena, plan, field);
    if (json_flag(field, "required", false))
        text = TEXT("%s, required", text);
    if (json_flag(field, "unique", false))
        text = TEXT("%s, unique", text);
    if (max && has_length)
        text = TEXT("%s, at most %lld characters", text, (long long)json_integer_value(max));
    if (min && !has_length)
        text = TEXT("%s, at least %g", text, json_number_value(min) / (str_eq(type, "money") ? 100 : 1));
    if (max && !has_length)
        text = TEXT("%s, at most %g", text, json_number_value(max) / (str_eq(type, "money") ? 100 : 1));
    return TEXT("%s%s", text, default_words(arena, field));
}

static const char *where_words(struct arena *arena, const json_t *entity, const json_t *rule) {
    const json_t *where = json_object_get(rule, "where");
    const json_t *field = entity_field(entity, json_str(where, "field", ""));
    const char *values = "";
    size_t i;
    json_t *value;
    if (!where)
        return "";
    json_array_foreach (json_object_get(where, "in"), i, value) {
        const json_t *option =
            find_by(json_object_get(field, "options"), "value", str_or(json_string_value(value), ""), NULL);
        values =
            TEXT("%s%s%s", values, i ? " or " : "",
                 json_str(option, "label", json_is_string(value) ? json_string_value(value) : json_text(arena, value)));
    }
    return TEXT(" whose %s is %s", text_lower_first(arena, json_str(field, "label", "")), values);
}

static const char *describe_rollup(struct arena *arena, const json_t *plan, const json_t *rule) {
    const json_t *from = entity_of(plan, json_str(rule, "from", ""));
    const char *many = text_lower_first(arena, json_str(from, "plural", "")), *fn = json_str(rule, "fn", "count"),
               *times = json_str(rule, "times", NULL);
    const char *what = text_lower_first(arena, label_of(from, json_str(rule, "field", "")));
    if (times)
        what = TEXT("%s times %s", what, text_lower_first(arena, label_of(from, times)));
    if (str_eq(fn, "count"))
        return TEXT("\"%s\" counts its %s%s.", json_str(rule, "label", ""), many, where_words(arena, from, rule));
    return TEXT("\"%s\" is the %s of %s over its %s%s.", json_str(rule, "label", ""),
                str_eq(fn, "avg") ? "average" : "sum", what, many, where_words(arena, from, rule));
}

static const char *describe_threshold(struct arena *arena, const json_t *entity, const json_t *rule) {
    const char *field = label_of(entity, json_str(rule, "field", "")), *label = json_str(rule, "label", ""),
               *limit = json_str(rule, "limit", NULL);
    if (limit)
        return TEXT("When \"%s\" is at its \"%s\" or below, it is flagged \"%s\".", field, label_of(entity, limit),
                    label);
    return TEXT("At %g or less in \"%s\" it is flagged \"%s\".", json_number_value(json_object_get(rule, "limit")),
                field, label);
}

const char *describe_rule(struct arena *arena, const json_t *plan, const json_t *entity, const json_t *rule) {
    const char *kind = json_str(rule, "kind", ""), *message = json_str(rule, "message", "");
    if (str_eq(kind, "unique")) {
        const char *labels = "";
        size_t i;
        json_t *name;
        json_array_foreach (json_object_get(rule, "fields"), i, name)
            labels = TEXT("%s%s%s", labels, i ? " and " : "",
                          text_lower_first(arena, label_of(entity, str_or(json_string_value(name), ""))));
        return TEXT("No two have the same %s: \"%s\".", labels, message);
    }
    if (str_eq(kind, "order"))
        return TEXT("\"%s\" is never before \"%s\": \"%s\".", label_of(entity, json_str(rule, "to", "")),
                    label_of(entity, json_str(rule, "from", "")), message);
    if (str_eq(kind, "threshold"))
        return describe_threshold(arena, entity, rule);
    if (str_eq(kind, "rollup"))
        return describe_rollup(arena, plan, rule);
    const json_t *target = entity_of(plan, json_str(entity_field(entity, json_str(rule, "ref", "")), "entity", ""));
    const char *limit = text_lower_first(arena, label_of(target, json_str(rule, "limit", ""))),
               *one = text_lower_first(arena, json_str(target, "name", ""));
    return TEXT("%s has no more %s%s than its %s%s: \"%s\".", text_capital(arena, text_article(arena, one)),
                text_lower_first(arena, json_str(entity, "plural", "")), where_words(arena, entity, rule), limit,
                str_eq(kind, "credit") ? ", and shows how many remain" : "", message);
}

const char *describe_view(struct arena *arena, const json_t *plan, const json_t *view) {
    const json_t *entity = entity_of(plan, json_str(view, "entity", ""));
    const char *many = text_lower_first(arena, json_str(entity, "plural", "")), *kind = json_str(view, "kind", "");
    if (str_eq(kind, "board"))
        return TEXT("%s in columns by %s, moved by dragging or by choosing", many,
                    text_lower_first(arena, label_of(entity, json_str(view, "field", ""))));
    if (str_eq(kind, "calendar"))
        return TEXT("%s by %s, a month at a time", many,
                    text_lower_first(arena, label_of(entity, json_str(view, "field", ""))));
    if (str_eq(kind, "timer"))
        return TEXT("starts and stops %s, with the total of each day", many);
    if (str_eq(kind, "chat"))
        return TEXT("%s as a conversation for each %s", many,
                    text_lower_first(arena, label_of(entity, json_str(view, "room", ""))));
    if (str_eq(kind, "map"))
        return TEXT("%s where they are, with a list beside", many);
    if (str_eq(kind, "report")) {
        const char *by = json_str(view, "by", NULL);
        return TEXT("%s%s of %s by month%s%s", str_eq(json_str(view, "fn", "sum"), "avg") ? "average " : "",
                    text_lower_first(arena, label_of(entity, json_str(view, "field", ""))), many, by ? " and by " : "",
                    by ? text_lower_first(arena, label_of(entity, by)) : "");
    }
    return "the figures that matter, and what was added last";
}
