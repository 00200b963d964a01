/* Tests of the patterns of hosts. */
#include "support.h"

#include "sandbox/hosts.h"

static void patterns_match_whole_hosts(void **state) {
    const char *const patterns[] = {"registry.example.com:443", "*.cdn.example.com:*", "[::1]:80", "10.0.0.7:*", NULL};
    static const struct {
        const char *host;
        int port;
        enum hosts_answer answer;
    } cases[] = {
        {"registry.example.com", 443, HOSTS_ALLOWED},
        {"Registry.Example.COM.", 443, HOSTS_ALLOWED},
        {"registry.example.com", 80, HOSTS_REFUSED},
        {"evil-registry.example.com", 443, HOSTS_REFUSED},
        {"registry.example.com.evil", 443, HOSTS_REFUSED},
        {"a.cdn.example.com", 1, HOSTS_PUBLIC_ONLY},
        {"a.b.cdn.example.com", 443, HOSTS_PUBLIC_ONLY},
        {"cdn.example.com", 443, HOSTS_REFUSED},
        {"xcdn.example.com", 443, HOSTS_REFUSED},
        {"::1", 80, HOSTS_ALLOWED},
        {"10.0.0.7", 9999, HOSTS_ALLOWED},
        {"10.0.0.70", 9999, HOSTS_REFUSED},
        {"", 443, HOSTS_REFUSED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(hosts_check(patterns, cases[i].host, cases[i].port), cases[i].answer);
    assert_int_equal(hosts_check(NULL, "example.com", 443), HOSTS_REFUSED);
    assert_int_equal(hosts_check((const char *const[]){"*:443", NULL}, "127.0.0.1", 443), HOSTS_PUBLIC_ONLY);
    assert_int_equal(hosts_check((const char *const[]){"*:443", "127.0.0.1:443", NULL}, "127.0.0.1", 443),
                     HOSTS_ALLOWED);
    const char *const given[] = {"public models.example.com:443", "public nonsense", NULL};
    assert_int_equal(hosts_check(given, "models.example.com", 443), HOSTS_PUBLIC_ONLY);
    assert_int_equal(hosts_check(given, "models.example.com", 80), HOSTS_REFUSED);
    assert_int_equal(hosts_check(given, "public models.example.com", 443), HOSTS_REFUSED);
    assert_int_equal(hosts_check((const char *const[]){"nonsense", ":1", "x:0", NULL}, "x", 0), HOSTS_REFUSED);
}

static void places_are_split(void **state) {
    char host[16];
    int port = 0;
    assert_true(hosts_split("example.com:8080", host, sizeof(host), &port));
    assert_string_equal(host, "example.com");
    assert_int_equal(port, 8080);
    assert_true(hosts_split("[fe80::1]:1", host, sizeof(host), &port));
    assert_string_equal(host, "fe80::1");
    const char *const wrong[] = {"example.com", "example.com:", ":80",
                                 "[]:80",       "::1:80",       "a:65536",
                                 "a:-1",        "a:b",          "a-name-that-is-too-long:80"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(hosts_split(wrong[i], host, sizeof(host), &port));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_whole_hosts),
        cmocka_unit_test(places_are_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
