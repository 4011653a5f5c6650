/* Frameworks as the master knows them: subscribing, losing and removing them, and their event
 * streams. */
#include "core.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sim_framework *core_framework_find(struct sim *sim, const char *id)
{
    struct sim_framework *framework;

    EACH (framework, &sim->frameworks, next)
        if (strcmp(framework->id, id) == 0)
            return framework;
    return NULL;
}

static bool is_completed(struct sim *sim, const char *id)
{
    struct sim_framework *framework;

    EACH (framework, &sim->completed, next)
        if (strcmp(framework->id, id) == 0)
            return true;
    return false;
}

/* ---- events ---- */

void core_framework_send(struct sim_framework *framework, const event_t *event)
{
    if (framework->state == FRAMEWORK_CONNECTED)
        core_output_record(framework->sim, SIM_MASTER, framework->stream, framework->connection,
                           framework->json, event);
}

void core_framework_send_failure(struct sim_framework *framework, const char *agent_id,
                                 const char *executor_id, const int *status)
{
    event_t event = MESOS__V1__SCHEDULER__EVENT__INIT;
    Mesos__V1__Scheduler__Event__Failure failure = MESOS__V1__SCHEDULER__EVENT__FAILURE__INIT;
    Mesos__V1__AgentID agent = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__ExecutorID executor = MESOS__V1__EXECUTOR_ID__INIT;

    event.has_type = 1;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__FAILURE;
    event.failure = &failure;
    agent.value = (char *)agent_id;
    failure.agent_id = &agent;
    if (executor_id) {
        executor.value = (char *)executor_id;
        failure.executor_id = &executor;
    }
    if (status) {
        failure.has_status = 1;
        failure.status = *status;
    }
    core_framework_send(framework, &event);
}

static void error_record(struct sim *sim, uint64_t stream, uint64_t connection, bool json,
                         const char *message)
{
    event_t event = MESOS__V1__SCHEDULER__EVENT__INIT;
    Mesos__V1__Scheduler__Event__Error error = MESOS__V1__SCHEDULER__EVENT__ERROR__INIT;

    event.has_type = 1;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__ERROR;
    event.error = &error;
    error.message = (char *)message;
    core_output_record(sim, SIM_MASTER, stream, connection, json, &event);
    core_output_end(sim, SIM_MASTER, stream, connection);
}

/* A fault domain that lies in the caller's memory. */
struct domain {
    Mesos__V1__DomainInfo info;
    Mesos__V1__DomainInfo__FaultDomain fault;
    Mesos__V1__DomainInfo__FaultDomain__RegionInfo region;
    Mesos__V1__DomainInfo__FaultDomain__ZoneInfo zone;
};

static Mesos__V1__DomainInfo *master_domain(const struct sim *sim, struct domain *domain)
{
    if (!sim->master_region || !sim->master_zone)
        return NULL;
    mesos__v1__domain_info__init(&domain->info);
    mesos__v1__domain_info__fault_domain__init(&domain->fault);
    mesos__v1__domain_info__fault_domain__region_info__init(&domain->region);
    mesos__v1__domain_info__fault_domain__zone_info__init(&domain->zone);
    domain->region.name = sim->master_region;
    domain->zone.name = sim->master_zone;
    domain->fault.region = &domain->region;
    domain->fault.zone = &domain->zone;
    domain->info.fault_domain = &domain->fault;
    return &domain->info;
}

static void send_subscribed(struct sim_framework *framework)
{
    struct sim *sim = framework->sim;
    event_t event = MESOS__V1__SCHEDULER__EVENT__INIT;
    Mesos__V1__Scheduler__Event__Subscribed subscribed =
        MESOS__V1__SCHEDULER__EVENT__SUBSCRIBED__INIT;
    Mesos__V1__MasterInfo master = MESOS__V1__MASTER_INFO__INIT;
    Mesos__V1__Address address = MESOS__V1__ADDRESS__INIT;
    Mesos__V1__MasterInfo__Capability capabilities[3], *list[3];
    struct in_addr ip = {0};
    struct domain domain;

    /* 1 and 2 are AGENT_UPDATE and AGENT_DRAINING; 3 has no name in v1 and is sent all the same. */
    for (int i = 0; i < 3; i++) {
        mesos__v1__master_info__capability__init(&capabilities[i]);
        capabilities[i].has_type = 1;
        capabilities[i].type = (Mesos__V1__MasterInfo__Capability__Type)(i + 1);
        list[i] = &capabilities[i];
    }
    inet_aton(sim->master_ip, &ip);
    address.hostname = sim->master_hostname;
    address.ip = sim->master_ip;
    address.port = sim->master_port;
    master.id = sim->master_id;
    master.ip = ip.s_addr;
    master.port = sim->master_port;
    master.pid = sim->master_pid;
    master.hostname = sim->master_hostname;
    master.version = (char *)"1.11.1";
    master.address = &address;
    master.domain = master_domain(sim, &domain);
    master.n_capabilities = 3;
    master.capabilities = list;
    subscribed.framework_id = framework->info->id;
    subscribed.has_heartbeat_interval_seconds = 1;
    subscribed.heartbeat_interval_seconds = HEARTBEAT_MS / 1000.0;
    subscribed.master_info = &master;
    event.has_type = 1;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED;
    event.subscribed = &subscribed;
    core_framework_send(framework, &event);
}

