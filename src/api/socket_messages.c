/* socket_messages: what the client of a WebSocket may say, and what it is answered. */
#include <string.h>

#include "api/fields.h"
#include "api/input.h"
#include "api/socket.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/key.h"

#define REFUSALS_MAX 100 /* messages beyond the rate that are answered in a row */
#define ID_CHARS_MAX 200

/* A message in the hands of its function. */
struct said {
    struct socket *socket;
    struct api_call call; /* for its arena, its faults and its details alone */
    const char *type;     /* NULL: not known */
    const char *channel;  /* NULL: it names none */
    const json_t *id;     /* what the client tells it by, or NULL */
    int close_code;       /* after the answer; 0: goes on */
};

typedef int say_fn(struct said *said, struct err *err);

static void put_origin(struct jw *jw, const struct said *said) {
    if (!said->id)
        return;
    jw_key(jw, "id");
    jw_value(jw, said->id);
}

/* ---- How often ---- */

/* Every message counts as a request does: a WebSocket is no way around the limits. */
static int count_message(struct said *said, struct err *err) {
    struct socket *socket = said->socket;
    struct allowance allowance = socket->is_known
                                     ? auth_count_account(socket->api, socket->account_id, socket->per_minute)
                                     : auth_count_address(socket->api, socket->peer);
    if (!allowance.is_over) {
        socket->refusals = 0;
        return 0;
    }
    if (++socket->refusals >= REFUSALS_MAX)
        said->close_code = SOCKET_TOO_MANY;
    return auth_refuse_rate(&said->call, &allowance, "Too many messages", err);
}

/* ---- Who ---- */

static int authenticate(struct said *said, struct err *err) {
    struct socket *socket = said->socket;
    struct credential credential;
    struct identity *identity = NULL;
    struct db *db = NULL;
    const char *token = json_str(said->call.body, "token", "");
    int rc = store_reader(engine_store(socket->api->engine), &db, err);
    if (rc == 0 && key_is_sound(token) && auth_credential(token, &credential))
        rc = auth_identity(db, said->call.arena, &credential, &identity, err);
    if (rc < 0)
        return rc;
    if (!identity) {
        said->close_code = SOCKET_UNKNOWN;
        return err_set(err, ERR_UNAUTHORIZED, "The API key is not valid");
    }
    if (identity->is_suspended) {
        said->close_code = SOCKET_SUSPENDED;
        return err_set(err, ERR_FORBIDDEN, "The account is suspended");
    }
    if (socket->is_known && !str_eq(socket->account_id, identity->account_id))
        return err_set(err, ERR_CONFLICT, "This WebSocket speaks for another account");
    bool is_new = !socket->is_known;
    socket_know(socket, &credential, identity);
    socket->is_welcomed = true;
    if (is_new && (rc = count_message(said, err)) < 0) { /* until now it was the address's alone */
        said->close_code = SOCKET_TOO_MANY;
        return rc;
    }
    socket_say_authenticated(socket, said->id);
    return 0;
}

/* ---- What to follow ---- */

static struct channel *find_channel(const struct socket *socket, const char *name) {
    list_for_each (node, next, &socket->channels)
        if (str_eq(channel_name(channel_of_node(node)), name))
            return channel_of_node(node);
    return NULL;
}

static void wake(void *arg) {
    http_websocket_wake(arg);
}

static int subscribe(struct said *said, struct err *err) {
    struct socket *socket = said->socket;
    struct channel_reader reader = {.store = engine_store(socket->api->engine),
                                    .bus = engine_bus(socket->api->engine),
                                    .feeds = socket->feeds,
                                    .account_id = socket->account_id,
                                    .wake = wake,
                                    .arg = socket->http};
    struct channel *channel = NULL;
    struct buf out;
    struct jw jw;
    if (find_channel(socket, said->channel))
        return err_set(err, ERR_CONFLICT, "This WebSocket is subscribed to the channel already");
    if (socket->channel_count >= SOCKET_CHANNELS_MAX)
        return err_set(err, ERR_CONFLICT, "A WebSocket has at most %d channels", SOCKET_CHANNELS_MAX);
    int rc = channel_open(&channel, &reader, said->channel, call_json(&said->call, "after"), said->call.arena, err);
    if (rc < 0)
        return rc;
    list_append(&socket->channels, channel_node(channel));
    socket->channel_count++;
    socket_say(&out, &jw, "subscribed", said->channel);
    jw_key(&jw, "after");
    channel_put_after(channel, &jw);
    put_origin(&jw, said);
    socket_say_end(socket, &out, &jw);
    return 0;
}

static int unsubscribe(struct said *said, struct err *err) {
    struct channel *channel = find_channel(said->socket, said->channel);
    struct buf out;
    struct jw jw;
    if (!channel)
        return err_set(err, ERR_NOT_FOUND, "This WebSocket is not subscribed to the channel");
    socket_say(&out, &jw, "unsubscribed", said->channel);
    jw_key(&jw, "after");
    channel_put_after(channel, &jw);
    put_origin(&jw, said);
    socket_forget_channel(said->socket, channel);
    socket_say_end(said->socket, &out, &jw);
    return 0;
}

static int ping(struct said *said, struct err *err) {
    struct buf out;
    struct jw jw;
    socket_say(&out, &jw, "pong", NULL);
    put_origin(&jw, said);
    socket_say_end(said->socket, &out, &jw);
    return 0;
}

/* ---- Any message ---- */

