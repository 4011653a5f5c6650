/* ACCEPT: the offers are checked and used up, the operations done one after the other, the rest is
 * declined. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Scheduler__Call__Accept accept_t;
typedef Mesos__V1__Offer__Operation operation_t;

/* ---- answers that the master makes ---- */

static void task_refuse(struct sim_framework *framework, const task_info_t *task,
                        Mesos__V1__TaskState state, Mesos__V1__TaskStatus__Reason reason,
                        const char *message)
{
    struct master_status status = {
        .task_id = task->task_id->value,
        .agent_id = task->agent_id->value,
        .state = state,
        .reason = (int)reason,
        .message = message,
    };

    core_status_send(framework, &status, NULL);
}

static void tasks_refuse(struct sim_framework *framework, const operation_t *operation,
                         Mesos__V1__TaskState state, Mesos__V1__TaskStatus__Reason reason,
                         const char *message)
{
    if (operation->has_type && operation->type == MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH &&
        operation->launch)
        for (size_t i = 0; i < operation->launch->n_task_infos; i++)
            task_refuse(framework, operation->launch->task_infos[i], state, reason, message);
    if (operation->has_type && operation->type == MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH_GROUP &&
        operation->launch_group)
        for (size_t i = 0; i < operation->launch_group->task_group->n_tasks; i++)
            task_refuse(framework, operation->launch_group->task_group->tasks[i], state, reason,
                        message);
}

/* ---- the offers ---- */

static char *duplicate_offers(const accept_t *accept)
{
    for (size_t i = 0; i < accept->n_offer_ids; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(accept->offer_ids[i]->value, accept->offer_ids[j]->value) == 0)
                return sim_text("Duplicate offer %s in offer list", accept->offer_ids[i]->value);
    return NULL;
}

static char *offers_invalid(struct sim_framework *framework, const accept_t *accept)
{
    const struct sim_offer *first = NULL;
    char *text;

    if (!accept->n_offer_ids)
        return sim_dup("No offers specified");
    if ((text = duplicate_offers(accept)))
        return text;
    for (size_t i = 0; i < accept->n_offer_ids; i++) {
        const char *id = accept->offer_ids[i]->value;
        const struct sim_offer *offer = core_offer_find(framework->sim, id);

        if (!offer)
            return sim_text("Offer %s is no longer valid", id);
        if (offer->framework != framework)
            return sim_text("Offer %s has invalid framework %s while framework %s is expected", id,
                            offer->framework->id, framework->id);
    }
    for (size_t i = 0; i < accept->n_offer_ids; i++) {
        const struct sim_offer *offer =
            core_offer_find(framework->sim, accept->offer_ids[i]->value);

        if (!first)
            first = offer;
        if (strcmp(offer->role, first->role))
            return sim_text(
                "Aggregated offers must be allocated to the same role. Offer %s uses role '%s but "
                "another is using role '%s",
                accept->offer_ids[i]->value, offer->role, first->role);
    }
    for (size_t i = 0; i < accept->n_offer_ids; i++) {
        const struct sim_offer *offer =
            core_offer_find(framework->sim, accept->offer_ids[i]->value);

        if (offer->agent != first->agent)
            return sim_text("Aggregated offers must belong to one single agent. Offer %s uses "
                            "agent %s and agent %s",
                            accept->offer_ids[i]->value, offer->agent->id, first->agent->id);
    }
    return NULL;
}

static void refuse_all(struct sim_framework *framework, const accept_t *accept, const char *why)
{
    char *task_text = sim_text("Task launched with invalid offers: %s", why);
    char *operation_text = sim_text("Operation attempted with invalid offers: %s", why);

    for (size_t i = 0; i < accept->n_offer_ids; i++) {
        struct sim_offer *offer = core_offer_find(framework->sim, accept->offer_ids[i]->value);

        if (offer && offer->framework == framework)
            core_offer_free(offer);
    }
    for (size_t i = 0; i < accept->n_operations; i++) {
        const operation_t *operation = accept->operations[i];

        tasks_refuse(framework, operation,
                     core_state_for(framework, MESOS__V1__TASK_STATE__TASK_DROPPED),
                     MESOS__V1__TASK_STATUS__REASON__REASON_INVALID_OFFERS, task_text);
        if (operation->has_type && operation->type != MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH &&
            operation->type != MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH_GROUP)
            core_operation_status(framework, operation, NULL,
                                  MESOS__V1__OPERATION_STATE__OPERATION_ERROR, operation_text);
    }
    free(task_text);
    free(operation_text);
}

/* ---- launching ---- */

static void resources_settle(resource_t **v, size_t n, const char *role)
{
    struct res list = {.v = v, .n = n};

    for (size_t i = 0; i < n; i++)
        core_res_upgrade(v[i]);
    core_res_allocate(&list, role);
}

/* The task as Mesos keeps it: resources in the new format and allocated to the offer's role, ids
 * filled in. */
static task_info_t *task_settle(const struct grant *grant, const task_info_t *from)
{
    task_info_t *task = sim_copy(from);

    resources_settle(task->resources, task->n_resources, grant->role);
    if (task->executor) {
        resources_settle(task->executor->resources, task->executor->n_resources, grant->role);
        if (!task->executor->framework_id)
            task->executor->framework_id = sim_copy(grant->framework->info->id);
    }
    if (task->health_check && !task->health_check->has_type &&
        (task->health_check->command || task->health_check->http)) {
        task->health_check->has_type = 1;
        task->health_check->type = task->health_check->command
                                       ? MESOS__V1__HEALTH_CHECK__TYPE__COMMAND
                                       : MESOS__V1__HEALTH_CHECK__TYPE__HTTP;
    }
    return task;
}

