/* decorate: the steps from a checked plan to its view. Private to blueprint/. The plan was checked: nothing here fails.
 */
#ifndef BLUEPRINT_DECORATE_H
#define BLUEPRINT_DECORATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

/* Checks all that decoration and the templates rely on; the message and err->field name the path in the plan. */
MUST_CHECK int plan_check(const json_t *plan, struct arena *arena, struct err *err);

/* Members. view_add does nothing for NULL; it borrows. */
void view_add_text(json_t *object, const char *key, const char *text);
void view_add_flag(json_t *object, const char *key, bool flag);
void view_add(json_t *object, const char *key, const json_t *value);
/* For each key (until NULL) that is there: keyJson, keyJsx and keyAttr. */
void view_add_literals(struct arena *arena, json_t *object, ...) __attribute__((sentinel));
/* {"count": true, "sum": false …}: true for the name that is on. Ends with NULL. */
json_t *view_flags(const char *on, ...) __attribute__((sentinel));
/* The numeric types, true for the one named (may be NULL). */
json_t *view_numeric_flags(const char *type);
void view_add_where(struct arena *arena, json_t *object, const json_t *where, const json_t *entity);

/* isFirst, isLast and index on each object of a list: on the objects themselves, or on copies of them (a new array). */
void view_number(json_t *list);
json_t *view_numbered(const json_t *list);
/* Borrowed: the object of list whose key is value; NULL if there is none. */
json_t *view_find(const json_t *list, const char *key, const char *value);
json_t *view_field(const json_t *entity, const char *name);
json_t *view_first_field(const json_t *entity, const char *kind);
bool view_field_is(const json_t *field, const char *name);
bool view_has(const json_t *object, const char *key); /* a list that is not empty */

/* New references. named: the entities of the plan with their names added. */
json_t *decorate_field(const json_t *source, const json_t *named, struct arena *arena);
/* The sample value of a decorated field as JSON text, or NULL. */
char *view_sample(const json_t *field, struct arena *arena);
/* The rules by kind. The fields of all entities are decorated. */
json_t *decorate_rules(const json_t *entity, const json_t *entities, struct arena *arena);
/* The name of the type that an entity of the plan becomes in the generated code. */
char *view_type_name(const json_t *source, struct arena *arena);
/* All entities, decorated but not numbered. */
json_t *decorate_entities(const json_t *plan, struct arena *arena);
json_t *decorate_page(const json_t *source, const json_t *entities, struct arena *arena); /* a view of the plan */

#endif