static void heartbeat_fire(struct sim *sim, void *owner)
{
    struct sim_framework *framework = owner;
    event_t event = MESOS__V1__SCHEDULER__EVENT__INIT;

    event.has_type = 1;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__HEARTBEAT;
    core_framework_send(framework, &event);
    core_timer_set(sim, &framework->heartbeat, sim->now + HEARTBEAT_MS, heartbeat_fire, framework);
}

/* ---- life ---- */

struct role *core_framework_role(struct sim_framework *framework, const char *name)
{
    for (size_t i = 0; i < framework->n_roles; i++)
        if (strcmp(framework->roles[i].name, name) == 0)
            return &framework->roles[i];
    return NULL;
}

static void roles_free(struct role *roles, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(roles[i].name);
    free(roles);
}

/* Takes over a new FrameworkInfo; roles that stay keep what is accounted to them. */
void core_framework_set_info(struct sim_framework *framework, const framework_info_t *info)
{
    char *single = (char *)(info->role ? info->role : "*");
    struct role *old = framework->roles;
    size_t n_old = framework->n_roles;
    framework_info_t *copy = sim_copy(info);
    char *const *names;

    framework->multi_role =
        core_framework_has(info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE);
    framework->partition_aware =
        core_framework_has(info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE);
    framework->task_killing =
        core_framework_has(info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__TASK_KILLING_STATE);
    framework->refinement = core_framework_has(
        info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__RESERVATION_REFINEMENT);
    names = framework->multi_role ? info->roles : &single;
    framework->n_roles = framework->multi_role ? info->n_roles : 1;
    framework->roles = sim_zalloc(framework->n_roles * sizeof *framework->roles);
    for (size_t i = 0; i < framework->n_roles; i++) {
        framework->roles[i].name = sim_dup(names[i]);
        for (size_t j = 0; j < n_old; j++) {
            if (strcmp(old[j].name, names[i]) == 0) {
                framework->roles[i].suppressed = old[j].suppressed;
                framework->roles[i].cpus = old[j].cpus;
                framework->roles[i].mem = old[j].mem;
                framework->roles[i].disk = old[j].disk;
            }
        }
    }
    roles_free(old, n_old);
    if (!copy->id) {
        Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;

        id.value = (char *)framework->id;
        copy->id = sim_copy(&id);
    }
    sim_drop(framework->info);
    framework->info = copy;
    framework->id = copy->id->value;
}

void core_framework_suppress(struct sim_framework *framework, char *const *roles, size_t n)
{
    for (size_t i = 0; i < framework->n_roles; i++) {
        struct role *role = &framework->roles[i];
        bool suppressed = false;

        for (size_t j = 0; j < n && !suppressed; j++)
            suppressed = strcmp(roles[j], role->name) == 0;
        if (role->suppressed && !suppressed)
            core_filters_drop(framework, role->name);
        role->suppressed = suppressed;
    }
}

struct sim_framework *core_framework_new(struct sim *sim, const framework_info_t *info,
                                         const char *id)
{
    struct sim_framework *framework = sim_zalloc(sizeof *framework);
    framework_info_t *named = sim_copy(info);
    Mesos__V1__FrameworkID name = MESOS__V1__FRAMEWORK_ID__INIT;

    name.value = (char *)id;
    sim_drop(named->id);
    named->id = sim_copy(&name);
    framework->sim = sim;
    for (int i = 0; i < 3; i++)
        TAILQ_INIT(&framework->tasks[i]);
    TAILQ_INIT(&framework->offers);
    TAILQ_INIT(&framework->filters);
    TAILQ_INIT(&framework->inverse_offers);
    core_framework_set_info(framework, named);
    sim_drop(named);
    framework->state = FRAMEWORK_RECOVERED;
    framework->registered_ms = sim->now;
    TAILQ_INSERT_TAIL(&sim->frameworks, framework, next);
    return framework;
}

static void drop_offers(struct sim_framework *framework, bool rescind)
{
    struct sim_offer *offer, *next;

    EACH_SAFE (offer, next, &framework->offers, next) {
        if (rescind)
            core_offer_rescind(offer);
        else
            core_offer_free(offer);
    }
    core_inverse_offers_drop(framework, NULL, rescind);
}

