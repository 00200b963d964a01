/* projects: rows of project and spec. */
#ifndef STORE_PROJECTS_H
#define STORE_PROJECTS_H

#include "model/project.h"
#include "model/run.h"
#include "store/db.h"
#include "store/page.h"

struct project_query {
    const char *account_id;
    bool has_state;
    enum project_state state; /* without has_state: all but archived */
    const char *search;       /* NULL, or words: each must begin a word in name or description, case-insensitively */
    struct page page;
};

struct project_row {
    struct project project; /* id, name, description, state, times */
    bool has_run;
    struct run latest_run; /* id, number, state */
};

MUST_CHECK int store_project_insert(struct db *db, const struct project *project, struct err *err);
/* *out is NULL when there is none, or when account_id (may be NULL: any) does not own it. */
MUST_CHECK int store_project_get(struct db *db, struct arena *arena, const char *id, const char *account_id,
                                 struct project **out, struct err *err);
/* Newest first (by id). *rows is an arena array; *total counts all pages. ERR_VALIDATION (field "search") beyond 32
 * words. */
MUST_CHECK int store_project_list(struct db *db, struct arena *arena, const struct project_query *query,
                                  struct project_row **rows, size_t *count, int64_t *total, struct err *err);
/* Writes name, description, updated_ms. */
MUST_CHECK int store_project_update(struct db *db, const struct project *project, struct err *err);
/* Compare and set; *moved is false when the row was not in `from`. */
MUST_CHECK int store_project_move(struct db *db, const char *id, enum project_state from, enum project_state to,
                                  int64_t now_ms, bool *moved, struct err *err);
/* Writes questions_json, answers_json, feedback_json, spec_version, updated_ms. */
MUST_CHECK int store_project_set_planning(struct db *db, const struct project *project, struct err *err);

MUST_CHECK int store_spec_insert(struct db *db, const struct spec *spec, struct err *err);
MUST_CHECK int store_spec_get(struct db *db, struct arena *arena, const char *project_id, int64_t version,
                              struct spec **out, struct err *err);
/* Newest first; without documents, plan and open points. */
MUST_CHECK int store_spec_list(struct db *db, struct arena *arena, const char *project_id, const struct page *page,
                               struct spec **rows, size_t *count, int64_t *total, struct err *err);
MUST_CHECK int store_spec_approve(struct db *db, const char *project_id, int64_t version, int64_t now_ms,
                                  struct err *err);

#endif
