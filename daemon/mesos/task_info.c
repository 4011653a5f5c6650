/*
 * TaskInfo as data. Values of the environment stay values: nothing of a launch is ever pasted into
 * a command line.
 */
#include <stdio.h>
#include <string.h>

#include "mesos/convert.h"

#define NS_PER_MS    1000000
#define EXECUTOR_CPU 0.01 /* Mesos' least for an executor; a smaller one is only warned about */
#define EXECUTOR_MEM 32.0

#define NEW(arena, name, type, prefix)                                                             \
    type *name = arena_zero(arena, 1, sizeof *name);                                               \
    prefix##__init(name)

static char *text(struct arena *arena, const char *value)
{
    return arena_text(arena, value);
}

static Mesos__V1__DurationInfo *duration(struct arena *arena, qm_duration value)
{
    NEW(arena, d, Mesos__V1__DurationInfo, mesos__v1__duration_info);
    d->nanoseconds = value > INT64_MAX / NS_PER_MS ? INT64_MAX : (int64_t)value * NS_PER_MS;
    return d;
}

/* ---- command and environment ---- */

static void add_variable(struct arena *arena, Mesos__V1__Environment *e, const char *name,
                         const char *value)
{
    NEW(arena, v, Mesos__V1__Environment__Variable, mesos__v1__environment__variable);
    v->name = text(arena, name);
    v->value = text(arena, value);
    e->variables[e->n_variables++] = v;
}

static Mesos__V1__Environment *environment(struct arena *arena, const struct qm_task_launch *launch)
{
    const struct qm_task_template *t = launch->template_;
    char number[16];
    NEW(arena, e, Mesos__V1__Environment, mesos__v1__environment);
    e->variables = arena_zero(arena, t->n_environment + launch->n_ports, sizeof *e->variables);
    for (size_t i = 0; i < t->n_environment; i++)
        add_variable(arena, e, t->environment[i].name, t->environment[i].value);
    for (size_t i = 0; i < launch->n_ports; i++) {
        const struct qm_port_spec *spec = launch->ports[i].spec;
        if (spec->variable == NULL || spec->variable[0] == '\0')
            continue;
        snprintf(number, sizeof number, "%u", launch->ports[i].number);
        add_variable(arena, e, spec->variable, number);
    }
    return e;
}

/* The file's name in a URI: what follows the last slash, without a query. */
static char *uri_file(struct arena *arena, const char *uri)
{
    size_t length = strcspn(uri, "?#");
    const char *slash = memrchr(uri, '/', length);
    const char *start = slash != NULL ? slash + 1 : uri;
    size_t n = length - (size_t)(start - uri);
    char *name = arena_zero(arena, n + 1, 1);
    memcpy(name, start, n);
    return name;
}

static bool is_archive(const char *name)
{
    static const char *const endings[] = {".tar",     ".tgz", ".tar.gz", ".tbz2",
                                          ".tar.bz2", ".txz", ".tar.xz", ".zip"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t n = strlen(endings[i]);
        if (length > n && strcmp(name + length - n, endings[i]) == 0)
            return true;
    }
    return false;
}

static void add_uri(struct arena *arena, Mesos__V1__CommandInfo *command, const char *uri)
{
    NEW(arena, u, Mesos__V1__CommandInfo__URI, mesos__v1__command_info__uri);
    bool archive = is_archive(uri_file(arena, uri));
    u->value = text(arena, uri);
    u->has_executable = u->has_extract = 1;
    u->executable = !archive;
    u->extract = archive;
    command->uris = arena_zero(arena, 1, sizeof *command->uris);
    command->uris[0] = u;
    command->n_uris = 1;
}

static Mesos__V1__CommandInfo *command_info(struct arena *arena,
                                            const struct qm_task_launch *launch)
{
    const struct qm_task_template *t = launch->template_;
    NEW(arena, c, Mesos__V1__CommandInfo, mesos__v1__command_info);
    bool has_command = t->command != NULL && t->command[0] != '\0';
    bool has_uri = t->uri != NULL && t->uri[0] != '\0';
    if (has_uri)
        add_uri(arena, c, t->uri);
    c->has_shell = 1;
    c->shell = has_command || has_uri; /* else the image's entry point */
    if (has_command) {
        c->value = text(arena, t->command);
    } else if (has_uri) { /* the fetched file itself; what the agent brings is our own program */
        c->value = arena_zero(arena, strlen(t->uri) + 3, 1);
        stpcpy(stpcpy(c->value, "./"), uri_file(arena, t->uri));
    }
    if (t->user != NULL && t->user[0] != '\0')
        c->user = text(arena, t->user);
    c->environment = environment(arena, launch);
    return c;
}

/* ---- container ---- */

/*
 * A volume with propagation goes as a parameter of docker run: the Docker containerizer of Mesos
 * takes host_path volumes without it only and skips any volume source but Docker volumes.
 */
