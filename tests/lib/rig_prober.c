/*
 * Played probers: executors on the agents' executor API that report what the rig's description says
 * of their host.
 */
#include "rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesos/v1/executor.pb-c.h"
#include "quobyte-mesos/probe.pb-c.h"

#define EXECUTOR_PATH "/api/v1/executor"
#define PORTS_MAX     256

struct rig_prober {
    struct rig_prober *next;
    char container[64], framework_id[256], executor_id[256], task_id[256];
    size_t agent;
    uint64_t connection; /* 0: not subscribed */
    qm_time retry_at;
    uint32_t asked[PORTS_MAX]; /* ports of the latest request that named some */
    size_t n_asked;
    uint64_t sequence;
    unsigned updates; /* sent so far; part of their uuids */
    bool unsent;      /* an update that no agent took yet: */
    Mesos__V1__TaskState unsent_state;
    bool ended;
};

static void lose(struct rig *rig, struct rig_prober *prober)
{
    prober->connection = 0;
    prober->retry_at = rig->now + 500;
}

/* Packs and posts a call; true when it was accepted. */
static bool post(struct rig *rig, struct rig_prober *prober, Mesos__V1__Executor__Call *call,
                 uint64_t connection)
{
    Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
    Mesos__V1__FrameworkID framework_id = MESOS__V1__FRAMEWORK_ID__INIT;
    struct sim_response response = {0};
    uint8_t *body;
    size_t length;
    bool accepted;

    executor_id.value = prober->executor_id;
    framework_id.value = prober->framework_id;
    call->executor_id = &executor_id;
    call->framework_id = &framework_id;
    length = mesos__v1__executor__call__get_packed_size(call);
    body = malloc(length + 1);
    if (!body)
        abort();
    mesos__v1__executor__call__pack(call, body);
    rig_request(rig, (int)prober->agent, connection, EXECUTOR_PATH, NULL, body, length, &response);
    accepted =
        response.kind == SIM_STREAM || (response.kind == SIM_ANSWER && response.status == 202);
    sim_response_deinit(&response);
    free(body);
    return accepted;
}

static void subscribe(struct rig *rig, struct rig_prober *prober)
{
    Mesos__V1__Executor__Call call = MESOS__V1__EXECUTOR__CALL__INIT;
    Mesos__V1__Executor__Call__Subscribe subscribe = MESOS__V1__EXECUTOR__CALL__SUBSCRIBE__INIT;

    prober->retry_at = rig->now + 500;
    if (!sim_listens(rig->sim, (int)prober->agent))
        return;
    call.has_type = 1;
    call.type = MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE;
    call.subscribe = &subscribe;
    prober->connection = ++rig->connections;
    if (post(rig, prober, &call, prober->connection))
        prober->retry_at = QM_TIME_NEVER;
    else
        prober->connection = 0;
}

void rig_prober_start(struct rig *rig, const char *container, const struct sim_process *process)
{
    struct rig_prober *prober = calloc(1, sizeof(*prober));

    if (!prober)
        abort();
    snprintf(prober->container, sizeof(prober->container), "%s", container);
    snprintf(prober->framework_id, sizeof(prober->framework_id), "%s", process->framework_id);
    snprintf(prober->executor_id, sizeof(prober->executor_id), "%s", process->executor_id);
    prober->agent = process->agent;
    prober->next = rig->probers;
    prober->retry_at = rig->now + 10;
    rig->probers = prober;
    sim_process_started(rig->sim, prober->container, 1000);
}

