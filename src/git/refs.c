/* refs: reading refs, setting them by compare-and-set, and finding out what commit a name means. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include "git/internal.h"

enum {
    LOCK_WAIT_MS = 10 * 1000, /* for another's lock: refs are locked for milliseconds */
    LOCK_POLL_MS = 2,
    MAX_RACES = 20, /* with others that remove empty folders below refs/ */
    MIN_ABBREVIATION = 7,
    MAX_REF_BYTES = 512,
};

bool ref_is_valid(const char *name) {
    int is_valid = 0;
    /* libgit2 1.5 lets pass what git refuses: a DEL. */
    return str_starts(name, "refs/") && !strchr(name, 0x7f) && str_is_utf8(name, strlen(name)) &&
           git_reference_name_is_valid(&is_valid, name) == 0 && is_valid;
}

static int check_name(const char *name, struct err *err) {
    if (ref_is_valid(name))
        return 0;
    return err_field(err, ERR_VALIDATION, "ref", "%s is not the full name of a ref", name);
}

/* 0 with "" in out when there is none. */
static int read_ref(struct repo *repo, const char *name, char out[SHA_LEN], struct err *err) {
    git_oid id;
    int result = git_reference_name_to_id(&id, repo->git, name);
    out[0] = '\0';
    if (result == GIT_ENOTFOUND)
        return 0;
    if (result < 0)
        return git_fail(err, ERR_INTERNAL, "cannot read %s", name);
    (void)git_oid_tostr(out, SHA_LEN, &id);
    return 0;
}

int repo_ref_get(struct repo *repo, const char *name, char out[SHA_LEN], struct err *err) {
    int result = check_name(name, err);
    return result < 0 ? result : read_ref(repo, name, out, err);
}

static int mismatch(struct err *err, const char *name, const char *old_sha) {
    if (!old_sha || !*old_sha)
        return err_field(err, ERR_CONFLICT, "ref", "%s exists already", name);
    return err_field(err, ERR_CONFLICT, "ref", "%s is not at %s any more", name, old_sha);
}

/* One try; a libgit2 code. */
static int try_write(struct repo *repo, const char *name, const git_oid *old_id, const git_oid *new_id) {
    CLEANUP(reference_freep) git_reference *ref = NULL;
    return git_reference_create_matching(&ref, repo->git, name, new_id, 1, old_id, NULL);
}

/* One try; a libgit2 code. Absent is fine, unless it should be at old_id. */
static int try_delete(struct repo *repo, const char *name, const git_oid *old_id) {
    CLEANUP(reference_freep) git_reference *ref = NULL;
    int result = git_reference_lookup(&ref, repo->git, name);
    if (result == GIT_ENOTFOUND)
        return !old_id || git_oid_is_zero(old_id) ? 0 : GIT_EMODIFIED;
    if (result < 0)
        return result;
    const git_oid *id = git_reference_target(ref);
    if (old_id && (!id || !git_oid_equal(old_id, id)))
        return GIT_EMODIFIED;
    /* Compares with what was read above. */
    result = git_reference_delete(ref);
    if (result == GIT_ENOTFOUND)
        return old_id ? GIT_EMODIFIED : 0;
    return result == GIT_EMODIFIED && !old_id ? GIT_ELOCKED : result;
}

/* Waits a little for whoever holds the lock on name, and takes away a lock whose holder was killed. */
static void wait_for_lock(const struct repo *repo, const char *name) {
    CLEANUP(mem_freep) char *lock = mem_printf("%s.lock", name);
    const struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000L};
    lock_clear_stale(repo, lock);
    lock_clear_stale(repo, "packed-refs.lock");
    (void)nanosleep(&pause, NULL);
}

static bool is_race(int result) {
    const git_error *last = git_error_last();
    return result == GIT_ERROR && last && (last->klass == GIT_ERROR_OS || last->klass == GIT_ERROR_FILESYSTEM);
}

/* new_id NULL deletes. A libgit2 code. */
static int change_ref(struct repo *repo, const char *name, const git_oid *old_id, const git_oid *new_id) {
    int64_t deadline_ms = clock_mono_ms() + LOCK_WAIT_MS;
    int races = 0;
    for (;;) {
        int result = new_id ? try_write(repo, name, old_id, new_id) : try_delete(repo, name, old_id);
        if (result == GIT_ELOCKED && clock_mono_ms() < deadline_ms)
            wait_for_lock(repo, name);
        else if (!is_race(result) || ++races > MAX_RACES)
            return result;
    }
}

