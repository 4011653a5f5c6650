/*
 * The planner's doors: facts in, actions out. Everything else stands in the rooms behind them; see
 * rooms.h for who does what.
 */
#include <errno.h>
#include <string.h>

#include "record.h"
#include "rooms.h"

void qm_out_of_memory(struct qm_planner *p)
{
    p->failed = -ENOMEM;
}

void qm_bury(struct qm_planner *p, void *block)
{
    if (!block)
        return;
    if (!qm_grow(p->allocator, &p->graves, &p->graves_capacity, p->n_graves + 1,
                 sizeof(*p->graves))) {
        qm_out_of_memory(p);
        qm_free(p->allocator, block);
        return;
    }
    p->graves[p->n_graves++] = block;
}

const char *qm_intern(struct qm_planner *p, const char *version)
{
    char *copy;

    if (!version[0])
        return "";
    copy = qm_hashmap_get(&p->version_map, version);
    if (copy)
        return copy;
    copy = qm_strdup(p->allocator, version);
    if (!copy || qm_hashmap_put(&p->version_map, copy, copy) < 0 ||
        !qm_grow(p->allocator, &p->versions, &p->versions_capacity, p->n_versions + 1,
                 sizeof(*p->versions))) {
        if (copy)
            qm_hashmap_remove(&p->version_map, copy);
        qm_free(p->allocator, copy);
        qm_out_of_memory(p);
        return "";
    }
    p->versions[p->n_versions++] = copy;
    return copy;
}

