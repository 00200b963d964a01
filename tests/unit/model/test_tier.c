/* tier: the table of the contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/tier.h"

static void has_the_tiers_of_the_contract(void **state) {
    size_t count = 0;
    const struct tier *all = tier_all(&count);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(tier_find(all[i].name), &all[i]);
    assert_int_equal(tier_find("free")->requests_per_minute, 60);
    assert_int_equal(tier_find("free")->concurrent_builds, 1);
    assert_int_equal(tier_find("pro")->requests_per_minute, 300);
    assert_int_equal(tier_find("pro")->concurrent_builds, 5);
    assert_int_equal(tier_find("enterprise")->requests_per_minute, 1000);
    assert_true(tier_find("enterprise")->concurrent_builds == TIER_UNLIMITED);
}

static void a_name_that_is_not_known_is_the_least(void **state) {
    assert_null(tier_find("gold"));
    assert_null(tier_find(""));
    assert_null(tier_find(NULL));
    assert_string_equal(tier_of("gold")->name, "free");
    assert_string_equal(tier_of("pro")->name, "pro");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_tiers_of_the_contract),
        cmocka_unit_test(a_name_that_is_not_known_is_the_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
