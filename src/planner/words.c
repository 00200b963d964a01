/* words: splitting a text into stemmed words, marking what is negated, and finding phrases. */
#include "planner/words.h"

#include <libstemmer.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define MAX_WORDS 8000
#define MAX_WORD_BYTES 60

struct stemmer {
    struct sb_stemmer *sb;
};

static void stemmer_release(void *arg) {
    sb_stemmer_delete(((struct stemmer *)arg)->sb);
}

struct stemmer *stemmer_create(struct arena *arena) {
    struct stemmer *stemmer = arena_alloc(arena, sizeof *stemmer);
    stemmer->sb = sb_stemmer_new("english", NULL);
    arena_defer(arena, stemmer_release, stemmer);
    return stemmer;
}

static uint32_t hash_text(const char *text) {
    uint32_t hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

static uint32_t code_point(const char *text, size_t len) {
    const unsigned char *bytes = (const unsigned char *)text;
    if (len == 1)
        return bytes[0];
    if (len == 2)
        return (bytes[0] & 0x1fu) << 6 | (bytes[1] & 0x3fu);
    if (len == 3)
        return (bytes[0] & 0xfu) << 12 | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
    return (bytes[0] & 7u) << 18 | (bytes[1] & 0x3fu) << 12 | (bytes[2] & 0x3fu) << 6 | (bytes[3] & 0x3fu);
}

/* Letters and digits: ASCII ones, and what lies outside the blocks of signs, punctuation and pictures. */
static bool is_letter(uint32_t c) {
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (c < 0xc0 || c == 0xd7 || c == 0xf7 || c == 0xfeff)
        return false;
    return !(c >= 0x2000 && c < 0x2c00) && !(c >= 0x3000 && c < 0x3040) && !(c >= 0xe000 && c < 0xf900) &&
           !(c >= 0xfe00 && c < 0xfe70) && !(c >= 0xff00 && c < 0xff10) && c < 0x1f000;
}

/* Lower case of one character, in place: ASCII, Latin-1, Greek and Cyrillic, whose forms are equally long. */
static bool lower_in_place(char *text, size_t len) {
    if (len == 1) {
        if (*text < 'A' || *text > 'Z')
            return false;
        *text = (char)(*text + 32);
        return true;
    }
    if (len != 2)
        return false;
    uint32_t c = code_point(text, len), to = 0;
    if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
        to = c + 32;
    else if (c >= 0x400 && c <= 0x40f)
        to = c + 80;
    if (!to)
        return false;
    text[0] = (char)(0xc0 | to >> 6);
    text[1] = (char)(0x80 | (to & 0x3f));
    return true;
}

static char punctuation_of(const char *text, size_t len) {
    if (len == 1)
        return strchr(".!?\n", *text) ? '.' : strchr(",:;(-", *text) ? *text : strchr(")[]{}|/+*", *text) ? ',' : 0;
    uint32_t c = code_point(text, len);
    if (c == 0x2013 || c == 0x2014)
        return ':';
    if (c == 0x2022 || c == 0x3001 || c == 0xff0c)
        return ',';
    return c == 0x3002 ? '.' : 0;
}

/* The stronger of two marks between words: a full stop outweighs a colon, a colon a comma. */
static char stronger(char a, char b) {
    static const char order[] = "-(,;:.";
    const char *at = a ? strchr(order, a) : NULL, *bt = b ? strchr(order, b) : NULL;
    return bt && (!at || bt > at) ? b : a;
}

static void stem_word(struct stemmer *stemmer, struct arena *arena, struct word *word) {
    const sb_symbol *stem = sb_stemmer_stem(stemmer->sb, (const sb_symbol *)word->text, (int)strlen(word->text));
    word->stem = arena_strdup(arena, (const char *)stem);
    word->hash = hash_text(word->stem);
}

static bool is_negation(const struct word *words, size_t at) {
    const char *text = words[at].text;
    if (str_eq(text, "no") || str_eq(text, "without") || str_eq(text, "excluding") || str_eq(text, "except"))
        return true;
    /* "not", "don't" (split into "don" and "t"), "never": only with need, want, include and the like. */
    return (str_eq(text, "not") || str_eq(text, "t") || str_eq(text, "never")) && at > 0;
}

static bool ends_negation(const struct word *word) {
    return (word->before && word->before != '-') || str_eq(word->text, "but") || str_eq(word->text, "with") ||
           str_eq(word->text, "and") || str_eq(word->text, "only");
}

static void mark_negated(struct words *words) {
    for (size_t i = 0; i < words->count; i++) {
        if (!is_negation(words->items, i))
            continue;
        size_t span = str_eq(words->items[i].text, "without") ? 6 : 4;
        for (size_t j = i + 1; j < words->count && j <= i + span; j++) {
            if (ends_negation(&words->items[j]))
                break;
            words->items[j].is_negated = true;
        }
    }
}

struct splitter {
    struct stemmer *stemmer;
    struct arena *arena;
    struct words *out;
    char word[MAX_WORD_BYTES + 8];
    size_t len;
    char before;
    bool is_capital;
};

static void end_word(struct splitter *splitter) {
    if (splitter->len == 0)
        return;
    struct words *out = splitter->out;
    if (out->count < MAX_WORDS) {
        struct word *word = &out->items[out->count];
        word->text = arena_strndup(splitter->arena, splitter->word, splitter->len);
        word->before = out->count ? splitter->before : '.';
        word->is_capital = splitter->is_capital && word->before != '.';
        stem_word(splitter->stemmer, splitter->arena, word);
        out->count++;
    }
    splitter->len = 0;
    splitter->before = 0;
}

static void add_letter(struct splitter *splitter, const char *text, size_t len) {
    if (splitter->len + len > MAX_WORD_BYTES)
        return;
    char *at = splitter->word + splitter->len;
    memcpy(at, text, len);
    bool was_capital = lower_in_place(at, len);
    if (splitter->len == 0)
        splitter->is_capital = was_capital;
    splitter->len += len;
}

void words_split(struct stemmer *stemmer, struct arena *arena, const char *text, struct words *out) {
    size_t len = strlen(text);
    size_t most = len / 2 + 1 < MAX_WORDS ? len / 2 + 1 : MAX_WORDS;
    *out = (struct words){.items = arena_array(arena, most, sizeof(struct word))};
    struct splitter splitter = {.stemmer = stemmer, .arena = arena, .out = out};
    for (size_t i = 0; i < len;) {
        size_t step = str_utf8_next(text + i, len - i);
        if (step == 0) {
            end_word(&splitter);
            i++;
            continue;
        }
        if (is_letter(code_point(text + i, step))) {
            add_letter(&splitter, text + i, step);
        } else {
            end_word(&splitter);
            splitter.before = stronger(splitter.before, punctuation_of(text + i, step));
        }
        i += step;
    }
    end_word(&splitter);
    mark_negated(out);
}

long words_find(const struct words *words, const struct words *phrase, size_t from) {
    if (phrase->count == 0)
        return -1;
    for (size_t i = from; i + phrase->count <= words->count; i++) {
        size_t j = 0;
        while (j < phrase->count && words->items[i + j].hash == phrase->items[j].hash &&
               str_eq(words->items[i + j].stem, phrase->items[j].stem) &&
               (j == 0 || !words->items[i + j].before || words->items[i + j].before == '-'))
            j++;
        if (j == phrase->count)
            return (long)i;
    }
    return -1;
}

const char *words_key(struct arena *arena, const struct words *words) {
    const char *key = "";
    for (size_t i = 0; i < words->count; i++)
        key = arena_printf(arena, "%s%s%s", key, i ? " " : "", words->items[i].stem);
    return key;
}
