/* socket_state: who a socket speaks for, and its channels, as its other files change them. */
#include "api/socket.h"
#include "api/usage.h"
#include "base/clock.h"
#include "base/str.h"
#include "model/tier.h"

void socket_know(struct socket *socket, const struct credential *credential, const struct identity *identity) {
    socket->is_known = true;
    socket->credential = *credential;
    socket->checked_ms = clock_mono_ms();
    socket->per_minute = tier_of(identity->tier)->requests_per_minute;
    str_copy(socket->account_id, sizeof socket->account_id, identity->account_id);
    if (identity->key_id[0])
        usage_note(socket->api->usage, identity->key_id, identity->last_used_ms);
}

void socket_forget_channel(struct socket *socket, struct channel *channel) {
    list_remove(channel_node(channel));
    socket->channel_count--;
    channel_close(channel);
}
