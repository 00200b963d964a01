/* migrations: an append-only array of steps per dialect. A step that was ever released is never changed. */
#include "store/migrations.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/rows.h"

/* Times are milliseconds since 1970, 0 for "not yet"; flags are 0 or 1. A text is NULL where the struct has NULL, and a
 * reference is NULL where the struct has "". */
static const char sqlite_accounts[] = "CREATE TABLE account ("
                                      "  id TEXT NOT NULL PRIMARY KEY,"
                                      "  name TEXT NOT NULL,"
                                      "  tier TEXT NOT NULL CHECK (tier IN ('free', 'pro', 'enterprise')),"
                                      "  created_ms BIGINT NOT NULL);"
                                      "CREATE TABLE api_key ("
                                      "  id TEXT NOT NULL PRIMARY KEY,"
                                      "  account_id TEXT NOT NULL REFERENCES account (id),"
                                      "  name TEXT NOT NULL,"
                                      "  role TEXT NOT NULL CHECK (role IN ('member', 'admin')),"
                                      "  hash TEXT NOT NULL UNIQUE,"
                                      "  hint TEXT NOT NULL,"
                                      "  created_ms BIGINT NOT NULL,"
                                      "  last_used_ms BIGINT NOT NULL,"
                                      "  expires_ms BIGINT NOT NULL,"
                                      "  revoked_ms BIGINT NOT NULL);"
                                      "CREATE INDEX api_key_account ON api_key (account_id, id);";

/* number is what project_text knows a project by: an explicit INTEGER PRIMARY KEY is the only row number that VACUUM
 * leaves as it is. */
static const char sqlite_projects[] =
    "CREATE TABLE project ("
    "  number INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE,"
    "  account_id TEXT NOT NULL REFERENCES account (id),"
    "  name TEXT NOT NULL,"
    "  description TEXT NOT NULL,"
    "  state TEXT NOT NULL CHECK (state IN ('draft', 'clarifying', 'spec_review', 'approved', 'building', 'built',"
    "                                       'failed', 'archived')),"
    "  spec_version BIGINT NOT NULL,"
    "  created_ms BIGINT NOT NULL,"
    "  updated_ms BIGINT NOT NULL,"
    "  questions_json TEXT,"
    "  answers_json TEXT,"
    "  feedback_json TEXT);"
    "CREATE INDEX project_account ON project (account_id, id, state);"
    "CREATE INDEX project_account_state ON project (account_id, state, id);"
    "CREATE TABLE spec ("
    "  project_id TEXT NOT NULL REFERENCES project (id),"
    "  version BIGINT NOT NULL CHECK (version > 0),"
    "  approved_ms BIGINT NOT NULL,"
    "  created_ms BIGINT NOT NULL,"
    "  documents_json TEXT NOT NULL,"
    "  plan_json TEXT NOT NULL,"
    "  open_points_json TEXT,"
    "  PRIMARY KEY (project_id, version));";

/* How many projects an account has in each state, so that a list's total costs no walk over all of them. */
static const char sqlite_project_totals[] =
    "CREATE TABLE project_total ("
    "  account_id TEXT NOT NULL REFERENCES account (id),"
    "  state TEXT NOT NULL,"
    "  total BIGINT NOT NULL CHECK (total >= 0),"
    "  PRIMARY KEY (account_id, state)) WITHOUT ROWID;"
    "CREATE TRIGGER project_total_insert AFTER INSERT ON project BEGIN"
    "  INSERT INTO project_total (account_id, state, total) VALUES (new.account_id, new.state, 1)"
    "  ON CONFLICT (account_id, state) DO UPDATE SET total = total + 1;"
    "END;"
    "CREATE TRIGGER project_total_delete AFTER DELETE ON project BEGIN"
    "  UPDATE project_total SET total = total - 1 WHERE account_id = old.account_id AND state = old.state;"
    "END;"
    "CREATE TRIGGER project_total_update AFTER UPDATE OF account_id, state ON project BEGIN"
    "  UPDATE project_total SET total = total - 1 WHERE account_id = old.account_id AND state = old.state;"
    "  INSERT INTO project_total (account_id, state, total) VALUES (new.account_id, new.state, 1)"
    "  ON CONFLICT (account_id, state) DO UPDATE SET total = total + 1;"
    "END;";

