/* proof: valid rows and HTTP steps for the checks of a plan. */
#include "planner/proof.h"

#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

json_t *proof_entity(const struct proof *proof, const char *slug) {
    return find_by(json_object_get(proof->plan, "entities"), "slug", slug, NULL);
}

const char *proof_base(const struct proof *proof, const char *slug) {
    char *name = arena_strdup(proof->arena, slug);
    for (char *at = name; *at; at++)
        if (*at == '-')
            *at = '_';
    return name;
}

const char *proof_name(struct proof *proof, const char *name) {
    return arena_printf(proof->arena, "%s%s", proof->prefix, name);
}

const char *proof_var(struct proof *proof, const char *name) {
    return arena_printf(proof->arena, "${%s}", name);
}

/* ---- steps */

json_t *proof_step(struct proof *proof, const char *note, const char *method, const char *path, json_t *json,
                   int status) {
    json_t *step = json_pack("{s:s}", "note", note);
    if (proof->as)
        put_str(step, "as", proof->as);
    json_object_set_new(step, "request", json_pack("{s:s, s:s}", "method", method, "path", path));
    if (json)
        json_object_set_new(json_object_get(step, "request"), "json", json);
    json_object_set_new(step, "expect", json_pack("{s:i}", "status", status));
    json_array_append_new(proof->steps, step);
    return step;
}

static json_t *member(json_t *object, const char *key, json_t *fresh) {
    if (!json_object_get(object, key))
        json_object_set_new(object, key, fresh);
    else
        json_decref(fresh);
    return json_object_get(object, key);
}

void proof_expect(json_t *step, const char *path, json_t *value) {
    json_object_set_new(member(json_object_get(step, "expect"), "json", json_object()), path, value);
}

void proof_contains(json_t *step, const char *what, const char *text) {
    json_array_append_new(member(json_object_get(step, "expect"), what, json_array()), json_string(text));
}

void proof_save(json_t *step, const char *name, const char *path) {
    put_str(member(step, "save", json_object()), name, path);
}

void proof_route(json_t *step, const char *method, const char *path) {
    json_object_set_new(step, "route", json_sprintf("%s %s", method, path));
}

/* ---- values */

/* Letters and digits only: the text stands as it is in HTML and CSV. */
static const char *plain(struct arena *arena, const char *text) {
    char *out = arena_alloc(arena, strlen(text) + 2), *at = out;
    for (; *text; text++)
        if (isalnum((unsigned char)*text) || (*text == ' ' && at != out && at[-1] != ' '))
            *at++ = *text;
    return out;
}

static const char *sample_text(struct proof *proof, const json_t *entity, const json_t *field, int number) {
    bool is_title = str_eq(json_str(field, "name", ""), json_str(entity, "titleField", ""));
    const char *word = plain(proof->arena, is_title ? json_str(entity, "name", "") : json_str(field, "label", ""));
    char *text = arena_printf(proof->arena, "%s %04d", *word ? word : "Sample", number);
    size_t max = (size_t)json_int(field, "max", 200), len = strlen(text);
    if (len <= max)
        return text;
    /* The number matters, the word does not. */
    const char *digits = arena_printf(proof->arena, "%04d", number);
    return strlen(digits) <= max ? digits : digits + strlen(digits) - max;
}

static json_t *sample_number(const json_t *field, double wanted) {
    const json_t *min = json_object_get(field, "min"), *max = json_object_get(field, "max");
    if (min && wanted < json_number_value(min))
        wanted = json_number_value(min);
    if (max && wanted > json_number_value(max))
        wanted = json_number_value(max);
    if (str_eq(json_str(field, "type", ""), "decimal") && wanted != (double)(json_int_t)wanted)
        return json_real(wanted);
    return json_integer((json_int_t)wanted);
}

static bool must_differ(const json_t *entity, const json_t *field) {
    return json_flag(field, "unique", false) || proof_is_bound(entity, json_str(field, "name", ""));
}