#define TYPE_FIELD                                                                                                     \
    { .name = "type", .kind = FIELD_TEXT, .is_required = true }
#define ID_FIELD                                                                                                       \
    { .name = "id", .kind = FIELD_ANY }
#define CHANNEL_FIELD                                                                                                  \
    { .name = "channel", .kind = FIELD_TEXT, .is_required = true, .is_verbatim = true, .max = 200 }

static const struct api_field auth_fields[] = {
    TYPE_FIELD, ID_FIELD, {.name = "token", .kind = FIELD_TEXT, .is_required = true, .max = 1000}, {0}};
static const struct api_field subscribe_fields[] = {
    TYPE_FIELD, ID_FIELD, CHANNEL_FIELD, {.name = "after", .kind = FIELD_ANY}, {0}};
static const struct api_field unsubscribe_fields[] = {TYPE_FIELD, ID_FIELD, CHANNEL_FIELD, {0}};
static const struct api_field ping_fields[] = {TYPE_FIELD, ID_FIELD, {0}};

/* Sorted. */
static const struct message {
    const char *type;
    const struct api_field *fields;
    say_fn *say;
    bool is_for_anyone;
} messages[] = {
    {.type = "auth", .fields = auth_fields, .say = authenticate, .is_for_anyone = true},
    {.type = "ping", .fields = ping_fields, .say = ping, .is_for_anyone = true},
    {.type = "subscribe", .fields = subscribe_fields, .say = subscribe},
    {.type = "unsubscribe", .fields = unsubscribe_fields, .say = unsubscribe},
};

static const struct message *message_of(const char *type) {
    for (size_t i = 0; i < ARRAY_LEN(messages); i++)
        if (str_eq(messages[i].type, type))
            return &messages[i];
    return NULL;
}

static bool is_id(const json_t *id) {
    return json_is_integer(id) || (json_is_string(id) && str_utf8_len(json_string_value(id)) <= ID_CHARS_MAX);
}

static int read_message(struct said *said, const char *data, size_t len, struct err *err) {
    struct api_call *call = &said->call;
    struct err fault = {0};
    if (json_parse(call->arena, data, len, &call->body, &fault) < 0)
        return err_field(err, ERR_VALIDATION, fault.field[0] ? fault.field : "message", "%s", fault.message);
    if (!json_is_object(call->body))
        return err_field(err, ERR_VALIDATION, "message", "A message must be a JSON object");
    const json_t *id = call_json(call, "id");
    if (id && !is_id(id))
        return err_field(err, ERR_VALIDATION, "id", "id must be a whole number, or a string of at most %d characters",
                         ID_CHARS_MAX);
    said->id = id;
    said->type = json_str(call->body, "type", NULL);
    return 0;
}

static int check_message(struct said *said, const struct message *message, struct err *err) {
    char name[CHANNEL_NAME_LEN];
    struct api_call *call = &said->call;
    if (!message)
        return err_field(err, ERR_VALIDATION, "type", "type must be one of: auth, ping, subscribe, unsubscribe");
    if (!message->is_for_anyone && !said->socket->is_known)
        return err_set(err, ERR_UNAUTHORIZED, "Authenticate first: {\"type\": \"auth\", \"token\": \"pzm_…\"}");
    input_check_members(call, call->body, message->fields);
    int rc = call_check(call, err);
    const char *channel = json_str(call->body, "channel", NULL);
    if (rc < 0 || !channel)
        return rc;
    said->channel = channel;
    if (!str_starts(channel, "run:") && !str_starts(channel, "project:"))
        return err_field(err, ERR_VALIDATION, "channel",
                         "channel must be \"run:<run id>\" or \"project:<project id>\"");
    /* What cannot be an id is not there, as in a path. */
    if (!channel_parse(channel, name))
        return err_set(err, ERR_NOT_FOUND, "%s not found", str_starts(channel, "run:") ? "Run" : "Project");
    said->channel = arena_strdup(call->arena, name);
    return 0;
}

static void say_error(struct said *said, const struct err *err) {
    bool is_ours = err_http_status(err->code) == 500;
    struct buf out;
    struct jw jw;
    if (is_ours)
        log_event(LOG_ERROR, "a message of a WebSocket failed", "type", str_or(said->type, ""), "error", err->message,
                  NULL);
    socket_say(&out, &jw, "error", said->channel);
    jw_kstr(&jw, "code", err_name(err->code));
    jw_kstr(&jw, "message", is_ours ? "Something went wrong on our side" : err->message);
    put_details(&jw, &said->call, err);
    if (said->type)
        jw_kstr(&jw, "request", said->type);
    put_origin(&jw, said);
    socket_say_end(said->socket, &out, &jw);
    if (said->close_code)
        http_websocket_close(said->socket->http, said->close_code, err->message);
}

void socket_hear(struct socket *socket, const char *data, size_t len) {
    struct said said = {.socket = socket, .call = {.api = socket->api, .arena = arena_create()}};
    struct err err = {0};
    int rc = read_message(&said, data, len, &err);
    const struct message *message = rc == 0 ? message_of(said.type) : NULL;
    struct err rate = {0};
    if (count_message(&said, &rate) < 0) {
        err = rate;
        rc = -(int)rate.code;
    }
    if (rc == 0)
        rc = check_message(&said, message, &err);
    if (rc == 0)
        rc = message->say(&said, &err);
    if (rc < 0)
        say_error(&said, &err);
    arena_destroy(said.call.arena);
}
