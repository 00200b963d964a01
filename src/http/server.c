/* server: putting loops, pool and router together; starting and stopping them. */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/internal.h"

static void fill_defaults(struct http_config *config) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t core_count = cores > 0 ? (size_t)cores : 1;

    if (!config->listen)
        config->listen = "127.0.0.1:3001";
    if (!config->loop_count)
        config->loop_count = core_count;
    if (!config->pool_threads)
        config->pool_threads = core_count > 2 ? 2 * core_count : 4;
    if (!config->slow_threads)
        config->slow_threads = 64;
    if (!config->pool_queue)
        config->pool_queue = 1024;
    if (!config->max_body_bytes)
        config->max_body_bytes = 1024 * 1024;
    if (!config->max_connections)
        config->max_connections = 16384;
    if (!config->header_timeout_ms)
        config->header_timeout_ms = 15000;
    if (!config->stream_tick_ms)
        config->stream_tick_ms = 15000;
    if (!config->websocket_ping_ms)
        config->websocket_ping_ms = 20000;
}

static int open_all(struct http_server *server, struct err *err) {
    struct listen_address address;

    int result = listen_parse(server->config.listen, &address, err);
    if (!result)
        result = router_create(server->config.routes, server->config.route_count, &server->router, err);
    for (size_t i = 0; !result && i < server->config.loop_count; i++) {
        struct http_loop *loop = &server->loops[i];
        result = loop_create(server, loop, err);
        if (!result)
            result = listen_open(&address, i == 0, &loop->listener.fd, err);
    }
    if (result)
        return result;
    /* sin_port and sin6_port are at the same place. */
    server->port = ntohs(((struct sockaddr_in *)&address.address)->sin_port);
    return 0;
}

static int start_all(struct http_server *server, struct err *err) {
    const struct http_config *config = &server->config;
    const struct pool_size size = {config->pool_threads, config->pool_threads, config->pool_queue},
                           slow_size = {0, config->slow_threads, config->slow_threads};
    int result = pool_create(server, &size, &server->pool, err);
    if (!result)
        result = pool_create(server, &slow_size, &server->slow_pool, err);
    for (size_t i = 0; !result && i < server->config.loop_count; i++)
        result = loop_start(&server->loops[i], err);
    return result;
}

int http_server_start(const struct http_config *config, struct http_server **out, struct err *err) {
    struct http_server *server = mem_alloc(sizeof(*server));

    server->config = *config;
    fill_defaults(&server->config);
    server->loops = mem_alloc(server->config.loop_count * sizeof(*server->loops));
    int result = open_all(server, err);
    if (!result)
        result = start_all(server, err);
    if (result) {
        http_server_destroy(server);
        return result;
    }
    *out = server;
    return 0;
}

int http_server_port(const struct http_server *server) {
    return server->port;
}

void http_server_stop(struct http_server *server, int64_t grace_ms) {
    if (server->is_stopped)
        return;
    server->is_stopped = true;
    atomic_store(&server->grace_until_ms, clock_mono_ms() + grace_ms);
    for (size_t i = 0; i < server->config.loop_count; i++) {
        if (server->loops[i].is_started)
            (void)mailbox_put(server->loops[i].mailbox, &server->loops[i].drain_note);
    }
    for (size_t i = 0; i < server->config.loop_count; i++) {
        if (server->loops[i].is_started)
            (void)pthread_join(server->loops[i].thread, NULL);
    }
    pool_destroy(server->pool);
    pool_destroy(server->slow_pool);
    server->pool = server->slow_pool = NULL;
}

void http_server_destroy(struct http_server *server) {
    if (!server)
        return;
    http_server_stop(server, 0);
    for (size_t i = 0; i < server->config.loop_count; i++)
        loop_release(&server->loops[i]);
    router_destroy(server->router);
    free(server->loops);
    free(server);
}

void http_server_stats(struct http_server *server, struct http_stats *out) {
    *out = (struct http_stats){.connections = atomic_load(&server->connections)};
    for (size_t i = 0; i < server->config.loop_count; i++) {
        out->requests += atomic_load(&server->loops[i].requests);
        out->streams += atomic_load(&server->loops[i].stream_count);
        out->websockets += atomic_load(&server->loops[i].websocket_count);
    }
    if (server->pool)
        out->pool_waiting = pool_waiting(server->pool) + pool_waiting(server->slow_pool);
}