json_t *proof_value(struct proof *proof, const json_t *entity, const json_t *field) {
    const char *type = json_str(field, "type", "");
    int number = proof->counter;
    bool differs = must_differ(entity, field);
    if (str_eq(type, "text"))
        return json_string(sample_text(proof, entity, field, number));
    if (str_eq(type, "longtext"))
        return json_sprintf("Some words %04d", number);
    if (str_eq(type, "email"))
        return json_sprintf("person%04d@example.com", number);
    if (str_eq(type, "url"))
        return json_sprintf("https://example.com/%03d", number);
    if (str_eq(type, "phone"))
        return json_sprintf("+1 555 01%04d", number);
    if (str_eq(type, "integer") || str_eq(type, "minutes"))
        return json_object_get(field, "default") && !differs ? json_incref(json_object_get(field, "default"))
                                                             : sample_number(field, differs ? 1000 + number : 12);
    if (str_eq(type, "decimal"))
        return sample_number(field, differs ? 1000 + number : 8.5);
    if (str_eq(type, "money"))
        return sample_number(field, differs ? 100000 + number : 1250);
    if (str_eq(type, "rating"))
        return json_integer(4);
    if (str_eq(type, "boolean"))
        return json_true();
    if (str_eq(type, "date"))
        return json_sprintf("20%02d-03-%02d", differs ? number / 28 % 24 : 24, differs ? 1 + number % 28 : 5);
    if (str_eq(type, "datetime"))
        return json_sprintf("20%02d-03-%02dT09:00:00.000Z", differs ? number / 28 % 24 : 24,
                            differs ? 1 + number % 28 : 5);
    if (str_eq(type, "time"))
        return json_sprintf("%02d:%02d", differs ? number / 60 % 24 : 9, differs ? number % 60 : 30);
    if (str_eq(type, "tags"))
        return json_pack("[s, s]", "alpha", "beta");
    if (str_eq(type, "choice")) {
        const char *first = json_str(json_array_get(json_object_get(field, "options"), 0), "value", "");
        return json_string(json_str(field, "default", first));
    }
    return str_eq(type, "user") && proof->as ? json_string("${owner_id}") : NULL;
}

bool proof_is_bound(const json_t *entity, const char *field) {
    size_t i;
    json_t *rule;
    json_array_foreach (json_object_get(entity, "rules"), i, rule) {
        const char *kind = json_str(rule, "kind", "");
        if (str_eq(kind, "unique") && is_in(json_object_get(rule, "fields"), field))
            return true;
        if ((str_eq(kind, "capacity") || str_eq(kind, "credit")) && str_eq(json_str(rule, "ref", ""), field))
            return true;
    }
    return false;
}

static json_t *reference_value(struct proof *proof, const json_t *entity, const json_t *field) {
    const char *slug = json_str(field, "entity", "");
    if (!json_flag(field, "required", false))
        return NULL;
    if (!proof->is_fresh && !proof_is_bound(entity, json_str(field, "name", "")) && !json_flag(field, "unique", false))
        return json_string(proof_var(proof, proof_base(proof, slug)));
    const json_t *target = proof_entity(proof, slug);
    const char *name =
        proof_name(proof, arena_printf(proof->arena, "%s_%d", proof_base(proof, slug), ++proof->counter));
    proof_row(proof,
              arena_printf(proof->arena, "Make %s for it",
                           text_article(proof->arena, text_lower_first(proof->arena, json_str(target, "name", "")))),
              target, NULL, name);
    return json_string(proof_var(proof, name));
}

json_t *proof_body(struct proof *proof, const json_t *entity, const json_t *given) {
    json_t *body = json_object(), *field;
    size_t i;
    proof->counter++;
    int number = proof->counter;
    json_array_foreach (json_object_get(entity, "fields"), i, field) {
        const char *name = json_str(field, "name", "");
        if (json_object_get(given, name)) {
            json_object_set(body, name, json_object_get(given, name));
            continue;
        }
        bool is_reference = str_eq(json_str(field, "type", ""), "ref");
        json_t *value;
        if (is_reference) {
            value = reference_value(proof, entity, field);
        } else {
            int later = proof->counter;
            proof->counter = number;
            value = proof_value(proof, entity, field);
            proof->counter = later;
        }
        if (value)
            json_object_set_new(body, name, value);
    }
    return body;
}

