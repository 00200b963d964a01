/* model_history, model_stuck: what is dropped of a long conversation, and how circles are counted. */
#include "../llm/models.h"
#include "desk.h"

#include "agent/model.h"
#include "agent/model_history.h"
#include "agent/model_stuck.h"

static const char *long_text(struct arena *arena, size_t len) {
    char *text = arena_alloc(arena, len + 1);
    memset(text, 'x', len);
    return text;
}

/* A call of the model, and what came of it. */
static void add_exchange(struct history *history, struct arena *arena, const char *id, size_t result_bytes,
                         size_t content_bytes, bool is_volatile) {
    json_t *arguments =
        json_own(arena, json_pack("{s:s, s:s}", "path", "a", "content", long_text(arena, content_bytes)));
    json_t *thought = json_own(arena, json_pack("{s:s}", "thinking", "hm"));
    struct llm_part call[] = {{.kind = LLM_OPAQUE, .name = "anthropic", .opaque = thought},
                              {.kind = LLM_TOOL_CALL, .id = id, .name = "t", .arguments = arguments}};
    struct llm_part result = {
        .kind = LLM_TOOL_RESULT, .id = id, .text = long_text(arena, result_bytes), .is_volatile = is_volatile};
    history_add(history, LLM_ASSISTANT, call, 2);
    history_add(history, LLM_USER, &result, 1);
}

static void begin(struct history *history, struct arena *arena) {
    history_init(history, arena);
    struct llm_part first = {.kind = LLM_TEXT, .text = long_text(arena, 1000)};
    history_add(history, LLM_USER, &first, 1);
}

static bool is_dropped(const struct history *history, size_t turn, size_t part) {
    return str_starts(history->turns[turn].parts[part].text, "[dropped");
}

static void the_oldest_results_go_first(void **state) {
    struct fixture *f = *state;
    struct history history;
    size_t dropped = 0;
    begin(&history, f->arena);
    for (int i = 0; i < 10; i++)
        add_exchange(&history, f->arena, arena_printf(f->arena, "c%d", i), 5000, 10, false);
    assert_int_equal(history_fit(&history, 60000, &dropped, &f->err), 0);
    assert_int_equal(dropped, 0);
    assert_int_equal(history_fit(&history, 50000, &dropped, &f->err), 0);
    assert_int_equal(dropped, 5); /* to six tenths, so that the next answers need no more */
    assert_true(history_bytes(&history) <= 30000);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(is_dropped(&history, 2 + 2 * i, 0), i < 5);
    assert_int_equal(history.count, 21);
    assert_int_equal(history.turns[1].part_count, 2); /* what it thought stays with the call */
    assert_string_equal(history.turns[2].parts[0].id, "c0");

    /* Then what was to be written. */
    for (int i = 0; i < 3; i++)
        add_exchange(&history, f->arena, arena_printf(f->arena, "w%d", i), 10, 8000, false);
    for (int i = 0; i < 3; i++)
        add_exchange(&history, f->arena, arena_printf(f->arena, "e%d", i), 10, 10, false);
    assert_int_equal(history_fit(&history, 20000, &dropped, &f->err), 0);
    assert_string_equal(json_str(history.turns[21].parts[1].arguments, "content", ""), "[dropped, to make room]");
    assert_string_equal(json_str(history.turns[21].parts[1].arguments, "path", ""), "a");

    /* Of the last turns only what must go, and nothing of the very last. */
    for (int i = 0; i < 3; i++)
        add_exchange(&history, f->arena, arena_printf(f->arena, "l%d", i), 9000, 10, false);
    assert_int_equal(history_fit(&history, 20000, &dropped, &f->err), 0);
    assert_true(is_dropped(&history, history.count - 5, 0));
    assert_false(is_dropped(&history, history.count - 1, 0));
    assert_int_equal(history_fit(&history, 9000, &dropped, &f->err), -ERR_TOO_LARGE);
    assert_non_null(strstr(f->err.message, "larger than it can take"));
}

/* The same is dropped, however much a command printed. */
static void volatile_texts_count_alike(void **state) {
    struct fixture *f = *state;
    struct history few, many;
    size_t dropped_few = 0, dropped_many = 0;
    begin(&few, f->arena);
    begin(&many, f->arena);
    for (int i = 0; i < 10; i++) {
        add_exchange(&few, f->arena, "c", 1, 10, true);
        add_exchange(&many, f->arena, "c", 16000, 10, true);
    }
    assert_int_equal(history_bytes(&few), history_bytes(&many));
    assert_int_equal(history_fit(&few, 100000, &dropped_few, &f->err), 0);
    assert_int_equal(history_fit(&many, 100000, &dropped_many, &f->err), 0);
    assert_int_equal(dropped_few, dropped_many);
    assert_true(dropped_few > 0);
}

