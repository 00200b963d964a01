/* documents: SPEC.md, ACCEPTANCE.md, ROUTES.md and DATA.md, from templates over the plan. */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/mustache.h"
#include "base/str.h"
#include "planner/draft.h"
#include "planner/instruct.h"

#define TEXT(...) arena_printf(arena, __VA_ARGS__)
#define LARGEST_DOCUMENT_BYTES (2 * 1024 * 1024)

/* A cell of a Markdown table. */
static const char *cell(struct arena *arena, const char *text) {
    char *out = arena_alloc(arena, strlen(text) * 2 + 1), *at = out;
    for (; *text; text++) {
        if (*text == '|')
            *at++ = '\\';
        *at++ = *text == '\n' ? ' ' : *text;
    }
    return out;
}

/* Every line quoted. */
static const char *quoted(struct arena *arena, const char *text) {
    CLEANUP(buf_release) struct buf out = {0};
    buf_puts(&out, "> ");
    for (; *text; text++) {
        buf_putc(&out, *text);
        if (*text == '\n')
            buf_puts(&out, "> ");
    }
    return arena_strdup(arena, out.data);
}

static json_t *described_entity(struct arena *arena, const json_t *plan, const json_t *entity) {
    json_t *fields = json_array(), *rules = json_array(), *item;
    size_t i;
    json_array_foreach (json_object_get(entity, "fields"), i, item)
        json_array_append_new(fields, json_pack("{s:s, s:s, s:s, s:s}", "name", json_str(item, "name", ""), "label",
                                                cell(arena, json_str(item, "label", "")), "words",
                                                cell(arena, describe_field(arena, plan, item)), "help",
                                                cell(arena, json_str(item, "help", ""))));
    json_array_foreach (json_object_get(entity, "rules"), i, item)
        json_array_append_new(rules, json_string(describe_rule(arena, plan, entity, item)));
    const json_t *title = entity_field(entity, json_str(entity, "titleField", ""));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o}", "plural", json_str(entity, "plural", ""), "name",
                     json_str(entity, "name", ""), "slug", json_str(entity, "slug", ""), "summary",
                     json_str(entity, "summary", ""), "titleLabel", json_str(title, "label", ""), "hasRules",
                     json_array_size(rules) > 0, "fields", fields, "rules", rules);
}

static json_t *described_views(struct arena *arena, const json_t *plan) {
    json_t *views = json_array(), *view;
    size_t i;
    json_array_foreach (json_object_get(plan, "views"), i, view) {
        bool is_dashboard = str_eq(json_str(view, "kind", ""), "dashboard");
        json_array_append_new(views, json_pack("{s:s, s:s, s:s}", "title", json_str(view, "title", ""), "path",
                                               is_dashboard ? "/" : TEXT("/%s", json_str(view, "slug", "")), "words",
                                               describe_view(arena, plan, view)));
    }
    return views;
}

static json_t *described_features(struct arena *arena, const json_t *plan) {
    json_t *features = json_array(), *feature, *entity;
    size_t i, j;
    json_array_foreach (json_object_get(plan, "features"), i, feature) {
        const char *words = "", *slug = json_str(feature, "slug", "");
        json_t *word, *entities = json_array();
        json_array_foreach (json_object_get(feature, "because"), j, word)
            words = TEXT("%s%s\"%s\"", words, j ? ", " : "", str_or(json_string_value(word), ""));
        json_array_foreach (json_object_get(plan, "entities"), j, entity) {
            if (str_eq(json_str(entity, "feature", ""), slug))
                json_array_append_new(entities, described_entity(arena, plan, entity));
        }
        json_array_append_new(
            features, json_pack("{s:s, s:s, s:s, s:b, s:b, s:o}", "title", json_str(feature, "title", ""), "summary",
                                json_str(feature, "summary", ""), "because", words, "hasBecause", *words != 0, "detail",
                                json_flag(feature, "detail", false), "entities", entities));
    }
    return features;
}

json_t *documents_routes(struct arena *arena, const json_t *plan, const char *kind) {
    json_t *routes = json_array(), *route;
    size_t i;
    json_array_foreach (json_object_get(plan, "routes"), i, route) {
        if (str_eq(json_str(route, "kind", ""), kind))
            json_array_append_new(routes, json_pack("{s:s, s:s, s:s, s:s}", "method", json_str(route, "method", ""),
                                                    "path", json_str(route, "path", ""), "who",
                                                    json_flag(route, "auth", false) ? "signed in" : "anyone", "summary",
                                                    cell(arena, json_str(route, "summary", ""))));
    }
    return routes;
}

