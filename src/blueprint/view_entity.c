/* view_entity: the entities of the plan with their names, lists of fields, rules, children and sample. */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/decorate.h"
#include "blueprint/field_type.h"
#include "blueprint/names.h"

enum { MOST_CELLS = 4, WEIGHTS = 6 };

static bool is_taken(struct arena *arena, const char *name) {
    return name_is_taken(str_lower(arena, name));
}

static const char *base_name(const json_t *source, struct arena *arena) {
    const char *base = name_from_letter(name_pascal(arena, json_str(source, "name", "")));
    return *base ? base : name_from_letter(name_pascal(arena, json_str(source, "slug", "")));
}

char *view_type_name(const json_t *source, struct arena *arena) {
    const char *base = base_name(source, arena);
    return arena_printf(arena, "%s%s", name_capital(arena, base), is_taken(arena, base) ? "Item" : "");
}

static json_t *with_names(const json_t *source, struct arena *arena) {
    json_t *entity = json_copy((json_t *)source);
    const char *slug = json_str(source, "slug", "");
    const char *type = view_type_name(source, arena), *variable = name_lower_first(arena, type);
    const char *plural = name_from_letter(name_pascal(arena, slug)), *vars = name_lower_first(arena, plural);
    if (str_eq(vars, variable) || is_taken(arena, vars))
        vars = arena_printf(arena, "%sList", variable);
    view_add_text(entity, "Type", type);
    view_add_text(entity, "Plural", plural);
    view_add_text(entity, "var", variable);
    view_add_text(entity, "vars", vars);
    /* Tables are names of code, too: one cannot begin with a digit. */
    view_add_text(entity, "table", arena_printf(arena, "%s%s", *slug < 'a' ? "t_" : "", name_snake(arena, slug)));
    view_add_flag(entity, "reservedName", is_taken(arena, base_name(source, arena)));
    return entity;
}

static void add_labels(json_t *entity, struct arena *arena) {
    const char *name = name_sentence(arena, json_str(entity, "name", ""));
    const char *plural = name_sentence(arena, json_str(entity, "plural", ""));
    view_add_text(entity, "nameLower", name);
    view_add_text(entity, "pluralLower", plural);
    view_add_text(entity, "aName", name_with_article(arena, name));
    view_add_text(entity, "newLabel", arena_printf(arena, "New %s", name));
    view_add_text(entity, "editLabel", arena_printf(arena, "Edit %s", name));
    view_add_text(entity, "createLabel", arena_printf(arena, "Create %s", name));
    view_add_text(entity, "noneLabel", arena_printf(arena, "No %s yet", plural));
    view_add_literals(arena, entity, "newLabel", "editLabel", "createLabel", "noneLabel", "name", "plural", "nameLower",
                      "pluralLower", "aName", "summary", "slug", NULL);
}

static void add_fields(json_t *entity, const json_t *named, struct arena *arena) {
    const json_t *given = json_object_get(entity, "fields");
    json_t *fields = json_array();
    for (size_t i = 0; i < json_array_size(given); i++) {
        json_t *field = decorate_field(json_array_get(given, i), named, arena);
        if (view_field_is(field, "ref") && str_eq(json_str(field, "entity", NULL), json_str(entity, "slug", NULL)))
            view_add_flag(json_object_get(field, "is"), "self", true);
        json_array_append_new(fields, field);
    }
    view_number(fields);
    json_object_set_new(entity, "fields", fields);
}

static unsigned groups_of(const json_t *field) {
    return field_type_find(json_str(field, "type", ""))->groups;
}

static bool is_required(const json_t *field) {
    return json_flag(field, "required", false);
}

/* Copies of the fields of entity that fit, numbered. A field fits if it is of a group, or is.<kind>, or required. */
static void add_fitting(json_t *entity, const char *key, unsigned group, const char *kind) {
    const json_t *fields = json_object_get(entity, "fields");
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(fields); i++) {
        json_t *field = json_array_get(fields, i);
        bool fits = group ? groups_of(field) & group : kind ? view_field_is(field, kind) : is_required(field);
        if (fits)
            json_array_append(list, field);
    }
    json_object_set_new(entity, key, view_numbered(list));
    json_decref(list);
}

static int weight_of(const json_t *field) {
    return is_required(field) ? 0 : field_type_find(json_str(field, "type", ""))->list_weight;
}

