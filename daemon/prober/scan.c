/* One look at the host. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "prober/hostfs.h"
#include "prober/mount_list.h"
#include "prober/proc_net.h"
#include "prober/scan.h"
#include "prober/text.h"

#define MOUNTS_LIMIT  (16 * 1024 * 1024) /* hosts full of containers have tables of megabytes */
#define SOCKETS_LIMIT (1024 * 1024)      /* listeners come first in the kernel's table */
#define LONGEST_TEXT  4096 /* of what a marker says; reports stay small whatever it contains */
#define SCRATCH_SIZE  (3 * SCAN_MARKER_LIMIT)

/* One scan under way. */
struct look {
    struct scan *scan;
    int root;
    bool kernel_table; /* the mount table is the kernel's: what it names is really mounted */
    char *scratch;     /* for one device at a time */
    struct directory_id {
        dev_t device;
        ino_t inode;
    } * seen; /* beside scan->directories */
};

static bool is_real_root(const char *root)
{
    return root[strspn(root, "/")] == '\0';
}

void scan_default_mounts(const char *root, char *buffer, size_t size)
{
    if (is_real_root(root))
        snprintf(buffer, size, "/proc/self/mounts");
    else
        snprintf(buffer, size, "%s/proc/1/mounts", root);
}

static void device_deinit(struct qm_device *device)
{
    free((char *)device->mount);
    free((char *)device->filesystem);
    free((char *)device->serial);
    free((char *)device->model);
    free((char *)device->id);
    free((char *)device->warning);
}

void scan_free(struct scan *scan)
{
    if (!scan)
        return;
    for (size_t i = 0; i < scan->n_devices; i++)
        device_deinit(&scan->devices[i]);
    for (size_t i = 0; i < scan->n_directories; i++)
        free(scan->directories[i]);
    free(scan->devices);
    free(scan->directories);
    free(scan->listening);
    free(scan);
}

static const char *copy_clean(const char *text)
{
    char *copy = strndup(text ? text : "", LONGEST_TEXT);

    if (copy)
        text_clean(copy);
    return copy;
}

static int keep_device(struct scan *scan, const struct qm_device *device)
{
    struct qm_device copy = *device;

    copy.mount = copy_clean(device->mount);
    copy.filesystem = copy_clean(device->filesystem);
    copy.serial = copy_clean(device->serial);
    copy.model = copy_clean(device->model);
    copy.id = copy_clean(device->id);
    copy.warning = copy_clean(device->warning);
    if (!copy.mount || !copy.filesystem || !copy.serial || !copy.model || !copy.id ||
        !copy.warning) {
        device_deinit(&copy);
        return -ENOMEM;
    }
    scan->devices[scan->n_devices++] = copy;
    return 0;
}

/* A marker's content; what goes wrong with one that is there is noted. Returns 0 or -ENOMEM. */
static int read_marker(int directory, const char *name, char **text, size_t *length, char *note,
                       size_t note_size)
{
    int r = hostfs_read(directory, name, SCAN_MARKER_LIMIT, text, length);

    if (r == 0 || r == -ENOENT || r == -ENOMEM)
        return r == -ENOMEM ? r : 0;
    free(*text);
    *text = NULL;
    *length = 0;
    switch (r) {
    case -EFBIG:
        text_append(note, note_size, "%s is larger than %d KiB", name, SCAN_MARKER_LIMIT / 1024);
        break;
    case -ELOOP:
        text_append(note, note_size, "%s is a symbolic link", name);
        break;
    case -EINVAL:
        text_append(note, note_size, "%s is not a regular file", name);
        break;
    default:
        text_append(note, note_size, "%s cannot be read: %s", name, strerror(-r));
    }
    return 0;
}

/* Is there an entry of this name? One that cannot be looked at is noted. */
static bool has_entry(int directory, const char *name, char *note, size_t note_size)
{
    struct stat status;

    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    if (errno != ENOENT)
        text_append(note, note_size, "%s cannot be read: %s", name, strerror(errno));
    return false;
}

