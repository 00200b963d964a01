/* meter: what a command's tree uses of the machine, held against its limits. */
#ifndef SANDBOX_METER_H
#define SANDBOX_METER_H

#include "base/proc.h"
#include "sandbox/sandbox.h"
#include "sandbox/tree.h"

enum { METER_REASON_LEN = 200 };

struct meter {
    const struct sandbox_spec *spec; /* its folders are looked at, too */
    bool is_service;
    struct tree *tree;
    int64_t next_look_mono_ms;
    /* Of the whole machine at the last look: when they have moved much, it is time for another. */
    int64_t machine_threads, machine_memory_bytes;
    int64_t next_disk_mono_ms; /* not before: a look at the disk takes its time */
    int64_t due_disk_mono_ms;  /* at the latest */
    int64_t disk_free_bytes;   /* at the last look */
    char reason[METER_REASON_LEN];
};

void meter_init(struct meter *meter, const struct sandbox_spec *spec, bool is_service, struct tree *tree);
/* To be called some ten times a second: cheap, but when it is time to look. SANDBOX_ENDED: all is within the limits;
 * else what is not, and the reason is set. Keeps the tree's members known, too. */
enum sandbox_end meter_check(struct meter *meter);
/* For a command that ended by itself: whether it did so for a limit that the kernel held, and left too much behind. */
enum sandbox_end meter_verdict(struct meter *meter, const struct proc_exit *exit);

/* Bytes on disk below a folder, or of a file; files are counted once for each of their links. Stops beyond max_bytes,
 * and at a tree that is nested or populated beyond reason, which gives INT64_MAX. */
int64_t usage_bytes(const char *path, int64_t max_bytes);

#endif
