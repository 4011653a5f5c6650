/*
 * What probers are asked. The ports are those that the configuration names and those that tasks
 * were seen to get.
 */
#include "mesos/probe_request.h"

#include <stdlib.h>
#include <string.h>

#include "quobyte-mesos/probe.pb-c.h"

#define PORT_PAIRS 12 /* ports.base and the 11 that follow it */

static void add(struct probe_request *p, uint32_t port)
{
    size_t i = 0;
    if (port == 0 || port > UINT16_MAX || p->n_ports == PROBE_PORTS_MAX)
        return;
    while (i < p->n_ports && p->ports[i] < port)
        i++;
    if (i < p->n_ports && p->ports[i] == port)
        return;
    memmove(&p->ports[i + 1], &p->ports[i], (p->n_ports - i) * sizeof *p->ports);
    p->ports[i] = port;
    p->n_ports++;
}

/* services.<name>.port, .rpc_port, .http_port, .secure_port with a number of their own. */
static bool is_port_key(const char *key)
{
    size_t length = strlen(key);
    return strncmp(key, "services.", 9) == 0 && length > 13 &&
           strcmp(key + length - 4, "port") == 0 && strchr(key + 9, '.') != NULL;
}

void probe_request_init(struct probe_request *p, const struct qm_config *config)
{
    struct qm_config_entry entry;
    *p = (struct probe_request){.mount_point = ""};
    if (config == NULL)
        return;
    p->mount_point = qm_config_text(config, "client.mount_point");
    int64_t base = qm_config_integer(config, "ports.base");
    for (int64_t i = 0; i < PORT_PAIRS; i++)
        add(p, (uint32_t)(base + i));
    for (size_t i = 0; qm_config_entry(config, i, &entry); i++) {
        long value = is_port_key(entry.key) ? strtol(entry.value, NULL, 10) : 0;
        if (value > 0)
            add(p, (uint32_t)value);
    }
}

void probe_request_learn(struct probe_request *p, const struct qm_launch *launch)
{
    for (size_t i = 0; i < launch->n_tasks; i++)
        for (size_t k = 0; k < launch->tasks[i].n_ports; k++)
            add(p, launch->tasks[i].ports[k].number);
}

ProtobufCBinaryData probe_request_pack(struct probe_request *p, struct arena *arena)
{
    QuobyteMesos__Probe__Request request = QUOBYTE_MESOS__PROBE__REQUEST__INIT;
    request.has_sequence = 1;
    request.sequence = ++p->sequence;
    request.ports = p->ports;
    request.n_ports = p->n_ports;
    request.mount_point = p->mount_point[0] != '\0' ? arena_text(arena, p->mount_point) : NULL;
    ProtobufCBinaryData data = {.len = quobyte_mesos__probe__request__get_packed_size(&request)};
    data.data = arena_zero(arena, data.len, 1);
    quobyte_mesos__probe__request__pack(&request, data.data);
    return data;
}
