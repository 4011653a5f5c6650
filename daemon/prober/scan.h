/*
 * The prober's look at its host: Quobyte devices among the mounted file systems, boot id, which of
 * our ports listen, whether the client's mount point exists. Only reads; what cannot be read
 * becomes a warning. What marker files mean is decided by quobyte-mesos/device.h.
 *
 * Below a root:
 *     <mount point>/QUOBYTE_DEV_SETUP and the other markers
 *     proc/sys/kernel/random/boot_id
 *     proc/1/net/tcp, proc/1/net/tcp6    (of "/": /proc/net/..., our own network)
 */
#ifndef PROBER_SCAN_H
#define PROBER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quobyte-mesos/device.h>

#define SCAN_MOST_DEVICES                                                                          \
    256 /* more mounts with markers than this are left out, with a warning                         \
         */
#define SCAN_MARKER_LIMIT (64 * 1024) /* bytes of a marker file; a bigger one isn't a marker */

/* Where to look. */
struct scan_place {
    const char *root;   /* root directory of the host, "/" or where it is mounted */
    const char *mounts; /* its mount table; mount points in there are as the host sees them */
};

/* What else the scheduler wants to know. */
struct scan_question {
    const uint32_t *ports; /* which of these listen */
    size_t n_ports;
    const char *mount_point; /* of the client, as the host sees it; NULL or "" for none */
};

struct scan {
    struct qm_device *devices; /* by mount point; one for each directory, however often mounted */
    size_t n_devices;
    char **directories; /* roots of all mounts that may hold a device, as the host sees them */
    size_t n_directories;
    uint32_t *listening;
    size_t n_listening;
    bool has_mount_point;
    bool blind;       /* root or mount table could not be read: no devices means nothing */
    char boot_id[64]; /* "" when unknown */
    char warning[1024];
};

/**
 * scan_run() - looks now.
 * Returns a new scan, to be freed with scan_free(), or NULL when out of memory.
 */
struct scan *scan_run(const struct scan_place *place, const struct scan_question *question);

void scan_free(struct scan *scan);

/**
 * scan_differs() - is there anything in the second that is worth a report after the first?
 * Free space counts from a change of one hundredth of the size on.
 */
bool scan_differs(const struct scan *a, const struct scan *b);

/** scan_default_mounts() - the mount table of a root for which none was given; buffer is filled. */
void scan_default_mounts(const char *root, char *buffer, size_t size);

#endif
