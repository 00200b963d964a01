/* formats: each wire format against a server that speaks it: requests as the server takes them, answers whole. */
#include "models.h"

static const enum llm_format formats[] = {LLM_ANTHROPIC, LLM_RESPONSES, LLM_CHAT, LLM_OLLAMA};

static void texts_are_streamed(void **state) {
    struct fixture *f = *state;
    const char *name;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct llm_model model =
            script(f, formats[i],
                   "[{'text': ['Grüße ', 'an ', 'alle 🎉'], 'usage': {'input': 7, 'cachedInput': 3, "
                   "'cacheWrite': 2, 'output': 5}}]",
                   &name);
        struct llm_request request = ask(f, "Hello");
        buf_reset(&f->seen);
        call_well(f, &model, &request);
        assert_int_equal(f->reply.part_count, 1);
        assert_int_equal(f->reply.parts[0].kind, LLM_TEXT);
        assert_string_equal(f->reply.parts[0].text, "Grüße an alle 🎉");
        assert_string_equal(f->seen.data, "Grüße an alle 🎉");
        assert_int_equal(f->reply.stop, LLM_STOP_END);
        assert_int_equal(f->reply.usage.input_tokens, 12);
        assert_int_equal(f->reply.usage.output_tokens, 5);
        assert_int_equal(f->reply.usage.cached_input_tokens, formats[i] == LLM_OLLAMA ? 0 : 3);
        assert_int_equal(f->reply.usage.cache_write_tokens, formats[i] == LLM_ANTHROPIC ? 2 : 0);
        assert_true(f->reply.is_usage_known);
        assert_string_equal(f->reply.model, "test-model");
        assert_int_equal(f->reply.attempts, 1);
        assert_int_equal(f->reply.fault, LLM_FAULT_NONE);
        assert_int_equal(f->reply.http_status, 200);
    }
}

static struct llm_tool weather(struct fixture *f) {
    return (struct llm_tool){.name = "weather",
                             .description = "The weather of a \"place\"",
                             .schema = json_of(f, "{'type': 'object', 'properties': {'place': {'type': 'string'}}}")};
}

/* The conversation goes on with the answer in it, thinking and all, and the server takes it. */
static void tools_are_called_and_answered(void **state) {
    struct fixture *f = *state;
    const char *name;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct llm_model model = script(
            f, formats[i],
            "[{'thinking': 'Two places.', 'text': 'I look.', 'toolCalls': [{'name': 'weather', 'arguments': {'place': "
            "'Köln'}}, {'name': 'weather'}]}, {'text': 'Sunny.'}]",
            &name);
        struct llm_tool tool = weather(f);
        struct llm_request request = ask(f, "How is the weather?");
        request.system = "You know the weather.";
        request.tools = &tool;
        request.tool_count = 1;
        call_well(f, &model, &request);
        assert_int_equal(f->reply.stop, LLM_STOP_TOOLS);
        size_t base = formats[i] == LLM_CHAT ? 0 : 1; /* Chat Completions has no place for thinking */
        assert_int_equal(f->reply.part_count, base + 3);
        struct llm_part *parts = f->reply.parts + base;
        assert_string_equal(parts[0].text, "I look.");
        assert_string_equal(parts[1].name, "weather");
        assert_string_equal(json_str(parts[1].arguments, "place", ""), "Köln");
        assert_int_equal(json_object_size(parts[2].arguments), 0);
        assert_true(parts[1].id[0] && parts[2].id[0] && !str_eq(parts[1].id, parts[2].id));

        struct llm_part results[] = {{.kind = LLM_TOOL_RESULT, .id = parts[1].id, .text = "sun"},
                                     {.kind = LLM_TOOL_RESULT, .id = parts[2].id, .text = "no place", .is_error = true},
                                     {.kind = LLM_TEXT, .text = "Be short."}};
        struct llm_message messages[] = {
            request.messages[0],
            {.role = LLM_ASSISTANT, .parts = f->reply.parts, .part_count = f->reply.part_count},
            {.role = LLM_USER, .parts = results, .part_count = 3}};
        request.messages = messages;
        request.message_count = 3;
        call_well(f, &model, &request);
        assert_string_equal(f->reply.parts[0].text, "Sunny.");
    }
}

static const char *body_at(struct fixture *f, const json_t *requests, size_t index, const char *path) {
    json_t *value = json_at(json_array_get(requests, index), arena_printf(f->arena, "body.%s", path));
    return value ? json_text(f->arena, value) : "";
}

