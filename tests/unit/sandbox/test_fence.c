/* Tests of the fence: what a command sees, what it can reach, and that nothing of it is left. */
#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

static struct sandbox_result run(struct fixture *fixture, const struct sandbox_spec *spec) {
    struct sandbox_result result;
    if (sandbox_run(spec, fixture->arena, &result, &fixture->err) != 0)
        fail_msg("%s", fixture->err.message);
    return result;
}

/* What the script says behind the fence. */
static const char *say(struct fixture *fixture, const char *script) {
    struct sandbox_spec spec = fenced_spec_of(fixture, SHELL(script));
    return run(fixture, &spec).output;
}

static void it_works_as_before(void **state) {
    struct fixture *fixture = *state;
    if (must_do_without_fence(fixture))
        return;
    const char *work = fs_join(fixture->arena, fixture->dir, "work");
    struct sandbox_spec spec = fenced_spec_of(fixture, SHELL("pwd; echo $HOME; echo $TMPDIR; touch made; exit 7"));
    struct sandbox_result result = run(fixture, &spec);
    assert_int_equal(result.exit_code, 7);
    assert_string_equal(result.output, arena_printf(fixture->arena, "%s\n%s\n/tmp\n", work, fixture->home));
    assert_true(fs_exists(fs_join(fixture->arena, work, "made")));
    spec.argv = SHELL("kill -TERM $$");
    assert_int_equal(run(fixture, &spec).exit_code, 128 + 15);
    spec.argv = (const char *const[]){"node", "-e", "console.log(os.userInfo().username, os.tmpdir())", NULL};
    assert_string_equal(run(fixture, &spec).output, "fenced /tmp\n");
}

static void what_cannot_start_is_an_error(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_result result;
    if (must_do_without_fence(fixture))
        return;
    struct sandbox_spec spec = fenced_spec_of(fixture, (const char *const[]){"no-such-program", NULL});
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), -ERR_NOT_FOUND);
    /* There is one, but not where the fence is. */
    const char *outside = fs_join(fixture->arena, fixture->dir, "outside");
    assert_int_equal(fs_write_file(outside, "#!/bin/sh\n", 10, 0755, &fixture->err), 0);
    spec.argv = (const char *const[]){outside, NULL};
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), -ERR_NOT_FOUND);
    assert_non_null(strstr(fixture->err.message, "behind the fence"));
}

static void the_system_cannot_be_written(void **state) {
    struct fixture *fixture = *state;
    if (must_do_without_fence(fixture))
        return;
    const char *said = say(fixture, "for path in / /usr /etc /bin /dev /run /proc/sys/kernel /var /etc/ssl/certs; do "
                                    "touch $path/x 2>/dev/null && echo $path; done; "
                                    "for file in /etc/passwd /proc/sys/kernel/core_pattern /proc/sysrq-trigger; do "
                                    "(echo x > $file) 2>/dev/null && echo $file; done; "
                                    "chmod 700 /usr /etc/passwd 2>/dev/null && echo mode; echo end");
    assert_string_equal(said, "end\n");
}

/* The modes of device files are the whole machine's. */
static void devices_are_no_way_out(void **state) {
    struct fixture *fixture = *state;
    struct stat before, after;
    if (must_do_without_fence(fixture))
        return;
    assert_int_equal(stat("/dev/null", &before), 0);
    assert_string_equal(say(fixture,
                            "chmod 0644 /dev/null 2>/dev/null; echo x > /dev/null; head -c 2 /dev/zero | wc -c;"
                            " mknod disk b 8 0 2>/dev/null && echo made; ls /dev/sda /dev/vda /dev/kmsg "
                            "/dev/mem 2>/dev/null; echo end"),
                        "2\nend\n");
    assert_int_equal(stat("/dev/null", &after), 0);
    assert_int_equal(before.st_mode, after.st_mode);
}

