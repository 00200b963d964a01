/* clone: a project's repository over git's smart HTTP, read-only: gitprotocol-http(5). */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "api/handlers.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "git/serve.h"

enum {
    AT_ONCE_MAX = 8, /* at least as many threads of the pool are left for others */
    REFS_MAX_BYTES = 16 << 20,
    UNPACKED_MAX_BYTES = 16 << 20,
    ANSWER_MAX_BYTES = 1 << 30,
    IDLE_MS = 60000,
    TOTAL_MS = 300000,
};

static bool is_abandoned(void *arg) {
    return http_request_is_abandoned(arg);
}

/* How large the answer may become: the disk is the database's, too. */
static int64_t room_on_disk(const char *folder, int64_t max_bytes) {
    uint64_t free_bytes = 0;
    struct err err = {0};
    if (fs_free_bytes(folder, &free_bytes, &err) < 0)
        return max_bytes;
    return free_bytes / 2 < (uint64_t)max_bytes ? (int64_t)(free_bytes / 2) : max_bytes;
}

/* What is no fault of the client's, and may be otherwise soon. */
static int try_again(struct api_call *call, struct err *err, const char *why) {
    http_reply_header(call->reply, "Retry-After", "5");
    return err_set(err, ERR_UNAVAILABLE, "%s; try again", why);
}

static int serve(struct api_call *call, struct serve_request *request, int *fd, int64_t *size_bytes, struct err *err) {
    int64_t max_bytes = request->max_bytes;
    request->folder = arena_printf(call->arena, "%s/tmp", engine_data_dir(call->engine));
    request->version = serve_version(http_request_header(call->request, "Git-Protocol"));
    request->max_bytes = room_on_disk(request->folder, max_bytes);
    request->idle_ms = IDLE_MS;
    request->total_ms = TOTAL_MS;
    request->is_cancelled = is_abandoned;
    request->cancel_arg = call->request;
    if (atomic_fetch_add(&call->api->git_under_way, 1) >= AT_ONCE_MAX) {
        atomic_fetch_sub(&call->api->git_under_way, 1);
        return try_again(call, err, "As many repositories as can be are being read at once");
    }
    int rc = repo_serve(request, fd, size_bytes, err);
    atomic_fetch_sub(&call->api->git_under_way, 1);
    if (rc == -ERR_TIMEOUT)
        return try_again(call, err, "Reading the repository took too long");
    if (rc == -ERR_CANCELLED)
        return try_again(call, err, "The connection ended"); /* nobody hears it */
    if (rc == -ERR_TOO_LARGE && request->max_bytes < max_bytes)
        return try_again(call, err, "There is no room for the answer on the server's disk");
    return rc;
}

/* The path of the project's repository, which is there and has its main. */
static int find_repository(struct api_call *call, const char **path, struct err *err) {
    CLEANUP(repo_closep) struct repo *repo = NULL;
    struct project *project = NULL;
    int rc = call_project(call, &project, err);
    if (rc == 0)
        rc = engine_repo_open(call->engine, project->id, &repo, err);
    if (rc == 0)
        *path = engine_repo_path(call->engine, project->id, call->arena);
    return rc;
}

static int read_whole(int fd, char *out, int64_t size_bytes, struct err *err) {
    for (int64_t at = 0; at < size_bytes;) {
        ssize_t got = pread(fd, out + at, (size_t)(size_bytes - at), at);
        if (got <= 0)
            return err_set(err, ERR_INTERNAL, "cannot read what git answered");
        at += got;
    }
    return 0;
}

int repository_refs(struct api_call *call, struct err *err) {
    struct serve_request request = {.is_advertisement = true, .body = "", .max_bytes = REFS_MAX_BYTES};
    CLEANUP(mem_closep) int fd = -1;
    int64_t size_bytes = 0;
    int rc = find_repository(call, &request.repo_path, err);
    if (rc == 0 && str_eq(call_query(call, "service"), "git-receive-pack"))
        rc = err_set(err, ERR_FORBIDDEN, "This repository is read-only: nothing can be pushed to it");
    if (rc == 0)
        rc = serve(call, &request, &fd, &size_bytes, err);
    if (rc < 0)
        return rc;
    const char *preamble = serve_preamble(request.version);
    size_t len = strlen(preamble);
    char *text = arena_alloc(call->arena, len + (size_t)size_bytes);
    memcpy(text, preamble, len);
    rc = read_whole(fd, text + len, size_bytes, err);
    if (rc < 0)
        return rc;
    http_reply_body(call->reply, "application/x-git-upload-pack-advertisement", text, len + (size_t)size_bytes);
    return 0;
}

/* The body of the request, unpacked; in `unpacked` if it was not so before. */
static int take_body(struct api_call *call, struct buf *unpacked, const void **body, size_t *len, struct err *err) {
    const char *type = str_or(http_request_header(call->request, "Content-Type"), "");
    const char *encoding = str_or(http_request_header(call->request, "Content-Encoding"), "identity");
    *body = http_request_body(call->request, len);
    if (*len > 0 && strcasecmp(type, "application/x-git-upload-pack-request") != 0)
        return err_set(err, ERR_MEDIA, "The body must be application/x-git-upload-pack-request");
    if (strcasecmp(encoding, "identity") == 0)
        return 0;
    if (strcasecmp(encoding, "gzip") != 0 && strcasecmp(encoding, "x-gzip") != 0)
        return err_set(err, ERR_MEDIA, "A packed body must be gzip");
    int rc = serve_gunzip(*body, *len, UNPACKED_MAX_BYTES, unpacked, err);
    *body = unpacked->data;
    *len = unpacked->len;
    return rc;
}

int repository_fetch(struct api_call *call, struct err *err) {
    struct serve_request request = {.max_bytes = ANSWER_MAX_BYTES};
    CLEANUP(buf_release) struct buf unpacked = {0};
    int fd = -1;
    int64_t size_bytes = 0;
    int rc = take_body(call, &unpacked, &request.body, &request.body_len, err);
    if (rc == 0)
        rc = find_repository(call, &request.repo_path, err);
    if (rc == 0)
        rc = serve(call, &request, &fd, &size_bytes, err);
    if (rc < 0)
        return rc;
    http_reply_file(call->reply, "application/x-git-upload-pack-result", fd, 0, (uint64_t)size_bytes);
    return 0;
}
