/* What the judge learns from facts. */
#include "judge_private.h"

#include <stdlib.h>
#include <string.h>

static size_t find_agent(struct judge *judge, const char *id)
{
    for (size_t i = 0; i < judge->n_agents; i++)
        if (strcmp(judge->agents[i].id, id) == 0)
            return i;
    if (judge->n_agents == AGENTS_MAX)
        abort();
    judge_copy(judge->agents[judge->n_agents].id, sizeof(judge->agents[0].id), id);
    return judge->n_agents++;
}

static void see_offer(struct judge *judge, const struct qm_offer *offer)
{
    size_t agent = find_agent(judge, offer->agent_id);

    judge_copy(judge->agents[agent].host, sizeof(judge->agents[agent].host), offer->hostname);
    if (judge->n_offers == OFFERS_MAX)
        abort();
    judge_copy(judge->offers[judge->n_offers].id, sizeof(judge->offers[0].id), offer->id);
    judge->offers[judge->n_offers++].since = judge->now;
}

bool judge_drop_offer(struct judge *judge, const char *id)
{
    for (size_t i = 0; i < judge->n_offers; i++) {
        if (strcmp(judge->offers[i].id, id) == 0) {
            judge->offers[i] = judge->offers[--judge->n_offers];
            return true;
        }
    }
    return false;
}

static void see_status(struct judge *judge, const struct qm_task_status *status)
{
    struct judged_task *task = judge_find_task(judge, status->task_id);
    bool up;

    if (status->has_uuid) {
        if (judge->n_acks == ACKS_MAX)
            abort();
        judge_copy(judge->acks[judge->n_acks].task, sizeof(judge->acks[0].task), status->task_id);
        memcpy(judge->acks[judge->n_acks++].uuid, status->uuid, 16);
    }
    if (!task)
        return;
    switch (status->state) {
    case QM_TASK_FINISHED:
    case QM_TASK_FAILED:
    case QM_TASK_KILLED:
    case QM_TASK_ERROR:
    case QM_TASK_DROPPED:
    case QM_TASK_GONE:
    case QM_TASK_GONE_BY_OPERATOR:
        task->live = task->running = task->healthy = false;
        return;
    case QM_TASK_UNREACHABLE:
    case QM_TASK_LOST:
    case QM_TASK_UNKNOWN:
        task->unreachable = true;
        task->running = task->healthy = false;
        return;
    default:
        break;
    }
    task->unreachable = false;
    task->began |= status->state == QM_TASK_STARTING || status->state == QM_TASK_RUNNING;
    task->running = status->state == QM_TASK_RUNNING;
    up = task->running && (task->checked ? status->has_healthy && status->healthy : true);
    if (up && !task->healthy)
        task->healthy_since = judge->now;
    task->healthy = up;
    task->was_healthy |= up;
}

static void see_found(struct judge *judge, const struct qm_task_found *found)
{
    struct judged_task *task = judge_find_task(judge, found->task_id);

    if (task || !found->exists)
        return;
    task = judge_add_task(judge, found->task_id);
    judge_copy(task->service, sizeof(task->service), found->service);
    judge_copy(task->host, sizeof(task->host), found->hostname);
    judge_copy(task->agent, sizeof(task->agent), found->agent_id);
    judge_copy(task->version, sizeof(task->version), found->version);
    task->floating = judge_is_floating(found->service);
    task->prober = strcmp(found->service, "prober") == 0;
    task->began = true;
    task->running = task->healthy = task->was_healthy = found->state == QM_TASK_RUNNING;
    task->healthy_since = judge->now;
}

static bool listens_to_any(const struct qm_probe_report *report, const struct judged_task *task)
{
    for (size_t i = 0; i < task->n_ports; i++)
        for (size_t k = 0; k < report->n_listening; k++)
            if (task->ports[i] == report->listening[k])
                return true;
    return false;
}

/* A report under a new agent id proves what became of the old agent's tasks. */
static void see_report(struct judge *judge, const struct qm_probe_report *report)
{
    size_t agent = find_agent(judge, report->agent_id);
    const char *host = judge->agents[agent].host;

    for (size_t i = 0; i < judge->n_tasks; i++) {
        struct judged_task *task = &judge->tasks[i];
        size_t old = find_agent(judge, task->agent);
        bool rebooted = report->boot_id[0] && judge->agents[old].boot_id[0] &&
                        strcmp(judge->agents[old].boot_id, report->boot_id) != 0;

        if (!task->live || strcmp(task->host, host) != 0 || old == agent)
            continue;
        if (rebooted || !listens_to_any(report, task))
            task->live = task->running = task->healthy = false;
    }
    judge_copy(judge->agents[agent].boot_id, sizeof(judge->agents[agent].boot_id), report->boot_id);
}

static void see_command(struct judge *judge, const struct qm_command *command)
{
    switch (command->type) {
    case QM_COMMAND_SET_TARGET:
    case QM_COMMAND_SHUT_DOWN:
        if (!judge->shut_down) /* a second order does not begin a new grace */
            judge->shut_down_at = judge->now;
        judge->shut_down = command->type == QM_COMMAND_SHUT_DOWN;
        judge_copy(judge->target, sizeof(judge->target), judge->shut_down ? "" : command->version);
        judge->ordered = judge->order_open = true;
        judge->order_revision = 0;
        judge->paused = false;
        break;
    case QM_COMMAND_PAUSE:
        judge->paused = true;
        break;
    case QM_COMMAND_RESUME:
        judge->paused = false;
        break;
    default: /* orders about steps and hosts are not judged yet */
        break;
    }
}

void judge_fact(struct judge *judge, const struct qm_fact *fact, int outcome)
{
    if (fact->time > judge->now)
        judge->now = fact->time;
    if (outcome != 0)
        return;
    switch (fact->type) {
    case QM_FACT_OFFER:
        see_offer(judge, &fact->offer);
        break;
    case QM_FACT_OFFER_RESCINDED:
        judge_drop_offer(judge, fact->offer_id);
        break;
    case QM_FACT_SUBSCRIBED:
    case QM_FACT_DISCONNECTED:
        judge->n_offers = judge->n_acks = 0;
        break;
    case QM_FACT_TASK_STATUS:
        see_status(judge, &fact->status);
        break;
    case QM_FACT_TASK_FOUND:
        see_found(judge, &fact->found);
        break;
    case QM_FACT_PROBE_REPORT:
        see_report(judge, &fact->probe);
        break;
    case QM_FACT_COMMAND:
        see_command(judge, &fact->command);
        break;
    case QM_FACT_STATE_SAVED:
        judge_end_saves(judge, fact->revision, true);
        break;
    case QM_FACT_SAVE_FAILED:
        judge_end_saves(judge, fact->revision, false);
        break;
    default:
        break;
    }
}
