/* files: a project's repository, a folder or a file at a time. */
#include <sodium.h>
#include <string.h>

#include "api/handlers.h"
#include "api/present.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

#define CONTENT_MAX_BYTES (10 << 20)

struct file_call {
    struct repo *repo;
    const char *ref;
    char commit[SHA_LEN];
};

/* Opens the repository and finds the commit of `ref` (default main). The caller closes the repository. */
static int open_ref(struct api_call *call, struct file_call *file, struct err *err) {
    struct project *project = NULL;
    int rc = call_project(call, &project, err);
    if (rc < 0)
        return rc;
    file->ref = str_or(call_query(call, "ref"), "main");
    rc = call_check(call, err);
    if (rc == 0)
        rc = engine_repo_open(call->engine, project->id, &file->repo, err);
    if (rc == 0)
        rc = repo_resolve(file->repo, file->ref, file->commit, err);
    return rc;
}

int file_list(struct api_call *call, struct err *err) {
    struct file_call file = {0};
    struct tree_entry *entries = NULL;
    size_t count = 0;
    struct buf out;
    struct jw jw;
    const char *path = str_or(call_query(call, "path"), "/"), *below = path;
    while (*below == '/')
        below++;
    size_t len = strlen(below);
    while (len > 0 && below[len - 1] == '/')
        len--;
    below = arena_strndup(call->arena, below, len);
    if (*below && !fs_is_safe_relative(below))
        call_fault(call, "path", "path must be a folder of the repository");
    int rc = open_ref(call, &file, err);
    CLEANUP(repo_closep) struct repo *repo = file.repo;
    if (rc == 0)
        rc = repo_list(repo, call->arena, file.commit, below, &entries, &count, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_object(&jw);
    jw_kstr(&jw, "ref", file.ref);
    jw_kstr(&jw, "path", path);
    jw_key(&jw, "entries");
    jw_array(&jw);
    for (size_t i = 0; i < count; i++) {
        jw_object(&jw);
        jw_kstr(&jw, "name", entries[i].name);
        jw_kstr(&jw, "type", entries[i].is_directory ? "directory" : "file");
        if (!entries[i].is_directory)
            jw_kint(&jw, "size", entries[i].size_bytes);
        jw_object_end(&jw);
    }
    jw_array_end(&jw);
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

static void write_content(struct api_call *call, struct jw *jw, const char *data, size_t len) {
    if (str_is_utf8(data, len)) {
        jw_key(jw, "content");
        jw_strn(jw, data, len);
        jw_kstr(jw, "encoding", "utf-8");
        return;
    }
    size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
    char *text = arena_alloc(call->arena, size);
    sodium_bin2base64(text, size, (const unsigned char *)data, len, sodium_base64_VARIANT_ORIGINAL);
    jw_kstr(jw, "content", text);
    jw_kstr(jw, "encoding", "base64");
}

int file_get(struct api_call *call, struct err *err) {
    struct file_call file = {0};
    const char *data = NULL;
    size_t len = 0;
    struct buf out;
    struct jw jw;
    const char *path = http_request_param(call->request, "path");
    if (!fs_is_safe_relative(path))
        call_fault(call, "path", "path must be a file of the repository");
    int rc = open_ref(call, &file, err);
    CLEANUP(repo_closep) struct repo *repo = file.repo;
    if (rc == 0)
        rc = repo_read(repo, call->arena, file.commit, path, CONTENT_MAX_BYTES, &data, &len, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_object(&jw);
    jw_kstr(&jw, "path", path);
    jw_kstr(&jw, "ref", file.ref);
    write_content(call, &jw, data, len);
    jw_kint(&jw, "size", (int64_t)len);
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}
