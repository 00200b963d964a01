/* key: the text of API keys and session tokens: "pzm_", 160 random bits and a checksum, so that a mistyped one is known
 * without a look into the database. */
#ifndef MODEL_KEY_H
#define MODEL_KEY_H

#include <stdbool.h>

#include "base/arena.h"

/* A new key, to be shown once: stored is its hash alone. */
char *key_make(struct arena *arena);
/* True when text has the form of a key, and its checksum is right. */
bool key_is_sound(const char *text);
/* Its last four characters, by which people tell keys apart. */
const char *key_hint(const char *text);

/* 256 random bits as hexadecimal digits. */
char *session_token_make(struct arena *arena);
bool session_token_is_sound(const char *text);

#endif
