/* model: the agent that is a language model with tools. */
#include "agent/model.h"

#include <string.h>

#include "agent/model_history.h"
#include "agent/model_prompt.h"
#include "agent/model_stuck.h"
#include "agent/model_tools.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "llm/tape.h"

enum {
    STEPS = 60,
    TOKENS = 6000000, /* in and out; most of them are what was said before, again */
    WALL_MS = 45 * 60 * 1000,
    WARNING_STEPS = 5, /* so many before the last, the model is told */
    SILENT_MAX = 3,    /* answers in a row without a call */
    CONTEXT_TOKENS = 128000,
    OLLAMA_CONTEXT_TOKENS = 32768, /* it makes less room than that, unless told */
    ANSWER_TOKENS = 8192,
    HEAD_TOKENS = 3000,  /* the tools, the rules */
    BYTES_PER_TOKEN = 3, /* of code; less than it mostly is */
    SMALLEST_ROOM_BYTES = 16 * 1024,
    LEAST_RESULT_BYTES = 1000,
    MESSAGE_BYTES = 16 * 1024,
    WHY_BYTES = 300,
    WORDS_MAX = 4, /* texts beside the results of calls */
};

struct session {
    const struct agent_request *request;
    struct llm_model model;
    struct bench bench;
    struct history history;
    struct stuck stuck;
    struct llm_tool *tools;
    size_t tool_count;
    const char *system;
    size_t room_bytes;   /* for the conversation */
    size_t answer_bytes; /* of them, for the results of one answer's calls */
    int64_t max_steps, max_tokens, tokens;
    int64_t wall_ms, deadline_mono_ms;
    int silent; /* answers in a row without a call */
    int64_t resets_ms;
};

static bool is_told_to_stop(const struct agent_request *request) {
    return request->is_cancelled && request->is_cancelled(request->cancel_arg);
}

static bool should_stop(void *arg) {
    const struct session *session = arg;
    return is_told_to_stop(session->request) || clock_mono_ms() >= session->deadline_mono_ms;
}

/* What stopped it, once should_stop has said so. */
static int stopped(const struct session *session, struct err *err) {
    if (is_told_to_stop(session->request))
        return err_set(err, ERR_CANCELLED, "the task was cancelled");
    return err_set(err, ERR_TIMEOUT, "the model was not done after %lld minutes",
                   (long long)session->wall_ms / (60 * 1000));
}

/* ---- one answer */

/* The parts of the user's next turn. */
struct answers {
    struct llm_part *parts;
    size_t count, capacity;
};

static void say(struct answers *answers, const char *text) {
    if (answers->count < answers->capacity)
        answers->parts[answers->count++] = (struct llm_part){.kind = LLM_TEXT, .text = text};
}

/* So that what was asked for in one answer leaves room for the next. */
static const char *cut(struct session *session, const struct tool_answer *answer, struct arena *arena) {
    size_t room = session->answer_bytes > LEAST_RESULT_BYTES ? session->answer_bytes : LEAST_RESULT_BYTES;
    size_t len = str_head_len(answer->text, room), taken = answer->is_volatile ? HISTORY_VOLATILE_BYTES : len;
    session->answer_bytes -= taken < session->answer_bytes ? taken : session->answer_bytes;
    return answer->text[len] ? arena_printf(arena, "%.*s\n[cut: there is no room for more]", (int)len, answer->text)
                             : answer->text;
}

static int run_call(struct session *session, const struct llm_part *call, struct arena *arena, struct answers *answers,
                    struct err *err) {
    struct tool_answer answer = {0};
    struct err why = {0};
    size_t changes = session->bench.changes;
    int rc = tools_run(&session->bench, call->name, call->arguments, arena, &answer, &why);
    if (rc == -ERR_CANCELLED)
        return stopped(session, err);
    stuck_note_call(&session->stuck, call->name, call->arguments, rc < 0 && why.field[0]);
    if (session->bench.changes != changes)
        stuck_note_change(&session->stuck);
    if (rc < 0)
        answer = (struct tool_answer){.text = arena_strdup(arena, why.message)};
    answers->parts[answers->count++] = (struct llm_part){.kind = LLM_TOOL_RESULT,
                                                         .id = call->id,
                                                         .is_error = rc < 0,
                                                         .is_volatile = answer.is_volatile,
                                                         .text = cut(session, &answer, arena)};
    return 0;
}

/* Every call gets an answer, since a conversation with one that has none is not legal. */
static int run_calls(struct session *session, const struct llm_reply *reply, struct arena *arena,
                     struct answers *answers, struct err *err) {
    for (size_t i = 0; i < reply->part_count; i++) {
        const struct llm_part *call = &reply->parts[i];
        if (call->kind != LLM_TOOL_CALL)
            continue;
        int rc = should_stop(session) ? stopped(session, err) : run_call(session, call, arena, answers, err);
        if (rc < 0 || session->bench.summary)
            return rc;
    }
    return 0;
}

