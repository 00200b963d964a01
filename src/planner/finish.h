/* finish: the steps of making a draft whole, apart by what they look at. */
#ifndef PLANNER_FINISH_H
#define PLANNER_FINISH_H

#include "planner/draft.h"

/* Drops rules that name what is not there. Entities are still named by their keys. */
void finish_rules(struct draft *draft, json_t *entity);
/* Views, cards and recent lists: drops what names what is not there, and names entities by their slugs. */
void finish_views(struct draft *draft);
/* Leaves in where.in only values that the field has; false if none is left. */
bool finish_where(const json_t *entity, json_t *object);

#endif
