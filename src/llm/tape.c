/* tape: calls of models kept in files, and answered from them again. */
#include "llm/tape.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/str.h"
#include "llm/wire.h"

enum { FILE_MAX_BYTES = 64 * 1024 * 1024 };

#define VOLATILE "volatileText" /* a member of parts that is kept to be read, and not hashed */

struct scope {
    struct list node;
    char *name;
    int64_t next; /* ordinal, from 1 */
};

struct llm_tape {
    char *dir;
    bool is_replay;
    pthread_mutex_t lock; /* guards scopes */
    struct list scopes;
};

static struct llm_tape *create(const char *dir, bool is_replay) {
    struct llm_tape *tape = mem_alloc(sizeof(*tape));
    tape->dir = mem_strdup(dir);
    tape->is_replay = is_replay;
    (void)pthread_mutex_init(&tape->lock, NULL);
    list_init(&tape->scopes);
    return tape;
}

struct llm_tape *llm_tape_record(const char *dir) {
    return create(dir, false);
}

struct llm_tape *llm_tape_replay(const char *dir) {
    return create(dir, true);
}

void llm_tape_destroy(struct llm_tape *tape) {
    if (!tape)
        return;
    list_for_each (node, next, &tape->scopes) {
        struct scope *scope = container_of(node, struct scope, node);
        free(scope->name);
        free(scope);
    }
    (void)pthread_mutex_destroy(&tape->lock);
    free(tape->dir);
    free(tape);
}

bool tape_is_replay(const struct llm_tape *tape) {
    return tape && tape->is_replay;
}

static const char *path_of(const struct llm_tape *tape, const char *scope, int64_t ordinal, struct arena *arena) {
    return arena_printf(arena, "%s/%s/%lld.json", tape->dir, scope, (long long)ordinal);
}

/* The caller has the lock. A recording goes on after what an earlier process left. */
static struct scope *find_scope(struct llm_tape *tape, const char *name, struct arena *arena) {
    list_for_each (node, next, &tape->scopes) {
        struct scope *scope = container_of(node, struct scope, node);
        if (str_eq(scope->name, name))
            return scope;
    }
    struct scope *scope = mem_alloc(sizeof(*scope));
    scope->name = mem_strdup(name);
    scope->next = 1;
    while (!tape->is_replay && fs_exists(path_of(tape, name, scope->next, arena)))
        scope->next++;
    list_append(&tape->scopes, &scope->node);
    return scope;
}

static int64_t take_ordinal(struct llm_tape *tape, const char *name, struct arena *arena) {
    (void)pthread_mutex_lock(&tape->lock);
    int64_t ordinal = find_scope(tape, name, arena)->next++;
    (void)pthread_mutex_unlock(&tape->lock);
    return ordinal;
}

/* ---- JSON of requests and replies. ---- */

static void put_part(struct jw *jw, const struct llm_part *part) {
    static const char *const types[] = {
        [LLM_TEXT] = "text", [LLM_TOOL_CALL] = "tool_call", [LLM_TOOL_RESULT] = "tool_result", [LLM_OPAQUE] = "opaque"};
    jw_object(jw);
    jw_kstr(jw, "type", types[part->kind]);
    if (part->id)
        jw_kstr(jw, "id", part->id);
    if (part->name)
        jw_kstr(jw, "name", part->name);
    if (part->text)
        jw_kstr(jw, part->is_volatile ? VOLATILE : "text", part->text);
    if (part->kind == LLM_TOOL_RESULT)
        jw_kbool(jw, "isError", part->is_error);
    if (part->arguments) {
        jw_key(jw, "arguments");
        jw_value(jw, part->arguments);
    }
    if (part->opaque) {
        jw_key(jw, "value");
        jw_value(jw, part->opaque);
    }
    jw_object_end(jw);
}

static void put_parts(struct jw *jw, const struct llm_part *parts, size_t count) {
    jw_key(jw, "parts");
    jw_array(jw);
    for (size_t i = 0; i < count; i++)
        put_part(jw, &parts[i]);
    jw_array_end(jw);
}

static void put_messages(struct jw *jw, const struct llm_request *request) {
    jw_key(jw, "messages");
    jw_array(jw);
    for (size_t i = 0; i < request->message_count; i++) {
        jw_object(jw);
        jw_kstr(jw, "role", request->messages[i].role == LLM_USER ? "user" : "assistant");
        put_parts(jw, request->messages[i].parts, request->messages[i].part_count);
        jw_object_end(jw);
    }
    jw_array_end(jw);
}

static void put_tools(struct jw *jw, const struct llm_request *request) {
    jw_key(jw, "tools");
    jw_array(jw);
    for (size_t i = 0; i < request->tool_count; i++) {
        jw_object(jw);
        jw_kstr(jw, "name", request->tools[i].name);
        jw_kstr(jw, "description", request->tools[i].description);
        jw_key(jw, "schema");
        jw_value(jw, request->tools[i].schema);
        jw_object_end(jw);
    }
    jw_array_end(jw);
}