/* The title, then the weightiest others in the order of the plan. */
static void add_list_fields(json_t *entity, const json_t *title) {
    const json_t *fields = json_object_get(entity, "fields");
    json_t *chosen = json_object(), *list = json_array(), *cells = json_array();
    for (int weight = 0; weight < WEIGHTS; weight++)
        for (size_t i = 0; i < json_array_size(fields) && json_object_size(chosen) < MOST_CELLS; i++) {
            const json_t *field = json_array_get(fields, i);
            if (field != title && groups_of(field) & FIELD_LISTED && weight_of(field) == weight)
                view_add_flag(chosen, json_str(field, "name", ""), true);
        }
    json_array_append(list, (json_t *)title);
    for (size_t i = 0; i < json_array_size(fields); i++) {
        json_t *field = json_array_get(fields, i);
        if (json_object_get(chosen, json_str(field, "name", ""))) {
            json_array_append(list, field);
            json_array_append(cells, field);
        }
    }
    json_object_set_new(entity, "listFields", view_numbered(list));
    json_object_set_new(entity, "cellFields", view_numbered(cells));
    json_decref(chosen);
    json_decref(list);
    json_decref(cells);
}

static void add_title(json_t *entity) {
    json_t *fields = json_object_get(entity, "fields"), *details = json_array();
    const json_t *title = view_field(entity, json_str(entity, "titleField", NULL));
    bool is_text = groups_of(title) & FIELD_TITLE_TEXT;
    view_add(entity, "titleInfo", title);
    view_add(entity, "titleColumn", json_object_get(title, "column"));
    view_add_flag(entity, "titleIsText", is_text);
    add_list_fields(entity, title);
    for (size_t i = 0; i < json_array_size(fields); i++)
        if (json_array_get(fields, i) != title || !is_text)
            json_array_append(details, json_array_get(fields, i));
    json_object_set_new(entity, "detailFields", view_numbered(details));
    json_decref(details);
}

/* The entities that fields refer to, each once. */
static void add_targets(json_t *entity, const json_t *entities) {
    const json_t *refs = json_object_get(entity, "refFields");
    json_t *targets = json_array();
    for (size_t i = 0; i < json_array_size(refs); i++) {
        static const char *const members[] = {"slug", "Type", "table", "vars", "var"};
        const char *slug = json_str(json_array_get(refs, i), "entity", NULL);
        if (view_find(targets, "slug", slug))
            continue;
        json_t *target = json_object();
        for (size_t m = 0; m < ARRAY_LEN(members); m++)
            view_add(target, members[m], json_object_get(view_find(entities, "slug", slug), members[m]));
        view_add_flag(target, "self", str_eq(slug, json_str(entity, "slug", NULL)));
        json_array_append_new(targets, target);
    }
    view_number(targets);
    json_object_set_new(entity, "refTargets", targets);
}

static void add_first(json_t *entity, const char *key, const char *kind, const char *other_kind) {
    const json_t *fields = json_object_get(entity, "fields");
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        if (view_field_is(field, kind) || view_field_is(field, other_kind)) {
            view_add(entity, key, field);
            return;
        }
    }
}

/* The choice that says how far a row is: one that is called so, else the first ("priority" goes before "status" in some
 * forms). */
static void add_status(json_t *entity) {
    static const char *const names[] = {"status", "state", "stage"};
    const json_t *fields = json_object_get(entity, "fields");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const json_t *field = view_find(fields, "name", names[i]);
        if (view_field_is(field, "choice")) {
            view_add(entity, "statusField", field);
            return;
        }
    }
    add_first(entity, "statusField", "choice", "choice");
}

/* A row that is called by what it refers to (a booking by its class) is told apart by the other reference: its member.
 */
static void add_beside_title(json_t *entity) {
    const json_t *fields = json_object_get(entity, "fields"), *title = json_object_get(entity, "titleInfo");
    if (!view_field_is(title, "ref"))
        return;
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        bool is_title = str_eq(json_str(field, "name", NULL), json_str(title, "name", NULL));
        if (!is_title && (view_field_is(field, "ref") || view_field_is(field, "user"))) {
            view_add(entity, "besideTitle", field);
            return;
        }
    }
}

