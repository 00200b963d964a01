/* thread: starting the threads of a server. */
#include <signal.h>

#include "http/internal.h"

int thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg) {
    sigset_t all, before;

    /* Signals are the main thread's; and writing to a vanished peer must not end the process. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    int failure = pthread_create(thread, NULL, run, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}
