/*
 * Launches: put together in one instant, one a host and role; then they wait until the record that
 * names their tasks is durable, and are given out. An offer that goes away meanwhile, or that would
 * be held too long, ends its launch before it was sent; the record is amended.
 */
#include <string.h>

#include "rooms.h"

static struct qm_job *job_new(struct qm_planner *p, struct qm_host *host)
{
    struct qm_job *job = qm_zalloc(p->allocator, sizeof(*job));

    if (!job) {
        qm_out_of_memory(p);
        return NULL;
    }
    qm_arena_init(&job->arena, p->allocator);
    job->host = host;
    job->agent = host->agent;
    job->agent->n_tasks++; /* keeps it while the launch waits */
    job->last = &job->tasks;
    job->made = p->now;
    return job;
}

static void job_free(struct qm_planner *p, struct qm_job *job)
{
    qm_arena_deinit(&job->arena);
    qm_free(p->allocator, job);
}

static bool name_offers(struct qm_job *job, const struct qm_offer_left *group)
{
    size_t n = 0;

    for (const struct qm_offer_left *o = group; o; o = o->next)
        n++;
    job->role = qm_arena_strdup(&job->arena, group->role);
    job->offer_ids = qm_arena_calloc(&job->arena, n, sizeof(*job->offer_ids));
    if (!job->role || !job->offer_ids)
        return false;
    for (const struct qm_offer_left *o = group; o && strcmp(o->role, group->role) == 0;
         o = o->next) {
        if (o->gone || o->foreign)
            continue;
        job->offer_ids[job->n_offer_ids] = qm_arena_strdup(&job->arena, o->id);
        if (!job->offer_ids[job->n_offer_ids++])
            return false;
    }
    return true;
}

/* The launch that takes from this group of offers, made at its first task. */
static struct qm_job *job_of(struct qm_planner *p, struct qm_host *host,
                             const struct qm_offer_left *group)
{
    struct qm_job **at = &host->jobs;

    for (; *at; at = &(*at)->next)
        if (strcmp((*at)->role, group->role) == 0)
            return *at;
    *at = job_new(p, host);
    if (*at && !name_offers(*at, group))
        qm_out_of_memory(p);
    return p->failed ? NULL : *at;
}

static void fill_task(struct qm_planner *p, struct qm_task *task, const struct qm_place *place,
                      const struct qm_job_task *job_task)
{
    const struct qm_task_template *t = job_task->template_;

    task->version = qm_intern(p, t->version);
    task->config_hash = p->services[place->service].config_hash;
    task->instance = place->instance;
    task->was_healthy = place->once_healthy;
    task->health_checked = t->health.enabled;
    task->n_ports = (uint8_t)job_task->n_ports;
    for (size_t i = 0; i < job_task->n_ports; i++)
        task->ports[i] = (uint16_t)job_task->ports[i].number;
}

/* A task that was decided before and lost its offer: its record may be durable already. */
static bool may_reuse(const struct qm_planner *p, const struct qm_task *task,
                      const struct qm_host *host, const char *version)
{
    return task && task->parked && task->agent == host->agent &&
           strcmp(task->version, version) == 0 &&
           task->config_hash == p->services[task->service].config_hash;
}

static bool same_ports(const struct qm_task *task, const struct qm_job_task *job_task)
{
    for (size_t i = 0; i < job_task->n_ports; i++)
        if (task->ports[i] != job_task->ports[i].number)
            return false;
    return task->n_ports == job_task->n_ports;
}

static struct qm_task *add_task(struct qm_planner *p, struct qm_host *host, struct qm_place *place,
                                bool surge, const char *version)
{
    const char *previous = place->task ? qm_version_before(place->task) : NULL;
    struct qm_task *task;
    char id[320];

    qm_task_new_id(p, host, place->service, id, sizeof(id));
    task = qm_task_add(p, host, host->agent, id, place->service);
    if (!task)
        return NULL;
    if (surge) {
        place->surge = task;
    } else {
        if (place->task)
            qm_task_remove(p, place->task);
        place->task = task;
    }
    task->previous = previous && previous != version ? previous : NULL;
    return task;
}