static const char sqlite_search[] =
    "CREATE VIRTUAL TABLE project_text USING fts5 (name, description, content='project', content_rowid='number',"
    "  columnsize=0, prefix='2 3', tokenize='unicode61 remove_diacritics 2');"
    "CREATE TRIGGER project_text_insert AFTER INSERT ON project BEGIN"
    "  INSERT INTO project_text (rowid, name, description) VALUES (new.number, new.name, new.description);"
    "END;"
    "CREATE TRIGGER project_text_delete AFTER DELETE ON project BEGIN"
    "  INSERT INTO project_text (project_text, rowid, name, description)"
    "  VALUES ('delete', old.number, old.name, old.description);"
    "END;"
    "CREATE TRIGGER project_text_update AFTER UPDATE OF name, description ON project BEGIN"
    "  INSERT INTO project_text (project_text, rowid, name, description)"
    "  VALUES ('delete', old.number, old.name, old.description);"
    "  INSERT INTO project_text (rowid, name, description) VALUES (new.number, new.name, new.description);"
    "END;";

/* run_unfinished is the rule that a project has at most one run at a time. */
static const char sqlite_runs[] =
    "CREATE TABLE run ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  project_id TEXT NOT NULL REFERENCES project (id),"
    "  number BIGINT NOT NULL CHECK (number > 0),"
    "  state TEXT NOT NULL CHECK (state IN ('queued', 'decomposing', 'executing', 'verifying', 'succeeded', 'failed',"
    "                                       'cancelled')),"
    "  \"trigger\" TEXT NOT NULL,"
    "  spec_version BIGINT NOT NULL,"
    "  is_cancel_requested BIGINT NOT NULL CHECK (is_cancel_requested IN (0, 1)),"
    "  base_sha TEXT NOT NULL,"
    "  head_sha TEXT NOT NULL,"
    "  created_ms BIGINT NOT NULL,"
    "  started_ms BIGINT NOT NULL,"
    "  completed_ms BIGINT NOT NULL,"
    "  error TEXT,"
    "  tasks_json TEXT,"
    "  verification_json TEXT,"
    "  UNIQUE (project_id, number));"
    "CREATE UNIQUE INDEX run_unfinished ON run (project_id) WHERE state NOT IN ('succeeded', 'failed', 'cancelled');"
    "CREATE INDEX run_unfinished_id ON run (id) WHERE state NOT IN ('succeeded', 'failed', 'cancelled');"
    "CREATE INDEX run_project_state ON run (project_id, state, number);"
    "CREATE TABLE task ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  run_id TEXT NOT NULL REFERENCES run (id),"
    "  project_id TEXT NOT NULL REFERENCES project (id),"
    "  sequence BIGINT NOT NULL CHECK (sequence > 0),"
    "  slug TEXT NOT NULL,"
    "  state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'succeeded', 'failed', 'cancelled', 'skipped')),"
    "  branch TEXT NOT NULL,"
    "  attempts BIGINT NOT NULL,"
    "  base_sha TEXT NOT NULL,"
    "  commit_sha TEXT NOT NULL,"
    "  merge_sha TEXT NOT NULL,"
    "  started_ms BIGINT NOT NULL,"
    "  completed_ms BIGINT NOT NULL,"
    "  error TEXT,"
    "  definition_json TEXT NOT NULL,"
    "  result_json TEXT,"
    "  UNIQUE (run_id, sequence));"
    "CREATE INDEX task_run_state ON task (run_id, state);"
    /* Kept in the order in which cursors read it. */
    "CREATE TABLE event ("
    "  run_id TEXT NOT NULL REFERENCES run (id),"
    "  sequence BIGINT NOT NULL CHECK (sequence > 0),"
    "  id TEXT NOT NULL,"
    "  project_id TEXT NOT NULL,"
    "  task_id TEXT,"
    "  type TEXT NOT NULL,"
    "  created_ms BIGINT NOT NULL,"
    "  payload_json TEXT NOT NULL,"
    "  PRIMARY KEY (run_id, sequence)) WITHOUT ROWID;";

