/* blueprint: the agent that renders the parts of a task from the stack's templates. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/fs.h"
#include "base/glob.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define RETIRE "retire" /* the part that renders nothing: what is in the scope goes */

enum { FILE_MODE = 0644 };

struct work {
    const struct agent_request *request;
    const struct stack *stack;
    json_t *view;
    struct part *all;
    size_t all_count;
    const struct part **chosen; /* the task's, without "retire" */
    size_t chosen_count;
    const char **patterns; /* of pathScope */
    size_t pattern_count;
    const char *folder; /* below the worktree, while it is walked; "" for the worktree itself */
    const char **stale; /* files in the scope that no part renders */
    size_t stale_count, stale_capacity;
    size_t written;
    struct err *err;
};

static int refuse_cancelled(const struct work *work) {
    const struct agent_request *request = work->request;
    if (request->is_cancelled && request->is_cancelled(request->cancel_arg))
        return err_set(work->err, ERR_CANCELLED, "the task was cancelled");
    return 0;
}

static void tell(const struct work *work, const char *text) {
    if (work->request->on_output)
        work->request->on_output(text, work->request->output_arg);
}

/* True if the folders that lead to path are folders as far as they exist, so that no symlink leads elsewhere. */
static bool is_way_plain(const struct work *work, const char *path) {
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        CLEANUP(mem_freep) char *at = mem_printf("%s/%.*s", work->request->worktree, (int)(slash - path), path);
        struct stat st;
        if (lstat(at, &st) < 0)
            return errno == ENOENT;
        if (!S_ISDIR(st.st_mode))
            return false;
    }
    return true;
}

static bool is_rendered(const struct work *work, const char *path) {
    for (size_t i = 0; i < work->chosen_count; i++)
        for (size_t p = 0; p < work->chosen[i]->path_count; p++)
            if (str_eq(work->chosen[i]->paths[p], path))
                return true;
    return false;
}

static bool is_git(const char *path) {
    return str_eq(path, ".git") || str_starts(path, ".git/") || strstr(path, "/.git/") || str_ends(path, "/.git");
}

static void note_stale(struct work *work, const char *path) {
    bool is_in_scope = false;
    for (size_t i = 0; i < work->pattern_count && !is_in_scope; i++)
        is_in_scope = glob_match(work->patterns[i], path);
    if (!is_in_scope || is_git(path) || is_rendered(work, path))
        return;
    if (work->stale_count == work->stale_capacity) {
        size_t capacity = work->stale_capacity ? work->stale_capacity * 2 : 64;
        const char **grown = arena_array(work->request->arena, capacity, sizeof(*grown));
        if (work->stale_count)
            memcpy(grown, work->stale, work->stale_count * sizeof(*grown));
        work->stale = grown;
        work->stale_capacity = capacity;
    }
    work->stale[work->stale_count++] = arena_strdup(work->request->arena, path);
}

static int note_walked(const char *relative, const struct stat *st, void *arg) {
    struct work *work = arg;
    note_stale(work, *work->folder ? fs_join(work->request->arena, work->folder, relative) : relative);
    return 0;
}

/* What lies in one pattern of the scope: only the folder before its first wild character is walked. */
static int find_stale(struct work *work, const char *pattern) {
    struct arena *arena = work->request->arena;
    size_t fixed = strcspn(pattern, "*?");
    if (!is_way_plain(work, pattern))
        return err_set(work->err, ERR_VALIDATION, "%s: a symlink or file is in place of a folder", pattern);
    if (!pattern[fixed]) {
        struct stat st;
        if (lstat(fs_join(arena, work->request->worktree, pattern), &st) == 0 && !S_ISDIR(st.st_mode))
            note_stale(work, pattern);
        return 0;
    }
    while (fixed > 0 && pattern[fixed - 1] != '/')
        fixed--;
    work->folder = arena_strndup(arena, pattern, fixed ? fixed - 1 : 0);
    const char *root = fs_join(arena, work->request->worktree, work->folder);
    return fs_is_dir(root) ? fs_walk(root, note_walked, work, work->err) : 0;
}

/* Folders that a removal leaves empty go, too: git knows none. */
static void remove_empty_parents(const struct work *work, const char *path) {
    CLEANUP(mem_freep) char *at = mem_printf("%s/%s", work->request->worktree, path);
    size_t root_len = strlen(work->request->worktree);
    for (char *slash; (slash = strrchr(at, '/')) && (size_t)(slash - at) > root_len;) {
        *slash = '\0';
        if (rmdir(at) < 0)
            return;
    }
}

