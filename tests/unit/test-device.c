/* Mount tables and device markers. */
#include <stdio.h>
#include <string.h>

#include <quobyte-mesos/device.h>

#include "unit.h"

/* Reads a whole table into "source|mount|filesystem;" pieces. */
static void read_table(const char *text, size_t length, size_t scratch_size, char *out, size_t size)
{
    struct qm_mount mount;
    size_t offset = 0, used = 0;
    char *scratch = malloc(scratch_size); /* its own block, so that sanitizers see overruns */

    out[0] = '\0';
    while (qm_mounts_next(text, length, &offset, scratch, scratch_size, &mount))
        used += (size_t)snprintf(out + used, size - used, "%s|%s|%s;", mount.source, mount.mount,
                                 mount.filesystem);
    free(scratch);
}

START_TEST(mount_lines)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"/dev/sda1 /mnt/a ext4 rw 0 0\n", "/dev/sda1|/mnt/a|ext4;"},
        {"/dev/sda1 /mnt/a ext4 rw 0 0", "/dev/sda1|/mnt/a|ext4;"}, /* no line end */
        {"/dev/sda1 /mnt/a ext4", "/dev/sda1|/mnt/a|ext4;"},
        {"/dev/sda1 /mnt/a xfs rw 0 0\r\n", "/dev/sda1|/mnt/a|xfs;"},
        {"/dev/sda1 /mnt/a xfs\r\n", "/dev/sda1|/mnt/a|xfs;"},
        {"\n\n  \t\n/dev/x /m ext4 a 0 0\n", "/dev/x|/m|ext4;"},
        {"\t/dev/x\t \t/m   ext4 a\n", "/dev/x|/m|ext4;"},
        {"/dev/x /mnt/my\\040disk ext4 rw\n", "/dev/x|/mnt/my disk|ext4;"},
        {"/dev/x /mnt/\\011\\012\\134 ext4 rw\n", "/dev/x|/mnt/\t\n\\|ext4;"},
        /* What is no escape of the kernel's stays as it is. */
        {"/dev/x /mnt/\\04 ext4\n", "/dev/x|/mnt/\\04|ext4;"},
        {"/dev/x /mnt/\\ ext4\n", "/dev/x|/mnt/\\|ext4;"},
        {"/dev/x /mnt/\\08a ext4\n", "/dev/x|/mnt/\\08a|ext4;"},
        {"/dev/x /mnt/\\777 ext4\n", "/dev/x|/mnt/\\777|ext4;"},
        {"/dev/x /mnt/\\000 ext4\n", "/dev/x|/mnt/\\000|ext4;"},
        {"/dev/x /mnt/a ext4\\04", "/dev/x|/mnt/a|ext4\\04;"},
        /* Malformed lines are skipped, the next ones read. */
        {"short\n/dev/x /m ext4 a\n", "/dev/x|/m|ext4;"},
        {"two fields\n/dev/x /m ext4 a\n", "/dev/x|/m|ext4;"},
        {"# a comment here\n/dev/x /m ext4 a\n", "/dev/x|/m|ext4;"},
        {"# /a /b /c\n", ""},
        {"/dev/sda2 none swap sw 0 0\n", ""},
        {"", ""},
    };
    char got[512];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        read_table(cases[i].text, strlen(cases[i].text), 256, got, sizeof(got));
        ck_assert_msg(strcmp(got, cases[i].wanted) == 0, "\"%s\" gave \"%s\"", cases[i].text, got);
    }
}
END_TEST

START_TEST(mount_lines_with_nul_bytes_are_skipped)
{
    static const char text[] = "/dev/x /m\0x ext4 a\n/dev/y /n xfs a\n";
    char got[128];

    read_table(text, sizeof(text) - 1, 256, got, sizeof(got));
    ck_assert_str_eq(got, "/dev/y|/n|xfs;");
}
END_TEST

START_TEST(mount_lines_too_long_are_skipped)
{
    size_t length = 1024 * 1024;
    char *text = malloc(length + 64);
    char got[128];

    memset(text, 'x', length);
    memcpy(text, "/dev/x /", 8);
    memcpy(text + length, " ext4\n/dev/y /n xfs a\n", 22);
    read_table(text, length + 22, 256, got, sizeof(got));
    ck_assert_str_eq(got, "/dev/y|/n|xfs;");
    free(text);
}
END_TEST

