/* plan: writes a finished draft down as a plan. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "planner/draft.h"
#include "planner/routes.h"

#define MAX_MODULES 8
#define RECORDS_A_MODULE 3
#define MAX_TAGLINE 120
#define MIN_TAGLINE 30

static const char *without_breaks(struct arena *arena, const char *text) {
    char *out = str_trim(arena, text);
    for (char *at = out; *at; at++)
        if (*at == '\n' || *at == '\r' || *at == '\t')
            *at = ' ';
    return out;
}

/* The first sentence; what of it fits, up to a comma if there is one. */
static const char *tagline_of(struct draft *draft) {
    const char *text = without_breaks(draft->arena, str_or(draft->input->description, ""));
    size_t len = strcspn(text, ".!?");
    if (len <= MAX_TAGLINE)
        return arena_strndup(draft->arena, text, len);
    size_t colon = strcspn(text, ":;");
    if (colon > 12 && colon <= MAX_TAGLINE)
        return arena_strndup(draft->arena, text, colon);
    for (len = MAX_TAGLINE; len >= MIN_TAGLINE; len--) {
        if (text[len] == ',')
            return arena_strndup(draft->arena, text, len);
    }
    len = MAX_TAGLINE;
    while (len > 0 && text[len] != ' ')
        len--;
    while (len > 0 && strchr(" ,;:-", text[len - 1]))
        len--;
    size_t cut = 0;
    for (size_t step; cut < (len ? len : MAX_TAGLINE); cut += step) {
        step = str_utf8_next(text + cut, strlen(text + cut));
        if (step == 0 || cut + step > (len ? len : MAX_TAGLINE))
            break;
    }
    return arena_printf(draft->arena, "%.*s…", (int)cut, text);
}

/* ---- features */

static const char *records_summary(struct draft *draft) {
    const char *text = "";
    size_t i, count = 0;
    json_t *entity;
    json_array_foreach (draft->entities, i, entity) {
        if (str_eq(json_str(entity, "feature", ""), "records"))
            text = arena_printf(draft->arena, "%s%s%s", text, count++ ? ", " : "",
                                text_lower_first(draft->arena, json_str(entity, "plural", "")));
    }
    return arena_printf(draft->arena, "People keep a record of %s.", text);
}

static json_t *features_of(struct draft *draft) {
    json_t *features = json_array();
    size_t i;
    json_t *entry;
    json_array_foreach (draft->chosen, i, entry) {
        const char *slug = json_str(entry, "slug", "");
        const json_t *feature = catalog_feature(draft->planner->catalog, slug);
        json_array_append_new(features, json_pack("{s:s, s:s, s:s, s:o}", "slug", slug, "title",
                                                  draft_fill(draft, json_str(feature, "title", "")), "summary",
                                                  draft_fill(draft, json_str(feature, "summary", "")), "because",
                                                  json_deep_copy(json_object_get(entry, "because"))));
    }
    if (find_by(draft->entities, "feature", "records", NULL)) {
        json_t *because = json_array(), *entity;
        json_array_foreach (draft->entities, i, entity) {
            if (str_eq(json_str(entity, "feature", ""), "records"))
                json_array_append_new(because,
                                      json_string(text_lower_first(draft->arena, json_str(entity, "plural", ""))));
        }
        json_array_append_new(features, json_pack("{s:s, s:s, s:s, s:o}", "slug", "records", "title", "Records",
                                                  "summary", records_summary(draft), "because", because));
    }
    json_array_foreach (features, i, entry) {
        if (json_object_get(draft->detailed, json_str(entry, "slug", "")))
            json_object_set_new(entry, "detail", json_true());
    }
    return features;
}

/* ---- modules: what can be built side by side */

static json_t *module_new(const char *slug, const char *title) {
    return json_pack("{s:s, s:s, s:[], s:[]}", "slug", slug, "title", title, "entities", "views");
}

static const char *feature_title(struct draft *draft, const char *slug) {
    const json_t *feature = catalog_feature(draft->planner->catalog, slug);
    return draft_fill(draft, json_str(feature, "title", text_capital(draft->arena, slug)));
}

/* Records of no feature go in groups of a few, called after what is in them. */
static json_t *module_of_record(struct draft *draft, json_t *modules, const json_t *entity) {
    json_t *last = json_array_get(modules, json_array_size(modules) - 1);
    const char *plural = json_str(entity, "plural", "");
    if (json_flag(last, "isRecords", false) && json_array_size(json_object_get(last, "entities")) < RECORDS_A_MODULE) {
        bool is_second = json_array_size(json_object_get(last, "entities")) == 1;
        const char *first = json_str(last, "first", "");
        put_str(last, "title",
                is_second ? arena_printf(draft->arena, "%s and %s", first, text_lower_first(draft->arena, plural))
                          : arena_printf(draft->arena, "%s and more", first));
        return last;
    }
    const char *slug = json_str(entity, "slug", "");
    bool is_taken = find_by(modules, "slug", slug, NULL) || catalog_feature(draft->planner->catalog, slug);
    json_t *module = module_new(is_taken ? arena_printf(draft->arena, "%s-records", slug) : slug, plural);
    json_object_set_new(module, "isRecords", json_true());
    put_str(module, "first", plural);
    json_array_append_new(modules, module);
    return module;
}

