/* loop: one thread's epoll set: work posted from other threads, and descriptors watched beside HTTP. */
#ifndef HTTP_LOOP_H
#define HTTP_LOOP_H

#include <stdint.h>

#include "base/err.h"

struct http_loop;
struct http_watch;

/* Runs fn(arg) on the loop's thread, soon and in order. From any thread while the server is not yet stopped. */
void http_loop_post(struct http_loop *loop, void (*fn)(void *arg), void *arg);

/* Calls fn on the loop's thread when fd is ready; events and ready are EPOLLIN and so on, level-triggered. On the
 * loop's thread only. The descriptor stays the caller's. When the server stops, fn is called once more with EPOLLHUP
 * and must remove the watch. */
typedef void http_watch_fn(struct http_watch *watch, uint32_t ready, void *arg);
MUST_CHECK int http_loop_watch(struct http_loop *loop, int fd, uint32_t events, http_watch_fn *fn, void *arg,
                               struct http_watch **out, struct err *err);
void http_watch_change(struct http_watch *watch, uint32_t events);
/* May be called from within fn. */
void http_watch_remove(struct http_watch *watch);

#endif