static void measure(int directory, struct qm_device *device, char *note, size_t note_size)
{
    struct statvfs fs;

    if (fstatvfs(directory, &fs) < 0) {
        text_append(note, note_size, "size is unknown: %s", strerror(errno));
        return;
    }
    device->size_mib = (uint64_t)fs.f_blocks * fs.f_frsize >> 20;
    device->free_mib = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
}

/*
 * What the markers say; with an unreadable marker whatever the others say is not to be trusted with
 * a type.
 */
static int judge(struct look *look, int directory, const struct qm_mount *mount,
                 const struct qm_device_markers *markers, const char *note)
{
    struct qm_device device;
    char warning[1024] = "";
    int r = qm_device_from_markers(mount, markers, look->scratch, SCRATCH_SIZE, &device);

    if (r < 0)
        return r;
    if (r != 0 && note[0] == '\0' && r == QM_E_UNKNOWN)
        return 0; /* no device */
    if (r != 0)
        device = (struct qm_device){.mount = mount->mount, .filesystem = mount->filesystem};
    if (r == QM_E_LIMIT)
        text_append(warning, sizeof(warning), "its markers are too long");
    if (r == 0 && device.warning[0] != '\0')
        text_append(warning, sizeof(warning), "%s", device.warning);
    if (note[0] != '\0') {
        text_append(warning, sizeof(warning), "%s", note);
        device.type = QM_DEVICE_UNTYPED;
    }
    measure(directory, &device, warning, sizeof(warning));
    device.warning = warning;
    return keep_device(look->scan, &device);
}

static int look_at_directory(struct look *look, int directory, const struct qm_mount *mount)
{
    struct qm_device_markers markers = {0};
    char *setup = NULL, *id = NULL;
    char note[512] = "";

    int r = read_marker(directory, QM_DEVICE_SETUP_FILE, &setup, &markers.setup_length, note,
                        sizeof(note));
    if (r == 0)
        r = read_marker(directory, QM_DEVICE_ID_FILE, &id, &markers.id_length, note, sizeof(note));
    markers.setup = setup;
    markers.id = id;
    if (r == 0) {
        markers.legacy_registry = has_entry(directory, "quobyte-dir", note, sizeof(note));
        markers.legacy_metadata = has_entry(directory, "quobyte-metadata", note, sizeof(note));
        markers.legacy_data = has_entry(directory, "quobyte-data", note, sizeof(note));
        r = judge(look, directory, mount, &markers, note);
    }
    free(setup);
    free(id);
    return r;
}

/*
 * In a container without mount propagation a disk that was mounted later is in the host's table,
 * but all that we see is the empty directory beneath it. Kernels before 5.8 don't tell.
 */
