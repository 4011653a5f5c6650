/*
 * What probers are asked: which of our ports something listens on, and the client's mount point.
 */
#ifndef DAEMON_MESOS_PROBE_REQUEST_H
#define DAEMON_MESOS_PROBE_REQUEST_H

#include <quobyte-mesos/action.h>
#include <quobyte-mesos/config.h>

#include "mesos/arena.h"

#define PROBE_PORTS_MAX 256

struct probe_request {
    uint64_t sequence;
    uint32_t ports[PROBE_PORTS_MAX]; /* ascending, each once */
    size_t n_ports;
    const char *mount_point; /* borrowed from the configuration; "" = none */
};

/** probe_request_init() - the configured ports and mount point. @config may be NULL. */
void probe_request_init(struct probe_request *p, const struct qm_config *config);

/** probe_request_learn() - ports that tasks of a launch got. */
void probe_request_learn(struct probe_request *p, const struct qm_launch *launch);

/** probe_request_pack() - the next request, in the arena. */
ProtobufCBinaryData probe_request_pack(struct probe_request *p, struct arena *arena);

#endif
