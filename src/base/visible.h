/* visible: text of others, as it may be shown to people. */
#ifndef BASE_VISIBLE_H
#define BASE_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Appends text: what would move a terminal's cursor, or turn the order of what is shown, as "\x1b" or "\u202e"; what is
 * no UTF-8 as U+FFFD. Tabs stay, and so do line ends if keeps_lines. At most max_bytes, and then a note of how many are
 * left out. */
void visible_put(struct buf *out, const char *text, size_t len, size_t max_bytes, bool keeps_lines);

#endif
