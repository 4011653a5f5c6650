/*
 * The built-in services. Amounts and ports are those of the old framework's flags, except where
 * those did not work: S3 kept back more memory than it had. Times to be ready are those of
 * Quobyte's own charts; health checks are lenient on purpose: they end what is dead, not what is
 * slow.
 */
#include "catalogue.h"

#include <stddef.h>

static const struct qm_catalogue_value registry_values[] = {
    {"binding", NULL, "device"},
    {"device", NULL, "registry"},
    {"barrier", NULL, "registry_majority"},
    {"privileged", NULL, "true"},
    {"resources", "registry_resources", "cpus:1;mem:2084;disk:32"},
    {"extra_ram_mb", "registry_extra_ram_mb", "512"},
    {"min_ready_s", NULL, "60"},
    {NULL},
};

static const struct qm_catalogue_value metadata_values[] = {
    {"binding", NULL, "device"},
    {"device", NULL, "metadata"},
    {"barrier", NULL, "one"},
    {"privileged", NULL, "true"},
    {"resources", "metadata_resources", "cpus:2;mem:8192;disk:32"},
    {"extra_ram_mb", "metadata_extra_ram_mb", "1024"},
    {"min_ready_s", NULL, "180"},
    {NULL},
};

static const struct qm_catalogue_value data_values[] = {
    {"binding", NULL, "device"},
    {"device", NULL, "data"},
    {"privileged", NULL, "true"},
    {"resources", "data_resources", "cpus:4;mem:4096;disk:32"},
    {"extra_ram_mb", NULL, "1024"},
    {"min_ready_s", NULL, "180"},
    {NULL},
};

static const struct qm_catalogue_value api_values[] = {
    {"binding", NULL, "floating"},
    {"resources", "api_resources", "cpus:0.1;mem:512;disk:32"},
    {"port", "api_port", "8889"},
    {NULL},
};

static const struct qm_catalogue_value webconsole_values[] = {
    {"binding", NULL, "floating"},
    {"resources", "webconsole_resources", "cpus:0.5;mem:512;disk:32"},
    {"port", "webconsole_port", "8888"},
    {NULL},
};

static const struct qm_catalogue_value s3_values[] = {
    {"binding", NULL, "floating"},
    {"resources", "s3_resources", "cpus:1;mem:512;disk:32"},
    {"extra_ram_mb", "s3_extra_ram_mb", "256"},
    {"port", "s3_port", "80"},
    {NULL},
};

/* The client is no Java process (no heap), and its image has no entry point that mounts. Values
 * come as environment, so that nothing in them is taken for shell text. */
static const struct qm_catalogue_value client_values[] = {
    {"binding", NULL, "per_host"},
    {"privileged", NULL, "true"},
    {"resources", "client_resources", "cpus:2;mem:2048;disk:150"},
    {"extra_ram_mb", NULL, "-1"},
    {"min_ready_s", NULL, "30"},
    {"health.enabled", NULL, "false"},
    {"command", NULL,
     "umount -l \"$QUOBYTE_MOUNT_POINT\" 2>/dev/null;"
     " mkdir -p \"$QUOBYTE_MOUNT_POINT\" && exec mount.quobyte --hostname \"$(hostname)\""
     " ${QUOBYTE_HTTP_PORT:+--http-port \"$QUOBYTE_HTTP_PORT\"} -f -l /dev/stdout"
     " ${QUOBYTE_CLIENT_LOG_LEVEL:+-d \"$QUOBYTE_CLIENT_LOG_LEVEL\"} $QUOBYTE_CLIENT_OPTS"
     " \"$QUOBYTE_REGISTRY/\" \"$QUOBYTE_MOUNT_POINT\""},
    {NULL},
};

const struct qm_catalogue_service qm_catalogue[QM_SERVICES_BUILT_IN] = {
    [QM_SERVICE_REGISTRY] = {"registry", 0, registry_values},
    [QM_SERVICE_METADATA] = {"metadata", 1, metadata_values},
    [QM_SERVICE_DATA] = {"data", 2, data_values},
    [QM_SERVICE_API] = {"api", 3, api_values},
    [QM_SERVICE_WEBCONSOLE] = {"webconsole", 4, webconsole_values},
    [QM_SERVICE_S3] = {"s3", 5, s3_values},
    [QM_SERVICE_CLIENT] = {"client", -1, client_values},
    [QM_SERVICE_PROBER] = {"prober", -1, NULL}, /* keys prober.* */
};