START_TEST(mount_scratch_of_any_size)
{
    static const char text[] = "/dev/x /mnt ext4 rw\n";
    char got[128];

    for (size_t size = 1; size < 40; size++) {
        read_table(text, strlen(text), size, got, sizeof(got));
        /* Three strings with their ends. */
        ck_assert_str_eq(got, size >= 7 + 5 + 5 ? "/dev/x|/mnt|ext4;" : "");
    }
}
END_TEST

START_TEST(file_systems)
{
    static const char *const names[] = {"ext4", "xfs",  "ext3",        "ext4dev",
                                        "",     "nfs4", "fuse.quobyte"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct qm_mount mount = {"/dev/x", "/m", names[i]};

        ck_assert_msg(qm_mount_may_hold_device(&mount) == (i < 2), "%s", names[i]);
    }
}
END_TEST

#define QMKDEV                                                                                     \
    "# Quobyte device setup\n# Created: today\n# Hostname: h\n"                                    \
    "device.serial=S1\ndevice.model=M 1\n"

enum { R = 1, M = 2, D = 4 }; /* older markers: registry, metadata, data */

static const struct marker_case {
    const char *setup, *id;
    unsigned legacy;
    enum qm_device_type type;
    bool bootstrap;
    const char *serial, *model, *device_id;
    const char *warning; /* part of it; "" = none */
} marker_cases[] = {
    {QMKDEV "device.type=DATA_DEVICE\n", NULL, 0, QM_DEVICE_DATA, false, "S1", "M 1", "", ""},
    {QMKDEV "device.bootstrap=true\ndevice.type=DIR_DEVICE\n", NULL, 0, QM_DEVICE_REGISTRY, true,
     "S1", "M 1", "", ""},
    /* Kubernetes manifests write bootstrap after the type. */
    {"device.type=DIR_DEVICE\ndevice.bootstrap=true", NULL, 0, QM_DEVICE_REGISTRY, true, "", "", "",
     ""},
    {"device.type=METADATA_DEVICE\r\ndevice.serial=x\r\n", "device.id=17\r\n", 0,
     QM_DEVICE_METADATA, false, "x", "", "17", ""},
    {"  device.type = DATA_DEVICE  \n\tdevice.serial\t=\ty \n", NULL, 0, QM_DEVICE_DATA, false, "y",
     "", "", ""},
    {"\xef\xbb\xbf"
     "device.type=DATA_DEVICE",
     NULL, 0, QM_DEVICE_DATA, false, "", "", "", ""},
    {"device.type=DATA_DEVICE\ndevice.colour=red\n#device.type=DIR_DEVICE\n", NULL, 0,
     QM_DEVICE_DATA, false, "", "", "", ""},
    {"device.model=a=b\ndevice.type=DATA_DEVICE", NULL, 0, QM_DEVICE_DATA, false, "", "a=b", "",
     ""},
    {"device.bootstrap=false\ndevice.type=DIR_DEVICE", NULL, 0, QM_DEVICE_REGISTRY, false, "", "",
     "", ""},
    /* Without a usable type: shown, never used. */
    {QMKDEV, NULL, 0, QM_DEVICE_UNTYPED, false, "S1", "M 1", "", "no device.type"},
    {"", NULL, 0, QM_DEVICE_UNTYPED, false, "", "", "", "no device.type"},
    {"device.type=\n", NULL, 0, QM_DEVICE_UNTYPED, false, "", "", "", "no device.type"},
    {"device.type=data\n", NULL, 0, QM_DEVICE_UNTYPED, false, "", "", "", "is none of"},
    {"device.type=DATA_DEVICEX\n", NULL, 0, QM_DEVICE_UNTYPED, false, "", "", "", "is none of"},
    {"device.type=DATA_DEVICE\ndevice.type=DIR_DEVICE\n", NULL, 0, QM_DEVICE_UNTYPED, false, "", "",
     "", "device.type is given twice"},
    {"device.type=DATA_DEVICE\ndevice.type=DIR_DEVICE\ndevice.type=DIR_DEVICE\n", NULL, 0,
     QM_DEVICE_UNTYPED, false, "", "", "", "device.type is given twice"},
    {"device.type=DATA_DEVICE\ndevice.type=DATA_DEVICE\n", NULL, 0, QM_DEVICE_DATA, false, "", "",
     "", ""},
    /* The old framework's own initialisation forgot the line ends. */
    {"device.serial=1804289383device.model=Mdevice.type=DATA_DEVICE", NULL, 0, QM_DEVICE_UNTYPED,
     false, "1804289383device.model=Mdevice.type=DATA_DEVICE", "", "", "no device.type"},
    {"device.type DATA_DEVICE\n", NULL, 0, QM_DEVICE_UNTYPED, false, "", "", "", "without ="},
    {"device.type=DATA_DEVICE\nnonsense\n", NULL, 0, QM_DEVICE_DATA, false, "", "", "",
     "without ="},
    {"device.type=DATA_DEVICE\ndevice.bootstrap=true\n", NULL, 0, QM_DEVICE_DATA, false, "", "", "",
     "not a registry's"},
    {"device.type=DIR_DEVICE\ndevice.bootstrap=yes\n", NULL, 0, QM_DEVICE_REGISTRY, false, "", "",
     "", "neither true nor false"},
    {"device.type=DATA_DEVICE\ndevice.serial=a\ndevice.serial=b\n", NULL, 0, QM_DEVICE_DATA, false,
     "a", "", "", "device.serial is given twice"},
    {"device.type=DATA_DEVICE\ndevice.serial=\xff\x01x\n", NULL, 0, QM_DEVICE_DATA, false, "??x",
     "", "", ""},
    {"device.type=DATA_DEVICE", "nothing here\n", 0, QM_DEVICE_DATA, false, "", "", "",
     "QUOBYTE_DEV_ID without device.id"},
    {"device.type=DATA_DEVICE", "", 0, QM_DEVICE_DATA, false, "", "", "",
     "QUOBYTE_DEV_ID without device.id"},
    {NULL, "device.id=4\n", 0, QM_DEVICE_UNTYPED, false, "", "", "4", "no device.type"},
    /* An id belongs into its own file. */
    {"device.type=DATA_DEVICE\ndevice.id=9\n", NULL, 0, QM_DEVICE_DATA, false, "", "", "", ""},
    /* Older markers. */
    {NULL, NULL, R, QM_DEVICE_REGISTRY, false, "", "", "", ""},
    {NULL, NULL, M, QM_DEVICE_METADATA, false, "", "", "", ""},
    {NULL, NULL, D, QM_DEVICE_DATA, false, "", "", "", ""},
    {NULL, NULL, M | D, QM_DEVICE_UNTYPED, false, "", "", "", "several of"},
    {QMKDEV "device.type=DATA_DEVICE\n", NULL, D, QM_DEVICE_DATA, false, "S1", "M 1", "", ""},
    {QMKDEV "device.type=DATA_DEVICE\n", NULL, M, QM_DEVICE_UNTYPED, false, "S1", "M 1", "",
     "contradict"},
    {QMKDEV, NULL, M, QM_DEVICE_METADATA, false, "S1", "M 1", "", ""},
    {"device.type=nonsense", NULL, M, QM_DEVICE_UNTYPED, false, "", "", "", "contradict"},
};

