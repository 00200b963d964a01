/* name: what an app is called that was only described. */
#ifndef CLI_NAME_H
#define CLI_NAME_H

#include "base/arena.h"

/* "A help desk where customers open tickets" gives "Help desk". "App" where the description begins with nothing of the
 * kind. */
const char *name_of_description(struct arena *arena, const char *description);

#endif
