/* pool: the threads on which handlers may block, and a bounded queue before them. */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "http/internal.h"

struct pool {
    struct http_server *server;
    pthread_mutex_t lock; /* all below */
    pthread_cond_t has_work;
    struct http_request *first, *last;
    size_t waiting, most_waiting;
    bool is_ending;
    pthread_t *threads;
    size_t thread_count, most_threads, idle;
};

static struct http_request *next_request(struct pool *pool) {
    (void)pthread_mutex_lock(&pool->lock);
    pool->idle++;
    while (!pool->first && !pool->is_ending)
        (void)pthread_cond_wait(&pool->has_work, &pool->lock);
    pool->idle--;
    struct http_request *request = pool->first;
    if (request) {
        pool->first = request->next;
        pool->waiting--;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return request;
}

static void *run(void *arg) {
    struct pool *pool = arg;
    const struct http_config *config = &pool->server->config;
    struct http_request *request;

    (void)pthread_setname_np(pthread_self(), "http-pool");
    void *state = config->hooks.thread_start ? config->hooks.thread_start(config->context) : NULL;
    while ((request = next_request(pool))) {
        request->thread = state;
        request->match.route->handle(request, &request->reply, config->context);
        /* Taken for sure: a loop does not end while the pool has a request of it. */
        (void)mailbox_put(request->loop->mailbox, &request->note);
    }
    if (config->hooks.thread_stop)
        config->hooks.thread_stop(state, config->context);
    return NULL;
}

/* Another thread; with the lock held, once there are others. */
static int add_thread(struct pool *pool) {
    int failure = thread_start(&pool->threads[pool->thread_count], run, pool);
    pool->thread_count += failure == 0;
    return failure;
}

int pool_create(struct http_server *server, const struct pool_size *size, struct pool **out, struct err *err) {
    struct pool *pool = mem_alloc(sizeof(*pool));
    int failure = 0;

    pool->server = server;
    pool->most_waiting = size->queue;
    pool->most_threads = size->most_threads;
    pool->threads = mem_alloc(size->most_threads * sizeof(*pool->threads));
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->has_work, NULL);
    (void)pthread_mutex_lock(&pool->lock);
    while (!failure && pool->thread_count < size->threads)
        failure = add_thread(pool);
    (void)pthread_mutex_unlock(&pool->lock);
    if (failure) {
        pool_destroy(pool);
        return err_errno(err, ERR_UNAVAILABLE, failure, "cannot start a thread");
    }
    *out = pool;
    return 0;
}

void pool_destroy(struct pool *pool) {
    if (!pool)
        return;
    (void)pthread_mutex_lock(&pool->lock);
    pool->is_ending = true;
    (void)pthread_cond_broadcast(&pool->has_work);
    (void)pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->thread_count; i++)
        (void)pthread_join(pool->threads[i], NULL);
    (void)pthread_cond_destroy(&pool->has_work);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    free(pool);
}

bool pool_submit(struct pool *pool, struct http_request *request) {
    request->next = NULL;
    (void)pthread_mutex_lock(&pool->lock);
    if (pool->waiting >= pool->idle && pool->thread_count < pool->most_threads)
        (void)add_thread(pool);
    bool is_taken = pool->waiting < pool->most_waiting && pool->thread_count > 0;
    if (is_taken) {
        if (pool->first)
            pool->last->next = request;
        else
            pool->first = request;
        pool->last = request;
        pool->waiting++;
        (void)pthread_cond_signal(&pool->has_work);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return is_taken;
}

size_t pool_waiting(struct pool *pool) {
    (void)pthread_mutex_lock(&pool->lock);
    size_t waiting = pool->waiting;
    (void)pthread_mutex_unlock(&pool->lock);
    return waiting;
}
