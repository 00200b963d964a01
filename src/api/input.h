/* input: what a request brought, checked against its row of the route table; all faults are found at once. */
#ifndef API_INPUT_H
#define API_INPUT_H

#include "api/call.h"

/* Checks the query and the body of call->request by call->route and fills in call->body. Texts in the body are trimmed,
 * ids brought to the form of TypeIDs. ERR_VALIDATION with the faults in call, ERR_MEDIA for a body that is no JSON. */
MUST_CHECK int input_check(struct api_call *call, struct err *err);

/* Checks the members of an object that came otherwise: the faults are in call, of which nothing but the arena is used.
 */
void input_check_members(struct api_call *call, json_t *object, const struct api_field *fields);

#endif
