/* fuzz_words: texts as words, and the forms of nouns. */
#include "fuzz.h"

#include "base/arena.h"
#include "base/str.h"
#include "planner/words.h"

static void check_slug(const char *slug) {
    if (slug)
        FUZZ_HOLDS(slug[0] && strlen(slug) <= 30 &&
                   strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(slug));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(mem_freep) char *text = fuzz_text(data, size);
    struct arena *arena = arena_create();
    struct stemmer *stemmer = stemmer_create(arena);
    struct words words = {0};

    words_split(stemmer, arena, text, &words);
    FUZZ_HOLDS(words.count <= strlen(text));
    FUZZ_HOLDS(words_find(&words, &words, 0) <= 0); /* punctuation parts phrases */
    (void)words_key(arena, &words);
    for (size_t i = 0; i < words.count; i++) {
        const char *word = words.items[i].text;
        FUZZ_HOLDS(word[0] && words.items[i].stem);
        (void)noun_is_plural(word);
        FUZZ_HOLDS(noun_plural(arena, word)[0] && noun_singular(arena, word));
    }
    (void)text_capital(arena, text);
    (void)text_lower_first(arena, text);
    (void)text_camel(arena, text);
    (void)text_article(arena, text);
    check_slug(text_slug(arena, text, 30));
    arena_destroy(arena);
    return 0;
}