static void add_propagated(struct arena *arena, Mesos__V1__ContainerInfo__DockerInfo *docker,
                           const struct qm_volume *v)
{
    const char *mode = v->read_only ? "ro," : "";
    const char *propagation = v->rshared ? "rshared" : "rslave";
    size_t size =
        strlen(v->host_path) + strlen(v->container_path) + strlen(mode) + strlen(propagation) + 3;
    NEW(arena, p, Mesos__V1__Parameter, mesos__v1__parameter);
    p->key = text(arena, "volume");
    p->value = arena_zero(arena, size, 1);
    snprintf(p->value, size, "%s:%s:%s%s", v->host_path, v->container_path, mode, propagation);
    docker->parameters[docker->n_parameters++] = p;
}

static void add_volume(struct arena *arena, Mesos__V1__ContainerInfo *c, const struct qm_volume *v)
{
    NEW(arena, volume, Mesos__V1__Volume, mesos__v1__volume);
    volume->container_path = text(arena, v->container_path);
    volume->host_path = text(arena, v->host_path);
    volume->mode = v->read_only ? MESOS__V1__VOLUME__MODE__RO : MESOS__V1__VOLUME__MODE__RW;
    c->volumes[c->n_volumes++] = volume;
}

static Mesos__V1__ContainerInfo *container_info(struct arena *arena,
                                                const struct qm_task_template *t)
{
    NEW(arena, c, Mesos__V1__ContainerInfo, mesos__v1__container_info);
    NEW(arena, docker, Mesos__V1__ContainerInfo__DockerInfo,
        mesos__v1__container_info__docker_info);
    docker->image = text(arena, t->image);
    docker->has_network = docker->has_privileged = 1;
    docker->network = MESOS__V1__CONTAINER_INFO__DOCKER_INFO__NETWORK__HOST;
    docker->privileged = t->privileged;
    docker->parameters = arena_zero(arena, t->n_volumes, sizeof *docker->parameters);
    c->type = MESOS__V1__CONTAINER_INFO__TYPE__DOCKER;
    c->docker = docker;
    c->volumes = arena_zero(arena, t->n_volumes, sizeof *c->volumes);
    for (size_t i = 0; i < t->n_volumes; i++) {
        if (t->volumes[i].rslave || t->volumes[i].rshared)
            add_propagated(arena, docker, &t->volumes[i]);
        else
            add_volume(arena, c, &t->volumes[i]);
    }
    return c;
}

/* ---- what others see of a task ---- */

static void add_label(struct arena *arena, Mesos__V1__Labels *labels, const char *key,
                      const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    NEW(arena, label, Mesos__V1__Label, mesos__v1__label);
    label->key = text(arena, key);
    label->value = text(arena, value);
    labels->labels[labels->n_labels++] = label;
}

static Mesos__V1__Labels *labels_of(struct arena *arena, const struct qm_task_launch *launch)
{
    const struct qm_task_template *t = launch->template_;
    NEW(arena, labels, Mesos__V1__Labels, mesos__v1__labels);
    labels->labels = arena_zero(arena, 4, sizeof *labels->labels);
    add_label(arena, labels, "quobyte.deployment", t->deployment);
    add_label(arena, labels, "quobyte.service", t->service);
    add_label(arena, labels, "quobyte.version", t->version);
    add_label(arena, labels, "quobyte.host", launch->hostname);
    return labels;
}

static void add_port(struct arena *arena, Mesos__V1__Ports *ports, const struct qm_task_port *port,
                     const char *protocol)
{
    NEW(arena, p, Mesos__V1__Port, mesos__v1__port);
    p->number = port->number;
    p->name = text(arena, port->spec->name);
    p->protocol = text(arena, protocol);
    ports->ports[ports->n_ports++] = p;
}

/*
 * Mesos-DNS publishes a port under its name and, by protocol, without it: so only RPC ports are tcp
 * and udp, and _registry._tcp.<framework>.<domain> names those alone.
 */
static Mesos__V1__DiscoveryInfo *discovery(struct arena *arena, const struct qm_task_launch *launch)
{
    if (launch->n_ports == 0)
        return NULL;
    NEW(arena, d, Mesos__V1__DiscoveryInfo, mesos__v1__discovery_info);
    NEW(arena, ports, Mesos__V1__Ports, mesos__v1__ports);
    ports->ports = arena_zero(arena, 2 * launch->n_ports, sizeof *ports->ports);
    for (size_t i = 0; i < launch->n_ports; i++) {
        if (launch->ports[i].spec->protocol == QM_PORT_HTTP) {
            add_port(arena, ports, &launch->ports[i], "http");
            continue;
        }
        add_port(arena, ports, &launch->ports[i], "tcp");
        add_port(arena, ports, &launch->ports[i], "udp");
    }
    d->visibility = MESOS__V1__DISCOVERY_INFO__VISIBILITY__CLUSTER;
    d->name = text(arena, launch->template_->service);
    d->ports = ports;
    return d;
}

/* ---- health ---- */

static const struct qm_task_port *http_port(const struct qm_task_launch *launch)
{
    for (size_t i = 0; i < launch->n_ports; i++)
        if (strcmp(launch->ports[i].spec->name, "http") == 0)
            return &launch->ports[i];
    return NULL;
}

