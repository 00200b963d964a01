/* tree: all processes that come from one command: finding them, signalling them, killing them to the last. */
#include "sandbox/tree.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
    /* A bomb forks while we look; after so many rounds of stopping we kill what we have and go on from there. */
    STOP_ROUNDS = 30,
    /* One look can miss a process whose parent ended during it. So none is to be found twice in a row, in looks during
     * which nothing ended; or so many times, where others come and go all the time. */
    STILL_LOOKS = 2,
    EMPTY_LOOKS = 8,
    LONGEST_PAUSE_MS = 20,
};

void tree_init(struct tree *tree, pid_t first, const struct tag *tag) {
    struct process process;
    *tree = (struct tree){.first = first, .mark = tag->mark, .variable = tag->variable};
    if (process_read(first, &process))
        tree->start_ticks = process.start_ticks;
}

void tree_init_left(struct tree *tree, const char *variable_prefix) {
    *tree = (struct tree){.variable = variable_prefix};
}

void tree_release(struct tree *tree) {
    process_list_release(&tree->members);
    process_list_release(&tree->all);
}

static bool was_member(const struct tree *tree, const struct process *process) {
    const struct process *before = process_list_find(&tree->members, process->pid);
    return before && before->start_ticks == process->start_ticks;
}

static bool has_mark(const struct tree *tree, const struct process *process, pid_t self) {
    uint64_t mark = process_mark(process->pid);
    if (mark && mark == tree->mark)
        return true;
    /* An orphan of some command of ours that changed its mark: nobody else would end it. */
    return tree->mark && process->parent == self && tag_is_stray_mark(mark);
}

/* By itself, without regard to its parents. */
static bool belongs(const struct tree *tree, const struct process *process, pid_t self) {
    if (tree->first &&
        (process->pid == tree->first || process->group == tree->first || process->session == tree->first))
        return true;
    if (was_member(tree, process) || (tree->first && has_mark(tree, process, self)))
        return true;
    return process_is_live(process) && process_env_has(process->pid, tree->variable, tree->first == 0);
}

/* This process and its ancestors, which may themselves run under a sandbox. */
static void spare(const struct process_list *all, bool *is_spared) {
    const struct process *process = process_list_find(all, getpid());
    for (size_t steps = 0; process && steps < all->count; steps++) {
        is_spared[process - all->items] = true;
        process = process_list_find(all, process->parent);
    }
}

static void add_descendants(const struct process_list *all, const bool *is_spared, bool *is_member) {
    for (bool is_changed = true; is_changed;) {
        is_changed = false;
        for (size_t i = 0; i < all->count; i++) {
            if (is_member[i] || is_spared[i])
                continue;
            const struct process *parent = process_list_find(all, all->items[i].parent);
            if (parent && is_member[parent - all->items]) {
                is_member[i] = true;
                is_changed = true;
            }
        }
    }
}

/* Fills is_member for tree->all. */
static void mark_members(const struct tree *tree, bool *is_member) {
    const struct process_list *all = &tree->all;
    CLEANUP(mem_freep) bool *is_spared = mem_alloc(all->count);
    pid_t self = getpid();

    spare(all, is_spared);
    for (size_t i = 0; i < all->count; i++) {
        const struct process *process = &all->items[i];
        is_member[i] = !is_spared[i] && process->start_ticks >= tree->start_ticks && belongs(tree, process, self);
    }
    add_descendants(all, is_spared, is_member);
}

/* Only by number, and only what belongs to this tree: other threads wait for children of their own. */
static bool reap(const struct tree *tree, const struct process *process) {
    return tree->first && process->pid != tree->first && process->parent == getpid() && !process_is_live(process) &&
           waitpid(process->pid, NULL, WNOHANG) == process->pid;
}

struct hunt {
    const struct tree *tree;
    int signal;
};

/* Before the next is looked for: what forks and ends is hit, or has left a child further on. */
static void signal_if_marked(pid_t pid, void *arg) {
    const struct hunt *hunt = arg;
    if (hunt->signal && hunt->tree->mark && process_mark(pid) == hunt->tree->mark)
        process_signal_marked(pid, hunt->tree->mark, hunt->signal);
}

/* A look that with a signal sends it to all that carry the mark, as it finds them. */
static size_t look(struct tree *tree, int signal) {
    struct hunt hunt = {tree, signal};
    if (!process_list_read(&tree->all, signal_if_marked, &hunt, &tree->vanished) || tree->all.count == 0)
        return SIZE_MAX; /* unknown: not none */
    CLEANUP(mem_freep) bool *is_member = mem_alloc(tree->all.count);
    mark_members(tree, is_member);

    /* Packed in place, then swapped, so that the order by pid stays. */
    size_t count = 0;
    size_t live = 0;
    for (size_t i = 0; i < tree->all.count; i++) {
        struct process process = tree->all.items[i];
        if (!is_member[i] || reap(tree, &process))
            continue;
        if (process_is_live(&process)) {
            live++;
            tree->found += !was_member(tree, &process);
        }
        tree->all.items[count++] = process;
    }
    tree->all.count = count;
    struct process_list before = tree->members;
    tree->members = tree->all;
    tree->all = before;
    return live;
}

size_t tree_look(struct tree *tree) {
    return look(tree, 0);
}

static void signal_members(const struct tree *tree, int signal) {
    for (size_t i = 0; i < tree->members.count; i++) {
        const struct process *member = &tree->members.items[i];
        bool is_fence = tree->has_fence && member->pid == tree->first && signal == SIGTERM;
        if (process_is_live(member) && !is_fence)
            process_signal(member, signal);
    }
}

void tree_signal(struct tree *tree, int signal) {
    (void)tree_look(tree);
    signal_members(tree, signal);
}

/* Until a look finds nothing new. Stopped processes keep their parents, so that descent stays visible. */
static void stop_all(struct tree *tree, int64_t deadline_mono_ms) {
    if (tree->first > 1)
        (void)kill(-tree->first, SIGSTOP); /* at one stroke */
    for (int round = 0; round < STOP_ROUNDS && clock_mono_ms() < deadline_mono_ms; round++) {
        size_t found = tree->found;
        if (look(tree, SIGSTOP) == 0 || (round > 0 && tree->found == found))
            return;
        signal_members(tree, SIGSTOP);
    }
}

static void pause_ms(int ms) {
    (void)poll(NULL, 0, ms);
}

bool tree_kill(struct tree *tree, int64_t deadline_mono_ms) {
    int empty = 0;
    int still = 0;
    int ms = 1;

    stop_all(tree, deadline_mono_ms);
    if (tree->first > 1)
        (void)kill(-tree->first, SIGKILL);
    signal_members(tree, SIGKILL);
    for (;;) {
        bool is_empty = look(tree, SIGKILL) == 0;
        empty = is_empty ? empty + 1 : 0;
        still = is_empty && tree->vanished == 0 ? still + 1 : 0;
        if (still == STILL_LOOKS || empty == EMPTY_LOOKS)
            return true;
        if (is_empty)
            continue;
        if (clock_mono_ms() >= deadline_mono_ms)
            return false;
        signal_members(tree, SIGKILL);
        pause_ms(ms);
        ms = ms * 2 < LONGEST_PAUSE_MS ? ms * 2 : LONGEST_PAUSE_MS;
    }
}
