/* The allocator: who is offered what, and the offers that are out. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

/* ---- single offers ---- */

struct sim_offer *core_offer_find(struct sim *sim, const char *id)
{
    struct sim_framework *framework;
    struct sim_offer *offer;

    EACH (framework, &sim->frameworks, next)
        EACH (offer, &framework->offers, next)
            if (strcmp(offer->message->id->value, id) == 0)
                return offer;
    return NULL;
}

void core_offer_free(struct sim_offer *offer)
{
    core_res_subtract(&offer->agent->offered, &offer->resources);
    core_res_subtract(&offer->framework->offered, &offer->resources);
    core_account(offer->framework, offer->role, &offer->resources, -1);
    TAILQ_REMOVE(&offer->framework->offers, offer, next);
    core_res_clear(&offer->resources);
    sim_drop(offer->message);
    free(offer->role);
    free(offer);
}

void core_offer_rescind(struct sim_offer *offer)
{
    event_t event = MESOS__V1__SCHEDULER__EVENT__INIT;
    Mesos__V1__Scheduler__Event__Rescind rescind = MESOS__V1__SCHEDULER__EVENT__RESCIND__INIT;

    event.has_type = 1;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__RESCIND;
    event.rescind = &rescind;
    rescind.offer_id = offer->message->id;
    core_framework_send(offer->framework, &event);
    core_offer_free(offer);
}

void core_offers_rescind_agent(struct sim_agent *agent)
{
    struct sim_framework *framework;
    struct sim_offer *offer, *next;

    EACH (framework, &agent->sim->frameworks, next)
        EACH_SAFE (offer, next, &framework->offers, next)
            if (offer->agent == agent)
                core_offer_rescind(offer);
}

static Mesos__V1__URL *agent_url(const struct sim_agent *agent)
{
    const struct host *host = &agent->sim->hosts[agent->index];
    Mesos__V1__URL url = MESOS__V1__URL__INIT;
    Mesos__V1__Address address = MESOS__V1__ADDRESS__INIT;

    address.hostname = host->hostname;
    address.ip = host->ip;
    address.port = host->port;
    url.scheme = (char *)"http";
    url.address = &address;
    url.path = (char *)"/slave(1)";
    return sim_copy(&url);
}

static void fill_resources(const struct sim_offer *offer, Mesos__V1__Offer *message)
{
    message->n_resources = offer->resources.n;
    message->resources = sim_zalloc(offer->resources.n * sizeof *message->resources);
    for (size_t i = 0; i < offer->resources.n; i++) {
        resource_t *copy = sim_copy(offer->resources.v[i]);

        if (!offer->framework->refinement)
            core_res_downgrade(copy);
        if (!offer->framework->multi_role) {
            sim_drop(copy->allocation_info);
            copy->allocation_info = NULL;
        }
        message->resources[i] = copy;
    }
}

static void fill_executors(const struct sim_offer *offer, Mesos__V1__Offer *message)
{
    struct known_executor *executor;

    EACH (executor, &offer->agent->executors, next) {
        if (strcmp(executor->framework_id, offer->framework->id))
            continue;
        message->executor_ids = sim_grow(message->executor_ids, message->n_executor_ids + 1,
                                         sizeof *message->executor_ids);
        message->executor_ids[message->n_executor_ids++] = sim_copy(executor->info->executor_id);
    }
}

static void fill_unavailability(const struct sim_agent *agent, Mesos__V1__Offer *message)
{
    Mesos__V1__Unavailability unavailability = MESOS__V1__UNAVAILABILITY__INIT;
    Mesos__V1__TimeInfo start = MESOS__V1__TIME_INFO__INIT;
    Mesos__V1__DurationInfo duration = MESOS__V1__DURATION_INFO__INIT;

    if (!agent->maintenance_start_ms)
        return;
    start.nanoseconds = agent->maintenance_start_ms * 1000000;
    duration.nanoseconds = agent->maintenance_ms * 1000000;
    unavailability.start = &start;
    if (agent->maintenance_ms)
        unavailability.duration = &duration;
    message->unavailability = sim_copy(&unavailability);
}

