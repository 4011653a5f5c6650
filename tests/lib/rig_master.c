/*
 * The rig's link to the master: what the daemon's driver does, without its sockets, back-off and
 * queue. Events become facts and actions become calls by the daemon's own conversion.
 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesos/convert.h"
#include "quobyte-mesos/probe.pb-c.h"

#define SCHEDULER_PATH "/api/v1/scheduler"

static const Mesos__V1__FrameworkInfo__Capability__Type wanted_capabilities[] = {
    MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__TASK_KILLING_STATE,
    MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE,
    MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE,
    MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__RESERVATION_REFINEMENT,
    MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__REGION_AWARE,
};
#define N_CAPABILITIES (sizeof(wanted_capabilities) / sizeof(*wanted_capabilities))

static struct convert_call subscribe_call(struct rig *rig)
{
    Mesos__V1__FrameworkInfo__Capability capabilities[N_CAPABILITIES], *list[N_CAPABILITIES];
    Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
    Mesos__V1__Scheduler__Call__Subscribe subscribe = MESOS__V1__SCHEDULER__CALL__SUBSCRIBE__INIT;
    Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
    Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;
    char star[] = "*", user[] = "root", name[] = "quobyte", *roles[] = {star};

    for (size_t i = 0; i < N_CAPABILITIES; i++) {
        capabilities[i] =
            (Mesos__V1__FrameworkInfo__Capability)MESOS__V1__FRAMEWORK_INFO__CAPABILITY__INIT;
        capabilities[i].has_type = 1;
        capabilities[i].type = wanted_capabilities[i];
        list[i] = &capabilities[i];
    }
    info.user = user;
    info.name = name;
    info.has_failover_timeout = info.has_checkpoint = info.checkpoint = 1;
    info.failover_timeout = 604800;
    info.capabilities = list;
    info.n_capabilities = N_CAPABILITIES;
    info.roles = roles;
    info.n_roles = 1;
    id.value = rig->framework_id;
    if (rig->framework_id[0])
        info.id = call.framework_id = &id;
    subscribe.framework_info = &info;
    call.has_type = 1;
    call.type = MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
    call.subscribe = &subscribe;
    return convert_pack_call(&rig->arena, &call, "SUBSCRIBE");
}

void rig_master_subscribe(struct rig *rig)
{
    struct sim_response response = {0};
    struct convert_call call;

    rig->subscribe_at = QM_TIME_NEVER;
    snprintf(rig->framework_id, sizeof(rig->framework_id), "%s",
             qm_planner_framework_id(rig->planner));
    arena_reset(&rig->arena);
    call = subscribe_call(rig);
    rig->connection = ++rig->connections;
    rig->call_connection = ++rig->connections;
    rig_request(rig, SIM_MASTER, rig->connection, SCHEDULER_PATH, NULL, call.bytes, call.length,
                &response);
    if (response.kind == SIM_STREAM) {
        for (size_t i = 0; i < response.n_headers; i++)
            if (strcmp(response.headers[i].name, "Mesos-Stream-Id") == 0)
                snprintf(rig->stream_id, sizeof(rig->stream_id), "%s", response.headers[i].value);
    } else {
        rig->connection = 0;
        rig->subscribe_at = rig->now + QM_SECONDS(1);
    }
    sim_response_deinit(&response);
}

void rig_master_lost(struct rig *rig)
{
    rig->connection = 0;
    offers_clear(&rig->offers);
    if (rig->subscribed) {
        rig->subscribed = false;
        rig_tell(rig, (struct qm_fact){.type = QM_FACT_DISCONNECTED});
    }
    rig->subscribe_at = rig->now + QM_SECONDS(1);
}

/* ---- events ---- */

static void tell_converted(void *userdata, const struct qm_fact *fact)
{
    rig_tell(userdata, *fact);
}

static void keep_books(struct rig *rig, const Mesos__V1__Scheduler__Event *event)
{
    switch (event->type) {
    case MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED:
        rig->subscribed = true;
        snprintf(rig->framework_id, sizeof(rig->framework_id), "%s",
                 event->subscribed->framework_id->value);
        break;
    case MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS:
        for (size_t i = 0; i < event->offers->n_offers; i++)
            if (offers_keep(&rig->offers, event->offers->offers[i]) != 0)
                abort();
        break;
    case MESOS__V1__SCHEDULER__EVENT__TYPE__RESCIND:
        offers_drop(&rig->offers, event->rescind->offer_id->value);
        break;
    case MESOS__V1__SCHEDULER__EVENT__TYPE__ERROR:
        rig_broke(rig, "the master says: %s", event->error->message);
        break;
    default:
        break;
    }
}

