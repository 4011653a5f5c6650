/* Mount tables and device markers: any text gives terminated strings inside the scratch. */
#include "fuzz.h"

#include <quobyte-mesos.h>

static void read_mounts(const char *text, size_t length)
{
    struct qm_mount mount;
    char scratch[512];
    size_t offset = 0, before = 0;

    while (qm_mounts_next(text, length, &offset, scratch, sizeof(scratch), &mount)) {
        must(offset > before && offset <= length);
        before = offset;
        must(strlen(mount.source) + strlen(mount.mount) + strlen(mount.filesystem) <
             sizeof(scratch));
        qm_mount_may_hold_device(&mount);
    }
}

static void read_markers(struct cursor *cursor, size_t room)
{
    struct qm_mount mount = {.source = "/dev/sdb", .mount = "/mnt/data", .filesystem = "xfs"};
    struct qm_device_markers markers = {0};
    struct qm_device device = {0};
    uint8_t bits = take_byte(cursor);
    char *scratch = malloc(room > 0 ? room : 1);
    int r;

    must(scratch != NULL);
    if (bits & 1)
        markers.setup = (const char *)take_part(cursor, &markers.setup_length);
    if (bits & 2)
        markers.id = (const char *)take_part(cursor, &markers.id_length);
    markers.legacy_registry = bits & 4;
    markers.legacy_metadata = bits & 8;
    markers.legacy_data = bits & 16;
    r = qm_device_from_markers(&mount, &markers, scratch, room, &device);
    must(r == 0 || r == QM_E_UNKNOWN || r == QM_E_LIMIT);
    must(r != QM_E_UNKNOWN || (bits & 31) == 0);
    if (r == 0) {
        must(device.type <= QM_DEVICE_DATA);
        must(strlen(device.mount) + strlen(device.serial) + strlen(device.model) +
                 strlen(device.id) + strlen(device.warning) <
             room + 4096);
    }
    free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t rooms[] = {0, 1, 16, 200, 4096};

    read_mounts((const char *)data, size);
    for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
        struct cursor cursor = {data, size};

        read_markers(&cursor, rooms[i]);
    }
    return 0;
}