static int read_markers(const struct marker_case *c, char *scratch, size_t size,
                        struct qm_device *device)
{
    struct qm_mount mount = {"/dev/x", "/mnt/d", "xfs"};
    struct qm_device_markers markers = {
        .setup = c->setup,
        .setup_length = c->setup ? strlen(c->setup) : 0,
        .id = c->id,
        .id_length = c->id ? strlen(c->id) : 0,
        .legacy_registry = c->legacy & R,
        .legacy_metadata = c->legacy & M,
        .legacy_data = c->legacy & D,
    };

    return qm_device_from_markers(&mount, &markers, scratch, size, device);
}

START_TEST(what_markers_say)
{
    for (size_t i = 0; i < sizeof(marker_cases) / sizeof(*marker_cases); i++) {
        const struct marker_case *c = &marker_cases[i];
        struct qm_device device;
        char scratch[2048];

        ck_assert_msg(read_markers(c, scratch, sizeof(scratch), &device) == 0, "case %zu", i);
        ck_assert_msg(device.type == c->type, "case %zu: %s", i, qm_device_type_name(device.type));
        ck_assert_msg(device.bootstrap == c->bootstrap, "case %zu", i);
        ck_assert_str_eq(device.mount, "/mnt/d");
        ck_assert_str_eq(device.filesystem, "xfs");
        ck_assert_str_eq(device.serial, c->serial);
        ck_assert_str_eq(device.model, c->model);
        ck_assert_str_eq(device.id, c->device_id);
        ck_assert_msg(c->warning[0] ? strstr(device.warning, c->warning) != NULL
                                    : device.warning[0] == '\0',
                      "case %zu: warning \"%s\"", i, device.warning);
    }
}
END_TEST

