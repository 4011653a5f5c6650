/*
 * Mesos agents and the hosts that they are. A host is a host name; an agent id changes when the
 * agent loses its identity. Two connected agents of one name: nothing starts or stops there.
 */
#include <string.h>

#include "rooms.h"

struct qm_agent *qm_agent_find(const struct qm_planner *p, const char *id)
{
    return qm_hashmap_get(&p->agent_map, id);
}

struct qm_agent *qm_agent_get(struct qm_planner *p, const char *id, struct qm_host *host)
{
    struct qm_agent *agent = qm_agent_find(p, id);
    size_t length = strlen(id) + 1;

    if (agent)
        return agent;
    agent = qm_zalloc(p->allocator, sizeof(*agent) + length);
    if (!agent ||
        (memcpy(agent->id, id, length), qm_hashmap_put(&p->agent_map, agent->id, agent)) < 0) {
        qm_free(p->allocator, agent);
        qm_out_of_memory(p);
        return NULL;
    }
    agent->host = host;
    agent->next = host->agents;
    host->agents = agent;
    return agent;
}

void qm_agent_retire(struct qm_planner *p, struct qm_agent *agent)
{
    struct qm_agent **at = &agent->host->agents;

    if (agent->n_tasks > 0 || agent->host->agent == agent || agent->host->rival == agent)
        return;
    while (*at != agent)
        at = &(*at)->next;
    *at = agent->next;
    qm_hashmap_remove(&p->agent_map, agent->id);
    qm_bury(p, agent);
}

/* The host is another machine now, as far as we can know: learn everything again. */
static void becomes(struct qm_planner *p, struct qm_host *host, struct qm_agent *agent)
{
    struct qm_agent *old = host->agent;

    host->agent = agent;
    if (host->rival == agent)
        host->rival = NULL;
    if (old && old != agent) {
        host->reported = false;
        host->probed = 0;
        qm_trace(p, QM_TRACE_HOST, host->name, old->id, agent->id, "new agent id");
        qm_agent_retire(p, old);
    }
}

static void reset_backoff(struct qm_host *host)
{
    for (size_t i = 0; i < host->n_places; i++)
        qm_backoff_reset(&host->places[i]);
}

/* It is back: what became of the tasks that were out of reach? Only an explicit question tells. */
static void ask_after_unreachable(struct qm_planner *p, const struct qm_agent *agent)
{
    for (struct qm_task *task = agent->host->tasks; task; task = task->next)
        if (task->agent == agent && task->stage == QM_STAGE_UNREACHABLE)
            qm_reconcile_ask(p, task);
}

void qm_agent_heard(struct qm_planner *p, struct qm_agent *agent)
{
    struct qm_host *host = agent->host;
    bool was = agent->connected;

    agent->connected = true;
    if (host->agent == agent && was)
        return;
    if (host->agent == agent || !host->agent || !host->agent->connected) {
        if (!was)
            qm_trace(p, QM_TRACE_HOST, host->name, "", "connected", "%s", agent->id);
        becomes(p, host, agent);
        reset_backoff(host);
        qm_host_count_unreported(p, host);
        ask_after_unreachable(p, agent);
        qm_host_touch(p, host);
    } else if (host->rival != agent) {
        host->rival = agent;
        qm_trace(p, QM_TRACE_HOST, host->name, host->agent->id, agent->id, "two agents");
        /* Ask after the older one's tasks: the answer tells whether it still is there. */
        for (struct qm_task *task = host->tasks; task; task = task->next)
            if (task->agent == host->agent)
                qm_reconcile_ask(p, task);
        qm_host_touch(p, host);
    }
}

void qm_agent_lost(struct qm_planner *p, struct qm_agent *agent, const char *cause)
{
    struct qm_host *host = agent->host;

    if (!agent->connected)
        return;
    agent->connected = false;
    qm_trace(p, QM_TRACE_HOST, host->name, "connected", "lost", "%s", cause);
    if (host->rival == agent) {
        host->rival = NULL;
        qm_agent_retire(p, agent);
    } else if (host->agent == agent && host->rival) {
        becomes(p, host, host->rival);
        reset_backoff(host);
    } else if (host->agent != agent) {
        qm_agent_retire(p, agent); /* a third one of that name */
    }
    qm_host_count_unreported(p, host);
    qm_host_touch(p, host);
}
