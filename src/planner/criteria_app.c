/* criteria_app: what proves the capabilities of the app, its build and its tests. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/proof.h"

#define TEXT(...) arena_printf(proof->arena, __VA_ARGS__)

static json_t *body_of(const json_t *step) {
    return json_object_get(json_object_get(step, "request"), "json");
}

static bool is_titled_by_text(const json_t *entity) {
    const char *type = json_str(entity_field(entity, json_str(entity, "titleField", "")), "type", "");
    return str_eq(type, "text") || str_eq(type, "email");
}

/* ---- capabilities */

/* One row of each kind that has a title of its own, found by it. */
static void criterion_search(struct proof *proof) {
    json_t *criterion = criterion_open(
        proof, "Search finds records of every kind",
        "Given a record of each kind, when somebody searches for the words of one, then that one is found.", "search");
    criterion_part(criterion, "search");
    size_t i;
    json_t *entity, *step;
    json_array_foreach (json_object_get(proof->plan, "entities"), i, entity) {
        const char *slug = json_str(entity, "slug", "");
        const char *a_one = text_article(proof->arena, text_lower_first(proof->arena, json_str(entity, "name", "")));
        if (!is_titled_by_text(entity))
            continue;
        criterion_entity(criterion, slug);
        const char *title = proof_title(entity, body_of(proof_row(proof, TEXT("Add %s", a_one), entity, NULL, NULL)));
        const char *query = str_url_encode(proof->arena, title);
        step = proof_step(proof, TEXT("Look for %s", a_one), "GET", TEXT("/api/search?q=%s", query), NULL, 200);
        proof_expect(step, "items.0.title", json_string(title));
        proof_expect(step, "items.0.entity", json_string(slug));
        step = proof_step(proof, "The page finds it", "GET", TEXT("/search?q=%s", query), NULL, 200);
        proof_contains(step, "contains", title);
    }
    step = proof_step(proof, "What is not there is not found", "GET", "/api/search?q=zzqxj", NULL, 200);
    proof_contains(step, "contains", "\"items\":[]");
    criterion_close(proof, criterion);
}

/* A CSV text of one row. Money is written in units, not cents. */
static const char *csv_of(struct proof *proof, const json_t *entity, const char **title) {
    json_auto_t *body = proof_body(proof, entity, NULL);
    const char *heading = "", *line = "";
    size_t i;
    json_t *field;
    json_array_foreach (json_object_get(entity, "fields"), i, field) {
        const char *name = json_str(field, "name", ""), *type = json_str(field, "type", "");
        const json_t *value = json_object_get(body, name);
        if (!value)
            continue;
        const char *cell = json_is_string(value) ? json_string_value(value) : json_text(proof->arena, value);
        if (str_eq(type, "money"))
            cell = TEXT("%lld.%02lld", (long long)json_integer_value(value) / 100,
                        (long long)json_integer_value(value) % 100);
        if (str_eq(type, "tags"))
            cell = "alpha";
        heading = TEXT("%s%s%s", heading, *heading ? "," : "", name);
        line = TEXT("%s%s%s", line, *line ? "," : "", cell);
    }
    const char *found = proof_title(entity, body);
    *title = found ? arena_strdup(proof->arena, found) : NULL;
    return *heading ? TEXT("%s\n%s\n", heading, line) : NULL;
}

json_t *proof_import(struct proof *proof, const json_t *entity, const char **title) {
    const char *slug = json_str(entity, "slug", ""), *csv = csv_of(proof, entity, title);
    json_t *step = proof_step(proof, "Import a row", "POST", TEXT("/api/%s/import", slug), NULL, 200);
    put_str(json_object_get(step, "request"), "text", csv ? csv : "name\n");
    put_str(json_object_get(step, "request"), "contentType", "text/csv");
    proof_route(step, "POST", TEXT("/api/%s/import", slug));
    if (csv)
        proof_expect(step, "created", json_integer(1));
    return step;
}

static void criterion_csv(struct proof *proof) {
    const json_t *entity = proof_simple_entity(proof);
    const char *slug = json_str(entity, "slug", ""), *title = NULL;
    json_t *criterion =
        criterion_open(proof, "Records go out and come in as CSV",
                       "When a CSV file is imported, then its rows are records; the export has them all.", "csv");
    criterion_entity(criterion, slug);
    proof_import(proof, entity, &title);
    json_t *step = proof_step(proof, "Export", "GET", TEXT("/api/%s/export", slug), NULL, 200);
    proof_route(step, "GET", TEXT("/api/%s/export", slug));
    json_object_set_new(json_object_get(step, "expect"), "header", json_pack("{s:s}", "content-type", "text/csv"));
    if (title)
        proof_contains(step, "contains", title);
    criterion_close(proof, criterion);
}

static void criterion_audit(struct proof *proof) {
    const json_t *entity = proof_simple_entity(proof);
    json_t *criterion =
        criterion_open(proof, "Changes are on record",
                       "When a record is added, then the audit log says what, when and by whom.", "audit");
    criterion_part(criterion, "audit");
    criterion_entity(criterion, json_str(entity, "slug", ""));
    proof_row(proof, "Add something", entity, NULL, NULL);
    json_t *step = proof_step(proof, "The log names it", "GET", "/api/audit", NULL, 200);
    proof_expect(step, "items.0.action", json_string("create"));
    proof_expect(step, "items.0.entity", json_string(json_str(entity, "slug", "")));
    if (proof->as)
        proof_expect(step, "items.0.actor", json_string("Olga Owner"));
    proof_step(proof, "The page opens", "GET", "/audit", NULL, 200);
    criterion_close(proof, criterion);
}