void proof_set(const json_t *entity, json_t *given, const char *field, json_t *value) {
    json_object_set_new(given, field, value);
    size_t i;
    json_t *rule;
    json_array_foreach (json_object_get(entity, "rules"), i, rule) {
        if (!str_eq(json_str(rule, "kind", ""), "order"))
            continue;
        const char *from = json_str(rule, "from", ""), *to = json_str(rule, "to", "");
        if (str_eq(from, field) && !json_object_get(given, to))
            proof_set(entity, given, to, json_incref(value));
        else if (str_eq(to, field) && !json_object_get(given, from))
            proof_set(entity, given, from, json_incref(value));
    }
}

json_t *proof_row(struct proof *proof, const char *note, const json_t *entity, const json_t *given, const char *name) {
    const char *slug = json_str(entity, "slug", "");
    json_t *body = proof_body(proof, entity, given);
    json_t *step = proof_step(proof, note, "POST", arena_printf(proof->arena, "/api/%s", slug), body, 201);
    proof_route(step, "POST", arena_printf(proof->arena, "/api/%s", slug));
    if (name)
        proof_save(step, name, "id");
    return step;
}

const char *proof_title(const json_t *entity, const json_t *body) {
    const json_t *field = entity_field(entity, json_str(entity, "titleField", ""));
    const char *type = json_str(field, "type", "");
    if (!str_eq(type, "text") && !str_eq(type, "email"))
        return NULL;
    return json_string_value(json_object_get(body, json_str(field, "name", "")));
}

/* ---- people and records */

bool proof_has(const struct proof *proof, const char *capability) {
    return json_flag(proof->capabilities, capability, false);
}

json_t *proof_step_as(struct proof *proof, const char *as, const char *note, const char *method, const char *path,
                      json_t *json, int status) {
    const char *own = proof->as;
    proof->as = as;
    json_t *step = proof_step(proof, note, method, path, json, status);
    proof->as = own;
    return step;
}

json_t *proof_sign_up(struct proof *proof, const char *as, const char *name, const char *email) {
    json_t *step =
        proof_step_as(proof, as, arena_printf(proof->arena, "%s signs up", name), "POST", "/api/auth/sign-up",
                      json_pack("{s:s, s:s, s:s}", "name", name, "email", email, "password", PROOF_PASSWORD), 201);
    proof_route(step, "POST", "/api/auth/sign-up");
    return step;
}

const json_t *proof_simple_entity(const struct proof *proof) {
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

/* ---- criteria */

json_t *criterion_open(struct proof *proof, const char *title, const char *statement, const char *feature) {
    size_t number = json_array_size(json_object_get(proof->plan, "criteria")) + 1;
    proof->prefix = arena_printf(proof->arena, "ac%zu_", number);
    proof->as = json_flag(proof->capabilities, "auth", false) ? "owner" : NULL;
    json_t *criterion =
        json_pack("{s:o, s:s, s:s, s:s, s:[], s:[]}", "id", json_sprintf("AC-%zu", number), "title",
                  text_capital(proof->arena, title), "statement", statement, "feature", feature, "entities", "parts");
    proof->steps = json_array();
    json_object_set_new(criterion, "check", json_pack("{s:s, s:o}", "kind", "http", "steps", proof->steps));
    return json_own(proof->arena, criterion);
}

void criterion_part(json_t *criterion, const char *part) {
    json_t *parts = json_object_get(criterion, "parts");
    if (!is_in(parts, part))
        json_array_append_new(parts, json_string(part));
}

void criterion_entity(json_t *criterion, const char *slug) {
    json_t *entities = json_object_get(criterion, "entities");
    if (!is_in(entities, slug))
        json_array_append_new(entities, json_string(slug));
    char part[120];
    snprintf(part, sizeof part, "entity:%s", slug);
    criterion_part(criterion, part);
}

void criterion_close(struct proof *proof, json_t *criterion) {
    if (json_array_size(proof->steps) > 0)
        json_array_append(json_object_get(proof->plan, "criteria"), criterion);
}
