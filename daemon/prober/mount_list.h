/* The mounts of a host that may hold a device, from the text of its mount table. */
#ifndef PROBER_MOUNT_LIST_H
#define PROBER_MOUNT_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct mount_entry {
    char *mount; /* as the host sees it */
    char *filesystem;
    bool may_hold_device;
    size_t line; /* its place in the table */
};

struct mount_list {
    struct mount_entry *entries;
    size_t n_entries;
};

/**
 * mount_list_read() - entries that may hold a device, by mount point. Where several file systems
 * are mounted on one directory only the last counts: it hides the others.
 * Returns 0 or -ENOMEM.
 */
int mount_list_read(struct mount_list *list, const char *table, size_t length);

void mount_list_deinit(struct mount_list *list);

#endif