static void update(struct rig *rig, struct rig_prober *prober, Mesos__V1__TaskState state)
{
    Mesos__V1__Executor__Call call = MESOS__V1__EXECUTOR__CALL__INIT;
    Mesos__V1__Executor__Call__Update message = MESOS__V1__EXECUTOR__CALL__UPDATE__INIT;
    Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
    Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
    uint8_t uuid[16] = {0x11, 0, 0, 0, 0, 0, 0x40, 0, 0x80};

    uuid[1] = (uint8_t)(prober->updates++);
    for (size_t i = 0; i < 6; i++)
        uuid[10 + i] = (uint8_t)prober->container[i];
    id.value = prober->task_id;
    status.task_id = &id;
    status.has_source = status.has_uuid = status.has_timestamp = 1;
    status.state = state;
    status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR;
    status.uuid.data = uuid;
    status.uuid.len = sizeof(uuid);
    status.timestamp = (double)rig->now / 1000;
    message.status = &status;
    call.has_type = 1;
    call.type = MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE;
    call.update = &message;
    prober->unsent_state = state;
    prober->unsent = !post(rig, prober, &call, ++rig->connections);
    if (prober->unsent)
        lose(rig, prober);
}

/* ---- reports ---- */

static bool uses_port(const Mesos__V1__TaskInfo *info, uint32_t port)
{
    for (size_t i = 0; i < info->n_resources; i++) {
        const Mesos__V1__Resource *resource = info->resources[i];

        for (size_t k = 0; resource->ranges && k < resource->ranges->n_range; k++)
            if (port >= resource->ranges->range[k]->begin &&
                port <= resource->ranges->range[k]->end)
                return true;
    }
    return false;
}

static bool on_host(struct rig *rig, const struct sim_task_view *view, const char *hostname)
{
    const struct sim_agent *agent = NULL;
    struct sim_agent_view at;

    while ((agent = sim_agent_next(rig->sim, SIM_AGENTS_REGISTERED, agent)) != NULL) {
        sim_agent_look(rig->sim, agent, &at);
        if (strcmp(at.id, view->agent_id) == 0)
            return strcmp(at.info->hostname, hostname) == 0;
    }
    return false;
}

/* Does a running task on this host have this port? */
static bool listens(struct rig *rig, const char *hostname, uint32_t port)
{
    const struct sim_framework *framework = NULL;

    while ((framework = sim_framework_next(rig->sim, false, framework)) != NULL) {
        const struct sim_task *task = NULL;

        while ((task = sim_task_next(framework, SIM_TASKS, task)) != NULL) {
            struct sim_task_view view;

            sim_task_look(task, &view);
            if (view.state == MESOS__V1__TASK_STATE__TASK_RUNNING && uses_port(view.info, port) &&
                on_host(rig, &view, hostname))
                return true;
        }
    }
    return false;
}

static void fill_device(const struct qm_device *from, QuobyteMesos__Probe__Device *to)
{
    *to = (QuobyteMesos__Probe__Device)QUOBYTE_MESOS__PROBE__DEVICE__INIT;
    to->has_type = to->has_bootstrap = to->has_size_mib = to->has_free_mib = 1;
    to->type = (QuobyteMesos__Probe__Device__Type)from->type;
    to->bootstrap = from->bootstrap;
    to->size_mib = from->size_mib;
    to->free_mib = from->free_mib;
    to->mount = (char *)from->mount;
    to->filesystem = (char *)from->filesystem;
    to->serial = (char *)from->serial;
    to->model = (char *)from->model;
    to->id = (char *)from->id;
    to->warning = (char *)from->warning;
}

