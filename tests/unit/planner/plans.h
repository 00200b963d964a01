/* plans: what the planner's tests share: the blueprints of the source tree, descriptions, and what holds of every plan.
 */
#ifndef TESTS_PLANNER_PLANS_H
#define TESTS_PLANNER_PLANS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "planner/planner.h"

#define BLUEPRINTS TEST_SOURCE_ROOT "/blueprints"

struct fixture {
    struct assets *assets;
    struct catalog *catalog;
    struct stack *stack;
    struct planner *planner;
    struct arena *arena; /* reset between tests */
};

static inline int plans_setup(void **state) {
    struct fixture *f = mem_alloc(sizeof *f);
    struct err err = {0};
    if (assets_open(&f->assets, BLUEPRINTS, &err) < 0 || catalog_open(&f->catalog, f->assets, &err) < 0 ||
        stack_open(&f->stack, f->assets, "next", &err) < 0 ||
        planner_create(&f->planner, f->assets, f->catalog, f->stack, &err) < 0) {
        print_error("%s\n", err.message);
        return -1;
    }
    f->arena = arena_create();
    *state = f;
    return 0;
}

static inline int plans_teardown(void **state) {
    struct fixture *f = *state;
    arena_destroy(f->arena);
    planner_destroy(f->planner);
    stack_close(f->stack);
    catalog_close(f->catalog);
    assets_close(f->assets);
    mem_freep(state);
    return 0;
}

static inline json_t *plans_find(const json_t *array, const char *key, const char *value) {
    size_t i;
    json_t *item;
    json_array_foreach ((json_t *)array, i, item) {
        if (str_eq(json_str(item, key, NULL), value))
            return item;
    }
    return NULL;
}

static inline bool plans_has_text(const json_t *array, const char *text) {
    size_t i;
    json_t *item;
    json_array_foreach ((json_t *)array, i, item) {
        if (str_eq(json_string_value(item), text))
            return true;
    }
    return false;
}

static inline json_t *plans_entity(const struct planner_spec *spec, const char *slug) {
    return plans_find(json_object_get(spec->plan, "entities"), "slug", slug);
}

static inline json_t *plans_field(const struct planner_spec *spec, const char *slug, const char *field) {
    return plans_find(json_object_get(plans_entity(spec, slug), "fields"), "name", field);
}

/* The spec of a description without questions, with at most one feedback; fails the test if there is none. */
static inline struct planner_spec plans_spec(struct fixture *f, const char *description, const char *feedback) {
    struct planner_spec spec = {0};
    struct err err = {0};
    struct planner_input input = {
        .name = "Acme", .description = description, .feedback = &feedback, .feedback_count = feedback ? 1 : 0};
    if (planner_spec(f->planner, &input, f->arena, &spec, &err) < 0)
        fail_msg("%.60s: %s", description, err.message);
    return spec;
}

/* ---- what holds of every plan */

static inline bool plans_covers(const json_t *steps, const char *route) {
    size_t i;
    json_t *step;
    json_array_foreach ((json_t *)steps, i, step) {
        if (str_eq(json_str(step, "route", NULL), route))
            return true;
    }
    return false;
}

/* Every ${name} of a text was saved before, or is the clock's. */
static inline void plans_check_names(const char *text, const json_t *saved, const char *where) {
    for (const char *at = text; (at = strstr(at, "${")) != NULL; at++) {
        char name[120];
        size_t len = strcspn(at + 2, "}");
        snprintf(name, sizeof name, "%.*s", (int)len, at + 2);
        if (!json_object_get(saved, name) && strcmp(name, "today") != 0 && strcmp(name, "tomorrow") != 0 &&
            strcmp(name, "now") != 0)
            fail_msg("%s: ${%s} is not saved by then", where, name);
    }
}

static inline void plans_check_steps(const json_t *steps, json_t *saved, const char *where) {
    size_t i;
    json_t *step, *path;
    const char *name;
    json_array_foreach ((json_t *)steps, i, step) {
        char *text = json_dumps(json_object_get(step, "request"), 0),
             *expected = json_dumps(json_object_get(step, "expect"), 0);
        plans_check_names(text, saved, where);
        if (strstr(text, "{") && strstr(text, ".slug}"))
            fail_msg("%s: a name is not filled in: %s", where, text);
        json_object_foreach (json_object_get(step, "save"), name, path)
            json_object_set_new(saved, name, json_true());
        plans_check_names(expected, saved, where);
        free(text);
        free(expected);
    }
}

