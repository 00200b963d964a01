/* cli_command: any program, by the operator's command line. {prompt}, {prompt_file}, {worktree} and {model} in its
 * words stand for what they say; each word stays one argument. */
#include <string.h>

#include "agent/cli.h"
#include "base/buf.h"
#include "base/str.h"

#define PROMPT_FILE "prompt.md"

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}

int cli_words(struct arena *arena, const char *command, const char **words, size_t max, size_t *count,
              struct err *err) {
    size_t found = 0;
    for (const char *at = command; *at;) {
        if (is_blank(*at)) {
            at++;
            continue;
        }
        char *word = arena_alloc(arena, strlen(at) + 1), *end = word, quote = '\0';
        for (; *at && (quote || !is_blank(*at)); at++) {
            if (quote ? *at == quote : *at == '\'' || *at == '"')
                quote = quote ? '\0' : *at;
            else
                *end++ = *at;
        }
        if (quote)
            return err_set(err, ERR_VALIDATION, "a quotation in the agent's command has no end");
        if (found == max)
            return err_set(err, ERR_VALIDATION, "the agent's command has more than %zu words", max);
        words[found++] = word;
    }
    *count = found;
    return 0;
}

struct filler {
    const char *name, *value;
};

static const char *fill(struct arena *arena, const char *word, const struct filler *fillers, size_t count) {
    struct buf out = {0};
    while (*word) {
        size_t i = 0;
        while (i < count && !str_starts(word, fillers[i].name))
            i++;
        if (i < count) {
            buf_puts(&out, fillers[i].value);
            word += strlen(fillers[i].name);
        } else {
            buf_putc(&out, *word++);
        }
    }
    const char *text = arena_strndup(arena, str_or(out.data, ""), out.len);
    buf_release(&out);
    return text;
}

int cli_command_words(struct cli_run *run, struct err *err) {
    const struct filler fillers[] = {{"{prompt}", run->prompt},
                                     {"{prompt_file}", cli_home_path(run, PROMPT_FILE)},
                                     {"{worktree}", run->request->worktree},
                                     {"{model}", str_or(cli_model_name(run), "")}};
    int rc = cli_home_file(run, PROMPT_FILE, run->prompt, err);
    for (size_t i = 1; rc == 0 && i < run->word_count; i++)
        cli_arg(run, fill(run->request->arena, run->words[i], fillers, sizeof fillers / sizeof *fillers));
    return rc;
}

static int prepare(struct cli_run *run, struct err *err) {
    cli_model_env(run);
    return cli_command_words(run, err);
}

const struct cli_kind cli_command = {.name = "command", .prepare = prepare};