static Mesos__V1__Offer *offer_message(struct sim_offer *offer)
{
    struct sim *sim = offer->agent->sim;
    Mesos__V1__Offer fresh = MESOS__V1__OFFER__INIT, *message = sim_zalloc(sizeof *message);
    Mesos__V1__OfferID id = MESOS__V1__OFFER_ID__INIT;
    const Mesos__V1__AgentInfo *info = offer->agent->info;

    *message = fresh;
    id.value = sim_text("%s-O%llu", sim->master_id, (unsigned long long)sim->next_offer++);
    message->id = sim_copy(&id);
    free(id.value);
    message->framework_id = sim_copy(offer->framework->info->id);
    message->agent_id = sim_copy(info->id);
    message->hostname = sim_dup(info->hostname);
    message->url = agent_url(offer->agent);
    message->domain = sim_copy(info->domain);
    message->n_attributes = info->n_attributes;
    message->attributes = sim_zalloc(info->n_attributes * sizeof *message->attributes);
    for (size_t i = 0; i < info->n_attributes; i++)
        message->attributes[i] = sim_copy(info->attributes[i]);
    fill_resources(offer, message);
    fill_executors(offer, message);
    fill_unavailability(offer->agent, message);
    if (offer->framework->multi_role) {
        Mesos__V1__Resource__AllocationInfo allocation = MESOS__V1__RESOURCE__ALLOCATION_INFO__INIT;

        allocation.role = offer->role;
        message->allocation_info = sim_copy(&allocation);
    }
    return message;
}

static void offer_make(struct sim_framework *framework, struct sim_agent *agent, const char *role,
                       const struct res *amount)
{
    struct sim_offer *offer = sim_zalloc(sizeof *offer);

    offer->framework = framework;
    offer->agent = agent;
    offer->role = sim_dup(role);
    core_res_add_all(&offer->resources, amount);
    core_res_allocate(&offer->resources, role);
    offer->message = offer_message(offer);
    TAILQ_INSERT_TAIL(&framework->offers, offer, next);
    core_res_add_all(&agent->offered, &offer->resources);
    core_res_add_all(&framework->offered, &offer->resources);
    core_account(framework, role, &offer->resources, 1);
}

/* One event with all new offers of a framework. */
static void send_new(struct sim_framework *framework)
{
    event_t event = MESOS__V1__SCHEDULER__EVENT__INIT;
    Mesos__V1__Scheduler__Event__Offers offers = MESOS__V1__SCHEDULER__EVENT__OFFERS__INIT;
    struct sim_offer *offer;
    size_t n = 0;

    EACH (offer, &framework->offers, next)
        n += !offer->sent;
    if (!n)
        return;
    offers.offers = sim_zalloc(n * sizeof *offers.offers);
    EACH (offer, &framework->offers, next) {
        if (!offer->sent)
            offers.offers[offers.n_offers++] = offer->message;
        offer->sent = true;
    }
    event.has_type = 1;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS;
    event.offers = &offers;
    core_framework_send(framework, &event);
    free(offers.offers);
}

/* ---- allocation ---- */

struct candidate {
    struct sim_framework *framework;
    const char *role;
    double role_share;
    double share;
};

struct totals {
    int64_t cpus, mem, disk;
};

static double part(int64_t used, int64_t total)
{
    return total > 0 ? (double)used / (double)total : 0;
}

static double dominant(int64_t cpus, int64_t mem, int64_t disk, const struct totals *total)
{
    double share = part(cpus, total->cpus);

    if (part(mem, total->mem) > share)
        share = part(mem, total->mem);
    if (part(disk, total->disk) > share)
        share = part(disk, total->disk);
    return share;
}

static double role_share(struct sim *sim, const char *name, const struct totals *total)
{
    struct sim_framework *framework;
    struct role *role;
    int64_t cpus = 0, mem = 0, disk = 0;

    EACH (framework, &sim->frameworks, next) {
        if (!(role = core_framework_role(framework, name)))
            continue;
        cpus += role->cpus;
        mem += role->mem;
        disk += role->disk;
    }
    return dominant(cpus, mem, disk, total);
}

static int by_share(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int names = strcmp(x->role, y->role);

    if (x->role_share != y->role_share)
        return x->role_share < y->role_share ? -1 : 1;
    if (names)
        return names;
    if (x->share != y->share)
        return x->share < y->share ? -1 : 1;
    return strcmp(x->framework->id, y->framework->id);
}

