/* page: which part of a list. Lists go downwards by a key that never changes, an id or a number: rows that come are
 * before the first page, and whoever goes on below the last row they saw meets each row once, whatever comes and goes
 * meanwhile. */
#ifndef STORE_PAGE_H
#define STORE_PAGE_H

#include <stdint.h>

#define PAGE_TOP_ID "zz" /* above every id */

struct page {
    int64_t limit, offset;
    const char *below_id; /* of a list by ids */
    int64_t below_number; /* of a list by numbers */
};

/* The page of a number from 1: it shifts when rows come or go above it. */
static inline struct page page_numbered(int64_t number, int64_t size) {
    return (struct page){
        .limit = size, .offset = (number - 1) * size, .below_id = PAGE_TOP_ID, .below_number = INT64_MAX};
}

#endif
