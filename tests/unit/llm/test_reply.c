/* reply: JSON in answers, as models give it. */
#include "models.h"

static struct llm_reply reply_of(struct fixture *f, const char *text) {
    struct llm_part *part = arena_alloc(f->arena, sizeof(*part));
    *part = (struct llm_part){.kind = LLM_TEXT, .text = text};
    return (struct llm_reply){.parts = part, .part_count = 1};
}

static void json_is_found(void **state) {
    struct fixture *f = *state;
    static const char *const texts[] = {
        "{\"a\":[1]}",
        "  {\"a\":[1]}\n",
        "```json\n{\"a\":[1]}\n```",
        "Here you are:\n\n```\n{\"a\":\n[1]}\n```\nAnything else?",
        "The plan is {\"a\":[1]} as asked [sic].",
        "Of {these} I take {\"a\":[1]}",
        "Text ``` with {\"a\":[1]}",
        "<think>{no}</think>{\"a\":[1]}",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct llm_reply reply = reply_of(f, texts[i]);
        json_t *json = NULL;
        if (llm_json(&reply, f->arena, &json, &f->err))
            fail_msg("%s: %s", texts[i], f->err.message);
        assert_string_equal(json_text(f->arena, json), "{\"a\":[1]}");
    }
}

static void what_is_none_is_refused(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "the model's answer is empty"},
        {"I cannot.", "the model's answer is not JSON"},
        {"\"a text\"", "the model's answer is not JSON"},
        {"{\"a\":[1", "the model's answer is not JSON"},
        {"{\"a\": \"}", "the model's answer is not JSON"},
        {"}{", "the model's answer is not JSON"},
        {"```json\n{\"a\":\n```", "the model's answer is not JSON"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct llm_reply reply = reply_of(f, rows[i].text);
        json_t *json = NULL;
        assert_int_equal(llm_json(&reply, f->arena, &json, &f->err), -ERR_UNAVAILABLE);
        if (!str_starts(f->err.message, rows[i].says))
            fail_msg("%s: %s", rows[i].text, f->err.message);
    }
    struct llm_reply cut = reply_of(f, "{\"a\":[{}");
    json_t *json = NULL;
    cut.stop = LLM_STOP_LENGTH;
    assert_int_equal(llm_json(&cut, f->arena, &json, &f->err), -ERR_UNAVAILABLE);
    assert_string_equal(f->err.message, "the model's answer was cut before its JSON was whole");
}

static void parts_are_one_text(void **state) {
    struct fixture *f = *state;
    struct llm_part parts[] = {
        {.kind = LLM_TEXT, .text = "{\"a\""}, {.kind = LLM_OPAQUE, .name = "x"}, {.kind = LLM_TEXT, .text = ":1}"}};
    struct llm_reply reply = {.parts = parts, .part_count = 3};
    json_t *json = NULL;
    assert_int_equal(llm_json(&reply, f->arena, &json, &f->err), 0);
    assert_int_equal(json_int(json, "a", 0), 1);
}

static void names_are_read_back(void **state) {
    enum llm_format format = LLM_CHAT;
    enum llm_stop stop = LLM_STOP_END;
    for (int i = 0; i < LLM_FORMAT_COUNT; i++) {
        assert_true(llm_format_parse(llm_format_name((enum llm_format)i), &format));
        assert_int_equal(format, i);
    }
    for (int i = 0; i < LLM_STOP_COUNT; i++) {
        assert_true(llm_stop_parse(llm_stop_name((enum llm_stop)i), &stop));
        assert_int_equal(stop, i);
    }
    assert_false(llm_format_parse("gemini", &format));
    assert_false(llm_stop_parse(NULL, &stop));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(json_is_found),
        T(what_is_none_is_refused),
        T(parts_are_one_text),
        T(names_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
