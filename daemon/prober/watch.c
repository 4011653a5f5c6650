/*
 * One epoll descriptor over two sources. The kernel's mount table wakes its readers on every change
 * and is always readable, so only edges are asked for. (It also raises EPOLLPRI, but to the first
 * who polls it, and that may be the loop that polls us.) Plain files are watched by inotify through
 * their directory, because programs like to replace files instead of writing them.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "log.h"
#include "prober/hostfs.h"
#include "prober/watch.h"

/* IN_CREATE is for directories: a new file is looked at when its writer has closed it. */
#define EVENTS (IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR)

struct watch {
    const struct scan_place *place;
    int epoll;
    int inotify;
    int table;              /* the kernel's mount table, or -1 */
    int table_wd;           /* directory of a plain mount table, or -1 */
    const char *table_name; /* its name in there */
    int *wds;               /* roots of mounts */
    size_t n_wds;
};

static const char *const marker_names[] = {
    QM_DEVICE_SETUP_FILE, QM_DEVICE_ID_FILE, "quobyte-dir", "quobyte-metadata", "quobyte-data",
};

static int add_to_epoll(struct watch *watch, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(watch->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* The kernel's own table: true when it is one and is watched. */
static bool watch_kernel_table(struct watch *watch)
{
    struct statfs fs;

    watch->table = open(watch->place->mounts, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (watch->table < 0)
        return false;
    if (fstatfs(watch->table, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC &&
        add_to_epoll(watch, watch->table, EPOLLIN | EPOLLPRI | EPOLLET) == 0) {
        watch_take(watch); /* the first edge is that it is there */
        return true;
    }
    close(watch->table);
    watch->table = -1;
    return false;
}

static void watch_table_file(struct watch *watch)
{
    const char *path = watch->place->mounts;
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX];

    watch->table_name = slash ? slash + 1 : path;
    snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    watch->table_wd = inotify_add_watch(watch->inotify, directory, EVENTS);
    if (watch->table_wd < 0)
        log_warning("cannot watch %s for changes: %s", path, strerror(errno));
}

struct watch *watch_new(const struct scan_place *place)
{
    struct watch *watch = calloc(1, sizeof(*watch));

    if (!watch)
        return NULL;
    *watch = (struct watch){.place = place, .table = -1, .table_wd = -1};
    watch->epoll = epoll_create1(EPOLL_CLOEXEC);
    watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->epoll < 0 || watch->inotify < 0 ||
        add_to_epoll(watch, watch->inotify, EPOLLIN) < 0) {
        log_error("cannot watch for changes: %s", strerror(errno));
        watch_free(watch);
        return NULL;
    }
    if (!watch_kernel_table(watch))
        watch_table_file(watch);
    return watch;
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    if (watch->table >= 0)
        close(watch->table);
    if (watch->inotify >= 0)
        close(watch->inotify);
    if (watch->epoll >= 0)
        close(watch->epoll);
    free(watch->wds);
    free(watch);
}

int watch_fd(const struct watch *watch)
{
    return watch->epoll;
}

static bool is_marker(const char *name)
{
    for (size_t i = 0; i < sizeof(marker_names) / sizeof(marker_names[0]); i++)
        if (strcmp(name, marker_names[i]) == 0)
            return true;
    return false;
}

static bool is_mount_root(const struct watch *watch, int wd)
{
    for (size_t i = 0; i < watch->n_wds; i++)
        if (watch->wds[i] == wd)
            return true;
    return false;
}

static bool concerns_us(struct watch *watch, const struct inotify_event *event)
{
    const char *name = event->len > 0 ? event->name : "";

    if (event->mask & IN_Q_OVERFLOW)
        return true;
    if (event->mask & (IN_IGNORED | IN_UNMOUNT)) /* the kernel dropped it; ours are never dropped */
        return event->wd == watch->table_wd || is_mount_root(watch, event->wd);
    if ((event->mask & IN_CREATE) && !(event->mask & IN_ISDIR))
        return false;
    return (event->wd == watch->table_wd && strcmp(name, watch->table_name) == 0) ||
           (is_marker(name) && is_mount_root(watch, event->wd));
}

static bool take_inotify(struct watch *watch)
{
    char buffer[16 * 1024] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool ours = false;
    ssize_t n;

    while ((n = read(watch->inotify, buffer, sizeof(buffer))) > 0) {
        const struct inotify_event *event;

        for (char *p = buffer; p < buffer + n; p += sizeof(*event) + event->len) {
            event = (const struct inotify_event *)p;
            if (concerns_us(watch, event))
                ours = true;
        }
    }
    return ours;
}

bool watch_take(struct watch *watch)
{
    struct epoll_event events[2];
    bool ours = false;
    int n = epoll_wait(watch->epoll, events, 2, 0);

    for (int i = 0; i < n; i++) {
        if (events[i].data.fd != watch->inotify || take_inotify(watch))
            ours = true;
    }
    return ours;
}

static int add_directory(struct watch *watch, int root, const char *directory)
{
    char path[64];
    int fd = hostfs_open_directory(root, directory);

    if (fd < 0)
        return -1;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

    int wd = inotify_add_watch(watch->inotify, path, EVENTS);
    if (wd < 0)
        log_warning("cannot watch %s for changes: %s", directory, strerror(errno));
    close(fd);
    return wd;
}

void watch_directories(struct watch *watch, char *const *directories, size_t n_directories)
{
    int *old = watch->wds;
    size_t n_old = watch->n_wds;
    int root = hostfs_open_root(watch->place->root);
    int *wds = calloc(n_directories + 1, sizeof(*wds));

    if (root < 0 || !wds) {
        if (root >= 0)
            close(root);
        free(wds);
        return;
    }
    watch->wds = wds;
    watch->n_wds = 0;
    for (size_t i = 0; i < n_directories; i++) {
        int wd = add_directory(watch, root, directories[i]);
        if (wd >= 0)
            wds[watch->n_wds++] = wd; /* the same number as before where it is watched already */
    }
    for (size_t i = 0; i < n_old; i++)
        if (old[i] != watch->table_wd && !is_mount_root(watch, old[i]))
            inotify_rm_watch(watch->inotify, old[i]);
    free(old);
    close(root);
}
