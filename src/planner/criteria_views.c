/* criteria_views: what proves each view: a row that must show on its page. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/proof.h"

#define TEXT(...) arena_printf(proof->arena, __VA_ARGS__)

static json_t *body_of(const json_t *step) {
    return json_object_get(json_object_get(step, "request"), "json");
}

/* Opens a criterion of a view: its part, its entity. */
static json_t *open_view(struct proof *proof, const json_t *view, const char *title, const char *statement) {
    const json_t *entity = proof_entity(proof, json_str(view, "entity", ""));
    json_t *criterion = criterion_open(proof, title, statement, json_str(entity, "feature", ""));
    criterion_part(criterion, TEXT("view:%s", json_str(view, "slug", "")));
    criterion_entity(criterion, json_str(entity, "slug", ""));
    return criterion;
}

static json_t *open_page(struct proof *proof, const json_t *view, const char *note, const char *query,
                         const char *text) {
    const char *slug = json_str(view, "slug", "");
    json_t *step = proof_step(proof, note, "GET", TEXT("/%s%s", slug, query), NULL, 200);
    proof_route(step, "GET", TEXT("/%s", slug));
    if (text)
        proof_contains(step, "contains", text);
    return step;
}

/* Texts with signs that HTML escapes are not looked for. */
static void contains_plain(json_t *step, const char *text) {
    if (!strpbrk(text, "&<>\"'"))
        proof_contains(step, "contains", text);
}

static const char *today_of(const json_t *field) {
    return str_eq(json_str(field, "type", ""), "date") ? "${today}" : "${today}T10:00:00.000Z";
}

static const char *lower_name(struct proof *proof, const json_t *entity, const char *key) {
    return text_lower_first(proof->arena, json_str(entity, key, ""));
}

static void criterion_board(struct proof *proof, const json_t *view) {
    const json_t *entity = proof_entity(proof, json_str(view, "entity", ""));
    const json_t *field = entity_field(entity, json_str(view, "field", "")),
                 *options = json_object_get(field, "options");
    const json_t *first = json_array_get(options, 0), *last = json_array_get(options, json_array_size(options) - 1);
    const char *one = text_article(proof->arena, lower_name(proof, entity, "name"));
    json_t *criterion =
        open_view(proof, view,
                  TEXT("%s shows %s by %s", json_str(view, "title", ""), lower_name(proof, entity, "plural"),
                       text_lower_first(proof->arena, json_str(field, "label", ""))),
                  TEXT("Given %s in \"%s\", when it is moved to \"%s\", then it stays there and the board shows it "
                       "with all columns.",
                       one, json_str(first, "label", ""), json_str(last, "label", "")));
    json_auto_t *given = json_pack("{s:s}", json_str(field, "name", ""), json_str(first, "value", ""));
    const char *card = proof_name(proof, "card");
    json_t *step = proof_row(proof, "A card in the first column", entity, given, card);
    const char *title = proof_title(entity, body_of(step));
    open_page(proof, view, "The board shows it", "", title);
    step = proof_step(proof, "Move it to the last column", "PATCH",
                      TEXT("/api/%s/${%s}", json_str(entity, "slug", ""), card),
                      json_pack("{s:s}", json_str(field, "name", ""), json_str(last, "value", "")), 200);
    proof_expect(step, json_str(field, "name", ""), json_string(json_str(last, "value", "")));
    step = proof_step(proof, "It is there now", "GET", TEXT("/api/%s/${%s}", json_str(entity, "slug", ""), card), NULL,
                      200);
    proof_expect(step, json_str(field, "name", ""), json_string(json_str(last, "value", "")));
    step = open_page(proof, view, "The board shows it and every column", "", title);
    size_t i;
    json_t *option;
    json_array_foreach (options, i, option)
        contains_plain(step, json_str(option, "label", ""));
    criterion_close(proof, criterion);
}

