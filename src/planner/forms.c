/* forms: plural and singular, cases, slugs and articles of English names. */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "planner/words.h"

static const struct {
    const char *singular, *plural;
} irregular[] = {
    {"person", "people"},
    {"child", "children"},
    {"man", "men"},
    {"woman", "women"},
    {"foot", "feet"},
    {"tooth", "teeth"},
    {"goose", "geese"},
    {"mouse", "mice"},
    {"criterion", "criteria"},
    {"analysis", "analyses"},
    {"diagnosis", "diagnoses"},
    {"crisis", "crises"},
    {"leaf", "leaves"},
    {"knife", "knives"},
    {"life", "lives"},
    {"shelf", "shelves"},
    {"half", "halves"},
    {"wolf", "wolves"},
    {"loaf", "loaves"},
    {"calf", "calves"},
    {"apiary", "apiaries"},
    {"bus", "buses"},
    {"gas", "gases"},
    {"status", "statuses"},
    {"campus", "campuses"},
    {"virus", "viruses"},
    {"bonus", "bonuses"},
    {"potato", "potatoes"},
    {"tomato", "tomatoes"},
    {"hero", "heroes"},
    {"quiz", "quizzes"},
    {"medium", "media"},
    {"cactus", "cacti"},
    {"index", "indexes"},
    {"matrix", "matrices"},
    {"movie", "movies"},
    {"cookie", "cookies"},
    {"series", "series"},
    {"species", "species"},
    {"sheep", "sheep"},
    {"fish", "fish"},
    {"equipment", "equipment"},
    {"software", "software"},
    {"furniture", "furniture"},
    {"feedback", "feedback"},
    {"inventory", "inventory"},
    {"staff", "staff"},
    {"news", "news"},
    {"information", "information"},
    {"lens", "lenses"},
    {"axis", "axes"},
    {"box", "boxes"},
    {"calorie", "calories"},
    {"tie", "ties"},
    {"pie", "pies"},
    {"zombie", "zombies"},
    {"selfie", "selfies"},
    {"cafe", "cafes"},
    {"shoe", "shoes"},
    {"canoe", "canoes"},
    {"cache", "caches"},
    {"ache", "aches"},
    {"house", "houses"},
    {"course", "courses"},
    {"horse", "horses"},
    {"nurse", "nurses"},
    {"lease", "leases"},
    {"purchase", "purchases"},
    {"expense", "expenses"},
    {"response", "responses"},
    {"license", "licenses"},
    {"course", "courses"},
    {"database", "databases"},
    {"release", "releases"},
    {"case", "cases"},
    {"phase", "phases"},
    {"base", "bases"},
    {"exercise", "exercises"},
    {"warehouse", "warehouses"},
    {"greenhouse", "greenhouses"},
    {"rose", "roses"},
    {"dose", "doses"},
    {"vase", "vases"},
    {"race", "races"},
    {"disease", "diseases"},
    {"showcase", "showcases"},
    {"use", "uses"},
    {"size", "sizes"},
    {"prize", "prizes"},
    {"cruise", "cruises"},
    {"verse", "verses"},
    {"expertise", "expertise"},
    {"franchise", "franchises"},
    {"premise", "premises"},
    {"spouse", "spouses"},
    {"blouse", "blouses"},
    {"cheese", "cheeses"},
    {"axe", "axes"},
    {"muse", "muses"},
    {"pause", "pauses"},
    {"clause", "clauses"},
    {"cause", "causes"},
    {"noise", "noises"},
    {"enterprise", "enterprises"},
    {"suitcase", "suitcases"},
    {"bookcase", "bookcases"},
};

/* The last word of a name, and where it starts. */
static const char *last_word(const char *text) {
    const char *space = strrchr(text, ' ');
    return space ? space + 1 : text;
}

static const char *with_last(struct arena *arena, const char *text, const char *last, const char *form) {
    char *out = arena_printf(arena, "%.*s%s", (int)(last - text), text, form);
    char *at = out + (last - text);
    if (isupper((unsigned char)*last))
        *at = (char)toupper((unsigned char)*at);
    return out;
}

static const char *irregular_form(const char *word, bool to_plural) {
    for (size_t i = 0; i < ARRAY_LEN(irregular); i++)
        if (strcasecmp(word, to_plural ? irregular[i].singular : irregular[i].plural) == 0)
            return to_plural ? irregular[i].plural : irregular[i].singular;
    return NULL;
}

static bool is_vowel(char c) {
    return c && strchr("aeiouAEIOU", c);
}

const char *noun_plural(struct arena *arena, const char *singular) {
    const char *last = last_word(singular);
    const char *form = irregular_form(last, true);
    if (form)
        return with_last(arena, singular, last, form);
    size_t len = strlen(last);
    if (len == 0)
        return singular;
    if (irregular_form(last, false) && len > 2)
        return singular;
    if (len > 1 && last[len - 1] == 'y' && !is_vowel(last[len - 2]))
        return arena_printf(arena, "%.*sies", (int)(strlen(singular) - 1), singular);
    if (str_ends(last, "s") || str_ends(last, "x") || str_ends(last, "z") || str_ends(last, "ch") ||
        str_ends(last, "sh"))
        return arena_printf(arena, "%ses", singular);
    return arena_printf(arena, "%ss", singular);
}

