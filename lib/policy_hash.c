/* One number for everything that a service's tasks get from the configuration. */
#include <string.h>

#include "hashmap.h"
#include "policy_private.h"

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
    unsigned char bytes[8];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(number >> (8 * i));
    return qm_hash_bytes(hash, bytes, sizeof(bytes));
}

/* With its end, so that "a" "bc" is not "ab" "c". */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    return qm_hash_bytes(hash, text, strlen(text) + 1);
}

static uint64_t hash_container(uint64_t hash, const struct qm_task_template *t)
{
    hash = hash_number(hash, (uint64_t)t->containerizer);
    hash = hash_number(hash, t->is_executor);
    hash = hash_text(hash, t->image);
    hash = hash_text(hash, t->command);
    hash = hash_text(hash, t->uri);
    hash = hash_text(hash, t->user);
    hash = hash_number(hash, t->privileged);
    hash = hash_number(hash, t->n_environment);
    for (size_t i = 0; i < t->n_environment; i++) {
        hash = hash_text(hash, t->environment[i].name);
        hash = hash_text(hash, t->environment[i].value);
    }
    hash = hash_number(hash, t->n_volumes);
    for (size_t i = 0; i < t->n_volumes; i++) {
        const struct qm_volume *volume = &t->volumes[i];

        hash = hash_text(hash, volume->container_path);
        hash = hash_text(hash, volume->host_path);
        hash = hash_number(hash, (uint64_t)volume->read_only | (uint64_t)volume->rslave << 1 |
                                     (uint64_t)volume->rshared << 2);
    }
    return hash;
}

static uint64_t hash_health(uint64_t hash, const struct qm_health_check *health)
{
    hash = hash_number(hash, health->enabled);
    if (!health->enabled)
        return hash;
    hash = hash_text(hash, health->path);
    hash = hash_number(hash, health->delay);
    hash = hash_number(hash, health->interval);
    hash = hash_number(hash, health->timeout);
    hash = hash_number(hash, health->grace);
    return hash_number(hash, health->failures);
}

uint64_t policy_hash(const struct policy_store *store, size_t service)
{
    const struct qm_service_policy *policy = &store->services[service];
    const struct qm_task_template *t = &store->bases[service].common;
    uint64_t hash = hash_container(hash_text(QM_HASH_SEED, t->service), t);

    hash = hash_health(hash, &t->health);
    hash = hash_number(hash, t->kill_grace);
    hash = hash_text(hash, t->deployment);
    hash = hash_number(hash, policy->resources.cpu_milli);
    hash = hash_number(hash, policy->resources.mem_mib);
    hash = hash_number(hash, policy->resources.disk_mib);
    hash = hash_number(hash, policy->n_ports);
    for (size_t i = 0; i < policy->n_ports; i++) {
        hash = hash_text(hash, policy->ports[i].name);
        hash = hash_text(hash, policy->ports[i].variable);
        hash = hash_number(hash, (uint64_t)policy->ports[i].protocol);
        hash = hash_number(hash, policy->ports[i].number);
    }
    return hash;
}

uint64_t qm_policy_config_hash(const struct qm_policy *policy, size_t service)
{
    return ((const struct policy_store *)policy)->bases[service].common.config_hash;
}
