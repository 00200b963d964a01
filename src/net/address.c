/* address: which addresses of the Internet are everybody's, and which belong to the house. */
#include "net/address.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

struct range4 {
    uint32_t net;
    int bits;
};

#define IPV4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static const struct range4 closed4[] = {
    {IPV4(0, 0, 0, 0), 8},       /* this network */
    {IPV4(10, 0, 0, 0), 8},      /* private, RFC 1918 */
    {IPV4(100, 64, 0, 0), 10},   /* carrier-grade NAT, RFC 6598 */
    {IPV4(127, 0, 0, 0), 8},     /* loopback */
    {IPV4(169, 254, 0, 0), 16},  /* link-local; clouds serve their secrets there */
    {IPV4(172, 16, 0, 0), 12},   /* private */
    {IPV4(192, 0, 0, 0), 24},    /* protocol assignments */
    {IPV4(192, 0, 2, 0), 24},    /* documentation */
    {IPV4(192, 88, 99, 0), 24},  /* 6to4 relays */
    {IPV4(192, 168, 0, 0), 16},  /* private */
    {IPV4(198, 18, 0, 0), 15},   /* benchmarks */
    {IPV4(198, 51, 100, 0), 24}, /* documentation */
    {IPV4(203, 0, 113, 0), 24},  /* documentation */
    {IPV4(224, 0, 0, 0), 4},     /* multicast */
    {IPV4(240, 0, 0, 0), 4},     /* reserved, and broadcast */
};

struct range6 {
    uint8_t net[16];
    int bits;
};

/* Of 2000::/3. */
static const struct range6 closed6[] = {
    {{0x20, 0x01, 0x00}, 23},       /* protocol assignments, Teredo among them */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x3f, 0xff, 0x00}, 20},       /* documentation */
};

static bool is_within(const uint8_t address[16], const struct range6 *range) {
    int whole = range->bits / 8, rest = range->bits % 8;
    return memcmp(address, range->net, (size_t)whole) == 0 &&
           (rest == 0 || (address[whole] ^ range->net[whole]) >> (8 - rest) == 0);
}

static bool is_public4(uint32_t address) {
    for (size_t i = 0; i < ARRAY_LEN(closed4); i++) {
        if ((address ^ closed4[i].net) >> (32 - closed4[i].bits) == 0)
            return false;
    }
    return true;
}

static bool is_public6(const uint8_t address[16]) {
    static const struct range6 mapped = {{[10] = 0xff, [11] = 0xff}, 96}, nat64 = {{0, 0x64, 0xff, 0x9b}, 96};
    static const struct range6 six_to_four = {{0x20, 0x02}, 16}, global = {{0x20}, 3};

    if (is_within(address, &mapped) || is_within(address, &nat64))
        return is_public4(IPV4(address[12], address[13], address[14], address[15]));
    if (is_within(address, &six_to_four))
        return is_public4(IPV4(address[2], address[3], address[4], address[5]));
    for (size_t i = 0; i < ARRAY_LEN(closed6); i++) {
        if (is_within(address, &closed6[i]))
            return false;
    }
    return is_within(address, &global);
}

bool net_address_is_public(const struct sockaddr *address) {
    if (address->sa_family == AF_INET)
        return is_public4(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
    if (address->sa_family == AF_INET6)
        return is_public6(((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr);
    return false;
}

/* host as libcurl gives it: IPv4 in whatever notation as four decimal numbers, IPv6 in brackets. */
static bool is_closed_literal(const char *host) {
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    char text[INET6_ADDRSTRLEN + 2];
    size_t len = strlen(host);

    while (len > 0 && host[len - 1] == '.') /* the root of names */
        len--;
    if (len == 0 || len >= sizeof(text))
        return len == 0;
    memcpy(text, host, len);
    text[len] = '\0';
    if (strcasecmp(text, "localhost") == 0 || (len > 10 && strcasecmp(text + len - 10, ".localhost") == 0))
        return true;
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return !net_address_is_public((const struct sockaddr *)&four);
    if (text[0] != '[')
        return false;
    text[strcspn(text, "]%")] = '\0';
    return inet_pton(AF_INET6, text + 1, &six.sin6_addr) != 1 || !net_address_is_public((const struct sockaddr *)&six);
}

static int check_parts(CURLU *url, bool only_public, struct err *err) {
    char *scheme = NULL, *host = NULL, *user = NULL, *password = NULL;
    int result = 0;

    (void)curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    (void)curl_url_get(url, CURLUPART_HOST, &host, 0);
    (void)curl_url_get(url, CURLUPART_USER, &user, 0);
    (void)curl_url_get(url, CURLUPART_PASSWORD, &password, 0);
    if (!scheme || !host || (strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0))
        result = err_set(err, ERR_VALIDATION, "must begin with http:// or https:// and name a host");
    else if (user || password)
        result = err_set(err, ERR_VALIDATION, "must not hold a user or a password");
    else if (only_public && is_closed_literal(host))
        result = err_set(err, ERR_VALIDATION, "must not name a private address");
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_free(password);
    return result;
}

int net_url_check(const char *url, bool only_public, struct err *err) {
    CURLU *parts = curl_url();
    if (!parts)
        return err_set(err, ERR_UNAVAILABLE, "memory is exhausted");
    int result = curl_url_set(parts, CURLUPART_URL, url, 0) ? err_set(err, ERR_VALIDATION, "is not a URL")
                                                            : check_parts(parts, only_public, err);
    curl_url_cleanup(parts);
    return result;
}
