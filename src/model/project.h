/* project: an app and the way from its description to an approved spec. */
#ifndef MODEL_PROJECT_H
#define MODEL_PROJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "model/states.h"

#define PROJECT_NAME_MAX 200          /* code points */
#define PROJECT_DESCRIPTION_MAX 20000 /* code points */
#define SPEC_DOCUMENT_MAX 200000      /* code points */

/* Strings live in the arena of whoever loaded it. Members named …_json hold JSON text, or NULL. */
struct project {
    char id[ID_LEN];
    char account_id[ID_LEN];
    const char *name;
    const char *description;
    enum project_state state;
    const char *questions_json; /* array, as clarify answered */
    const char *answers_json;   /* array of {questionId, answer} */
    const char *feedback_json;  /* array of texts, oldest first */
    const char *settings_json;  /* who plans and who carries out: {"planner", "agents": [{"kind", "model"}], "model":
                                   {"provider", "name", "url", "hasKey"}}, each only if it is set; or NULL */
    int64_t spec_version;       /* 0: none yet */
    int64_t created_ms, updated_ms;
};

/* One version of the documents; never changed once written, but for its approval. */
struct spec {
    char project_id[ID_LEN];
    int64_t version;              /* from 1 */
    const char *documents_json;   /* {"SPEC.md": "…", "ACCEPTANCE.md": "…", "ROUTES.md": "…", "DATA.md": "…"} */
    const char *plan_json;        /* docs/blueprints.md, "The plan" */
    const char *open_points_json; /* array of texts */
    bool is_edited;               /* a person wrote the documents */
    int64_t approved_ms;          /* 0: not approved */
    int64_t created_ms;
};

#endif