void core_framework_free(struct sim_framework *framework)
{
    struct sim *sim = framework->sim;

    core_timer_stop(sim, &framework->heartbeat);
    core_timer_stop(sim, &framework->failover);
    drop_offers(framework, false);
    core_filters_drop(framework, NULL);
    core_inverse_offers_clear_filters(framework);
    for (int i = 0; i < 3; i++)
        while (!TAILQ_EMPTY(&framework->tasks[i]))
            core_task_free(TAILQ_FIRST(&framework->tasks[i]));
    core_res_clear(&framework->used);
    core_res_clear(&framework->offered);
    roles_free(framework->roles, framework->n_roles);
    core_constraints_free(framework->constraints);
    sim_drop(framework->info);
    free(framework);
}

/* Every agent learns the new FrameworkInfo, and resends its pending updates. */
static void broadcast(struct sim_framework *framework)
{
    struct sim_agent *agent;
    struct host *host;

    EACH (agent, &framework->sim->agents, next)
        if ((host = core_agent_host(agent)))
            core_host_framework_changed(host, framework->info);
}

static void connect_stream(struct sim_framework *framework, uint64_t connection, bool json,
                           struct sim_response *response)
{
    struct sim *sim = framework->sim;

    core_timer_stop(sim, &framework->failover);
    sim_uuid_text(sim, framework->stream_id);
    core_answer_stream(sim, response, json, framework->stream_id);
    framework->stream = response->stream;
    framework->connection = connection;
    framework->json = json;
    framework->state = FRAMEWORK_CONNECTED;
    send_subscribed(framework);
    heartbeat_fire(sim, framework);
}

/* The roles that a new FrameworkInfo no longer has take their offers with them. */
static void rescind_lost_roles(struct sim_framework *framework, const framework_info_t *info)
{
    struct sim_offer *offer, *next;

    EACH_SAFE (offer, next, &framework->offers, next) {
        bool kept = !framework->multi_role;

        for (size_t i = 0; i < info->n_roles && !kept; i++)
            kept = strcmp(info->roles[i], offer->role) == 0;
        if (!kept)
            core_offer_rescind(offer);
    }
}

static void set_constraints(struct sim_framework *framework, struct constraints *constraints)
{
    core_constraints_free(framework->constraints);
    framework->constraints = constraints;
}

static void resubscribe(struct sim_framework *framework,
                        const Mesos__V1__Scheduler__Call__Subscribe *subscribe, uint64_t connection,
                        bool json, struct sim_response *response)
{
    bool live = framework->state == FRAMEWORK_CONNECTED;
    framework_info_t *info = sim_copy(subscribe->framework_info);

    /* User and checkpointing cannot change; the old values stay without a word. */
    free(info->user);
    info->user = sim_dup(framework->info->user);
    info->has_checkpoint = framework->info->has_checkpoint;
    info->checkpoint = framework->info->checkpoint;
    rescind_lost_roles(framework, info);
    if (live) {
        error_record(framework->sim, framework->stream, framework->connection, framework->json,
                     "Framework failed over");
        drop_offers(framework, false);
    }
    core_framework_set_info(framework, info);
    core_framework_suppress(framework, subscribe->suppressed_roles, subscribe->n_suppressed_roles);
    sim_drop(info);
    framework->reregistered_ms = framework->sim->now;
    connect_stream(framework, connection, json, response);
    /* Its offers are made before the agents hear of it and say again what they have to say. */
    if (!live)
        core_allocate(framework->sim);
    broadcast(framework);
}

static void refuse(struct sim *sim, uint64_t connection, bool json, struct sim_response *response,
                   const char *message)
{
    char stream_id[37];

    sim_uuid_text(sim, stream_id);
    core_answer_stream(sim, response, json, stream_id);
    error_record(sim, response->stream, connection, json, message);
}

void core_framework_subscribe(struct sim *sim, const call_t *call, uint64_t connection, bool json,
                              struct sim_response *response)
{
    const Mesos__V1__Scheduler__Call__Subscribe *subscribe = call->subscribe;
    const framework_info_t *info = subscribe->framework_info;
    const char *id = info->id ? info->id->value : "";
    struct sim_framework *framework = core_framework_find(sim, id);
    char *invalid =
        core_framework_invalid(info, subscribe->suppressed_roles, subscribe->n_suppressed_roles);
    struct constraints *constraints = NULL;
    char *fresh = NULL;

