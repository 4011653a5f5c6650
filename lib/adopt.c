/*
 * Live tasks of our framework that no record names: left by an older state, or by the old
 * framework. The master is asked what each is. In an empty place it is adopted; in a taken one it
 * is surplus. Where several places contradict the records, the records are taken for old ones and
 * nothing moves until the operator chooses. Tasks of another deployment are left alone.
 */
#include <string.h>

#include "rooms.h"

#define ASK_AGAIN QM_SECONDS(10)
#define OLD_STATE 2 /* contradicting places */

static struct qm_stranger *find(const struct qm_planner *p, const char *id)
{
    return p->strangers ? qm_hashmap_get(&p->stranger_map, id) : NULL;
}

static void free_stranger(struct qm_planner *p, struct qm_stranger *s)
{
    qm_free(p->allocator, s->executor_id);
    qm_free(p->allocator, s->hostname);
    qm_bury(p, s->agent_id);
    qm_bury(p, s);
}

/* What waited for its answer may go on. */
static void release_host(struct qm_planner *p, const struct qm_stranger *s)
{
    struct qm_agent *agent = qm_agent_find(p, s->agent_id);

    if (agent)
        qm_host_touch(p, agent->host);
    p->floating_look = true;
}

void qm_strangers_forget(struct qm_planner *p, const char *id)
{
    struct qm_stranger *s = find(p, id), **at = &p->strangers;

    if (!s)
        return;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    release_host(p, s);
    qm_hashmap_remove(&p->stranger_map, id);
    free_stranger(p, s);
}

void qm_strangers_free(struct qm_planner *p)
{
    while (p->strangers) {
        struct qm_stranger *s = p->strangers;

        p->strangers = s->next;
        free_stranger(p, s);
    }
}

static struct qm_stranger *add(struct qm_planner *p, const struct qm_task_status *status)
{
    size_t length = strlen(status->task_id) + 1;
    struct qm_stranger *s = qm_zalloc(p->allocator, sizeof(*s) + length), **at = &p->strangers;

    if (s) {
        memcpy(s->id, status->task_id, length);
        s->agent_id = qm_strdup(p->allocator, status->agent_id);
    }
    if (!s || !s->agent_id || qm_hashmap_put(&p->stranger_map, s->id, s) < 0) {
        if (s)
            qm_free(p->allocator, s->agent_id);
        qm_free(p->allocator, s);
        qm_out_of_memory(p);
        return NULL;
    }
    while (*at && strcmp((*at)->id, s->id) < 0)
        at = &(*at)->next;
    s->next = *at;
    *at = s;
    return s;
}

void qm_strangers_note(struct qm_planner *p, const struct qm_task_status *status)
{
    struct qm_stranger *s = find(p, status->task_id);

    if (!s)
        s = add(p, status);
    if (!s)
        return;
    s->state = status->state;
    s->healthy = status->has_healthy ? status->healthy : status->state == QM_TASK_RUNNING;
}

static bool copy(struct qm_planner *p, char **to, const char *text)
{
    *to = qm_strdup(p->allocator, text ? text : "");
    if (!*to)
        qm_out_of_memory(p);
    return *to != NULL;
}

int qm_fact_found(struct qm_planner *p, const struct qm_task_found *found)
{
    struct qm_stranger *s;

    if (!found->task_id || !found->task_id[0])
        return QM_E_INVALID;
    s = find(p, found->task_id);
    if (!s)
        return QM_E_UNKNOWN;
    if (!found->exists) {
        qm_strangers_forget(p, found->task_id);
        return 0;
    }
    if (s->described)
        return 0;
    s->described = true;
    s->service = found->service ? qm_policy_find_service(p->policy, found->service) : SIZE_MAX;
    s->ours = s->service != SIZE_MAX && found->hostname && found->hostname[0] &&
              (!found->deployment || !found->deployment[0] ||
               strcmp(found->deployment, p->policy->deployment) == 0);
    s->version =
        qm_intern(p, found->version && qm_version_is_valid(found->version) ? found->version : "");
    copy(p, &s->hostname, found->hostname);
    copy(p, &s->executor_id, found->executor_id);
    release_host(p, s);
    if (!s->ours)
        qm_trace(p, QM_TRACE_STATE, s->id, "unknown", "left alone", "not of this deployment");
    return 0;
}

static struct qm_place *free_instance(struct qm_planner *p, size_t service)
{
    struct qm_service_state *s = &p->services[service];

    for (size_t i = 0; i < s->n_places; i++)
        if (!s->places[i].task)
            return &s->places[i];
    for (size_t i = 0; i < s->n_places; i++)
        if (s->places[i].task->stage == QM_STAGE_DEAD)
            return &s->places[i];
    return NULL;
}

static struct qm_place *place_for(struct qm_planner *p, struct qm_host *host, size_t service)
{
    if (p->policy->services[service].binding == QM_FLOATING)
        return free_instance(p, service);
    return qm_place_get(p, host, service);
}

