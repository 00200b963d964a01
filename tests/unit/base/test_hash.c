/* Tests of base/hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/hash.h"

static void hashes(void **state) {
    char hex[HASH_HEX_LEN];
    /* FIPS 180-4 examples. */
    assert_string_equal(hash_sha256_hex(hex, "abc", 3),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(hash_sha256_hex(hex, "", 0),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_int_equal(hash_crc32("123456789", 9), 0xcbf43926);
    assert_int_equal(hash_crc32("", 0), 0);
}

static void writes_hex(void **state) {
    char hex[9];
    hash_hex(hex, "\x00\xff\x1a\xa1", 4);
    assert_string_equal(hex, "00ff1aa1");
}

static void gives_random_bytes(void **state) {
    unsigned char a[32] = {0}, b[32] = {0};
    hash_random(a, sizeof(a));
    hash_random(b, sizeof(b));
    assert_true(memcmp(a, b, sizeof(a)) != 0);
    int seen[5] = {0};
    for (int i = 0; i < 1000; i++) {
        uint32_t value = hash_random_below(5);
        assert_true(value < 5);
        seen[value]++;
    }
    for (int i = 0; i < 5; i++)
        assert_true(seen[i] > 0);
    assert_int_equal(hash_random_below(1), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes),
        cmocka_unit_test(writes_hex),
        cmocka_unit_test(gives_random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
