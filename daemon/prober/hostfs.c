/* Careful reading below a host's root: one component at a time, no links, bounded. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prober/hostfs.h"

int hostfs_open_root(const char *root)
{
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* Next component of *path into name; 1, 0 at the end, or a negative errno. */
static int next_component(const char **path, char name[NAME_MAX + 1])
{
    *path += strspn(*path, "/");

    size_t length = strcspn(*path, "/");
    if (length == 0)
        return 0;
    if (length > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(name, *path, length);
    name[length] = '\0';
    *path += length;
    return strcmp(name, "..") == 0 ? -EXDEV : 1;
}

int hostfs_open_directory(int directory, const char *path)
{
    char name[NAME_MAX + 1];
    int fd = fcntl(directory, F_DUPFD_CLOEXEC, 0);
    int r = 0;

    if (fd < 0)
        return -errno;
    while ((r = next_component(&path, name)) > 0) {
        int next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        r = next < 0 ? -errno : 0;
        close(fd);
        fd = next;
        if (r < 0)
            return r;
    }
    if (r < 0) {
        close(fd);
        return r;
    }
    return fd;
}

/* Reads to the end or to the limit; one byte more tells which. */
static int read_all(int fd, size_t limit, char **text, size_t *length)
{
    size_t size = 4096;
    size_t used = 0;
    char *buffer = NULL;

    for (;;) {
        char *bigger = realloc(buffer, size + 1);
        if (!bigger) {
            free(buffer);
            return -ENOMEM;
        }
        buffer = bigger;

        ssize_t n = read(fd, buffer + used, size - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int r = -errno;
            free(buffer);
            return r;
        }
        used += (size_t)n;
        if (n == 0 || used > limit)
            break;
        if (used == size)
            size *= 2;
    }

    bool more = used > limit;
    if (more)
        used = limit;
    buffer[used] = '\0';
    *text = buffer;
    *length = used;
    return more ? -EFBIG : 0;
}

static int read_descriptor(int fd, size_t limit, char **text, size_t *length)
{
    struct stat status;

    *text = NULL;
    *length = 0;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    return read_all(fd, limit, text, length);
}

int hostfs_read(int directory, const char *path, size_t limit, char **text, size_t *length)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    const char *name = slash ? slash + 1 : path;

    *text = NULL;
    *length = 0;
    if (n >= sizeof(parent))
        return -ENAMETOOLONG;
    if (*name == '\0' || strcmp(name, "..") == 0)
        return -EINVAL;
    memcpy(parent, path, n);
    parent[n] = '\0';

    int in = hostfs_open_directory(directory, parent);
    if (in < 0)
        return in;

    /* O_NONBLOCK: a pipe or device node in place of the file must not make us wait. */
    int fd = openat(in, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int r = fd < 0 ? -errno : read_descriptor(fd, limit, text, length);
    if (fd >= 0)
        close(fd);
    close(in);
    return r;
}

int hostfs_read_here(const char *path, size_t limit, char **text, size_t *length)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    *text = NULL;
    *length = 0;
    if (fd < 0)
        return -errno;

    int r = read_descriptor(fd, limit, text, length);
    close(fd);
    return r;
}