static const char *check_words(struct arena *arena, const json_t *criterion) {
    const json_t *check = json_object_get(criterion, "check");
    const char *kind = json_str(check, "kind", "");
    size_t steps = json_array_size(json_object_get(check, "steps"));
    if (str_eq(kind, "http"))
        return TEXT("%zu HTTP exchange%s with the running app", steps, steps == 1 ? "" : "s");
    if (str_eq(kind, "files"))
        return TEXT("what the file %s says",
                    str_or(json_string_value(json_array_get(json_object_get(check, "paths"), 0)), ""));
    if (str_eq(kind, "none"))
        return "nothing yet: no check is known for it";
    return str_eq(kind, "tests") ? "the app's own tests" : "install, type-check and build";
}

/* "/api/tasks/${ac3_row}" as "/api/tasks/{row}": which criterion saved the value is of no interest to a reader. */
static const char *readable_path(struct arena *arena, const char *path) {
    char *out = arena_strdup(arena, path), *to = out;
    for (const char *at = path; *at;) {
        if (at[0] == '$' && at[1] == '{') {
            *to++ = '{';
            at += 2;
            if (at[0] == 'a' && at[1] == 'c' && at[2 + strspn(at + 2, "0123456789")] == '_')
                at += 3 + strspn(at + 2, "0123456789");
            continue;
        }
        *to++ = *at++;
    }
    *to = '\0';
    return out;
}

/* Steps of a check as a reader wants them: what is done, and what must come of it. */
static json_t *described_steps(struct arena *arena, const json_t *criterion) {
    json_t *steps = json_array(), *step;
    size_t i;
    json_array_foreach (json_object_get(json_object_get(criterion, "check"), "steps"), i, step)
        json_array_append_new(
            steps, json_pack("{s:s, s:s, s:s, s:I}", "note", json_str(step, "note", ""), "method",
                             json_str(json_object_get(step, "request"), "method", ""), "path",
                             readable_path(arena, json_str(json_object_get(step, "request"), "path", "")), "status",
                             (json_int_t)json_int(json_object_get(step, "expect"), "status", 200)));
    return steps;
}

static const char *feature_title(const json_t *plan, const char *slug) {
    const json_t *feature = find_by(json_object_get(plan, "features"), "slug", slug, NULL);
    static const char *const other[][2] = {{"app", "The app as a whole"},
                                           {"dashboard", "Dashboard"},
                                           {"sign-in", "Sign-in"},
                                           {"search", "Search"},
                                           {"csv", "Import and export"},
                                           {"audit", "Audit log"},
                                           {"notifications", "Notifications"},
                                           {"api-tokens", "API tokens"},
                                           {"uploads", "Files"},
                                           {"teams-and-roles", "Teams and roles"},
                                           {"general", "General"}};
    for (size_t i = 0; i < sizeof other / sizeof *other && !feature; i++)
        if (str_eq(other[i][0], slug))
            return other[i][1];
    return json_str(feature, "title", slug);
}

/* Criteria by feature, in the order in which the features first come. */
json_t *documents_criteria(struct arena *arena, const json_t *plan) {
    json_t *groups = json_array(), *criterion;
    size_t i;
    json_array_foreach (json_object_get(plan, "criteria"), i, criterion) {
        const char *slug = json_str(criterion, "feature", "app");
        json_t *group = find_by(groups, "slug", slug, NULL);
        if (!group) {
            group = json_pack("{s:s, s:s, s:[]}", "slug", slug, "title", feature_title(plan, slug), "items");
            json_array_append_new(groups, group);
        }
        json_array_append_new(json_object_get(group, "items"),
                              json_pack("{s:s, s:s, s:s, s:s, s:o}", "id", json_str(criterion, "id", ""), "title",
                                        json_str(criterion, "title", ""), "statement",
                                        json_str(criterion, "statement", ""), "check", check_words(arena, criterion),
                                        "steps", described_steps(arena, criterion)));
    }
    return groups;
}

static json_t *relations(struct arena *arena, const json_t *plan) {
    json_t *lines = json_array(), *entity, *field;
    const json_t *entities = json_object_get(plan, "entities");
    size_t i, j;
    json_array_foreach (entities, i, entity) {
        const char *one = text_lower_first(arena, json_str(entity, "name", ""));
        json_array_foreach (json_object_get(entity, "fields"), j, field) {
            if (!str_eq(json_str(field, "type", ""), "ref"))
                continue;
            const json_t *target = find_by(entities, "slug", json_str(field, "entity", ""), NULL);
            const char *to = text_lower_first(arena, json_str(target, "name", ""));
            bool is_required = json_flag(field, "required", false), is_same = target == entity;
            const char *from = is_required ? TEXT("Every %s", one) : text_capital(arena, text_article(arena, one));
            json_array_append_new(
                lines,
                json_string(TEXT("%s %s %s%s (`%s`)", from, is_required ? "has" : "may have", is_same ? "another " : "",
                                 is_same ? to : text_article(arena, to), json_str(field, "name", ""))));
        }
    }
    return lines;
}

