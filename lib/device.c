/*
 * What the markers in a mount's root say. They are written by tools, by manifests and by hand:
 * everything that can be understood is, and what is odd becomes a warning.
 */
#include <quobyte-mesos/device.h>

#include <stdio.h>
#include <string.h>

#include "text.h"

#define MAX_VALUE   255 /* bytes of a serial, model or id: far over what qmkdev writes */
#define MAX_WARNING 512

/* A value in the file that it comes from, not decoded. length 0: not there. */
struct value {
    const char *text;
    size_t length;
};

struct findings {
    struct value type, bootstrap, serial, model, id;
    char warning[MAX_WARNING];
};

const char *qm_device_type_name(enum qm_device_type type)
{
    switch (type) {
    case QM_DEVICE_REGISTRY:
        return "registry";
    case QM_DEVICE_METADATA:
        return "metadata";
    case QM_DEVICE_DATA:
        return "data";
    case QM_DEVICE_UNTYPED:
        break;
    }
    return "untyped";
}

/* Adds to the warnings; a repeated one is said once. */
static void warn(struct findings *findings, const char *text)
{
    size_t used = strlen(findings->warning);

    if (!strstr(findings->warning, text))
        snprintf(findings->warning + used, sizeof(findings->warning) - used, "%s%s",
                 used > 0 ? "; " : "", text);
}

static bool equals(const struct value *value, const char *text)
{
    return value->length == strlen(text) && memcmp(value->text, text, value->length) == 0;
}

/* Takes a value that a file gives. The first stays; a second that differs is odd. */
static void take(struct findings *findings, struct value *place, const struct value *value,
                 const char *twice)
{
    if (value->length > MAX_VALUE)
        warn(findings, "a value is longer than 255 bytes and left out");
    else if (place->length == 0)
        *place = *value;
    else if (place->length != value->length || memcmp(place->text, value->text, value->length) != 0)
        warn(findings, twice);
}

static void take_line(struct findings *findings, const struct value *key, const struct value *value,
                      bool is_id_file)
{
    if (is_id_file) {
        if (equals(key, "device.id"))
            take(findings, &findings->id, value, "device.id is given twice");
    } else if (equals(key, "device.type")) {
        if (findings->type.length > 0 &&
            (findings->type.length != value->length ||
             memcmp(findings->type.text, value->text, value->length) != 0))
            findings->type = (struct value){"?", 1}; /* matches none */
        take(findings, &findings->type, value, "device.type is given twice");
    } else if (equals(key, "device.bootstrap")) {
        take(findings, &findings->bootstrap, value, "device.bootstrap is given twice");
    } else if (equals(key, "device.serial")) {
        take(findings, &findings->serial, value, "device.serial is given twice");
    } else if (equals(key, "device.model")) {
        take(findings, &findings->model, value, "device.model is given twice");
    }
}

static void read_line(struct findings *findings, const char *line, size_t length, bool is_id_file)
{
    struct value key, value;
    const char *sign;

    qm_trim(&line, &length);
    if (length == 0 || line[0] == '#')
        return;
    if (memchr(line, '\0', length)) {
        warn(findings, "a marker file contains NUL bytes");
        return;
    }
    sign = memchr(line, '=', length);
    if (!sign) {
        warn(findings, "a line without = in a marker file");
        return;
    }
    key = (struct value){line, (size_t)(sign - line)};
    value = (struct value){sign + 1, length - key.length - 1};
    qm_trim(&key.text, &key.length);
    qm_trim(&value.text, &value.length);
    take_line(findings, &key, &value, is_id_file);
}

static void read_file(struct findings *findings, const char *text, size_t length, bool is_id_file)
{
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* an editor's mark of UTF-8 */
        text += 3;
        length -= 3;
    }
    while (length > 0) {
        const char *end = memchr(text, '\n', length);
        size_t n = end ? (size_t)(end - text) : length;

        read_line(findings, text, n, is_id_file);
        n += end != NULL;
        text += n;
        length -= n;
    }
}

static enum qm_device_type named_type(struct findings *findings)
{
    const struct value *type = &findings->type;

    if (equals(type, "DIR_DEVICE"))
        return QM_DEVICE_REGISTRY;
    if (equals(type, "METADATA_DEVICE"))
        return QM_DEVICE_METADATA;
    if (equals(type, "DATA_DEVICE"))
        return QM_DEVICE_DATA;
    if (type->length > 0 && !equals(type, "?"))
        warn(findings, "device.type is none of DIR_DEVICE, METADATA_DEVICE, DATA_DEVICE");
    return QM_DEVICE_UNTYPED;
}

