/* password: keeping passwords, by libsodium's Argon2id. */
#include "base/password.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"

enum { AT_ONCE = 2, PATIENCE_S = 10 };

/* What is compared with when there is nothing, so that the time does not tell. */
static char nobody[crypto_pwhash_STRBYTES];
static sem_t places;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start(void) {
    char random[32];
    hash_random(random, sizeof random); /* which starts libsodium */
    (void)sem_init(&places, 0, AT_ONCE);
    if (crypto_pwhash_str(nobody, random, sizeof random, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        nobody[0] = '\0'; /* without memory nothing is verified either */
}

static int enter(struct err *err) {
    struct timespec end;
    (void)pthread_once(&once, start);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += PATIENCE_S;
    while (sem_clockwait(&places, CLOCK_MONOTONIC, &end) != 0)
        if (errno != EINTR)
            return err_set(err, ERR_UNAVAILABLE, "Too many passwords are being checked; try again");
    return 0;
}

int password_hash(const char *password, struct arena *arena, const char **out, struct err *err) {
    char text[crypto_pwhash_STRBYTES];
    int rc = enter(err);
    if (rc < 0)
        return rc;
    rc = crypto_pwhash_str(text, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                           crypto_pwhash_MEMLIMIT_INTERACTIVE);
    (void)sem_post(&places);
    if (rc != 0)
        return err_set(err, ERR_UNAVAILABLE, "There is not enough memory to hash a password");
    *out = arena_strdup(arena, text);
    return 0;
}

int password_verify(const char *stored, const char *password, bool *matches, struct err *err) {
    int rc = enter(err);
    if (rc < 0)
        return rc;
    bool is_same = crypto_pwhash_str_verify(stored ? stored : nobody, password, strlen(password)) == 0;
    (void)sem_post(&places);
    *matches = is_same && stored;
    return 0;
}
