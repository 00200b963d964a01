/* fuzz_time: ISO 8601 times; what is read, written and read again is the same. */
#include "fuzz.h"

#include "base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(mem_freep) char *text = fuzz_text(data, size);
    int64_t time_ms = 0, again_ms = 0;
    char iso[CLOCK_ISO_LEN];

    if (!clock_parse_iso(text, &time_ms))
        return 0;
    clock_iso(time_ms, iso);
    if (clock_parse_iso(iso, &again_ms)) /* the offset may have led beyond the years that can be written */
        FUZZ_HOLDS(time_ms == again_ms);
    return 0;
}
