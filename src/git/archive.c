/* archive: a commit's files as a zip, the same bytes wherever and whenever it is made. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/str.h"
#include "git/internal.h"

/* Places in a zip that zip_settle changes. Source: PKWARE APPNOTE 6.3.10, 4.3.7, 4.3.12, 4.3.16. */
enum {
    LOCAL_FLAGS = 6,
    LOCAL_TIME = 10,
    CENTRAL_BYTES = 46,
    CENTRAL_FLAGS = 8,
    CENTRAL_TIME = 12,
    CENTRAL_NAME_LEN = 28,
    CENTRAL_EXTRA_LEN = 30,
    CENTRAL_COMMENT_LEN = 32,
    CENTRAL_OFFSET = 42,
    END_BYTES = 22,
    END_COUNT = 10,
    END_CENTRAL = 16,
    FLAG_UTF8 = 0x0800,
};

struct zip {
    struct repo *repo;
    struct archive *archive;
    const char *prefix; /* without a slash at its end */
    int64_t time_s;
    struct err *err;
};

static int archive_fail(struct zip *zip, const char *path) {
    const char *reason = archive_error_string(zip->archive);
    return err_set(zip->err, ERR_INTERNAL, "cannot write %s to a zip: %s", path, reason ? reason : "unknown reason");
}

static int put_file(struct zip *zip, const char *path, git_filemode_t mode, const char *data, size_t len) {
    struct archive_entry *entry = archive_entry_new2(zip->archive);
    int result = 0;
    archive_entry_set_pathname(entry, path);
    archive_entry_set_mtime(entry, zip->time_s, 0);
    if (mode == GIT_FILEMODE_LINK) {
        archive_entry_set_mode(entry, AE_IFLNK | 0777);
        archive_entry_set_symlink(entry, data);
    } else {
        archive_entry_set_mode(entry, AE_IFREG | (mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0755 : 0644));
        archive_entry_set_size(entry, (int64_t)len);
    }
    if (archive_write_header(zip->archive, entry) != ARCHIVE_OK)
        result = archive_fail(zip, path);
    else if (mode != GIT_FILEMODE_LINK && len > 0 && archive_write_data(zip->archive, data, len) != (la_ssize_t)len)
        result = archive_fail(zip, path);
    archive_entry_free(entry);
    return result;
}

/* A git_treewalk_cb, called in the order of paths; folder has a slash at its end or is empty. */
static int put_entry(const char *folder, const git_tree_entry *entry, void *arg) {
    struct zip *zip = arg;
    CLEANUP(odb_object_freep) git_odb_object *object = NULL;
    CLEANUP(mem_freep)
    char *path = mem_printf("%s%s%s%s", zip->prefix, *zip->prefix ? "/" : "", folder, git_tree_entry_name(entry));
    git_filemode_t mode = git_tree_entry_filemode(entry);
    if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB)
        return 0;
    if (git_odb_read(&object, zip->repo->odb, git_tree_entry_id(entry)) < 0)
        return git_fail(zip->err, ERR_INTERNAL, "cannot read %s", path);
    const char *data = git_odb_object_data(object);
    if (mode == GIT_FILEMODE_LINK) {
        size_t depth = 0;
        for (const char *at = folder; *at; at++)
            depth += *at == '/';
        const char *fault = link_fault(data, depth);
        if (fault)
            return err_field(zip->err, ERR_VALIDATION, "path", "%s %s", path, fault);
    }
    return put_file(zip, path, mode, data, git_odb_object_size(object));
}

static int write_entries(struct zip *zip, const git_tree *tree, int fd) {
    zip->archive = archive_write_new();
    int result = 0;
    if (!zip->archive || archive_write_set_format_zip(zip->archive) != ARCHIVE_OK ||
        archive_write_set_format_option(zip->archive, "zip", "compression", "deflate") != ARCHIVE_OK ||
        archive_write_open_fd(zip->archive, fd) != ARCHIVE_OK)
        result = archive_fail(zip, "the beginning");
    if (result == 0) {
        int walked = git_tree_walk(tree, GIT_TREEWALK_PRE, put_entry, zip);
        /* put_entry has set zip->err if that is what stopped the walk. */
        if (walked < 0)
            result = zip->err->code != ERR_NONE ? -(int)zip->err->code
                                                : git_fail(zip->err, ERR_INTERNAL, "cannot read the tree");
    }
    if (result == 0 && archive_write_close(zip->archive) != ARCHIVE_OK)
        result = archive_fail(zip, "the end");
    (void)archive_write_free(zip->archive);
    return result;
}

