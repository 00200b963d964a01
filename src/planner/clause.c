/* clause: feedback split into single wishes, and phrases matched with what the plan has. */
#include "planner/clause.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_CLAUSES 40

static bool is_among(const char *text, const char *one_of) {
    size_t len = strlen(text);
    for (const char *at = one_of; (at = strstr(at, text)) != NULL; at++)
        if ((at == one_of || at[-1] == ' ') && (at[len] == 0 || at[len] == ' '))
            return true;
    return false;
}

#define ACTIONS "add remove drop delete rename include introduce call make change set use exclude omit give show expand"

void clauses_each(struct draft *draft, void (*fn)(struct draft *draft, const struct clause *clause)) {
    for (size_t i = 0; i < draft->input->feedback_count; i++) {
        struct words words;
        words_split(draft->stemmer, draft->arena, str_or(draft->input->feedback[i], ""), &words);
        size_t start = 0, seen = 0;
        for (size_t at = 1; at <= words.count && seen < MAX_CLAUSES; at++) {
            bool is_end = at == words.count || words.items[at].before == '.' || words.items[at].before == ';';
            bool is_joint = !is_end && is_among(words.items[at].text, ACTIONS) &&
                            (words.items[at].before == ',' || is_among(words.items[at - 1].text, "and then also"));
            if (!is_end && !is_joint)
                continue;
            struct clause clause = {
                .arena = draft->arena, .words = words.items + start, .count = at - start, .feedback_at = i};
            while (clause.count > 0 && is_among(clause.words[clause.count - 1].text, "and then also too please"))
                clause.count--;
            if (clause.count > 0)
                fn(draft, &clause);
            seen++;
            start = at;
        }
    }
}

const char *clause_text(const struct clause *clause, size_t from, size_t to) {
    while (from < to &&
           is_among(clause->words[from].text, "a an the our my some any more new another of for to all also have"))
        from++;
    const char *text = "";
    for (size_t i = from; i < to && i < clause->count; i++)
        text = arena_printf(clause->arena, "%s%s%s", text, i > from ? " " : "", clause->words[i].text);
    return text;
}

bool clause_is(const struct clause *clause, size_t at, const char *one_of) {
    return at < clause->count && is_among(clause->words[at].text, one_of);
}

size_t clause_find(const struct clause *clause, const char *one_of, size_t from) {
    while (from < clause->count && !clause_is(clause, from, one_of))
        from++;
    return from;
}

size_t clause_start(const struct clause *clause) {
    size_t at = 0;
    while (clause_is(clause, at,
                     "please can could would you we i also and then should it the app must like want d to just let s "
                     "needs need") &&
           at + 1 < clause->count) {
        /* "the tasks need a due date": "the" may begin a name. */
        if (clause_is(clause, at, "the") && !clause_is(clause, at + 1, "app"))
            return at + 1;
        at++;
    }
    return at;
}

void clause_list(const struct clause *clause, size_t from, size_t to, void (*fn)(void *arg, const char *item),
                 void *arg) {
    size_t start = from;
    for (size_t at = from; at <= to; at++) {
        bool is_end = at == to || clause_is(clause, at, "and or") || (at > start && clause->words[at].before == ',');
        if (!is_end)
            continue;
        const char *item = clause_text(clause, start, at);
        if (*item)
            fn(arg, item);
        start = clause_is(clause, at, "and or") ? at + 1 : at;
    }
}

/* ---- what a phrase names */

static const char *key_of(struct draft *draft, const char *text) {
    struct words words;
    words_split(draft->stemmer, draft->arena, text, &words);
    return words_key(draft->arena, &words);
}

json_t *phrase_entity(struct draft *draft, const char *phrase) {
    const char *key = key_of(draft, phrase);
    if (!*key)
        return NULL;
    size_t i, j;
    json_t *entity, *alias;
    json_array_foreach (draft->entities, i, entity) {
        if (str_eq(key_of(draft, json_str(entity, "name", "")), key) ||
            str_eq(key_of(draft, json_str(entity, "plural", "")), key) ||
            str_eq(key_of(draft, json_str(entity, "key", "")), key))
            return entity;
    }
    static const char *const lists[] = {"aliases", "also"};
    json_array_foreach (draft->entities, i, entity) {
        for (size_t list = 0; list < ARRAY_LEN(lists); list++) {
            json_array_foreach (json_object_get(entity, lists[list]), j, alias) {
                if (str_eq(key_of(draft, str_or(json_string_value(alias), "")), key))
                    return entity;
            }
        }
    }
    return NULL;
}

const char *phrase_field(struct draft *draft, const json_t *entity, const char *phrase) {
    struct words words, label;
    words_split(draft->stemmer, draft->arena, phrase, &words);
    while (words.count > 1 && is_among(words.items[words.count - 1].text, "field fields column"))
        words.count--;
    const char *key = words_key(draft->arena, &words), *camel = text_camel(draft->arena, phrase);
    size_t i;
    json_t *field;
    json_array_foreach (json_object_get(entity, "fields"), i, field) {
        const char *name = json_str(field, "name", "");
        if (str_eq(name, camel) || str_eq(key_of(draft, json_str(field, "label", name)), key))
            return arena_strdup(draft->arena, name);
    }
    /* "due date" for "Due on": the same beginning, and the type is named. */
    json_array_foreach (json_object_get(entity, "fields"), i, field) {
        words_split(draft->stemmer, draft->arena, json_str(field, "label", ""), &label);
        const char *type = json_str(field, "type", "");
        bool is_day = str_eq(type, "date") || str_eq(type, "datetime");
        if (is_day && words.count == 2 && label.count > 0 && str_eq(words.items[0].stem, label.items[0].stem) &&
            is_among(words.items[1].text, "date dates day time"))
            return arena_strdup(draft->arena, json_str(field, "name", ""));
    }
    return NULL;
}

const char *phrase_capability(struct draft *draft, const char *phrase) {
    static const struct {
        const char *words, *capability;
    } rows[] = {{"notification", "notifications"},
                {"alert", "notifications"},
                {"audit", "audit"},
                {"history", "audit"},
                {"record of changes", "audit"},
                {"activity log", "audit"},
                {"change log", "audit"},
                {"csv", "csv"},
                {"import", "csv"},
                {"export", "csv"},
                {"api token", "apiTokens"},
                {"api key", "apiTokens"},
                {"role", "roles"},
                {"permission", "roles"},
                {"search", "search"},
                {"sign in", "auth"},
                {"login", "auth"},
                {"account", "auth"},
                {"authentication", "auth"}};
    struct words words, wanted;
    words_split(draft->stemmer, draft->arena, phrase, &words);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        words_split(draft->stemmer, draft->arena, rows[i].words, &wanted);
        if (words_find(&words, &wanted, 0) >= 0)
            return rows[i].capability;
    }
    return NULL;
}
