/* Tests of git/serve: what git upload-pack answers, what it must not show, and that nothing is left of it. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "git/serve.h"

static const char *main_sha;
static char *own_path; /* of PATH, while a test has another */

static struct serve_request a_request(const char *body) {
    return (struct serve_request){.repo_path = bare,
                                  .folder = root,
                                  .is_advertisement = !body,
                                  .body = body,
                                  .body_len = body ? strlen(body) : 0,
                                  .max_bytes = 1 << 20,
                                  .idle_ms = 20000,
                                  .total_ms = 20000};
}

/* The whole answer; as text it ends at its first NUL. */
static const char *answer_of(const struct serve_request *request, size_t *len) {
    int fd = -1;
    int64_t size = -1;
    ok(repo_serve(request, &fd, &size, &err));
    char *text = arena_alloc(arena, (size_t)size + 1);
    assert_int_equal(pread(fd, text, (size_t)size + 1, 0), size);
    (void)close(fd);
    if (len)
        *len = (size_t)size;
    for (int64_t i = 0; i < size && !len; i++)
        if (!text[i])
            text[i] = ' ';
    return text;
}

static void check_nobody_is_left(void) {
    errno = 0;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static int set_up_history(void **state) {
    int result = set_up(state);
    if (result != 0)
        return result;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    put("a.txt", "one\n");
    const char *first = commit("", "one");
    put("a.txt", "two\n");
    main_sha = commit(first, "two");
    set_ref("refs/heads/main", main_sha);
    set_ref("refs/tags/run-1", main_sha);
    set_ref("refs/heads/run/2", first);
    set_ref("refs/heads/feat/task-001-shell", first);
    set_ref("refs/heads/mainly", first);
    set_ref("refs/prazium/run-1/integration", first);
    return 0;
}

static void only_what_is_published_is_named(void **state) {
    struct serve_request request = a_request(NULL);
    for (request.version = 0; request.version < 2; request.version++) {
        const char *text = answer_of(&request, NULL);
        assert_non_null(strstr(text, arena_printf(arena, "%s HEAD", main_sha)));
        assert_non_null(strstr(text, arena_printf(arena, "%s refs/heads/main\n", main_sha)));
        assert_non_null(strstr(text, arena_printf(arena, "%s refs/tags/run-1\n", main_sha)));
        assert_non_null(strstr(text, "symref=HEAD:refs/heads/main"));
        assert_null(strstr(text, " filter"));
        assert_true(strstr(text, "version 1") ? request.version == 1 : request.version == 0);
        assert_null(strstr(text, "refs/heads/run"));
        assert_null(strstr(text, "feat"));
        assert_null(strstr(text, "mainly"));
        assert_null(strstr(text, "prazium"));
    }
    assert_non_null(strstr(answer_of(&request, NULL), "version 2\n"));
    request = a_request("0014command=ls-refs\n00010000");
    request.version = 2;
    const char *text = answer_of(&request, NULL);
    assert_string_equal(text, arena_printf(arena, "0032%s HEAD\n003d%s refs/heads/main\n003d%s refs/tags/run-1\n0000",
                                           main_sha, main_sha, main_sha));
    check_nobody_is_left();
}

static void a_pack_holds_the_history(void **state) {
    size_t len;
    struct serve_request request = a_request(arena_printf(arena, "0032want %s\n00000009done\n", main_sha));
    const char *data = answer_of(&request, &len);
    assert_true(str_starts(data, "0008NAK\nPACK"));
    ok(fs_write_file(in_root("pack"), data + 8, len - 8, 0644, &err));
    (void)sh("git init -q %s && cd %s && git index-pack --stdin < %s", in_root("c"), in_root("c"), in_root("pack"));
    assert_string_equal(sh("git -C %s log --format=%%s %s", in_root("c"), main_sha), "two\none\n");
    check_nobody_is_left();
}

static void what_is_no_request_is_refused(void **state) {
    int fd = -1;
    int64_t size = -1;
    struct serve_request request = a_request("hello");
    fails(ERR_VALIDATION, repo_serve(&request, &fd, &size, &err));
    assert_string_equal(err.field, "body");
    assert_int_equal(fd, -1);
    /* Of a commit that is not there git tells the client itself. */
    request = a_request("0032want 0123456789012345678901234567890123456789\n00000009done\n");
    assert_non_null(strstr(answer_of(&request, NULL), "ERR upload-pack: not our ref"));
    request = a_request("0000"); /* wants nothing */
    assert_string_equal(answer_of(&request, NULL), "");
    request.repo_path = root;
    fails(ERR_INTERNAL, repo_serve(&request, &fd, &size, &err));
    request.folder = in_root("absent");
    fails(ERR_UNAVAILABLE, repo_serve(&request, &fd, &size, &err));
    check_nobody_is_left();
}

static void more_than_fits_is_no_answer(void **state) {
    int fd = -1;
    int64_t size = -1;
    struct serve_request request = a_request(arena_printf(arena, "0032want %s\n00000009done\n", main_sha));
    request.max_bytes = 100;
    fails(ERR_TOO_LARGE, repo_serve(&request, &fd, &size, &err));
    assert_int_equal(fd, -1);
    check_nobody_is_left();
}

/* A program of this name and text instead of git. */
static void replace_git(const char *script) {
    const char *folder = in_root("bin");
    ok(fs_write_file(arena_printf(arena, "%s/git", folder), script, strlen(script), 0755, &err));
    own_path = mem_strdup(getenv("PATH"));
    (void)setenv("PATH", arena_printf(arena, "%s:%s", folder, own_path), 1);
}

static int tear_down_history(void **state) {
    if (own_path)
        (void)setenv("PATH", own_path, 1);
    mem_freep(&own_path);
    return tear_down(state);
}

/* It starts others, says something, and does not end. */
static const char stuck_script[] = "#!/bin/sh\n"
                                   "sleep 1000 & sleep 1000 | cat &\n"
                                   "printf something\n"
                                   "exec sleep 1000\n";

static void a_git_that_is_stuck_is_killed(void **state) {
    int fd = -1;
    int64_t size = -1;
    struct serve_request request = a_request(NULL);
    replace_git(stuck_script);
    request.idle_ms = 50;
    fails(ERR_TIMEOUT, repo_serve(&request, &fd, &size, &err));
    check_nobody_is_left();
    request.idle_ms = 20000;
    request.total_ms = 50;
    fails(ERR_TIMEOUT, repo_serve(&request, &fd, &size, &err));
    check_nobody_is_left();
}

static bool is_told(void *arg) {
    return ++*(int *)arg > 1;
}

static void who_goes_away_is_not_worked_for(void **state) {
    int fd = -1, asked = 0;
    int64_t size = -1;
    struct serve_request request = a_request(NULL);
    replace_git(stuck_script);
    request.is_cancelled = is_told;
    request.cancel_arg = &asked;
    fails(ERR_CANCELLED, repo_serve(&request, &fd, &size, &err));
    assert_int_equal(asked, 2);
    check_nobody_is_left();
}

static void git_gets_an_environment_of_ours(void **state) {
    (void)setenv("GIT_DIR", "/elsewhere", 1);
    (void)setenv("SECRET", "x", 1);
    replace_git("#!/bin/sh\nexport -p | sed 's/^export //' | grep -v PATH | grep -v PWD; echo \"$@\"; cat\n");
    struct serve_request request = a_request("the body");
    request.version = 2;
    const char *text = answer_of(&request, NULL);
    (void)unsetenv("GIT_DIR");
    (void)unsetenv("SECRET");
    assert_null(strstr(text, "SECRET"));
    assert_null(strstr(text, "elsewhere"));
    assert_non_null(strstr(text, "GIT_PROTOCOL='version=2'\n"));
    assert_non_null(strstr(text, "GIT_CONFIG_GLOBAL='/dev/null'\n"));
    assert_non_null(strstr(text, "GIT_CONFIG_NOSYSTEM='1'\n"));
    assert_true(str_ends(text, arena_printf(arena, " upload-pack --strict --stateless-rpc %s\nthe body", bare)));
}

static void without_git_it_says_so(void **state) {
    int fd = -1;
    int64_t size = -1;
    struct serve_request request = a_request(NULL);
    own_path = mem_strdup(getenv("PATH"));
    (void)setenv("PATH", in_root("nothing"), 1);
    fails(ERR_UNAVAILABLE, repo_serve(&request, &fd, &size, &err));
    assert_non_null(strstr(err.message, "git is not installed"));
}

static void versions_of_the_protocol(void **state) {
    static const struct {
        const char *header;
        int version;
    } rows[] = {
        {NULL, 0},
        {"", 0},
        {"version=0", 0},
        {"version=1", 1},
        {"version=2", 2},
        {"version=3", 0},
        {"version=22", 0},
        {"Version=2", 0},
        {"version=2\n", 0},
        {" version=2", 0},
        {"version=1:version=2", 2},
        {"version=2:version=1", 2},
        {"x=y:version=2", 2},
        {"::", 0},
        {"version=2;x", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(serve_version(rows[i].header), rows[i].version);
    assert_string_equal(serve_preamble(2), "");
    assert_string_equal(serve_preamble(0), "001e# service=git-upload-pack\n0000");
}

/* What a shell command prints, byte for byte. */
static const char *bytes_of(const char *command, size_t *len) {
    struct buf data = {0};
    const char *path = in_root("bytes");
    (void)sh("{ %s; } > %s", command, path);
    ok(fs_read_file(path, 1 << 20, &data, &err));
    char *copy = arena_alloc(arena, data.len + 1);
    memcpy(copy, data.data, data.len);
    *len = data.len;
    buf_release(&data);
    return copy;
}

static void gzip_is_unpacked(void **state) {
    size_t len;
    struct buf out = {0};
    buf_puts(&out, "before ");
    const char *data = bytes_of("printf 'hello world' | gzip -c", &len);
    ok(serve_gunzip(data, len, 11, &out, &err));
    assert_string_equal(out.data, "before hello world");
    fails(ERR_TOO_LARGE, serve_gunzip(data, len, 10, &out, &err));
    assert_string_equal(out.data, "before hello world");
    for (size_t cut = 0; cut < len; cut++)
        fails(ERR_VALIDATION, serve_gunzip(data, cut, 100, &out, &err));
    fails(ERR_VALIDATION, serve_gunzip("0000", 4, 100, &out, &err));
    fails(ERR_VALIDATION, serve_gunzip("\x1f\x8bxxxxxxxxxxxxxxxxxxxx", 22, 100, &out, &err));
    data = bytes_of("printf 'hello world' | bzip2 -c || printf no", &len);
    fails(ERR_VALIDATION, serve_gunzip(data, len, 100, &out, &err));
    assert_string_equal(out.data, "before hello world");
    buf_release(&out);
}

static void a_bomb_does_not_go_off(void **state) {
    size_t len;
    struct buf out = {0};
    const char *data = bytes_of("head -c 300000000 /dev/zero | gzip -1 -c | gzip -c", &len);
    assert_true(len < 100000);
    ok(serve_gunzip(data, len, 2 << 20, &out, &err)); /* once */
    struct buf second = {0};
    fails(ERR_TOO_LARGE, serve_gunzip(out.data, out.len, 1 << 20, &second, &err));
    assert_int_equal(second.len, 0);
    assert_true(second.capacity <= 4 << 20);
    buf_release(&out);
    buf_release(&second);
}

#define serve_test(name) cmocka_unit_test_setup_teardown(name, set_up_history, tear_down_history)

int main(void) {
    const struct CMUnitTest tests[] = {
        serve_test(only_what_is_published_is_named), serve_test(a_pack_holds_the_history),
        serve_test(what_is_no_request_is_refused),   serve_test(more_than_fits_is_no_answer),
        serve_test(a_git_that_is_stuck_is_killed),   serve_test(who_goes_away_is_not_worked_for),
        serve_test(git_gets_an_environment_of_ours), serve_test(without_git_it_says_so),
        serve_test(versions_of_the_protocol),        serve_test(gzip_is_unpacked),
        serve_test(a_bomb_does_not_go_off),
    };
    return git_run(tests);
}