/* The two partial indexes are the rule of exclusive keys: one pending, one claimed. */
static const char sqlite_jobs[] =
    "CREATE TABLE job ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  kind TEXT NOT NULL,"
    "  state TEXT NOT NULL CHECK (state IN ('pending', 'claimed', 'dead')),"
    "  project_id TEXT REFERENCES project (id),"
    "  run_id TEXT REFERENCES run (id),"
    "  subject_id TEXT,"
    "  exclusive_key TEXT NOT NULL,"
    "  run_after_ms BIGINT NOT NULL,"
    "  attempts BIGINT NOT NULL,"
    "  interruptions BIGINT NOT NULL,"
    "  max_attempts BIGINT NOT NULL,"
    "  worker TEXT,"
    "  token BIGINT NOT NULL,"
    "  lease_expires_ms BIGINT NOT NULL,"
    "  created_ms BIGINT NOT NULL,"
    "  payload_json TEXT,"
    "  last_error TEXT);"
    "CREATE INDEX job_due ON job (state, run_after_ms, id);"
    "CREATE INDEX job_run ON job (run_id, state);"
    "CREATE UNIQUE INDEX job_exclusive_pending ON job (exclusive_key) WHERE state = 'pending' AND exclusive_key <> '';"
    "CREATE UNIQUE INDEX job_exclusive_claimed ON job (exclusive_key) WHERE state = 'claimed' AND exclusive_key <> '';";

static const char sqlite_deliveries[] =
    "CREATE TABLE export ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  project_id TEXT NOT NULL REFERENCES project (id),"
    "  run_id TEXT NOT NULL REFERENCES run (id),"
    "  run_number BIGINT NOT NULL,"
    "  format TEXT NOT NULL,"
    "  state TEXT NOT NULL CHECK (state IN ('processing', 'completed', 'failed', 'expired')),"
    "  commit_sha TEXT NOT NULL,"
    "  sha256 TEXT NOT NULL,"
    "  size_bytes BIGINT NOT NULL,"
    "  error TEXT,"
    "  created_ms BIGINT NOT NULL,"
    "  completed_ms BIGINT NOT NULL,"
    "  expires_ms BIGINT NOT NULL);"
    "CREATE INDEX export_due ON export (state, expires_ms);"
    "CREATE TABLE deployment ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  project_id TEXT NOT NULL REFERENCES project (id),"
    "  run_id TEXT NOT NULL REFERENCES run (id),"
    "  provider TEXT NOT NULL,"
    "  state TEXT NOT NULL CHECK (state IN ('deploying', 'live', 'failed', 'stopped')),"
    "  commit_sha TEXT NOT NULL,"
    "  url TEXT,"
    "  error TEXT,"
    "  port BIGINT NOT NULL,"
    "  created_ms BIGINT NOT NULL,"
    "  updated_ms BIGINT NOT NULL);"
    "CREATE INDEX deployment_state ON deployment (state, id);"
    "CREATE INDEX deployment_project ON deployment (project_id, state, id);";

/* ---- Schema 2. ---- */

/* "user" is a keyword of PostgreSQL. A session is known by the hash of its token, as a key is. */
static const char sqlite_users[] = "CREATE TABLE account_user ("
                                   "  id TEXT NOT NULL PRIMARY KEY,"
                                   "  account_id TEXT NOT NULL REFERENCES account (id),"
                                   "  email TEXT NOT NULL UNIQUE," /* lower case */
                                   "  name TEXT NOT NULL,"
                                   "  role TEXT NOT NULL CHECK (role IN ('member', 'admin')),"
                                   "  password_hash TEXT NOT NULL,"
                                   "  created_ms BIGINT NOT NULL,"
                                   "  last_login_ms BIGINT NOT NULL);"
                                   "CREATE INDEX account_user_account ON account_user (account_id, id);"
                                   "CREATE TABLE session ("
                                   "  hash TEXT NOT NULL PRIMARY KEY,"
                                   "  user_id TEXT NOT NULL REFERENCES account_user (id),"
                                   "  created_ms BIGINT NOT NULL,"
                                   "  expires_ms BIGINT NOT NULL);"
                                   "CREATE INDEX session_user ON session (user_id);"
                                   "CREATE INDEX session_due ON session (expires_ms);"
                                   "ALTER TABLE account ADD COLUMN suspended_ms BIGINT NOT NULL DEFAULT 0;";

