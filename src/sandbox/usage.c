/* usage: the bytes on disk below a folder that may be hostile and is being written to. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sandbox/meter.h"

enum {
    MAX_DEPTH = 512,
    MAX_ENTRIES = 4000000,
    BLOCK_BYTES = 512, /* of st_blocks, whatever the file system has */
    ENTRY_BYTES = 256, /* about what a file without content takes */
};

struct usage {
    int64_t bytes, max_bytes;
    int64_t entries;
    bool is_beyond_reason;
};

static bool is_over(const struct usage *usage) {
    return usage->is_beyond_reason || usage->bytes > usage->max_bytes;
}

static void count_entry(struct usage *usage, const struct stat *st) {
    usage->bytes += (int64_t)st->st_blocks * BLOCK_BYTES + ENTRY_BYTES;
    if (++usage->entries > MAX_ENTRIES)
        usage->is_beyond_reason = true;
}

/* Takes over fd. */
static void count_folder(struct usage *usage, int fd, int depth) {
    DIR *dir = fdopendir(fd);
    const struct dirent *entry;
    if (!dir) {
        (void)close(fd);
        return;
    }
    while (!is_over(usage) && (entry = readdir(dir))) {
        struct stat st;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue; /* it vanished */
        count_entry(usage, &st);
        if (!S_ISDIR(st.st_mode))
            continue;
        int below = depth < MAX_DEPTH ? openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
        if (depth == MAX_DEPTH)
            usage->is_beyond_reason = true;
        else if (below >= 0)
            count_folder(usage, below, depth + 1);
    }
    (void)closedir(dir);
}

int64_t usage_bytes(const char *path, int64_t max_bytes) {
    struct usage usage = {.max_bytes = max_bytes};
    struct stat st;
    if (lstat(path, &st) < 0)
        return 0;
    count_entry(&usage, &st);
    int fd = S_ISDIR(st.st_mode) ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd >= 0)
        count_folder(&usage, fd, 0);
    return usage.is_beyond_reason ? INT64_MAX : usage.bytes;
}
