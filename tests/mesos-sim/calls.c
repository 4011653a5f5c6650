/* What the master does with each call of a subscribed scheduler. It has been answered with 202
 * whatever comes of it. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

static void decline(struct sim_framework *framework,
                    const Mesos__V1__Scheduler__Call__Decline *call)
{
    for (size_t i = 0; i < call->n_offer_ids; i++) {
        struct sim_offer *offer = core_offer_find(framework->sim, call->offer_ids[i]->value);

        if (!offer)
            continue;
        core_filter_add(offer->framework, offer->agent, offer->role, &offer->resources,
                        core_refuse_ms(call->filters));
        core_offer_free(offer);
    }
}

/* False: a role that isn't the framework's; then the whole call counts for nothing. */
static bool roles_are_known(struct sim_framework *framework, char *const *roles, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!core_framework_role(framework, roles[i]))
            return false;
    return true;
}

static void suppress(struct sim_framework *framework, char *const *roles, size_t n, bool suppressed)
{
    if (!roles_are_known(framework, roles, n))
        return;
    for (size_t i = 0; i < framework->n_roles; i++) {
        bool meant = n == 0;

        for (size_t j = 0; j < n && !meant; j++)
            meant = strcmp(roles[j], framework->roles[i].name) == 0;
        if (!meant)
            continue;
        framework->roles[i].suppressed = suppressed;
        if (!suppressed)
            core_filters_drop(framework, framework->roles[i].name);
    }
    if (!suppressed) {
        core_inverse_offers_clear_filters(framework);
        core_allocate(framework->sim);
    }
}

static void kill_later(struct sim_agent *agent, const struct sim_task *task,
                       const Mesos__V1__KillPolicy *policy)
{
    struct pending_kill *kill = sim_zalloc(sizeof *kill);

    kill->framework_id = sim_dup(task->framework->id);
    kill->task_id = sim_dup(task->info->task_id->value);
    kill->policy = sim_copy(policy);
    TAILQ_INSERT_TAIL(&agent->kills, kill, next);
}

static void kill_task(struct sim_framework *framework, const Mesos__V1__Scheduler__Call__Kill *call)
{
    struct sim_task *task = core_task_find(framework, call->task_id->value);
    struct host *host;

    if (!task) {
        core_reconcile_one(framework, call->task_id->value,
                           call->agent_id ? call->agent_id->value : NULL);
        return;
    }
    if (call->agent_id && (!task->agent || strcmp(call->agent_id->value, task->agent->id)))
        return;
    if (!task->agent)
        return;
    kill_later(task->agent, task, call->kill_policy);
    host = core_agent_host(task->agent);
    if (host && task->agent->state == AGENT_CONNECTED)
        core_host_kill_task(host, framework->id, call->task_id->value, call->kill_policy);
}

static struct host *connected_host(struct sim *sim, const char *agent_id)
{
    struct sim_agent *agent = core_agent_find(sim, agent_id);

    return agent && agent->state == AGENT_CONNECTED ? core_agent_host(agent) : NULL;
}

static void acknowledge(struct sim_framework *framework,
                        const Mesos__V1__Scheduler__Call__Acknowledge *call)
{
    struct sim_agent *agent = core_agent_find(framework->sim, call->agent_id->value);
    struct sim_task *task = core_task_find(framework, call->task_id->value);
    struct host *host;

    if (!agent || agent->state != AGENT_CONNECTED)
        return;
    if (task && task->agent == agent) {
        /* A task that this master has sent no update of: dropped. */
        if (!task->last)
            return;
        if (core_is_terminal(task->state) && task->last->has_uuid &&
            task->last->uuid.len == call->uuid.len &&
            memcmp(task->last->uuid.data, call->uuid.data, call->uuid.len) == 0)
            core_task_move(task, SIM_TASKS_COMPLETED);
    }
    host = core_agent_host(agent);
    if (host)
        core_host_acknowledge(host, framework->id, call->task_id->value, &call->uuid);
    core_agent_check_drained(agent);
}

