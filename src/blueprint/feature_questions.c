/* feature_questions: the questions of a feature and the effects of their answers. */
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/feature_check.h"

enum { FEWEST_OPTIONS = 2, MOST_OPTIONS = 8 };

static const struct shape addition[] = {
    {.key = "features", .type = SHAPE_TEXTS},
    {.key = "entities", .type = SHAPE_LIST, .inner = feature_entity},
    {.key = "extend", .type = SHAPE_LIST, .inner = feature_extension},
    {.key = "views", .type = SHAPE_ANY},
    {.key = "cards", .type = SHAPE_LIST, .inner = feature_card},
    {.key = "capabilities", .type = SHAPE_TEXTS},
    {.key = "roles", .type = SHAPE_LIST, .inner = feature_role},
    {.key = NULL},
};

static const struct shape removal[] = {
    {.key = "features", .type = SHAPE_TEXTS}, {.key = "entities", .type = SHAPE_TEXTS},
    {.key = "fields", .type = SHAPE_TEXTS},   {.key = "rules", .type = SHAPE_TEXTS},
    {.key = "views", .type = SHAPE_TEXTS},    {.key = "capabilities", .type = SHAPE_TEXTS},
    {.key = "roles", .type = SHAPE_TEXTS},    {.key = NULL},
};

static const struct shape options_of[] = {
    {.key = "entity", .type = SHAPE_TEXT, .is_required = true},
    {.key = "field", .type = SHAPE_TEXT, .is_required = true},
    {.key = NULL},
};

static const struct shape number_of[] = {
    {.key = "entity", .type = SHAPE_TEXT, .is_required = true},
    {.key = "field", .type = SHAPE_TEXT},
    {.key = "rule", .type = SHAPE_TEXT},
    {.key = "key", .type = SHAPE_TEXT, .is_required = true},
    {.key = NULL},
};

static const struct shape entity_only[] = {
    {.key = "entity", .type = SHAPE_TEXT, .is_required = true},
    {.key = NULL},
};

static const struct shape effect[] = {
    {.key = "is", .type = SHAPE_ANY},
    {.key = "not", .type = SHAPE_ANY},
    {.key = "has", .type = SHAPE_TEXT},
    {.key = "lacks", .type = SHAPE_TEXT},
    {.key = "any", .type = SHAPE_BOOLEAN},
    {.key = "add", .type = SHAPE_OBJECT, .inner = addition},
    {.key = "remove", .type = SHAPE_OBJECT, .inner = removal},
    {.key = "settings", .type = SHAPE_MAP},
    {.key = "set", .type = SHAPE_MAP},
    {.key = "options", .type = SHAPE_OBJECT, .inner = options_of},
    {.key = "number", .type = SHAPE_OBJECT, .inner = number_of},
    {.key = "rename", .type = SHAPE_OBJECT, .inner = entity_only},
    {.key = "fields", .type = SHAPE_OBJECT, .inner = entity_only},
    {.key = NULL},
};

static const struct shape question[] = {
    {.key = "id", .type = SHAPE_TEXT, .is_required = true},
    {.key = "priority", .type = SHAPE_WHOLE, .is_required = true},
    {.key = "type", .type = SHAPE_TEXT, .is_required = true},
    {.key = "question", .type = SHAPE_TEXT, .is_required = true},
    {.key = "help", .type = SHAPE_TEXT},
    {.key = "options", .type = SHAPE_TEXTS},
    {.key = "default", .type = SHAPE_ANY, .is_required = true},
    {.key = "effects", .type = SHAPE_LIST, .is_required = true, .inner = effect},
    {.key = "when", .type = SHAPE_OBJECT, .inner = feature_condition},
    {.key = "unless", .type = SHAPE_OBJECT, .inner = feature_condition},
    {.key = NULL},
};

static bool has_option(const json_t *one, const json_t *value) {
    const json_t *options = json_object_get(one, "options");
    for (size_t i = 0; i < json_array_size(options); i++)
        if (json_equal(json_array_get(options, i), value))
            return true;
    return false;
}

