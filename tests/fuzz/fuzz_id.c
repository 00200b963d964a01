/* fuzz_id: ids, API keys and session tokens as they are sent. */
#include "fuzz.h"

#include "base/id.h"
#include "base/str.h"
#include "model/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(mem_freep) char *text = fuzz_text(data, size);
    char id[ID_LEN], again[ID_LEN];

    if (id_parse(id, text, "proj")) {
        FUZZ_HOLDS(id_is_valid(id, "proj"));
        FUZZ_HOLDS(id_parse(again, id, "proj") && str_eq(id, again));
    }
    FUZZ_HOLDS(!id_is_valid(text, "proj") || (id_parse(id, text, "proj") && str_eq(id, text)));
    if (key_is_sound(text))
        FUZZ_HOLDS(str_starts(text, "pzm_") && strlen(key_hint(text)) == 4);
    FUZZ_HOLDS(!session_token_is_sound(text) || strlen(text) == 64);
    return 0;
}