/* What a POST with an Idempotency-Key did. The row is written in the transaction of the effect; status is 0 until the
 * answer is stored, too. */
static const char sqlite_replays[] = "CREATE TABLE replay ("
                                     "  account_id TEXT NOT NULL REFERENCES account (id),"
                                     "  key_hash TEXT NOT NULL,"
                                     "  fingerprint TEXT NOT NULL,"
                                     "  status BIGINT NOT NULL,"
                                     "  created_ms BIGINT NOT NULL,"
                                     "  body TEXT,"
                                     "  PRIMARY KEY (account_id, key_hash));"
                                     "CREATE INDEX replay_created ON replay (created_ms);";

/* project_id NULL: of all projects of the account. events_json NULL: all. */
static const char sqlite_webhooks[] = "CREATE TABLE webhook ("
                                      "  id TEXT NOT NULL PRIMARY KEY,"
                                      "  account_id TEXT NOT NULL REFERENCES account (id),"
                                      "  project_id TEXT REFERENCES project (id),"
                                      "  url TEXT NOT NULL,"
                                      "  secret TEXT NOT NULL,"
                                      "  is_enabled BIGINT NOT NULL CHECK (is_enabled IN (0, 1)),"
                                      "  created_ms BIGINT NOT NULL,"
                                      "  updated_ms BIGINT NOT NULL,"
                                      "  description TEXT,"
                                      "  events_json TEXT);"
                                      "CREATE INDEX webhook_account ON webhook (account_id, id);"
                                      "CREATE TABLE webhook_delivery ("
                                      "  id TEXT NOT NULL PRIMARY KEY,"
                                      "  webhook_id TEXT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,"
                                      "  type TEXT NOT NULL,"
                                      "  state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),"
                                      "  attempts BIGINT NOT NULL,"
                                      "  next_attempt_ms BIGINT NOT NULL,"
                                      "  response_status BIGINT NOT NULL,"
                                      "  created_ms BIGINT NOT NULL,"
                                      "  completed_ms BIGINT NOT NULL,"
                                      "  payload_json TEXT NOT NULL,"
                                      "  error TEXT);"
                                      "CREATE INDEX webhook_delivery_webhook ON webhook_delivery (webhook_id, id);"
                                      "CREATE INDEX webhook_delivery_due ON webhook_delivery (state, next_attempt_ms);";

/* A run that takes over what an earlier one of the same spec had merged; whether a person wrote a spec's documents. */
static const char sqlite_more[] = "ALTER TABLE run ADD COLUMN resumes_run_id TEXT REFERENCES run (id);"
                                  "ALTER TABLE spec ADD COLUMN is_edited BIGINT NOT NULL DEFAULT 0;"
                                  "CREATE INDEX deployment_of_project ON deployment (project_id, id);"
                                  "CREATE INDEX export_of_project ON export (project_id, id);"
                                  "CREATE INDEX run_queued ON run (state, id) WHERE state = 'queued';";

/* What sending webhooks takes. The first index finds the webhooks that have something pending, and what is due of each;
 * the second what has been kept long enough. */
static const char sqlite_webhook_sending[] =
    "ALTER TABLE webhook ADD COLUMN old_secret TEXT;"
    "ALTER TABLE webhook ADD COLUMN old_secret_until_ms BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE webhook ADD COLUMN disabled_reason TEXT;"
    "ALTER TABLE webhook_delivery ADD COLUMN lease_until_ms BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE webhook_delivery ADD COLUMN last_attempt_ms BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE webhook_delivery ADD COLUMN response_ms BIGINT NOT NULL DEFAULT 0;"
    "CREATE INDEX webhook_delivery_of_state ON webhook_delivery (state, webhook_id, next_attempt_ms);"
    "CREATE INDEX webhook_delivery_ended ON webhook_delivery (completed_ms) WHERE state <> 'pending';";

