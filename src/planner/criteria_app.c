/* criteria_app: what proves the capabilities of the app, its build and its tests. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/proof.h"

#define TEXT(...) arena_printf(proof->arena, __VA_ARGS__)
#define PASSWORD "correct horse 7"

static bool has(const struct proof *proof, const char *capability) {
    return json_flag(proof->capabilities, capability, false);
}

/* A step in another person's name, or nobody's. */
static json_t *step_as(struct proof *proof, const char *as, const char *note, const char *method, const char *path,
                       json_t *json, int status) {
    const char *own = proof->as;
    proof->as = as;
    json_t *step = proof_step(proof, note, method, path, json, status);
    proof->as = own;
    return step;
}

static json_t *sign_up(struct proof *proof, const char *as, const char *name, const char *email) {
    json_t *step = step_as(proof, as, TEXT("%s signs up", name), "POST", "/api/auth/sign-up",
                           json_pack("{s:s, s:s, s:s}", "name", name, "email", email, "password", PASSWORD), 201);
    proof_route(step, "POST", "/api/auth/sign-up");
    return step;
}

/* The entity that others need least of: the first without a required reference. */
static const json_t *simple_entity(const struct proof *proof) {
    size_t i, j;
    json_t *entity, *field;
    json_array_foreach (json_object_get(proof->plan, "entities"), i, entity) {
        bool is_simple = true;
        json_array_foreach (json_object_get(entity, "fields"), j, field) {
            if (str_eq(json_str(field, "type", ""), "ref") && json_flag(field, "required", false))
                is_simple = false;
        }
        if (is_simple)
            return entity;
    }
    return json_array_get(json_object_get(proof->plan, "entities"), 0);
}

static json_t *body_of(const json_t *step) {
    return json_object_get(json_object_get(step, "request"), "json");
}

/* ---- accounts */

static void criterion_closed(struct proof *proof) {
    const json_t *entity = simple_entity(proof);
    const char *slug = json_str(entity, "slug", "");
    json_t *criterion = criterion_open(
        proof, "Without a session nothing is shown",
        "Given nobody is signed in, when a page is opened, then it leads to sign-in, and the API answers 401.",
        "sign-in");
    criterion_part(criterion, "auth");
    criterion_entity(criterion, slug);
    json_t *step = step_as(proof, NULL, "A page leads to sign-in", "GET", TEXT("/%s", slug), NULL, 307);
    json_object_set_new(json_object_get(step, "expect"), "header", json_pack("{s:s}", "location", "/sign-in?next="));
    step = step_as(proof, NULL, "The API refuses", "GET", TEXT("/api/%s", slug), NULL, 401);
    proof_expect(step, "error", json_string("unauthenticated"));
    step = step_as(proof, NULL, "Writing is refused too", "POST", TEXT("/api/%s", slug), json_object(), 401);
    proof_expect(step, "error", json_string("unauthenticated"));
    criterion_close(proof, criterion);
}

static void criterion_accounts(struct proof *proof) {
    json_t *criterion = criterion_open(
        proof, "People sign up, in and out",
        "When somebody signs up, then they are signed in; after signing out they are not; a wrong password is refused.",
        "sign-in");
    criterion_part(criterion, "auth");
    json_t *step = sign_up(proof, "visitor", "Vera Visitor", "vera@example.com");
    proof_expect(step, "user.email", json_string("vera@example.com"));
    if (has(proof, "roles"))
        proof_expect(step, "user.role", json_string("member"));
    step = step_as(proof, "visitor", "Who am I", "GET", "/api/auth/me", NULL, 200);
    proof_expect(step, "user.name", json_string("Vera Visitor"));
    step_as(proof, "visitor", "Sign out", "POST", "/api/auth/sign-out", json_object(), 204);
    step_as(proof, "visitor", "Nobody", "GET", "/api/auth/me", NULL, 401);
    step = step_as(proof, "visitor", "A wrong password", "POST", "/api/auth/sign-in",
                   json_pack("{s:s, s:s}", "email", "vera@example.com", "password", "wrong horse 7"), 401);
    proof_expect(step, "error", json_string("invalid_credentials"));
    step = step_as(proof, "visitor", "The right one", "POST", "/api/auth/sign-in",
                   json_pack("{s:s, s:s}", "email", "vera@example.com", "password", PASSWORD), 200);
    proof_expect(step, "user.email", json_string("vera@example.com"));
    step = step_as(proof, NULL, "A short password is refused", "POST", "/api/auth/sign-up",
                   json_pack("{s:s, s:s, s:s}", "name", "Short", "email", "short@example.com", "password", "seven77"),
                   400);
    proof_expect(step, "error", json_string("validation"));
    criterion_close(proof, criterion);
}

