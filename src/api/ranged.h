/* ranged: answers that a client may have already, or in part: tags and ranges of bytes, RFC 9110, 13 and 14. */
#ifndef API_RANGED_H
#define API_RANGED_H

#include "api/call.h"

struct ranged {
    const char *content_type;
    const char *etag; /* strong, with its quotes */
    const char *what; /* "export": for the message of an error */
    int64_t size_bytes;
};

/* Answers the file, or the range of it that is asked for: 200, 206, 304; ERR_RANGE. Takes over fd, which may be -1 when
 * there are no bytes, whatever happens. */
MUST_CHECK int reply_ranged(struct api_call *call, int fd, const struct ranged *ranged, struct err *err);
/* Sends the tag; true, and the answer is 304, when the client has what it names. */
bool reply_unchanged(struct api_call *call, const char *etag);

#endif