START_TEST(no_marker_no_device)
{
    struct marker_case none = {0};
    struct qm_device device;
    char scratch[256];

    ck_assert_int_eq(read_markers(&none, scratch, sizeof(scratch), &device), QM_E_UNKNOWN);
}
END_TEST

START_TEST(marker_scratch_of_any_size)
{
    const struct marker_case *c = &marker_cases[1];
    bool fitted = false;

    for (size_t size = 0; size < 64; size++) {
        char *scratch = malloc(size + !size);
        struct qm_device device = {.size_mib = 4711};
        int r = read_markers(c, scratch, size, &device);

        ck_assert(r == 0 || r == QM_E_LIMIT);
        ck_assert(r == 0 || device.size_mib == 4711); /* untouched on error */
        ck_assert_msg(r == 0 || !fitted, "%zu bytes did, one more does not", size);
        fitted |= r == 0;
        free(scratch);
    }
    ck_assert(fitted);
}
END_TEST

START_TEST(marker_of_a_megabyte)
{
    static const char type[] = "device.type=DATA_DEVICE\n";
    size_t length = 1024 * 1024;
    char *text = malloc(length + sizeof(type));
    struct qm_mount mount = {"/dev/x", "/mnt/d", "xfs"};
    struct qm_device_markers markers = {.setup = text};
    struct qm_device device;
    char scratch[2048];

    memset(text, 'x', length);
    memcpy(text, "device.serial=", 14);
    text[length - 1] = '\n';
    memcpy(text + length, type, sizeof(type));
    markers.setup_length = length + strlen(type);
    ck_assert_int_eq(qm_device_from_markers(&mount, &markers, scratch, sizeof(scratch), &device),
                     0);
    ck_assert_int_eq(device.type, QM_DEVICE_DATA);
    ck_assert_str_eq(device.serial, "");
    ck_assert_ptr_nonnull(strstr(device.warning, "longer than 255 bytes"));
    free(text);
}
END_TEST

START_TEST(marker_with_nul_bytes)
{
    static const char text[] = "device.type=DATA_DEVICE\ndevice.serial=a\0b\n\0\0\0\n";
    struct qm_mount mount = {"/dev/x", "/mnt/d", "xfs"};
    struct qm_device_markers markers = {.setup = text, .setup_length = sizeof(text) - 1};
    struct qm_device device;
    char scratch[512];

    ck_assert_int_eq(qm_device_from_markers(&mount, &markers, scratch, sizeof(scratch), &device),
                     0);
    ck_assert_int_eq(device.type, QM_DEVICE_DATA);
    ck_assert_str_eq(device.serial, "");
    ck_assert_str_eq(device.warning, "a marker file contains NUL bytes");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("device");

    tcase_add_test(tcase, mount_lines);
    tcase_add_test(tcase, mount_lines_with_nul_bytes_are_skipped);
    tcase_add_test(tcase, mount_lines_too_long_are_skipped);
    tcase_add_test(tcase, mount_scratch_of_any_size);
    tcase_add_test(tcase, file_systems);
    tcase_add_test(tcase, what_markers_say);
    tcase_add_test(tcase, no_marker_no_device);
    tcase_add_test(tcase, marker_scratch_of_any_size);
    tcase_add_test(tcase, marker_of_a_megabyte);
    tcase_add_test(tcase, marker_with_nul_bytes);
    return unit_run("device", tcase);
}