static size_t count_calls(const struct llm_reply *reply) {
    size_t count = 0;
    for (size_t i = 0; i < reply->part_count; i++)
        count += reply->parts[i].kind == LLM_TOOL_CALL;
    return count;
}

/* The model stopped without a call. If it stays with that, and all that is expected is there, it may mean that it is
 * done. */
static int take_silence(struct session *session, const char *text, struct arena *arena, struct answers *answers,
                        struct err *err) {
    struct tool_answer answer = {0};
    struct err why = {0};
    json_t *arguments = json_own(arena, json_pack("{s:s}", "summary", text[0] ? text : "The task is done."));
    if (++session->silent == 1) {
        say(answers, "If the task is done, call finish. If not, go on by calling tools.");
        return 0;
    }
    if (tools_run(&session->bench, "finish", arguments, arena, &answer, &why) == 0)
        return 0;
    if (session->silent >= SILENT_MAX)
        return err_set(err, ERR_INTERNAL, "the model stopped before the task was done: %s", why.message);
    say(answers, arena_printf(arena, "The task is not done: %s. Go on by calling tools.", why.message));
    return 0;
}

static int refused(const struct llm_reply *reply, struct arena *arena, struct err *err) {
    const char *text = str_trim(arena, text_visible(arena, llm_text(reply, arena)));
    return err_set(err, ERR_FORBIDDEN, "the model will not do this: %.*s", (int)str_head_len(text, WHY_BYTES),
                   text[0] ? text : "-");
}

/* What the answer's end asks for. */
static int take_stop(struct session *session, const struct llm_reply *reply, struct arena *arena,
                     struct answers *answers, struct err *err) {
    const char *text = text_visible(arena, llm_text(reply, arena));
    bool has_calls = count_calls(reply) > 0;
    switch (reply->stop) {
    case LLM_STOP_LENGTH:
        say(answers,
            "Your answer was cut at the limit of its length, and a call that was cut was not carried out. Send "
            "less at once: write long files in parts.");
        session->silent = has_calls ? 0 : session->silent + 1;
        if (session->silent >= SILENT_MAX)
            return err_set(err, ERR_INTERNAL,
                           "the model's answers are cut at the limit of their length, again and again");
        return 0;
    case LLM_STOP_REFUSAL:
    case LLM_STOP_PAUSE:
    case LLM_STOP_END:
    case LLM_STOP_TOOLS:
    case LLM_STOP_COUNT:
        break;
    }
    if (has_calls) {
        session->silent = 0;
        return 0;
    }
    return reply->stop == LLM_STOP_PAUSE ? 0 : take_silence(session, text, arena, answers, err);
}

static int take_stuck(struct session *session, struct answers *answers, struct arena *arena, struct err *err) {
    const char *why = NULL;
    switch (stuck_end_step(&session->stuck, &why)) {
    case STUCK_NOT:
        break;
    case STUCK_WARN:
        say(answers,
            arena_printf(arena, "You seem to be stuck: %s. Take another way, or call finish if the task is done.",
                         why));
        break;
    case STUCK_FAIL:
        return err_set(err, ERR_INTERNAL, "the model is stuck: %s", why);
    }
    return 0;
}

static void tell_message(const struct session *session, const struct llm_reply *reply, struct arena *arena) {
    const char *text = str_trim(arena, text_visible(arena, llm_text(reply, arena)));
    if (!text[0])
        return;
    text = arena_strndup(arena, text, str_head_len(text, MESSAGE_BYTES));
    bench_tell(&session->bench, EVENT_MESSAGE, json_pack("{s:s, s:s}", "role", "assistant", "text", text));
}

/* ---- the loop */

static int ask(struct session *session, struct arena *arena, struct llm_reply *reply, struct err *err) {
    const struct agent_request *request = session->request;
    struct llm_request asked = {.system = session->system,
                                .messages = history_messages(&session->history, arena),
                                .message_count = session->history.count,
                                .tools = session->tools,
                                .tool_count = session->tool_count,
                                .is_cancelled = should_stop,
                                .cancel_arg = session,
                                .meter = request->meter,
                                .tape = request->tape,
                                .scope = request->scope};
    int rc = llm_call(&session->model, &asked, arena, reply, err);
    if (rc == 0)
        return 0;
    session->resets_ms = reply->resets_at_ms;
    if (rc == -ERR_CANCELLED)
        return stopped(session, err);
    if (reply->fault == LLM_FAULT_SETTINGS && err) {
        err->code = ERR_UNAVAILABLE; /* not of this task: nothing can be asked of this model */
        return -ERR_UNAVAILABLE;
    }
    return rc;
}

static int make_room(struct session *session, struct err *err) {
    size_t dropped = 0;
    int rc = history_fit(&session->history, session->room_bytes, &dropped, err);
    if (rc == 0 && dropped && session->request->on_output)
        session->request->on_output("what tools said earlier was dropped, to make room", session->request->output_arg);
    return rc;
}