static void take(struct qm_planner *p, struct qm_stranger *s, struct qm_host *host,
                 struct qm_agent *agent, struct qm_place *place)
{
    struct qm_task_status status = {.task_id = s->id,
                                    .state = s->state,
                                    .message = "",
                                    .has_healthy = s->state == QM_TASK_RUNNING,
                                    .healthy = s->healthy};
    bool adopted = place && (!place->task || place->task->stage == QM_STAGE_DEAD);
    struct qm_task *task;

    if (adopted && place->task)
        qm_task_remove(p, place->task);
    task = qm_task_add(p, host, agent, s->id, s->service);
    if (!task)
        return;
    task->version = s->version;
    /* Nobody knows its configuration; the next version replaces it anyway, a restart never. */
    task->config_hash = p->services[s->service].config_hash;
    qm_task_set_executor(p, task, s->executor_id);
    if (adopted) {
        qm_task_adopt(p, task, place);
    } else {
        task->surplus = true;
        p->n_surplus++;
    }
    qm_agent_heard(p, agent);
    task->stage = QM_STAGE_SENT;
    qm_task_status(p, task, &status);
    task->health_checked = false; /* until its health is told */
    qm_host_record_changed(p, host);
    qm_trace(p, QM_TRACE_STATE, s->id, "unknown", adopted ? "adopted" : "surplus", "%s on %s",
             s->version, host->name);
}

/* Its record names another task: one that answered that it is gone, or that has not answered. */
static bool contradicts(const struct qm_stranger *s, const struct qm_place *place)
{
    return place && place->task && place->task->service == s->service &&
           s->service != QM_SERVICE_PROBER;
}

static void settle(struct qm_planner *p, struct qm_stranger *s)
{
    struct qm_host *host = qm_host_get(p, s->hostname);
    struct qm_agent *agent = host ? qm_agent_get(p, s->agent_id, host) : NULL;
    struct qm_place *place = agent ? place_for(p, agent->host, s->service) : NULL;

    if (agent)
        take(p, s, agent->host, agent, place);
}

static void describe(struct qm_planner *p, struct qm_stranger *s)
{
    struct qm_action *action = qm_emit(p, QM_RANK_DESCRIBE, QM_ACTION_DESCRIBE_TASK, s->id);

    s->asked = true;
    s->asked_at = p->now;
    if (!action)
        return;
    action->describe.task_id = s->id;
    action->describe.agent_id = s->agent_id;
}

/* Places whose record and reality differ; counted only while the first picture forms. */
static size_t count_contradictions(struct qm_planner *p)
{
    size_t n = 0;

    for (struct qm_stranger *s = p->strangers; s; s = s->next) {
        struct qm_host *host = s->described && s->ours ? qm_host_find(p, s->hostname) : NULL;

        n += host && p->policy->services[s->service].binding != QM_FLOATING &&
             contradicts(s, qm_place_find(host, s->service));
    }
    return n;
}

static bool is_settled(const struct qm_planner *p)
{
    if (p->n_unanswered > 0)
        return false;
    for (const struct qm_stranger *s = p->strangers; s; s = s->next)
        if (!s->described)
            return false;
    return true;
}

static bool may_settle(struct qm_planner *p, const struct qm_stranger *s, bool settled)
{
    struct qm_host *host;

    if (!s->described || !s->ours)
        return false;
    if (settled)
        return true;
    host = qm_host_find(p, s->hostname);
    return !host || !contradicts(s, qm_place_find(host, s->service));
}

void qm_strangers_settle(struct qm_planner *p)
{
    struct qm_stranger *next;
    bool settled;

    if (!p->strangers || !p->connected)
        return;
    for (struct qm_stranger *s = p->strangers; s; s = s->next)
        if (!s->described && (!s->asked || p->now >= qm_later_by(s->asked_at, ASK_AGAIN)))
            describe(p, s);
    settled = is_settled(p);
    if (settled && !p->old_state_accepted && !p->old_state) {
        p->n_disagree = count_contradictions(p);
        p->old_state = p->n_disagree >= OLD_STATE;
        if (p->old_state) {
            qm_trace(p, QM_TRACE_STATE, "records", "", "old", "%zu places disagree", p->n_disagree);
            qm_plan_touch_all(p);
        }
    }
    for (struct qm_stranger *s = p->strangers; s && !p->old_state && !p->failed; s = next) {
        next = s->next;
        if (!may_settle(p, s, settled))
            continue;
        settle(p, s);
        qm_strangers_forget(p, s->id);
    }
}

bool qm_strangers_at(const struct qm_planner *p, const struct qm_host *host, size_t service)
{
    for (const struct qm_stranger *s = p->strangers; s; s = s->next) {
        const struct qm_agent *agent = qm_agent_find(p, s->agent_id);

        if (s->described && (!s->ours || s->service != service))
            continue;
        if (!host || !agent || agent->host == host)
            return true;
    }
    return false;
}

qm_time qm_strangers_deadline(const struct qm_planner *p)
{
    qm_time at = QM_TIME_NEVER;

    for (const struct qm_stranger *s = p->connected ? p->strangers : NULL; s; s = s->next)
        if (!s->described)
            at = qm_earlier(at, s->asked ? qm_later_by(s->asked_at, ASK_AGAIN) : p->now);
    return at;
}