static void secrets_are_out_of_sight(void **state) {
    struct fixture *fixture = *state;
    if (must_do_without_fence(fixture))
        return;
    assert_int_equal(setenv("PRAZIUM_TEST_SECRET", "hidden", 1), 0);
    const char *script =
        arena_printf(fixture->arena,
                     "cat /etc/shadow %s/secret /root/.npmrc /etc/ssl/private/* 2>/dev/null; ls %s; ls -d /root /sys "
                     "/home/* /opt /srv /mnt 2>/dev/null; env | grep -c TEST_SECRET; cat /proc/1/environ 2>/dev/null | "
                     "grep -c TEST_SECRET; ls /tmp",
                     fixture->dir, fixture->dir);
    /* Of the folder of the test, those that it was given; of /tmp, the way there. */
    assert_string_equal(say(fixture, script), arena_printf(fixture->arena, "home\nwork\n/home/fenced\n0\n0\n%s\n",
                                                           fixture->dir + strlen("/tmp/")));
}

static void other_processes_are_out_of_sight(void **state) {
    struct fixture *fixture = *state;
    if (must_do_without_fence(fixture))
        return;
    const char *script =
        arena_printf(fixture->arena,
                     "kill -0 %d 2>/dev/null && echo seen; cd /proc; set -- [0-9]*; echo $#; hostname; "
                     "cat self/status | grep -E '^(CapEff|NoNew)'",
                     (int)getpid());
    /* The fence's own first process and the shell. */
    assert_string_equal(say(fixture, script), "2\nfenced\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n");
}

static void there_is_no_way_into_further_namespaces(void **state) {
    struct fixture *fixture = *state;
    if (must_do_without_fence(fixture))
        return;
    assert_string_equal(say(fixture, "unshare -m true 2>/dev/null && echo mount; mount -t tmpfs x /tmp 2>/dev/null && "
                                     "echo mounted; umount /proc/sys 2>/dev/null && echo unmounted; echo end"),
                        "end\n");
}

/* A server of the host's loopback; its port. */
static int listen_somewhere(int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void the_network_is_off_unless_given(void **state) {
    struct fixture *fixture = *state;
    int port = 0;
    if (must_do_without_fence(fixture))
        return;
    CLEANUP(mem_closep) int server = listen_somewhere(&port);
    const char *script =
        arena_printf(fixture->arena,
                     "const s = net.connect(%d, '127.0.0.1'); s.on('connect', () => { console.log('in'); "
                     "s.destroy(); }); s.on('error', (e) => console.log(e.code));",
                     port);
    struct sandbox_spec spec = fenced_spec_of(fixture, (const char *const[]){"node", "-e", script, NULL});
    assert_string_equal(run(fixture, &spec).output, "ECONNREFUSED\n");
    spec.network = SANDBOX_NETWORK_HOST;
    assert_string_equal(run(fixture, &spec).output, "in\n");
}

static void further_folders_are_as_they_are_given(void **state) {
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    if (must_do_without_fence(fixture))
        return;
    const char *names[] = {"readable", "writable", "hidden"};
    const char *paths[3];
    for (size_t i = 0; i < 3; i++) {
        const char *folder = strcmp(names[i], "hidden") == 0 ? fs_join(arena, fixture->home, names[i])
                                                             : fs_join(arena, fixture->dir, names[i]);
        paths[i] = folder;
        assert_int_equal(fs_write_file(fs_join(arena, folder, "file"), "x", 1, 0644, &fixture->err), 0);
    }
    const struct sandbox_folder folders[] = {{paths[0], SANDBOX_READ_ONLY},
                                             {paths[1], SANDBOX_WRITABLE},
                                             {paths[2], SANDBOX_HIDDEN},
                                             {"/no/such/folder", SANDBOX_READ_ONLY}};
    struct sandbox_spec spec = fenced_spec_of(
        fixture, SHELL(arena_printf(arena,
                                    "for f in %s %s %s; do ls $f; (echo y > $f/new) 2>/dev/null && echo yes; "
                                    "done",
                                    paths[0], paths[1], paths[2])));
    spec.folders = folders;
    spec.folder_count = ARRAY_LEN(folders);
    assert_string_equal(run(fixture, &spec).output, "file\nfile\nyes\nyes\n");
    assert_true(fs_exists(fs_join(arena, paths[1], "new")));
    assert_false(fs_exists(fs_join(arena, paths[2], "new")));
}

static void the_git_file_cannot_be_changed(void **state) {
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    if (must_do_without_fence(fixture))
        return;
    const char *git = arena_printf(arena, "%s/work/.git", fixture->dir);
    assert_int_equal(fs_write_file(git, "gitdir: x\n", 10, 0644, &fixture->err), 0);
    assert_string_equal(say(fixture,
                            "(echo gitdir: /evil > .git) 2>/dev/null && echo written; rm -f .git 2>/dev/null && "
                            "echo removed; mv .git other 2>/dev/null && echo moved; mkdir -p sub; "
                            "mv sub/../.git x 2>/dev/null && echo moved; cat .git"),
                        "gitdir: x\n");
}

static void nothing_is_left_behind(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_result result;
    if (must_do_without_fence(fixture))
        return;
    struct sandbox_spec spec = fenced_spec_of(
        fixture, script_of(fixture, "(setsid sleep @ &) ; (setsid sh -c 'trap \"\" TERM; env -i sleep @ & sleep @' &); "
                                    "trap '' TERM; echo ready"));
    assert_int_equal(run(fixture, &spec).exit_code, 0);
    assert_int_equal(count_left(fixture), 0);
    assert_int_equal(count_children(), 0);

    bool is_ready = false;
    spec.argv = script_of(fixture, "trap '' TERM; (setsid sleep @ &); echo ready; sleep @");
    spec.is_cancelled = flag_is_set;
    spec.cancel_arg = spec.on_line_arg = &is_ready;
    spec.on_line = set_flag_when_ready;
    spec.grace_ms = 50;
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), -ERR_CANCELLED);
    assert_int_equal(result.end, SANDBOX_CANCELLED);
    assert_int_equal(count_left(fixture), 0);
}

