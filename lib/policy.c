/* Compiling a configuration into a policy. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "catalogue.h"
#include "config_check.h"
#include "policy_private.h"
#include "text.h"

/* Number of a service in the configuration, where the prober has none. */
static size_t config_index(size_t service)
{
    return service < QM_SERVICE_PROBER ? service : service - 1;
}

static uint32_t port_number(int64_t configured)
{
    return configured > 0 ? (uint32_t)configured : 0;
}

static void add_port(struct qm_service_policy *service, const char *name, const char *variable,
                     enum qm_port_protocol protocol, int64_t number)
{
    if (number < 0 || !name || !variable)
        return;
    service->ports[service->n_ports++] = (struct qm_port_spec){
        .name = name, .variable = variable, .protocol = protocol, .number = port_number(number)};
}

/* "QUOBYTE_<SERVICE><suffix>" */
static const char *variable_name(struct qm_arena *arena, const char *service, const char *suffix)
{
    char *name = qm_arena_format(arena, "QUOBYTE_%s%s", service, suffix);

    for (char *p = name; p && *p != '\0'; p++) {
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
        else if (*p == '-')
            *p = '_';
    }
    return name;
}

static int fill_ports(struct policy_store *store, const struct qm_config *config,
                      struct qm_service_policy *service, size_t from)
{
    const char *own = variable_name(&store->arena, service->name, "_PORT");
    const char *secure = variable_name(&store->arena, service->name, "_SECURE_PORT");
    const char *secure_name = qm_arena_format(&store->arena, "%s-secure", service->name);

    if (!own || !secure || !secure_name)
        return -ENOMEM;
    add_port(service, "rpc", "QUOBYTE_RPC_PORT", QM_PORT_RPC,
             qm_config_service_port(config, from, "rpc_port"));
    add_port(service, "http", "QUOBYTE_HTTP_PORT", QM_PORT_HTTP,
             qm_config_service_port(config, from, "http_port"));
    add_port(service, service->name, own, QM_PORT_HTTP,
             qm_config_service_port(config, from, "port"));
    add_port(service, secure_name, secure, QM_PORT_HTTP,
             qm_config_service_port(config, from, "secure_port"));
    return 0;
}

static enum qm_service_binding binding_of(const char *word)
{
    return strcmp(word, "device") == 0     ? QM_BOUND_TO_DEVICE
           : strcmp(word, "per_host") == 0 ? QM_PER_HOST
                                           : QM_FLOATING;
}

static enum qm_device_type device_of(const char *word)
{
    return strcmp(word, "registry") == 0   ? QM_DEVICE_REGISTRY
           : strcmp(word, "metadata") == 0 ? QM_DEVICE_METADATA
           : strcmp(word, "data") == 0     ? QM_DEVICE_DATA
                                           : QM_DEVICE_UNTYPED;
}

static enum qm_barrier barrier_of(const char *word)
{
    return strcmp(word, "registry_majority") == 0 ? QM_BARRIER_REGISTRY_MAJORITY
           : strcmp(word, "one") == 0             ? QM_BARRIER_ONE
                                                  : QM_BARRIER_NONE;
}

/* The services that face the public take the public role, if there is one. */
static const char *role_of(const struct qm_config *config, size_t service, size_t from)
{
    const char *own = qm_config_service_entry(config, from, "role")->value;
    bool public =
        service == QM_SERVICE_API || service == QM_SERVICE_WEBCONSOLE || service == QM_SERVICE_S3;

    return own[0] == '\0' && public ? qm_config_text(config, "placement.public_role") : own;
}

static qm_duration service_time(const struct qm_config *config, size_t from, const char *field)
{
    return (qm_duration)qm_config_service_entry(config, from, field)->number;
}