/* libgit2 syncs what it writes, not what it removes. The folder may be gone with its last ref. */
static int sync_removal(const struct repo *repo, const char *name, struct err *err) {
    CLEANUP(mem_freep) char *path = mem_printf("%s%s", repo->path, name);
    char *slash;
    while ((slash = strrchr(path, '/')) && (size_t)(slash - path) >= strlen(repo->path)) {
        *slash = '\0';
        if (fs_is_dir(path))
            return fs_sync_dir(path, err);
    }
    return 0;
}

static int parse_ends(struct repo *repo, const char *old_sha, const char *new_sha, git_oid *old_id, git_oid *new_id,
                      struct err *err) {
    memset(old_id, 0, sizeof(*old_id));
    if (old_sha && *old_sha && !git_parse_sha(old_id, old_sha))
        return err_field(err, ERR_VALIDATION, "ref", "%s is no commit id", old_sha);
    if (!*new_sha)
        return 0;
    CLEANUP(commit_freep) git_commit *commit = NULL;
    int result = git_commit_of(repo, new_sha, &commit, err);
    if (result == 0)
        *new_id = *git_commit_id(commit);
    return result;
}

int repo_ref_set(struct repo *repo, const char *name, const char *old_sha, const char *new_sha, struct err *err) {
    git_oid old_id, new_id;
    int result = check_name(name, err);
    if (result == 0)
        result = parse_ends(repo, old_sha, new_sha, &old_id, &new_id, err);
    if (result < 0)
        return result;
    result = change_ref(repo, name, old_sha ? &old_id : NULL, *new_sha ? &new_id : NULL);
    if (result == GIT_EMODIFIED || result == GIT_EEXISTS || (result == GIT_ENOTFOUND && old_sha))
        return mismatch(err, name, old_sha);
    if (result == GIT_ELOCKED)
        return err_set(err, ERR_UNAVAILABLE, "%s is locked by another process", name);
    if (result == GIT_EDIRECTORY)
        return err_field(err, ERR_CONFLICT, "ref", "%s cannot be made: there are refs below that name", name);
    if (result < 0)
        return git_fail(err, ERR_INTERNAL, "cannot set %s", name);
    return *new_sha ? 0 : sync_removal(repo, name, err);
}

struct names {
    char **at;
    size_t count;
    size_t capacity;
};

static void names_release(struct names *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->at[i]);
    free(names->at);
    *names = (struct names){0};
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One try; a libgit2 code. */
static int try_list(struct repo *repo, const char *prefix, struct names *out) {
    CLEANUP(reference_iterator_freep) git_reference_iterator *iterator = NULL;
    CLEANUP(mem_freep) char *glob = mem_printf("%s*", prefix);
    const char *name;
    int result = git_reference_iterator_glob_new(&iterator, repo->git, glob);
    while (result == 0 && (result = git_reference_next_name(&name, iterator)) == 0) {
        if (!str_starts(name, prefix))
            continue;
        if (out->count == out->capacity) {
            out->capacity = out->capacity ? out->capacity * 2 : 32;
            out->at = mem_realloc(out->at, out->capacity * sizeof(*out->at));
        }
        out->at[out->count++] = mem_strdup(name);
    }
    return result == GIT_ITEROVER ? 0 : result;
}

/* The names below prefix, sorted. */
static int list_refs(struct repo *repo, const char *prefix, struct names *out, struct err *err) {
    int races = 0;
    int result;
    while ((result = try_list(repo, prefix, out)) < 0) {
        names_release(out);
        if (!is_race(result) || ++races > MAX_RACES)
            return git_fail(err, ERR_INTERNAL, "cannot list the refs of %s", repo->path);
    }
    if (out->count > 1)
        qsort(out->at, out->count, sizeof(*out->at), compare_names);
    return 0;
}

int repo_ref_list(struct repo *repo, struct arena *arena, const char *prefix, char ***names, size_t *count,
                  struct err *err) {
    CLEANUP(names_release) struct names found = {0};
    int result = list_refs(repo, prefix, &found, err);
    if (result < 0)
        return result;
    *names = arena_array(arena, found.count, sizeof(**names));
    for (size_t i = 0; i < found.count; i++)
        (*names)[i] = arena_strdup(arena, found.at[i]);
    *count = found.count;
    return 0;
}

