/* feature_check: the format of one feature file. Private to blueprint/. */
#ifndef BLUEPRINT_FEATURE_CHECK_H
#define BLUEPRINT_FEATURE_CHECK_H

#include "blueprint/shape.h"

/* docs/blueprints.md, "The feature file". slug: the file's name. */
MUST_CHECK int feature_check(const struct place *place, const json_t *feature, const char *slug);

/* Shared by its parts. */
extern const struct shape feature_entity[], feature_extension[], feature_condition[], feature_card[], feature_role[];
/* What tables cannot say of lists of entities, extensions, views, cards and roles: owner is the feature or an effect's
 * "add". */
MUST_CHECK int feature_check_things(const struct place *place, const json_t *owner);
MUST_CHECK int feature_check_questions(const struct place *place, const json_t *feature);
MUST_CHECK int feature_check_capability(const struct place *place, const char *name);

#endif
