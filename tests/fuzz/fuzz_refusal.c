/* fuzz_refusal: what a model's server says when it gives no answer: a status, two headers on a line each, the body. */
#include "fuzz.h"

#include "llm/wire.h"

static const int64_t month_ms = INT64_C(31) * 24 * 3600 * 1000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(mem_freep) char *status = fuzz_part(&data, &size, '\n');
    CLEANUP(mem_freep) char *exact = fuzz_part(&data, &size, '\n');
    CLEANUP(mem_freep) char *after = fuzz_part(&data, &size, '\n');
    CLEANUP(mem_freep) char *body = fuzz_copy(data, size);
    struct net_header headers[2] = {{"retry-after-ms", exact}, {"retry-after", after}};
    struct net_response head = {.status = atoi(status), .headers = headers, .header_count = 2};
    struct arena *arena = arena_create();
    struct refusal refusal = {0};
    const char *message = NULL;

    refusal_of_answer(&refusal, &head, body, size, arena, &message);
    FUZZ_HOLDS(message && refusal.fault != LLM_FAULT_NONE && refusal.wait_ms >= 0 && refusal.resets_at_ms >= 0);
    head.headers++;
    head.header_count = 0;
    FUZZ_HOLDS(refusal_wait_ms(&head, 0) == 0);
    head.headers = headers;
    head.header_count = 1;
    FUZZ_HOLDS(refusal_wait_ms(&head, 0) <= month_ms);
    arena_destroy(arena);
    return 0;
}
