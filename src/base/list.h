/* list: intrusive doubly linked list. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *head) {
    head->next = head->prev = head;
}
static inline bool list_is_empty(const struct list *head) {
    return head->next == head;
}
static inline void list_append(struct list *head, struct list *node) {
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}
/* The node may be removed twice. */
static inline void list_remove(struct list *node) {
    if (!node->next)
        return;
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node->prev = NULL;
}
/* Safe against removal of the current node. */
#define list_for_each(node, next_node, head)                                                                           \
    for (struct list *node = (head)->next, *next_node = node->next; node != (head);                                    \
         node = next_node, next_node = node->next)

#endif
