/* Tasks: the table by id, ids for new ones, and their seat on a host. */
#include <stdio.h>
#include <string.h>

#include "rooms.h"
#include "text.h"

struct qm_task *qm_task_find(const struct qm_planner *p, const char *id)
{
    return qm_hashmap_get(&p->task_map, id);
}

static bool goes_before(const struct qm_task *a, const struct qm_task *b)
{
    if (a->service != b->service)
        return a->service < b->service;
    return strcmp(a->id, b->id) < 0;
}

struct qm_task *qm_task_add(struct qm_planner *p, struct qm_host *host, struct qm_agent *agent,
                            const char *id, size_t service)
{
    size_t length = strlen(id) + 1;
    struct qm_task *task = qm_zalloc(p->allocator, sizeof(*task) + length), **at = &host->tasks;

    if (!task || (memcpy(task->id, id, length), qm_hashmap_put(&p->task_map, task->id, task)) < 0) {
        qm_free(p->allocator, task);
        qm_out_of_memory(p);
        return NULL;
    }
    task->host = host;
    task->agent = agent;
    task->service = (uint8_t)service;
    task->since = p->now;
    task->healthy_since = QM_TIME_NEVER;
    task->version = "";
    task->stage = QM_STAGE_INTENT;
    task->state = QM_TASK_STAGING;
    agent->n_tasks++;
    while (*at && goes_before(*at, task))
        at = &(*at)->next;
    task->next = *at;
    *at = task;
    return task;
}

static void free_extra(struct qm_planner *p, struct qm_task_extra *extra)
{
    if (!extra)
        return;
    qm_free(p->allocator, extra->message);
    qm_bury(p, extra->executor_id);
    qm_free(p->allocator, extra->unknown);
    qm_free(p->allocator, extra);
}

void qm_task_remove(struct qm_planner *p, struct qm_task *task)
{
    struct qm_task **at = &task->host->tasks;
    struct qm_place *place = qm_place_of(p, task);
    struct qm_agent *agent = task->agent;

    if (place && place->task == task)
        place->task = NULL;
    if (place && place->surge == task)
        place->surge = NULL;
    if (task->stage == QM_STAGE_UNANSWERED)
        p->n_unanswered--;
    if (task->surplus && task->stage != QM_STAGE_DEAD)
        p->n_surplus--;
    while (*at != task)
        at = &(*at)->next;
    *at = task->next;
    qm_hashmap_remove(&p->task_map, task->id);
    agent->n_tasks--;
    qm_host_record_changed(p, task->host);
    qm_host_touch(p, task->host);
    p->floating_look |= p->services[task->service].n_places > 0;
    free_extra(p, task->extra);
    qm_bury(p, task);
    qm_agent_retire(p, agent);
}

struct qm_task_extra *qm_task_extra(struct qm_planner *p, struct qm_task *task)
{
    if (!task->extra) {
        task->extra = qm_zalloc(p->allocator, sizeof(*task->extra));
        if (!task->extra)
            qm_out_of_memory(p);
    }
    return task->extra;
}

void qm_task_set_executor(struct qm_planner *p, struct qm_task *task, const char *executor_id)
{
    struct qm_task_extra *extra;

    if (!executor_id || !executor_id[0] || strcmp(executor_id, task->id) == 0)
        return;
    extra = qm_task_extra(p, task);
    if (!extra)
        return;
    qm_bury(p, extra->executor_id);
    extra->executor_id = qm_strdup(p->allocator, executor_id);
    if (!extra->executor_id)
        qm_out_of_memory(p);
}

/* A prober's executor is named like its task: both are fresh for each launch. */
const char *qm_task_executor_id(const struct qm_task *task)
{
    return task->extra && task->extra->executor_id ? task->extra->executor_id : task->id;
}

/*
 * <service>.<host, cut to 180 bytes>.<epoch>-<n>. Mesos: an id becomes a directory name and a part
 * of URLs; what could not stand there is replaced.
 */
void qm_task_new_id(struct qm_planner *p, const struct qm_host *host, size_t service, char *buffer,
                    size_t size)
{
    char name[181];
    size_t n = qm_clip(host->name, sizeof(name) - 1);

    for (size_t i = 0; i < n; i++) {
        char c = host->name[i];

        name[i] = qm_is_alnum(c) || c == '.' || c == '-' || c == '_' ? c : '_';
    }
    name[n] = '\0';
    snprintf(buffer, size, "%.60s.%s.%llu-%llu", p->policy->services[service].name, name,
             (unsigned long long)p->epoch, (unsigned long long)++p->next_task);
}
