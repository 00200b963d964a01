/* faults: what is wrong with what a model made, as sentences that it can be told. */
#ifndef PLANNER_FAULTS_H
#define PLANNER_FAULTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

#define FAULTS_MAX 20       /* told at once */
#define FAULT_MAX_BYTES 400 /* of one */

struct faults {
    struct arena *arena;
    const char *texts[FAULTS_MAX];
    size_t count; /* of all; no more than FAULTS_MAX have a text */
};

/* place: where it is, "" for the whole. */
void faults_add(struct faults *faults, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* All of them, a line each, beginning with "- ". */
const char *faults_list(const struct faults *faults);
/* The first ones, as one sentence's part. */
const char *faults_brief(const struct faults *faults);

/* Members that must be there. NULL or the fallback after a fault. Lengths are in characters. */
const char *need_text(struct faults *faults, const json_t *object, const char *key, size_t min, size_t max,
                      const char *place);
/* An array with min to max items; absent is empty. NULL after a fault. */
const json_t *need_list(struct faults *faults, const json_t *object, const char *key, size_t min, size_t max,
                        const char *place);

#endif