static bool is_out_of_sight(const struct look *look, int directory)
{
    struct statx status;

    return look->kernel_table && statx(directory, "", AT_EMPTY_PATH, 0, &status) == 0 &&
           (status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) &&
           !(status.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* Bind mounts show one directory in several places; it is one device. */
static bool seen_before(struct look *look, int directory)
{
    struct stat status;

    if (fstat(directory, &status) < 0)
        return false; /* looking further tells what is wrong with it */
    for (size_t i = 0; i < look->scan->n_directories; i++)
        if (look->seen[i].device == status.st_dev && look->seen[i].inode == status.st_ino)
            return true;
    look->seen[look->scan->n_directories] =
        (struct directory_id){.device = status.st_dev, .inode = status.st_ino};
    return false;
}

/* A mount whose directory cannot even be opened. */
static int unreachable(struct look *look, const struct qm_mount *mount, int error)
{
    switch (error) {
    case -ENOTDIR: /* a file that is mounted over a file, as containers have them */
        return 0;
    case -ENOENT:
    case -EACCES:
    case -EPERM:
    case -EXDEV:
    case -ENAMETOOLONG:
        text_append(look->scan->warning, sizeof(look->scan->warning), "%s: %s", mount->mount,
                    strerror(-error));
        return 0;
    default: /* a broken disk, quite possibly one of ours */
        return keep_device(look->scan, &(struct qm_device){.mount = mount->mount,
                                                           .filesystem = mount->filesystem,
                                                           .warning = strerror(-error)});
    }
}

static int look_at_mount(struct look *look, const struct mount_entry *entry)
{
    struct scan *scan = look->scan;
    struct qm_mount mount = {.source = "", .mount = entry->mount, .filesystem = entry->filesystem};
    int directory = hostfs_open_directory(look->root, entry->mount);

    if (directory < 0)
        return unreachable(look, &mount, directory);
    if (is_out_of_sight(look, directory)) {
        text_append(scan->warning, sizeof(scan->warning),
                    "%s is mounted on the host, but not in sight of the prober", entry->mount);
        close(directory);
        return 0;
    }
    if (seen_before(look, directory)) {
        close(directory);
        return 0;
    }

    int r = look_at_directory(look, directory, &mount);
    close(directory);
    if (r < 0)
        return r;
    scan->directories[scan->n_directories] = strdup(entry->mount);
    if (!scan->directories[scan->n_directories])
        return -ENOMEM;
    scan->n_directories++;
    return 0;
}

static int look_at_mounts(struct look *look, const struct mount_list *list)
{
    struct scan *scan = look->scan;
    int r = 0;

    scan->devices = calloc(SCAN_MOST_DEVICES, sizeof(*scan->devices));
    scan->directories = calloc(list->n_entries + 1, sizeof(*scan->directories));
    look->seen = calloc(list->n_entries + 1, sizeof(*look->seen));
    look->scratch = malloc(SCRATCH_SIZE);
    if (!scan->devices || !scan->directories || !look->seen || !look->scratch)
        r = -ENOMEM;
    for (size_t i = 0; r >= 0 && i < list->n_entries; i++) {
        if (scan->n_devices == SCAN_MOST_DEVICES) {
            text_append(scan->warning, sizeof(scan->warning), "more than %d devices",
                        SCAN_MOST_DEVICES);
            break;
        }
        r = look_at_mount(look, &list->entries[i]);
    }
    free(look->seen);
    free(look->scratch);
    return r;
}

static int find_devices(struct look *look, const char *mounts)
{
    struct scan *scan = look->scan;
    struct mount_list list;
    struct statfs fs;
    char *table;
    size_t length;
    int r = hostfs_read_here(mounts, MOUNTS_LIMIT, &table, &length);

    look->kernel_table = statfs(mounts, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
    if (r == -EFBIG) {
        text_append(scan->warning, sizeof(scan->warning), "%s is too long, its end was left out",
                    mounts);
        while (length > 0 && table[length - 1] != '\n')
            length--; /* half a line would name another place */
    } else if (r < 0) {
        text_append(scan->warning, sizeof(scan->warning), "mount table %s: %s", mounts,
                    strerror(-r));
        scan->blind = true;
        return r == -ENOMEM ? r : 0;
    }
    r = mount_list_read(&list, table, length);
    free(table);
    if (r < 0)
        return r;
    r = look_at_mounts(look, &list);
    mount_list_deinit(&list);
    return r;
}

static int read_boot_id(struct look *look)
{
    struct scan *scan = look->scan;
    char *text;
    size_t length;
    int r = hostfs_read(look->root, "proc/sys/kernel/random/boot_id", 4096, &text, &length);

    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        text_append(scan->warning, sizeof(scan->warning), "boot id: %s", strerror(-r));
    } else {
        text[strcspn(text, " \t\r\n")] = '\0';
        snprintf(scan->boot_id, sizeof(scan->boot_id), "%s", text);
        text_clean(scan->boot_id);
    }
    free(text);
    return 0;
}

/* Marks what listens according to one of the kernel's tables. An absent table says nothing. */
static int read_sockets(struct look *look, bool real, const char *name,
                        const struct scan_question *question, bool *found)
{
    char path[64];
    char *text;
    size_t length;
    int r;

    snprintf(path, sizeof(path), real ? "/proc/net/%s" : "proc/1/net/%s", name);
    r = real ? hostfs_read_here(path, SOCKETS_LIMIT, &text, &length)
             : hostfs_read(look->root, path, SOCKETS_LIMIT, &text, &length);
    if (text)
        proc_net_listening(text, length, question->ports, question->n_ports, found);
    free(text);
    if (r < 0 && r != -ENOENT && r != -EFBIG && r != -ENOMEM)
        text_append(look->scan->warning, sizeof(look->scan->warning), "%s: %s", path, strerror(-r));
    return r == -ENOMEM ? r : 0;
}

static int find_listening(struct look *look, bool real, const struct scan_question *question)
{
    struct scan *scan = look->scan;

    if (question->n_ports == 0)
        return 0;

    bool *found = calloc(question->n_ports, sizeof(*found));
    scan->listening = calloc(question->n_ports, sizeof(*scan->listening));
    int r = found && scan->listening ? 0 : -ENOMEM;
    if (r == 0)
        r = read_sockets(look, real, "tcp", question, found);
    if (r == 0)
        r = read_sockets(look, real, "tcp6", question, found);
    for (size_t i = 0; r == 0 && i < question->n_ports; i++)
        if (found[i])
            scan->listening[scan->n_listening++] = question->ports[i];
    free(found);
    return r;
}

/* A dead FUSE mount is still a mount point. */
static void find_mount_point(struct look *look, const char *path)
{
    if (!path || path[0] == '\0')
        return;

    int fd = hostfs_open_directory(look->root, path);
    look->scan->has_mount_point = fd >= 0 || fd == -ENOTCONN || fd == -EIO;
    if (fd >= 0)
        close(fd);
}

struct scan *scan_run(const struct scan_place *place, const struct scan_question *question)
{
    struct look look = {.scan = calloc(1, sizeof(struct scan))};

    if (!look.scan)
        return NULL;
    look.root = hostfs_open_root(place->root);
    if (look.root < 0) {
        text_append(look.scan->warning, sizeof(look.scan->warning), "root directory %s: %s",
                    place->root, strerror(-look.root));
        look.scan->blind = true;
        return look.scan;
    }

    int r = find_devices(&look, place->mounts);
    if (r >= 0)
        r = read_boot_id(&look);
    if (r >= 0)
        r = find_listening(&look, is_real_root(place->root), question);
    find_mount_point(&look, question->mount_point);
    close(look.root);
    if (r < 0) {
        scan_free(look.scan);
        return NULL;
    }
    return look.scan;
}

static bool device_differs(const struct qm_device *a, const struct qm_device *b)
{
    uint64_t moved =
        a->free_mib > b->free_mib ? a->free_mib - b->free_mib : b->free_mib - a->free_mib;

    return a->type != b->type || a->bootstrap != b->bootstrap || a->size_mib != b->size_mib ||
           moved > a->size_mib / 100 || strcmp(a->mount, b->mount) != 0 ||
           strcmp(a->filesystem, b->filesystem) != 0 || strcmp(a->serial, b->serial) != 0 ||
           strcmp(a->model, b->model) != 0 || strcmp(a->id, b->id) != 0 ||
           strcmp(a->warning, b->warning) != 0;
}

bool scan_differs(const struct scan *a, const struct scan *b)
{
    if (a->n_devices != b->n_devices || a->n_listening != b->n_listening ||
        a->has_mount_point != b->has_mount_point || strcmp(a->boot_id, b->boot_id) != 0 ||
        strcmp(a->warning, b->warning) != 0)
        return true;
    for (size_t i = 0; i < a->n_listening; i++)
        if (a->listening[i] != b->listening[i])
            return true;
    for (size_t i = 0; i < a->n_devices; i++)
        if (device_differs(&a->devices[i], &b->devices[i]))
            return true;
    return false;
}