static Mesos__V1__HealthCheck *health_check(struct arena *arena,
                                            const struct qm_task_launch *launch)
{
    const struct qm_health_check *h = &launch->template_->health;
    const struct qm_task_port *port = http_port(launch);
    if (!h->enabled || port == NULL)
        return NULL;
    NEW(arena, check, Mesos__V1__HealthCheck, mesos__v1__health_check);
    NEW(arena, http, Mesos__V1__HealthCheck__HTTPCheckInfo,
        mesos__v1__health_check__httpcheck_info);
    http->port = port->number;
    http->scheme = text(arena, "http");
    http->path = text(arena, h->path);
    check->has_type = 1;
    check->type = MESOS__V1__HEALTH_CHECK__TYPE__HTTP;
    check->http = http;
    check->has_delay_seconds = check->has_interval_seconds = check->has_timeout_seconds = 1;
    check->delay_seconds = (double)h->delay / 1000;
    check->interval_seconds = (double)h->interval / 1000;
    check->timeout_seconds = (double)h->timeout / 1000;
    check->has_grace_period_seconds = check->has_consecutive_failures = 1;
    check->grace_period_seconds = (double)h->grace / 1000;
    check->consecutive_failures = h->failures;
    return check;
}

/* ---- the prober: a custom executor with one task ---- */

/* Takes @least of the first resource of that name that has twice as much. */
static void move_to_executor(struct arena *arena, Mesos__V1__TaskInfo *task,
                             Mesos__V1__ExecutorInfo *executor, const char *name, double least)
{
    for (size_t i = 0; i < task->n_resources; i++) {
        Mesos__V1__Resource *r = task->resources[i];
        if (strcmp(r->name, name) != 0 || r->scalar == NULL || r->scalar->value < 2 * least)
            continue;
        Mesos__V1__Resource *share = arena_copy(arena, r, sizeof *share);
        NEW(arena, scalar, Mesos__V1__Value__Scalar, mesos__v1__value__scalar);
        scalar->value = least;
        share->scalar = scalar;
        r->scalar->value -= least;
        executor->resources[executor->n_resources++] = share;
        return;
    }
}

static Mesos__V1__ExecutorInfo *executor_info(struct arena *arena,
                                              const struct qm_task_launch *launch,
                                              const char *framework_id, Mesos__V1__TaskInfo *task)
{
    NEW(arena, e, Mesos__V1__ExecutorInfo, mesos__v1__executor_info);
    NEW(arena, id, Mesos__V1__ExecutorID, mesos__v1__executor_id);
    id->value = text(arena, launch->executor_id);
    e->executor_id = id;
    e->has_type = 1;
    e->type = MESOS__V1__EXECUTOR_INFO__TYPE__CUSTOM;
    e->name = text(arena, launch->template_->service);
    e->labels = labels_of(arena, launch);
    e->command = task->command;
    e->container = task->container;
    e->shutdown_grace_period = duration(arena, launch->template_->kill_grace);
    e->resources = arena_zero(arena, 2, sizeof *e->resources);
    move_to_executor(arena, task, e, "cpus", EXECUTOR_CPU);
    move_to_executor(arena, task, e, "mem", EXECUTOR_MEM);
    if (framework_id != NULL) {
        NEW(arena, framework, Mesos__V1__FrameworkID, mesos__v1__framework_id);
        framework->value = text(arena, framework_id);
        e->framework_id = framework;
    }
    return e;
}

int convert_task(struct arena *arena, const struct qm_task_launch *launch, const char *agent_id,
                 const char *framework_id, Mesos__V1__Offer *const *offers, size_t n_offers,
                 const ProtobufCBinaryData *probe_request, Mesos__V1__TaskInfo **task)
{
    const struct qm_task_template *t = launch->template_;
    NEW(arena, info, Mesos__V1__TaskInfo, mesos__v1__task_info);
    NEW(arena, id, Mesos__V1__TaskID, mesos__v1__task_id);
    NEW(arena, agent, Mesos__V1__AgentID, mesos__v1__agent_id);
    NEW(arena, policy, Mesos__V1__KillPolicy, mesos__v1__kill_policy);
    int rc = convert_use(arena, offers, n_offers, launch->uses, launch->n_uses, &info->resources,
                         &info->n_resources);
    if (rc != 0)
        return rc;
    id->value = text(arena, launch->task_id);
    agent->value = text(arena, agent_id);
    policy->grace_period = duration(arena, t->kill_grace);
    info->name = text(arena, t->service);
    info->task_id = id;
    info->agent_id = agent;
    info->kill_policy = policy;
    info->labels = labels_of(arena, launch);
    info->discovery = discovery(arena, launch);
    info->command = command_info(arena, launch);
    if (t->containerizer == QM_CONTAINERIZER_DOCKER)
        info->container = container_info(arena, t);
    if (t->is_executor) {
        info->executor = executor_info(arena, launch, framework_id, info);
        info->command = NULL;
        info->container = NULL;
        info->has_data = 1;
        info->data = *probe_request;
    } else {
        info->health_check = health_check(arena, launch);
    }
    *task = info;
    return 0;
}