static void add_lists(json_t *entity, const json_t *entities) {
    add_title(entity);
    add_fitting(entity, "searchFields", FIELD_SEARCHED, NULL);
    add_fitting(entity, "filterFields", FIELD_FILTERED, NULL);
    add_fitting(entity, "requiredFields", 0, NULL);
    add_fitting(entity, "refFields", 0, "ref");
    add_fitting(entity, "userFields", 0, "user");
    view_add(entity, "formFields", json_object_get(entity, "fields"));
    add_targets(entity, entities);
    view_add_flag(entity, "isSearchable", view_has(entity, "searchFields") || view_has(entity, "refFields"));
    add_status(entity);
    add_beside_title(entity);
    add_first(entity, "dateField", "date", "datetime");
    json_object_set_new(entity, "children", json_array());
    json_object_set_new(entity, "limits", json_array());
}

/* What parent shows of the rows of entity whose field refers to it. */
static json_t *child_of(const json_t *entity, const json_t *field, const json_t *parent, bool is_several,
                        struct arena *arena) {
    static const char *const members[] = {"Type", "plural", "pluralLower", "nameLower", "slug", "vars", "table"};
    const json_t *status = json_object_get(entity, "statusField"), *date = json_object_get(entity, "dateField");
    const char *plural = json_str(entity, "plural", ""), *label = json_str(field, "label", "");
    json_t *child = json_object();
    bool is_self = entity == parent;
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        view_add(child, members[i], json_object_get(entity, members[i]));
    view_add_text(child, "title", is_several || is_self ? arena_printf(arena, "%s · %s", plural, label) : plural);
    view_add(child, "field", json_object_get(field, "name"));
    view_add(child, "column", json_object_get(field, "column"));
    view_add_text(child, "fieldLabel", label);
    view_add(child, "fieldPascal", json_object_get(field, "pascal"));
    view_add(child, "parentType", json_object_get(parent, "Type"));
    view_add_flag(child, "isSelf", is_self);
    const json_t *beside = json_object_get(entity, "besideTitle");
    const char *name = json_str(field, "name", NULL);
    if (str_eq(name, json_str(json_object_get(entity, "titleInfo"), "name", NULL)))
        view_add(child, "insteadOfTitle", beside);
    view_add_flag(child, "isTitlePlain", beside && str_eq(name, json_str(beside, "name", NULL)));
    view_add_flag(child, "isSeveral", is_several);
    view_add_flag(child, "hasStatus", status);
    view_add(child, "statusColumn", json_object_get(status, "column"));
    view_add(child, "statusOptionsJson", json_object_get(status, "optionsJson"));
    view_add_flag(child, "hasDate", date);
    view_add(child, "dateColumn", json_object_get(date, "column"));
    view_add_flag(child, "dateIsInstant", view_field_is(date, "datetime"));
    view_add_literals(arena, child, "plural", "pluralLower", "nameLower", "fieldLabel", "title", NULL);
    return child;
}

static void tell_parents(const json_t *entity, const json_t *entities, struct arena *arena) {
    const json_t *refs = json_object_get(entity, "refFields");
    for (size_t i = 0; i < json_array_size(refs); i++) {
        const json_t *field = json_array_get(refs, i);
        const char *slug = json_str(field, "entity", NULL);
        const json_t *parent = view_find(entities, "slug", slug);
        size_t count = 0;
        for (size_t j = 0; j < json_array_size(refs); j++)
            count += str_eq(json_str(json_array_get(refs, j), "entity", NULL), slug);
        json_array_append_new(json_object_get(parent, "children"), child_of(entity, field, parent, count > 1, arena));
    }
}

static void tell_limits(const json_t *entity, const char *kind, const json_t *entities) {
    const json_t *rules = json_object_get(json_object_get(entity, "rules"), kind);
    for (size_t i = 0; i < json_array_size(rules); i++) {
        json_t *limit = json_copy(json_array_get(rules, i));
        const json_t *field = json_object_get(limit, "refField");
        const json_t *target = view_find(entities, "slug", json_str(field, "entity", NULL));
        json_t *limits = json_object_get(target, "limits");
        view_add(limit, "slug", json_object_get(entity, "slug"));
        view_add(limit, "table", json_object_get(entity, "table"));
        view_add(limit, "column", json_object_get(field, "column"));
        view_add_flag(limit, "isCredit", str_eq(kind, "credit"));
        view_add_flag(limit, "isCapacity", str_eq(kind, "capacity"));
        /* One place figure a target: the first rule that limits it. */
        if (json_array_size(limits) == 0)
            json_array_append(limits, limit);
        json_decref(limit);
    }
}

