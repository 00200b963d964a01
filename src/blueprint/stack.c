/* stack: reads stack.json and checks it: unknown keys, missing templates, needs that go in circles. */
#include "blueprint/stack.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/glob.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

struct reader {
    struct stack *stack;
    const char *file; /* for messages */
    struct err *err;
};

/* where: "parts.entity.files[2]". */
static int fault(const struct reader *reader, const char *where, const char *what) {
    return err_set(reader->err, ERR_VALIDATION, "%s: %s%s%s", reader->file, where, *where ? ": " : "", what);
}

static char *at_key(const struct reader *reader, const char *where, const char *key) {
    return arena_printf(reader->stack->arena, "%s%s%s", where, *where ? "." : "", key);
}

static int refuse_unknown(const struct reader *reader, const char *where, const json_t *object,
                          const char *const *known) {
    if (!json_is_object(object))
        return fault(reader, where, "must be an object");
    for (void *at = json_object_iter((json_t *)object); at; at = json_object_iter_next((json_t *)object, at)) {
        const char *key = json_object_iter_key(at);
        size_t i = 0;
        while (known[i] && !str_eq(known[i], key))
            i++;
        if (!known[i])
            return fault(reader, at_key(reader, where, key), "unknown key");
    }
    return 0;
}

static int read_text(const struct reader *reader, const char *where, const json_t *object, const char *key,
                     bool is_optional, const char **out) {
    const json_t *value = json_object_get(object, key);
    if (!value && is_optional)
        return 0;
    if (!json_is_string(value) || !*json_string_value(value))
        return fault(reader, at_key(reader, where, key), "must be a text");
    *out = arena_strdup(reader->stack->arena, json_string_value(value));
    return 0;
}

/* A list of texts; the array ends with NULL. */
static int read_texts(const struct reader *reader, const char *where, const json_t *list, const char ***out,
                      size_t *count) {
    if (!json_is_array(list))
        return fault(reader, where, "must be a list of texts");
    *count = json_array_size(list);
    *out = arena_array(reader->stack->arena, *count + 1, sizeof(**out));
    for (size_t i = 0; i < *count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || !*text)
            return fault(reader, where, "must be a list of texts");
        (*out)[i] = arena_strdup(reader->stack->arena, text);
    }
    return 0;
}

static int read_commands(const struct reader *reader, const json_t *commands) {
    static const char *const known[] = {"install", "typecheck", "build", "test", "start", NULL};
    struct stack *stack = reader->stack;
    int result = refuse_unknown(reader, "commands", commands, known);
    if (result < 0)
        return result;
    stack->commands = arena_array(stack->arena, ARRAY_LEN(known), sizeof(*stack->commands));
    for (size_t i = 0; known[i]; i++) {
        const json_t *argv = json_object_get(commands, known[i]);
        struct stack_command *command = &stack->commands[stack->command_count];
        const char *where = at_key(reader, "commands", known[i]);
        size_t count = 0;
        if (!argv)
            continue;
        if ((result = read_texts(reader, where, argv, &command->argv, &count)) < 0)
            return result;
        if (count == 0)
            return fault(reader, where, "must not be empty");
        command->name = known[i];
        stack->command_count++;
    }
    return 0;
}

static int read_file(const struct reader *reader, const char *where, const json_t *object, struct stack_file *file) {
    static const char *const known[] = {"template", "path", "when", "copy", NULL};
    struct stack *stack = reader->stack;
    const json_t *copy = json_object_get(object, "copy");
    const char *name = NULL;
    int result;
    if ((result = refuse_unknown(reader, where, object, known)) < 0 ||
        (result = read_text(reader, where, object, "template", false, &name)) < 0 ||
        (result = read_text(reader, where, object, "path", false, &file->path)) < 0 ||
        (result = read_text(reader, where, object, "when", true, &file->when)) < 0)
        return result;
    if (copy && !json_is_boolean(copy))
        return fault(reader, at_key(reader, where, "copy"), "must be a boolean");
    file->is_copy = json_is_true(copy);
    file->template = arena_printf(stack->arena, "%s/%s", stack->folder, name);
    file->text = assets_get(stack->assets, file->template, &file->len);
    if (!file->text)
        return fault(reader, at_key(reader, where, "template"), arena_printf(stack->arena, "no file %s", name));
    return 0;
}

static int read_files(const struct reader *reader, const char *where, const json_t *list, struct stack_part *part) {
    struct arena *arena = reader->stack->arena;
    int result = 0;
    if (!json_is_array(list))
        return fault(reader, where, "must be a list of files");
    part->file_count = json_array_size(list);
    part->files = arena_array(arena, part->file_count + 1, sizeof(*part->files));
    for (size_t i = 0; i < part->file_count && result == 0; i++)
        result = read_file(reader, arena_printf(arena, "%s[%zu]", where, i), json_array_get(list, i), &part->files[i]);
    return result;
}

static int read_each(const struct reader *reader, const char *where, const json_t *object, struct stack_part *part) {
    const char *each = NULL;
    int result = read_text(reader, where, object, "each", true, &each);
    if (result == 0)
        result = read_text(reader, where, object, "kind", true, &part->view_kind);
    if (result < 0)
        return result;
    if (each && !str_eq(each, "entities") && !str_eq(each, "views"))
        return fault(reader, at_key(reader, where, "each"), "must be entities or views");
    if (each)
        part->each = str_eq(each, "entities") ? EACH_ENTITY : EACH_VIEW;
    if ((part->each == EACH_VIEW) != (part->view_kind != NULL))
        return fault(reader, at_key(reader, where, "kind"), "goes with each: views");
    return 0;
}

