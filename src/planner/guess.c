/* guess: what type a field probably has, from its name. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/draft.h"

static const json_t *hint_for(struct draft *draft, const char *label) {
    struct words words;
    words_split(draft->stemmer, draft->arena, label, &words);
    size_t i, j;
    json_t *hint, *entry;
    json_array_foreach (draft->planner->hints, i, hint) {
        json_array_foreach (json_object_get(hint, "words"), j, entry) {
            struct words phrase;
            words_split(draft->stemmer, draft->arena, str_or(json_string_value(entry), ""), &phrase);
            if (words_find(&words, &phrase, 0) >= 0)
                return json_object_get(hint, "field");
        }
    }
    return NULL;
}

/* "Label", "Label!" (required) or "Label|type". */
json_t *guess_field(struct draft *draft, const char *label) {
    char *text = str_trim(draft->arena, label);
    size_t len = strlen(text);
    bool is_required = len > 0 && text[len - 1] == '!';
    if (is_required)
        text[len - 1] = 0;
    char *bar = strchr(text, '|');
    const char *type = bar ? bar + 1 : NULL;
    if (bar)
        *bar = 0;
    char *bracket = strchr(text, '(');
    const char *plain = bracket ? arena_strndup(draft->arena, text, (size_t)(bracket - text)) : text;
    const char *name = text_camel(draft->arena, plain);
    if (!name || str_eq(name, "id") || str_eq(name, "createdAt") || str_eq(name, "updatedAt") ||
        str_eq(name, "createdBy"))
        return NULL;
    const json_t *hint = type ? NULL : hint_for(draft, text);
    json_t *field = json_pack("{s:s, s:s, s:s}", "name", name, "label", text_capital(draft->arena, text), "type",
                              type ? type : "text");
    if (hint)
        json_object_update_new(field, json_deep_copy(hint));
    if (str_eq(json_str(field, "type", ""), "text"))
        json_object_set_new(field, "max", json_integer(160));
    if (str_eq(json_str(field, "type", ""), "boolean"))
        json_object_set_new(field, "default", json_false());
    if (is_required)
        json_object_set_new(field, "required", json_true());
    return json_own(draft->arena, field);
}