static int remove_stale(struct work *work) {
    int result = 0;
    for (size_t i = 0; i < work->pattern_count && result == 0; i++)
        result = find_stale(work, work->patterns[i]);
    for (size_t i = 0; i < work->stale_count && result == 0; i++) {
        const char *path = fs_join(work->request->arena, work->request->worktree, work->stale[i]);
        if ((result = refuse_cancelled(work)) < 0)
            return result;
        if (unlink(path) < 0 && errno != ENOENT)
            return err_errno(work->err, ERR_INTERNAL, errno, "cannot remove %s", work->stale[i]);
        remove_empty_parents(work, work->stale[i]);
    }
    return result;
}

static int write_file(const char *path, const char *data, size_t len, void *arg, struct err *err) {
    struct work *work = arg;
    struct stat st;
    int result = refuse_cancelled(work);
    if (result < 0)
        return result;
    if (!fs_is_safe_relative(path) || is_git(path) || !is_way_plain(work, path))
        return err_set(err, ERR_VALIDATION, "%s leads out of the tree", path);
    const char *full = fs_join(work->request->arena, work->request->worktree, path);
    if (lstat(full, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && unlink(full) < 0)
        return err_errno(err, ERR_INTERNAL, errno, "cannot replace %s", path);
    result = fs_write_file(full, data, len, FILE_MODE, err);
    if (result == 0)
        work->written++;
    return result;
}

static int render_part(struct work *work, const struct part *part) {
    size_t before = work->written;
    int result = stack_render(work->stack, work->view, part, write_file, work, work->err);
    if (result < 0)
        return result;
    size_t count = work->written - before;
    tell(work, arena_printf(work->request->arena, "%zu %s for %s", count, count == 1 ? "file" : "files", part->id));
    return 0;
}

static int choose_parts(struct work *work) {
    const json_t *ids = json_object_get(work->request->definition, "parts");
    size_t count = json_array_size(ids);
    if (count == 0)
        return err_field(work->err, ERR_VALIDATION, "parts", "the task names no parts");
    work->chosen = arena_array(work->request->arena, count, sizeof(const struct part *));
    for (size_t i = 0; i < count; i++) {
        const char *id = str_or(json_string_value(json_array_get(ids, i)), "");
        const struct part *found = NULL;
        for (size_t p = 0; p < work->all_count; p++)
            if (str_eq(work->all[p].id, id))
                found = &work->all[p];
        if (found)
            work->chosen[work->chosen_count++] = found;
        else if (!str_eq(id, RETIRE))
            return err_field(work->err, ERR_VALIDATION, "parts", "the plan has no part \"%s\"", id);
    }
    return 0;
}

static int read_scope(struct work *work) {
    const json_t *scope = json_object_get(work->request->definition, "pathScope");
    size_t count = json_array_size(scope);
    work->patterns = arena_array(work->request->arena, count + 1, sizeof(const char *));
    for (size_t i = 0; i < count; i++) {
        const char *pattern = json_string_value(json_array_get(scope, i));
        if (!glob_is_valid(pattern))
            return err_field(work->err, ERR_VALIDATION, "pathScope", "\"%s\" is not a valid pattern",
                             str_or(pattern, ""));
        work->patterns[work->pattern_count++] = pattern;
    }
    return 0;
}

static int run(void *self, const struct agent_request *request, struct agent_result *result, struct err *err) {
    struct work work = {.request = request, .stack = self, .err = err};
    int status;
    if ((status = blueprint_view(request->plan, request->arena, &work.view, err)) < 0 ||
        (status = stack_parts(work.stack, work.view, request->arena, &work.all, &work.all_count, err)) < 0 ||
        (status = choose_parts(&work)) < 0 || (status = read_scope(&work)) < 0 || (status = remove_stale(&work)) < 0)
        return status;
    if (work.stale_count)
        tell(&work, arena_printf(request->arena, "%zu %s removed", work.stale_count,
                                 work.stale_count == 1 ? "file" : "files"));
    for (size_t i = 0; i < work.chosen_count; i++)
        if ((status = render_part(&work, work.chosen[i])) < 0)
            return status;
    result->summary = arena_printf(request->arena, "%zu written, %zu removed", work.written, work.stale_count);
    return 0;
}

const struct agent_ops agent_blueprint_ops = {.name = "blueprint", .run = run};

void agent_blueprint_init(struct agent *agent, const struct stack *stack) {
    agent->ops = &agent_blueprint_ops;
    agent->self = (void *)stack;
}
