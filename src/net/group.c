/* group: many HTTP requests under way at a time, on one thread. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/net.h"
#include "net/transfer.h"

#define POLL_MAX_MS 60000

struct net_group {
    CURLM *multi;
    struct list members;
    size_t count;
    atomic_bool is_woken;
};

struct member {
    struct list node;
    CURL *easy;
    void *tag;
    struct transfer transfer;
};

struct net_group *net_group_create(void) {
    struct net_group *group = mem_alloc(sizeof(*group));

    curl_easy_cleanup(transfer_handle()); /* libcurl is up */
    group->multi = curl_multi_init();
    if (!group->multi)
        abort(); /* memory is exhausted */
    list_init(&group->members);
    return group;
}

static void leave(struct net_group *group, struct member *member) {
    (void)curl_multi_remove_handle(group->multi, member->easy);
    transfer_end(&member->transfer);
    curl_easy_cleanup(member->easy);
    list_remove(&member->node);
    free(member);
    group->count--;
}

void net_group_destroy(struct net_group *group) {
    if (!group)
        return;
    list_for_each (node, next_node, &group->members)
        leave(group, container_of(node, struct member, node));
    (void)curl_multi_cleanup(group->multi);
    free(group);
}

int net_group_start(struct net_group *group, const struct net_request *request, struct arena *arena, void *tag,
                    struct err *err) {
    struct member *member = mem_alloc(sizeof(*member));

    member->easy = transfer_handle();
    member->tag = tag;
    list_append(&group->members, &member->node);
    group->count++;
    int result = transfer_begin(&member->transfer, member->easy, request, arena, err);
    if (!result) {
        (void)curl_easy_setopt(member->easy, CURLOPT_PRIVATE, member);
        if (curl_multi_add_handle(group->multi, member->easy))
            result = err_set(err, ERR_UNAVAILABLE, "cannot begin a request");
    }
    if (result)
        leave(group, member);
    return result;
}

size_t net_group_count(const struct net_group *group) {
    return group->count;
}

static bool take_ended(struct net_group *group, struct net_outcome *out) {
    struct member *member = NULL;
    CURLMsg *message;
    int left = 0;

    do
        message = curl_multi_info_read(group->multi, &left);
    while (message && message->msg != CURLMSG_DONE);
    if (!message)
        return false;
    CURLcode code = message->data.result;
    (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &member);
    *out = (struct net_outcome){.tag = member->tag};
    out->result = transfer_result(&member->transfer, member->easy, code, &out->response, &out->err);
    leave(group, member);
    return true;
}

static bool next_ended(struct net_group *group, int64_t wait_ms, struct net_outcome *out) {
    int64_t deadline_ms = clock_mono_ms() + wait_ms;

    for (;;) {
        int running = 0;
        (void)curl_multi_perform(group->multi, &running);
        if (take_ended(group, out))
            return true;
        int64_t left_ms = deadline_ms - clock_mono_ms();
        if (atomic_exchange(&group->is_woken, false) || left_ms <= 0)
            return false;
        (void)curl_multi_poll(group->multi, NULL, 0, (int)(left_ms > POLL_MAX_MS ? POLL_MAX_MS : left_ms), NULL);
    }
}

bool net_group_next(struct net_group *group, int64_t wait_ms, struct net_outcome *out) {
    struct sigpipe sigpipe;
    sigpipe_block(&sigpipe);
    bool has_one = next_ended(group, wait_ms, out);
    sigpipe_restore(&sigpipe);
    return has_one;
}

void net_group_wake(struct net_group *group) {
    atomic_store(&group->is_woken, true);
    (void)curl_multi_wakeup(group->multi);
}