/* What models cost. usage_total has the sums of the entries by what they were for (an account, a project, a run, a
 * task) over all time (month 0), and an account's by month (202611), so that a limit is checked without walking
 * entries. Limits: -1 for none. */
static const char sqlite_spending[] = "ALTER TABLE account ADD COLUMN limit_cost_micros BIGINT NOT NULL DEFAULT -1;"
                                      "ALTER TABLE account ADD COLUMN limit_tokens BIGINT NOT NULL DEFAULT -1;"
                                      "CREATE TABLE usage_entry ("
                                      "  id TEXT NOT NULL PRIMARY KEY,"
                                      "  account_id TEXT NOT NULL REFERENCES account (id),"
                                      "  project_id TEXT,"
                                      "  run_id TEXT,"
                                      "  task_id TEXT,"
                                      "  purpose TEXT NOT NULL,"
                                      "  provider TEXT NOT NULL,"
                                      "  model TEXT NOT NULL,"
                                      "  input_tokens BIGINT NOT NULL CHECK (input_tokens >= 0),"
                                      "  cached_tokens BIGINT NOT NULL CHECK (cached_tokens >= 0),"
                                      "  cache_write_tokens BIGINT NOT NULL CHECK (cache_write_tokens >= 0),"
                                      "  output_tokens BIGINT NOT NULL CHECK (output_tokens >= 0),"
                                      "  cost_micros BIGINT NOT NULL CHECK (cost_micros >= 0),"
                                      "  is_priced BIGINT NOT NULL CHECK (is_priced IN (0, 1)),"
                                      "  created_ms BIGINT NOT NULL);"
                                      "CREATE INDEX usage_entry_account ON usage_entry (account_id, created_ms);"
                                      "CREATE INDEX usage_entry_project ON usage_entry (project_id, created_ms);"
                                      "CREATE INDEX usage_entry_run ON usage_entry (run_id, created_ms);"
                                      "CREATE TABLE usage_total ("
                                      "  subject_id TEXT NOT NULL,"
                                      "  month BIGINT NOT NULL,"
                                      "  calls BIGINT NOT NULL,"
                                      "  unpriced_calls BIGINT NOT NULL,"
                                      "  input_tokens BIGINT NOT NULL,"
                                      "  cached_tokens BIGINT NOT NULL,"
                                      "  cache_write_tokens BIGINT NOT NULL,"
                                      "  output_tokens BIGINT NOT NULL,"
                                      "  cost_micros BIGINT NOT NULL,"
                                      "  PRIMARY KEY (subject_id, month)) WITHOUT ROWID;"
                                      "CREATE INDEX usage_total_month ON usage_total (month) WHERE month > 0;"
                                      "CREATE TABLE usage_reservation ("
                                      "  id TEXT NOT NULL PRIMARY KEY,"
                                      "  account_id TEXT NOT NULL REFERENCES account (id),"
                                      "  run_id TEXT,"
                                      "  job_id TEXT,"
                                      "  job_token BIGINT NOT NULL,"
                                      "  cost_micros BIGINT NOT NULL CHECK (cost_micros >= 0),"
                                      "  tokens BIGINT NOT NULL CHECK (tokens >= 0),"
                                      "  created_ms BIGINT NOT NULL,"
                                      "  expires_ms BIGINT NOT NULL);"
                                      "CREATE INDEX usage_reservation_account ON usage_reservation (account_id);"
                                      "CREATE INDEX usage_reservation_run ON usage_reservation (run_id);";

/* A run may wait, have limits, and try its tasks more than once. SQLite cannot change a CHECK: the table is made anew,
 * under its own name, so that what refers to it stays. The references are looked at when all rows are back. */
