/* The judge's picture of tasks: which live, which are available. */
#include "judge_private.h"

#include <stdlib.h>
#include <string.h>

void judge_copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

struct judged_task *judge_find_task(struct judge *judge, const char *id)
{
    for (size_t i = judge->n_tasks; i > 0; i--)
        if (strcmp(judge->tasks[i - 1].id, id) == 0)
            return &judge->tasks[i - 1];
    return NULL;
}

struct judged_task *judge_add_task(struct judge *judge, const char *id)
{
    struct judged_task *task = &judge->tasks[judge->n_tasks++];

    if (judge->n_tasks > TASKS_MAX)
        abort();
    judge_copy(task->id, sizeof(task->id), id);
    task->live = true;
    return task;
}

bool judge_is_floating(const char *service)
{
    return strcmp(service, "api") == 0 || strcmp(service, "webconsole") == 0 ||
           strcmp(service, "s3") == 0;
}

bool judge_is_available(const struct judge *judge, const struct judged_task *task)
{
    return task->live && !task->unreachable && task->running && task->healthy &&
           judge->now >= task->healthy_since + judge->rules.min_ready;
}

bool judge_same_place(const struct judged_task *a, const struct judged_task *b)
{
    return strcmp(a->service, b->service) == 0 && strcmp(a->host, b->host) == 0;
}

/* Places of this service, other than the task's own, that were healthy once and are not available.
 */
unsigned judge_count_unavailable(const struct judge *judge, const struct judged_task *task)
{
    unsigned n = 0;

    for (size_t i = 0; i < judge->n_tasks; i++) {
        const struct judged_task *other = &judge->tasks[i];
        bool counted = strcmp(other->service, task->service) == 0 &&
                       !judge_same_place(other, task) && other->was_healthy;

        for (size_t k = 0; counted && k < judge->n_tasks; k++) {
            const struct judged_task *third = &judge->tasks[k];

            if (judge_same_place(third, other) && judge_is_available(judge, third))
                counted = false; /* its place has an available task */
            if (k < i && third->was_healthy && judge_same_place(third, other))
                counted = false; /* this place was looked at */
        }
        n += counted;
    }
    return n;
}

unsigned judge_count_available(const struct judge *judge, const char *service)
{
    unsigned n = 0;

    for (size_t i = 0; i < judge->n_tasks; i++)
        n += strcmp(judge->tasks[i].service, service) == 0 &&
             judge_is_available(judge, &judge->tasks[i]);
    return n;
}

unsigned judge_count_once_healthy(const struct judge *judge, const char *service)
{
    unsigned n = 0;

    for (size_t i = 0; i < judge->n_tasks; i++) {
        const struct judged_task *task = &judge->tasks[i];
        bool first = task->was_healthy && strcmp(task->service, service) == 0;

        for (size_t k = 0; first && k < i; k++)
            first = !(judge->tasks[k].was_healthy && judge_same_place(&judge->tasks[k], task));
        n += first;
    }
    return n;
}

unsigned judge_launches(const struct judge *judge, const char *service, const char *host)
{
    unsigned n = 0;

    for (size_t i = 0; i < judge->n_tasks; i++)
        n += strcmp(judge->tasks[i].service, service) == 0 &&
             (!host || strcmp(judge->tasks[i].host, host) == 0);
    return n;
}