static void criterion_notifications(struct proof *proof) {
    const json_t *entity = proof_simple_entity(proof);
    json_t *criterion = criterion_open(
        proof, "Others are told what happened",
        "When somebody adds a record, then everybody else is notified, until they have read it.", "notifications");
    criterion_part(criterion, "notifications");
    criterion_entity(criterion, json_str(entity, "slug", ""));
    proof_sign_up(proof, "teller", "Tom Teller", "tom@example.com");
    proof_step(proof, "Nothing is left unread", "POST", "/api/notifications/read", json_object(), 204);
    const char *own = proof->as;
    proof->as = "teller";
    json_auto_t *body = proof_body(proof, entity, NULL);
    proof_step(proof, "Tom adds something", "POST", TEXT("/api/%s", json_str(entity, "slug", "")), json_incref(body),
               201);
    proof->as = own;
    json_t *step = proof_step(proof, "The owner is told", "GET", "/api/notifications", NULL, 200);
    json_object_set_new(json_object_get(step, "expect"), "min", json_pack("{s:i}", "unread", 1));
    proof_step(proof, "Mark as read", "POST", "/api/notifications/read", json_object(), 204);
    step = proof_step(proof, "Nothing is unread", "GET", "/api/notifications", NULL, 200);
    proof_expect(step, "unread", json_integer(0));
    criterion_close(proof, criterion);
}

json_t *proof_upload(struct proof *proof, const char *name) {
    json_t *step = proof_step(proof, "Upload a file", "POST", "/api/files", NULL, 201);
    put_str(json_object_get(step, "request"), "text",
            "--part\r\nContent-Disposition: form-data; name=\"file\"; filename=\"note.txt\"\r\nContent-Type: "
            "text/plain\r\n\r\nhello\r\n--part--\r\n");
    put_str(json_object_get(step, "request"), "contentType", "multipart/form-data; boundary=part");
    proof_route(step, "POST", "/api/files");
    proof_save(step, name, "name");
    return step;
}

static void criterion_uploads(struct proof *proof) {
    json_t *criterion = criterion_open(
        proof, "Files are stored and given back",
        "When somebody uploads a file, then it is there under its address and can be kept with a record.", "uploads");
    criterion_part(criterion, "uploads");
    const char *name = proof_name(proof, "file");
    proof_upload(proof, name);
    json_t *step = proof_step(proof, "Fetch it", "GET", TEXT("/api/files/${%s}", name), NULL, 200);
    proof_route(step, "GET", "/api/files/[name]");
    proof_contains(step, "contains", "hello");
    size_t i;
    json_t *entity;
    json_array_foreach (json_object_get(proof->plan, "entities"), i, entity) {
        const json_t *field = find_by(json_object_get(entity, "fields"), "type", "file", NULL);
        if (!field)
            continue;
        criterion_entity(criterion, json_str(entity, "slug", ""));
        json_auto_t *given = json_pack("{s:s}", json_str(field, "name", ""), proof_var(proof, name));
        step = proof_row(proof, "Keep it with a record", entity, given, NULL);
        proof_expect(step, TEXT("%s.name", json_str(field, "name", "")), json_string(proof_var(proof, name)));
        break;
    }
    criterion_close(proof, criterion);
}

/* ---- the whole */

static void add_plain(struct proof *proof, const char *title, const char *statement, const char *part, json_t *check) {
    json_t *criterion = criterion_open(proof, title, statement, "app");
    criterion_part(criterion, part);
    json_object_set_new(criterion, "check", check);
    json_array_append(json_object_get(proof->plan, "criteria"), criterion);
}

static void add_readme(struct proof *proof) {
    const char *tagline = json_str(proof->plan, "tagline", "");
    add_plain(proof, "A README says how to run it",
              "The README says what the app is, how to install, build and start it, and where its data lies.", "docs",
              json_pack("{s:s, s:[s], s:[s, s, s, s, s]}", "kind", "files", "paths", "README.md", "contains", tagline,
                        "npm ci", "npm run build", "npm start", "DATABASE_PATH"));
}

void criteria_app(struct proof *proof) {
    static const struct {
        const char *capability;
        void (*add)(struct proof *proof);
    } rows[] = {{"search", criterion_search},
                {"csv", criterion_csv},
                {"audit", criterion_audit},
                {"notifications", criterion_notifications},
                {"uploads", criterion_uploads}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (proof_has(proof, rows[i].capability))
            rows[i].add(proof);
    json_t *criterion =
        criterion_open(proof, "Unknown addresses answer 404",
                       "When somebody opens an address that does not exist, then the app says so.", "app");
    criterion_part(criterion, "shell");
    const char *slug = json_str(proof_simple_entity(proof), "slug", "");
    proof_step(proof, "A page that is not there", "GET", TEXT("/%s/99999999", slug), NULL, 404);
    proof_step(proof, "An unknown record", "GET", TEXT("/api/%s/99999999", slug), NULL, 404);
    criterion_close(proof, criterion);
    criterion =
        criterion_open(proof, "Settings are shown", "When somebody opens the settings, then the page is there.", "app");
    criterion_part(criterion, "settings");
    proof_contains(proof_step(proof, "The settings", "GET", "/settings", NULL, 200), "contains", "Settings");
    criterion_close(proof, criterion);
    add_plain(proof, "The app builds", "When the app is installed, type-checked and built, then all of it succeeds.",
              "foundation", json_pack("{s:s}", "kind", "build"));
    add_plain(proof, "The tables are made at start",
              "Given an empty folder, when the app starts, then it makes its tables and passes its own tests.", "data",
              json_pack("{s:s}", "kind", "tests"));
    add_plain(proof, "The app's own tests pass", "When the app's tests are run, then all of them pass.", "tests",
              json_pack("{s:s}", "kind", "tests"));
    add_readme(proof);
}
