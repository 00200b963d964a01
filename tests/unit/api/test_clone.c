/* clone: how many repositories are read at once, and what is said to git and to others. */
#include "fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { AT_ONCE_MAX = 8 }; /* api/clone.c */

/* Instead of git: says that it is there, and waits for a line before it answers. */
struct gate {
    int is_there, may_go; /* both ends of pipes that have names */
    char *own_path;
};

static void replace_git(struct fixture *f, const char *script) {
    must(f, fs_write_file(arena_printf(f->arena, "%s/bin/git", f->dir), script, strlen(script), 0755, &f->err));
}

static int open_pipe(const char *path) {
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void gate_open(struct fixture *f, struct gate *gate) {
    const char *there = arena_printf(f->arena, "%s/there", f->dir), *go = arena_printf(f->arena, "%s/go", f->dir);
    gate->is_there = open_pipe(there);
    gate->may_go = open_pipe(go);
    replace_git(f, arena_printf(f->arena, "#!/bin/sh\necho >%s\nread line <%s\nprintf answer\n", there, go));
    gate->own_path = mem_strdup(getenv("PATH"));
    (void)setenv("PATH", arena_printf(f->arena, "%s/bin:%s", f->dir, gate->own_path), 1);
}

static void gate_close(struct gate *gate) {
    (void)setenv("PATH", gate->own_path, 1);
    mem_freep(&gate->own_path);
    (void)close(gate->is_there);
    (void)close(gate->may_go);
}

static void gate_wait(struct gate *gate) {
    char line;
    struct pollfd ready = {.fd = gate->is_there, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, CLIENT_WAIT_MS), 1);
    assert_int_equal(read(gate->is_there, &line, 1), 1);
}

static const char *refs_path(struct fixture *f) {
    return arena_printf(f->arena, "%s/repo.git/info/refs?service=git-upload-pack", add_project(f));
}

static struct client begin(struct fixture *f, const char *path) {
    struct client client = client_open(api_port(f->api));
    client_send(&client, arena_printf(f->arena, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", path,
                                      MEMBER_KEY));
    return client;
}

static void a_few_are_read_at_once(void **state) {
    struct fixture *f = *state;
    struct client clients[AT_ONCE_MAX];
    struct gate gate;
    const char *path = refs_path(f);
    gate_open(f, &gate);
    for (size_t i = 0; i < AT_ONCE_MAX; i++) {
        clients[i] = begin(f, path);
        gate_wait(&gate);
    }
    assert_int_equal(ask(f, "GET", path, NULL), 503);
    assert_string_equal(answer_header(&f->answer, "Retry-After"), "5");
    assert_said(f, "error.code", "UNAVAILABLE");
    assert_int_equal(ask(f, "GET", "/v1/health", NULL), 200); /* there is room for others */
    assert_int_equal(write(gate.may_go, "\n\n\n\n\n\n\n\n", AT_ONCE_MAX), AT_ONCE_MAX);
    for (size_t i = 0; i < AT_ONCE_MAX; i++) {
        assert_true(client_wait_for(&clients[i], "0000answer"));
        client_close(&clients[i]);
    }
    assert_int_equal(write(gate.may_go, "\n", 1), 1);
    assert_int_equal(ask(f, "GET", path, NULL), 200);
    gate_close(&gate);
}

static void who_goes_away_makes_room(void **state) {
    struct fixture *f = *state;
    struct client clients[AT_ONCE_MAX];
    struct gate gate;
    const char *path = refs_path(f);
    gate_open(f, &gate);
    for (size_t i = 0; i < AT_ONCE_MAX; i++) {
        clients[i] = begin(f, path);
        gate_wait(&gate);
    }
    replace_git(f, "#!/bin/sh\nprintf answer\n");
    for (size_t i = 0; i < AT_ONCE_MAX; i++)
        client_close(&clients[i]);
    int64_t deadline_ms = clock_mono_ms() + CLIENT_WAIT_MS;
    while (ask(f, "GET", path, NULL) == 503) {
        assert_true(clock_mono_ms() < deadline_ms);
        (void)poll(NULL, 0, 20); /* until git's death is noticed, which nothing tells */
    }
    assert_int_equal(f->answer.status, 200);
    gate_close(&gate);
}

static void git_is_told_in_plain_text(void **state) {
    struct fixture *f = *state;
    const char *path = refs_path(f);
    assert_int_equal(ask_as(f, OTHER_KEY, "GET", path, "", NULL), 404);
    assert_said(f, "error.code", "NOT_FOUND");
    assert_int_equal(ask_as(f, OTHER_KEY, "GET", path, "User-Agent: git/2.39.5\r\n", NULL), 404);
    assert_string_equal(f->answer.body, "Project not found\n");
    assert_string_equal(answer_header(&f->answer, "Content-Type"), "text/plain; charset=utf-8");
    assert_int_equal(ask_as(f, "pzm_wrong", "GET", path, "User-Agent: git/2.39.5\r\n", NULL), 401);
    assert_string_equal(answer_header(&f->answer, "WWW-Authenticate"), "Basic realm=\"prazium\"");
    /* What went wrong inside is for the log. */
    must(f, fs_remove_tree(arena_printf(f->arena, "%s/tmp", f->dir), &f->err));
    assert_int_equal(ask_as(f, MEMBER_KEY, "GET", path, "User-Agent: git/2.39.5\r\n", NULL), 503);
    assert_null(strstr(f->answer.body, "Something"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        api_test(a_few_are_read_at_once),
        api_test(who_goes_away_makes_room),
        api_test(git_is_told_in_plain_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