static void criterion_calendar(struct proof *proof, const json_t *view) {
    const json_t *entity = proof_entity(proof, json_str(view, "entity", ""));
    const json_t *field = entity_field(entity, json_str(view, "field", ""));
    json_t *criterion = open_view(proof, view, TEXT("%s shows the month", json_str(view, "title", "")),
                                  TEXT("Given %s of today, then the calendar shows it in this month and in no other.",
                                       text_article(proof->arena, lower_name(proof, entity, "name"))));
    json_auto_t *given = json_object();
    proof_set(entity, given, json_str(field, "name", ""), json_string(today_of(field)));
    json_t *step = proof_row(proof, "One of today", entity, given, proof_name(proof, "event"));
    const char *title = proof_title(entity, body_of(step));
    open_page(proof, view, "This month shows it", "", title);
    step = open_page(proof, view, "Another month does not", "?month=2031-02", NULL);
    if (title)
        proof_contains(step, "absent", title);
    criterion_close(proof, criterion);
}

/* Started as the page does: with what time is spent on, and nothing else. */
static void criterion_timer(struct proof *proof, const json_t *view) {
    const json_t *entity = proof_entity(proof, json_str(view, "entity", ""));
    const char *slug = json_str(view, "slug", ""), *end = json_str(view, "end", "");
    json_t *criterion = open_view(proof, view, "The timer runs and stops",
                                  TEXT("When somebody starts the timer, then %s runs; when they stop it, then it has "
                                       "an end; stopping again is refused.",
                                       text_article(proof->arena, lower_name(proof, entity, "name"))));
    const char *subject = json_str(view, "subject", ""), *title = NULL;
    const json_t *field = entity_field(entity, subject), *target = proof_entity(proof, json_str(field, "entity", ""));
    const char *running = proof_name(proof, "running"), *worked_on = proof_name(proof, "subject");
    json_t *step, *body = json_object();
    if (target) {
        step = proof_row(proof, "Something to work on", target, NULL, worked_on);
        title = proof_title(target, body_of(step));
        put_str(body, subject, proof_var(proof, worked_on));
    }
    step = proof_step(proof, "Start", "POST", TEXT("/api/%s/start", slug), body, 201);
    proof_route(step, "POST", TEXT("/api/%s/start", slug));
    proof_save(step, running, "id");
    proof_expect(step, end, json_null());
    if (target)
        proof_expect(step, subject, json_string(proof_var(proof, worked_on)));
    open_page(proof, view, "The page shows the timer", "", title);
    step = proof_step(proof, "Stop", "POST", TEXT("/api/%s/stop", slug), json_object(), 200);
    proof_route(step, "POST", TEXT("/api/%s/stop", slug));
    proof_expect(step, "id", json_string(proof_var(proof, running)));
    proof_contains(step, "absent", TEXT("\"%s\":null", end));
    step = proof_step(proof, "Nothing runs any more", "POST", TEXT("/api/%s/stop", slug), json_object(), 409);
    proof_expect(step, "error", json_string("not_running"));
    criterion_close(proof, criterion);
}

static void criterion_chat(struct proof *proof, const json_t *view) {
    const json_t *entity = proof_entity(proof, json_str(view, "entity", ""));
    const char *room = json_str(view, "room", "");
    const json_t *target = proof_entity(proof, json_str(entity_field(entity, room), "entity", ""));
    json_t *criterion = open_view(proof, view, TEXT("%s shows what is said", json_str(view, "title", "")),
                                  TEXT("Given %s, when somebody writes to it, then everybody who opens it reads that.",
                                       text_article(proof->arena, lower_name(proof, target, "name"))));
    const char *saved = proof_name(proof, "room");
    proof_row(proof, "Somewhere to talk", target, NULL, saved);
    const char *words = TEXT("Good morning %04d", ++proof->counter);
    json_auto_t *given = json_pack("{s:s, s:s}", room, proof_var(proof, saved), json_str(view, "body", ""), words);
    proof_row(proof, "Say something", entity, given, NULL);
    open_page(proof, view, "It is there to read", TEXT("?%s=${%s}", room, saved), words);
    criterion_close(proof, criterion);
}

static void criterion_map(struct proof *proof, const json_t *view) {
    const json_t *entity = proof_entity(proof, json_str(view, "entity", ""));
    json_t *criterion = open_view(proof, view, TEXT("%s shows places", json_str(view, "title", "")),
                                  TEXT("Given %s with coordinates, then the map shows it.",
                                       text_article(proof->arena, lower_name(proof, entity, "name"))));
    json_auto_t *given = json_pack("{s:f, s:f}", json_str(view, "lat", ""), 47.5, json_str(view, "lng", ""), 8.25);
    json_t *step = proof_row(proof, "A place", entity, given, NULL);
    open_page(proof, view, "The map shows it", "", proof_title(entity, body_of(step)));
    criterion_close(proof, criterion);
}

