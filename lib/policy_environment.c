/*
 * The environment that Quobyte's images read. Sources: the entry points of Quobyte's images
 * (main.sh) and Quobyte's own manifests for Kubernetes.
 */
#include "policy_environment.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config_check.h"

#define FIXED_VARIABLES 16 /* of those made here */

struct variables {
    struct qm_arena *arena;
    struct qm_variable *items;
    size_t n;
    bool failed;
};

/* Sets a variable, anew if it has been set before. */
static void set(struct variables *variables, const char *name, const char *value)
{
    size_t i = 0;

    if (!name || !value) {
        variables->failed = true;
        return;
    }
    while (i < variables->n && strcmp(variables->items[i].name, name) != 0)
        i++;
    variables->items[i] = (struct qm_variable){name, value};
    if (i == variables->n)
        variables->n++;
}

__attribute__((format(printf, 3, 4))) static void setf(struct variables *variables,
                                                       const char *name, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    set(variables, name, qm_arena_strdup(variables->arena, text));
}

/* Sets a variable from configured text, unless that is empty. */
static void set_text(struct variables *variables, const char *name, const char *text)
{
    if (text[0] != '\0')
        set(variables, name, qm_arena_strdup(variables->arena, text));
}

/* NAME=VALUE lines of a MAP. */
static void set_lines(struct variables *variables, const char *lines)
{
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        size_t name = strcspn(lines, "=");

        set(variables, qm_arena_memdup0(variables->arena, lines, name),
            qm_arena_memdup0(variables->arena, lines + name + 1, length - name - 1));
        lines += length + (lines[length] == '\n');
    }
}

static size_t count_lines(const char *lines)
{
    size_t n = lines[0] != '\0';

    for (; *lines != '\0'; lines++)
        n += *lines == '\n';
    return n;
}

/* Java's heap: what the container has, less what Java needs beside its heap. */
static void set_heap(struct variables *variables, const struct qm_config *config,
                     const struct qm_service_policy *service, size_t from)
{
    int64_t spare = qm_config_service_entry(config, from, "extra_ram_mb")->number;
    char name[64];

    if (spare < 0 || service->resources.mem_mib <= (uint64_t)spare)
        return;
    snprintf(name, sizeof(name), "QUOBYTE_MAX_MEM_%s", service->name);
    for (char *p = name; *p != '\0'; p++) {
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
        else if (*p == '-')
            *p = '_';
    }
    setf(variables, qm_arena_strdup(variables->arena, name), "%llum",
         (unsigned long long)(service->resources.mem_mib - (uint64_t)spare));
}

/* Mesos-DNS names a task TASK.FRAMEWORK.DOMAIN and its ports _TASK._PROTOCOL.FRAMEWORK.DOMAIN: the
 * registries' name tells where the API is, if it has that form. */
static void set_api(struct variables *variables, const struct qm_config *config)
{
    static const char prefix[] = "_registry._tcp.";
    int64_t port = qm_config_service_port(config, QM_SERVICE_API, "port");
    char registry[512];

    qm_config_registry_name(config, registry, sizeof(registry));
    if (strncmp(registry, prefix, strlen(prefix)) != 0 || port <= 0 ||
        !qm_config_service_enabled(config, QM_SERVICE_API))
        return;
    setf(variables, "QUOBYTE_API", "api.%s:%lld", registry + strlen(prefix), (long long)port);
}

static void set_client(struct variables *variables, const struct qm_config *config)
{
    set_text(variables, "QUOBYTE_MOUNT_POINT", qm_config_text(config, "client.mount_point"));
    set_text(variables, "QUOBYTE_CLIENT_LOG_LEVEL", qm_config_text(config, "client.log_level"));
    set_text(variables, "QUOBYTE_CLIENT_OPTS", qm_config_text(config, "client.options"));
}

/* A service's own text, or that of all services. */
static const char *own_or_all(const struct qm_config *config, size_t from, const char *field,
                              const char *key)
{
    const char *own = qm_config_service_entry(config, from, field)->value;

    return own[0] != '\0' ? own : qm_config_text(config, key);
}

static void set_server(struct variables *variables, const struct qm_config *config, size_t service,
                       size_t from)
{
    int64_t debug = qm_config_integer(config, "services.debug_port");

    set_text(variables, "QUOBYTE_EXTRA_SERVICE_CONFIG",
             own_or_all(config, from, "extra_config", "services.extra_config"));
    set_text(variables, "QUOBYTE_LOG_LEVEL",
             own_or_all(config, from, "log_level", "services.log_level"));
    if (qm_config_bool(config, "services.enable_assertions"))
        set(variables, "QUOBYTE_ENABLE_ASSERTIONS", "true");
    /* One each: all share their host's network. */
    if (debug > 0)
        setf(variables, "QUOBYTE_DEBUG_PORT", "%lld", (long long)debug + (long long)from);
    if (service == QM_SERVICE_WEBCONSOLE)
        set_api(variables, config);
    if (service == QM_SERVICE_S3)
        set_text(variables, "QUOBYTE_S3_HOSTNAME", qm_config_text(config, "services.s3.hostname"));
}

static void set_limits(struct variables *variables, const struct qm_config *config)
{
    int64_t files = qm_config_integer(config, "services.ulimit_nofile");
    int64_t processes = qm_config_integer(config, "services.ulimit_nproc");

    if (files > 0)
        setf(variables, "LIMIT_OPEN_FILES", "%lld", (long long)files);
    if (processes > 0)
        setf(variables, "LIMIT_MAX_PROCESSES", "%lld", (long long)processes);
}

static void set_service(struct variables *variables, const struct policy_store *store,
                        const struct qm_config *config, size_t service, size_t from)
{
    char registry[512];

    qm_config_registry_name(config, registry, sizeof(registry));
    set(variables, "QUOBYTE_SERVICE", store->services[service].name);
    setf(variables, "QUOBYTE_REGISTRY", "%s", registry);
    set_heap(variables, config, &store->services[service], from);
    if (service == QM_SERVICE_CLIENT)
        set_client(variables, config);
    else
        set_server(variables, config, service, from);
    set_limits(variables, config);
}

/* In a container the prober looks at its host through a mount of the host's root. */
static void set_prober(struct variables *variables, const struct template_base *base)
{
    if (base->common.image[0] == '\0')
        return;
    set(variables, "QUOBYTE_PROBER_ROOT", "/host");
    set(variables, "QUOBYTE_PROBER_MOUNTS", "/host/proc/1/mounts");
}

int policy_fill_environment(struct policy_store *store, const struct qm_config *config,
                            size_t service, size_t from)
{
    struct template_base *base = &store->bases[service];
    bool prober = service == QM_SERVICE_PROBER;
    const char *added = prober ? qm_config_text(config, "prober.env")
                               : qm_config_service_entry(config, from, "env")->value;
    struct variables variables = {.arena = &store->arena};

    variables.items = qm_arena_calloc(&store->arena, FIXED_VARIABLES + count_lines(added),
                                      sizeof(*variables.items));
    if (!variables.items)
        return -ENOMEM;
    if (prober)
        set_prober(&variables, base);
    else
        set_service(&variables, store, config, service, from);
    set_lines(&variables, added);
    base->common.environment = variables.items;
    base->common.n_environment = variables.n;
    return variables.failed ? -ENOMEM : 0;
}
