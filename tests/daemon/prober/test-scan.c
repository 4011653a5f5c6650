/* Looking at made-up hosts. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-tree.h"
#include "prober/hostfs.h"
#include "prober/text.h"

static struct scan *look(void)
{
    struct scan_question question = {0};
    struct scan *scan = scan_run(&host_place, &question);

    ck_assert_ptr_nonnull(scan);
    return scan;
}

static const struct qm_device *device_at(const struct scan *scan, const char *mount)
{
    for (size_t i = 0; i < scan->n_devices; i++)
        if (strcmp(scan->devices[i].mount, mount) == 0)
            return &scan->devices[i];
    ck_abort_msg("no device at %s among %zu", mount, scan->n_devices);
}

static void expect_text(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in \"%s\"", part, text);
}

START_TEST(devices_of_every_kind)
{
    host_file("mounts", "/dev/sda1 / ext4 rw,relatime 0 0\n"
                        "proc /proc proc rw 0 0\n"
                        "/dev/sdb /mnt/data xfs rw 0 0\n"
                        "/dev/sdc /mnt/meta\\040data ext4 rw 0 0\n"
                        "/dev/sdd /mnt/registry ext4 rw 0 0\n"
                        "/dev/sde /mnt/old ext4 rw 0 0\n"
                        "tmpfs /mnt/memory tmpfs rw 0 0\n");
    host_file("mnt/data/QUOBYTE_DEV_SETUP",
              "# a comment\r\ndevice.serial=S 1\r\ndevice.model=M1\r\ndevice.type=DATA_DEVICE\r\n");
    host_file("mnt/data/QUOBYTE_DEV_ID", "device.id=7\n");
    host_file("mnt/meta data/QUOBYTE_DEV_SETUP", "device.type=METADATA_DEVICE\ndevice.serial=S2\n");
    host_file("mnt/registry/QUOBYTE_DEV_SETUP",
              "device.type=DIR_DEVICE\ndevice.serial=S3\ndevice.bootstrap=true");
    host_directory("mnt/old/quobyte-data");
    host_file("mnt/memory/QUOBYTE_DEV_SETUP", "device.type=DATA_DEVICE\n");

    struct scan *scan = look();
    ck_assert_uint_eq(scan->n_devices, 4);
    ck_assert(!scan->blind);
    ck_assert_str_eq(scan->warning, "");

    const struct qm_device *data = device_at(scan, "/mnt/data");
    ck_assert_int_eq(data->type, QM_DEVICE_DATA);
    ck_assert_str_eq(data->filesystem, "xfs");
    ck_assert_str_eq(data->serial, "S 1");
    ck_assert_str_eq(data->model, "M1");
    ck_assert_str_eq(data->id, "7");
    ck_assert_str_eq(data->warning, "");
    ck_assert(!data->bootstrap);
    ck_assert_uint_gt(data->size_mib, 0);
    ck_assert_uint_le(data->free_mib, data->size_mib);

    ck_assert_int_eq(device_at(scan, "/mnt/meta data")->type, QM_DEVICE_METADATA);
    ck_assert_int_eq(device_at(scan, "/mnt/registry")->type, QM_DEVICE_REGISTRY);
    ck_assert(device_at(scan, "/mnt/registry")->bootstrap);
    ck_assert_int_eq(device_at(scan, "/mnt/old")->type, QM_DEVICE_DATA);
    /* The root itself and the four devices are watched; /proc and tmpfs are not. */
    ck_assert_uint_eq(scan->n_directories, 5);
    scan_free(scan);
}
END_TEST

START_TEST(boot_id_is_read)
{
    struct scan *scan = look();

    ck_assert_str_eq(scan->boot_id, "3c9d2a52-0f6e-4e4c-9f39-1f2e3d4c5b6a");
    scan_free(scan);

    host_remove("proc/sys/kernel/random/boot_id");
    scan = look();
    ck_assert_str_eq(scan->boot_id, "");
    expect_text(scan->warning, "boot id");
    scan_free(scan);
}
END_TEST

