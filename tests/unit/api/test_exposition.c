/* exposition: the text format of Prometheus: names, labels with anything in them, numbers, histograms of requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/exposition.h"
#include "api/metrics.h"
#include "base/mem.h"

static void a_metric_has_a_head_and_samples(void **state) {
    struct buf out = {0};
    exposition_counter(&out, "prazium_things_total", "Things\\ that \"are\"\ncounted.", 7);
    exposition_metric(&out, "prazium_time_seconds", "gauge", "Time.");
    exposition_us(&out, "prazium_time_seconds", "", (const struct label[]){{"a", "b"}, {"c", "d"}, {0}}, 1500042);
    assert_string_equal(out.data, "# HELP prazium_things_total Things\\\\ that \"are\"\\ncounted.\n"
                                  "# TYPE prazium_things_total counter\n"
                                  "prazium_things_total 7\n"
                                  "# HELP prazium_time_seconds Time.\n"
                                  "# TYPE prazium_time_seconds gauge\n"
                                  "prazium_time_seconds{a=\"b\",c=\"d\"} 1.500042\n");
    buf_release(&out);
}

static void labels_may_be_anything(void **state) {
    struct buf out = {0};
    exposition_int(&out, "x", "_bucket", (const struct label[]){{"le", "a\"b\\c\nd"}, {0}}, INT64_MAX);
    assert_string_equal(out.data, "x_bucket{le=\"a\\\"b\\\\c\\nd\"} 9223372036854775807\n");
    buf_release(&out);
}

static const struct api_route routes[] = {
    {.method = HTTP_GET, .path = "/a"},
    {.method = HTTP_POST, .path = "/b"},
    {.method = HTTP_GET, .path = "/stream", .media = "text/event-stream"},
};

static void ask(struct metrics *metrics, const struct api_route *route, enum http_method method, int status,
                int64_t elapsed_us) {
    metrics_count(metrics, route, method, &(struct http_outcome){.status = status, .elapsed_us = elapsed_us});
}

static void assert_has(const struct buf *out, const char *line) {
    if (!strstr(out->data, line))
        fail_msg("no %s in\n%s", line, out->data);
}

static void requests_are_counted_where_they_belong(void **state) {
    struct metrics *metrics = metrics_create(routes, ARRAY_LEN(routes));
    struct buf out = {0};
    ask(metrics, &routes[0], HTTP_GET, 200, 1000);
    ask(metrics, &routes[0], HTTP_GET, 204, 1001);
    ask(metrics, &routes[0], HTTP_HEAD, 404, 60000000);
    ask(metrics, &routes[1], HTTP_POST, 503, 0);
    ask(metrics, &routes[2], HTTP_GET, 200, 3600000000);
    ask(metrics, NULL, HTTP_OTHER, 405, 30);
    ask(metrics, NULL, HTTP_GET, 0, 30); /* gone before the answer */
    ask(metrics, NULL, HTTP_GET, 999, 30);
    metrics_put_requests(metrics, &out);
#define REQUESTS "\nprazium_http_requests_total{method=\""
#define DURATION "\nprazium_http_request_duration_seconds"
    assert_has(&out, REQUESTS "GET\",route=\"/a\",status=\"2xx\"} 2\n");
    assert_has(&out, REQUESTS "HEAD\",route=\"/a\",status=\"4xx\"} 1\n");
    assert_has(&out, REQUESTS "POST\",route=\"/b\",status=\"5xx\"} 1\n");
    assert_has(&out, REQUESTS "GET\",route=\"/stream\",status=\"2xx\"} 1\n");
    assert_has(&out, REQUESTS "other\",route=\"(none)\",status=\"4xx\"} 1\n");
    assert_has(&out, REQUESTS "GET\",route=\"(none)\",status=\"none\"} 2\n");
    assert_has(&out, DURATION "_bucket{method=\"GET\",route=\"/a\",le=\"0.001\"} 1\n");
    assert_has(&out, DURATION "_bucket{method=\"GET\",route=\"/a\",le=\"0.0025\"} 2\n");
    assert_has(&out, DURATION "_bucket{method=\"GET\",route=\"/a\",le=\"10\"} 2\n");
    assert_has(&out, DURATION "_bucket{method=\"GET\",route=\"/a\",le=\"+Inf\"} 3\n");
    assert_has(&out, DURATION "_sum{method=\"GET\",route=\"/a\"} 60.002001\n");
    assert_has(&out, DURATION "_count{method=\"GET\",route=\"/a\"} 3\n");
    assert_has(&out, DURATION "_count{method=\"POST\",route=\"/b\"} 1\n");
    assert_null(strstr(out.data, DURATION "_count{method=\"GET\",route=\"/stream\"}"));
    buf_release(&out);
    metrics_destroy(metrics);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_metric_has_a_head_and_samples),
        cmocka_unit_test(labels_may_be_anything),
        cmocka_unit_test(requests_are_counted_where_they_belong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
