/* tag: how processes of a command are told from all others, wherever they moved to. */
#include "sandbox/tag.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "sandbox/sandbox.h"

#define MARK_FLAG (UINT64_C(1) << 62)
#define MARK_COMMAND_BITS 32

/* Of the process, as the tag is: commands of one process must differ, whichever thread starts them. */
static struct {
    pthread_mutex_t lock; /* guards text */
    char *text;
    pthread_once_t once;
    uint64_t first_mark; /* MARK_FLAG, random bits that tell servers apart, and room for the command's number; or 0 */
    atomic_uint_fast32_t commands;
} server = {.lock = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT};

static void choose_first_mark(void) {
    struct rlimit own;
    uint32_t random = 0;
    if (getrlimit(RLIMIT_RTTIME, &own) < 0 || own.rlim_max != RLIM_INFINITY)
        return;
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        random = (uint32_t)getpid();
    server.first_mark = MARK_FLAG | ((uint64_t)(random >> 2) << MARK_COMMAND_BITS);
}

void tag_make(struct tag *out) {
    (void)pthread_once(&server.once, choose_first_mark);
    uint32_t command = (uint32_t)atomic_fetch_add(&server.commands, 1) + 1;
    (void)pthread_mutex_lock(&server.lock);
    out->variable =
        mem_printf("PRAZIUM_COMMAND=%s/%d-%" PRIu32, server.text ? server.text : "prazium", (int)getpid(), command);
    (void)pthread_mutex_unlock(&server.lock);
    out->mark = server.first_mark ? server.first_mark + command : 0;
}

bool tag_is_stray_mark(uint64_t mark) {
    (void)pthread_once(&server.once, choose_first_mark);
    return server.first_mark && mark && mark != RLIM_INFINITY &&
           mark >> MARK_COMMAND_BITS != server.first_mark >> MARK_COMMAND_BITS;
}

void sandbox_set_tag(const char *tag) {
    (void)pthread_mutex_lock(&server.lock);
    free(server.text);
    server.text = mem_strdup(tag);
    (void)pthread_mutex_unlock(&server.lock);
}