bool qm_launch(struct qm_planner *p, struct qm_host *host, struct qm_place *place, bool surge,
               const char *version, struct qm_reason *why)
{
    struct qm_offer_left *group = qm_fit(p, host, place->service, NULL, why);
    struct qm_job *job = group ? job_of(p, host, group) : NULL;
    struct qm_job_task *job_task = job ? qm_arena_calloc(&job->arena, 1, sizeof(*job_task)) : NULL;
    struct qm_task *task;

    if (!group)
        return false;
    if (!job_task || !qm_fit_take(p, group, place->service, &job->arena, job_task)) {
        qm_out_of_memory(p);
        return false;
    }
    job_task->template_ = qm_policy_template(p->policy, place->service, version);
    if (job_task->template_ && !surge && may_reuse(p, place->task, host, version))
        task = place->task;
    else
        task = job_task->template_ ? add_task(p, host, place, surge, qm_intern(p, version)) : NULL;
    if (!task) {
        qm_out_of_memory(p);
        return false;
    }
    if (!task->parked || !same_ports(task, job_task))
        qm_host_record_changed(p, host);
    task->parked = false;
    task->prodded = 0;
    fill_task(p, task, place, job_task);
    job_task->task = task;
    *job->last = job_task;
    job->last = &job_task->next;
    job->n_tasks++;
    place->why = QM_WHY_NOTHING;
    qm_trace(p, QM_TRACE_TASK, task->id, "", qm_task_stage_name(QM_STAGE_INTENT), "%s", version);
    return true;
}

static void append(struct qm_planner *p, struct qm_job *job)
{
    job->next = NULL;
    if (!p->jobs)
        p->jobs_last = &p->jobs;
    *p->jobs_last = job;
    p->jobs_last = &job->next;
    for (size_t i = 0; i < job->n_offer_ids; i++)
        if (qm_hashmap_put(&p->job_offers, job->offer_ids[i], job) < 0)
            qm_out_of_memory(p);
}

void qm_jobs_queue(struct qm_planner *p, struct qm_host *host)
{
    struct qm_job *next;

    for (struct qm_job *job = host->jobs; job; job = next) {
        next = job->next;
        append(p, job);
    }
    host->jobs = NULL;
    p->jobs_dirty = true;
}

static void forget_offers(struct qm_planner *p, struct qm_job *job)
{
    for (size_t i = 0; i < job->n_offer_ids; i++)
        if (job->offer_ids[i])
            qm_hashmap_remove(&p->job_offers, job->offer_ids[i]);
}

/* Alive until the next step: its action points into it. */
static void spend(struct qm_planner *p, struct qm_job *job)
{
    job->next = p->spent;
    p->spent = job;
    job->agent->n_tasks--;
    qm_agent_retire(p, job->agent);
}

static bool set_arrays(struct qm_job *job, struct qm_launch *launch)
{
    struct qm_task_launch *tasks = qm_arena_calloc(&job->arena, job->n_tasks, sizeof(*tasks));
    size_t n = 0;

    if (!tasks)
        return false;
    for (const struct qm_job_task *t = job->tasks; t; t = t->next)
        tasks[n++] = (struct qm_task_launch){
            .template_ = t->template_,
            .task_id = t->task->id,
            .executor_id = t->template_->is_executor ? qm_task_executor_id(t->task) : "",
            .hostname = job->host->name,
            .ports = t->ports,
            .n_ports = t->n_ports,
            .uses = t->uses,
            .n_uses = t->n_uses,
        };
    launch->tasks = tasks;
    launch->n_tasks = n;
    return true;
}

static void give_out(struct qm_planner *p, struct qm_job *job)
{
    struct qm_action *action = qm_emit(p, QM_RANK_LAUNCH, QM_ACTION_LAUNCH, job->host->name);
    bool more = job->host->wants || job->host->waits;

    forget_offers(p, job);
    if (!action || !set_arrays(job, &action->launch)) {
        qm_out_of_memory(p);
        return;
    }
    action->launch.agent_id = job->agent->id;
    action->launch.offer_ids = job->offer_ids;
    action->launch.n_offer_ids = job->n_offer_ids;
    action->launch.refuse =
        more || p->floating_wanted ? p->policy->decline_busy : p->policy->decline;
    if (!more && !p->floating_wanted) {
        job->host->filter_until = qm_later_by(p->now, p->policy->decline);
        job->host->filter_round = p->revive_round;
    }
    for (struct qm_job_task *t = job->tasks; t; t = t->next) {
        qm_task_enter(p, t->task, QM_STAGE_SAVED, "");
        qm_task_enter(p, t->task, QM_STAGE_SENT, "");
    }
}

/*
 * Never sent, so its tasks never were; what is left of its offers goes back. A task whose place is
 * still to be filled keeps its record for the next offer: else slow saves would never let it start.
 */
static void give_up(struct qm_planner *p, struct qm_task *task, bool keep, const char *cause)
{
    const struct qm_place *place = qm_place_of(p, task);

    if (!keep || !place || place->task != task || task->stop != QM_STOP_NONE) {
        qm_task_ended(p, task, false, cause);
        return;
    }
    task->parked = true;
    task->prodded = p->now;
    qm_trace(p, QM_TRACE_TASK, task->id, qm_task_stage_name(task->stage), "waits for an offer",
             "%s", cause);
    qm_host_touch(p, task->host);
}

