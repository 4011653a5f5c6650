/*
 * What Quobyte runs, as data: a catalogue of services with defaults, changeable
 * and extendable by configuration. A service is named by its index in the
 * catalogue of a configuration; the indices below are the built-in ones.
 */
#ifndef QUOBYTE_MESOS_SERVICE_H
#define QUOBYTE_MESOS_SERVICE_H

#include <quobyte-mesos/base.h>
#include <quobyte-mesos/device.h>
#include <quobyte-mesos/resources.h>

enum qm_service_index {
    QM_SERVICE_REGISTRY,
    QM_SERVICE_METADATA,
    QM_SERVICE_DATA,
    QM_SERVICE_API,
    QM_SERVICE_WEBCONSOLE,
    QM_SERVICE_S3,
    QM_SERVICE_CLIENT,
    QM_SERVICE_PROBER,
    QM_SERVICES_BUILT_IN,
};

#define QM_SERVICES_MAX 32 /* built-in ones and those added by configuration */
#define QM_PORTS_MAX 4     /* ports of one service */

enum qm_service_binding {
    QM_BOUND_TO_DEVICE, /* one per host that has a device of its type */
    QM_FLOATING,        /* so many instances, anywhere */
    QM_PER_HOST,        /* on each host that offers its mount point (client) or on every one (prober) */
};

enum qm_port_protocol {
    QM_PORT_RPC,  /* announced twice, as tcp and as udp */
    QM_PORT_HTTP, /* announced as http */
};

/* One port of a service. */
struct qm_port_spec {
    const char *name;        /* in DiscoveryInfo: "rpc", "http", "api", ... */
    const char *variable;    /* environment variable that tells the service, e.g. QUOBYTE_RPC_PORT */
    enum qm_port_protocol protocol;
    uint32_t number;         /* fixed port; 0 = any offered one */
};

struct qm_variable {
    const char *name;
    const char *value;
};

struct qm_volume {
    const char *container_path;
    const char *host_path;
    bool read_only;
    bool rslave;  /* mounts made later on the host show up inside */
    bool rshared; /* and mounts made inside show up on the host (the client's) */
};

struct qm_health_check {
    bool enabled;
    const char *path;         /* HTTP GET on the service's port named "http" */
    qm_duration delay;
    qm_duration interval;
    qm_duration timeout;
    qm_duration grace;
    unsigned failures;        /* consecutive ones before Mesos kills the task */
};

enum qm_containerizer {
    QM_CONTAINERIZER_DOCKER,
    QM_CONTAINERIZER_NONE, /* a command of the host: Quobyte installed from packages */
};

/*
 * Everything about a task that does not depend on its host: the same for all
 * tasks of one service at one version and configuration. Owned by the planner;
 * valid until the next step.
 */
struct qm_task_template {
    const char *service;      /* TaskInfo.name */
    const char *version;      /* "" for the prober */
    uint64_t config_hash;     /* of everything here but version */
    enum qm_containerizer containerizer;
    bool is_executor;         /* the prober: a custom executor of ours, not a plain task */
    const char *image;        /* with tag; "" without a container */
    const char *command;      /* "" = the image's entry point */
    const char *uri;          /* what the Mesos fetcher brings (prober only); "" = nothing */
    const char *user;         /* "" = the framework's */
    const struct qm_variable *environment;
    size_t n_environment;
    const struct qm_volume *volumes;
    size_t n_volumes;
    bool privileged;
    struct qm_health_check health;
    qm_duration kill_grace;
    const char *deployment;   /* label quobyte.deployment */
};

/** qm_service_binding_name() - "device", "floating", "per_host". Since 0.1. */
QM_EXPORT const char *qm_service_binding_name(enum qm_service_binding binding);

#endif