static void reconcile_operations(struct sim_framework *framework,
                                 const Mesos__V1__Scheduler__Call__ReconcileOperations *call)
{
    for (size_t i = 0; i < call->n_operations; i++) {
        event_t event = MESOS__V1__SCHEDULER__EVENT__INIT;
        Mesos__V1__Scheduler__Event__UpdateOperationStatus body =
            MESOS__V1__SCHEDULER__EVENT__UPDATE_OPERATION_STATUS__INIT;
        Mesos__V1__OperationStatus status = MESOS__V1__OPERATION_STATUS__INIT;
        const Mesos__V1__AgentID *id = call->operations[i]->agent_id;
        struct sim_agent *agent = id ? core_agent_find(framework->sim, id->value) : NULL;

        status.operation_id = call->operations[i]->operation_id;
        status.agent_id = (Mesos__V1__AgentID *)id;
        status.resource_provider_id = call->operations[i]->resource_provider_id;
        status.message = (char *)"Reconciliation: Operation is unknown";
        status.state = MESOS__V1__OPERATION_STATE__OPERATION_UNKNOWN;
        if (agent && agent->state == AGENT_RECOVERED)
            status.state = MESOS__V1__OPERATION_STATE__OPERATION_RECOVERING;
        else if (agent && agent->state == AGENT_UNREACHABLE)
            status.state = MESOS__V1__OPERATION_STATE__OPERATION_UNREACHABLE;
        else if (agent && agent->state == AGENT_GONE)
            status.state = MESOS__V1__OPERATION_STATE__OPERATION_GONE_BY_OPERATOR;
        body.status = &status;
        event.has_type = 1;
        event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE_OPERATION_STATUS;
        event.update_operation_status = &body;
        core_framework_send(framework, &event);
    }
}

void core_call_do(struct sim_framework *framework, const call_t *call,
                  struct sim_response *response)
{
    struct sim *sim = framework->sim;
    struct host *host;

    switch (call->type) {
    case MESOS__V1__SCHEDULER__CALL__TYPE__TEARDOWN:
        core_framework_remove(framework);
        break;
    case MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT:
        core_accept_offers(framework, call->accept);
        break;
    case MESOS__V1__SCHEDULER__CALL__TYPE__DECLINE:
        decline(framework, call->decline);
        break;
    case MESOS__V1__SCHEDULER__CALL__TYPE__REVIVE:
        suppress(framework, call->revive ? call->revive->roles : NULL,
                 call->revive ? call->revive->n_roles : 0, false);
        break;
    case MESOS__V1__SCHEDULER__CALL__TYPE__SUPPRESS:
        suppress(framework, call->suppress ? call->suppress->roles : NULL,
                 call->suppress ? call->suppress->n_roles : 0, true);
        break;
    case MESOS__V1__SCHEDULER__CALL__TYPE__KILL:
        kill_task(framework, call->kill);
        break;
    case MESOS__V1__SCHEDULER__CALL__TYPE__SHUTDOWN:
        if ((host = connected_host(sim, call->shutdown->agent_id->value)))
            core_host_shutdown_executor(host, framework->id, call->shutdown->executor_id->value);
        break;
    case MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE:
        acknowledge(framework, call->acknowledge);
        break;
    case MESOS__V1__SCHEDULER__CALL__TYPE__RECONCILE:
        core_reconcile(framework, call->reconcile);
        break;
    case MESOS__V1__SCHEDULER__CALL__TYPE__MESSAGE:
        if ((host = connected_host(sim, call->message->agent_id->value)))
            core_host_message(host, framework->id, call->message->executor_id->value,
                              &call->message->data);
        break;
    case MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT_INVERSE_OFFERS:
        core_inverse_offers_answer(framework, call->accept_inverse_offers->inverse_offer_ids,
                                   call->accept_inverse_offers->n_inverse_offer_ids,
                                   call->accept_inverse_offers->filters);
        break;
    case MESOS__V1__SCHEDULER__CALL__TYPE__DECLINE_INVERSE_OFFERS:
        core_inverse_offers_answer(framework, call->decline_inverse_offers->inverse_offer_ids,
                                   call->decline_inverse_offers->n_inverse_offer_ids,
                                   call->decline_inverse_offers->filters);
        break;
    case MESOS__V1__SCHEDULER__CALL__TYPE__RECONCILE_OPERATIONS:
        reconcile_operations(framework, call->reconcile_operations);
        break;
    case MESOS__V1__SCHEDULER__CALL__TYPE__UPDATE_FRAMEWORK:
        core_framework_update(framework, call, response);
        break;
    default: /* REQUEST has no effect; acknowledged operations are forgotten once sent */
        break;
    }
}