START_TEST(a_link_leads_nowhere)
{
    host_file("mounts", "/dev/a /mnt/a xfs rw 0 0\n/dev/b /mnt/b xfs rw 0 0\n"
                        "/dev/c /mnt/c/../../secret xfs rw 0 0\n");
    host_file("secret/QUOBYTE_DEV_SETUP", "device.type=DATA_DEVICE\ndevice.serial=SECRET\n");
    host_directory("mnt/a");
    host_directory("mnt/c");
    ck_assert_int_eq(
        symlink("../../secret/QUOBYTE_DEV_SETUP", host_path("mnt/a/QUOBYTE_DEV_SETUP")), 0);
    ck_assert_int_eq(symlink("../secret", host_path("mnt/b")), 0);

    struct scan *scan = look();
    ck_assert_uint_eq(scan->n_devices, 1);
    ck_assert_int_eq(scan->devices[0].type, QM_DEVICE_UNTYPED);
    ck_assert_str_eq(scan->devices[0].serial, "");
    expect_text(scan->devices[0].warning, "symbolic link");
    scan_free(scan);
}
END_TEST

START_TEST(unreadable_is_told)
{
    char *big = malloc(SCAN_MARKER_LIMIT + 1);

    memset(big, '#', SCAN_MARKER_LIMIT + 1);
    memcpy(big, "device.type=DATA_DEVICE\n", 24);
    host_file("mounts", "/dev/a /mnt/big xfs rw 0 0\n/dev/b /mnt/pipe xfs rw 0 0\n"
                        "/dev/c /mnt/directory xfs rw 0 0\n/dev/d /mnt/gone xfs rw 0 0\n"
                        "/dev/e /mnt/mixed xfs rw 0 0\n");
    host_bytes("mnt/big/QUOBYTE_DEV_SETUP", big, SCAN_MARKER_LIMIT + 1);
    host_directory("mnt/pipe");
    ck_assert_int_eq(mkfifo(host_path("mnt/pipe/QUOBYTE_DEV_SETUP"), 0600), 0);
    host_directory("mnt/directory/QUOBYTE_DEV_SETUP");
    host_file("mnt/mixed/QUOBYTE_DEV_SETUP", "device.type=DATA_DEVICE\ndevice.serial=M\n");
    host_directory("mnt/mixed/QUOBYTE_DEV_ID");

    struct scan *scan = look();
    ck_assert_uint_eq(scan->n_devices, 4);
    for (size_t i = 0; i < scan->n_devices; i++)
        ck_assert_msg(scan->devices[i].type == QM_DEVICE_UNTYPED, "%s", scan->devices[i].mount);
    expect_text(device_at(scan, "/mnt/big")->warning, "larger than 64 KiB");
    expect_text(device_at(scan, "/mnt/pipe")->warning, "not a regular file");
    expect_text(device_at(scan, "/mnt/directory")->warning, "not a regular file");
    expect_text(device_at(scan, "/mnt/mixed")->warning, "QUOBYTE_DEV_ID");
    ck_assert_str_eq(device_at(scan, "/mnt/mixed")->serial, "M");
    expect_text(scan->warning, "/mnt/gone: No such file");
    scan_free(scan);

    big[SCAN_MARKER_LIMIT - 1] = '\n';
    host_bytes("mnt/big/QUOBYTE_DEV_SETUP", big, SCAN_MARKER_LIMIT);
    scan = look();
    ck_assert_int_eq(device_at(scan, "/mnt/big")->type, QM_DEVICE_DATA);
    scan_free(scan);
    free(big);
}
END_TEST

START_TEST(no_permission_is_told)
{
    if (geteuid() == 0)
        return; /* root may read everything */
    host_file("mounts", "/dev/a /mnt/a xfs rw 0 0\n");
    host_file("mnt/a/QUOBYTE_DEV_SETUP", "device.type=DATA_DEVICE\n");
    ck_assert_int_eq(chmod(host_path("mnt/a/QUOBYTE_DEV_SETUP"), 0), 0);

    struct scan *scan = look();
    ck_assert_uint_eq(scan->n_devices, 1);
    expect_text(scan->devices[0].warning, "Permission denied");
    scan_free(scan);
}
END_TEST