static void anthropic_requests(void **state) {
    struct fixture *f = *state;
    const char *name;
    struct llm_model model = script_keyed(f, LLM_ANTHROPIC, "[{'text': 'a'}]", "sk-1", &name);
    struct llm_tool tools[] = {weather(f), weather(f)};
    struct llm_part texts[] = {{.kind = LLM_TEXT, .text = "one"}, {.kind = LLM_TEXT, .text = ""}};
    struct llm_message messages[] = {{.role = LLM_USER, .parts = texts, .part_count = 2},
                                     {.role = LLM_ASSISTANT, .parts = texts, .part_count = 1},
                                     {.role = LLM_USER, .parts = texts, .part_count = 1},
                                     {.role = LLM_ASSISTANT, .parts = texts, .part_count = 1},
                                     {.role = LLM_USER, .parts = texts, .part_count = 1}};
    struct llm_output output = {.name = "o", .schema = json_of(f, "{'type': 'object'}")};
    struct llm_request request = {.system = "Be kind.",
                                  .messages = messages,
                                  .message_count = 5,
                                  .tools = tools,
                                  .tool_count = 2,
                                  .output = &output,
                                  .max_output_tokens = 77};
    model.api_key = "sk-1";
    call_well(f, &model, &request);
    json_t *requests = requests_of(f, name);
    static const char mark[] = ",\"cache_control\":{\"type\":\"ephemeral\"}}";
    assert_string_equal(body_at(f, requests, 0, "max_tokens"), "77");
    assert_string_equal(body_at(f, requests, 0, "stream"), "true");
    assert_string_equal(body_at(f, requests, 0, "system.0"),
                        arena_printf(f->arena, "{\"type\":\"text\",\"text\":\"Be kind.\"%s", mark));
    assert_null(json_at(requests, "0.body.tools.0.cache_control"));
    assert_non_null(json_at(requests, "0.body.tools.1.cache_control"));
    assert_string_equal(body_at(f, requests, 0, "messages.0.content"), "[{\"type\":\"text\",\"text\":\"one\"}]");
    assert_non_null(json_at(requests, "0.body.messages.2.content.0.cache_control"));
    assert_null(json_at(requests, "0.body.messages.3.content.0.cache_control"));
    assert_non_null(json_at(requests, "0.body.messages.4.content.0.cache_control"));
    assert_string_equal(body_at(f, requests, 0, "output_config"),
                        "{\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\"}}}");
    assert_string_equal(json_str(json_at(requests, "0.headers"), "content-type", ""), "application/json");
}

static void openai_requests(void **state) {
    struct fixture *f = *state;
    const char *name;
    struct llm_output output = {.name = "plan", .schema = json_of(f, "{'type': 'object'}"), .is_strict = true};
    struct llm_tool tool = weather(f);
    struct llm_request request = ask(f, "Hi");
    request.output = &output;
    request.system = "Be kind.";
    request.tools = &tool;
    request.tool_count = 1;
    struct llm_model model = script_keyed(f, LLM_RESPONSES, "[{'json': {'a': 1}}]", "sk-2", &name);
    model.api_key = "sk-2";
    call_well(f, &model, &request);
    json_t *requests = requests_of(f, name);
    assert_string_equal(body_at(f, requests, 0, "store"), "false");
    assert_string_equal(body_at(f, requests, 0, "include"), "[\"reasoning.encrypted_content\"]");
    assert_string_equal(body_at(f, requests, 0, "instructions"), "\"Be kind.\"");
    assert_string_equal(body_at(f, requests, 0, "max_output_tokens"), "8192");
    assert_string_equal(
        body_at(f, requests, 0, "text.format"),
        "{\"type\":\"json_schema\",\"name\":\"plan\",\"schema\":{\"type\":\"object\"},\"strict\":true}");
    assert_string_equal(body_at(f, requests, 0, "tools.0.strict"), "false");
    assert_string_equal(body_at(f, requests, 0, "input.0.content.0"), "{\"type\":\"input_text\",\"text\":\"Hi\"}");

    model = script(f, LLM_CHAT, "[{'json': {'a': 1}}]", &name);
    call_well(f, &model, &request);
    requests = requests_of(f, name);
    assert_string_equal(body_at(f, requests, 0, "max_tokens"), "8192");
    assert_string_equal(body_at(f, requests, 0, "stream_options"), "{\"include_usage\":true}");
    assert_string_equal(body_at(f, requests, 0, "messages.0"), "{\"role\":\"system\",\"content\":\"Be kind.\"}");
    assert_string_equal(body_at(f, requests, 0, "response_format.json_schema.strict"), "true");
    assert_null(json_at(requests, "0.headers.authorization"));

    model = script(f, LLM_RESPONSES, "[{'text': 'x'}]", &name);
    model.name = "gpt-4.1-mini"; /* which does not think */
    call_well(f, &model, &request);
    assert_null(json_at(requests_of(f, name), "0.body.include"));
}

