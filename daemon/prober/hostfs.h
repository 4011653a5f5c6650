/*
 * Reading below the root directory of a host, which need not be our own root. Paths are as the host
 * sees them. No component may be a symbolic link or "..": nothing outside the root is ever
 * opened, whatever a device carries. Nothing is ever written.
 */
#ifndef PROBER_HOSTFS_H
#define PROBER_HOSTFS_H

#include <stddef.h>

/** hostfs_open_root() - descriptor for the other functions, or a negative errno. */
int hostfs_open_root(const char *root);

/**
 * hostfs_open_directory() - directory below one that is open; "/" and "" are that one itself.
 * Returns a descriptor (O_PATH) or a negative errno: -ENOTDIR for files and symbolic links.
 */
int hostfs_open_directory(int directory, const char *path);

/**
 * hostfs_read() - content of a regular file below a directory.
 * @limit: most bytes that are taken
 * @text: malloc'ed, a NUL byte follows the content
 * Returns 0 or a negative errno: -ELOOP for a symbolic link, -EINVAL for what isn't a regular
 * file, -EFBIG when there is more than limit (text then holds the first limit bytes, else NULL).
 */
int hostfs_read(int directory, const char *path, size_t limit, char **text, size_t *length);

/** hostfs_read_here() - as hostfs_read(), for a path as this process sees it; links are followed.
 */
int hostfs_read_here(const char *path, size_t limit, char **text, size_t *length);

#endif