/* What lies on top counts, and a directory in two places is one device. */
START_TEST(mounts_over_mounts)
{
    host_file("mounts", "/dev/a /mnt/a xfs rw 0 0\n"
                        "/dev/b /mnt/b xfs rw 0 0\n"
                        "tmpfs /mnt/b tmpfs rw 0 0\n"
                        "/dev/a /mnt/a xfs rw 0 0\n");
    host_file("mnt/a/QUOBYTE_DEV_SETUP", "device.type=DATA_DEVICE\n");
    host_file("mnt/b/QUOBYTE_DEV_SETUP", "device.type=DATA_DEVICE\n");

    struct scan *scan = look();
    ck_assert_uint_eq(scan->n_devices, 1);
    ck_assert_str_eq(scan->devices[0].mount, "/mnt/a");
    scan_free(scan);

    host_file("mounts", "/dev/a /mnt/a xfs rw 0 0\n/dev/a /mnt/a/. xfs rw 0 0\n");
    scan = look();
    ck_assert_uint_eq(scan->n_devices, 1);
    scan_free(scan);
}
END_TEST

START_TEST(a_host_that_cannot_be_seen)
{
    host_remove("mounts");
    struct scan *scan = look();
    ck_assert(scan->blind);
    expect_text(scan->warning, "mount table");
    ck_assert_uint_eq(scan->n_devices, 0);
    scan_free(scan);

    host_place.root = "/nowhere/at/all";
    scan = look();
    ck_assert(scan->blind);
    expect_text(scan->warning, "root directory");
    scan_free(scan);
}
END_TEST

/* A mount of this very machine, made to be seen as an empty directory: as in a container whose
 * mounts don't follow the host's. */
START_TEST(mounts_out_of_sight)
{
    char *table, scratch[8192] = "", expected[4200];
    struct qm_mount mount = {0};
    size_t length, offset = 0;
    bool found = false;

    ck_assert_int_eq(hostfs_read_here("/proc/self/mounts", 1 << 24, &table, &length), 0);
    while (!found && qm_mounts_next(table, length, &offset, scratch, sizeof(scratch), &mount))
        found = qm_mount_may_hold_device(&mount) && strstr(mount.mount, "..") == NULL;
    if (found) {
        host_place.mounts = "/proc/self/mounts";
        host_directory(mount.mount);

        struct scan *scan = look();
        snprintf(expected, sizeof(expected), "%s is mounted on the host", mount.mount);
        expect_text(scan->warning, expected);
        ck_assert_uint_eq(scan->n_devices, 0);
        scan_free(scan);
    }
    free(table);
}
END_TEST

START_TEST(ports_and_mount_point)
{
    static const uint32_t ports[] = {7861, 7862, 7871};
    struct scan_question question = {
        .ports = ports, .n_ports = 3, .mount_point = "/quobyte/volumes"};

    struct scan *scan = scan_run(&host_place, &question);
    ck_assert_uint_eq(scan->n_listening, 0);
    ck_assert(!scan->has_mount_point);
    ck_assert_str_eq(scan->warning, "");
    scan_free(scan);

    host_file("proc/1/net/tcp", "  sl  local_address rem_address   st\n"
                                "   0: 00000000:1EB6 00000000:0000 0A 00000000\n");
    host_file("proc/1/net/tcp6", "   0: 00000000000000000000000000000000:1EBF "
                                 "00000000000000000000000000000000:0000 0A 0\n");
    host_directory("quobyte/volumes");
    scan = scan_run(&host_place, &question);
    ck_assert_uint_eq(scan->n_listening, 2);
    ck_assert_uint_eq(scan->listening[0], 7862);
    ck_assert_uint_eq(scan->listening[1], 7871);
    ck_assert(scan->has_mount_point);
    scan_free(scan);

    host_remove("quobyte/volumes");
    host_file("quobyte/volumes", "a file is no mount point");
    scan = scan_run(&host_place, &question);
    ck_assert(!scan->has_mount_point);
    scan_free(scan);
}
END_TEST

START_TEST(too_many_devices)
{
    char *table = malloc(1 << 20);
    char path[64];
    size_t used = 0;

    for (int i = 0; i < SCAN_MOST_DEVICES + 3; i++) {
        used += (size_t)sprintf(table + used, "/dev/x%d /mnt/%d xfs rw 0 0\n", i, i);
        snprintf(path, sizeof(path), "mnt/%d/QUOBYTE_DEV_SETUP", i);
        host_file(path, "device.type=DATA_DEVICE\n");
    }
    host_file("mounts", table);

    struct scan *scan = look();
    ck_assert_uint_eq(scan->n_devices, SCAN_MOST_DEVICES);
    expect_text(scan->warning, "more than 256 devices");
    scan_free(scan);
    free(table);
}
END_TEST

