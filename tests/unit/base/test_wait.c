/* wait: a deadline that passes, and a signal that comes before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/wait.h"

struct shared {
    pthread_mutex_t lock; /* guards is_told */
    pthread_cond_t changed;
    bool is_told;
};

static void *tell(void *arg) {
    struct shared *shared = arg;
    pthread_mutex_lock(&shared->lock);
    shared->is_told = true;
    pthread_cond_signal(&shared->changed);
    pthread_mutex_unlock(&shared->lock);
    return NULL;
}

static void waits_no_longer_than_asked(void **state) {
    struct shared shared = {.lock = PTHREAD_MUTEX_INITIALIZER};
    wait_init(&shared.changed);
    pthread_mutex_lock(&shared.lock);
    int64_t began_ms = clock_mono_ms();
    while (wait_ms(&shared.changed, &shared.lock, 30))
        ;
    assert_true(clock_mono_ms() - began_ms >= 29);
    assert_false(wait_ms(&shared.changed, &shared.lock, -1));
    pthread_mutex_unlock(&shared.lock);
    pthread_cond_destroy(&shared.changed);
}

static void is_woken(void **state) {
    struct shared shared = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t thread;
    bool in_time = true;
    wait_init(&shared.changed);
    pthread_mutex_lock(&shared.lock);
    assert_int_equal(pthread_create(&thread, NULL, tell, &shared), 0);
    while (!shared.is_told && in_time)
        in_time = wait_ms(&shared.changed, &shared.lock, 20000);
    assert_true(shared.is_told);
    pthread_mutex_unlock(&shared.lock);
    pthread_join(thread, NULL);
    pthread_cond_destroy(&shared.changed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_no_longer_than_asked),
        cmocka_unit_test(is_woken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
