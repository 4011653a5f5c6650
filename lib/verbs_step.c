/*
 * Orders about one step: retry, skip, restart, replace. What has to be stopped for one is stopped
 * under rule 5, when verbs_order.c finds that it may be.
 */
#include <stdlib.h>
#include <string.h>

#include "rooms.h"

static struct qm_place *instance_of(const struct qm_service_state *s, const char *text)
{
    char *end;
    unsigned long instance = strtoul(text, &end, 10);

    if (*end || text[0] < '1' || text[0] > '9' || instance > s->n_places)
        return NULL;
    return &s->places[instance - 1];
}

struct qm_place *qm_place_by_step(const struct qm_planner *p, const char *id)
{
    for (size_t i = 0; i < p->n_services; i++) {
        const char *name = p->policy->services[i].name;
        size_t length = strlen(name);
        struct qm_place *place = NULL;
        struct qm_host *host;

        if (strncmp(id, name, length) != 0 || id[length] != '.')
            continue;
        if (p->policy->services[i].binding == QM_FLOATING)
            place = instance_of(&p->services[i], id + length + 1);
        else if ((host = qm_host_find(p, id + length + 1)))
            place = qm_place_find(host, i);
        if (place)
            return place;
    }
    return NULL;
}

bool qm_skipped_in_plan(const struct qm_place *place)
{
    return place->skipped && !place->skipped_down;
}

static void changed(struct qm_planner *p, struct qm_place *place)
{
    if (place->host) {
        qm_host_record_changed(p, place->host);
        qm_host_touch(p, place->host);
    }
    qm_framework_changed(p);
    p->floating_look = true;
    p->plan.dirty = true;
}

static void end_skip(struct qm_planner *p, struct qm_place *place, const char *cause)
{
    char id[QM_SUBJECT_MAX];

    if (!place->skipped)
        return;
    place->skipped = place->skipped_down = false;
    qm_step_id(p, place, id, sizeof(id));
    qm_trace(p, QM_TRACE_COMMAND, id, "skipped", "", "%s", cause);
    changed(p, place);
}

void qm_skip_healthy(struct qm_planner *p, struct qm_place *place)
{
    if (place->skipped_down)
        end_skip(p, place, "healthy");
}

void qm_skips_end(struct qm_planner *p)
{
    for (size_t i = 0; i < p->n_services; i++)
        for (size_t k = 0; k < p->services[i].n_places; k++)
            if (qm_skipped_in_plan(&p->services[i].places[k]))
                end_skip(p, &p->services[i].places[k], "a new plan");
    for (size_t i = 0; i < p->n_hosts; i++)
        for (size_t k = 0; k < p->hosts[i]->n_places; k++)
            if (qm_skipped_in_plan(&p->hosts[i]->places[k]))
                end_skip(p, &p->hosts[i]->places[k], "a new plan");
}

static bool runs(const struct qm_place *place)
{
    return place->task && qm_stage_live(place->task->stage) && !place->task->parked;
}

static int retry(struct qm_planner *p, struct qm_place *place)
{
    qm_backoff_reset(place);
    end_skip(p, place, "retry");
    changed(p, place);
    qm_revive_want(p);
    return 0;
}

static int skip(struct qm_planner *p, struct qm_place *place, const char *id)
{
    bool healthy = runs(place) && place->task->stage == QM_STAGE_HEALTHY;

    if (place->service == QM_SERVICE_PROBER)
        return qm_refuse(p, QM_E_CONFLICT, "probers belong to no plan");
    if (healthy && !qm_place_outdated(p, place))
        return qm_refuse(p, QM_E_CONFLICT, "%.200s is healthy and up to date: nothing to skip", id);
    if (place->surge)
        return qm_refuse(p, QM_E_CONFLICT, "the successor of %.200s is starting already", id);
    place->skipped = true;
    place->skipped_down = !healthy;
    changed(p, place);
    qm_place_refresh(p, place);
    return 0;
}

static int restart(struct qm_planner *p, struct qm_place *place, const char *id)
{
    if (!runs(place) || place->task->stop != QM_STOP_NONE)
        return qm_refuse(p, QM_E_CONFLICT,
                         "%.200s does not run, or is being stopped already; retry ends a back-off",
                         id);
    place->task->restart = true;
    qm_host_record_changed(p, place->task->host);
    qm_host_touch(p, place->task->host);
    return 0;
}

static int replace(struct qm_planner *p, struct qm_place *place, const char *id)
{
    if (place->host)
        return qm_refuse(p, QM_E_CONFLICT,
                         "%.200s belongs to its host: move the device there is, or restart it", id);
    if (!runs(place) || place->task->stop != QM_STOP_NONE)
        return qm_refuse(p, QM_E_CONFLICT, "%.200s does not run: it may start on any host", id);
    place->task->replace = true;
    qm_host_record_changed(p, place->task->host);
    qm_host_touch(p, place->task->host);
    return 0;
}

int qm_step_verb(struct qm_planner *p, const struct qm_command *command)
{
    const char *id = command->subject ? command->subject : "";
    struct qm_place *place = qm_place_by_step(p, id);
    int result = 0;

    if (command->plan != 0 && command->plan != p->plan.number)
        return qm_refuse(p, QM_E_STALE, "that was plan %llu, now it is plan %llu",
                         (unsigned long long)command->plan, (unsigned long long)p->plan.number);
    if (!place)
        return qm_refuse(p, QM_E_UNKNOWN, "no such step: %.200s", id);
    if (p->plan.kind == QM_PLAN_SHUTDOWN)
        return qm_refuse(p, QM_E_CONFLICT, "everything is shut down");
    if (command->type == QM_COMMAND_STEP_RETRY)
        result = retry(p, place);
    else if (command->type == QM_COMMAND_STEP_SKIP)
        result = skip(p, place, id);
    else if (command->type == QM_COMMAND_STEP_RESTART)
        result = restart(p, place, id);
    else
        result = replace(p, place, id);
    if (result != 0 || p->failed)
        return result;
    qm_trace(p, QM_TRACE_COMMAND, id, "", qm_command_name(command->type), "%s", "");
    qm_event_note(p, command, id, false);
    p->plan.dirty = true;
    return 0;
}
