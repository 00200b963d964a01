/* Which addresses and URLs outsiders may name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "base/mem.h"
#include "net/address.h"

static bool is_public(const char *text) {
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return net_address_is_public((const struct sockaddr *)&four);
    assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
    return net_address_is_public((const struct sockaddr *)&six);
}

static void closed_addresses(void **state) {
    static const char *const closed[] = {
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.169.254",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.9",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.0",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "::ffff:169.254.169.254",
        "64:ff9b::127.0.0.1",
        "64:ff9b::192.168.0.1",
        "64:ff9b:1::8.8.8.8",
        "2002:7f00:1::",
        "2002:c0a8:101::1",
        "2002:a9fe:a9fe::",
        "2001::1",
        "2001:1::1",
        "2001:db8::1",
        "3fff::1",
        "100::1",
        "fc00::1",
        "fdff:ffff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "4000::1",
        "1fff::1",
        "5f00::1",
    };
    for (size_t i = 0; i < ARRAY_LEN(closed); i++)
        if (is_public(closed[i]))
            fail_msg("%s is taken for public", closed[i]);
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    assert_false(net_address_is_public((const struct sockaddr *)&local));
}

static void public_addresses(void **state) {
    static const char *const open[] = {
        "1.1.1.1",          "8.8.8.8",         "9.255.255.255", "11.0.0.0",        "100.63.255.255", "100.128.0.0",
        "126.255.255.255",  "128.0.0.1",       "169.253.0.1",   "169.255.0.1",     "172.15.255.255", "172.32.0.0",
        "192.0.1.1",        "192.167.255.255", "192.169.0.0",   "198.17.255.255",  "198.20.0.0",     "223.255.255.255",
        "2606:4700::1111",  "2a00:1450::1",    "2001:200::1",   "2001:4860::8888", "2003::1",        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8", "2002:808:808::",  "3ffe:ffff::1",
    };
    for (size_t i = 0; i < ARRAY_LEN(open); i++)
        if (!is_public(open[i]))
            fail_msg("%s is taken for closed", open[i]);
}

static void urls(void **state) {
    static const char *const fine[] = {
        "https://example.com/hook",         "http://example.com:8080/a?b=c",  "https://8.8.8.8/",
        "https://[2606:4700::1111]:8443/x", "https://localhost.example.com/", "HTTPS://EXAMPLE.COM",
    };
    static const char *const closed[] = {
        "http://localhost/",
        "http://LOCALHOST:3001/x",
        "http://localhost./",
        "http://a.localhost/",
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://017700000001/",
        "http://127.0.0.1./",
        "http://10.0.0.1:80/",
        "http://169.254.169.254/latest",
        "http://[::1]/",
        "http://[::]/",
        "http://[fe80::1%25lo]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]",
        "http://[fd00::1]/",
        "http://0/",
        "http://[64:ff9b::a00:1]/",
    };
    static const char *const never[] = {
        "",
        "nonsense",
        "http://",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "https://:secret@example.com/",
        "https://exa mple.com/",
        "https://example.com/\r\nX: 1",
        "https://example.com:99999/",
    };
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        if (net_url_check(fine[i], true, &err))
            fail_msg("%s: %s", fine[i], err.message);
    for (size_t i = 0; i < ARRAY_LEN(closed); i++) {
        if (net_url_check(closed[i], true, &err) != -ERR_VALIDATION)
            fail_msg("%s is taken for public", closed[i]);
        assert_string_equal(err.message, "must not name a private address");
        if (net_url_check(closed[i], false, &err))
            fail_msg("%s: %s", closed[i], err.message);
    }
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        if (net_url_check(never[i], false, &err) != -ERR_VALIDATION)
            fail_msg("%s is taken for a URL", never[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_addresses),
        cmocka_unit_test(public_addresses),
        cmocka_unit_test(urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