static void nothing_at_all_can_be_sent(void **state) {
    struct fixture *f = *state;
    struct history history;
    struct llm_part empty = {.kind = LLM_TEXT, .text = ""};
    history_init(&history, f->arena);
    history_add(&history, LLM_ASSISTANT, NULL, 0);
    history_add(&history, LLM_ASSISTANT, &empty, 1);
    const struct llm_message *messages = history_messages(&history, f->arena);
    assert_string_equal(messages[0].parts[0].text, "…");
    assert_string_equal(messages[1].parts[1].text, "…");
}

/* The scripted servers refuse what the true ones would: calls without results, results without calls. */
static void shortened_conversations_are_legal_everywhere(void **state) {
    struct fixture *f = *state;
    for (int format = 0; format < LLM_FORMAT_COUNT; format++) {
        struct desk desk;
        struct agent_result result = {0};
        CLEANUP(buf_release) struct buf steps = {0};
        desk_init(&desk, "{'pathScope': ['**'], 'expectedOutputs': []}");
        desk_put(&desk, "tree/big", long_text(desk.arena, 6000));
        buf_puts(&steps, "[");
        for (int i = 1; i <= 12; i++)
            buf_printf(&steps,
                       "{'thinking': 'Hm.', 'text': 'next', 'toolCalls': [{'id': 'r%d', 'name': 'read_file', "
                       "'arguments': {'path': 'big', 'line_count': %d}}, {'id': 'w%d', 'name': 'write_file', "
                       "'arguments': {'path': 'f%d', 'content': '%s'}}]}, ",
                       i, i, i, i, long_text(desk.arena, 1500));
        buf_puts(&steps, "{'toolCalls': [{'id': 'f', 'name': 'finish', 'arguments': {'summary': 'Done.'}}]}]");
        const char *name = NULL;
        struct llm_model model = script(f, (enum llm_format)format, steps.data, &name);
        model.context_tokens = 18000;
        desk.request.model = &model;
        if (agent_model_ops.run(NULL, &desk.request, &result, &desk.err) < 0)
            fail_msg("%s: %s", llm_format_name((enum llm_format)format), desk.err.message);
        const char *last = json_text(f->arena, json_array_get(requests_of(f, name), 12));
        assert_non_null(strstr(last, "[dropped, to make room: call again what you need]"));
        assert_true(strlen(last) < 60000);
        desk_release(&desk);
    }
}

/* ---- circles */

static enum stuck_verdict step(struct stuck *stuck, const char *name, bool is_fault) {
    const char *why = NULL;
    json_t *arguments = json_pack("{s:s}", "path", name);
    stuck_note_call(stuck, "t", arguments, is_fault);
    json_decref(arguments);
    return stuck_end_step(stuck, &why);
}

static void circles_are_counted(void **state) {
    struct stuck stuck = {0};
    assert_int_equal(step(&stuck, "a", false), STUCK_NOT);
    assert_int_equal(step(&stuck, "a", false), STUCK_NOT);
    assert_int_equal(step(&stuck, "a", false), STUCK_WARN);
    assert_int_equal(step(&stuck, "b", false), STUCK_NOT);
    /* a and b are known by now: ten answers bring nothing new. */
    for (int i = 0; i < 9; i++)
        assert_int_equal(step(&stuck, i % 2 ? "b" : "a", false), STUCK_NOT);
    assert_int_equal(step(&stuck, "b", false), STUCK_FAIL);

    stuck = (struct stuck){0};
    for (int i = 0; i < 40; i++) {
        if (i % 8 == 0)
            stuck_note_change(&stuck);
        assert_int_equal(step(&stuck, i % 2 ? "b" : "a", false), STUCK_NOT);
    }

    stuck = (struct stuck){0};
    for (int i = 0; i < 4; i++)
        assert_int_equal(step(&stuck, i % 2 ? "b" : "a", true), STUCK_NOT);
    assert_int_equal(step(&stuck, "a", true), STUCK_FAIL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(the_oldest_results_go_first), T(volatile_texts_count_alike),
        T(nothing_at_all_can_be_sent),  T(shortened_conversations_are_legal_everywhere),
        T(circles_are_counted),
    };
    return cmocka_run_group_tests(tests, models_start, models_stop);
}