/* The default is an answer of the question's type. */
static int check_default(const struct place *place, const json_t *one, const char *type) {
    const json_t *value = json_object_get(one, "default");
    const struct place here = shape_key(place, "default");
    bool fits = true;
    if (str_eq(type, "boolean"))
        fits = json_is_boolean(value);
    else if (str_eq(type, "text"))
        fits = json_is_string(value);
    else if (str_eq(type, "single_choice"))
        fits = has_option(one, value);
    else
        fits = json_is_array(value);
    for (size_t i = 0; i < json_array_size(value) && fits; i++)
        fits = has_option(one, json_array_get(value, i));
    return fits ? 0 : shape_fault(&here, "is no answer");
}

/* One condition; what the answer is compared with must be an answer that can be given. */
static int check_effect(const struct place *place, const json_t *given, const json_t *one) {
    static const char *const conditions[] = {"is", "not", "has", "lacks", "any"};
    const json_t *added = json_object_get(given, "add"), *number = json_object_get(given, "number");
    const json_t *names = json_object_get(added, "capabilities");
    const struct place addition_place = shape_key(place, "add");
    size_t count = 0;
    int result = 0;
    for (size_t i = 0; i < ARRAY_LEN(conditions); i++)
        count += json_object_get(given, conditions[i]) != NULL;
    if (count != 1)
        return shape_fault(place, "must have one of is, not, has, lacks, any");
    if (json_object_size(given) < 2)
        return shape_fault(place, "changes nothing");
    for (size_t i = 0; i + 1 < ARRAY_LEN(conditions) && json_object_get(one, "options"); i++) {
        const json_t *value = json_object_get(given, conditions[i]);
        if (value && !has_option(one, value))
            return shape_fault(place, "%s: is none of the options", conditions[i]);
    }
    if (number && !json_object_get(number, "field") == !json_object_get(number, "rule"))
        return shape_fault(place, "number: must have either field or rule");
    for (size_t i = 0; i < json_array_size(names) && result == 0; i++)
        result = feature_check_capability(&addition_place, json_string_value(json_array_get(names, i)));
    return result < 0 ? result : feature_check_things(&addition_place, added);
}

static int check_question(const struct place *place, const json_t *one, const char *slug) {
    static const char *const types[] = {"single_choice", "multiple_choice", "boolean", "text", NULL};
    const char *id = json_str(one, "id", ""), *type = json_str(one, "type", "");
    const json_t *effects = json_object_get(one, "effects");
    size_t count = json_array_size(json_object_get(one, "options"));
    bool is_choice = str_ends(type, "_choice");
    int result = 0;
    if (!shape_is_one_of(type, types))
        return shape_fault(place, "unknown type \"%s\"", type);
    if (!str_starts(id, slug))
        return shape_fault(place, "id \"%s\" must begin with %s", id, slug);
    if (is_choice ? count < FEWEST_OPTIONS || count > MOST_OPTIONS : count > 0)
        return shape_fault(place, "options: %d to %d go with a choice", FEWEST_OPTIONS, MOST_OPTIONS);
    if ((result = check_default(place, one, type)) < 0)
        return result;
    for (size_t i = 0; i < json_array_size(effects) && result == 0; i++) {
        const struct place here = shape_item(place, "effects", i);
        result = check_effect(&here, json_array_get(effects, i), one);
    }
    return result;
}

int feature_check_questions(const struct place *place, const json_t *feature) {
    const json_t *questions = json_object_get(feature, "questions");
    const struct place whole = shape_key(place, "questions");
    int result = !questions || json_is_array(questions) ? 0 : shape_fault(&whole, "must be a list");
    for (size_t i = 0; i < json_array_size(questions) && result == 0; i++) {
        const json_t *one = json_array_get(questions, i);
        const struct place here = shape_item(place, "questions", i);
        result = shape_check(&here, one, question);
        if (result == 0)
            result = check_question(&here, one, json_str(feature, "slug", ""));
    }
    return result;
}