static bool some_field(const json_t *list, const char *kind) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (view_field_is(json_array_get(list, i), kind))
            return true;
    return false;
}

static void add_has(json_t *entity) {
    static const char *const lists[] = {"children",  "limits",     "searchFields", "filterFields", "requiredFields",
                                        "refFields", "userFields", "cellFields",   "detailFields"};
    static const char *const checked[] = {"unique", "order", "capacity", "credit"};
    const json_t *fields = json_object_get(entity, "fields"), *rules = json_object_get(entity, "rules");
    json_t *is = json_object_get(json_array_get(fields, 0), "is"), *has = json_object();
    bool has_unique = false, has_required_ref = false, has_required_input = false;
    bool has_checks = some_field(fields, "reference");
    for (void *at = json_object_iter(is); at; at = json_object_iter_next(is, at))
        view_add_flag(has, json_object_iter_key(at), some_field(fields, json_object_iter_key(at)));
    for (void *at = json_object_iter((json_t *)rules); at; at = json_object_iter_next((json_t *)rules, at))
        view_add_flag(has, json_object_iter_key(at), view_has(rules, json_object_iter_key(at)));
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        view_add_flag(has, lists[i], view_has(entity, lists[i]));
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        has_unique = has_unique || json_flag(field, "unique", false);
        has_required_input = has_required_input || (is_required(field) && !json_flag(field, "hasDefault", false) &&
                                                    !view_field_is(field, "boolean"));
        has_required_ref = has_required_ref || (is_required(field) && view_field_is(field, "reference"));
    }
    for (size_t i = 0; i < ARRAY_LEN(checked); i++)
        has_checks = has_checks || view_has(rules, checked[i]);
    view_add_flag(has, "listValues",
                  view_has(entity, "cellFields") || view_has(entity, "limits") || view_has(rules, "rollup") ||
                      view_has(rules, "threshold"));
    view_add_flag(has, "sortHeadings", some_field(json_object_get(entity, "listFields"), "sortable"));
    view_add_flag(has, "requiredInput", has_required_input);
    view_add_flag(has, "requiredRefs", has_required_ref);
    view_add_flag(has, "uniqueFields", has_unique);
    view_add_flag(has, "checks", has_checks || has_unique || some_field(fields, "file"));
    json_object_set_new(entity, "has", has);
}

static void add_sample(json_t *entity, struct arena *arena) {
    CLEANUP(buf_release) struct buf out = {0};
    const json_t *fields = json_object_get(entity, "fields");
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        const char *value = view_sample(field, arena);
        if (value)
            buf_printf(&out, "%s\"%s\": %s", out.len ? ", " : "", json_str(field, "name", ""), value);
    }
    view_add_text(entity, "sample", out.len ? arena_printf(arena, "{ %s }", out.data) : "{}");
}

json_t *decorate_entities(const json_t *plan, struct arena *arena) {
    const json_t *given = json_object_get(plan, "entities");
    bool has_auth = json_flag(json_object_get(plan, "capabilities"), "auth", false);
    json_t *entities = json_array();
    size_t count = json_array_size(given);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(entities, with_names(json_array_get(given, i), arena));
    for (size_t i = 0; i < count; i++) {
        add_labels(json_array_get(entities, i), arena);
        add_fields(json_array_get(entities, i), entities, arena);
    }
    for (size_t i = 0; i < count; i++) {
        json_t *entity = json_array_get(entities, i);
        json_object_set_new(entity, "rules", decorate_rules(entity, entities, arena));
        view_add_flag(entity, "auth", has_auth);
        add_lists(entity, entities);
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *entity = json_array_get(entities, i);
        tell_parents(entity, entities, arena);
        tell_limits(entity, "capacity", entities);
        tell_limits(entity, "credit", entities);
    }
    for (size_t i = 0; i < count; i++) {
        json_t *entity = json_array_get(entities, i);
        view_number(json_object_get(entity, "children"));
        view_number(json_object_get(entity, "limits"));
        add_has(entity);
        add_sample(entity, arena);
    }
    return entities;
}
