/* Questions that checking and compiling a configuration both ask. */
#ifndef LIB_CONFIG_CHECK_H
#define LIB_CONFIG_CHECK_H

#include "config_store.h"

/** qm_config_service_enabled() - wanted at all: s3 needs a host name, the client a mount point. */
bool qm_config_service_enabled(const struct qm_config *config, size_t service);

/** qm_config_service_image() - its image without tag, "" when none is configured. */
const char *qm_config_service_image(const struct qm_config *config, size_t service);

/** qm_config_service_command() - its command before placeholders are filled, "" = the image's own.
 */
const char *qm_config_service_command(const struct qm_config *config, size_t service);

/**
 * qm_config_service_port() - a port of a service.
 * @which: "rpc_port", "http_port" or "port", or "secure_port" of s3
 * Returns -1 when it has none, 0 for any offered one.
 */
int64_t qm_config_service_port(const struct qm_config *config, size_t service, const char *which);

/** qm_config_is_docker() - do services run in containers? */
bool qm_config_is_docker(const struct qm_config *config);

/** qm_config_registry_name() - full name of the registries, without a dot at its end. */
void qm_config_registry_name(const struct qm_config *config, char *buffer, size_t size);

#endif
