/* Mount table -> sorted list of candidates. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <quobyte-mesos/device.h>

#include "prober/mount_list.h"

/* Source, mount point and type of one line, decoded. */
#define SCRATCH_SIZE (2 * PATH_MAX + 256)

static void entry_deinit(struct mount_entry *entry)
{
    free(entry->mount);
    free(entry->filesystem);
}

void mount_list_deinit(struct mount_list *list)
{
    for (size_t i = 0; i < list->n_entries; i++)
        entry_deinit(&list->entries[i]);
    free(list->entries);
    *list = (struct mount_list){0};
}

static int append(struct mount_list *list, const struct qm_mount *mount)
{
    size_t n = list->n_entries;

    /* Room doubles whenever the number of entries is a power of two. */
    if ((n & (n - 1)) == 0) {
        struct mount_entry *bigger =
            realloc(list->entries, (n == 0 ? 1 : 2 * n) * sizeof(*list->entries));
        if (!bigger)
            return -ENOMEM;
        list->entries = bigger;
    }

    struct mount_entry entry = {
        .mount = strdup(mount->mount),
        .filesystem = strdup(mount->filesystem),
        .may_hold_device = qm_mount_may_hold_device(mount),
        .line = n,
    };
    if (!entry.mount || !entry.filesystem) {
        entry_deinit(&entry);
        return -ENOMEM;
    }
    list->entries[list->n_entries++] = entry;
    return 0;
}

static int by_mount_then_line(const void *a, const void *b)
{
    const struct mount_entry *x = a, *y = b;
    int order = strcmp(x->mount, y->mount);

    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static void keep_candidates(struct mount_list *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->n_entries; i++) {
        struct mount_entry *entry = &list->entries[i];
        bool hidden = i + 1 < list->n_entries && strcmp(entry->mount, entry[1].mount) == 0;

        if (hidden || !entry->may_hold_device)
            entry_deinit(entry);
        else
            list->entries[kept++] = *entry;
    }
    list->n_entries = kept;
}

int mount_list_read(struct mount_list *list, const char *table, size_t length)
{
    char scratch[SCRATCH_SIZE];
    struct qm_mount mount;
    size_t offset = 0;

    *list = (struct mount_list){0};
    while (qm_mounts_next(table, length, &offset, scratch, sizeof(scratch), &mount)) {
        if (mount.mount[0] != '/')
            continue;
        if (append(list, &mount) < 0) {
            mount_list_deinit(list);
            return -ENOMEM;
        }
    }
    if (list->n_entries > 0)
        qsort(list->entries, list->n_entries, sizeof(*list->entries), by_mount_then_line);
    keep_candidates(list);
    return 0;
}
