/* key: the form of API keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/key.h"

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* pzm_, 32 characters of randomness, 6 of their CRC-32 (its low 30 bits, lowest first): a scanner of secrets can tell.
 */
static void keys_have_their_form(void **state) {
    struct arena *arena = arena_create();
    for (int n = 0; n < 200; n++) {
        const char *key = key_make(arena);
        assert_int_equal(strlen(key), 4 + 32 + 6);
        assert_true(str_starts(key, "pzm_"));
        assert_int_equal(strspn(key + 4, alphabet), 38);
        uint32_t crc = hash_crc32(key + 4, 32);
        for (int i = 0; i < 6; i++)
            assert_int_equal(key[36 + i], alphabet[crc >> (5 * i) & 31]);
    }
    arena_destroy(arena);
}

/* All 160 bits are used: each place takes each character, and no two keys are the same. */
static void keys_are_random_in_every_place(void **state) {
    struct arena *arena = arena_create();
    uint32_t seen[32] = {0};
    const char *before = "";
    for (int n = 0; n < 2000; n++) {
        const char *key = key_make(arena);
        assert_string_not_equal(key, before);
        before = key;
        for (int i = 0; i < 32; i++)
            seen[i] |= UINT32_C(1) << (strchr(alphabet, key[4 + i]) - alphabet);
    }
    for (int i = 0; i < 32; i++)
        assert_int_equal(seen[i], UINT32_MAX);
    arena_destroy(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_have_their_form),
        cmocka_unit_test(keys_are_random_in_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