static void put_output(struct jw *jw, const struct llm_output *output) {
    jw_key(jw, "output");
    if (!output) {
        jw_null(jw);
        return;
    }
    jw_object(jw);
    jw_kstr(jw, "name", output->name);
    jw_key(jw, "schema");
    jw_value(jw, output->schema);
    jw_object_end(jw);
}

/* A copy without what may differ when the same is asked again. */
static json_t *lasting(const json_t *asked) {
    json_t *copy = json_deep_copy(asked), *message, *part;
    size_t i, p;
    json_array_foreach (json_object_get(copy, "messages"), i, message) {
        json_array_foreach (json_object_get(message, "parts"), p, part)
            (void)json_object_del(part, VOLATILE);
    }
    return copy;
}

/* The request as JSON that is the same for the same request: whatever is wrong with its characters is mended, and keys
 * are in one order. hash is of that, without the volatile texts. */
static int request_json(const struct llm_request *request, struct arena *arena, json_t **out, char hash[HASH_HEX_LEN],
                        struct err *err) {
    CLEANUP(buf_release) struct buf text = {0};
    struct jw jw;
    jw_init(&jw, &text);
    jw_object(&jw);
    jw_kstr(&jw, "system", request->system);
    put_messages(&jw, request);
    put_tools(&jw, request);
    put_output(&jw, request->output);
    jw_object_end(&jw);
    int rc = json_parse(arena, text.data, text.len, out, err);
    if (rc < 0)
        return err_wrap(err, "the request of a model");
    json_t *hashed = lasting(*out);
    char *sorted = json_dumps(hashed, JSON_SORT_KEYS | JSON_COMPACT);
    json_decref(hashed);
    if (!sorted)
        abort(); /* memory is exhausted */
    hash_sha256_hex(hash, sorted, strlen(sorted));
    free(sorted);
    return 0;
}

static void put_reply(struct jw *jw, const struct llm_reply *reply) {
    jw_key(jw, "reply");
    jw_object(jw);
    put_parts(jw, reply->parts, reply->part_count);
    jw_kstr(jw, "stop", llm_stop_name(reply->stop));
    jw_kstr(jw, "model", reply->model);
    jw_key(jw, "usage");
    jw_object(jw);
    jw_kint(jw, "inputTokens", reply->usage.input_tokens);
    jw_kint(jw, "cachedInputTokens", reply->usage.cached_input_tokens);
    jw_kint(jw, "cacheWriteTokens", reply->usage.cache_write_tokens);
    jw_kint(jw, "outputTokens", reply->usage.output_tokens);
    jw_object_end(jw);
    jw_kbool(jw, "isUsageKnown", reply->is_usage_known);
    jw_kint(jw, "attempts", reply->attempts);
    jw_object_end(jw);
}

static int check_scope(const struct llm_request *request, struct err *err) {
    if (request->scope && fs_is_safe_relative(request->scope))
        return 0;
    return err_set(err, ERR_INTERNAL, "a call that is to be recorded has no scope that can name a folder");
}

int tape_record(struct llm_tape *tape, const struct llm_model *model, const struct llm_request *request,
                const struct llm_reply *reply, struct arena *arena, struct err *err) {
    CLEANUP(buf_release) struct buf text = {0};
    char hash[HASH_HEX_LEN];
    json_t *asked = NULL;
    struct jw jw;

    int rc = check_scope(request, err);
    if (rc == 0)
        rc = request_json(request, arena, &asked, hash, err);
    if (rc < 0)
        return rc;
    int64_t ordinal = take_ordinal(tape, request->scope, arena);
    jw_init(&jw, &text);
    jw_object(&jw);
    jw_kint(&jw, "version", 1);
    jw_kstr(&jw, "scope", request->scope);
    jw_kint(&jw, "ordinal", ordinal);
    jw_kstr(&jw, "provider", llm_format_name(model->format));
    jw_kstr(&jw, "model", model->name);
    jw_kstr(&jw, "requestHash", hash);
    jw_key(&jw, "request");
    jw_value(&jw, asked);
    put_reply(&jw, reply);
    jw_object_end(&jw);
    const char *clean = without_key(arena, text.data, model->api_key);
    const char *path = path_of(tape, request->scope, ordinal, arena);
    rc = fs_mkdirs(arena_strndup(arena, path, (size_t)(strrchr(path, '/') - path)), 0700, err);
    if (rc == 0)
        rc = fs_write_file_atomic(path, clean, strlen(clean), 0600, err);
    return rc < 0 ? err_wrap(err, "record the call of the model") : 0;
}

/* ---- Replaying. ---- */

static int read_part(const json_t *json, struct llm_part *out, struct err *err) {
    const char *type = json_str(json, "type", "");
    if (str_eq(type, "text") && json_str(json, "text", NULL)) {
        *out = (struct llm_part){.kind = LLM_TEXT, .text = json_str(json, "text", "")};
        return 0;
    }
    if (str_eq(type, "tool_call") && json_is_object(json_object_get(json, "arguments"))) {
        *out = (struct llm_part){.kind = LLM_TOOL_CALL,
                                 .id = json_str(json, "id", ""),
                                 .name = json_str(json, "name", ""),
                                 .arguments = json_object_get(json, "arguments")};
        return 0;
    }
    if (str_eq(type, "opaque") && json_object_get(json, "value")) {
        *out = (struct llm_part){
            .kind = LLM_OPAQUE, .name = json_str(json, "name", ""), .opaque = json_object_get(json, "value")};
        return 0;
    }
    return err_set(err, ERR_VALIDATION, "a part that is none");
}

