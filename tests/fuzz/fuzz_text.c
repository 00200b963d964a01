/* fuzz_text: the questions that base/str and base/fs answer about texts from outside. */
#include "fuzz.h"

#include "base/arena.h"
#include "base/fs.h"
#include "base/str.h"

static void check_encoding(struct arena *arena, const char *text) {
    char *encoded = str_url_encode(arena, text);
    FUZZ_HOLDS(str_url_decode(encoded, false) && str_eq(encoded, text));
    char *decoded = arena_strdup(arena, text);
    if (str_url_decode(decoded, true))
        FUZZ_HOLDS(strlen(decoded) <= strlen(text));
}

static void check_slug(struct arena *arena, const char *text) {
    const char *slug = str_slug(arena, text, 20, "none");
    size_t len = strlen(slug);
    FUZZ_HOLDS(len > 0 && len <= 20 && strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-") == len);
    FUZZ_HOLDS(slug[0] != '-' && slug[len - 1] != '-');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(mem_freep) char *text = fuzz_text(data, size);
    struct arena *arena = arena_create();
    size_t len = strlen(text), count = 0;
    char **parts = NULL;
    int64_t number = 0;

    const char *mended = str_mend(arena, text);
    FUZZ_HOLDS(str_is_utf8(mended, strlen(mended)));
    FUZZ_HOLDS(!str_is_utf8(text, len) || str_eq(text, mended));
    FUZZ_HOLDS(str_utf8_len(mended) <= strlen(mended));
    FUZZ_HOLDS(str_head_len(text, 10) <= 10 && strlen(str_tail(text, 10)) <= 10);
    FUZZ_HOLDS(strlen(str_trim(arena, text)) <= len);
    FUZZ_HOLDS(strlen(str_lower(arena, text)) == len);
    if (str_to_int(text, -5, 500, &number))
        FUZZ_HOLDS(number >= -5 && number <= 500);
    str_split(arena, text, ", ", &parts, &count);
    for (size_t i = 0; i < count; i++)
        FUZZ_HOLDS(parts[i][0] && !strpbrk(parts[i], ", "));
    check_encoding(arena, text);
    check_slug(arena, mended);
    if (fs_is_safe_relative(text))
        FUZZ_HOLDS(text[0] && text[0] != '/' && !str_starts(text, "../") && !strstr(text, "/../"));
    arena_destroy(arena);
    return 0;
}
