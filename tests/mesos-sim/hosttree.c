/*
 * Writes mount tables, device directories and marker files.
 */
#include "hosttree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BOOT_ID "proc/sys/kernel/random/boot_id"

int hosttree_make_directory(const char *path)
{
    char copy[PATH_MAX];

    if (strlen(path) >= sizeof(copy))
        return -ENAMETOOLONG;
    strcpy(copy, path);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0755) < 0 && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    return mkdir(copy, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *at)
{
    remove(path);
    return 0;
}

void hosttree_remove(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int hosttree_init(struct hosttree *tree, const char *dir)
{
    const char *parent = getenv("TMPDIR");
    int r;

    *tree = (struct hosttree){.temporary = !dir};
    if (dir) {
        r = hosttree_make_directory(dir);
        if (r < 0)
            return r;
        tree->dir = realpath(dir, NULL);
        return tree->dir ? 0 : -errno;
    }
    if (asprintf(&tree->dir, "%s/mesos-sim-XXXXXX", parent && *parent ? parent : "/tmp") < 0) {
        tree->dir = NULL;
        return -ENOMEM;
    }
    if (mkdtemp(tree->dir) && chmod(tree->dir, 0755) == 0)
        return 0;
    r = -errno;
    free(tree->dir);
    tree->dir = NULL;
    return r;
}

void hosttree_deinit(struct hosttree *tree)
{
    if (tree->dir && tree->temporary)
        hosttree_remove(tree->dir);
    free(tree->dir);
    *tree = (struct hosttree){0};
}

/* Opens DIR/HOST/NAME for writing, if it is not there yet. 1: it is. */
static int create(const struct hosttree *tree, const char *hostname, const char *name, FILE **ret)
{
    char path[PATH_MAX];
    int fd;

    if ((size_t)snprintf(path, sizeof(path), "%s/%s/%s", tree->dir, hostname, name) >= sizeof(path))
        return -ENAMETOOLONG;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return errno == EEXIST ? 1 : -errno;
    *ret = fdopen(fd, "w");
    if (*ret)
        return 0;
    close(fd);
    return -ENOMEM;
}

static int finish(FILE *out)
{
    bool failed = ferror(out);

    return fclose(out) != 0 || failed ? -EIO : 0;
}

/* Blanks and backslashes are written as the kernel does, in octal. */
static void write_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (strchr(" \t\n\\", *text))
            fprintf(out, "\\%03o", (unsigned char)*text);
        else
            fputc(*text, out);
    }
}

static int make_mounts(const struct hosttree *tree, const struct sim_agent_config *agent)
{
    FILE *out;
    int r = create(tree, agent->hostname, "mounts", &out);

    if (r != 0)
        return r < 0 ? r : 0;
    fputs("/dev/sda1 / ext4 rw,relatime,errors=remount-ro 0 0\n"
          "proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n"
          "sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0\n"
          "tmpfs /run tmpfs rw,nosuid,nodev,size=1612228k,mode=755 0 0\n",
          out);
    for (size_t i = 0; i < agent->n_devices; i++) {
        if (i < 25)
            fprintf(out, "/dev/sd%c ", (char)('b' + i));
        else
            fprintf(out, "/dev/mapper/disk%zu ", i);
        write_escaped(out, agent->devices[i].mount);
        fputs(" xfs rw,relatime,attr2,inode64,noquota 0 0\n", out);
    }
    return finish(out);
}

static const char *quobyte_type(const char *type)
{
    if (!strcmp(type, "registry"))
        return "DIR_DEVICE";
    return strcmp(type, "metadata") ? "DATA_DEVICE" : "METADATA_DEVICE";
}

/* The lines of qmkdev, in its order. A device that nothing has registered yet has no QUOBYTE_DEV_ID
 * beside it. */
static int make_device(const struct hosttree *tree, const char *hostname,
                       const struct sim_device *device)
{
    char name[PATH_MAX];
    time_t now = time(NULL);
    struct tm tm;
    char created[64];
    FILE *out;
    int r;

    snprintf(name, sizeof(name), "%s/%s%s", tree->dir, hostname, device->mount);
    r = hosttree_make_directory(name);
    if (r < 0 || !device->type)
        return r;
    snprintf(name, sizeof(name), "%s/QUOBYTE_DEV_SETUP", device->mount + 1);
    r = create(tree, hostname, name, &out);
    if (r != 0)
        return r < 0 ? r : 0;
    strftime(created, sizeof(created), "%a %b %e %H:%M:%S UTC %Y", gmtime_r(&now, &tm));
    fprintf(out, "# QUOBYTE_DEV_SETUP\n# Created: %s\n# Hostname: %s\n", created, hostname);
    fprintf(out, "device.serial=%s\ndevice.model=mesos-sim\n",
            device->serial ? device->serial : "");
    if (device->bootstrap)
        fputs("device.bootstrap=true\n", out);
    fprintf(out, "device.type=%s\n", quobyte_type(device->type));
    return finish(out);
}

static int make_boot_id(const struct hosttree *tree, const char *hostname)
{
    uint8_t id[16] = {0};
    char path[PATH_MAX];
    FILE *out;
    int r;

    snprintf(path, sizeof(path), "%s/%s/proc/sys/kernel/random", tree->dir, hostname);
    r = hosttree_make_directory(path);
    if (r == 0)
        r = create(tree, hostname, BOOT_ID, &out);
    if (r != 0)
        return r < 0 ? r : 0;
    if (getrandom(id, sizeof(id), 0) < 0) {
        fclose(out);
        return -errno;
    }
    id[6] = (id[6] & 0x0f) | 0x40;
    id[8] = (id[8] & 0x3f) | 0x80;
    for (size_t i = 0; i < sizeof(id); i++)
        fprintf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
    fputc('\n', out);
    return finish(out);
}

int hosttree_make_host(const struct hosttree *tree, const struct sim_agent_config *agent)
{
    char path[PATH_MAX];
    int r;

    snprintf(path, sizeof(path), "%s/%s", tree->dir, agent->hostname);
    r = hosttree_make_directory(path);
    if (r == 0)
        r = make_mounts(tree, agent);
    for (size_t i = 0; r == 0 && i < agent->n_devices; i++)
        r = make_device(tree, agent->hostname, &agent->devices[i]);
    return r == 0 ? make_boot_id(tree, agent->hostname) : r;
}

int hosttree_reboot(const struct hosttree *tree, const char *hostname)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s/%s", tree->dir, hostname, BOOT_ID);
    if (unlink(path) < 0 && errno != ENOENT)
        return -errno;
    return make_boot_id(tree, hostname);
}
