/* number: the shortest decimal form of a double, laid out as JavaScript does. */
#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_DIGITS = 17,      /* always enough to read a double back */
    MOST_PLACES = 21,      /* places before the point before an exponent is used */
    MOST_LEADING_ZEROS = 5 /* zeros after the point before an exponent is used */
};

/* The digits without trailing zeros; *places is where the point goes, counted from their front. */
static size_t shortest_digits(double value, char digits[MOST_DIGITS + 1], int *places) {
    char text[40];
    for (int count = 1; count <= MOST_DIGITS; count++) {
        (void)snprintf(text, sizeof(text), "%.*e", count - 1, value);
        if (strtod(text, NULL) == value)
            break;
    }
    size_t len = 0;
    const char *at = text;
    for (; *at && *at != 'e'; at++)
        if (*at != '.' && len < MOST_DIGITS)
            digits[len++] = *at;
    while (len > 1 && digits[len - 1] == '0')
        len--;
    digits[len] = '\0';
    *places = *at ? (int)strtol(at + 1, NULL, 10) + 1 : 1;
    return len;
}

static void put_zeros(struct buf *out, int count) {
    for (int i = 0; i < count; i++)
        buf_putc(out, '0');
}

void number_put(struct buf *out, double value) {
    char digits[MOST_DIGITS + 1];
    int places = 0;
    if (value == 0) {
        buf_putc(out, '0'); /* -0 as well */
        return;
    }
    if (value < 0) {
        buf_putc(out, '-');
        value = -value;
    }
    int count = (int)shortest_digits(value, digits, &places);
    if (count <= places && places <= MOST_PLACES) {
        buf_puts(out, digits);
        put_zeros(out, places - count);
    } else if (places > 0 && places <= MOST_PLACES) {
        buf_put(out, digits, (size_t)places);
        buf_putc(out, '.');
        buf_puts(out, digits + places);
    } else if (places <= 0 && -places <= MOST_LEADING_ZEROS) {
        buf_puts(out, "0.");
        put_zeros(out, -places);
        buf_puts(out, digits);
    } else {
        buf_putc(out, digits[0]);
        if (count > 1)
            buf_printf(out, ".%s", digits + 1);
        buf_printf(out, "e%+d", places - 1);
    }
}