static void task_launch(struct grant *grant, const task_info_t *task)
{
    struct sim_framework *framework = grant->framework;
    struct host *host = core_agent_host(grant->agent);
    struct res need = {0};

    core_res_read(&need, task->resources, task->n_resources);
    core_res_subtract(&grant->left, &need);
    core_res_clear(&need);
    if (task->executor &&
        !core_agent_executor(grant->agent, framework->id, task->executor->executor_id->value)) {
        core_res_read(&need, task->executor->resources, task->executor->n_resources);
        core_res_subtract(&grant->left, &need);
        core_known_executor_add(grant->agent, framework, task->executor, &need);
        core_res_clear(&need);
    }
    core_task_new(framework, grant->agent, task,
                  task->executor ? task->executor->executor_id->value : "");
    if (host)
        core_host_launch(host, framework, task);
}

static char *launch_malformed(const operation_t *operation)
{
    char *text = NULL;

    for (size_t i = 0; i < operation->launch->n_task_infos && !text; i++) {
        const task_info_t *task = operation->launch->task_infos[i];

        text = core_resources_malformed(task->resources, task->n_resources);
        if (!text && task->executor)
            text = core_resources_malformed(task->executor->resources, task->executor->n_resources);
    }
    if (!text && operation->id)
        text = sim_dup("The `id` field cannot be set on LAUNCH operations");
    return text;
}

static void launch(struct grant *grant, const operation_t *operation)
{
    char *text;

    if (!operation->launch)
        return;
    text = launch_malformed(operation);
    if (text) {
        tasks_refuse(grant->framework, operation, MESOS__V1__TASK_STATE__TASK_ERROR,
                     MESOS__V1__TASK_STATUS__REASON__REASON_TASK_INVALID, text);
        free(text);
        return;
    }
    for (size_t i = 0; i < operation->launch->n_task_infos; i++) {
        task_info_t *task = task_settle(grant, operation->launch->task_infos[i]);

        text = core_task_invalid(grant, task);
        if (text)
            task_refuse(grant->framework, task, MESOS__V1__TASK_STATE__TASK_ERROR,
                        MESOS__V1__TASK_STATUS__REASON__REASON_TASK_INVALID, text);
        else
            task_launch(grant, task);
        free(text);
        sim_drop(task);
    }
}

/* No agent of this simulator has the default executor, so a group is always refused. */
static void launch_group(struct grant *grant, const operation_t *operation)
{
    const executor_info_t *executor =
        operation->launch_group ? operation->launch_group->executor : NULL;
    struct res resources = {0};
    char *text;

    if (!executor)
        return;
    core_res_read(&resources, executor->resources, executor->n_resources);
    if (!executor->has_type)
        text = sim_dup("'ExecutorInfo.type' must be set");
    else if (core_res_scalar(&resources, "cpus") < 10)
        text = sim_text("Executor '%s' uses less CPUs (%s) than the minimum required (0.01)",
                        executor->executor_id->value,
                        core_res_scalar(&resources, "cpus") ? "0" : "None");
    else if (core_res_scalar(&resources, "mem") < 32000)
        text = sim_text("Executor '%s' uses less memory (%s) than the minimum required (32MB)",
                        executor->executor_id->value,
                        core_res_scalar(&resources, "mem") ? "less" : "None");
    else if (!core_res_scalar(&resources, "disk"))
        text = sim_text("Executor '%s' uses no disk", executor->executor_id->value);
    else
        text = sim_dup("Task groups are not supported by this agent");
    core_res_clear(&resources);
    tasks_refuse(grant->framework, operation, MESOS__V1__TASK_STATE__TASK_ERROR,
                 MESOS__V1__TASK_STATUS__REASON__REASON_TASK_GROUP_INVALID, text);
    free(text);
}

void core_accept_offers(struct sim_framework *framework, const accept_t *accept)
{
    struct grant grant = {.framework = framework};
    char *role, *why = offers_invalid(framework, accept);

    if (why) {
        refuse_all(framework, accept, why);
        free(why);
        return;
    }
    grant.agent = core_offer_find(framework->sim, accept->offer_ids[0]->value)->agent;
    grant.role = role = sim_dup(core_offer_find(framework->sim, accept->offer_ids[0]->value)->role);
    for (size_t i = 0; i < accept->n_offer_ids; i++) {
        struct sim_offer *offer = core_offer_find(framework->sim, accept->offer_ids[i]->value);

        core_res_add_all(&grant.left, &offer->resources);
        core_offer_free(offer);
    }
    for (size_t i = 0; i < accept->n_operations; i++) {
        const operation_t *operation = accept->operations[i];

        if (!operation->has_type)
            continue; /* its tasks vanish without a word */
        if (operation->type == MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH)
            launch(&grant, operation);
        else if (operation->type == MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH_GROUP)
            launch_group(&grant, operation);
        else
            core_operation_do(&grant, operation);
    }
    core_filter_add(framework, grant.agent, grant.role, &grant.left,
                    core_refuse_ms(accept->filters));
    core_res_clear(&grant.left);
    free(role);
}