static int read_reply(const json_t *json, struct arena *arena, struct llm_reply *out, struct err *err) {
    const json_t *parts = json_object_get(json, "parts"), *usage = json_object_get(json, "usage");
    size_t count = json_array_size(parts);

    out->parts = arena_array(arena, count + 1, sizeof(*out->parts));
    for (size_t i = 0; i < count; i++) {
        int rc = read_part(json_array_get(parts, i), &out->parts[i], err);
        if (rc < 0)
            return rc;
    }
    out->part_count = count;
    if (!llm_stop_parse(json_str(json, "stop", ""), &out->stop))
        return err_set(err, ERR_VALIDATION, "no reason to stop");
    out->model = json_str(json, "model", NULL);
    out->usage = (struct llm_usage){.input_tokens = json_int(usage, "inputTokens", 0),
                                    .cached_input_tokens = json_int(usage, "cachedInputTokens", 0),
                                    .cache_write_tokens = json_int(usage, "cacheWriteTokens", 0),
                                    .output_tokens = json_int(usage, "outputTokens", 0)};
    out->is_usage_known = json_flag(json, "isUsageKnown", false);
    out->attempts = (int)json_int(json, "attempts", 1);
    return 0;
}

/* Where a request is another than the one that was recorded, in words. */
static const char *difference(const json_t *recorded, const json_t *asked, struct arena *arena) {
    static const char *const members[] = {"system", "tools", "output"};
    recorded = json_own(arena, lasting(recorded));
    asked = json_own(arena, lasting(asked));
    const json_t *before = json_object_get(recorded, "messages"), *now = json_object_get(asked, "messages");
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (!json_equal(json_object_get(recorded, members[i]), json_object_get(asked, members[i])))
            return arena_printf(arena, "its %s differs", members[i]);
    }
    size_t i = 0;
    while (i < json_array_size(before) && json_equal(json_array_get(before, i), json_array_get(now, i)))
        i++;
    return arena_printf(arena, "message %zu of it differs", i + 1);
}

struct place {
    const char *path;
    int64_t ordinal;
};

static int read_call(const struct place *place, const struct llm_request *request, struct arena *arena, json_t **out,
                     struct err *err) {
    CLEANUP(buf_release) struct buf text = {0};
    char hash[HASH_HEX_LEN];
    json_t *asked = NULL;
    int rc = fs_read_file(place->path, FILE_MAX_BYTES, &text, err);
    if (rc == -ERR_NOT_FOUND)
        return err_set(err, ERR_CONFLICT, "the recording does not fit: it has no call %lld of %s",
                       (long long)place->ordinal, request->scope);
    if (rc == 0)
        rc = json_parse(arena, text.data, text.len, out, err);
    if (rc < 0)
        return err_wrap(err, "read %s", place->path);
    rc = request_json(request, arena, &asked, hash, err);
    if (rc < 0 || str_eq(json_str(*out, "requestHash", NULL), hash))
        return rc;
    return err_set(err, ERR_CONFLICT, "the recording does not fit: call %lld of %s was another, %s",
                   (long long)place->ordinal, request->scope,
                   difference(json_object_get(*out, "request"), asked, arena));
}

/* A recorded call counts against a budget as it did when it was made. */
static int meter(const struct llm_request *request, const struct llm_reply *reply, struct err *err) {
    const struct llm_meter *by = request->meter;
    if (!by)
        return 0;
    int rc = by->reserve(by->arg, reply->usage.input_tokens, reply->usage.output_tokens, err);
    if (rc == 0)
        by->settle(by->arg, &reply->usage, reply->is_usage_known);
    return rc;
}

int tape_replay(struct llm_tape *tape, const struct llm_request *request, struct arena *arena, struct llm_reply *reply,
                struct err *err) {
    json_t *file = NULL;
    int rc = check_scope(request, err);
    reply->fault = LLM_FAULT_TAPE;
    if (rc < 0)
        return rc;
    struct place place = {.ordinal = take_ordinal(tape, request->scope, arena)};
    place.path = path_of(tape, request->scope, place.ordinal, arena);
    rc = read_call(&place, request, arena, &file, err);
    if (rc < 0)
        return rc;
    rc = read_reply(json_object_get(file, "reply"), arena, reply, err);
    if (rc < 0)
        return err_wrap(err, "%s", place.path);
    reply->fault = LLM_FAULT_METER;
    rc = meter(request, reply, err);
    if (rc < 0)
        return rc;
    reply->fault = LLM_FAULT_NONE;
    for (size_t i = 0; request->on_text && i < reply->part_count; i++) {
        if (reply->parts[i].kind == LLM_TEXT)
            request->on_text(reply->parts[i].text, request->text_arg);
    }
    return 0;
}