static inline void plans_check_proofs(const json_t *plan) {
    json_t *saved = json_object(), *item;
    const json_t *routes = json_at(plan, "checks.0.steps");
    size_t i;
    plans_check_steps(json_object_get(plan, "setup"), saved, "setup");
    json_array_foreach (json_object_get(plan, "criteria"), i, item) {
        plans_check_steps(json_object_get(json_object_get(item, "check"), "steps"), saved, json_str(item, "id", ""));
        assert_true(*json_str(item, "title", "") && *json_str(item, "statement", ""));
        assert_true(json_array_size(json_object_get(item, "parts")) > 0);
    }
    plans_check_steps(routes, saved, "routes");
    json_array_foreach (json_object_get(plan, "routes"), i, item) {
        char route[400];
        snprintf(route, sizeof route, "%s %s", json_str(item, "method", ""), json_str(item, "path", ""));
        if (!plans_covers(routes, route))
            fail_msg("no step exercises %s", route);
    }
    json_decref(saved);
}

/* Nothing of a document is left unfilled or empty. */
static inline void plans_check_documents(const struct planner_spec *spec) {
    static const char *const names[] = {"SPEC.md", "ACCEPTANCE.md", "ROUTES.md", "DATA.md"};
    size_t at = 0;
    const char *name;
    json_t *text;
    json_object_foreach (spec->documents, name, text) {
        assert_string_equal(name, names[at++]);
        assert_true(json_string_length(text) > 200);
        assert_null(strstr(json_string_value(text), "{{{"));
        assert_null(strstr(json_string_value(text), "{{#"));
        assert_null(strstr(json_string_value(text), "(null)"));
    }
    assert_int_equal(at, 4);
}

static inline void plans_check(struct fixture *f, const struct planner_spec *spec) {
    json_t *view = NULL, *tasks = NULL;
    struct err err = {0};
    size_t entities = json_array_size(json_object_get(spec->plan, "entities"));
    assert_in_range(entities, 1, 12);
    assert_true(json_array_size(json_object_get(spec->plan, "modules")) <= 8);
    if (blueprint_view(spec->plan, f->arena, &view, &err) < 0)
        fail_msg("%s", err.message);
    plans_check_proofs(spec->plan);
    plans_check_documents(spec);
    if (planner_decompose(f->planner, spec->plan, NULL, 0, f->arena, &tasks, &err) < 0)
        fail_msg("%s", err.message);
    assert_in_range(json_array_size(json_object_get(tasks, "tasks")), 5, 15);
    if (planner_check_tasks(tasks, spec->plan, &err) < 0)
        fail_msg("%s", err.message);
}

/* The eight of the brief, and twelve others. */
static const char *const plans_descriptions[] = {
    "A project management tool with team collaboration features, task boards, and time tracking.",
    "A booking site for a small yoga studio: classes, instructors, weekly schedule, members buy class packs and "
    "reserve a spot.",
    "An inventory system for a bicycle repair shop with parts, suppliers, purchase orders and low-stock alerts.",
    "A recipe box for families: recipes with ingredients and steps, meal plan for the week, shopping list, ratings.",
    "A help desk where customers open tickets, agents reply and assign priorities, and managers see response times.",
    "An expense tracker for freelancers with clients, invoices, receipts and a monthly report.",
    "A neighbourhood library of things: people list tools they own, others borrow them, with due dates and reviews.",
    "A field log for beekeepers: apiaries, hives, inspections, treatments and honey harvests.",
    "A diary for divers with dives, dive sites and equipment checks.",
    "We run an animal shelter. Track animals, vaccinations, adopters and adoption visits, with photos of each animal.",
    "A wine cellar app: wines, tastings and wish lists, without accounts.",
    "Property management for landlords: buildings, apartments, tenants, leases and rent payments.",
    "A CRM for a small agency with companies, contacts, deals on a pipeline and call notes.",
    "A lab notebook: experiments, samples and measurements, each measurement with a value and a unit.",
    "Volunteer planning for a food bank: volunteers sign up for shifts at several locations, and we count hours.",
    "An app for a band: songs, gigs, setlists, rehearsals and who plays what.",
    "A school app with students, teachers, courses, exams and grades.",
    "Tree inventory for a city: trees with species and coordinates, inspections, pruning jobs and citizen reports.",
    "Personal workout log with exercises, sets and goals; no sign-in needed.",
    "A museum collection: artworks, artists, exhibitions, loans to other museums and condition reports.",
};

#endif
