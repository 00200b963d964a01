/* channel: what a WebSocket is subscribed to.
 *
 * A project has one run at a time that has not ended, and the last event of a run comes before the next run begins. So
 * a project's channel is a cursor over one run after the other, in the order of their numbers. */
#include "api/channel.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cursor.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/projects.h"
#include "store/runs.h"

#define RUN_CHANNEL "run:"
#define PROJECT_CHANNEL "project:"
#define LOOK_MS 10000 /* as for cursors */

struct channel {
    struct list node;
    struct channel_reader reader; /* without account_id */
    char name[CHANNEL_NAME_LEN];
    bool is_project;
    char id[ID_LEN];          /* of the run or project */
    struct cursor *cursor;    /* NULL: there is no run to be read from now */
    char run_id[ID_LEN];      /* that is read, or was read last; "" before the first of a project */
    int64_t number, sequence; /* of that run, and of its last event that was passed */
    bool is_complete;
    /* Of a project: whether there is another run. */
    struct bus_subscription *subscription;
    atomic_bool is_told;
    int64_t looked_ms; /* 0: look */
};

bool channel_parse(const char *name, char out[CHANNEL_NAME_LEN]) {
    bool is_project = str_starts(name, PROJECT_CHANNEL);
    const char *kind = is_project ? PROJECT_CHANNEL : RUN_CHANNEL;
    char id[ID_LEN];
    out[0] = '\0';
    if (!str_starts(name, kind) || !id_parse(id, name + strlen(kind), is_project ? "proj" : "run"))
        return false;
    snprintf(out, CHANNEL_NAME_LEN, "%s%s", kind, id);
    return true;
}

/* ---- Where to begin. ---- */

static int not_found(const char *what, struct err *err) {
    return err_set(err, ERR_NOT_FOUND, "%s not found", what);
}

static int fault_after(const char *what, struct err *err) {
    return err_field(err, ERR_VALIDATION, "after", "after must be %s", what);
}

static bool is_sequence(const json_t *value) {
    return json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= INT32_MAX;
}

/* The reader has had the events up to this one of this run. */
static void stand_behind(struct channel *channel, const struct run *run, int64_t sequence) {
    bool is_over = run_state_is_terminal(run->state) && sequence >= run->event_count;
    str_copy(channel->run_id, sizeof channel->run_id, run->id);
    channel->number = run->number;
    channel->sequence = sequence;
    channel->is_complete = is_over && !channel->is_project;
    if (!is_over)
        channel->cursor = cursor_open(channel->reader.feeds, channel->reader.bus, run->id, sequence,
                                      channel->reader.wake, channel->reader.arg);
}

static int find_project(struct db *db, const char *account_id, const char *id, struct arena *arena, bool *is_there,
                        struct err *err) {
    struct project *project = NULL;
    int rc = store_project_get(db, arena, id, account_id, &project, err);
    *is_there = project != NULL;
    return rc;
}

static int begin_run(struct channel *channel, struct db *db, const char *account_id, const json_t *after,
                     struct arena *arena, struct err *err) {
    struct run *run = NULL;
    bool is_mine = false;
    if (after && !is_sequence(after))
        return fault_after("the sequence of an event, or 0", err);
    int rc = store_run_get(db, arena, channel->id, NULL, &run, err);
    if (rc == 0 && run)
        rc = find_project(db, account_id, run->project_id, arena, &is_mine, err);
    if (rc < 0)
        return rc;
    if (!run || !is_mine)
        return not_found("Run", err);
    stand_behind(channel, run, after ? json_integer_value(after) : 0);
    return 0;
}

/* The run and the sequence that after names; "" and 0 for none. */
static int read_position(const json_t *after, char run_id[ID_LEN], int64_t *sequence, struct err *err) {
    static const char form[] =
        "an object with one run and a sequence, such as {\"run_01m85s7q1wf7g9vqk2c6w1r3hd\": 42}";
    const char *name;
    json_t *value;
    run_id[0] = '\0';
    *sequence = 0;
    if (!json_is_object(after) || json_object_size(after) > 1)
        return fault_after(form, err);
    json_object_foreach ((json_t *)after, name, value) {
        if (!is_sequence(value) || !id_parse(run_id, name, "run"))
            return fault_after(form, err);
        *sequence = json_integer_value(value);
    }
    return 0;
}

/* The newest run there is, as of one moment; *out NULL when there is none. */
static int newest_run(struct db *db, const char *project_id, struct arena *arena, struct run **out, struct err *err) {
    struct run_query query = {.project_id = project_id, .page = page_numbered(1, 1)};
    struct run *rows = NULL;
    int64_t total = 0;
    size_t count = 0;
    int rc = store_run_list(db, arena, &query, &rows, &count, &total, err);
    *out = count > 0 ? rows : NULL;
    return rc;
}