static int read_part(const struct reader *reader, const char *where, const json_t *object, struct stack_part *part) {
    static const char *const known[] = {"title", "each", "kind", "when", "needs", "scope", "files", NULL};
    int result;
    if ((result = refuse_unknown(reader, where, object, known)) < 0 ||
        (result = read_each(reader, where, object, part)) < 0 ||
        (result = read_text(reader, where, object, "title", false, &part->title)) < 0 ||
        (result = read_text(reader, where, object, "when", true, &part->when)) < 0 ||
        (result = read_texts(reader, at_key(reader, where, "needs"), json_object_get(object, "needs"), &part->needs,
                             &part->need_count)) < 0 ||
        (result = read_texts(reader, at_key(reader, where, "scope"), json_object_get(object, "scope"), &part->scope,
                             &part->scope_count)) < 0)
        return result;
    return read_files(reader, at_key(reader, where, "files"), json_object_get(object, "files"), part);
}

/* Gives each part a place after all that it needs. A part that never gets one is in a circle. */
static int order_parts(const struct reader *reader) {
    struct stack *stack = reader->stack;
    size_t placed = 0;
    for (bool has_moved = true; has_moved && placed < stack->part_count;) {
        has_moved = false;
        for (size_t i = 0; i < stack->part_count; i++) {
            struct stack_part *part = &stack->parts[i];
            bool is_ready = part->order == 0;
            for (size_t n = 0; n < part->need_count && is_ready; n++)
                is_ready = stack_part_find(stack, part->needs[n])->order > 0;
            if (!is_ready)
                continue;
            part->order = ++placed;
            has_moved = true;
        }
    }
    for (size_t i = 0; i < stack->part_count; i++)
        if (stack->parts[i].order == 0)
            return fault(reader, at_key(reader, "parts", stack->parts[i].kind), "needs itself, by way of others");
    return 0;
}

static int read_parts(const struct reader *reader, const json_t *parts) {
    struct stack *stack = reader->stack;
    if (!json_is_object(parts) || json_object_size(parts) == 0)
        return fault(reader, "parts", "must be an object of parts");
    stack->parts = arena_array(stack->arena, json_object_size(parts), sizeof(*stack->parts));
    for (void *at = json_object_iter((json_t *)parts); at; at = json_object_iter_next((json_t *)parts, at)) {
        struct stack_part *part = &stack->parts[stack->part_count++];
        part->kind = arena_strdup(stack->arena, json_object_iter_key(at));
        const char *where = at_key(reader, "parts", part->kind);
        int result = read_part(reader, where, json_object_iter_value(at), part);
        if (result < 0)
            return result;
    }
    for (size_t i = 0; i < stack->part_count; i++)
        for (size_t n = 0; n < stack->parts[i].need_count; n++)
            if (!stack_part_find(stack, stack->parts[i].needs[n]))
                return fault(reader, at_key(reader, at_key(reader, "parts", stack->parts[i].kind), "needs"),
                             arena_printf(stack->arena, "there is no part \"%s\"", stack->parts[i].needs[n]));
    return order_parts(reader);
}

static int read_stack(struct stack *stack, const char *name, struct err *err) {
    static const char *const known[] = {"name", "title", "commands", "parts", NULL};
    const struct reader reader = {stack, arena_printf(stack->arena, "%s/stack.json", stack->folder), err};
    size_t len = 0;
    const char *text = assets_get(stack->assets, reader.file, &len);
    const char *given = NULL, *title = NULL;
    json_t *root = NULL;
    int result;
    if (!text)
        return err_set(err, ERR_NOT_FOUND, "there is no stack \"%s\"", name);
    if ((result = json_parse(stack->arena, text, len, &root, err)) < 0)
        return err_wrap(err, "%s", reader.file);
    if ((result = refuse_unknown(&reader, "", root, known)) < 0 ||
        (result = read_text(&reader, "", root, "name", false, &given)) < 0 ||
        (result = read_text(&reader, "", root, "title", false, &title)) < 0)
        return result;
    if (!str_eq(given, name))
        return fault(&reader, "name", "is not that of the folder");
    if ((result = read_commands(&reader, json_object_get(root, "commands"))) < 0)
        return result;
    return read_parts(&reader, json_object_get(root, "parts"));
}

int stack_open(struct stack **out, const struct assets *assets, const char *name, struct err *err) {
    struct stack *stack = mem_alloc(sizeof(*stack));
    stack->assets = assets;
    stack->arena = arena_create();
    stack->folder = arena_printf(stack->arena, "stacks/%s", name);
    int result = read_stack(stack, name, err);
    if (result < 0) {
        stack_close(stack);
        return result;
    }
    *out = stack;
    return 0;
}

void stack_close(struct stack *stack) {
    if (!stack)
        return;
    arena_destroy(stack->arena);
    free(stack);
}

const char *const *stack_command(const struct stack *stack, const char *name) {
    for (size_t i = 0; i < stack->command_count; i++)
        if (str_eq(stack->commands[i].name, name))
            return stack->commands[i].argv;
    return NULL;
}

const struct stack_part *stack_part_find(const struct stack *stack, const char *kind) {
    for (size_t i = 0; i < stack->part_count; i++)
        if (str_eq(stack->parts[i].kind, kind))
            return &stack->parts[i];
    return NULL;
}