static const char *reading_role(const struct proof *proof) {
    const json_t *role = find_by(json_object_get(proof->plan, "roles"), "can", "read", NULL);
    return json_str(role, "value", NULL);
}

static void criterion_roles(struct proof *proof) {
    const json_t *entity = simple_entity(proof);
    const char *slug = json_str(entity, "slug", ""), *reader = reading_role(proof), *id = proof_name(proof, "person");
    json_t *criterion = criterion_open(
        proof, "Roles decide who may do what",
        reader ? "Given the first person is admin, when they make another one a reader, then that one sees everything "
                 "and changes nothing."
               : "Given the first person is admin, then others are members: they write, and cannot manage people.",
        "teams-and-roles");
    criterion_part(criterion, "auth");
    criterion_entity(criterion, slug);
    json_t *step = sign_up(proof, "reader", "Rita Reader", "rita@example.com");
    proof_save(step, id, "user.id");
    proof_expect(step, "user.role", json_string("member"));
    step = proof_step(proof, "The admin sees all people", "GET", "/api/users", NULL, 200);
    proof_route(step, "GET", "/api/users");
    proof_contains(step, "contains", "rita@example.com");
    step = step_as(proof, "reader", "A member changes no roles", "PATCH", TEXT("/api/users/${%s}", id),
                   json_pack("{s:s}", "role", "admin"), 403);
    proof_expect(step, "error", json_string("forbidden"));
    if (reader) {
        step = proof_step(proof, "The admin changes the role", "PATCH", TEXT("/api/users/${%s}", id),
                          json_pack("{s:s}", "role", reader), 200);
        proof_route(step, "PATCH", "/api/users/[id]");
        step_as(proof, "reader", "Reading is allowed", "GET", TEXT("/api/%s", slug), NULL, 200);
        step = step_as(proof, "reader", "Writing is not", "POST", TEXT("/api/%s", slug),
                       proof_body(proof, entity, NULL), 403);
        proof_expect(step, "error", json_string("forbidden"));
    }
    criterion_close(proof, criterion);
}

/* ---- capabilities */

