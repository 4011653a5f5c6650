/* Scan -> text. Strings of a scan are printable UTF-8 already. */
#include <inttypes.h>
#include <string.h>

#include "prober/print.h"

static const char *or_dash(const char *text)
{
    return text[0] != '\0' ? text : "-";
}

void print_table(FILE *out, const struct scan *scan)
{
    int mount_width = 5;

    for (size_t i = 0; i < scan->n_devices; i++) {
        size_t length = strlen(scan->devices[i].mount);
        if (length > (size_t)mount_width && length <= 60)
            mount_width = (int)length;
    }
    fprintf(out, "%-8s  %-9s  %-*s  %-4s  %10s  %10s  %-6s  %s\n", "TYPE", "BOOTSTRAP", mount_width,
            "MOUNT", "FS", "SIZE MiB", "FREE MiB", "ID", "SERIAL");
    for (size_t i = 0; i < scan->n_devices; i++) {
        const struct qm_device *d = &scan->devices[i];
        fprintf(out, "%-8s  %-9s  %-*s  %-4s  %10" PRIu64 "  %10" PRIu64 "  %-6s  %s\n",
                qm_device_type_name(d->type), d->bootstrap ? "yes" : "no", mount_width, d->mount,
                d->filesystem, d->size_mib, d->free_mib, or_dash(d->id), or_dash(d->serial));
        if (d->warning[0] != '\0')
            fprintf(out, "          warning: %s\n", d->warning);
    }
}

static void print_string(FILE *out, const char *key, const char *value)
{
    fprintf(out, "\"%s\":\"", key);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            putc('\\', out);
        putc(*value, out);
    }
    putc('"', out);
}

void print_json(FILE *out, const struct scan *scan)
{
    for (size_t i = 0; i < scan->n_devices; i++) {
        const struct qm_device *d = &scan->devices[i];
        const struct {
            const char *key, *value;
        } strings[] = {
            {"type", qm_device_type_name(d->type)},
            {"mount", d->mount},
            {"filesystem", d->filesystem},
            {"serial", d->serial},
            {"model", d->model},
            {"id", d->id},
            {"warning", d->warning},
        };

        putc('{', out);
        for (size_t k = 0; k < sizeof(strings) / sizeof(strings[0]); k++) {
            print_string(out, strings[k].key, strings[k].value);
            putc(',', out);
        }
        fprintf(out, "\"bootstrap\":%s,\"size_mib\":%" PRIu64 ",\"free_mib\":%" PRIu64 "}\n",
                d->bootstrap ? "true" : "false", d->size_mib, d->free_mib);
    }
}