static void report(struct rig *rig, struct rig_prober *prober)
{
    const struct rig_agent *agent = &rig->agents[prober->agent];
    QuobyteMesos__Probe__Report message = QUOBYTE_MESOS__PROBE__REPORT__INIT;
    QuobyteMesos__Probe__Device devices[RIG_DEVICES_MAX], *list[RIG_DEVICES_MAX];
    Mesos__V1__Executor__Call call = MESOS__V1__EXECUTOR__CALL__INIT;
    Mesos__V1__Executor__Call__Message wrapped = MESOS__V1__EXECUTOR__CALL__MESSAGE__INIT;
    uint32_t listening[PORTS_MAX];
    char boot_id[300];
    uint8_t body[8192];

    snprintf(boot_id, sizeof(boot_id), "boot-%u-of-%s", agent->boots, agent->hostname);
    message.boot_id = boot_id;
    message.has_sequence = prober->sequence > 0;
    message.sequence = prober->sequence;
    message.listening = listening;
    for (size_t i = 0; i < prober->n_asked; i++)
        if (listens(rig, agent->hostname, prober->asked[i]))
            listening[message.n_listening++] = prober->asked[i];
    for (size_t i = 0; i < agent->n_devices; i++) {
        fill_device(&agent->devices[i], &devices[i]);
        list[i] = &devices[i];
    }
    message.devices = list;
    message.n_devices = agent->n_devices;
    if (quobyte_mesos__probe__report__get_packed_size(&message) > sizeof(body))
        abort();
    wrapped.data.data = body;
    wrapped.data.len = quobyte_mesos__probe__report__pack(&message, body);
    call.has_type = 1;
    call.type = MESOS__V1__EXECUTOR__CALL__TYPE__MESSAGE;
    call.message = &wrapped;
    if (!post(rig, prober, &call, ++rig->connections))
        lose(rig, prober); /* it reports again when it is subscribed */
}

static void read_request(struct rig_prober *prober, const ProtobufCBinaryData *data)
{
    QuobyteMesos__Probe__Request *request =
        quobyte_mesos__probe__request__unpack(NULL, data->len, data->data);

    if (!request)
        return;
    prober->sequence = request->has_sequence ? request->sequence : 0;
    if (request->n_ports > 0 && request->n_ports <= PORTS_MAX) {
        memcpy(prober->asked, request->ports, request->n_ports * sizeof(*prober->asked));
        prober->n_asked = request->n_ports;
    }
    quobyte_mesos__probe__request__free_unpacked(request, NULL);
}

/* ---- events ---- */

static void end(struct rig *rig, struct rig_prober *prober, int status)
{
    if (prober->ended)
        return;
    prober->ended = true;
    if (prober->connection)
        sim_connection_closed(rig->sim, prober->connection);
    prober->connection = 0;
    prober->retry_at = QM_TIME_NEVER;
    sim_process_exited(rig->sim, prober->container, status);
}

static void launch(struct rig *rig, struct rig_prober *prober, const Mesos__V1__TaskInfo *task)
{
    snprintf(prober->task_id, sizeof(prober->task_id), "%s", task->task_id->value);
    if (task->has_data)
        read_request(prober, &task->data);
    update(rig, prober, MESOS__V1__TASK_STATE__TASK_RUNNING);
    report(rig, prober);
}

static void handle(struct rig *rig, struct rig_prober *prober,
                   const Mesos__V1__Executor__Event *event)
{
    switch (event->type) {
    case MESOS__V1__EXECUTOR__EVENT__TYPE__LAUNCH:
        launch(rig, prober, event->launch->task);
        break;
    case MESOS__V1__EXECUTOR__EVENT__TYPE__SUBSCRIBED:
        if (prober->unsent)
            update(rig, prober, prober->unsent_state);
        if (prober->task_id[0])
            report(rig, prober); /* again, after its agent was away */
        break;
    case MESOS__V1__EXECUTOR__EVENT__TYPE__MESSAGE:
        read_request(prober, &event->message->data);
        report(rig, prober);
        break;
    case MESOS__V1__EXECUTOR__EVENT__TYPE__KILL:
        update(rig, prober, MESOS__V1__TASK_STATE__TASK_KILLED);
        break;
    case MESOS__V1__EXECUTOR__EVENT__TYPE__SHUTDOWN:
        end(rig, prober, 0);
        break;
    default:
        break;
    }
}