static int fill_service(struct policy_store *store, const struct qm_config *config, size_t service)
{
    struct qm_service_policy *to = &store->services[service];
    size_t from = config_index(service);

    to->name = qm_arena_strdup(&store->arena, config->services[from]);
    to->role = qm_arena_strdup(&store->arena, role_of(config, service, from));
    if (!to->name || !to->role)
        return -ENOMEM;
    to->enabled = qm_config_service_enabled(config, from);
    to->binding = binding_of(qm_config_service_entry(config, from, "binding")->value);
    to->device_type = device_of(qm_config_service_entry(config, from, "device")->value);
    to->barrier = barrier_of(qm_config_service_entry(config, from, "barrier")->value);
    if (to->binding == QM_FLOATING)
        to->instances = (unsigned)qm_config_service_entry(config, from, "count")->number;
    qm_resources_parse(qm_config_service_entry(config, from, "resources")->value, &to->resources,
                       NULL);
    to->max_unavailable =
        (unsigned)qm_config_service_entry(config, from, "max_unavailable")->number;
    to->min_ready = service_time(config, from, "min_ready_s");
    to->backoff_initial = service_time(config, from, "backoff.initial_s");
    to->backoff_max = service_time(config, from, "backoff.max_s");
    to->backoff_reset = service_time(config, from, "backoff.reset_after_s");
    return fill_ports(store, config, to, from);
}

static int fill_prober(struct policy_store *store, const struct qm_config *config)
{
    struct qm_service_policy *to = &store->services[QM_SERVICE_PROBER];

    to->name = qm_catalogue[QM_SERVICE_PROBER].name;
    to->role = qm_arena_strdup(&store->arena, qm_config_text(config, "prober.role"));
    to->binding = QM_PER_HOST;
    to->enabled = true;
    to->max_unavailable = UINT32_MAX; /* nobody misses one */
    qm_resources_parse(qm_config_text(config, "prober.resources"), &to->resources, NULL);
    to->backoff_initial = qm_config_duration(config, "prober.backoff.initial_s");
    to->backoff_max = qm_config_duration(config, "prober.backoff.max_s");
    to->backoff_reset = qm_config_duration(config, "prober.backoff.reset_after_s");
    return to->role ? 0 : -ENOMEM;
}

static int fill_services(struct policy_store *store, const struct qm_config *config)
{
    struct qm_policy *policy = &store->policy;
    int r = 0;

    policy->services = store->services;
    policy->n_services = config->n_services + 1;
    for (size_t i = 0; r == 0 && i < policy->n_services; i++) {
        r = i == QM_SERVICE_PROBER ? fill_prober(store, config) : fill_service(store, config, i);
        if (r == 0)
            r = policy_fill_base(store, config, i, config_index(i));
    }
    return r;
}

/* An order as configured; services that it leaves out follow, so that none is forgotten. */
static void fill_order(const struct qm_policy *policy, const struct qm_config *config,
                       const char *key, bool with_client, size_t *order, size_t *n)
{
    bool seen[QM_SERVICES_MAX] = {[QM_SERVICE_PROBER] = true, [QM_SERVICE_CLIENT] = !with_client};
    char name[64];

    *n = 0;
    for (size_t i = 0; qm_config_item(config, key, i, name, sizeof(name)); i++) {
        size_t service = qm_policy_find_service(policy, name);

        if (service >= policy->n_services || seen[service])
            continue;
        seen[service] = true;
        order[(*n)++] = service;
    }
    for (size_t service = 0; service < policy->n_services; service++) {
        if (!seen[service])
            order[(*n)++] = service;
    }
}

int policy_fill_list(struct policy_store *store, const struct qm_config *config, const char *key,
                     const char *const **list, size_t *n)
{
    const char *text = qm_config_text(config, key);
    const char **items;
    size_t count = text[0] != '\0';

    for (const char *p = text; *p != '\0'; p++)
        count += *p == '\n';
    items = qm_arena_calloc(&store->arena, count, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(text, "\n");

        items[i] = qm_arena_memdup0(&store->arena, text, length);
        if (!items[i])
            return -ENOMEM;
        text += length + 1;
    }
    *list = items;
    *n = count;
    return 0;
}