static int take_reply(struct session *session, const struct llm_reply *reply, int64_t steps_left, struct arena *arena,
                      struct err *err) {
    struct answers answers = {.capacity = reply->part_count + WORDS_MAX};
    answers.parts = arena_array(arena, answers.capacity, sizeof(*answers.parts));
    session->tokens += reply->usage.input_tokens + reply->usage.output_tokens;
    tell_message(session, reply, arena);
    history_add(&session->history, LLM_ASSISTANT, reply->parts, reply->part_count);
    if (reply->stop == LLM_STOP_REFUSAL)
        return refused(reply, arena, err);
    int rc = run_calls(session, reply, arena, &answers, err);
    if (rc < 0 || session->bench.summary)
        return rc;
    rc = take_stop(session, reply, arena, &answers, err);
    if (rc < 0 || session->bench.summary)
        return rc;
    rc = take_stuck(session, &answers, arena, err);
    if (rc < 0)
        return rc;
    if (steps_left == WARNING_STEPS)
        say(&answers, arena_printf(arena, "%d answers are left to you. Bring the task to its end, and call finish.",
                                   WARNING_STEPS));
    if (answers.count)
        history_add(&session->history, LLM_USER, answers.parts, answers.count);
    return 0;
}

static int step(struct session *session, int64_t steps_left, struct err *err) {
    struct arena *arena = arena_create();
    struct llm_reply reply = {0};
    int rc = make_room(session, err);
    session->answer_bytes = session->room_bytes / 3;
    if (rc == 0)
        rc = should_stop(session) ? stopped(session, err) : ask(session, arena, &reply, err);
    if (rc == 0)
        rc = take_reply(session, &reply, steps_left, arena, err);
    arena_destroy(arena);
    return rc;
}

static int converse(struct session *session, struct err *err) {
    for (int64_t left = session->max_steps - 1; left >= 0; left--) {
        int rc = step(session, left, err);
        if (rc < 0 || session->bench.summary)
            return rc;
        if (session->tokens >= session->max_tokens)
            return err_set(err, ERR_TOO_LARGE, "the model was not done after %lld tokens", (long long)session->tokens);
    }
    return err_set(err, ERR_TOO_LARGE, "the model was not done after %lld answers", (long long)session->max_steps);
}

/* ---- beginning */

static void set_limits(struct session *session) {
    const struct agent_limits *limits = &session->request->limits;
    struct llm_model *model = &session->model;
    session->max_steps = limits->steps ? limits->steps : STEPS;
    session->max_tokens = limits->tokens ? limits->tokens : TOKENS;
    session->wall_ms = limits->wall_ms ? limits->wall_ms : WALL_MS;
    session->deadline_mono_ms = clock_mono_ms() + session->wall_ms;
    if (limits->idle_ms)
        model->idle_ms = limits->idle_ms;
    if (model->format == LLM_OLLAMA && !model->context_tokens)
        model->context_tokens = OLLAMA_CONTEXT_TOKENS;
    int64_t context = model->context_tokens ? model->context_tokens : CONTEXT_TOKENS;
    int64_t answer = model->max_output_tokens ? model->max_output_tokens : ANSWER_TOKENS;
    int64_t room = (context - answer - HEAD_TOKENS) * BYTES_PER_TOKEN;
    session->room_bytes = room > SMALLEST_ROOM_BYTES ? (size_t)room : SMALLEST_ROOM_BYTES;
}

static int begin(struct session *session, struct err *err) {
    const struct agent_request *request = session->request;
    struct arena *arena = session->bench.arena;
    struct prompt prompt = {0};
    struct llm_part parts[2] = {{.kind = LLM_TEXT}, {.kind = LLM_TEXT, .is_volatile = true}};
    int rc = confine_open(&session->bench.confine, request->worktree, err);
    if (rc == 0)
        rc = prompt_make(request, session->room_bytes / 3, arena, &prompt, err);
    if (rc < 0)
        return rc;
    session->system = prompt.system;
    tools_list(arena, &session->tools, &session->tool_count);
    parts[0].text = prompt.task;
    parts[1].text = prompt_feedback(request, arena);
    history_init(&session->history, arena);
    history_add(&session->history, LLM_USER, parts, parts[1].text ? 2 : 1);
    return 0;
}

static int run(void *self, const struct agent_request *request, struct agent_result *result, struct err *err) {
    (void)self;
    struct session session = {.request = request, .bench.request = request, .bench.confine.fd = -1};
    if (!request->model && !tape_is_replay(request->tape))
        return err_set(err, ERR_UNAVAILABLE, "no model is set up");
    if (request->model)
        session.model = *request->model;
    session.bench.arena = arena_create();
    session.bench.is_cancelled = should_stop;
    session.bench.cancel_arg = &session;
    set_limits(&session);
    int rc = begin(&session, err);
    if (rc == 0)
        rc = converse(&session, err);
    if (rc == 0)
        result->summary = session.bench.summary;
    if (rc == -ERR_QUOTA)
        result->resets_ms = session.resets_ms;
    confine_close(&session.bench.confine);
    arena_destroy(session.bench.arena);
    return rc;
}

const struct agent_ops agent_model_ops = {.name = "model", .learns = true, .run = run};
