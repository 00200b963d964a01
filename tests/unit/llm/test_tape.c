/* tape: calls that are recorded, and answered from the recording. */
#include "models.h"

#include "base/fs.h"
#include "llm/tape.h"

static const char key[] = "sk-very-secret-0123456789";

static const char *folder(struct fixture *f) {
    char *dir = arena_strdup(f->arena, "/tmp/prazium-tape-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static void drop(const char *dir) {
    struct err err;
    assert_int_equal(fs_remove_tree(dir, &err), 0);
}

static const char *file_at(struct fixture *f, const char *dir, const char *name) {
    CLEANUP(buf_release) struct buf text = {0};
    assert_int_equal(fs_read_file(arena_printf(f->arena, "%s/%s", dir, name), 1 << 20, &text, &f->err), 0);
    return arena_strdup(f->arena, text.data);
}

static struct llm_request scoped(struct fixture *f, const char *text, const char *scope, struct llm_tape *tape) {
    struct llm_request request = ask(f, text);
    request.scope = scope;
    request.tape = tape;
    return request;
}

static void calls_are_recorded_and_replayed(void **state) {
    struct fixture *f = *state;
    const char *name, *dir = folder(f);
    struct llm_tape *tape = llm_tape_record(dir);
    struct llm_model model = script(
        f, LLM_ANTHROPIC,
        arena_printf(
            f->arena,
            "[{'thinking': 'Hm.', 'text': 'your key is %s', 'toolCalls': [{'id': 'c1', 'name': 't', "
            "'arguments': {'b': 1, 'a': 2}}], 'usage': {'input': 5, 'output': 6}}, {'text': 'two'}, {'text': 'other'}]",
            key),
        &name);
    model.api_key = key;
    struct llm_request first = scoped(f, "Hi \xff", "task/ui-shell/1", tape);
    struct llm_request second = scoped(f, "More", "task/ui-shell/1", tape), other = scoped(f, "Hi", "questions", tape);
    call_well(f, &model, &first);
    call_well(f, &model, &second);
    call_well(f, &model, &other);
    llm_tape_destroy(tape);
    assert_null(strstr(file_at(f, dir, "task/ui-shell/1/1.json"), key));
    assert_non_null(strstr(file_at(f, dir, "task/ui-shell/1/1.json"), "your key is [key]"));
    assert_non_null(strstr(file_at(f, dir, "task/ui-shell/1/2.json"), "\"two\""));

    /* Neither a key nor a server is needed, and the provider may be another. */
    tape = llm_tape_replay(dir);
    struct llm_model none = {.format = LLM_CHAT};
    first.tape = second.tape = other.tape = tape;
    buf_reset(&f->seen);
    call_well(f, &none, &first);
    assert_int_equal(f->reply.part_count, 3);
    assert_string_equal(f->reply.parts[0].name, "anthropic");
    assert_string_equal(json_str(f->reply.parts[0].opaque, "thinking", ""), "Hm.");
    assert_string_equal(f->reply.parts[2].id, "c1");
    assert_string_equal(json_text(f->arena, f->reply.parts[2].arguments), "{\"b\":1,\"a\":2}");
    assert_string_equal(f->seen.data, "your key is [key]");
    assert_int_equal(f->reply.stop, LLM_STOP_TOOLS);
    assert_int_equal(f->reply.usage.input_tokens, 5);
    assert_int_equal(f->reply.usage.output_tokens, 6);
    assert_true(f->reply.is_usage_known);
    assert_string_equal(f->reply.model, "test-model");
    call_well(f, &none, &other);
    assert_string_equal(f->reply.parts[0].text, "other");
    call_well(f, &none, &second);
    assert_string_equal(f->reply.parts[0].text, "two");
    llm_tape_destroy(tape);
    drop(dir);
}

static void what_was_not_recorded_fails(void **state) {
    struct fixture *f = *state;
    const char *name, *dir = folder(f);
    struct llm_tape *tape = llm_tape_record(dir);
    struct llm_model model = script(f, LLM_CHAT, "[{'text': 'one'}]", &name);
    struct llm_request request = scoped(f, "Hi", "s", tape);
    call_well(f, &model, &request);
    llm_tape_destroy(tape);

    tape = llm_tape_replay(dir);
    request = scoped(f, "Hello", "s", tape);
    assert_int_equal(call(f, &model, &request), -ERR_CONFLICT);
    assert_int_equal(f->reply.fault, LLM_FAULT_TAPE);
    assert_string_equal(f->err.message, "the recording does not fit: call 1 of s was another, message 1 of it differs");
    request = scoped(f, "Hi", "s", tape);
    assert_int_equal(call(f, &model, &request), -ERR_CONFLICT);
    assert_string_equal(f->err.message, "the recording does not fit: it has no call 2 of s");
    request.scope = "../s";
    assert_int_equal(call(f, &model, &request), -ERR_INTERNAL);
    llm_tape_destroy(tape);
    drop(dir);
}

/* A process that ended in between does not write over what is there. */
static void recordings_go_on(void **state) {
    struct fixture *f = *state;
    const char *name, *dir = folder(f);
    struct llm_model model =
        script(f, LLM_CHAT, "[{'text': 'one'}, {'fault': {'kind': 'status', 'status': 400}}, {'text': 'two'}]", &name);
    for (int i = 0; i < 3; i++) {
        struct llm_tape *tape = llm_tape_record(dir);
        struct llm_request request = scoped(f, "Hi", "s", tape);
        assert_int_equal(call(f, &model, &request), i == 1 ? -ERR_UNAVAILABLE : 0);
        llm_tape_destroy(tape);
    }
    assert_non_null(strstr(file_at(f, dir, "s/1.json"), "one"));
    assert_non_null(strstr(file_at(f, dir, "s/2.json"), "two"));
    drop(dir);
}

static void broken_recordings_are_told(void **state) {
    struct fixture *f = *state;
    const char *name, *dir = folder(f);
    struct llm_tape *tape = llm_tape_record(dir);
    struct llm_model model = script(f, LLM_CHAT, "[{'text': 'one'}]", &name);
    struct llm_request request = scoped(f, "Hi", "s", tape);
    call_well(f, &model, &request);
    llm_tape_destroy(tape);
    const char *path = arena_printf(f->arena, "%s/s/1.json", dir);
    char *text = arena_strdup(f->arena, file_at(f, dir, "s/1.json"));
    memcpy(strstr(text, "\"stop\""), "\"stip\"", 6);
    assert_int_equal(fs_write_file(path, text, strlen(text), 0600, &f->err), 0);
    request.tape = tape = llm_tape_replay(dir);
    assert_int_equal(call(f, &model, &request), -ERR_VALIDATION);
    llm_tape_destroy(tape);
    assert_int_equal(fs_write_file(path, text, strlen(text) / 2, 0600, &f->err), 0);
    request.tape = tape = llm_tape_replay(dir);
    assert_int_equal(call(f, &model, &request), -ERR_VALIDATION);
    llm_tape_destroy(tape);
    drop(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(calls_are_recorded_and_replayed),
        T(what_was_not_recorded_fails),
        T(recordings_go_on),
        T(broken_recordings_are_told),
    };
    return cmocka_run_group_tests(tests, models_start, models_stop);
}
