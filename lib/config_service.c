/* What a configuration says about one service, with the defaults that depend on other keys. */
#include <stdio.h>
#include <string.h>

#include "catalogue.h"
#include "config_check.h"

static bool is_built_in(size_t service, enum qm_service_index which)
{
    /* The prober, last in the catalogue, is not among a configuration's services. */
    return service == (size_t)which;
}

bool qm_config_service_enabled(const struct qm_config *config, size_t service)
{
    if (!qm_config_service_entry(config, service, "enabled")->number)
        return false;
    if (is_built_in(service, QM_SERVICE_S3))
        return qm_config_text(config, "services.s3.hostname")[0] != '\0';
    if (is_built_in(service, QM_SERVICE_CLIENT))
        return qm_config_text(config, "client.mount_point")[0] != '\0';
    return true;
}

const char *qm_config_service_image(const struct qm_config *config, size_t service)
{
    const char *own = qm_config_service_entry(config, service, "image")->value;

    if (own[0] != '\0')
        return own;
    return qm_config_text(config, is_built_in(service, QM_SERVICE_CLIENT) ? "images.client"
                                                                          : "images.server");
}

const char *qm_config_service_command(const struct qm_config *config, size_t service)
{
    const struct config_entry *own = qm_config_service_entry(config, service, "command");

    return own->value[0] != '\0' ? own->value : qm_config_text(config, "services.command");
}

int64_t qm_config_service_port(const struct qm_config *config, size_t service, const char *which)
{
    bool rpc = strcmp(which, "rpc_port") == 0;
    int64_t number;

    if (strcmp(which, "secure_port") == 0)
        return is_built_in(service, QM_SERVICE_S3)
                   ? qm_config_integer(config, "services.s3.secure_port")
                   : -1;
    number = qm_config_service_entry(config, service, which)->number;
    if (number >= 0 || strcmp(which, "port") == 0 || service >= QM_SERVICE_PROBER ||
        qm_catalogue[service].port_pair < 0)
        return number;
    return qm_config_integer(config, "ports.base") + 2 * qm_catalogue[service].port_pair + !rpc;
}

bool qm_config_is_docker(const struct qm_config *config)
{
    return strcmp(qm_config_text(config, "services.containerizer"), "docker") == 0;
}

void qm_config_registry_name(const struct qm_config *config, char *buffer, size_t size)
{
    const char *domain = qm_config_text(config, "registry.dns_domain");
    size_t length;

    snprintf(buffer, size, "%s%s%s", qm_config_text(config, "registry.dns_name"),
             domain[0] != '\0' && domain[0] != '.' ? "." : "", domain);
    length = strlen(buffer);
    if (length > 0 && buffer[length - 1] == '.')
        buffer[length - 1] = '\0';
}