static json_t *module_for(struct draft *draft, json_t *modules, const json_t *thing) {
    const char *feature = json_str(thing, "feature", "records");
    json_t *module = find_by(modules, "slug", feature, NULL);
    if (module)
        return module;
    if (str_eq(feature, "records") || str_eq(feature, "general"))
        return module_of_record(draft, modules, thing);
    module = module_new(feature, feature_title(draft, feature));
    json_array_append_new(modules, module);
    return module;
}

static void place_view(struct draft *draft, json_t *modules, const json_t *view) {
    json_t *module = find_by(modules, "slug", json_str(view, "feature", ""), NULL);
    size_t i;
    json_t *other;
    json_array_foreach (modules, i, other) {
        if (!module && is_in(json_object_get(other, "entities"), json_str(view, "entity", "")))
            module = other;
    }
    if (!module)
        module = module_for(draft, modules, view);
    json_array_append_new(json_object_get(module, "views"), json_string(json_str(view, "slug", "")));
}

static size_t module_size(const json_t *module) {
    return json_array_size(json_object_get(module, "entities")) + json_array_size(json_object_get(module, "views"));
}

/* The two neighbours that are smallest together become one. */
static void merge_smallest(struct draft *draft, json_t *modules) {
    size_t best = 0, best_size = (size_t)-1;
    for (size_t i = 0; i + 1 < json_array_size(modules); i++) {
        size_t size = module_size(json_array_get(modules, i)) + module_size(json_array_get(modules, i + 1));
        if (size < best_size) {
            best = i;
            best_size = size;
        }
    }
    json_t *into = json_array_get(modules, best), *from = json_array_get(modules, best + 1);
    json_array_extend(json_object_get(into, "entities"), json_object_get(from, "entities"));
    json_array_extend(json_object_get(into, "views"), json_object_get(from, "views"));
    put_str(into, "title",
            arena_printf(draft->arena, "%s, %s", json_str(into, "title", ""),
                         text_lower_first(draft->arena, json_str(from, "title", ""))));
    json_array_remove(modules, best + 1);
}

static const char *entity_plural(const struct draft *draft, const json_t *slugs, size_t at) {
    const json_t *entity =
        find_by(draft->entities, "slug", str_or(json_string_value(json_array_get(slugs, at)), ""), NULL);
    return json_str(entity, "plural", "");
}

static const char *part_title(struct draft *draft, const char *title, const json_t *slugs) {
    size_t count = json_array_size(slugs);
    const char *first = text_lower_first(draft->arena, entity_plural(draft, slugs, 0));
    return count == 1 ? arena_printf(draft->arena, "%s: %s", title, first)
                      : arena_printf(draft->arena, "%s: %s to %s", title, first,
                                     text_lower_first(draft->arena, entity_plural(draft, slugs, count - 1)));
}

/* A module of many entities becomes two, each with the views of its own entities, so that both can be built at a time.
 */
static bool split_largest(struct draft *draft, json_t *modules) {
    size_t largest = 0, i;
    for (i = 1; i < json_array_size(modules); i++)
        if (json_array_size(json_object_get(json_array_get(modules, i), "entities")) >
            json_array_size(json_object_get(json_array_get(modules, largest), "entities")))
            largest = i;
    json_t *module = json_array_get(modules, largest), *entities = json_object_get(module, "entities"),
           *views = json_object_get(module, "views");
    size_t count = json_array_size(entities), half = (count + 1) / 2;
    if (json_array_size(modules) >= MAX_MODULES || count <= RECORDS_A_MODULE)
        return false;
    const char *slug = json_string_value(json_array_get(entities, half));
    if (find_by(modules, "slug", slug, NULL))
        slug = arena_printf(draft->arena, "%s-%s", json_str(module, "slug", ""), slug);
    const char *title = arena_strdup(draft->arena, json_str(module, "base", json_str(module, "title", "")));
    json_t *second = module_new(slug, title);
    put_str(second, "base", title);
    while (json_array_size(entities) > half) {
        json_array_append(json_object_get(second, "entities"), json_array_get(entities, half));
        json_array_remove(entities, half);
    }
    for (i = json_array_size(views); i-- > 0;) {
        const json_t *view = find_by(draft->views, "slug", json_string_value(json_array_get(views, i)), NULL);
        if (!is_in(json_object_get(second, "entities"), json_str(view, "entity", "")))
            continue;
        json_array_insert(json_object_get(second, "views"), 0, json_array_get(views, i));
        json_array_remove(views, i);
    }
    put_str(second, "title", part_title(draft, title, json_object_get(second, "entities")));
    const char *own_title = part_title(draft, title, entities);
    put_str(module, "base", title);
    put_str(module, "title", own_title);
    json_array_insert_new(modules, largest + 1, second);
    return true;
}

