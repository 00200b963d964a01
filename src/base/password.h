/* password: keeping passwords, by libsodium's Argon2id. */
#ifndef BASE_PASSWORD_H
#define BASE_PASSWORD_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

/* A text to store: algorithm, cost, salt and hash. Takes some 100 ms and 64 MiB, so that only few run at once in a
 * process; the others wait, at most 10 s (ERR_UNAVAILABLE). Not for a thread that must not block. */
MUST_CHECK int password_hash(const char *password, struct arena *arena, const char **out, struct err *err);
/* *matches says whether it is the password of this text. stored NULL: false, after the same time. */
MUST_CHECK int password_verify(const char *stored, const char *password, bool *matches, struct err *err);

#endif
