/* seal: texts that only whoever knows a secret can read, by libsodium's secretbox. */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include <stddef.h>

#include "base/arena.h"

/* The len bytes of text, encrypted and authenticated under a key that is made of secret, as base64. */
char *seal_close(struct arena *arena, const char *secret, const char *text, size_t len);
/* What was sealed, NUL-terminated beyond *len; NULL when it was not sealed under this secret, or is damaged. */
char *seal_open(struct arena *arena, const char *secret, const char *sealed, size_t *len);

#endif