START_TEST(what_differs)
{
    host_file("mounts", "/dev/a /mnt/a xfs rw 0 0\n");
    host_file("mnt/a/QUOBYTE_DEV_SETUP", "device.type=DATA_DEVICE\n");

    struct scan *before = look(), *after = look();
    ck_assert(!scan_differs(before, after));

    uint64_t free_mib = after->devices[0].free_mib, size_mib = after->devices[0].size_mib;
    before->devices[0].free_mib = after->devices[0].free_mib = size_mib / 2;
    after->devices[0].free_mib -= size_mib / 100;
    ck_assert_msg(!scan_differs(before, after), "one hundredth is no news");
    after->devices[0].free_mib -= 1;
    ck_assert(scan_differs(before, after));
    before->devices[0].free_mib = after->devices[0].free_mib = free_mib;
    scan_free(after);

    host_file("mnt/a/QUOBYTE_DEV_ID", "device.id=3\n");
    after = look();
    ck_assert(scan_differs(before, after));
    scan_free(before);
    scan_free(after);
}
END_TEST

START_TEST(reading_keeps_to_its_directory)
{
    int root = hostfs_open_root(host_tree);
    char *text;
    size_t length;

    host_file("a/b/file", "content");
    ck_assert_int_ge(root, 0);
    ck_assert_int_eq(hostfs_read(root, "a/b/file", 100, &text, &length), 0);
    ck_assert_str_eq(text, "content");
    ck_assert_uint_eq(length, 7);
    free(text);
    ck_assert_int_eq(hostfs_read(root, "/a//b/./file", 7, &text, &length), 0);
    free(text);
    ck_assert_int_eq(hostfs_read(root, "a/b/file", 6, &text, &length), -EFBIG);
    ck_assert_str_eq(text, "conten");
    free(text);
    ck_assert_int_eq(hostfs_read(root, "a/../a/b/file", 100, &text, &length), -EXDEV);
    ck_assert_int_eq(hostfs_read(root, "a/..", 100, &text, &length), -EINVAL);
    ck_assert_int_eq(hostfs_read(root, "a/b/", 100, &text, &length), -EINVAL);
    ck_assert_int_eq(hostfs_read(root, "a/b/no", 100, &text, &length), -ENOENT);
    ck_assert_ptr_null(text);

    char longest[600];
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    ck_assert_int_eq(hostfs_open_directory(root, longest), -ENAMETOOLONG);
    close(root);
}
END_TEST

START_TEST(text_becomes_printable)
{
    char text[] = "a\tb\x7f\xc3\xa4\xff\xc0\x80\xed\xa0\x80\xf0\x9f\x98\x80\xc2\x85\xe2\x82";
    char list[24] = "";

    text_clean(text);
    ck_assert_str_eq(text, "a?b?\xc3\xa4??????\xf0\x9f\x98\x80????");

    text_append(list, sizeof(list), "%s", "first");
    text_append(list, sizeof(list), "%d", 2);
    text_append(list, sizeof(list), "this does not fit into it");
    text_append(list, sizeof(list), "last");
    ck_assert_str_eq(list, "first; 2; last");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scan");
    TCase *tcase = tcase_create("scan");
    SRunner *runner;
    int failures;

    tcase_add_checked_fixture(tcase, host_tree_setup, host_tree_teardown);
    tcase_add_test(tcase, devices_of_every_kind);
    tcase_add_test(tcase, boot_id_is_read);
    tcase_add_test(tcase, a_link_leads_nowhere);
    tcase_add_test(tcase, unreadable_is_told);
    tcase_add_test(tcase, no_permission_is_told);
    tcase_add_test(tcase, mounts_over_mounts);
    tcase_add_test(tcase, a_host_that_cannot_be_seen);
    tcase_add_test(tcase, mounts_out_of_sight);
    tcase_add_test(tcase, ports_and_mount_point);
    tcase_add_test(tcase, too_many_devices);
    tcase_add_test(tcase, what_differs);
    tcase_add_test(tcase, reading_keeps_to_its_directory);
    tcase_add_test(tcase, text_becomes_printable);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? 1 : 0;
}
