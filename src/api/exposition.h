/* exposition: writing metrics in Prometheus' text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). */
#ifndef API_EXPOSITION_H
#define API_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define EXPOSITION_MEDIA "text/plain; version=0.0.4; charset=utf-8"

struct label {
    const char *name, *value;
};

/* Begins a metric; its samples follow. type: "counter", "gauge", "histogram". Names are ours and right; what a label
 * says may be anything. */
void exposition_metric(struct buf *out, const char *name, const char *type, const char *help);
/* labels end with one without a name; NULL: none. suffix: "", "_bucket", "_sum", "_count". */
void exposition_int(struct buf *out, const char *name, const char *suffix, const struct label *labels, int64_t value);
/* Seconds out of microseconds, or dollars out of micro-USD. */
void exposition_us(struct buf *out, const char *name, const char *suffix, const struct label *labels, int64_t us);

/* A metric of one sample. */
void exposition_gauge(struct buf *out, const char *name, const char *help, int64_t value);
void exposition_counter(struct buf *out, const char *name, const char *help, int64_t value);

#endif