/* A month of its own for each report, older than any other row and than those of the reports before: it comes first. */
static const char *month_of_report(const struct proof *proof, const json_t *view) {
    size_t i;
    int year = 1999;
    json_t *other;
    json_array_foreach (json_object_get(proof->plan, "views"), i, other) {
        if (other == view)
            break;
        year -= str_eq(json_str(other, "kind", ""), "report");
    }
    return TEXT("%d-07", year);
}

static void criterion_report(struct proof *proof, const json_t *view) {
    const json_t *entity = proof_entity(proof, json_str(view, "entity", ""));
    const json_t *date = entity_field(entity, json_str(view, "date", ""));
    const char *slug = json_str(view, "slug", ""), *month = month_of_report(proof, view);
    bool is_average = str_eq(json_str(view, "fn", "sum"), "avg");
    int64_t least = json_int(entity_field(entity, json_str(view, "field", "")), "min", 0),
            value = least > 3 ? least : 3;
    json_t *criterion = open_view(
        proof, view,
        TEXT("\"%s\" shows the %s of each month", json_str(view, "title", ""), is_average ? "average" : "sum"),
        TEXT("Given two %s in one month, then the report shows that month with their %s.",
             lower_name(proof, entity, "plural"), is_average ? "average" : "sum"));
    for (int i = 0; i < 2; i++) {
        json_auto_t *given = json_object();
        proof_set(entity, given, json_str(view, "date", ""),
                  json_string(str_eq(json_str(date, "type", ""), "date") ? TEXT("%s-15", month)
                                                                         : TEXT("%s-15T10:00:00.000Z", month)));
        /* An average of different values is no sum and none of the two; 3 and 5 are ratings, too. */
        proof_set(entity, given, json_str(view, "field", ""), json_integer(is_average ? value + 2 * i : value));
        proof_row(proof, i == 0 ? "One" : "Another in the same month", entity, given, NULL);
    }
    json_t *step = proof_step(proof, is_average ? "The average of that month" : "The sum of that month", "GET",
                              TEXT("/api/%s", slug), NULL, 200);
    proof_route(step, "GET", TEXT("/api/%s", slug));
    proof_expect(step, "months.0.month", json_string(month));
    proof_expect(step, "months.0.total", json_integer(is_average ? value + 1 : 2 * value));
    open_page(proof, view, "The page opens", "", NULL);
    criterion_close(proof, criterion);
}

static void criterion_dashboard(struct proof *proof, const json_t *view) {
    json_t *criterion = criterion_open(
        proof, "The dashboard shows where things stand",
        "When somebody opens the app, then the dashboard shows its figures and what was added last.", "dashboard");
    criterion_part(criterion, "dashboard");
    const json_t *recent =
        proof_entity(proof, str_or(json_string_value(json_array_get(json_object_get(view, "recent"), 0)), ""));
    const char *title = NULL;
    if (recent) {
        criterion_entity(criterion, json_str(recent, "slug", ""));
        json_t *step = proof_row(proof, "Add something", recent, NULL, NULL);
        title = proof_title(recent, body_of(step));
    }
    json_t *step = proof_step(proof, "The dashboard", "GET", "/", NULL, 200), *card;
    proof_route(step, "GET", "/");
    size_t i;
    json_array_foreach (json_object_get(view, "cards"), i, card) {
        contains_plain(step, json_str(card, "label", ""));
    }
    if (title)
        proof_contains(step, "contains", title);
    criterion_close(proof, criterion);
}

void criteria_view(struct proof *proof, const json_t *view) {
    static const struct {
        const char *kind;
        void (*add)(struct proof *proof, const json_t *view);
    } kinds[] = {{"board", criterion_board},        {"calendar", criterion_calendar}, {"timer", criterion_timer},
                 {"chat", criterion_chat},          {"map", criterion_map},           {"report", criterion_report},
                 {"dashboard", criterion_dashboard}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (str_eq(kinds[i].kind, json_str(view, "kind", "")))
            kinds[i].add(proof, view);
}
