/* log: one line an event on stderr: time, level, message, key=value pairs; or JSON. Only engine, api and cli log. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level level);
bool log_level_parse(const char *name, enum log_level *out);
void log_set_json(bool is_json);

/* message is a constant; then pairs "key", "value" (both const char *; a NULL value is left out), ended by NULL:
 *   log_event(LOG_INFO, "run ended", "run", run->id, "status", name, NULL);
 * Values are quoted and escaped as needed; a line is one write(2). */
void log_event(enum log_level level, const char *message, ...) __attribute__((sentinel));

#endif
