/* answers: what the questions are answered with: a file, the person at the terminal, the defaults. */
#ifndef CLI_ANSWERS_H
#define CLI_ANSWERS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

/* Prints every question with the answer taken. file (may be NULL) wins, then the person if asks, then the default.
 * *answers: [{"questionId", "answer"}] in the arena. */
MUST_CHECK int answers_take(const json_t *questions, const char *file, bool asks, struct arena *arena, json_t **answers,
                            struct err *err);

#endif