static const char sqlite_waiting[] =
    "PRAGMA defer_foreign_keys=ON;"
    "CREATE TEMPORARY TABLE run_before AS SELECT * FROM run;"
    "DROP TABLE run;"
    "CREATE TABLE run ("
    "  id TEXT NOT NULL PRIMARY KEY,"
    "  project_id TEXT NOT NULL REFERENCES project (id),"
    "  number BIGINT NOT NULL CHECK (number > 0),"
    "  state TEXT NOT NULL CHECK (state IN ('queued', 'decomposing', 'executing', 'verifying', 'waiting', 'succeeded',"
    "                                       'failed', 'cancelled')),"
    "  \"trigger\" TEXT NOT NULL,"
    "  spec_version BIGINT NOT NULL,"
    "  is_cancel_requested BIGINT NOT NULL CHECK (is_cancel_requested IN (0, 1)),"
    "  base_sha TEXT NOT NULL,"
    "  head_sha TEXT NOT NULL,"
    "  created_ms BIGINT NOT NULL,"
    "  started_ms BIGINT NOT NULL,"
    "  completed_ms BIGINT NOT NULL,"
    "  error TEXT,"
    "  tasks_json TEXT,"
    "  verification_json TEXT,"
    "  resumes_run_id TEXT REFERENCES run (id),"
    "  limit_cost_micros BIGINT NOT NULL DEFAULT -1,"
    "  limit_tokens BIGINT NOT NULL DEFAULT -1,"
    "  max_attempts BIGINT NOT NULL DEFAULT 3,"
    "  resumes_ms BIGINT NOT NULL DEFAULT 0,"
    "  waits_from TEXT,"   /* the state it waits in, and goes back to */
    "  waiting_json TEXT," /* why it waits */
    "  UNIQUE (project_id, number));"
    "INSERT INTO run (id, project_id, number, state, \"trigger\", spec_version, is_cancel_requested, base_sha, "
    "head_sha,"
    "  created_ms, started_ms, completed_ms, error, tasks_json, verification_json, resumes_run_id)"
    " SELECT id, project_id, number, state, \"trigger\", spec_version, is_cancel_requested, base_sha, head_sha,"
    "  created_ms, started_ms, completed_ms, error, tasks_json, verification_json, resumes_run_id FROM run_before;"
    "DROP TABLE run_before;"
    "CREATE UNIQUE INDEX run_unfinished ON run (project_id) WHERE state NOT IN ('succeeded', 'failed', 'cancelled');"
    "CREATE INDEX run_unfinished_id ON run (id) WHERE state NOT IN ('succeeded', 'failed', 'cancelled');"
    "CREATE INDEX run_project_state ON run (project_id, state, number);"
    "CREATE INDEX run_queued ON run (state, id) WHERE state = 'queued';"
    "CREATE TABLE task_attempt ("
    "  task_id TEXT NOT NULL REFERENCES task (id),"
    "  number BIGINT NOT NULL CHECK (number > 0),"
    "  state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'rejected', 'interrupted')),"
    "  agent TEXT NOT NULL,"
    "  base_sha TEXT NOT NULL,"
    "  commit_sha TEXT NOT NULL,"
    "  started_ms BIGINT NOT NULL,"
    "  completed_ms BIGINT NOT NULL,"
    "  error TEXT,"
    "  feedback TEXT," /* what the next attempt is told */
    "  PRIMARY KEY (task_id, number)) WITHOUT ROWID;";

/* What accounts and projects gave us to use for them, sealed: see store/secrets.h. project_id NULL: of the account. */
static const char sqlite_secrets[] =
    "CREATE TABLE secret ("
    "  account_id TEXT NOT NULL REFERENCES account (id),"
    "  project_id TEXT REFERENCES project (id),"
    "  name TEXT NOT NULL,"
    "  sealed TEXT NOT NULL,"
    "  created_ms BIGINT NOT NULL,"
    "  updated_ms BIGINT NOT NULL);"
    "CREATE UNIQUE INDEX secret_place ON secret (account_id, COALESCE(project_id, ''), name);";

/* Who plans and who carries out, where it is not as the server has it. */
static const char sqlite_settings[] = "ALTER TABLE project ADD COLUMN settings_json TEXT;"
                                      "ALTER TABLE run ADD COLUMN settings_json TEXT;";

enum { SCRIPTS_MAX = 12 };

/* The step at index i leads to schema i + 1. */
struct migration {
    const char *what;
    const char *scripts[SCRIPTS_MAX]; /* ended by NULL */
};