const char *noun_singular(struct arena *arena, const char *plural) {
    const char *last = last_word(plural);
    const char *form = irregular_form(last, false);
    if (form)
        return with_last(arena, plural, last, form);
    size_t len = strlen(last), all = strlen(plural);
    if (!noun_is_plural(last))
        return plural;
    if (len > 4 && str_ends(last, "ies"))
        return arena_printf(arena, "%.*sy", (int)(all - 3), plural);
    if (str_ends(last, "sses") || str_ends(last, "xes") || str_ends(last, "zes") || str_ends(last, "ches") ||
        str_ends(last, "shes"))
        return arena_strndup(arena, plural, all - 2);
    return arena_strndup(arena, plural, all - 1);
}

bool noun_is_plural(const char *text) {
    const char *last = last_word(text);
    if (irregular_form(last, false))
        return true;
    if (irregular_form(last, true))
        return false;
    static const char *const endings[] = {"ss", "us", "is", "ics", "ous", "'s"};
    size_t len = strlen(last);
    if (len < 4 || last[len - 1] != 's')
        return false;
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (str_ends(last, endings[i]))
            return false;
    return true;
}

const char *text_capital(struct arena *arena, const char *text) {
    char *out = arena_strdup(arena, text);
    unsigned char *at = (unsigned char *)out;
    if (*at < 0x80)
        *at = (unsigned char)toupper(*at);
    else if (at[0] == 0xc3 && at[1] >= 0xa0 && at[1] != 0xb7 && at[1] != 0xbf)
        at[1] -= 0x20;
    return out;
}

const char *text_lower_first(struct arena *arena, const char *text) {
    if (isupper((unsigned char)text[0]) && text[1] && !islower((unsigned char)text[1]) && text[1] != ' ')
        return text; /* an abbreviation */
    char *out = arena_strdup(arena, text);
    if ((unsigned char)*out < 0x80)
        *out = (char)tolower((unsigned char)*out);
    return out;
}

/* Latin letters with accents, as ASCII; what has no such form is left out. */
static const char *fold(struct arena *arena, const char *text) {
    static const char latin[] = "AAAAAAACEEEEIIIIDNOOOOO OUUUUYTsaaaaaaaceeeeiiiidnooooo ouuuuyty";
    char *out = arena_alloc(arena, strlen(text) * 2 + 1), *at = out;
    for (size_t i = 0, len = strlen(text); i < len;) {
        size_t step = str_utf8_next(text + i, len - i);
        const unsigned char *bytes = (const unsigned char *)text + i;
        if (step == 1) {
            *at++ = text[i];
        } else if (step == 2 && bytes[0] == 0xc3) {
            char c = latin[bytes[1] - 0x80];
            *at++ = c;
            if (bytes[1] == 0x9f)
                *at++ = 's';
            else if (bytes[1] == 0xa4 || bytes[1] == 0xb6 || bytes[1] == 0xbc)
                *at++ = 'e';
        }
        i += step ? step : 1;
    }
    return out;
}

const char *text_camel(struct arena *arena, const char *text) {
    const char *folded = fold(arena, text);
    char *out = arena_alloc(arena, strlen(folded) + 2), *at = out;
    bool is_start = false;
    for (; *folded; folded++) {
        if (!isalnum((unsigned char)*folded)) {
            is_start = at != out;
            continue;
        }
        if (at == out && isdigit((unsigned char)*folded))
            continue;
        *at++ = (char)(is_start ? toupper((unsigned char)*folded) : tolower((unsigned char)*folded));
        is_start = false;
        if (at - out >= 40)
            break;
    }
    return at == out ? NULL : out;
}

const char *text_slug(struct arena *arena, const char *text, size_t max_len) {
    char *slug = str_slug(arena, fold(arena, text), max_len, "");
    while (*slug == '-' || isdigit((unsigned char)*slug))
        slug++;
    return *slug ? slug : NULL;
}

const char *text_article(struct arena *arena, const char *noun) {
    static const char *const consonant[] = {"uni", "use", "usa", "uti", "eu", "one", "once"};
    static const char *const vowel[] = {"hour", "honest", "honour", "heir", "mba", "sku", "sms", "rsvp", "url"};
    const char *lower = str_lower(arena, noun);
    bool is_vowel_sound = is_vowel(*lower);
    for (size_t i = 0; i < ARRAY_LEN(consonant); i++)
        if (str_starts(lower, consonant[i]))
            is_vowel_sound = false;
    for (size_t i = 0; i < ARRAY_LEN(vowel); i++)
        if (str_starts(lower, vowel[i]))
            is_vowel_sound = !str_eq(vowel[i], "url");
    return arena_printf(arena, "%s %s", is_vowel_sound ? "an" : "a", noun);
}
