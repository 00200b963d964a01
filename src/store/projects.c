/* projects: rows of project, and the search in their words. */
#include "store/projects.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/rows.h"

enum { SEARCH_WORDS_MAX = 32 };

#define PROJECT_COLUMNS                                                                                                \
    "id, account_id, name, description, state, questions_json, answers_json, feedback_json, spec_version,"             \
    " created_ms, updated_ms, settings_json"

static int read_project(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct project *project = row;
    db_copy(stmt, 0, project->id, sizeof(project->id));
    db_copy(stmt, 1, project->account_id, sizeof(project->account_id));
    project->name = db_text(stmt, 2, arena);
    project->description = db_text(stmt, 3, arena);
    project->questions_json = db_text(stmt, 5, arena);
    project->answers_json = db_text(stmt, 6, arena);
    project->feedback_json = db_text(stmt, 7, arena);
    project->spec_version = db_int(stmt, 8);
    project->created_ms = db_int(stmt, 9);
    project->updated_ms = db_int(stmt, 10);
    project->settings_json = db_text(stmt, 11, arena);
    return row_enum(project_state, stmt, 4, &project->state, err);
}

int store_project_insert(struct db *db, const struct project *project, struct err *err) {
    int result = db_run(db, NULL, err,
                        "INSERT INTO project (" PROJECT_COLUMNS ")"
                        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                        "ttttttttiiit", project->id, project->account_id, project->name, project->description,
                        project_state_name(project->state), project->questions_json, project->answers_json,
                        project->feedback_json, project->spec_version, project->created_ms, project->updated_ms,
                        project->settings_json);
    return rows_named(result, err, "store project %s", project->id);
}

int store_project_get(struct db *db, struct arena *arena, const char *id, const char *account_id, struct project **out,
                      struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT " PROJECT_COLUMNS " FROM project"
                          " WHERE id = $1 AND (CAST($2 AS TEXT) IS NULL OR account_id = $2)",
                          "tt", id, account_id);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_project, (void **)out, err);
    return rows_named(result, err, "read project %s", id);
}

/* The list. $1 account, $2 state; $3 limit, $4 offset, $5 the id it is below and then the search, or in the counts $3
 * the search. The page's ids are found first, so that texts and latest runs are read for the page alone. */
#define PAGE(ids)                                                                                                      \
    "SELECT p.id, p.name, p.description, p.state, p.created_ms, p.updated_ms, r.id, r.number, r.state"                 \
    " FROM (" ids " AND p.id < $5 ORDER BY p.id DESC LIMIT $3 OFFSET $4) page"                                         \
    " JOIN project p ON p.id = page.id"                                                                                \
    " LEFT JOIN run r ON r.project_id = p.id"                                                                          \
    " AND r.number = (SELECT MAX(number) FROM run WHERE project_id = p.id)"                                            \
    " ORDER BY p.id DESC"
#define PLAIN_PAGE(comparison) PAGE("SELECT p.id FROM project p WHERE p.account_id = $1 AND p.state " comparison " $2")
#define PLAIN_TOTAL(comparison)                                                                                        \
    "SELECT COALESCE(SUM(total), 0) FROM project_total WHERE account_id = $1 AND state " comparison " $2"

/* Full-text search, which no two databases spell alike. It begins with what the words are found in (CROSS JOIN is an
 * order to SQLite), but for a page out of many: that is found sooner by going down the account's projects. */
#define SQLITE_FOUND(comparison, search)                                                                               \
    " FROM project_text t CROSS JOIN project p ON p.number = t.rowid"                                                  \
    " WHERE t.project_text MATCH " search " AND p.account_id = $1 AND p.state " comparison " $2"
#define SQLITE_PAGE_OF_FEW(comparison) PAGE("SELECT p.id" SQLITE_FOUND(comparison, "$6"))
#define SQLITE_PAGE_OF_MANY(comparison)                                                                                \
    PAGE("SELECT p.id FROM project p WHERE p.account_id = $1 AND p.state " comparison " $2"                            \
         " AND p.number IN (SELECT rowid FROM project_text WHERE project_text MATCH $6)")
#define SQLITE_TOTAL(comparison) "SELECT COUNT(*)" SQLITE_FOUND(comparison, "$3")

enum { MANY = 1000 };

struct list_sql {
    const char *total, *page_of_few, *page_of_many;
};

/* By has_state; without a state of its own $2 is 'archived'. */
static const struct list_sql plain_lists[2] = {
    {.total = PLAIN_TOTAL("<>"), .page_of_few = PLAIN_PAGE("<>"), .page_of_many = PLAIN_PAGE("<>")},
    {.total = PLAIN_TOTAL("="), .page_of_few = PLAIN_PAGE("="), .page_of_many = PLAIN_PAGE("=")},
};
static const struct list_sql sqlite_searches[2] = {
    {.total = SQLITE_TOTAL("<>"), .page_of_few = SQLITE_PAGE_OF_FEW("<>"), .page_of_many = SQLITE_PAGE_OF_MANY("<>")},
    {.total = SQLITE_TOTAL("="), .page_of_few = SQLITE_PAGE_OF_FEW("="), .page_of_many = SQLITE_PAGE_OF_MANY("=")},
};

