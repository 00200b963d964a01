/* wait: condition variables with deadlines. */
#include "base/wait.h"

#include <errno.h>
#include <time.h>

void wait_init(pthread_cond_t *cond) {
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &attr);
    (void)pthread_condattr_destroy(&attr);
}

bool wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms) {
    struct timespec until;
    if (ms < 0)
        ms = 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    return pthread_cond_timedwait(cond, lock, &until) != ETIMEDOUT;
}
