/* A made-up host in a temporary directory: its root is host_tree, its mount table "mounts" in it.
 */
#ifndef TESTS_HOST_TREE_H
#define TESTS_HOST_TREE_H

#include <stddef.h>

#include "prober/scan.h"

extern char host_tree[64];
extern struct scan_place host_place;

/* check fixtures */
void host_tree_setup(void);
void host_tree_teardown(void);

/* All paths are relative to the root; missing directories are made. Failures fail the test. */
void host_directory(const char *path);
void host_file(const char *path, const char *content);
void host_bytes(const char *path, const void *content, size_t length);
void host_remove(const char *path);
const char *host_path(const char *path); /* valid until the next call */

#endif
