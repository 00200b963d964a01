/* plan_check: the walk over a plan that finds where it breaks the format. Private to plan_check*.c. */
#ifndef BLUEPRINT_PLAN_CHECK_H
#define BLUEPRINT_PLAN_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

/* path: where in the plan, as "entities[2].fields[0]"; empty at the top. */
struct checker {
    const json_t *plan;
    const json_t *entities;
    const json_t *capabilities;
    struct arena *arena;
    struct err *err;
};

enum { MOST_ITEMS = 500 }; /* of any list that decoration loops over */

/* Each returns 0 or the error, which names path and key. */
int plan_check_fault(const struct checker *checker, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
char *plan_check_path(const struct checker *checker, const char *path, const char *key);
char *plan_check_item(const struct checker *checker, const char *path, const char *key, size_t index);
/* A text that is there and not empty. */
int plan_check_text(const struct checker *checker, const json_t *object, const char *path, const char *key);
/* A member of that type that may be absent. JSON_TRUE stands for booleans, JSON_REAL for numbers. */
int plan_check_optional(const struct checker *checker, const json_t *object, const char *path, const char *key,
                        json_type type);
/* A list of objects; absent counts as a fault. */
int plan_check_objects(const struct checker *checker, const json_t *object, const char *path, const char *key);
/* A list of texts; absent counts as a fault. */
int plan_check_texts(const struct checker *checker, const json_t *object, const char *path, const char *key);
/* A text that is one of names, which end with NULL. */
int plan_check_one_of(const struct checker *checker, const json_t *object, const char *path, const char *key,
                      const char *const *names);
int plan_check_slug(const struct checker *checker, const json_t *object, const char *path, const char *key);
/* The text at key names an entity of the plan: *out. */
int plan_check_entity(const struct checker *checker, const json_t *object, const char *path, const char *key,
                      const json_t **out);
/* The text at key names a field of entity whose type is one of types (NULL-terminated; NULL: any): *out, if not NULL.
 */
int plan_check_field(const struct checker *checker, const json_t *object, const char *path, const char *key,
                     const json_t *entity, const char *const *types, const json_t **out);
/* The optional condition {"field", "in"}. */
int plan_check_where(const struct checker *checker, const json_t *object, const char *path, const json_t *entity);

extern const char *const plan_check_numeric[];   /* integer, decimal, money, minutes, rating */
extern const char *const plan_check_functions[]; /* count, sum, avg */

int plan_check_entities(const struct checker *checker);
int plan_check_rules(const struct checker *checker, const json_t *entity, const char *path);
int plan_check_views(const struct checker *checker);

#endif
