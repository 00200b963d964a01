/* serve: what a clone or fetch over HTTP asks of a repository, by the program git: read-only, one request at a time.
 *
 * Protocol: gitprotocol-http(5), gitprotocol-v2(5). What is published is main and the tags; branches of runs under way
 * and what is kept under refs/prazium are not named to anybody. Shallow clones in every version, partial ones in 2. */
#ifndef GIT_SERVE_H
#define GIT_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct serve_request {
    const char *repo_path;
    const char *folder;    /* where the answer lies meanwhile, in a file without a name */
    bool is_advertisement; /* asks for the refs: GET …/info/refs. Else POST …/git-upload-pack, with a body */
    int version;           /* of the protocol, 0 to 2: serve_version() */
    const void *body;
    size_t body_len;
    int64_t max_bytes; /* of the answer */
    int64_t idle_ms;   /* without a byte of it */
    int64_t total_ms;
    /* Asked twice a second, and true ends it: ERR_CANCELLED. May be NULL. */
    bool (*is_cancelled)(void *arg);
    void *cancel_arg;
};

/* The answer's bytes are in *fd, from 0 to *size_bytes; the caller closes it. On return no process is left, whatever
 * happened. ERR_VALIDATION: the body is no request; ERR_TOO_LARGE, ERR_TIMEOUT, ERR_CANCELLED; ERR_UNAVAILABLE: there
 * is no program git here, or no room. What git complained of in an answer of its own ("ERR …") is an answer. */
MUST_CHECK int repo_serve(const struct serve_request *request, int *fd, int64_t *size_bytes, struct err *err);

/* The version that a Git-Protocol header (may be NULL) asks for; 0 for what is not known. */
int serve_version(const char *header);
/* What comes before the refs, up to version 1; "" after it. */
const char *serve_preamble(int version);

/* Appends what a gzip'ed body holds: at most max_bytes, ERR_TOO_LARGE beyond; ERR_VALIDATION if it is none. On failure
 * out is as before. */
MUST_CHECK int serve_gunzip(const void *data, size_t len, size_t max_bytes, struct buf *out, struct err *err);

#endif
