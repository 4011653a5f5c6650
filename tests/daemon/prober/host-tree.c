/* A made-up host in a temporary directory. */
#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-tree.h"

char host_tree[64];
struct scan_place host_place;
static char mounts[96];

void host_tree_setup(void)
{
    snprintf(host_tree, sizeof(host_tree), "/tmp/qm-host-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(host_tree));
    snprintf(mounts, sizeof(mounts), "%s/mounts", host_tree);
    host_place = (struct scan_place){.root = host_tree, .mounts = mounts};
    host_file("mounts", "");
    host_file("proc/sys/kernel/random/boot_id", "3c9d2a52-0f6e-4e4c-9f39-1f2e3d4c5b6a\n");
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    return remove(path);
}

void host_tree_teardown(void)
{
    nftw(host_tree, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *host_path(const char *path)
{
    static char full[8192];

    snprintf(full, sizeof(full), "%s/%s", host_tree, path);
    return full;
}

static void make_parents(char *full)
{
    for (char *slash = full + strlen(host_tree) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        ck_assert_msg(mkdir(full, 0755) == 0 || errno == EEXIST, "mkdir %s: %s", full,
                      strerror(errno));
        *slash = '/';
    }
}

void host_directory(const char *path)
{
    char full[8192];

    snprintf(full, sizeof(full), "%s/%s/", host_tree, path);
    make_parents(full);
}

void host_bytes(const char *path, const void *content, size_t length)
{
    char full[8192];

    snprintf(full, sizeof(full), "%s/%s", host_tree, path);
    make_parents(full);

    FILE *file = fopen(full, "w");
    ck_assert_msg(file != NULL, "%s: %s", full, strerror(errno));
    ck_assert_uint_eq(fwrite(content, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

void host_file(const char *path, const char *content)
{
    host_bytes(path, content, strlen(content));
}

void host_remove(const char *path)
{
    ck_assert_msg(remove(host_path(path)) == 0, "remove %s: %s", path, strerror(errno));
}
