/* store: what a caller may rely on: views, refusals, damage, and nothing lost once store_write has returned. */
#include "fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buf.h"

enum { DEADLINE_MS = 60000 };

static int add_one(struct db *db, void *arg, struct err *err) {
    struct account account = {.name = "n", .tier = "free"};
    memcpy(account.id, arg, ID_LEN);
    return store_account_insert(db, &account, err);
}

static bool is_there(struct fixture *f, const char *id) {
    struct account *account = NULL;
    must(f, store_account_get(reader(f), f->arena, id, &account, &f->err));
    return account != NULL;
}

static int read_twice(struct db *db, void *arg, struct err *err) {
    struct fixture *f = arg;
    char id[ID_LEN];
    int64_t before = 0, after = 0;
    int result = store_account_count(db, &before, err);
    id_make(id, "acct");
    if (!result)
        result = store_write(f->store, add_one, id, err);
    if (!result)
        result = store_account_count(db, &after, err);
    if (!result && before != after)
        result = err_set(err, ERR_INTERNAL, "the view changed");
    return result;
}

static int fail_reading(struct db *db, void *arg, struct err *err) {
    return err_set(err, ERR_NOT_FOUND, "not here");
}

static void a_read_sees_one_state(void **state) {
    struct fixture *f = *state;
    int64_t count = 0;
    must(f, store_read(f->store, read_twice, f, &f->err));
    must(f, store_account_count(reader(f), &count, &f->err));
    assert_int_equal(count, 2);
    assert_int_equal(store_read(f->store, fail_reading, NULL, &f->err), -ERR_NOT_FOUND);
    assert_string_equal(f->err.message, "not here");
    must(f, store_read(f->store, read_twice, f, &f->err));
}

static void *read_and_end(void *arg) {
    struct fixture *f = arg;
    struct db *db = NULL;
    return store_reader(f->store, &db, NULL) == 0 ? db : NULL;
}

static void readers_belong_to_threads(void **state) {
    struct fixture *f = *state;
    pthread_t thread;
    void *other = NULL;
    struct db *mine = reader(f);
    assert_ptr_equal(reader(f), mine);
    assert_int_equal(pthread_create(&thread, NULL, read_and_end, f), 0);
    assert_int_equal(pthread_join(thread, &other), 0);
    assert_non_null(other);
    assert_ptr_not_equal(other, mine);
    store_thread_end(f->store);
    store_thread_end(f->store);
    assert_true(is_there(f, f->account_id));
}

static void health_and_check(void **state) {
    struct fixture *f = *state;
    must(f, store_ping(f->store, &f->err));
    must(f, store_check(f->store, &f->err));
    assert_int_equal(store_schema_version(), 2);
}

static void reopen_fails(struct fixture *f, enum err_code code, const char *part) {
    struct store *store = NULL;
    assert_int_equal(store_open(&store, &(struct store_config){.url = f->url}, &f->err), -(int)code);
    assert_null(store);
    if (!strstr(f->err.message, part))
        fail_msg("\"%s\" does not say \"%s\"", f->err.message, part);
}

static void shut(struct fixture *f) {
    db_close(take(f->db));
    store_close(take(f->store));
}

static void a_newer_schema_is_refused(void **state) {
    struct fixture *f = *state;
    must(f, db_run(f->db, NULL, &f->err, "INSERT INTO schema_version VALUES (99, 0)", ""));
    shut(f);
    reopen_fails(f, ERR_UNAVAILABLE, "schema 99");
    must(f, db_open(&f->db, f->url, false, &f->err));
    must(f, db_run(f->db, NULL, &f->err, "DELETE FROM schema_version WHERE version = 99", ""));
    fixture_open(f);
    assert_true(is_there(f, f->account_id));
}

static void a_database_of_another_program_is_refused(void **state) {
    struct fixture *f = *state;
    shut(f);
    assert_int_equal(unlink(f->path), 0);
    must(f, db_open(&f->db, f->url, false, &f->err));
    must(f, db_run(f->db, NULL, &f->err, "CREATE TABLE theirs (a)", ""));
    reopen_fails(f, ERR_UNAVAILABLE, "another program");
}

static void write_file(struct fixture *f, const char *text, off_t cut_at) {
    int fd = open(f->path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    if (text)
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    if (cut_at)
        assert_int_equal(ftruncate(fd, cut_at), 0);
    (void)close(fd);
}

static void a_damaged_file_is_told(void **state) {
    struct fixture *f = *state;
    shut(f);
    /* Without its second half. */
    write_file(f, NULL, 40960);
    reopen_fails(f, ERR_UNAVAILABLE, "malformed");
    assert_non_null(strstr(f->err.message, "open the store"));
    write_file(f, "This has never been a database.                                  ", 0);
    reopen_fails(f, ERR_UNAVAILABLE, "not a database");
    assert_non_null(strstr(f->err.message, f->path));
}

static void a_damaged_page_is_found_by_check(void **state) {
    struct fixture *f = *state;
    struct stat st;
    shut(f);
    assert_int_equal(stat(f->path, &st), 0);
    int fd = open(f->path, O_WRONLY);
    for (off_t page = 3; page < st.st_size / 4096; page += 4)
        assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10, page * 4096), 10);
    (void)close(fd);
    if (store_open(&f->store, &(struct store_config){.url = f->url}, &f->err) == 0)
        assert_int_equal(store_check(f->store, &f->err), -ERR_UNAVAILABLE);
    assert_non_null(strstr(f->err.message, "mage"));
}

