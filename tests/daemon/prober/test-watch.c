/* The watch wakes for what concerns us, and for nothing else. */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host-tree.h"
#include "prober/watch.h"

#define PATIENCE_MS 10000

static struct watch *watch;

static void setup(void)
{
    host_tree_setup();
    host_directory("mnt/a");
    host_directory("mnt/b");
    watch = watch_new(&host_place);
    ck_assert_ptr_nonnull(watch);
    watch_directories(watch, (char *[]){(char *)"/mnt/a", (char *)"/mnt/b"}, 2);
}

static void teardown(void)
{
    watch_free(watch);
    host_tree_teardown();
}

/* Waits until something concerns us. */
static bool wakes(void)
{
    struct pollfd fd = {.fd = watch_fd(watch), .events = POLLIN};

    while (poll(&fd, 1, PATIENCE_MS) == 1)
        if (watch_take(watch))
            return true;
    return false;
}

/* Inotify and the kernel's mount table report before the call that causes them returns. */
static bool is_quiet(void)
{
    return !watch_take(watch);
}

START_TEST(markers_wake)
{
    ck_assert(is_quiet());
    host_file("mnt/a/QUOBYTE_DEV_SETUP", "device.type=DATA_DEVICE\n");
    ck_assert(wakes());
    ck_assert(is_quiet());
    host_file("mnt/a/QUOBYTE_DEV_ID", "device.id=1\n");
    ck_assert(wakes());
    host_directory("mnt/b/quobyte-metadata");
    ck_assert(wakes());
    host_remove("mnt/a/QUOBYTE_DEV_ID");
    ck_assert(wakes());
    host_file("mnt/b/new", "device.type=DATA_DEVICE\n");
    ck_assert(is_quiet());

    char from[256];
    snprintf(from, sizeof(from), "%s", host_path("mnt/b/new"));
    ck_assert_int_eq(rename(from, host_path("mnt/b/QUOBYTE_DEV_SETUP")), 0);
    ck_assert(wakes());
}
END_TEST

/* A new file is of no use before it is written. */
START_TEST(an_empty_new_file_does_not_wake_yet)
{
    FILE *file = fopen(host_path("mnt/a/QUOBYTE_DEV_SETUP"), "w");

    ck_assert(is_quiet());
    fputs("device.type=DATA_DEVICE\n", file);
    fclose(file);
    ck_assert(wakes());
}
END_TEST

START_TEST(other_files_do_not_wake)
{
    host_file("mnt/a/some-file", "x");
    host_directory("mnt/a/some-directory");
    host_file("mnt/b/QUOBYTE_DEV_SETUP.bak", "x");
    host_file("other", "x");
    host_file("QUOBYTE_DEV_SETUP", "the root is no device here");
    ck_assert(is_quiet());
}
END_TEST

START_TEST(mount_table_file_wakes)
{
    host_file("mounts", "/dev/a /mnt/a xfs rw 0 0\n");
    ck_assert(wakes());
    ck_assert(is_quiet());

    /* As editors do it. */
    char from[256];
    host_file("mounts.new", "/dev/b /mnt/b xfs rw 0 0\n");
    ck_assert(is_quiet());
    snprintf(from, sizeof(from), "%s", host_path("mounts.new"));
    ck_assert_int_eq(rename(from, host_path("mounts")), 0);
    ck_assert(wakes());
    host_file("mounts", "");
    ck_assert(wakes());
}
END_TEST

START_TEST(directories_come_and_go)
{
    host_directory("mnt/c");
    watch_directories(watch, (char *[]){(char *)"/mnt/a", (char *)"/mnt/c"}, 2);
    ck_assert(is_quiet());
    host_file("mnt/b/QUOBYTE_DEV_SETUP", "");
    ck_assert(is_quiet());
    host_file("mnt/c/QUOBYTE_DEV_SETUP", "");
    ck_assert(wakes());

    /* A watched directory that vanishes is news by itself. */
    ck_assert_int_eq(remove(host_path("mnt/a")), 0);
    ck_assert(wakes());
    watch_directories(watch, (char *[]){(char *)"/mnt/c"}, 1);
    ck_assert(is_quiet());
    watch_directories(watch, NULL, 0);
    ck_assert(is_quiet());
}
END_TEST

/* The host's own root is where its mount table lies: both roles, one directory. */
START_TEST(root_is_watched_beside_the_table)
{
    watch_directories(watch, (char *[]){(char *)"/"}, 1);
    host_file("QUOBYTE_DEV_SETUP", "x");
    ck_assert(wakes());
    watch_directories(watch, NULL, 0);
    host_file("mounts", "");
    ck_assert(wakes());
}
END_TEST

/* In a mount namespace of its own, as far as this is allowed here. */
static int mount_in_namespace(void)
{
    struct scan_place place = {.root = "/", .mounts = "/proc/self/mounts"};

    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
        return 77;
    watch_free(watch);
    watch = watch_new(&place);
    if (!watch || !is_quiet())
        return 1;
    if (mount("tmpfs", host_path("mnt/b"), "tmpfs", 0, NULL) < 0)
        return 77;
    if (!wakes())
        return 2;
    if (!is_quiet())
        return 3;
    if (umount(host_path("mnt/b")) < 0 || !wakes())
        return 4;
    return 0;
}

START_TEST(kernel_mount_table_wakes)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(mount_in_namespace());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_msg(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77, "child said %d",
                  WEXITSTATUS(status));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("watch");
    TCase *tcase = tcase_create("watch");
    SRunner *runner;
    int failures;

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, markers_wake);
    tcase_add_test(tcase, an_empty_new_file_does_not_wake_yet);
    tcase_add_test(tcase, other_files_do_not_wake);
    tcase_add_test(tcase, mount_table_file_wakes);
    tcase_add_test(tcase, directories_come_and_go);
    tcase_add_test(tcase, root_is_watched_beside_the_table);
    tcase_add_test(tcase, kernel_mount_table_wakes);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? 1 : 0;
}
