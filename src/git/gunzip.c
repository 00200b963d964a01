/* gunzip: bodies that git sends compressed, under a limit. */
#include <archive.h>
#include <archive_entry.h>

#include "base/mem.h"
#include "git/serve.h"

enum { PORTION_BYTES = 16 * 1024 };

static void archive_freep(struct archive **archive) {
    (void)archive_read_free(*archive);
}

static int refuse(struct err *err) {
    return err_field(err, ERR_VALIDATION, "body", "The body is not gzip, as Content-Encoding says");
}

int serve_gunzip(const void *data, size_t len, size_t max_bytes, struct buf *out, struct err *err) {
    CLEANUP(archive_freep) struct archive *archive = archive_read_new();
    CLEANUP(mem_freep) char *portion = mem_alloc(PORTION_BYTES);
    struct archive_entry *entry;
    size_t before = out->len;
    la_ssize_t got = 0;
    /* This one filter, once: left to find out by itself, libarchive unpacks what is packed many times over. */
    if (!archive || archive_read_append_filter(archive, ARCHIVE_FILTER_GZIP) != ARCHIVE_OK ||
        archive_read_support_format_raw(archive) != ARCHIVE_OK)
        return err_set(err, ERR_INTERNAL, "libarchive reads no gzip");
    if (archive_read_open_memory(archive, data, len) != ARCHIVE_OK ||
        archive_read_next_header(archive, &entry) != ARCHIVE_OK)
        return refuse(err);
    while ((got = archive_read_data(archive, portion, PORTION_BYTES)) > 0 &&
           out->len - before + (size_t)got <= max_bytes)
        buf_put(out, portion, (size_t)got);
    if (got == 0 && !out->overflowed)
        return 0;
    out->len = before;
    if (out->data)
        out->data[before] = '\0';
    if (got < 0)
        return refuse(err);
    return err_set(err, ERR_TOO_LARGE, "The body is larger than %zu bytes when it is unpacked", max_bytes);
}
