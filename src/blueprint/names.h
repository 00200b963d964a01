/* names: from words to the names of code, and from texts to literals of TypeScript and SQL. Private to blueprint/. */
#ifndef BLUEPRINT_NAMES_H
#define BLUEPRINT_NAMES_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"

/* All results live in the arena. Only ASCII letters change case. */
char *name_snake(struct arena *arena, const char *name);   /* startedAt, time-entries → started_at, time_entries */
char *name_pascal(struct arena *arena, const char *words); /* "Time entry" → TimeEntry */
char *name_capital(struct arena *arena, const char *text);
char *name_lower_first(struct arena *arena, const char *text);
char *name_sentence(struct arena *arena, const char *text);     /* "Time entry" → "time entry", but "API key" stays */
char *name_with_article(struct arena *arena, const char *text); /* "an invoice", "a user" */
const char *name_from_letter(const char *name);                 /* without what stands before the first ASCII letter */
/* True for words of TypeScript and for names the templates use themselves. lower is all small letters. */
bool name_is_taken(const char *lower);

/* JSON as JavaScript's JSON.stringify writes it, safe inside a script element, too. */
void literal_put(struct buf *out, const json_t *value);
char *literal_json(struct arena *arena, const json_t *value);
/* A text as it is, other values as JSON: JavaScript's String(). */
char *literal_plain(struct arena *arena, const json_t *value);
char *literal_text(struct arena *arena, const char *text); /* "…" */
char *literal_sql(struct arena *arena, const char *text);  /* '…' */
char *literal_jsx(struct arena *arena, const char *text);  /* a JSX child: the text, or {"…"} where it needs quotes */
char *literal_attr(struct arena *arena, const char *text); /* a JSX attribute's value: "…" or {"…"} */

#endif