static int begin_project(struct channel *channel, struct db *db, const char *account_id, const json_t *after,
                         struct arena *arena, struct err *err) {
    char run_id[ID_LEN] = "";
    struct run *run = NULL;
    int64_t sequence = 0;
    bool is_mine = false;
    int rc = after ? read_position(after, run_id, &sequence, err) : 0;
    if (rc == 0)
        rc = find_project(db, account_id, channel->id, arena, &is_mine, err);
    if (rc == 0 && !is_mine)
        rc = not_found("Project", err);
    if (rc == 0 && !after)
        rc = newest_run(db, channel->id, arena, &run, err);
    else if (rc == 0 && run_id[0])
        rc = store_run_get(db, arena, run_id, channel->id, &run, err);
    if (rc < 0)
        return rc;
    if (run_id[0] && !run)
        return not_found("Run", err);
    if (run)
        stand_behind(channel, run, after ? sequence : run->event_count);
    return 0;
}

static void on_told(const char *topic, int64_t value, void *arg) {
    struct channel *channel = arg;
    atomic_store(&channel->is_told, true);
    channel->reader.wake(channel->reader.arg);
}

/* Before the first look at the runs, so that none begins unnoticed. */
static void follow_project(struct channel *channel) {
    struct err err = {0};
    /* Its topic is its name. Should subscribing fail, the reader's ticks still move it on. */
    (void)!bus_subscribe(channel->reader.bus, channel->name, on_told, channel, &channel->subscription, &err);
}

int channel_open(struct channel **out, const struct channel_reader *reader, const char *name, const json_t *after,
                 struct arena *arena, struct err *err) {
    bool is_project = str_starts(name, PROJECT_CHANNEL);
    struct db *db = NULL;
    int rc = store_reader(reader->store, &db, err);
    if (rc < 0)
        return rc;
    struct channel *channel = mem_alloc(sizeof *channel);
    channel->reader = *reader;
    channel->reader.account_id = NULL;
    channel->is_project = is_project;
    str_copy(channel->name, sizeof channel->name, name);
    str_copy(channel->id, sizeof channel->id, strchr(name, ':') + 1);
    if (is_project)
        follow_project(channel);
    rc = (is_project ? begin_project : begin_run)(channel, db, reader->account_id, after, arena, err);
    if (rc < 0) {
        channel_close(channel);
        return rc;
    }
    *out = channel;
    return 0;
}

void channel_close(struct channel *channel) {
    if (!channel)
        return;
    if (channel->subscription)
        bus_unsubscribe(channel->subscription);
    cursor_close(channel->cursor);
    free(channel);
}

const char *channel_name(const struct channel *channel) {
    return channel->name;
}

/* ---- Reading. ---- */

/* Goes on to the project's next run, if there is one by now. */
static int next_run(struct channel *channel, struct err *err) {
    int64_t now_ms = clock_mono_ms();
    /* An exchange, not a load: what it is told of from here on is looked for anew. */
    bool is_told = atomic_exchange(&channel->is_told, false);
    if (!is_told && channel->looked_ms && now_ms - channel->looked_ms < LOOK_MS)
        return 0;
    struct arena *arena = arena_create();
    struct run *run = NULL;
    struct db *db = NULL;
    int rc = store_reader(channel->reader.store, &db, err);
    while (rc == 0 && !channel->cursor) {
        rc = store_run_next(db, arena, channel->id, channel->number, &run, err);
        if (rc < 0 || !run)
            break;
        stand_behind(channel, run, 0);
    }
    if (rc == 0)
        channel->looked_ms = now_ms;
    arena_destroy(arena);
    return rc;
}

int channel_read(struct channel *channel, const struct feed_event **out, size_t *count, struct err *err) {
    int rc = 0;
    *count = 0;
    if (!channel->cursor && channel->is_project)
        rc = next_run(channel, err);
    return rc == 0 && channel->cursor ? cursor_read(channel->cursor, out, count, err) : rc;
}

void channel_pass(struct channel *channel, const struct feed_event *event) {
    channel->sequence = event->sequence;
    if (!event->is_last) {
        cursor_pass(channel->cursor, event);
        return;
    }
    cursor_close(channel->cursor);
    channel->cursor = NULL;
    channel->is_complete = !channel->is_project;
    channel->looked_ms = 0;
}

bool channel_is_complete(const struct channel *channel) {
    return channel->is_complete;
}

const char *channel_message(const struct channel *channel, const struct feed_event *event, struct buf *out,
                            size_t *len) {
    if (!channel->is_project) {
        *len = event->message_len;
        return event->message;
    }
    buf_reset(out);
    buf_printf(out, "{\"type\":\"event\",\"channel\":\"%s\",\"data\":", channel->name);
    buf_put(out, event->data, event->data_len);
    buf_putc(out, '}');
    *len = out->len;
    return out->data;
}

void channel_put_after(const struct channel *channel, struct jw *jw) {
    if (!channel->is_project) {
        jw_int(jw, channel->sequence);
        return;
    }
    jw_object(jw);
    if (channel->run_id[0])
        jw_kint(jw, channel->run_id, channel->sequence);
    jw_object_end(jw);
}

struct list *channel_node(struct channel *channel) {
    return &channel->node;
}

struct channel *channel_of_node(struct list *node) {
    return container_of(node, struct channel, node);
}
