/* fuzz_url: URLs and secrets of webhooks. */
#include "fuzz.h"

#include "base/arena.h"
#include "base/str.h"
#include "net/address.h"
#include "net/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(mem_freep) char *text = fuzz_text(data, size);
    struct arena *arena = arena_create();
    struct err err = {0};
    int any = net_url_check(text, false, &err), public = net_url_check(text, true, &err);

    FUZZ_HOLDS(any == 0 || any == -ERR_VALIDATION);
    FUZZ_HOLDS(public == 0 || public == -ERR_VALIDATION);
    FUZZ_HOLDS(any == 0 || public != 0);
    if (any == 0)
        FUZZ_HOLDS(!strpbrk(text, "\r\n"));
    if (net_secret_is_valid(text))
        FUZZ_HOLDS(str_starts(net_signature(arena, text, "id", 1, "body", 4), "v1,"));
    arena_destroy(arena);
    return 0;
}