/* What the old entries say: a type when there is exactly one of them. */
static enum qm_device_type legacy_type(const struct qm_device_markers *markers, unsigned *n)
{
    *n = (unsigned)markers->legacy_registry + markers->legacy_metadata + markers->legacy_data;
    if (*n != 1)
        return QM_DEVICE_UNTYPED;
    return markers->legacy_registry   ? QM_DEVICE_REGISTRY
           : markers->legacy_metadata ? QM_DEVICE_METADATA
                                      : QM_DEVICE_DATA;
}

static enum qm_device_type decide_type(struct findings *findings,
                                       const struct qm_device_markers *markers)
{
    enum qm_device_type type = named_type(findings);
    unsigned n_legacy;
    enum qm_device_type legacy = legacy_type(markers, &n_legacy);

    if (n_legacy > 1) {
        warn(findings, "several of quobyte-dir, quobyte-metadata and quobyte-data");
        return QM_DEVICE_UNTYPED;
    }
    if (findings->type.length == 0 && n_legacy == 1)
        return legacy;
    if (n_legacy == 1 && type != legacy) {
        warn(findings, "QUOBYTE_DEV_SETUP and the older marker contradict each other");
        return QM_DEVICE_UNTYPED;
    }
    if (findings->type.length == 0)
        warn(findings, "no device.type");
    return type;
}

static bool decide_bootstrap(struct findings *findings, enum qm_device_type type)
{
    const struct value *value = &findings->bootstrap;

    if (value->length == 0 || equals(value, "false"))
        return false;
    if (!equals(value, "true")) {
        warn(findings, "device.bootstrap is neither true nor false");
        return false;
    }
    if (type != QM_DEVICE_REGISTRY) {
        warn(findings, "device.bootstrap on a device that is not a registry's");
        return false;
    }
    return true;
}

struct scratch {
    char *to;
    size_t left;
    bool failed;
};

/* Copies into the scratch buffer; what is not text that everybody can print becomes ?. */
static const char *keep(struct scratch *scratch, const char *text, size_t length)
{
    char *copy = scratch->to;
    bool utf8 = qm_is_utf8(text, length);

    if (length >= scratch->left) {
        scratch->failed = true;
        return "";
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        copy[i] = c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8) ? '?' : text[i];
    }
    copy[length] = '\0';
    scratch->to += length + 1;
    scratch->left -= length + 1;
    return copy;
}

static const char *keep_value(struct scratch *scratch, const struct value *value)
{
    return value->length > 0 ? keep(scratch, value->text, value->length) : "";
}

static bool is_marked(const struct qm_device_markers *markers)
{
    return markers->setup || markers->id || markers->legacy_registry || markers->legacy_metadata ||
           markers->legacy_data;
}

int qm_device_from_markers(const struct qm_mount *mount, const struct qm_device_markers *markers,
                           char *scratch, size_t size, struct qm_device *device)
{
    struct scratch room = {scratch, size, false};
    struct findings findings = {.warning = ""};
    struct qm_device found = {0};

    if (!is_marked(markers))
        return QM_E_UNKNOWN;
    if (markers->setup)
        read_file(&findings, markers->setup, markers->setup_length, false);
    if (markers->id)
        read_file(&findings, markers->id, markers->id_length, true);
    if (markers->id && findings.id.length == 0)
        warn(&findings, "QUOBYTE_DEV_ID without device.id");
    found.type = decide_type(&findings, markers);
    found.bootstrap = decide_bootstrap(&findings, found.type);
    /* The path stays byte for byte what it is: files are found by it. */
    if (strlen(mount->mount) >= room.left)
        return QM_E_LIMIT;
    found.mount = strcpy(room.to, mount->mount);
    room.to += strlen(mount->mount) + 1;
    room.left -= strlen(mount->mount) + 1;
    found.filesystem = keep(&room, mount->filesystem, strlen(mount->filesystem));
    found.serial = keep_value(&room, &findings.serial);
    found.model = keep_value(&room, &findings.model);
    found.id = keep_value(&room, &findings.id);
    found.warning = keep(&room, findings.warning, strlen(findings.warning));
    if (room.failed)
        return QM_E_LIMIT;
    *device = found;
    return 0;
}
