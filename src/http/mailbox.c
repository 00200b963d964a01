/* mailbox: how other threads reach a loop: notes, and an eventfd that wakes it. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "http/internal.h"

int mailbox_create(struct mailbox **out, struct err *err) {
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return err_errno(err, ERR_UNAVAILABLE, errno, "eventfd");
    struct mailbox *box = mem_alloc(sizeof(*box));
    atomic_init(&box->refs, 1);
    box->event_fd = fd;
    (void)pthread_mutex_init(&box->lock, NULL);
    *out = box;
    return 0;
}

struct mailbox *mailbox_ref(struct mailbox *box) {
    atomic_fetch_add(&box->refs, 1);
    return box;
}

void mailbox_unref(struct mailbox *box) {
    if (!box || atomic_fetch_sub(&box->refs, 1) != 1)
        return;
    (void)close(box->event_fd);
    (void)pthread_mutex_destroy(&box->lock);
    free(box);
}

bool mailbox_put(struct mailbox *box, struct note *note) {
    note->next = NULL;
    (void)pthread_mutex_lock(&box->lock);
    bool is_taken = !box->is_closed;
    bool was_empty = !box->first;
    if (is_taken) {
        if (was_empty)
            box->first = note;
        else
            box->last->next = note;
        box->last = note;
    }
    (void)pthread_mutex_unlock(&box->lock);
    /* Who puts the first note wakes the loop; it takes all that are there by then. */
    if (is_taken && was_empty)
        (void)!write(box->event_fd, &(uint64_t){1}, sizeof(uint64_t));
    return is_taken;
}

static struct note *take_all(struct mailbox *box, bool closes) {
    (void)pthread_mutex_lock(&box->lock);
    struct note *first = box->first;
    box->first = box->last = NULL;
    box->is_closed = box->is_closed || closes;
    (void)pthread_mutex_unlock(&box->lock);
    return first;
}

static void run_all(struct note *note) {
    while (note) {
        struct note *next = note->next; /* fn may put the note again, or free it */
        note->fn(note);
        note = next;
    }
}

void mailbox_deliver(struct mailbox *box) {
    uint64_t count;
    /* Cleared before the notes are taken: a note put in between finds the box empty and signals again. */
    (void)!read(box->event_fd, &count, sizeof(count));
    run_all(take_all(box, false));
}

void mailbox_close(struct mailbox *box) {
    run_all(take_all(box, true));
}