static void it_may_say_good_bye(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_result result;
    bool is_ready = false;
    if (must_do_without_fence(fixture))
        return;
    struct sandbox_spec spec =
        fenced_spec_of(fixture, SHELL("trap 'echo good-bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done"));
    spec.is_cancelled = flag_is_set;
    spec.cancel_arg = spec.on_line_arg = &is_ready;
    spec.on_line = set_flag_when_ready;
    spec.grace_ms = 20000;
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), -ERR_CANCELLED);
    assert_int_equal(result.exit_code, 3);
    assert_non_null(strstr(result.output, "good-bye"));
}

static void a_fence_may_be_off(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_fence *fence = NULL;
    assert_int_equal(sandbox_fence_open(&fence, SANDBOX_OFF, fixture->dir, &fixture->err), 0);
    assert_string_equal(sandbox_fence_fault(fence), "it is turned off");
    struct sandbox_spec spec = fenced_spec_of(fixture, SHELL("cat ../secret"));
    spec.fence = fence;
    assert_string_equal(run(fixture, &spec).output, "secret\n");
    sandbox_fence_close(fence);
}

static void without_bubblewrap_it_is_down_or_refused(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_fence *fence = NULL;
    const char *path = arena_strdup(fixture->arena, getenv("PATH"));
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    assert_int_equal(sandbox_fence_open(&fence, SANDBOX_BWRAP, fixture->dir, &fixture->err), -ERR_UNAVAILABLE);
    assert_string_equal(fixture->err.message, "commands cannot be fenced: bubblewrap is not installed");
    assert_int_equal(sandbox_fence_open(&fence, SANDBOX_AUTO, fixture->dir, &fixture->err), 0);
    assert_string_equal(sandbox_fence_fault(fence), "bubblewrap is not installed");
    sandbox_fence_close(fence);
    assert_int_equal(setenv("PATH", path, 1), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_works_as_before, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_cannot_start_is_an_error, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_system_cannot_be_written, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(devices_are_no_way_out, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(secrets_are_out_of_sight, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(other_processes_are_out_of_sight, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(there_is_no_way_into_further_namespaces, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_network_is_off_unless_given, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(further_folders_are_as_they_are_given, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_git_file_cannot_be_changed, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(nothing_is_left_behind, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(it_may_say_good_bye, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_fence_may_be_off, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(without_bubblewrap_it_is_down_or_refused, fenced_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