static json_t *capability_lines(const json_t *plan) {
    static const struct {
        const char *capability, *line;
    } rows[] = {{"search", "Search over everything, and in every list."},
                {"csv", "Every list goes out as CSV, and rows come in from CSV."},
                {"audit", "An audit log says who changed what, and when."},
                {"notifications", "People are told what others add or assign to them."},
                {"apiTokens", "Programs use the API with tokens that people make and take back."},
                {"uploads", "Files are kept with records."}};
    json_t *lines = json_array();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (json_flag(json_object_get(plan, "capabilities"), rows[i].capability, false))
            json_array_append_new(lines, json_string(rows[i].line));
    return lines;
}

static json_t *roles_of(const json_t *plan) {
    json_t *roles = json_array(), *role;
    size_t i;
    json_array_foreach (json_object_get(plan, "roles"), i, role) {
        const char *can = json_str(role, "can", "");
        json_array_append_new(roles, json_pack("{s:s, s:s}", "label", json_str(role, "label", ""), "can",
                                               str_eq(can, "all")     ? "reads, writes and manages people"
                                               : str_eq(can, "write") ? "reads and writes"
                                                                      : "reads"));
    }
    return roles;
}

static json_t *context_of(struct arena *arena, const json_t *plan) {
    json_t *entities = json_array(), *entity;
    size_t i;
    json_array_foreach (json_object_get(plan, "entities"), i, entity)
        json_array_append_new(entities, described_entity(arena, plan, entity));
    const json_t *capabilities = json_object_get(plan, "capabilities"), *answers = json_object_get(plan, "answers"),
                 *open = json_object_get(plan, "openPoints");
    json_t *context =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "describedEntities", entities, "describedViews",
                  described_views(arena, plan), "describedFeatures", described_features(arena, plan), "pageRoutes",
                  documents_routes(arena, plan, "page"), "apiRoutes", documents_routes(arena, plan, "api"),
                  "criteriaGroups", documents_criteria(arena, plan), "relations", relations(arena, plan),
                  "capabilityLines", capability_lines(plan));
    json_object_set_new(context, "roleList", roles_of(plan));
    const json_t *later = find_by(json_object_get(plan, "roles"), "value", "member", NULL);
    put_str(context, "laterRole", text_article(arena, text_lower_first(arena, json_str(later, "label", "Member"))));
    json_object_set_new(context, "withAuth", json_boolean(json_flag(capabilities, "auth", false)));
    json_object_set_new(context, "withRoles", json_boolean(json_flag(capabilities, "roles", false)));
    json_object_set_new(context, "withCsv", json_boolean(json_flag(capabilities, "csv", false)));
    json_object_set_new(context, "hasCapabilities",
                        json_boolean(json_array_size(json_object_get(context, "capabilityLines")) > 0));
    json_object_set_new(context, "hasRelations",
                        json_boolean(json_array_size(json_object_get(context, "relations")) > 0));
    json_object_set_new(context, "hasAnswers", json_boolean(json_array_size(answers) > 0));
    json_object_set_new(context, "hasOpenPoints", json_boolean(json_array_size(open) > 0));
    put_str(context, "weekStartTitle",
            text_capital(arena, json_str(json_object_get(plan, "settings"), "weekStart", "monday")));
    put_str(context, "quotedDescription", quoted(arena, json_str(plan, "description", "")));
    json_object_set_new(context, "criteriaCount",
                        json_integer((json_int_t)json_array_size(json_object_get(plan, "criteria"))));
    json_object_set_new(context, "routeCount",
                        json_integer((json_int_t)json_array_size(json_object_get(plan, "routes"))));
    return json_own(arena, context);
}

int plan_documents(const struct planner *planner, const json_t *plan, struct arena *arena, json_t **documents,
                   struct err *err) {
    static const char *const names[] = {"SPEC.md", "ACCEPTANCE.md", "ROUTES.md", "DATA.md"};
    json_t *view;
    int rc = blueprint_view(plan, arena, &view, err);
    if (rc < 0)
        return err_wrap(err, "planner");
    json_t *contexts[] = {view, context_of(arena, plan)};
    json_t *out = json_own(arena, json_object());
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(buf_release) struct buf text = {.max_bytes = LARGEST_DOCUMENT_BYTES};
        size_t len;
        const char *path = TEXT("documents/%s.mustache", names[i]), *template = assets_get(planner->assets, path, &len);
        if (!template)
            return err_set(err, ERR_INTERNAL, "%s is missing", path);
        rc = mustache_render(template, len, contexts, ARRAY_LEN(contexts), NULL, NULL, &text, err);
        if (rc < 0)
            return err_wrap(err, "%s", path);
        put_str(out, names[i], str_or(text.data, ""));
    }
    *documents = out;
    return 0;
}
