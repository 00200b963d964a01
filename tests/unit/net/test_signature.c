/* Standard Webhooks: secrets, and signatures that anybody's library verifies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/signature.h"

/* Computed by another library (node:crypto). */
static void a_known_signature(void **state) {
    struct arena *arena = arena_create();
    const char *secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", *body = "{\"test\": 2432232314}";
    assert_string_equal(net_signature(arena, secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, strlen(body)),
                        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_string_not_equal(
        net_signature(arena, secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265331, body, strlen(body)),
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    arena_destroy(arena);
}

static void secrets(void **state) {
    static const char *const bad[] = {
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS=",  /* 23 bytes */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwA", /* no base64 */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa w",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw ",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaL-_w", /* another alphabet */
    };
    struct arena *arena = arena_create();
    const char *one = net_secret_make(arena), *two = net_secret_make(arena);
    char longest[128] = "whsec_", longer[128] = "whsec_";

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (net_secret_is_valid(bad[i]))
            fail_msg("%s is taken for a secret", bad[i]);
    assert_true(net_secret_is_valid(one));
    assert_true(net_secret_is_valid("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    assert_int_equal(strlen(one), 6 + 44);
    assert_string_not_equal(one, two);
    memset(longest + 6, 'A', 88); /* 64 bytes, 65 bytes */
    memcpy(longest + 6 + 86, "==", 3);
    memset(longer + 6, 'A', 88);
    memcpy(longer + 6 + 87, "=", 2);
    assert_true(net_secret_is_valid(longest));
    assert_false(net_secret_is_valid(longer));
    arena_destroy(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_signature),
        cmocka_unit_test(secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
