/* events: rows of event: dense, append-only, read by cursors. */
#include "store/rows.h"
#include "store/runs.h"

#define EVENT_COLUMNS "run_id, sequence, id, project_id, task_id, type, created_ms, payload_json"

static int read_event(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct event *event = row;
    db_copy(stmt, 0, event->run_id, sizeof(event->run_id));
    event->sequence = db_int(stmt, 1);
    db_copy(stmt, 2, event->id, sizeof(event->id));
    db_copy(stmt, 3, event->project_id, sizeof(event->project_id));
    db_copy(stmt, 4, event->task_id, sizeof(event->task_id));
    event->created_ms = db_int(stmt, 6);
    event->payload_json = db_text(stmt, 7, arena);
    return row_enum(event_type, stmt, 5, &event->type, err);
}

int store_event_append(struct db *db, struct event *event, struct err *err) {
    /* Dense because one transaction at a time writes; and time never goes back within a run, whatever the clock does.
     */
    static const char sql[] =
        "INSERT INTO event (" EVENT_COLUMNS ")"
        " SELECT $1, newest.sequence + 1, $2, $3, $4, $5,"
        " CASE WHEN last.created_ms > $6 THEN last.created_ms ELSE $6 END, $7"
        " FROM (SELECT COALESCE(MAX(sequence), 0) AS sequence FROM event WHERE run_id = $1) newest"
        " LEFT JOIN event last ON last.run_id = $1 AND last.sequence = newest.sequence"
        " RETURNING sequence, created_ms";
    struct db_stmt *stmt;
    int64_t stored[2];

    int result = db_query(db, &stmt, err, sql, "tttstit", event->run_id, event->id, event->project_id, event->task_id,
                          event_type_name(event->type), event->created_ms, event->payload_json);
    if (!result)
        result = rows_ints(stmt, stored, 2, err);
    if (!result) {
        event->sequence = stored[0];
        event->created_ms = stored[1];
    }
    return rows_named(result, err, "append %s to run %s", event_type_name(event->type), event->run_id);
}

int store_event_list(struct db *db, struct arena *arena, const struct event_query *query, struct event **rows,
                     size_t *count, struct err *err) {
    struct db_stmt *stmt;
    const char *type = query->has_type ? event_type_name(query->type) : NULL;
    int result =
        db_query(db, &stmt, err,
                 "SELECT " EVENT_COLUMNS " FROM event WHERE run_id = $1 AND sequence > $2 AND created_ms > $3"
                 " AND (CAST($4 AS TEXT) IS NULL OR type = $4)"
                 " AND (CAST($5 AS TEXT) IS NULL OR task_id = $5)"
                 " ORDER BY sequence LIMIT $6",
                 "tiitti", query->run_id, query->after_sequence, query->after_ms, type, query->task_id, query->limit);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_event, (void **)rows, count, err);
    return rows_named(result, err, "list events of run %s", query->run_id);
}
