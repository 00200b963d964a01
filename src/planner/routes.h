/* routes: every page and API call of a plan's app. */
#ifndef PLANNER_ROUTES_H
#define PLANNER_ROUTES_H

#include "planner/draft.h"

/* Whether the app itself has this path or table. */
bool is_reserved_slug(const char *slug);
/* Fills plan.routes by the conventions of docs/blueprints.md. */
void plan_add_routes(struct draft *draft, json_t *plan);

#endif