static uint32_t get_le(const unsigned char *at, int bytes) {
    uint32_t value = 0;
    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

static void put_le(unsigned char *at, int bytes, uint32_t value) {
    for (int i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

/* Date and time as MS-DOS had them, in two seconds' steps from 1980 on; libarchive would take local time. */
static uint32_t dos_time(int64_t time_s) {
    const time_t time_value = (time_t)time_s;
    struct tm tm;
    if (!gmtime_r(&time_value, &tm) || tm.tm_year < 80 || tm.tm_year > 207)
        return 1 << 21 | 1 << 16;
    return (uint32_t)(tm.tm_year - 80) << 25 | (uint32_t)(tm.tm_mon + 1) << 21 | (uint32_t)tm.tm_mday << 16 |
           (uint32_t)tm.tm_hour << 11 | (uint32_t)tm.tm_min << 5 | (uint32_t)tm.tm_sec >> 1;
}

static bool is_ascii(const unsigned char *text, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (text[i] >= 0x80)
            return false;
    return true;
}

/* Takes out what depends on this process's time zone and locale: the times, and whether names are marked as UTF-8. */
static bool zip_settle(unsigned char *zip, size_t size, uint32_t time) {
    if (size < END_BYTES || get_le(zip + size - END_BYTES, 4) != 0x06054b50)
        return false;
    const unsigned char *end = zip + size - END_BYTES;
    uint32_t count = get_le(end + END_COUNT, 2);
    size_t at = get_le(end + END_CENTRAL, 4);
    for (uint32_t i = 0; i < count; i++) {
        unsigned char *central = zip + at;
        if (at + CENTRAL_BYTES > size || get_le(central, 4) != 0x02014b50)
            return false;
        size_t name_len = get_le(central + CENTRAL_NAME_LEN, 2);
        size_t local_at = get_le(central + CENTRAL_OFFSET, 4);
        at += CENTRAL_BYTES + name_len + get_le(central + CENTRAL_EXTRA_LEN, 2) +
              get_le(central + CENTRAL_COMMENT_LEN, 2);
        if (at > size || local_at + CENTRAL_BYTES > size || get_le(zip + local_at, 4) != 0x04034b50)
            return false;
        uint32_t flags = get_le(central + CENTRAL_FLAGS, 2) & ~(uint32_t)FLAG_UTF8;
        if (!is_ascii(central + CENTRAL_BYTES, name_len))
            flags |= FLAG_UTF8;
        put_le(central + CENTRAL_FLAGS, 2, flags);
        put_le(central + CENTRAL_TIME, 4, time);
        put_le(zip + local_at + LOCAL_FLAGS, 2, flags);
        put_le(zip + local_at + LOCAL_TIME, 4, time);
    }
    return true;
}

/* Settles the written file by a mapping of it, hashes it and makes it last. */
static int finish_file(struct zip *zip, int fd, int64_t *size_bytes, char sha256[65]) {
    struct stat st;
    if (fstat(fd, &st) < 0 || st.st_size == 0)
        return err_errno(zip->err, ERR_INTERNAL, errno, "cannot read the zip");
    if (st.st_size >= UINT32_MAX)
        return err_set(zip->err, ERR_TOO_LARGE, "the zip would be larger than 4 GiB");
    size_t size = (size_t)st.st_size;
    unsigned char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return err_errno(zip->err, ERR_INTERNAL, errno, "cannot map the zip");
    bool is_settled = zip_settle(map, size, dos_time(zip->time_s));
    (void)hash_sha256_hex(sha256, map, size);
    int synced = msync(map, size, MS_SYNC) < 0 || fsync(fd) < 0 ? errno : 0;
    (void)munmap(map, size);
    *size_bytes = st.st_size;
    if (!is_settled)
        return err_set(zip->err, ERR_INTERNAL, "the zip is not as it should be");
    return synced ? err_errno(zip->err, ERR_INTERNAL, synced, "cannot write the zip") : 0;
}

static int write_zip(struct zip *zip, const git_tree *tree, const char *path, int64_t *size_bytes, char sha256[65]) {
    char hex[17], random[8];
    hash_random(random, sizeof(random));
    hash_hex(hex, random, sizeof(random));
    CLEANUP(mem_freep) char *temporary = mem_printf("%s.tmp-%s", path, hex);
    CLEANUP(mem_freep) char *parent = mem_strdup(path);
    CLEANUP(mem_closep) int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_errno(zip->err, ERR_INTERNAL, errno, "cannot make %s", temporary);
    int result = write_entries(zip, tree, fd);
    if (result == 0)
        result = finish_file(zip, fd, size_bytes, sha256);
    if (result == 0 && rename(temporary, path) < 0)
        result = err_errno(zip->err, ERR_INTERNAL, errno, "cannot make %s", path);
    if (result < 0) {
        (void)unlink(temporary);
        return result;
    }
    char *slash = strrchr(parent, '/');
    if (slash)
        slash[slash == parent] = '\0';
    return fs_sync_dir(slash ? parent : ".", zip->err);
}

int repo_archive_zip(struct repo *repo, const char *commit, const char *prefix, const char *path, int64_t *size_bytes,
                     char sha256[65], struct err *err) {
    CLEANUP(commit_freep) git_commit *found = NULL;
    CLEANUP(tree_freep) git_tree *tree = NULL;
    struct err own = {0};
    struct zip zip = {.repo = repo, .prefix = prefix, .err = &own};
    if (*prefix && (!fs_is_safe_relative(prefix) || !str_is_utf8(prefix, strlen(prefix))))
        return err_field(err, ERR_VALIDATION, "prefix", "%s cannot be the folder of an archive", prefix);
    int result = git_commit_of(repo, commit, &found, &own);
    if (result == 0 && git_commit_tree(&tree, found) < 0)
        result = git_fail(&own, ERR_INTERNAL, "cannot read the tree of %s", commit);
    if (result == 0) {
        zip.time_s = git_commit_time(found);
        result = write_zip(&zip, tree, path, size_bytes, sha256);
    }
    if (result < 0 && err)
        *err = own;
    return result;
}