static size_t candidates_list(struct sim *sim, struct candidate **list, const struct totals *total)
{
    struct sim_framework *framework;
    size_t n = 0;

    EACH (framework, &sim->frameworks, next) {
        for (size_t i = 0; i < framework->n_roles && framework->state == FRAMEWORK_CONNECTED; i++) {
            struct role *role = &framework->roles[i];

            if (role->suppressed)
                continue;
            *list = sim_grow(*list, n + 1, sizeof **list);
            (*list)[n].framework = framework;
            (*list)[n++].role = role->name;
        }
    }
    for (size_t i = 0; i < n; i++) {
        struct candidate *c = &(*list)[i];
        struct role *role = core_framework_role(c->framework, c->role);

        c->role_share = n > 1 ? role_share(sim, c->role, total) : 0;
        c->share = dominant(role->cpus, role->mem, role->disk, total);
    }
    if (n > 1)
        qsort(*list, n, sizeof **list, by_share);
    return n;
}

/* What of the free resources may go to this role: unreserved, and reserved for it or a role above
 * it. */
static void pick(const struct res *free_now, const struct sim_framework *framework,
                 const char *role, struct res *out)
{
    for (size_t i = 0; i < free_now->n; i++) {
        const char *owner = core_res_reserved_role(free_now->v[i]);
        size_t len = owner ? strlen(owner) : 0;

        if (owner && strcmp(owner, role) && (strncmp(owner, role, len) || role[len] != '/'))
            continue;
        if (free_now->v[i]->n_reservations > 1 && !framework->refinement)
            continue;
        core_res_add(out, free_now->v[i]);
    }
}

static bool offers_agent(const struct sim_agent *agent)
{
    return agent->state == AGENT_CONNECTED && !agent->deactivated && !agent->draining;
}

static void allocate_agent(struct sim_agent *agent, const struct candidate *candidates, size_t n)
{
    struct res left = {0};

    core_res_add_all(&left, &agent->used);
    core_res_add_all(&left, &agent->offered);
    core_res_unallocate(&left);
    {
        struct res free_now = {0};

        core_res_add_all(&free_now, &agent->total);
        core_res_subtract(&free_now, &left);
        core_res_clear(&left);
        left = free_now;
    }
    for (size_t i = 0; i < n && left.n; i++) {
        const struct sim_framework *framework = candidates[i].framework;
        struct res amount = {0};

        if (!core_constraints_admit(framework->constraints, candidates[i].role, agent->info))
            continue;
        pick(&left, framework, candidates[i].role, &amount);
        if (core_offer_is_enough(framework->info, candidates[i].role, &amount) &&
            !core_filter_holds(candidates[i].framework, agent, candidates[i].role, &amount)) {
            offer_make(candidates[i].framework, agent, candidates[i].role, &amount);
            core_res_subtract(&left, &amount);
        }
        core_res_clear(&amount);
    }
    core_res_clear(&left);
}

void core_allocate(struct sim *sim)
{
    struct sim_agent **agents = NULL, *agent;
    struct sim_framework *framework;
    struct candidate *candidates = NULL;
    struct totals total = {0};
    size_t n_agents = 0, n = 0;

    if (sim->master != MASTER_UP)
        return;
    EACH (agent, &sim->agents, next) {
        if (!offers_agent(agent))
            continue;
        agents = sim_grow(agents, n_agents + 1, sizeof *agents);
        agents[n_agents++] = agent;
        total.cpus += core_res_scalar(&agent->total, "cpus");
        total.mem += core_res_scalar(&agent->total, "mem");
        total.disk += core_res_scalar(&agent->total, "disk");
    }
    for (size_t i = n_agents; i > 1; i--) {
        size_t j = (size_t)(sim_random(sim) % i);

        agent = agents[i - 1];
        agents[i - 1] = agents[j];
        agents[j] = agent;
    }
    for (size_t i = 0; i < n_agents; i++) {
        /* Shares change with every agent that is given away; one candidate needs no order. */
        if (i == 0 || n > 1)
            n = candidates_list(sim, &candidates, &total);
        allocate_agent(agents[i], candidates, n);
    }
    EACH (framework, &sim->frameworks, next)
        send_new(framework);
    core_inverse_offers_make(sim);
    free(candidates);
    free(agents);
}

void core_allocation_fire(struct sim *sim, void *owner)
{
    core_allocate(sim);
    core_timer_set(sim, &sim->allocation, sim->now + ALLOCATION_INTERVAL_MS, core_allocation_fire,
                   owner);
}
