/* exposition: Prometheus' text format. */
#include "api/exposition.h"

/* In help texts quotes stay as they are. */
static void put_escaped(struct buf *out, const char *text, bool is_label) {
    for (; *text; text++) {
        if (*text == '\\')
            buf_puts(out, "\\\\");
        else if (*text == '\n')
            buf_puts(out, "\\n");
        else if (*text == '"' && is_label)
            buf_puts(out, "\\\"");
        else
            buf_putc(out, *text);
    }
}

void exposition_metric(struct buf *out, const char *name, const char *type, const char *help) {
    buf_printf(out, "# HELP %s ", name);
    put_escaped(out, help, false);
    buf_printf(out, "\n# TYPE %s %s\n", name, type);
}

static void put_name(struct buf *out, const char *name, const char *suffix, const struct label *labels) {
    buf_printf(out, "%s%s", name, suffix);
    for (const struct label *label = labels; label && label->name; label++) {
        buf_printf(out, "%s%s=\"", label == labels ? "{" : ",", label->name);
        put_escaped(out, label->value, true);
        buf_putc(out, '"');
    }
    buf_puts(out, labels && labels->name ? "} " : " ");
}

void exposition_int(struct buf *out, const char *name, const char *suffix, const struct label *labels, int64_t value) {
    put_name(out, name, suffix, labels);
    buf_printf(out, "%lld\n", (long long)value);
}

void exposition_us(struct buf *out, const char *name, const char *suffix, const struct label *labels, int64_t us) {
    put_name(out, name, suffix, labels);
    buf_printf(out, "%lld.%06lld\n", (long long)us / 1000000, (long long)us % 1000000);
}

void exposition_gauge(struct buf *out, const char *name, const char *help, int64_t value) {
    exposition_metric(out, name, "gauge", help);
    exposition_int(out, name, "", NULL, value);
}

void exposition_counter(struct buf *out, const char *name, const char *help, int64_t value) {
    exposition_metric(out, name, "counter", help);
    exposition_int(out, name, "", NULL, value);
}