/* A file that may not grow fails the commit as a full disk does. */
static void a_failed_commit_stops_the_store(void **state) {
    struct fixture *f = *state;
    struct rlimit before, small;
    char id[ID_LEN], later[ID_LEN], wal[128];
    struct stat st;

    must(f, store_write(f->store, add_one, id_make(id, "acct"), &f->err));
    (void)snprintf(wal, sizeof(wal), "%s-wal", f->path);
    assert_int_equal(stat(wal, &st), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = (rlim_t)st.st_size + 100;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int result = store_write(f->store, add_one, id_make(later, "acct"), &f->err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(result, -ERR_UNAVAILABLE);
    assert_non_null(strstr(f->err.message, "commit: "));

    assert_int_equal(store_write(f->store, add_one, id_make(later, "acct"), &f->err), -ERR_UNAVAILABLE);
    assert_non_null(strstr(f->err.message, "stopped writing"));
    assert_int_equal(store_ping(f->store, &f->err), -ERR_UNAVAILABLE);
    assert_true(is_there(f, id));
    store_close(take(f->store));
    fixture_open(f);
    assert_true(is_there(f, id));
    must(f, store_check(f->store, &f->err));
    must(f, store_write(f->store, add_one, later, &f->err));
}

/* The child of the crash test: writes from several threads, and tells each id once it is acknowledged. */
static void *write_for_ever(void *arg) {
    struct store *store = arg;
    for (;;) {
        char line[ID_LEN + 1];
        id_make(line, "acct");
        if (store_write(store, add_one, line, NULL))
            _exit(2);
        size_t len = strlen(line);
        line[len] = '\n';
        if (write(STDOUT_FILENO, line, len + 1) != (ssize_t)len + 1)
            _exit(3);
    }
}

static int child_main(const char *url) {
    struct store *store = NULL;
    pthread_t thread;
    if (store_open(&store, &(struct store_config){.url = url}, NULL))
        return 1;
    for (int i = 0; i < 8; i++)
        if (pthread_create(&thread, NULL, write_for_ever, store))
            return 1;
    (void)pthread_join(thread, NULL);
    return 1;
}

static pid_t start_child(const char *url, int *out) {
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(fds[1], STDOUT_FILENO);
        (void)execl("/proc/self/exe", "test_store", "--write", url, NULL);
        _exit(4);
    }
    assert_true(pid > 0);
    (void)close(fds[1]);
    *out = fds[0];
    return pid;
}

/* Reads on until there are at_least lines, or to the end. */
static void read_lines(int fd, struct buf *out, size_t at_least) {
    size_t lines = 0;
    char chunk[4096];
    while (lines < at_least) {
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&waiting, 1, DEADLINE_MS), 1);
        ssize_t len = read(fd, chunk, sizeof(chunk));
        assert_true(len >= 0);
        if (len == 0)
            return;
        for (ssize_t i = 0; i < len; i++)
            lines += chunk[i] == '\n';
        buf_put(out, chunk, (size_t)len);
    }
}

static void nothing_acknowledged_is_lost_in_a_crash(void **state) {
    struct fixture *f = *state;
    shut(f);
    for (int round = 0; round < 3; round++) {
        struct buf lines = {0};
        char *rest = NULL;
        int fd = -1, status = 0, count = 0;
        pid_t pid = start_child(f->url, &fd);
        read_lines(fd, &lines, 300);
        assert_int_equal(kill(pid, SIGKILL), 0);
        read_lines(fd, &lines, SIZE_MAX);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        (void)close(fd);

        fixture_open(f);
        for (char *id = strtok_r(lines.data, "\n", &rest); id; id = strtok_r(NULL, "\n", &rest), count++)
            if (!is_there(f, id))
                fail_msg("%s was acknowledged and is lost", id);
        assert_true(count >= 300);
        must(f, store_check(f->store, &f->err));
        store_close(take(f->store));
        buf_release(&lines);
    }
}

static void *open_at_once(void *arg) {
    struct store *store = NULL;
    struct err err = {0};
    if (store_open(&store, &(struct store_config){.url = arg}, &err))
        return mem_strdup(err.message);
    store_close(store);
    return NULL;
}

static void several_may_migrate_at_once(void **state) {
    struct fixture *f = *state;
    pthread_t threads[6];
    char url[128];
    (void)snprintf(url, sizeof(url), "sqlite:%s/fresh.db", f->dir);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_at_once, url), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *failure = NULL;
        assert_int_equal(pthread_join(threads[i], &failure), 0);
        if (failure)
            fail_msg("%s", (char *)failure);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        T(a_read_sees_one_state),
        T(readers_belong_to_threads),
        T(health_and_check),
        T(a_newer_schema_is_refused),
        T(a_database_of_another_program_is_refused),
        T(a_damaged_file_is_told),
        T(a_damaged_page_is_found_by_check),
        T(a_failed_commit_stops_the_store),
        T(nothing_acknowledged_is_lost_in_a_crash),
        T(several_may_migrate_at_once),
    };
    if (argc == 3 && strcmp(argv[1], "--write") == 0)
        return child_main(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