void rig_master_record(struct rig *rig, const uint8_t *data, size_t length)
{
    const uint8_t *newline = memchr(data, '\n', length);
    Mesos__V1__Scheduler__Event *event;
    size_t head = newline ? (size_t)(newline - data) + 1 : length;

    arena_reset(&rig->arena);
    event = mesos__v1__scheduler__event__unpack(arena_allocator(&rig->arena), length - head,
                                                data + head);
    if (!event) {
        rig_broke(rig, "an event that cannot be unpacked");
        return;
    }
    keep_books(rig, event);
    convert_event(&rig->arena, event, tell_converted, rig);
}

/* ---- actions ---- */

static void drop_answered(struct rig *rig, const char *const *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        offers_drop(&rig->offers, ids[i]);
}

static const char *label(const Mesos__V1__Labels *labels, const char *key)
{
    for (size_t i = 0; labels && i < labels->n_labels; i++)
        if (strcmp(labels->labels[i]->key, key) == 0)
            return labels->labels[i]->value ? labels->labels[i]->value : "";
    return "";
}

static const char *hostname_of(struct rig *rig, const char *agent_id)
{
    static const enum sim_agent_list lists[] = {SIM_AGENTS_REGISTERED, SIM_AGENTS_RECOVERED,
                                                SIM_AGENTS_UNREACHABLE};

    for (size_t i = 0; i < 3; i++) {
        const struct sim_agent *agent = NULL;

        while ((agent = sim_agent_next(rig->sim, lists[i], agent)) != NULL) {
            struct sim_agent_view view;

            sim_agent_look(rig->sim, agent, &view);
            if (strcmp(view.id, agent_id) == 0)
                return view.info->hostname;
        }
    }
    return "";
}

/* What the driver reads from the master's /state. */
static void describe(struct rig *rig, const struct qm_task_key *key)
{
    struct qm_task_found found = {.task_id = key->task_id,
                                  .agent_id = "",
                                  .executor_id = "",
                                  .hostname = "",
                                  .deployment = "",
                                  .service = "",
                                  .version = ""};
    const struct sim_framework *framework = NULL;
    char task_id[300];

    snprintf(task_id, sizeof(task_id), "%s", key->task_id); /* the step ends the action */
    found.task_id = task_id;
    while ((framework = sim_framework_next(rig->sim, false, framework)) != NULL) {
        const struct sim_task *task = NULL;

        while ((task = sim_task_next(framework, SIM_TASKS, task)) != NULL) {
            struct sim_task_view view;

            sim_task_look(task, &view);
            if (strcmp(view.info->task_id->value, task_id) != 0)
                continue;
            found.exists = true;
            found.agent_id = view.agent_id;
            found.executor_id = view.executor_id;
            found.hostname = hostname_of(rig, view.agent_id);
            found.deployment = label(view.info->labels, "quobyte.deployment");
            found.service = label(view.info->labels, "quobyte.service");
            if (!found.service[0])
                found.service = view.info->name;
            found.version = label(view.info->labels, "quobyte.version");
            found.state = (enum qm_task_state)view.state;
        }
    }
    rig_tell(rig, (struct qm_fact){.type = QM_FACT_TASK_FOUND, .found = found});
}

static void send_call(struct rig *rig, const struct qm_action *action)
{
    QuobyteMesos__Probe__Request request = QUOBYTE_MESOS__PROBE__REQUEST__INIT;
    struct convert_context context;
    struct convert_call call;
    struct sim_response response = {0};
    uint8_t packed[64];
    int r;

    arena_reset(&rig->arena);
    context = (struct convert_context){
        .arena = &rig->arena,
        .framework_id = rig->framework_id,
        .offers = &rig->offers,
        .probe_request = {.len = quobyte_mesos__probe__request__pack(&request, packed),
                          .data = packed},
    };
    r = convert_action(&context, action, &call);
    if (r != 0) {
        rig_broke(rig, "an action that cannot be converted: %d", r);
        return;
    }
    rig_request(rig, SIM_MASTER, rig->call_connection, SCHEDULER_PATH, rig->stream_id, call.bytes,
                call.length, &response);
    if (response.kind != SIM_ANSWER || response.status != 202)
        rig_broke(rig, "%s was answered %d %s", call.what, response.status,
                  response.body ? response.body : "");
    sim_response_deinit(&response);
}

void rig_master_perform(struct rig *rig, const struct qm_action *action)
{
    if (!rig->subscribed)
        return; /* lost, as with a connection that just broke */
    if (action->type == QM_ACTION_DESCRIBE_TASK) {
        describe(rig, &action->describe);
        return;
    }
    send_call(rig, action);
    if (action->type == QM_ACTION_LAUNCH)
        drop_answered(rig, action->launch.offer_ids, action->launch.n_offer_ids);
    else if (action->type == QM_ACTION_DECLINE)
        drop_answered(rig, action->decline.offer_ids, action->decline.n_offer_ids);
}