static json_t *modules_of(struct draft *draft) {
    json_t *modules = json_array(), *thing;
    size_t i;
    json_array_foreach (draft->entities, i, thing)
        json_array_append_new(json_object_get(module_for(draft, modules, thing), "entities"),
                              json_string(json_str(thing, "slug", "")));
    json_array_foreach (draft->views, i, thing)
        place_view(draft, modules, thing);
    while (json_array_size(modules) > MAX_MODULES)
        merge_smallest(draft, modules);
    while (split_largest(draft, modules))
        ;
    json_array_foreach (modules, i, thing) {
        json_object_del(thing, "isRecords");
        json_object_del(thing, "first");
        json_object_del(thing, "base");
    }
    return modules;
}

/* ---- the plan */

static json_t *entities_of(const struct draft *draft) {
    static const char *const keys[] = {"slug", "name", "plural", "feature", "summary", "titleField", "fields", "rules"};
    json_t *entities = json_array(), *entity;
    size_t i;
    json_array_foreach (draft->entities, i, entity) {
        json_t *copy = json_object();
        for (size_t k = 0; k < ARRAY_LEN(keys); k++)
            json_object_set_new(copy, keys[k],
                                json_object_get(entity, keys[k]) ? json_deep_copy(json_object_get(entity, keys[k]))
                                                                 : json_string(""));
        json_array_append_new(entities, copy);
    }
    return entities;
}

static json_t *views_of(const struct draft *draft) {
    json_t *views =
        json_pack("[{s:s, s:s, s:s, s:o, s:o}]", "slug", "dashboard", "title", "Dashboard", "kind", "dashboard",
                  "cards", json_deep_copy(draft->cards), "recent", json_deep_copy(draft->recent));
    size_t i;
    json_t *view;
    json_array_foreach (draft->views, i, view) {
        json_t *copy = json_deep_copy(view);
        json_object_del(copy, "key");
        json_object_del(copy, "feature");
        json_array_append_new(views, copy);
    }
    return views;
}

const char *plan_answer_text(struct arena *arena, const json_t *answer) {
    const char *text = json_is_string(answer)    ? json_string_value(answer)
                       : json_is_boolean(answer) ? (json_is_true(answer) ? "Yes" : "No")
                                                 : "";
    size_t i;
    json_t *item;
    json_array_foreach (answer, i, item)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", str_or(json_string_value(item), ""));
    return *text ? text : "(nothing)";
}

/* The answers as people read them: the question's words, and the answer as text. */
static json_t *answers_of(struct draft *draft) {
    json_t *list = json_array();
    const char *id;
    json_t *answer;
    json_object_foreach (draft->answers, id, answer) {
        const json_t *question = find_by(draft->input->questions, "id", id, NULL);
        if (!question)
            question = find_by(draft->questions, "id", id, NULL);
        if (!question)
            question = find_by(draft->planner->general, "id", id, NULL);
        json_array_append_new(list,
                              json_pack("{s:s, s:s}", "question", draft_fill(draft, json_str(question, "question", id)),
                                        "answer", plan_answer_text(draft->arena, answer)));
    }
    return list;
}

json_t *plan_make(struct draft *draft) {
    const char *name = without_breaks(draft->arena, str_or(draft->input->name, ""));
    if (!*name)
        name = "App";
    json_t *plan = json_own(draft->arena, json_object());
    json_object_set_new(plan, "version", json_integer(1));
    put_str(plan, "name", name);
    put_str(plan, "slug", str_slug(draft->arena, name, 40, "app"));
    const char *tagline = tagline_of(draft);
    put_str(plan, "tagline", *tagline ? tagline : name);
    put_str(plan, "description", str_or(draft->input->description, ""));
    json_object_set_new(plan, "features", features_of(draft));
    json_object_set_new(plan, "capabilities", json_deep_copy(draft->capabilities));
    json_object_set_new(plan, "settings", json_deep_copy(draft->settings));
    json_object_set_new(plan, "roles", json_deep_copy(draft->roles));
    json_object_set_new(plan, "entities", entities_of(draft));
    json_object_set_new(plan, "views", views_of(draft));
    json_object_set_new(plan, "modules", modules_of(draft));
    json_object_set_new(plan, "routes", json_array());
    plan_add_routes(draft, plan);
    json_object_set_new(plan, "setup", json_array());
    json_object_set_new(plan, "checks", json_array());
    json_object_set_new(plan, "criteria", json_array());
    plan_add_criteria(draft, plan);
    json_object_set_new(plan, "openPoints", json_deep_copy(draft->open_points));
    json_object_set_new(plan, "answers", answers_of(draft));
    return plan;
}