static void ollama_requests(void **state) {
    struct fixture *f = *state;
    const char *name;
    struct llm_output output = {.name = "plan", .schema = json_of(f, "{'type': 'object'}")};
    struct llm_request request = ask(f, "Hi");
    request.output = &output;
    struct llm_model model = script(f, LLM_OLLAMA, "[{'json': {'a': 1}}]", &name);
    model.context_tokens = 32768;
    model.max_output_tokens = 99;
    call_well(f, &model, &request);
    json_t *requests = requests_of(f, name);
    assert_string_equal(body_at(f, requests, 0, "options"), "{\"num_predict\":99,\"num_ctx\":32768}");
    assert_string_equal(body_at(f, requests, 0, "format"), "{\"type\":\"object\"}");
}

static void stops_are_understood(void **state) {
    struct fixture *f = *state;
    const char *name;
    static const struct {
        enum llm_format format;
        const char *stop;
        enum llm_stop is;
    } rows[] = {
        {LLM_ANTHROPIC, "length", LLM_STOP_LENGTH},   {LLM_ANTHROPIC, "refusal", LLM_STOP_REFUSAL},
        {LLM_ANTHROPIC, "pause", LLM_STOP_PAUSE},     {LLM_RESPONSES, "length", LLM_STOP_LENGTH},
        {LLM_RESPONSES, "refusal", LLM_STOP_REFUSAL}, {LLM_CHAT, "length", LLM_STOP_LENGTH},
        {LLM_CHAT, "refusal", LLM_STOP_REFUSAL},      {LLM_OLLAMA, "length", LLM_STOP_LENGTH},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct llm_model model =
            script(f, rows[i].format, arena_printf(f->arena, "[{'text': 'Well', 'stop': '%s'}]", rows[i].stop), &name);
        struct llm_request request = ask(f, "Hi");
        call_well(f, &model, &request);
        assert_int_equal(f->reply.stop, rows[i].is);
        assert_string_equal(f->reply.parts[0].text, "Well");
    }
}

/* The limit may cut arguments in the middle: such a call was never made. */
static void calls_cut_by_the_limit_are_left_out(void **state) {
    struct fixture *f = *state;
    const char *name;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct llm_model model = script(f, formats[i],
                                        "[{'text': 'I write', 'stop': 'length', 'toolCalls': [{'id': 'c', 'name': "
                                        "'write', 'arguments': '{\\'path\\': \\'src/a'}]}]",
                                        &name);
        struct llm_request request = ask(f, "Hi");
        call_well(f, &model, &request);
        assert_int_equal(f->reply.stop, LLM_STOP_LENGTH);
        assert_int_equal(f->reply.part_count, 1);
        assert_int_equal(f->reply.attempts, 1);
    }
}

static void unknown_events_and_silence_do_no_harm(void **state) {
    struct fixture *f = *state;
    const char *name;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct llm_model model = script(f, formats[i],
                                        "[{'text': 'Well', 'unknown': true, 'toolCalls': [{'name': 't', 'arguments': "
                                        "{'a': [1, {'b': null}]}}]}, {'usage': null}]",
                                        &name);
        struct llm_request request = ask(f, "Hi");
        call_well(f, &model, &request);
        assert_int_equal(f->reply.part_count, 2);
        assert_string_equal(json_text(f->arena, f->reply.parts[1].arguments), "{\"a\":[1,{\"b\":null}]}");
        call_well(f, &model, &request);
        assert_int_equal(f->reply.part_count, 0);
        assert_false(f->reply.is_usage_known);
        assert_string_equal(llm_text(&f->reply, f->arena), "");
    }
}

/* What one provider sealed is not shown to another. */
static void opaque_parts_stay_with_their_format(void **state) {
    struct fixture *f = *state;
    const char *name;
    struct llm_part foreign[] = {{.kind = LLM_OPAQUE, .name = "nobody", .opaque = json_of(f, "{'type': 'secret'}")},
                                 {.kind = LLM_TEXT, .text = "before"}};
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct llm_model model = script(f, formats[i], "[{'text': 'x'}]", &name);
        struct llm_request request = ask(f, "Hi");
        struct llm_message messages[] = {
            request.messages[0], {.role = LLM_ASSISTANT, .parts = foreign, .part_count = 2}, request.messages[0]};
        request.messages = messages;
        request.message_count = 3;
        call_well(f, &model, &request);
        assert_null(strstr(json_text(f->arena, requests_of(f, name)), "secret"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(texts_are_streamed),
        T(tools_are_called_and_answered),
        T(anthropic_requests),
        T(openai_requests),
        T(ollama_requests),
        T(stops_are_understood),
        T(calls_cut_by_the_limit_are_left_out),
        T(unknown_events_and_silence_do_no_harm),
        T(opaque_parts_stay_with_their_format),
    };
    return cmocka_run_group_tests(tests, models_start, models_stop);
}
