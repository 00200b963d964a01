/* fuzz_glob: two patterns and a path, a line each: a path that matches both makes them overlap. */
#include "fuzz.h"

#include "base/glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(mem_freep) char *a = fuzz_part(&data, &size, '\n');
    CLEANUP(mem_freep) char *b = fuzz_part(&data, &size, '\n');
    CLEANUP(mem_freep) char *path = fuzz_part(&data, &size, '\n');
    bool overlaps = glob_overlap(a, b);

    FUZZ_HOLDS(overlaps == glob_overlap(b, a));
    FUZZ_HOLDS(glob_is_valid(a) || (!overlaps && !glob_match(a, path)));
    if (glob_is_valid(a))
        FUZZ_HOLDS(glob_overlap(a, a));
    if (glob_match(a, path) && glob_match(b, path))
        FUZZ_HOLDS(overlaps);
    return 0;
}
