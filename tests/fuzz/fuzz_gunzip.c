/* fuzz_gunzip: bodies of git clients that come compressed. */
#include "fuzz.h"

#include "base/buf.h"
#include "git/serve.h"

enum { MAX_BYTES = 32 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(mem_freep) char *copy = fuzz_copy(data, size);
    CLEANUP(buf_release) struct buf out = {0};
    struct err err = {0};

    buf_puts(&out, "before");
    int result = serve_gunzip(copy, size, MAX_BYTES, &out, &err);
    FUZZ_HOLDS(result == 0 || result == -ERR_VALIDATION || result == -ERR_TOO_LARGE);
    FUZZ_HOLDS(memcmp(out.data, "before", 6) == 0);
    FUZZ_HOLDS(result == 0 ? out.len <= MAX_BYTES + 6 : out.len == 6);
    return 0;
}
