/* cli_prompt: what an agent's program is told to do, as one text: the same for every run of the same spec. */
#include <string.h>

#include "agent/cli.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"

/* One argument of a program holds 128 KiB at most. */
enum { PROMPT_BYTES = 120000, DOCUMENT_BYTES = 24000, LISTED_MAX = 400 };

static void put_list(struct buf *out, const char *title, const json_t *list) {
    size_t i;
    json_t *item;
    if (json_array_size(list) == 0)
        return;
    buf_printf(out, "\n%s\n", title);
    json_array_foreach (list, i, item) {
        if (i < LISTED_MAX && json_is_string(item))
            buf_printf(out, "- %s\n", json_string_value(item));
    }
}

static void put_document(struct buf *out, const char *name, const char *text) {
    size_t len = str_head_len(text, DOCUMENT_BYTES);
    buf_printf(out, "\n# %s\n\n", name);
    buf_put(out, text, len);
    buf_puts(out, text[len] ? "\n[the rest is left out]\n" : "\n");
}

const char *cli_prompt(const struct agent_request *request) {
    const json_t *definition = request->definition;
    const char *name;
    json_t *document;
    struct buf out;
    buf_init(&out, PROMPT_BYTES);
    buf_puts(&out, "You carry out one task of building an app. The working directory holds the app as far as it is; "
                   "other tasks are carried out by others. Change files in it until the task is done. Nobody answers "
                   "questions: decide yourself. Do not commit and do not use git: what you leave in the working "
                   "directory is your work, and it is checked by building and testing the app.\n");
    buf_printf(&out, "\n# Task: %s\n\n%s\n", json_str(definition, "description", ""),
               json_str(definition, "instructions", ""));
    put_list(&out, "Only files that match these patterns may be created, changed or removed:",
             json_object_get(definition, "pathScope"));
    put_list(&out, "These files must be there when you are done:", json_object_get(definition, "expectedOutputs"));
    put_list(&out, "It serves these acceptance criteria of ACCEPTANCE.md:", json_object_get(definition, "criteria"));
    if (request->feedback)
        buf_printf(&out, "\n# The last attempt failed\n\n%.*s\n", (int)str_head_len(request->feedback, CLI_TEXT_BYTES),
                   request->feedback);
    json_object_foreach ((json_t *)request->documents, name, document) {
        if (json_is_string(document))
            put_document(&out, name, json_string_value(document));
    }
    /* A cut may have split a character; jansson's and our texts have no others that are none. */
    const char *text = str_mend(request->arena, str_or(out.data, ""));
    buf_release(&out);
    return text;
}