size_t qm_clip(const char *text, size_t max)
{
    size_t n = strnlen(text, max + 1);

    if (n <= max)
        return n;
    for (n = max; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
        ;
    return n;
}

static void init(struct qm_planner *p, const struct qm_allocator *allocator, qm_time now)
{
    struct qm_hashmap *maps[] = {&p->host_map,   &p->agent_map,   &p->task_map,     &p->domain_map,
                                 &p->device_map, &p->version_map, &p->stranger_map, &p->job_offers};

    p->allocator = allocator;
    p->now = now;
    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
        qm_hashmap_init(maps[i], allocator);
    qm_arena_init(&p->instant, allocator);
    qm_arena_init(&p->scratch, allocator);
    p->hosts_sorted = true;
    p->target.version = p->completed.version = p->plan.reached = p->moved = "";
    p->paused_until = QM_TIME_NEVER;
    p->shutdown_at = QM_TIME_NEVER;
    p->save_retry_at = QM_TIME_NEVER;
    p->save_wanted_at = QM_TIME_NEVER;
    p->plan.completed = QM_TIME_NEVER;
    p->rules.due = QM_TIME_NEVER;
    qm_rules_init(p);
    p->connected_since = now;
    p->revive_filled = now;
}

static bool init_services(struct qm_planner *p)
{
    p->n_services = p->policy->n_services;
    p->revive_tokens = p->policy->revive_burst;
    p->services[p->n_services].policy = &p->policy->services[p->n_services];
    p->services[p->n_services].phase = QM_NO_PHASE;
    for (size_t i = 0; i < p->n_services; i++) {
        const struct qm_service_policy *policy = &p->policy->services[i];
        struct qm_service_state *s = &p->services[i];

        s->policy = policy;
        s->config_hash = qm_policy_config_hash(p->policy, i);
        s->phase = QM_NO_PHASE;
        s->storage = policy->binding == QM_BOUND_TO_DEVICE;
        s->n_places = policy->binding == QM_FLOATING && policy->enabled ? policy->instances : 0;
        if (s->n_places == 0)
            continue;
        s->places = qm_calloc(p->allocator, s->n_places, sizeof(*s->places));
        if (!s->places)
            return false;
        for (size_t k = 0; k < s->n_places; k++) {
            s->places[k].service = (uint8_t)i;
            s->places[k].instance = (uint16_t)(k + 1);
        }
    }
    return true;
}

/* A step was under way: the one at the target is the successor, whichever was read first. */
static void seat_successor(struct qm_planner *p, struct qm_place *place, struct qm_task *task)
{
    if (place->task->version == p->target.version) {
        place->surge = place->task;
        qm_task_adopt(p, task, place);
    } else {
        place->surge = task;
    }
}

/* Gives restored tasks their places, living ones first; what has none is surplus. */
static void seat(struct qm_planner *p, bool dead)
{
    struct qm_host **hosts = qm_host_list(p);

    for (size_t i = 0; i < p->n_hosts; i++)
        for (struct qm_task *task = hosts[i]->tasks; task && !p->failed; task = task->next) {
            bool floating = p->policy->services[task->service].binding == QM_FLOATING;
            struct qm_place *place;

            if ((task->stage == QM_STAGE_DEAD) != dead || task->surplus)
                continue;
            place = floating ? qm_place_of(p, task) : qm_place_get(p, hosts[i], task->service);
            if (place && !place->task) {
                qm_task_adopt(p, task, place);
            } else if (place && !dead && !place->surge && floating) {
                seat_successor(p, place, task);
            } else {
                task->surplus = true;
                p->n_surplus += !dead;
                qm_host_record_changed(p, hosts[i]);
            }
        }
}

static bool any_outdated(const struct qm_planner *p)
{
    for (size_t i = 0; i < p->n_hosts; i++)
        for (const struct qm_task *t = p->hosts[i]->tasks; t; t = t->next)
            if (qm_stage_live(t->stage) && qm_task_outdated(p, t))
                return true;
    return false;
}

/* What the configuration says now against what the target was ordered with. */
static enum qm_plan_kind compare_configuration(struct qm_planner *p)
{
    uint64_t hash = qm_overall_hash(p);
    bool reached = p->completed.set && p->completed.version == p->target.version;

    if (!p->target.set || !p->target.version[0] || p->target.config_hash == hash)
        return p->plan.kind;
    if (!reached || !any_outdated(p)) {
        p->target.config_hash = hash;
        if (reached)
            p->completed.config_hash = hash;
        qm_framework_changed(p);
        return p->plan.kind;
    }
    p->plan.config_waits = p->policy->config_change_waits;
    if (!p->plan.config_waits)
        p->target.config_hash = hash;
    return QM_PLAN_CONFIG;
}

static void restore(struct qm_planner *p)
{
    enum qm_plan_kind kind;

    seat(p, false);
    seat(p, true);
    kind = compare_configuration(p);
    if (kind == QM_PLAN_CONFIG && p->plan.kind != QM_PLAN_CONFIG)
        qm_plan_begin(p, kind);
    else
        qm_plan_restore(p, kind);
    qm_moved_restore(p);
    p->may_have_strangers = p->framework_id != NULL;
    p->epoch++;
    qm_order_changed(p);
}

static int start(struct qm_planner *p, const struct qm_config *config,
                 const struct qm_record *records, size_t n_records, struct qm_error *error)
{
    int result = qm_policy_new(&p->policy, config, p->allocator, error);

    if (result != 0)
        return result;
    if (!init_services(p))
        return -ENOMEM;
    for (size_t i = 0; i < n_records; i++) {
        result = qm_record_read(p, &records[i], error);
        if (result != 0)
            return result;
    }
    restore(p);
    return p->failed;
}

int qm_planner_new(struct qm_planner **planner, const struct qm_config *config,
                   const struct qm_record *records, size_t n_records,
                   const struct qm_allocator *allocator, qm_time now, struct qm_error *error)
{
    struct qm_planner *p;
    int result;

    *planner = NULL;
    if (now == QM_TIME_NEVER)
        return QM_E_INVALID;
    p = qm_zalloc(allocator, sizeof(*p));
    if (!p)
        return -ENOMEM;
    init(p, allocator, now);
    result = start(p, config, records, n_records, error);
    if (result != 0)
        p = qm_planner_free(p);
    *planner = p;
    return result;
}

static void free_hosts(struct qm_planner *p)
{
    for (size_t i = 0; i < p->n_hosts; i++) {
        struct qm_host *host = p->hosts[i];

        while (host->tasks)
            qm_task_remove(p, host->tasks);
        while (host->jobs) {
            struct qm_job *job = host->jobs;

            host->jobs = job->next;
            job->next = p->spent;
            p->spent = job;
        }
        for (struct qm_agent *agent = host->agents, *next; agent; agent = next) {
            next = agent->next;
            qm_bury(p, agent);
        }
        host->agents = NULL;
        host->agent = host->rival = NULL;
        qm_host_free(p, host);
    }
    p->n_hosts = 0;
}

static void free_arrays(struct qm_planner *p)
{
    void *arrays[] = {p->hosts,    p->dirty,  p->heap,         p->unsaved,   p->saving,
                      p->versions, p->graves, p->framework_id, p->master_id, p->framework_unknown,
                      p->ordered};

    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        qm_free(p->allocator, arrays[i]);
    for (int how = 0; how < QM_DECLINES; how++)
        qm_free(p->allocator, p->declines[how].ids);
    for (size_t i = 0; i < p->n_services; i++)
        qm_free(p->allocator, p->services[i].places);
}

static void free_maps(struct qm_planner *p)
{
    struct qm_hashmap *maps[] = {&p->host_map,   &p->agent_map,   &p->task_map,     &p->domain_map,
                                 &p->device_map, &p->version_map, &p->stranger_map, &p->job_offers};

    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
        qm_hashmap_deinit(maps[i]);
}

struct qm_planner *qm_planner_free(struct qm_planner *p)
{
    if (!p)
        return NULL;
    p->trace = NULL;
    qm_plan_free(p);
    qm_rules_free(p);
    qm_strangers_free(p);
    free_hosts(p);
    qm_jobs_free(p);
    while (p->n_domains > 0)
        qm_free(p->allocator, p->domains[--p->n_domains]);
    qm_free(p->allocator, p->domains);
    while (p->n_versions > 0)
        qm_free(p->allocator, p->versions[--p->n_versions]);
    while (p->n_graves > 0)
        qm_free(p->allocator, p->graves[--p->n_graves]);
    free_arrays(p);
    free_maps(p);
    qm_arena_deinit(&p->instant);
    qm_arena_deinit(&p->scratch);
    qm_policy_free(p->policy);
    qm_free(p->allocator, p);
    return NULL;
}

static int absorb(struct qm_planner *p, const struct qm_fact *fact)
{
    switch (fact->type) {
    case QM_FACT_TIME:
        return 0;
    case QM_FACT_SUBSCRIBED:
        return qm_fact_subscribed(p, &fact->subscribed);
    case QM_FACT_DISCONNECTED:
        return qm_fact_disconnected(p);
    case QM_FACT_OFFER:
        return qm_fact_offer(p, &fact->offer);
    case QM_FACT_OFFER_RESCINDED:
        return qm_fact_rescinded(p, fact->offer_id);
    case QM_FACT_INVERSE_OFFER:
        return qm_fact_inverse_offer(p, &fact->inverse_offer);
    case QM_FACT_TASK_STATUS:
        return qm_fact_status(p, &fact->status);
    case QM_FACT_TASK_FOUND:
        return qm_fact_found(p, &fact->found);
    case QM_FACT_AGENT_LOST:
        return qm_fact_agent_lost(p, fact->lost.agent_id);
    case QM_FACT_EXECUTOR_LOST:
        return qm_fact_executor_lost(p, fact->lost.agent_id, fact->lost.executor_id);
    case QM_FACT_PROBE_REPORT:
        return qm_fact_probe(p, &fact->probe);
    case QM_FACT_COMMAND:
        return qm_fact_command(p, &fact->command);
    case QM_FACT_STATE_SAVED:
        return qm_fact_saved(p, fact->revision);
    case QM_FACT_SAVE_FAILED:
        return qm_fact_save_failed(p, fact->revision);
    }
    return QM_E_INVALID;
}

int qm_planner_step(struct qm_planner *p, const struct qm_fact *fact)
{
    int result;

    if (p->failed)
        return p->failed;
    if (fact->time == QM_TIME_NEVER)
        return QM_E_INVALID;
    if (p->drained)
        qm_actions_reset(p);
    if (fact->time > p->now)
        p->now = fact->time;
    p->decided = false;
    result = absorb(p, fact);
    return p->failed ? p->failed : result;
}

const struct qm_action *qm_planner_next_action(struct qm_planner *p)
{
    if (p->failed)
        return NULL;
    if (!p->decided) {
        p->decided = true;
        qm_decide(p);
        if (p->failed)
            return NULL;
    }
    return qm_actions_next(p);
}

int qm_planner_failed(const struct qm_planner *p)
{
    return p->failed;
}

qm_time qm_planner_now(const struct qm_planner *p)
{
    return p->now;
}

/* What is not in the save under way goes into the next one. */
uint64_t qm_planner_revision(const struct qm_planner *p)
{
    bool more = p->save_wanted_at == 0;

    return p->revision + (more ? 1 : 0);
}

uint64_t qm_planner_saved_revision(const struct qm_planner *p)
{
    return p->saved_revision;
}

const char *qm_planner_target(const struct qm_planner *p)
{
    return p->target.set ? p->target.version : "";
}

const char *qm_planner_framework_id(const struct qm_planner *p)
{
    return p->framework_id ? p->framework_id : "";
}
