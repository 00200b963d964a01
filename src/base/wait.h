/* wait: condition variables with deadlines that no change of the wall clock moves. */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* For wait_ms. Destroyed with pthread_cond_destroy. */
void wait_init(pthread_cond_t *cond);
/* Waits, with the lock held, until cond is signalled (or for no reason, as condition variables do), but at most ms of
 * real time (the offset of clock_advance_ms does not shorten it). False when the time passed. */
bool wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms);

#endif
