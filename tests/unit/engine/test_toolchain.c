/* toolchain: commands of the stack on an app in a folder, and starting the app. */
#include "toy.h"

#include <sys/stat.h>

#include "engine/toolchain.h"
#include "sandbox/sandbox.h"

static bool never(void *arg) {
    return false;
}

static bool always(void *arg) {
    return true;
}

static struct app app_in(struct fixture *f, bool (*is_cancelled)(void *arg)) {
    struct app app = {.engine = f->engine,
                      .dir = arena_printf(f->arena, "%s/app", f->dir),
                      .home = arena_printf(f->arena, "%s/home", f->dir),
                      .data = arena_printf(f->arena, "%s/data", f->dir),
                      .is_cancelled = is_cancelled};
    must(f, fs_mkdirs(app.dir, 0755, &f->err));
    return app;
}

static void commands_run_in_the_apps_folder(void **state) {
    struct fixture *f = *state;
    struct sandbox_result result = {0};
    toy_use(f, &(struct toy){.build = "pwd; echo $HOME; exit 4"});
    struct app app = app_in(f, never);
    must(f, app_command(&app, "build", f->arena, &result, &f->err));
    assert_int_equal(result.exit_code, 4);
    assert_string_equal(result.output, arena_printf(f->arena, "%s\n%s\n", app.dir, app.home));
    assert_int_equal(app_command(&app, "deploy", f->arena, &result, &f->err), -ERR_INTERNAL);
    assert_string_equal(f->err.message, "the stack has no command deploy");
}

static void a_cancelled_command_is_stopped(void **state) {
    struct fixture *f = *state;
    struct sandbox_result result = {0};
    toy_use(f, &(struct toy){.build = "exec sleep 600"});
    struct app app = app_in(f, always);
    assert_int_equal(app_command(&app, "build", f->arena, &result, &f->err), -ERR_CANCELLED);
}

static void an_app_is_told_where_it_is(void **state) {
    struct fixture *f = *state;
    struct sandbox_service *service = NULL;
    int port = 0;
    toy_use(f, &(struct toy){.start = "printf 'at %s %s %s' $HOSTNAME $DATABASE_PATH $UPLOADS_PATH; exit 1"});
    struct app app = app_in(f, never);
    assert_int_equal(app_start(&app, &service, &port, &f->err), -ERR_UNAVAILABLE);
    assert_string_equal(f->err.message, arena_printf(f->arena,
                                                     "the app ended before it answered; its last output: at 127.0.0.1 "
                                                     "%s/data/app.db %s/data/uploads",
                                                     f->dir, f->dir));
    assert_null(service);
}

/* It accepts, and never answers. */
static const char mute_server[] =
    "exec node -e \"require('node:net').createServer(() => {}).listen(process.env.PORT)\"";

static void waiting_for_an_answer_can_be_cancelled(void **state) {
    struct fixture *f = *state;
    struct sandbox_service *service = NULL;
    int port = 0;
    toy_use(f, &(struct toy){.start = mute_server});
    struct app app = app_in(f, always);
    int64_t began_ms = clock_mono_ms();
    assert_int_equal(app_start(&app, &service, &port, &f->err), -ERR_CANCELLED);
    assert_true(clock_mono_ms() - began_ms < 9000);
    assert_null(service);
}

static void an_app_that_answers_is_started(void **state) {
    struct fixture *f = *state;
    struct sandbox_service *service = NULL;
    int port = 0;
    toy_use(f, &(struct toy){0});
    struct app app = app_in(f, never);
    must(f, app_start(&app, &service, &port, &f->err));
    assert_true(port > 0);
    assert_true(sandbox_service_is_running(service));
    sandbox_service_stop(service, 1000);
}

/* Once, and with what npm was told; commands see no other setting of whoever runs the server. */
static void npms_settings_are_passed_on(void **state) {
    struct fixture *f = *state;
    struct sandbox_result result = {0};
    toy_use(f, &(struct toy){.build = "env"});
    f->engine->tools = NULL;
    const char *bin = arena_printf(f->arena, "%s/bin", f->dir);
    put_file(bin, "npm",
             "#!/bin/sh\necho \"npm WARN nobody asked\" >&2\n"
             "[ \"$3\" = registry ] && echo http://registry.test/ || echo null\n");
    char *npm = mem_printf("%s/npm", bin);
    assert_int_equal(chmod(npm, 0755), 0);
    free(npm);
    char *before = mem_strdup(getenv("PATH"));
    setenv("PATH", arena_printf(f->arena, "%s:%s", bin, before), 1);
    setenv("SECRET_TOKEN", "s3cret", 1);
    struct app app = app_in(f, never);
    must(f, app_command(&app, "build", f->arena, &result, &f->err));
    const struct tools *tools = tools_of(f->engine);
    setenv("PATH", before, 1);
    free(before);
    assert_non_null(strstr(result.output, "npm_config_registry=http://registry.test/\n"));
    assert_non_null(strstr(result.output, "npm_config_ignore_scripts=true\n"));
    assert_null(strstr(result.output, "npm_config_cafile"));
    assert_null(strstr(result.output, "SECRET_TOKEN"));
    assert_string_equal(tools->hosts[0], "registry.test:80");
    assert_null(tools->hosts[1]);
    /* Behind the fence its folder is seen, but not the data directory above it. */
    assert_string_equal(tools->folders[0].path, bin);
    for (size_t i = 0; i < tools->folder_count; i++)
        assert_string_not_equal(tools->folders[i].path, f->dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(commands_run_in_the_apps_folder), engine_test(a_cancelled_command_is_stopped),
        engine_test(an_app_is_told_where_it_is),      engine_test(waiting_for_an_answer_can_be_cancelled),
        engine_test(an_app_that_answers_is_started),  engine_test(npms_settings_are_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
