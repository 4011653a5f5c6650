/*
 * The built-in services as data: what the configuration starts from. Whatever a
 * service does not say here has the default of its key in config_keys.c.
 */
#ifndef LIB_CATALOGUE_H
#define LIB_CATALOGUE_H

#include <quobyte-mesos/service.h>

/* A default of services.<service>.<field>, and its flag if it has one. */
struct qm_catalogue_value {
    const char *field;
    const char *flag;
    const char *initial;
};

struct qm_catalogue_service {
    const char *name;
    int port_pair; /* RPC at ports.base + 2 * this, status page right after it; -1 = neither */
    const struct qm_catalogue_value
        *values; /* ends with a NULL field; NULL: not under services.* */
};

/* In the order of enum qm_service_index. */
extern const struct qm_catalogue_service qm_catalogue[QM_SERVICES_BUILT_IN];

#endif