    if (!invalid)
        invalid = core_constraints_read(subscribe->offer_constraints, &constraints);
    if (invalid) {
        refuse(sim, connection, json, response, invalid);
        free(invalid);
    } else if (is_completed(sim, id)) {
        refuse(sim, connection, json, response, "Framework has been removed");
    } else if (framework && !sim_same_text(framework->info->principal, info->principal)) {
        refuse(sim, connection, json, response, "Changing framework's principal is not allowed.");
    } else if (framework) {
        set_constraints(framework, constraints);
        constraints = NULL;
        resubscribe(framework, subscribe, connection, json, response);
    } else {
        if (!*id)
            id = fresh =
                sim_text("%s-%04llu", sim->master_id, (unsigned long long)sim->next_framework++);
        framework = core_framework_new(sim, info, id);
        set_constraints(framework, constraints);
        constraints = NULL;
        core_framework_suppress(framework, subscribe->suppressed_roles,
                                subscribe->n_suppressed_roles);
        free(fresh);
        connect_stream(framework, connection, json, response);
        broadcast(framework);
        core_allocate(sim);
    }
    core_constraints_free(constraints);
}

static void failover_fire(struct sim *sim, void *owner)
{
    (void)sim;
    core_framework_remove(owner);
}

void core_framework_disconnect(struct sim_framework *framework)
{
    struct sim *sim = framework->sim;
    double timeout = framework->info->failover_timeout * 1000;

    if (framework->state != FRAMEWORK_CONNECTED)
        return;
    framework->state = FRAMEWORK_DISCONNECTED;
    framework->stream = 0;
    core_timer_stop(sim, &framework->heartbeat);
    drop_offers(framework, true);
    core_filters_drop(framework, NULL);
    core_inverse_offers_clear_filters(framework);
    if (timeout < 0)
        timeout = 0;
    core_timer_set(sim, &framework->failover, sim->now + (int64_t)timeout, failover_fire,
                   framework);
}

void core_framework_remove(struct sim_framework *framework)
{
    struct sim *sim = framework->sim;
    struct sim_agent *agent;
    struct sim_task *task, *next;
    struct known_executor *executor, *after;
    struct host *host;

    core_timer_stop(sim, &framework->heartbeat);
    core_timer_stop(sim, &framework->failover);
    drop_offers(framework, false);
    if (framework->state == FRAMEWORK_CONNECTED)
        core_output_end(sim, SIM_MASTER, framework->stream, framework->connection);
    EACH (agent, &sim->agents, next)
        EACH_SAFE (executor, after, &agent->executors, next)
            if (strcmp(executor->framework_id, framework->id) == 0)
                core_known_executor_drop(agent, executor);
    framework->state = FRAMEWORK_COMPLETED;
    framework->stream = 0;
    framework->unregistered_ms = sim->now;
    TAILQ_REMOVE(&sim->frameworks, framework, next);
    TAILQ_INSERT_TAIL(&sim->completed, framework, next);
    EACH_SAFE (task, next, &framework->tasks[SIM_TASKS], next) {
        if (!core_is_terminal(task->state))
            task->state = MESOS__V1__TASK_STATE__TASK_KILLED;
        core_task_move(task, SIM_TASKS_COMPLETED);
    }
    EACH (agent, &sim->agents, next) {
        if ((host = core_agent_host(agent)))
            core_host_shutdown_framework(host, framework->id);
    }
    core_filters_drop(framework, NULL);
    core_inverse_offers_clear_filters(framework);
    if (++sim->n_completed > MAX_COMPLETED_FRAMEWORKS) {
        struct sim_framework *oldest = TAILQ_FIRST(&sim->completed);

        TAILQ_REMOVE(&sim->completed, oldest, next);
        core_framework_free(oldest);
        sim->n_completed--;
    }
}

void core_framework_update(struct sim_framework *framework, const call_t *call,
                           struct sim_response *response)
{
    const Mesos__V1__Scheduler__Call__UpdateFramework *update = call->update_framework;
    const framework_info_t *info = update->framework_info;
    char *invalid =
        core_framework_invalid(info, update->suppressed_roles, update->n_suppressed_roles);
    struct constraints *constraints = NULL;
    char *change;

    if (invalid) {
        core_answer(response, 400, "Supplied FrameworkInfo is not valid: %s", invalid);
        free(invalid);
        return;
    }
    change = core_framework_change_invalid(framework->info, info);
    if (change) {
        core_answer(response, 400, "FrameworkInfo update is not valid: %s", change);
        free(change);
        return;
    }
    invalid = core_constraints_read(update->offer_constraints, &constraints);
    if (invalid) {
        core_answer(response, 400, "'UpdateFramework.offer_constraints' are not valid: %s",
                    invalid);
        free(invalid);
        return;
    }
    set_constraints(framework, constraints);
    rescind_lost_roles(framework, info);
    core_framework_set_info(framework, info);
    core_framework_suppress(framework, update->suppressed_roles, update->n_suppressed_roles);
    broadcast(framework);
    core_answer(response, 200, NULL);
}
