/* Between probe.proto and the prober's own structures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prober/report.h"
#include "quobyte-mesos/probe.pb-c.h"

bool question_read(struct question *question, const uint8_t *bytes, size_t length,
                   uint64_t *sequence)
{
    QuobyteMesos__Probe__Request *request =
        quobyte_mesos__probe__request__unpack(NULL, length, bytes);

    if (!request)
        return false;
    *sequence = request->has_sequence ? request->sequence : 0;

    const char *mount_point = request->mount_point ? request->mount_point : "";
    if (request->n_ports > 0 || mount_point[0] != '\0') {
        question->n_ports =
            request->n_ports < REPORT_MOST_PORTS ? request->n_ports : REPORT_MOST_PORTS;
        for (size_t i = 0; i < question->n_ports; i++)
            question->ports[i] = request->ports[i];
        snprintf(question->mount_point, sizeof(question->mount_point), "%s", mount_point);
    }
    quobyte_mesos__probe__request__free_unpacked(request, NULL);
    return true;
}

struct scan_question question_for_scan(const struct question *question)
{
    return (struct scan_question){
        .ports = question->ports,
        .n_ports = question->n_ports,
        .mount_point = question->mount_point,
    };
}

static QuobyteMesos__Probe__Device__Type wire_type(enum qm_device_type type)
{
    switch (type) {
    case QM_DEVICE_REGISTRY:
        return QUOBYTE_MESOS__PROBE__DEVICE__TYPE__REGISTRY;
    case QM_DEVICE_METADATA:
        return QUOBYTE_MESOS__PROBE__DEVICE__TYPE__METADATA;
    case QM_DEVICE_DATA:
        return QUOBYTE_MESOS__PROBE__DEVICE__TYPE__DATA;
    case QM_DEVICE_UNTYPED:
        break;
    }
    return QUOBYTE_MESOS__PROBE__DEVICE__TYPE__UNTYPED;
}

/* protobuf-c's structures want what they only read to be writable. */
static char *text(const char *value)
{
    return (char *)value;
}

static void fill_device(QuobyteMesos__Probe__Device *out, const struct qm_device *device)
{
    quobyte_mesos__probe__device__init(out);
    out->has_type = true;
    out->type = wire_type(device->type);
    out->has_bootstrap = true;
    out->bootstrap = device->bootstrap;
    out->mount = text(device->mount);
    out->filesystem = text(device->filesystem);
    out->serial = text(device->serial);
    out->model = text(device->model);
    out->id = text(device->id);
    out->warning = text(device->warning);
    out->has_size_mib = true;
    out->size_mib = device->size_mib;
    out->has_free_mib = true;
    out->free_mib = device->free_mib;
}

uint8_t *report_pack(const struct scan *scan, uint64_t sequence, size_t *length)
{
    QuobyteMesos__Probe__Report report = QUOBYTE_MESOS__PROBE__REPORT__INIT;
    QuobyteMesos__Probe__Device *devices = calloc(scan->n_devices + 1, sizeof(*devices));
    uint8_t *bytes = NULL;

    report.devices = calloc(scan->n_devices + 1, sizeof(*report.devices));
    if (devices && report.devices) {
        for (size_t i = 0; i < scan->n_devices; i++) {
            fill_device(&devices[i], &scan->devices[i]);
            report.devices[i] = &devices[i];
        }
        report.n_devices = scan->n_devices;
        report.has_sequence = sequence != 0;
        report.sequence = sequence;
        report.boot_id = text(scan->boot_id);
        report.n_listening = scan->n_listening;
        report.listening = scan->listening;
        report.has_has_mount_point = true;
        report.has_mount_point = scan->has_mount_point;
        report.warning = text(scan->warning);

        *length = quobyte_mesos__probe__report__get_packed_size(&report);
        bytes = malloc(*length + 1);
        if (bytes)
            quobyte_mesos__probe__report__pack(&report, bytes);
    }
    free(devices);
    free(report.devices);
    return bytes;
}
