/* messages: what webhooks are told, written in the transaction of what happened; the only setter of the states of
 * deliveries. */
#ifndef ENGINE_MESSAGES_H
#define ENGINE_MESSAGES_H

#include "model/delivery.h"
#include "model/project.h"
#include "model/webhook.h"
#include "store/db.h"

struct journal;

/* A delivery for each webhook that listens for what happened; data is read in this transaction. Nothing when it is
 * nothing that webhooks are told. */
MUST_CHECK int messages_of_event(struct journal *journal, const struct event *event, struct err *err);
MUST_CHECK int messages_of_project(struct journal *journal, const struct project *project, enum project_state from,
                                   struct err *err);
MUST_CHECK int messages_of_export(struct journal *journal, const struct export *row, struct err *err);
MUST_CHECK int messages_of_deployment(struct journal *journal, const struct deployment *row, struct err *err);
/* A test message to this webhook, whose row *out is, in the journal's arena. */
MUST_CHECK int messages_ping(struct journal *journal, const struct webhook *webhook, struct webhook_delivery **out,
                             struct err *err);

/* What came of the attempt that row was claimed for (store/webhook_deliveries.h): it is pending again, delivered or
 * failed. Nothing happens when the lease was lost. */
MUST_CHECK int messages_end_attempt(struct journal *journal, const struct webhook_delivery *row, struct err *err);
/* Due at once. ERR_CONFLICT while it is being sent. */
MUST_CHECK int messages_send_again(struct journal *journal, const struct webhook_delivery *row, struct err *err);
/* The webhook is told nothing more, and what it was still to be told has failed. reason: why the server did it; NULL:
 * its owner did. */
MUST_CHECK int messages_disable(struct journal *journal, struct webhook *webhook, const char *reason, struct err *err);

#endif