static const struct migration sqlite_migrations[] = {
    {.what = "the tables",
     .scripts = {sqlite_accounts, sqlite_projects, sqlite_project_totals, sqlite_search, sqlite_runs, sqlite_jobs,
                 sqlite_deliveries}},
    {.what = "users, sessions, replays, webhooks",
     .scripts = {sqlite_users, sqlite_replays, sqlite_webhooks, sqlite_more, sqlite_webhook_sending, sqlite_spending,
                 sqlite_waiting, sqlite_secrets, sqlite_settings}},
};

struct migration_list {
    const struct migration *steps;
    int count;
    /* One row when the database has no schema_version yet and yet holds tables: it is somebody else's. */
    const char *foreign_sql;
};

static struct migration_list list_of(enum db_dialect dialect) {
    switch (dialect) {
    case DB_SQLITE:
        return (struct migration_list){.steps = sqlite_migrations,
                                       .count = (int)ARRAY_LEN(sqlite_migrations),
                                       .foreign_sql =
                                           "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND NOT EXISTS"
                                           " (SELECT 1 FROM sqlite_master WHERE name = 'schema_version')"};
    case DB_POSTGRES:
        break;
    }
    return (struct migration_list){0};
}

int migrations_newest(enum db_dialect dialect) {
    return list_of(dialect).count;
}

static int one_int(struct db *db, const char *sql, int64_t *out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, sql, "");
    return result ? result : rows_ints(stmt, out, 1, err);
}

static int refuse_foreign(struct db *db, const struct migration_list *list, struct err *err) {
    int64_t tables = 0;
    int result = one_int(db, list->foreign_sql, &tables, err);
    if (!result && tables > 0)
        result = err_set(err, ERR_UNAVAILABLE, "the database belongs to another program: it has tables, none of ours");
    return result;
}

static int current_version(struct db *db, const struct migration_list *list, int64_t *version, struct err *err) {
    int result = one_int(db, "SELECT COALESCE(MAX(version), 0) FROM schema_version", version, err);
    if (!result && *version > list->count)
        result = err_set(err, ERR_UNAVAILABLE,
                         "the database has schema %lld, and this version knows only up to %d: use a newer one",
                         (long long)*version, list->count);
    return result;
}

static int apply(struct db *db, const struct migration *step, int64_t version, struct err *err) {
    int result = 0;
    for (size_t i = 0; !result && i < SCRIPTS_MAX && step->scripts[i]; i++)
        result = db->driver->execute(db, step->scripts[i], err);
    if (!result)
        result = db_run(db, NULL, err, "INSERT INTO schema_version (version, applied_ms) VALUES ($1, $2)", "ii",
                        version, clock_now_ms());
    return rows_named(result, err, "migrate to schema %lld (%s)", (long long)version, step->what);
}

/* One step in its transaction; *is_newest when there was none left. The version is read inside, since another process
 * may have migrated meanwhile. */
static int step_on(struct db *db, const struct migration_list *list, int version_to, bool *is_newest, struct err *err) {
    int64_t version = 0;
    int result = db_run(db, NULL, err, db->driver->begin_write, "");
    if (result)
        return result;
    result = current_version(db, list, &version, err);
    *is_newest = version >= version_to;
    if (!result && !*is_newest)
        result = apply(db, &list->steps[version], version + 1, err);
    if (!result)
        result = db_run(db, NULL, err, "COMMIT", "");
    if (result)
        (void)db->driver->execute(db, "ROLLBACK", NULL);
    return result;
}

int migrations_run(struct db *db, struct err *err) {
    return migrations_run_to(db, migrations_newest(db->driver->dialect), err);
}

int migrations_run_to(struct db *db, int version, struct err *err) {
    struct migration_list list = list_of(db->driver->dialect);
    bool is_newest = false;

    if (list.count == 0)
        return err_set(err, ERR_INTERNAL, "there is no schema for %s", db->driver->name);
    int result = refuse_foreign(db, &list, err);
    if (!result)
        result = db->driver->execute(db,
                                     "CREATE TABLE IF NOT EXISTS schema_version ("
                                     "  version BIGINT NOT NULL PRIMARY KEY,"
                                     "  applied_ms BIGINT NOT NULL)",
                                     err);
    while (!result && !is_newest)
        result = step_on(db, &list, version, &is_newest, err);
    return result;
}
