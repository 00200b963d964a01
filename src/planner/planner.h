/* planner: from a description to questions, a plan with documents, and tasks. Pure: same input, same output; no I/O. */
#ifndef PLANNER_PLANNER_H
#define PLANNER_PLANNER_H

#include <jansson.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "blueprint/blueprint.h"

struct planner;
/* Keeps pointers to the three; they must outlive it. Shared by all threads. */
MUST_CHECK int planner_create(struct planner **out, const struct assets *assets, const struct catalog *catalog,
                              const struct stack *stack, struct err *err);
void planner_destroy(struct planner *planner);

struct planner_input {
    const char *name;
    const char *description;
    const json_t *questions;     /* what clarify gave, or NULL */
    const json_t *answers;       /* [{"questionId", "answer"}], or NULL */
    const char *const *feedback; /* oldest first */
    size_t feedback_count;
};

/* 3 to 7 questions as in the contract. ERR_VALIDATION field "description" when it is too thin to plan from; the message
 * says what is missing. */
MUST_CHECK int planner_questions(const struct planner *planner, const struct planner_input *input, struct arena *arena,
                                 json_t **questions, struct err *err);

/* Checks answers against questions: unknown ids, doubles, types, options, lengths. Unanswered questions take their
 * default. ERR_VALIDATION names the field ("answers[1].answer"). */
MUST_CHECK int planner_check_answers(const json_t *questions, const json_t *answers, struct err *err);

struct planner_spec {
    json_t *documents;   /* {"SPEC.md": "…", "ACCEPTANCE.md": …, "ROUTES.md": …, "DATA.md": …}, in this order */
    json_t *plan;        /* docs/blueprints.md, "The plan" */
    json_t *open_points; /* texts: what of the feedback or description was not understood */
};
MUST_CHECK int planner_spec(const struct planner *planner, const struct planner_input *input, struct arena *arena,
                            struct planner_spec *out, struct err *err);

/* A person's change of the documents. */
struct planner_edit {
    const struct planner_input *input; /* what the version that is changed was made from; name and description are
                                          taken from its plan */
    const json_t *plan;                /* of that version */
    const json_t *before, *after;      /* all four documents */
};
/* The plan that follows what is understood of the change (docs/blueprints.md, "Edited documents"). out->documents are
 * the given ones; open_points says what the plan does not follow. *feedback: texts, what input->feedback is from now
 * on. ERR_VALIDATION names "documents.X". */
MUST_CHECK int planner_edit(const struct planner *planner, const struct planner_edit *edit, struct arena *arena,
                            struct planner_spec *out, json_t **feedback, struct err *err);

/* 5 to 15 tasks: {"tasks": [definition…], "mergeOrder": ["task-001", …]}. A definition has id, slug, description,
 * instructions, dependencies (ids), pathScope (globs), expectedOutputs (paths), criteria (ids of ACCEPTANCE.md), parts.
 * Tasks neither of which depends on the other, directly or not, have scopes that cannot overlap: checked with
 * glob_overlap before it returns (a fault of ours: ERR_INTERNAL). base_paths: files on main now; those that no part of
 * this plan renders are retired by a task of their own ("retire", part "retire", expectedOutputs empty, pathScope just
 * those paths). */
MUST_CHECK int planner_decompose(const struct planner *planner, const json_t *plan, const char *const *base_paths,
                                 size_t base_path_count, struct arena *arena, json_t **tasks, struct err *err);
/* The same checks for any source's tasks: slugs, acyclic, order, scopes, criteria all covered. */
MUST_CHECK int planner_check_tasks(const json_t *tasks, const json_t *plan, struct err *err);

#endif
