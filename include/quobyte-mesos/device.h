/*
 * Quobyte devices: mounted file systems that carry a marker file. Everything
 * here is a pure function over text; reading the files is the caller's job.
 *
 * Sources: Quobyte's qmkdev writes QUOBYTE_DEV_SETUP into the root of the
 * mounted device (device.serial, device.model, device.bootstrap, device.type in
 * any order); QUOBYTE_DEV_ID with device.id appears once the registry knows the
 * device. The old framework also took an entry called quobyte-dir,
 * quobyte-metadata or quobyte-data for a device.
 */
#ifndef QUOBYTE_MESOS_DEVICE_H
#define QUOBYTE_MESOS_DEVICE_H

#include <quobyte-mesos/base.h>
#include <quobyte-mesos/error.h>

#define QM_DEVICE_SETUP_FILE "QUOBYTE_DEV_SETUP"
#define QM_DEVICE_ID_FILE "QUOBYTE_DEV_ID"

enum qm_device_type {
    QM_DEVICE_UNTYPED, /* marked, but without device.type: shown, never used */
    QM_DEVICE_REGISTRY,
    QM_DEVICE_METADATA,
    QM_DEVICE_DATA,
};

/* A device as the prober reports it. Strings are never NULL; unknown ones are "". */
struct qm_device {
    enum qm_device_type type;
    bool bootstrap;          /* device.bootstrap=true */
    const char *mount;       /* mount point as the host sees it */
    const char *filesystem;  /* "ext4", "xfs" */
    const char *serial;      /* device.serial */
    const char *model;       /* device.model */
    const char *id;          /* device.id of QUOBYTE_DEV_ID; "" = not registered yet */
    const char *warning;     /* what is odd about its markers, "" when nothing */
    uint64_t size_mib;
    uint64_t free_mib;
};

/** qm_device_type_name() - "registry", "metadata", "data", "untyped". Since 0.1. */
QM_EXPORT const char *qm_device_type_name(enum qm_device_type type);

/* One line of a mount table. Strings are decoded (\040 and its like) and point into scratch. */
struct qm_mount {
    const char *source;
    const char *mount;
    const char *filesystem;
};

/**
 * qm_mounts_next() - next line of a mount table in the form of /proc/mounts.
 * @text: the table; @length: its bytes; @offset: 0 at first, moved by each call
 * @scratch, @size: receives the decoded strings; lines that do not fit are skipped
 * Returns true with mount filled, false at the end. Malformed lines are skipped.
 * Source: proc(5), fstab(5): blanks, tabs, newlines and backslashes are octal escapes. Since 0.1.
 */
QM_EXPORT bool qm_mounts_next(const char *text, size_t length, size_t *offset, char *scratch,
                              size_t size, struct qm_mount *mount);

/** qm_mount_may_hold_device() - ext4 and xfs do, nothing else (qmkdev, exit 13). Since 0.1. */
QM_EXPORT bool qm_mount_may_hold_device(const struct qm_mount *mount);

/* The markers found in the root of one mount. A file that is absent is NULL. */
struct qm_device_markers {
    const char *setup;       /* content of QUOBYTE_DEV_SETUP */
    size_t setup_length;
    const char *id;          /* content of QUOBYTE_DEV_ID */
    size_t id_length;
    bool legacy_registry;    /* entry quobyte-dir */
    bool legacy_metadata;    /* entry quobyte-metadata */
    bool legacy_data;        /* entry quobyte-data */
};

/**
 * qm_device_from_markers() - what the markers of one mount say.
 * @device: mount and filesystem are taken from @mount; size and free are left 0
 * @scratch, @size: receives all strings that device points to
 * CR, blanks around keys and values, comments, unknown keys and a missing last newline are
 * accepted; contradicting or missing types give QM_DEVICE_UNTYPED and a warning.
 * Returns 0; QM_E_UNKNOWN when there is no marker; QM_E_LIMIT when scratch is too small. Since 0.1.
 */
QM_EXPORT int qm_device_from_markers(const struct qm_mount *mount,
                                     const struct qm_device_markers *markers, char *scratch,
                                     size_t size, struct qm_device *device);

#endif