bool rig_prober_record(struct rig *rig, uint64_t connection, const uint8_t *data, size_t length)
{
    const uint8_t *newline = memchr(data, '\n', length);
    size_t head = newline ? (size_t)(newline - data) + 1 : length;

    for (struct rig_prober *prober = rig->probers; prober; prober = prober->next) {
        Mesos__V1__Executor__Event *event;

        if (prober->connection != connection || prober->ended)
            continue;
        event = mesos__v1__executor__event__unpack(NULL, length - head, data + head);
        if (event)
            handle(rig, prober, event);
        else
            rig_broke(rig, "an executor's event that cannot be unpacked");
        if (event)
            mesos__v1__executor__event__free_unpacked(event, NULL);
        return true;
    }
    return false;
}

void rig_prober_hung_up(struct rig *rig, uint64_t connection, int target)
{
    for (struct rig_prober *prober = rig->probers; prober; prober = prober->next) {
        if (prober->ended || prober->connection == 0)
            continue;
        if (prober->connection != connection && (int)prober->agent != target)
            continue;
        lose(rig, prober);
    }
}

static struct rig_prober *find(struct rig *rig, const char *container)
{
    for (struct rig_prober *prober = rig->probers; prober; prober = prober->next)
        if (strcmp(prober->container, container) == 0)
            return prober;
    return NULL;
}

void rig_prober_signal(struct rig *rig, const char *container, int number)
{
    struct rig_prober *prober = find(rig, container);

    if (prober)
        end(rig, prober, number);
}

void rig_prober_gone(struct rig *rig, const char *container)
{
    struct rig_prober *prober = find(rig, container);

    if (prober)
        prober->ended = true;
}

static bool runs_on(struct rig *rig, const char *service, const char *hostname)
{
    const struct sim_framework *framework = NULL;

    while ((framework = sim_framework_next(rig->sim, false, framework)) != NULL) {
        const struct sim_task *task = NULL;

        while ((task = sim_task_next(framework, SIM_TASKS, task)) != NULL) {
            struct sim_task_view view;

            sim_task_look(task, &view);
            if (view.state == MESOS__V1__TASK_STATE__TASK_RUNNING &&
                strcmp(view.info->name, service) == 0 && on_host(rig, &view, hostname))
                return true;
        }
    }
    return false;
}

/* As Quobyte does: a device gets its QUOBYTE_DEV_ID once its service runs. */
static bool register_devices(struct rig *rig, struct rig_agent *agent)
{
    bool news = false;

    for (size_t i = 0; i < agent->n_devices; i++) {
        struct qm_device *device = &agent->devices[i];

        if (!device->id[0] && runs_on(rig, qm_device_type_name(device->type), agent->hostname)) {
            device->id = device->serial;
            news = true;
        }
    }
    return news;
}

void rig_prober_tick(struct rig *rig)
{
    for (struct rig_prober *prober = rig->probers; prober; prober = prober->next) {
        if (prober->ended)
            continue;
        if (prober->connection == 0 && rig->now >= prober->retry_at)
            subscribe(rig, prober);
        else if (prober->connection && prober->task_id[0] &&
                 register_devices(rig, &rig->agents[prober->agent]))
            report(rig, prober);
    }
}

qm_time rig_prober_deadline(const struct rig *rig)
{
    qm_time deadline = QM_TIME_NEVER;

    for (const struct rig_prober *prober = rig->probers; prober; prober = prober->next)
        if (!prober->ended && prober->connection == 0 && prober->retry_at < deadline)
            deadline = prober->retry_at;
    return deadline;
}

void rig_prober_report(struct rig *rig, const char *hostname)
{
    for (struct rig_prober *prober = rig->probers; prober; prober = prober->next)
        if (!prober->ended && prober->connection && prober->task_id[0] &&
            strcmp(rig->agents[prober->agent].hostname, hostname) == 0)
            report(rig, prober);
}

void rig_probers_free(struct rig *rig)
{
    while (rig->probers) {
        struct rig_prober *next = rig->probers->next;

        free(rig->probers);
        rig->probers = next;
    }
}