static void criterion_search(struct proof *proof) {
    const json_t *entity = simple_entity(proof);
    json_t *criterion =
        criterion_open(proof, "Search finds records of every kind",
                       "Given a record, when somebody searches for words of it, then it is found.", "search");
    criterion_part(criterion, "search");
    criterion_entity(criterion, json_str(entity, "slug", ""));
    json_t *step = proof_row(proof, "Something to find", entity, NULL, NULL);
    const char *title = proof_title(entity, body_of(step));
    if (title) {
        const char *query = str_url_encode(proof->arena, title);
        step = proof_step(proof, "The API finds it", "GET", TEXT("/api/search?q=%s", query), NULL, 200);
        proof_expect(step, "items.0.title", json_string(title));
        proof_expect(step, "items.0.entity", json_string(json_str(entity, "slug", "")));
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

static json_t *import_step(struct proof *proof, const json_t *entity, const char **title) {
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
    const json_t *entity = simple_entity(proof);
    const char *slug = json_str(entity, "slug", ""), *title = NULL;
    json_t *criterion =
        criterion_open(proof, "Records go out and come in as CSV",
                       "When a CSV file is imported, then its rows are records; the export has them all.", "csv");
    criterion_entity(criterion, slug);
    import_step(proof, entity, &title);
    json_t *step = proof_step(proof, "Export", "GET", TEXT("/api/%s/export", slug), NULL, 200);
    proof_route(step, "GET", TEXT("/api/%s/export", slug));
    json_object_set_new(json_object_get(step, "expect"), "header", json_pack("{s:s}", "content-type", "text/csv"));
    if (title)
        proof_contains(step, "contains", title);
    criterion_close(proof, criterion);
}

static void criterion_audit(struct proof *proof) {
    const json_t *entity = simple_entity(proof);
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
    const json_t *entity = simple_entity(proof);
    json_t *criterion = criterion_open(
        proof, "Others are told what happened",
        "When somebody adds a record, then everybody else is notified, until they have read it.", "notifications");
    criterion_part(criterion, "notifications");
    criterion_entity(criterion, json_str(entity, "slug", ""));
    sign_up(proof, "teller", "Tom Teller", "tom@example.com");
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

static void criterion_tokens(struct proof *proof) {
    json_t *criterion = criterion_open(
        proof, "API tokens are made and taken back",
        "When somebody makes an API token, then it is shown once; when it is taken back, then it is gone.",
        "api-tokens");
    criterion_part(criterion, "tokens");
    const char *id = proof_name(proof, "token");
    json_t *step =
        proof_step(proof, "Make one", "POST", "/api/tokens", json_pack("{s:s}", "name", "Nightly report"), 201);
    proof_save(step, id, "id");
    proof_save(step, proof_name(proof, "secret"), "token");
    step = proof_step(proof, "It is listed without its secret", "GET", "/api/tokens", NULL, 200);
    proof_contains(step, "contains", "Nightly report");
    proof_contains(step, "absent", TEXT("${%s}", proof_name(proof, "secret")));
    proof_step(proof, "Take it back", "DELETE", TEXT("/api/tokens/${%s}", id), NULL, 204);
    step = proof_step(proof, "It is gone", "GET", "/api/tokens", NULL, 200);
    proof_contains(step, "absent", "Nightly report");
    criterion_close(proof, criterion);
}

static json_t *upload_step(struct proof *proof, const char *name) {
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
    upload_step(proof, name);
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

static void add_plain(struct proof *proof, const char *title, const char *statement, const char *part, const char *kind,
                      const char *path) {
    json_t *criterion = criterion_open(proof, title, statement, "app");
    criterion_part(criterion, part);
    json_t *check = json_pack("{s:s}", "kind", kind);
    if (path)
        json_object_set_new(check, "paths", json_pack("[s]", path));
    json_object_set_new(criterion, "check", check);
    json_array_append(json_object_get(proof->plan, "criteria"), criterion);
}

void criteria_app(struct proof *proof) {
    static const struct {
        const char *capability;
        void (*add)(struct proof *proof);
    } rows[] = {{"auth", criterion_closed},
                {"auth", criterion_accounts},
                {"roles", criterion_roles},
                {"search", criterion_search},
                {"csv", criterion_csv},
                {"audit", criterion_audit},
                {"notifications", criterion_notifications},
                {"apiTokens", criterion_tokens},
                {"uploads", criterion_uploads}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (has(proof, rows[i].capability))
            rows[i].add(proof);
    json_t *criterion =
        criterion_open(proof, "Unknown addresses answer 404",
                       "When somebody opens an address that does not exist, then the app says so.", "app");
    criterion_part(criterion, "shell");
    const char *slug = json_str(simple_entity(proof), "slug", "");
    proof_step(proof, "A page that is not there", "GET", TEXT("/%s/99999999", slug), NULL, 404);
    proof_step(proof, "An unknown record", "GET", TEXT("/api/%s/99999999", slug), NULL, 404);
    criterion_close(proof, criterion);
    criterion =
        criterion_open(proof, "Settings are shown", "When somebody opens the settings, then the page is there.", "app");
    criterion_part(criterion, "settings");
    proof_contains(proof_step(proof, "The settings", "GET", "/settings", NULL, 200), "contains", "Settings");
    criterion_close(proof, criterion);
    add_plain(proof, "The app builds", "When the app is installed, type-checked and built, then all of it succeeds.",
              "foundation", "build", NULL);
    add_plain(proof, "The tables are made at start",
              "Given an empty folder, when the app starts, then it makes its tables and passes its own tests.", "data",
              "tests", NULL);
    add_plain(proof, "The app's own tests pass", "When the app's tests are run, then all of them pass.", "tests",
              "tests", NULL);
    add_plain(proof, "A README says how to run it",
              "The README says what the app does, how to start it and where its data lies.", "docs", "files",
              "README.md");
}

/* ---- setup, and the check that goes over every route */

void proof_setup(struct proof *proof) {
    proof->steps = json_object_get(proof->plan, "setup");
    proof->prefix = "base_";
    if (has(proof, "auth")) {
        proof->as = "owner";
        json_t *step = sign_up(proof, "owner", "Olga Owner", "olga@example.com");
        proof_save(step, "owner_id", "user.id");
    }
    size_t i;
    json_t *entity;
    json_array_foreach (json_object_get(proof->plan, "entities"), i, entity)
        proof_row(proof, TEXT("A first %s", text_lower_first(proof->arena, json_str(entity, "name", ""))), entity, NULL,
                  proof_base(proof, json_str(entity, "slug", "")));
}

/* The path of a route with its [id] filled in, or NULL where another step has to go first. */
static const char *concrete_path(struct proof *proof, const char *path) {
    const char *open = strstr(path, "/[id]");
    if (!open)
        return path;
    const char *slug = path + (str_starts(path, "/api/") ? 5 : 1);
    const char *entity = arena_strndup(proof->arena, slug, (size_t)(open - slug));
    return TEXT("%.*s/${%s}%s", (int)(open - path), path, proof_base(proof, entity), open + 5);
}

static void route_of_entity(struct proof *proof, const json_t *entity, const char *method, const char *path) {
    const char *slug = json_str(entity, "slug", ""), *route_id = TEXT("/api/%s/[id]", slug), *ignored;
    json_t *step;
    if (str_ends(path, "/import")) {
        import_step(proof, entity, &ignored);
        return;
    }
    if (str_eq(method, "POST")) {
        proof_row(proof, TEXT("POST %s", path), entity, NULL, TEXT("routes_%s", proof_base(proof, slug)));
        return;
    }
    if (str_eq(method, "DELETE") || str_eq(method, "PATCH")) {
        json_t *body = str_eq(method, "PATCH") ? json_object() : NULL;
        step = proof_step(proof, TEXT("%s %s", method, path), method,
                          TEXT("/api/%s/${routes_%s}", slug, proof_base(proof, slug)), body, body ? 200 : 204);
        proof_route(step, method, route_id);
        return;
    }
    step = proof_step(proof, TEXT("GET %s", path), "GET", concrete_path(proof, path), NULL, 200);
    proof_route(step, "GET", path);
}

/* Routes that need more than being asked. False: a plain GET does. */
static bool special_route(struct proof *proof, const char *method, const char *path) {
    json_t *step = NULL;
    if (str_eq(path, "/api/auth/sign-up"))
        step = sign_up(proof, "routes", "Rosa Routes", "rosa@example.com");
    else if (str_eq(path, "/api/auth/sign-in"))
        step = step_as(proof, "routes", "POST /api/auth/sign-in", "POST", path,
                       json_pack("{s:s, s:s}", "email", "rosa@example.com", "password", PASSWORD), 200);
    else if (str_eq(path, "/api/auth/sign-out"))
        step = step_as(proof, "routes", "POST /api/auth/sign-out", "POST", path, json_object(), 204);
    else if (str_eq(path, "/sign-in") || str_eq(path, "/sign-up"))
        step = step_as(proof, NULL, TEXT("GET %s", path), "GET", path, NULL, 200);
    else if (str_eq(path, "/api/users/[id]"))
        step = proof_step(proof, "PATCH /api/users/[id]", "PATCH", "/api/users/${rosa_id}",
                          json_pack("{s:s}", "role", "member"), 200);
    else if (str_eq(path, "/search") || str_eq(path, "/api/search"))
        step = proof_step(proof, TEXT("GET %s", path), "GET", TEXT("%s?q=a", path), NULL, 200);
    else if (str_eq(path, "/api/notifications/read"))
        step = proof_step(proof, "POST /api/notifications/read", "POST", path, json_object(), 204);
    else if (str_eq(path, "/api/files"))
        step = upload_step(proof, "routes_file");
    else if (str_eq(path, "/api/files/[name]"))
        step = proof_step(proof, "GET /api/files/[name]", "GET", "/api/files/${routes_file}", NULL, 200);
    else if (str_eq(path, "/api/tokens") && str_eq(method, "POST"))
        proof_save(step =
                       proof_step(proof, "POST /api/tokens", "POST", path, json_pack("{s:s}", "name", "Routes"), 201),
                   "routes_token", "id");
    else if (str_eq(path, "/api/tokens/[id]"))
        step = proof_step(proof, "DELETE /api/tokens/[id]", "DELETE", "/api/tokens/${routes_token}", NULL, 204);
    else if (str_eq(path, "/api/health"))
        proof_expect(step = step_as(proof, NULL, "GET /api/health", "GET", path, NULL, 200), "status",
                     json_string("ok"));
    if (!step)
        return false;
    if (str_eq(path, "/api/auth/sign-up"))
        proof_save(step, "rosa_id", "user.id");
    proof_route(step, method, path);
    return true;
}

static const json_t *timer_of(const struct proof *proof, const char *path) {
    size_t i;
    json_t *view;
    json_array_foreach (json_object_get(proof->plan, "views"), i, view) {
        const char *slug = json_str(view, "slug", "");
        if (str_eq(json_str(view, "kind", ""), "timer") && str_starts(path, "/api/") && str_starts(path + 5, slug) &&
            path[5 + strlen(slug)] == '/')
            return view;
    }
    return NULL;
}

static void route_of_timer(struct proof *proof, const json_t *view, const char *path) {
    const json_t *entity = proof_entity(proof, json_str(view, "entity", ""));
    bool is_start = str_ends(path, "/start");
    json_t *body = is_start ? proof_body(proof, entity, NULL) : json_object();
    json_object_del(body, json_str(view, "start", ""));
    json_object_del(body, json_str(view, "end", ""));
    json_t *step = proof_step(proof, TEXT("POST %s", path), "POST", path, body, is_start ? 201 : 200);
    proof_route(step, "POST", path);
}

static const json_t *entity_of_path(const struct proof *proof, const char *path) {
    const char *slug = path + (str_starts(path, "/api/") ? 5 : 1);
    return proof_entity(proof, arena_strndup(proof->arena, slug, strcspn(slug, "/")));
}

void proof_routes_check(struct proof *proof) {
    json_t *steps = json_array(), *route;
    json_array_append_new(
        json_object_get(proof->plan, "checks"),
        json_pack("{s:s, s:s, s:o}", "id", "routes", "title", "Every page and API call answers", "steps", steps));
    proof->steps = steps;
    proof->prefix = "routes_";
    proof->as = has(proof, "auth") ? "owner" : NULL;
    size_t i;
    json_array_foreach (json_object_get(proof->plan, "routes"), i, route) {
        const char *method = json_str(route, "method", ""), *path = json_str(route, "path", "");
        const json_t *entity = entity_of_path(proof, path), *timer = timer_of(proof, path);
        if (timer)
            route_of_timer(proof, timer, path);
        else if (entity)
            route_of_entity(proof, entity, method, path);
        else if (!special_route(proof, method, path))
            proof_route(proof_step(proof, TEXT("%s %s", method, path), method, path, NULL, 200), method, path);
    }
}