static void fill_times(struct qm_policy *policy, const struct qm_config *config)
{
    policy->shutdown_delay = qm_config_duration(config, "shutdown.delay_s");
    policy->decline = qm_config_duration(config, "offers.decline_s");
    policy->decline_busy = qm_config_duration(config, "offers.decline_busy_s");
    policy->offer_hold = qm_config_duration(config, "offers.hold_s");
    policy->revive_interval = qm_config_duration(config, "offers.revive_min_interval_s");
    policy->reconcile_first = qm_config_duration(config, "reconcile.explicit_first_s");
    policy->reconcile_max = qm_config_duration(config, "reconcile.explicit_max_s");
    policy->reconcile_patience = qm_config_duration(config, "reconcile.patience_s");
    policy->reconcile_implicit = qm_config_duration(config, "reconcile.implicit_s");
    policy->probe_interval = qm_config_duration(config, "prober.interval_s");
    policy->probe_wait = qm_config_duration(config, "prober.wait_s");
    policy->kill_retry = qm_config_duration(config, "launch.kill_retry_s");
    policy->launch_timeout = qm_config_duration(config, "launch.timeout_s");
    policy->save_retry_first = qm_config_duration(config, "state.save_retry_first_s");
    policy->save_retry_max = qm_config_duration(config, "state.save_retry_max_s");
    policy->maintenance_margin = qm_config_duration(config, "placement.draining_s");
}

static int fill(struct policy_store *store, const struct qm_config *config)
{
    struct qm_policy *policy = &store->policy;
    int r;

    policy->deployment =
        qm_arena_strdup(&store->arena, qm_config_text(config, "framework.deployment"));
    policy->failure_domain =
        qm_arena_strdup(&store->arena, qm_config_text(config, "placement.spread_by"));
    if (!policy->deployment || !policy->failure_domain)
        return -ENOMEM;
    fill_times(policy, config);
    policy->dynamic_ports = qm_config_bool(config, "ports.dynamic");
    policy->registry_replicas = (unsigned)qm_config_integer(config, "registry.replicas");
    policy->config_change_waits =
        strcmp(qm_config_text(config, "rollout.on_config_change"), "wait") == 0;
    policy->revive_burst = (unsigned)qm_config_integer(config, "offers.revive_burst");
    policy->suppress_when_idle = qm_config_bool(config, "offers.suppress_when_idle");
    policy->seed = (uint64_t)qm_config_integer(config, "planner.seed");
    r = policy_fill_list(store, config, "placement.hosts", &policy->allow_hosts, &policy->n_allow_hosts);
    if (r == 0)
        r = policy_fill_list(store, config, "placement.deny_hosts", &policy->deny_hosts,
                      &policy->n_deny_hosts);
    if (r == 0)
        r = policy_fill_rollout(store, config);
    if (r == 0)
        r = fill_services(store, config);
    if (r == 0)
        r = policy_fill_image(store, config);
    if (r != 0)
        return r;
    fill_order(policy, config, "rollout.deploy_order", true, policy->deploy_order,
               &policy->n_deploy_order);
    fill_order(policy, config, "rollout.upgrade_order",
               strcmp(qm_config_text(config, "rollout.clients"), "auto") == 0,
               policy->upgrade_order, &policy->n_upgrade_order);
    return 0;
}

int qm_policy_new(struct qm_policy **policy, const struct qm_config *config,
                  const struct qm_allocator *allocator, struct qm_error *error)
{
    struct policy_store *store;
    int r = qm_config_check(config, error);

    if (r != 0)
        return r;
    store = qm_zalloc(allocator, sizeof(*store));
    if (!store)
        return -ENOMEM;
    store->allocator = allocator;
    qm_arena_init(&store->arena, allocator);
    r = fill(store, config);
    if (r == 0)
        *policy = &store->policy;
    else
        qm_policy_free(&store->policy);
    return r;
}

size_t qm_policy_find_service(const struct qm_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n_services; i++) {
        if (strcmp(policy->services[i].name, name) == 0)
            return i;
    }
    return strcmp(name, QM_IMAGE_SERVICE) == 0 ? policy->n_services : SIZE_MAX;
}

static bool matches_any(const char *const *globs, size_t n, const char *hostname)
{
    for (size_t i = 0; i < n; i++) {
        if (qm_glob_matches(globs[i], hostname))
            return true;
    }
    return false;
}

bool qm_policy_allows_host(const struct qm_policy *policy, const char *hostname)
{
    if (policy->n_allow_hosts > 0 &&
        !matches_any(policy->allow_hosts, policy->n_allow_hosts, hostname))
        return false;
    return !matches_any(policy->deny_hosts, policy->n_deny_hosts, hostname);
}