/* A plain name or id: nothing that asks git to compute. */
static bool is_plain(const char *ref) {
    size_t len = ref ? strlen(ref) : 0;
    if (len == 0 || len > MAX_REF_BYTES || !str_is_utf8(ref, len) || strstr(ref, "..") || strstr(ref, "@{"))
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)ref[i] <= 0x20 || ref[i] == 0x7f || strchr("~^:?*[\\", ref[i]))
            return false;
    return true;
}

/* A ref, through tags, to a commit; "" if there is none of that name. */
static int peel_ref(struct repo *repo, const char *name, char out[SHA_LEN], struct err *err) {
    CLEANUP(reference_freep) git_reference *ref = NULL;
    CLEANUP(object_freep) git_object *commit = NULL;
    out[0] = '\0';
    if (!ref_is_valid(name))
        return 0;
    int result = git_reference_lookup(&ref, repo->git, name);
    if (result == GIT_ENOTFOUND)
        return 0;
    if (result < 0 || git_reference_peel(&commit, ref, GIT_OBJECT_COMMIT) < 0)
        return git_fail(err, ERR_INTERNAL, "cannot read %s", name);
    (void)git_oid_tostr(out, SHA_LEN, git_object_id(commit));
    return 0;
}

/* refs/prazium/run-<n>/<branch> of the greatest n. */
static int find_archived(struct repo *repo, const char *branch, char out[SHA_LEN], struct err *err) {
    static const char prefix[] = "refs/prazium/run-";
    CLEANUP(names_release) struct names found = {0};
    const char *newest = NULL;
    unsigned long newest_number = 0;
    int result = list_refs(repo, prefix, &found, err);
    out[0] = '\0';
    for (size_t i = 0; i < found.count; i++) {
        const char *digits = found.at[i] + strlen(prefix);
        char *end;
        if (!isdigit((unsigned char)*digits))
            continue;
        unsigned long number = strtoul(digits, &end, 10);
        if (*end == '/' && strcmp(end + 1, branch) == 0 && (!newest || number > newest_number)) {
            newest = found.at[i];
            newest_number = number;
        }
    }
    return newest ? peel_ref(repo, newest, out, err) : result;
}

static int find_id(struct repo *repo, const char *text, char out[SHA_LEN], struct err *err) {
    CLEANUP(commit_freep) git_commit *commit = NULL;
    size_t len = strlen(text);
    git_oid id;
    out[0] = '\0';
    if (len < MIN_ABBREVIATION || len > GIT_OID_HEXSZ || strspn(text, "0123456789abcdefABCDEF") != len ||
        git_oid_fromstrn(&id, text, len) < 0)
        return 0;
    int result = git_commit_lookup_prefix(&commit, repo->git, &id, len);
    if (result == GIT_EAMBIGUOUS)
        return err_field(err, ERR_NOT_FOUND, "ref", "more than one commit begins with %s", text);
    /* GIT_ENOTFOUND, or an object that is no commit. */
    if (result == 0)
        (void)git_oid_tostr(out, SHA_LEN, git_commit_id(commit));
    return 0;
}

int repo_resolve(struct repo *repo, const char *ref, char out[SHA_LEN], struct err *err) {
    static const char *const folders[] = {"refs/heads", "refs/tags", "refs/prazium"};
    char found[SHA_LEN] = "";
    int result = 0;
    if (!is_plain(ref))
        return err_field(err, ERR_NOT_FOUND, "ref", "that is not the name of a branch or tag, nor a commit id");
    for (size_t i = 0; i < ARRAY_LEN(folders) && result == 0 && !*found; i++) {
        CLEANUP(mem_freep) char *name = mem_printf("%s/%s", folders[i], ref);
        result = peel_ref(repo, name, found, err);
    }
    if (result == 0 && !*found)
        result = find_archived(repo, ref, found, err);
    if (result == 0 && !*found)
        result = find_id(repo, ref, found, err);
    if (result == 0 && !*found)
        result = err_field(err, ERR_NOT_FOUND, "ref", "there is no branch, tag or commit %s", ref);
    if (result == 0)
        memcpy(out, found, SHA_LEN);
    return result;
}