static void drop(struct qm_planner *p, struct qm_job *job, bool keep, const char *cause)
{
    forget_offers(p, job);
    for (size_t i = 0; i < job->n_offer_ids; i++)
        if (job->offer_ids[i] && p->connected && !job->void_) {
            const char *id = qm_arena_strdup(&p->instant, job->offer_ids[i]);

            if (id)
                qm_decline(p, QM_DECLINE_NOW, id);
            else
                qm_out_of_memory(p);
        }
    for (struct qm_job_task *t = job->tasks; t; t = t->next)
        give_up(p, t->task, keep, cause);
}

/* Decided for a version that is not the one to start any more. */
static bool is_overtaken(struct qm_planner *p, const struct qm_job *job)
{
    for (const struct qm_job_task *t = job->tasks; t; t = t->next) {
        const struct qm_place *place = qm_place_of(p, t->task);

        if (place && place->task == t->task && t->task->service != QM_SERVICE_PROBER &&
            strcmp(t->task->version, qm_version_to_start(p, place)) != 0)
            return true;
    }
    return false;
}

static const char *must_be_dropped(struct qm_planner *p, const struct qm_job *job, bool *keep)
{
    *keep = false;
    if (job->host->rival || job->host->agent != job->agent)
        return "its agent changed";
    if (is_overtaken(p, job))
        return "another version is due";
    *keep = true;
    for (size_t i = 0; i < job->n_offer_ids; i++)
        if (!job->offer_ids[i])
            return "offer went away";
    if (p->now >= qm_later_by(job->made, p->policy->offer_hold))
        return "held too long for a save";
    return NULL;
}

/* Gives out what is durable, drops what came to nothing. */
void qm_jobs_release(struct qm_planner *p)
{
    struct qm_job **at = &p->jobs, *job;

    if (!p->jobs_dirty && p->now < qm_jobs_deadline(p))
        return;
    p->jobs_dirty = false;
    while ((job = *at) && !p->failed) {
        bool keep;
        const char *cause = must_be_dropped(p, job, &keep);

        if (!cause && !(qm_host_saved(p, job->host) && qm_order_saved(p))) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        if (cause)
            drop(p, job, keep, cause);
        else
            give_out(p, job);
        spend(p, job);
    }
    p->jobs_last = &p->jobs;
    while (*p->jobs_last)
        p->jobs_last = &(*p->jobs_last)->next;
}

static void drop_matching(struct qm_planner *p, const struct qm_host *host, bool services_only,
                          const char *cause)
{
    struct qm_job **at = &p->jobs, *job;

    while ((job = *at)) {
        bool prober_only = job->n_tasks == 1 && job->tasks->task->service == QM_SERVICE_PROBER;

        if ((host && job->host != host) || (services_only && prober_only)) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        drop(p, job, false, cause);
        spend(p, job);
    }
    p->jobs_last = at;
}

void qm_jobs_drop_host(struct qm_planner *p, struct qm_host *host, const char *cause)
{
    for (struct qm_job *job = p->jobs; job; job = job->next)
        if (job->host == host)
            job->void_ = true;
    drop_matching(p, host, false, cause);
}

void qm_jobs_drop_services(struct qm_planner *p, const char *cause)
{
    drop_matching(p, NULL, true, cause);
}

void qm_jobs_void(struct qm_planner *p, const char *cause)
{
    for (struct qm_job *job = p->jobs; job; job = job->next)
        job->void_ = true;
    drop_matching(p, NULL, false, cause);
}

bool qm_job_rescind(struct qm_planner *p, const char *offer_id)
{
    struct qm_job *job = p->jobs ? qm_hashmap_remove(&p->job_offers, offer_id) : NULL;

    if (!job)
        return false;
    for (size_t i = 0; i < job->n_offer_ids; i++)
        if (job->offer_ids[i] && strcmp(job->offer_ids[i], offer_id) == 0)
            job->offer_ids[i] = NULL;
    p->jobs_dirty = true;
    return true;
}

static void free_list(struct qm_planner *p, struct qm_job *job)
{
    struct qm_job *next;

    for (; job; job = next) {
        next = job->next;
        job_free(p, job);
    }
}

void qm_jobs_free_spent(struct qm_planner *p)
{
    free_list(p, p->spent);
    p->spent = NULL;
}

void qm_jobs_free(struct qm_planner *p)
{
    free_list(p, p->jobs);
    p->jobs = NULL;
    qm_jobs_free_spent(p);
}

qm_time qm_jobs_deadline(const struct qm_planner *p)
{
    return p->jobs ? qm_later_by(p->jobs->made, p->policy->offer_hold) : QM_TIME_NEVER;
}
