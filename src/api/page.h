/* page: lists in pages: by number (page, pageSize), or by a walk with a cursor. A cursor is the key of the last row
 * that was given, bound to what was listed; it holds no state here and opens nothing to whoever makes one up. */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "api/call.h"
#include "store/page.h"

struct list_page {
    struct page
        at; /* for the store; with a cursor it asks for a row more than is given, to know whether there is one */
    int64_t number; /* 0: by cursor */
    int64_t size;
    bool has_more; /* by cursor; page_rows */
};

/* What the query asks for, of a list by ids with this prefix, or of one by numbers. ERR_VALIDATION with the faults. */
MUST_CHECK int page_of_ids(struct api_call *call, const char *prefix, struct list_page *out, struct err *err);
MUST_CHECK int page_of_numbers(struct api_call *call, struct list_page *out, struct err *err);
/* How many of the count rows from the store are given. */
size_t page_rows(struct list_page *page, size_t count);
/* As reply_data_end, with "pagination". last is the key of the last row that is given: an id, or a number as text; NULL
 * when there is none. */
void page_reply_end(struct api_call *call, struct buf *out, struct jw *jw, const struct list_page *page, int64_t total,
                    const char *last);

#endif
