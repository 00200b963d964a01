/* number: how numbers are printed in generated files and in JSON literals inside them. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/buf.h"

/* As JavaScript's Number::toString (ECMA-262): the fewest digits that read back as the same value; 10, 0.5, 1e+21.
 * value is finite. */
void number_put(struct buf *out, double value);

#endif
