/* proof: making the HTTP steps that prove criteria: rows with valid values, and what must come of them. */
#ifndef PLANNER_PROOF_H
#define PLANNER_PROOF_H

#include "planner/draft.h"

struct proof {
    struct draft *draft;
    struct arena *arena;
    const json_t *plan;
    const json_t *capabilities;
    json_t *steps;      /* where steps go */
    const char *prefix; /* of the names of saved values: "ac3_" */
    const char *as;     /* the cookie jar; NULL without auth */
    int counter;        /* makes values differ */
    bool is_fresh;      /* references always go to rows of their own */
};

json_t *proof_entity(const struct proof *proof, const char *slug);
/* "time-entries" as the name of a saved value: its first row, made by the setup. */
const char *proof_base(const struct proof *proof, const char *slug);
const char *proof_name(struct proof *proof, const char *name); /* with the prefix */
const char *proof_var(struct proof *proof, const char *name);  /* "${name}" */

/* Appends a step; json may be NULL, takes it over. Returns the step, borrowed. */
json_t *proof_step(struct proof *proof, const char *note, const char *method, const char *path, json_t *json,
                   int status);
void proof_expect(json_t *step, const char *path, json_t *value); /* a value in the JSON of the answer; takes it over */
void proof_contains(json_t *step, const char *what, const char *text); /* what: "contains" or "absent" */
void proof_save(json_t *step, const char *name, const char *path);
void proof_route(json_t *step, const char *method, const char *path);

/* A valid value for a field, different at each call where it must be. NULL if the field is better left out. */
json_t *proof_value(struct proof *proof, const json_t *entity, const json_t *field);
/* A valid body. References go to the rows of the setup, or to fresh ones where a rule limits them; given wins over all.
 */
json_t *proof_body(struct proof *proof, const json_t *entity, const json_t *given);
/* Sets field to value, and with it whatever an order rule ties to it. */
void proof_set(const json_t *entity, json_t *given, const char *field, json_t *value);
/* Makes a row and saves its id under name; given may be NULL and stays the caller's. Returns the step. */
json_t *proof_row(struct proof *proof, const char *note, const json_t *entity, const json_t *given, const char *name);
/* A text that a page shows for the row that body makes, or NULL. */
const char *proof_title(const json_t *entity, const json_t *body);
/* The reference fields of an entity that capacity, credit or unique rules bind. */
bool proof_is_bound(const json_t *entity, const char *field);

/* ---- people and records */
#define PROOF_PASSWORD "correct horse 7"
bool proof_has(const struct proof *proof, const char *capability);
/* A step in another person's name, or nobody's (as NULL). */
json_t *proof_step_as(struct proof *proof, const char *as, const char *note, const char *method, const char *path,
                      json_t *json, int status);
json_t *proof_sign_up(struct proof *proof, const char *as, const char *name, const char *email);
/* The entity that others need least of: the first without a required reference. */
const json_t *proof_simple_entity(const struct proof *proof);
/* Imports one row as CSV; *title as of proof_title. */
json_t *proof_import(struct proof *proof, const json_t *entity, const char **title);
/* Uploads a small file and saves its name. */
json_t *proof_upload(struct proof *proof, const char *name);

/* ---- criteria */
json_t *criterion_open(struct proof *proof, const char *title, const char *statement, const char *feature);
void criterion_entity(json_t *criterion, const char *slug); /* with its part */
void criterion_part(json_t *criterion, const char *part);
void criterion_close(struct proof *proof, json_t *criterion); /* dropped if it has no steps */

/* criteria_*.c */
void criteria_entity(struct proof *proof, const json_t *entity);
void criteria_rules(struct proof *proof, const json_t *entity);
void criteria_view(struct proof *proof, const json_t *view);
void criteria_accounts(struct proof *proof);
void criteria_app(struct proof *proof);
void criteria_features(struct proof *proof);
void proof_setup(struct proof *proof);
void proof_routes_check(struct proof *proof);

#endif