static int read_project_row(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct project_row *item = row;
    struct project *project = &item->project;
    db_copy(stmt, 0, project->id, sizeof(project->id));
    project->name = db_text(stmt, 1, arena);
    project->description = db_text(stmt, 2, arena);
    project->created_ms = db_int(stmt, 4);
    project->updated_ms = db_int(stmt, 5);
    db_copy(stmt, 6, item->latest_run.id, sizeof(item->latest_run.id));
    item->latest_run.number = db_int(stmt, 7);
    item->has_run = item->latest_run.number > 0;
    int result = row_enum(project_state, stmt, 3, &project->state, err);
    if (!result && item->has_run)
        result = row_enum(run_state, stmt, 8, &item->latest_run.state, err);
    return result;
}

static const char blanks[] = " \t\r\n\f\v";

/* Each word between blanks becomes a quoted string with a star: its parts, as the tokenizer of FTS5 sees them, must
 * stand side by side and the last may be the beginning of a word. Quoted, nothing a user types is syntax. Source:
 * sqlite.org/fts5.html, section 3. */
static int put_fts5_query(struct buf *out, const char *search, struct err *err) {
    int words = 0;
    for (const char *at = search + strspn(search, blanks); *at; at += strspn(at, blanks)) {
        size_t len = strcspn(at, blanks);
        if (++words > SEARCH_WORDS_MAX)
            return err_field(err, ERR_VALIDATION, "search", "at most %d words can be searched for", SEARCH_WORDS_MAX);
        buf_putc(out, '"');
        for (size_t i = 0; i < len; i++) {
            if (at[i] == '"')
                buf_putc(out, '"');
            buf_putc(out, at[i]);
        }
        buf_puts(out, "\"* ");
        at += len;
    }
    return 0;
}

static int run_list(struct db *db, struct arena *arena, const struct project_query *query, const struct list_sql *sql,
                    const char *match, struct project_row **rows, size_t *count, int64_t *total, struct err *err) {
    const char *state = project_state_name(query->has_state ? query->state : PROJECT_ARCHIVED);
    const struct page *page = &query->page;
    struct db_stmt *stmt;

    int result = db_query(db, &stmt, err, sql->total, match ? "ttt" : "tt", query->account_id, state, match);
    if (!result)
        result = rows_ints(stmt, total, 1, err);
    if (!result)
        result =
            db_query(db, &stmt, err, *total > MANY ? sql->page_of_many : sql->page_of_few, match ? "ttiitt" : "ttiit",
                     query->account_id, state, page->limit, page->offset, page->below_id, match);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_project_row, (void **)rows, count, err);
    return result;
}

int store_project_list(struct db *db, struct arena *arena, const struct project_query *query, struct project_row **rows,
                       size_t *count, int64_t *total, struct err *err) {
    CLEANUP(buf_release) struct buf match = {0};
    int result = query->search ? put_fts5_query(&match, query->search, err) : 0;
    bool has_words = match.len > 0;
    if (!result)
        result = run_list(db, arena, query, &(has_words ? sqlite_searches : plain_lists)[query->has_state],
                          has_words ? match.data : NULL, rows, count, total, err);
    return rows_named(result, err, "list projects");
}

int store_project_update(struct db *db, const struct project *project, struct err *err) {
    int64_t changes = 0;
    int result =
        db_run(db, &changes, err,
               "UPDATE project SET name = $2, description = $3, updated_ms = $4, settings_json = $5 WHERE id = $1",
               "tttit", project->id, project->name, project->description, project->updated_ms, project->settings_json);
    if (!result)
        result = rows_touched(changes, "project", project->id, err);
    return rows_named(result, err, "update project %s", project->id);
}

int store_project_move(struct db *db, const char *id, enum project_state from, enum project_state to, int64_t now_ms,
                       bool *moved, struct err *err) {
    int64_t changes = 0;
    int result =
        db_run(db, &changes, err, "UPDATE project SET state = $3, updated_ms = $4 WHERE id = $1 AND state = $2", "ttti",
               id, project_state_name(from), project_state_name(to), now_ms);
    if (!result)
        *moved = changes > 0;
    return rows_named(result, err, "move project %s to %s", id, project_state_name(to));
}

int store_project_set_planning(struct db *db, const struct project *project, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err,
                        "UPDATE project SET questions_json = $2, answers_json = $3, feedback_json = $4,"
                        " spec_version = $5, updated_ms = $6 WHERE id = $1",
                        "ttttii", project->id, project->questions_json, project->answers_json, project->feedback_json,
                        project->spec_version, project->updated_ms);
    if (!result)
        result = rows_touched(changes, "project", project->id, err);
    return rows_named(result, err, "update the planning of project %s", project->id);
}
