/* Planned maintenance: unavailability in offers, and inverse offers. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

static void inverse_free(struct sim_framework *framework, struct inverse_offer *inverse)
{
    TAILQ_REMOVE(&framework->inverse_offers, inverse, next);
    free(inverse->id);
    free(inverse);
}

void core_inverse_offers_drop(struct sim_framework *framework, struct sim_agent *agent,
                              bool rescind)
{
    struct inverse_offer *inverse, *next;

    EACH_SAFE (inverse, next, &framework->inverse_offers, next) {
        if (agent && inverse->agent != agent)
            continue;
        if (rescind && inverse->id) {
            event_t event = MESOS__V1__SCHEDULER__EVENT__INIT;
            Mesos__V1__Scheduler__Event__RescindInverseOffer body =
                MESOS__V1__SCHEDULER__EVENT__RESCIND_INVERSE_OFFER__INIT;
            Mesos__V1__OfferID id = MESOS__V1__OFFER_ID__INIT;

            id.value = inverse->id;
            body.inverse_offer_id = &id;
            event.has_type = 1;
            event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__RESCIND_INVERSE_OFFER;
            event.rescind_inverse_offer = &body;
            core_framework_send(framework, &event);
        }
        inverse_free(framework, inverse);
    }
}

void core_inverse_offers_clear_filters(struct sim_framework *framework)
{
    struct inverse_offer *inverse, *next;

    EACH_SAFE (inverse, next, &framework->inverse_offers, next)
        if (!inverse->id || framework->state != FRAMEWORK_CONNECTED)
            inverse_free(framework, inverse);
}

void core_inverse_offers_answer(struct sim_framework *framework, Mesos__V1__OfferID *const *ids,
                                size_t n, const Mesos__V1__Filters *filters)
{
    for (size_t i = 0; i < n; i++) {
        struct inverse_offer *inverse;

        EACH (inverse, &framework->inverse_offers, next) {
            if (!inverse->id || strcmp(inverse->id, ids[i]->value))
                continue;
            free(inverse->id);
            inverse->id = NULL;
            inverse->quiet_till = framework->sim->now + core_refuse_ms(filters);
            break;
        }
    }
}

static bool has_something_on(const struct sim_framework *framework, const struct sim_agent *agent)
{
    struct sim_task *task;
    struct sim_offer *offer;
    struct known_executor *executor;

    EACH (task, &framework->tasks[SIM_TASKS], next)
        if (task->agent == agent && !task->freed)
            return true;
    EACH (offer, &framework->offers, next)
        if (offer->agent == agent)
            return true;
    EACH (executor, &agent->executors, next)
        if (strcmp(executor->framework_id, framework->id) == 0)
            return true;
    return false;
}

/* False: one is out or was answered a short while ago. */
static bool may_ask(struct sim_framework *framework, const struct sim_agent *agent)
{
    struct inverse_offer *inverse, *next;

    EACH_SAFE (inverse, next, &framework->inverse_offers, next) {
        if (inverse->agent != agent)
            continue;
        if (inverse->id || inverse->quiet_till > framework->sim->now)
            return false;
        inverse_free(framework, inverse);
    }
    return true;
}

static Mesos__V1__InverseOffer *inverse_make(struct sim_framework *framework,
                                             struct sim_agent *agent)
{
    struct sim *sim = framework->sim;
    const struct host *host = &sim->hosts[agent->index];
    struct inverse_offer *inverse = sim_zalloc(sizeof *inverse);
    Mesos__V1__InverseOffer message = MESOS__V1__INVERSE_OFFER__INIT;
    Mesos__V1__OfferID id = MESOS__V1__OFFER_ID__INIT;
    Mesos__V1__URL url = MESOS__V1__URL__INIT;
    Mesos__V1__Address address = MESOS__V1__ADDRESS__INIT;
    Mesos__V1__Unavailability unavailability = MESOS__V1__UNAVAILABILITY__INIT;
    Mesos__V1__TimeInfo start = MESOS__V1__TIME_INFO__INIT;
    Mesos__V1__DurationInfo duration = MESOS__V1__DURATION_INFO__INIT;

    inverse->agent = agent;
    inverse->id = sim_text("%s-O%llu", sim->master_id, (unsigned long long)sim->next_offer++);
    TAILQ_INSERT_TAIL(&framework->inverse_offers, inverse, next);
    id.value = inverse->id;
    message.id = &id;
    address.hostname = host->hostname;
    address.ip = host->ip;
    address.port = host->port;
    url.scheme = (char *)"http";
    url.address = &address;
    url.path = (char *)"/slave(1)";
    message.url = &url;
    message.framework_id = framework->info->id;
    message.agent_id = agent->info->id;
    start.nanoseconds = agent->maintenance_start_ms * 1000000;
    duration.nanoseconds = agent->maintenance_ms * 1000000;
    unavailability.start = &start;
    if (agent->maintenance_ms)
        unavailability.duration = &duration;
    message.unavailability = &unavailability;
    return sim_copy(&message);
}

void core_inverse_offers_make(struct sim *sim)
{
    struct sim_framework *framework;
    struct sim_agent *agent;

    EACH (framework, &sim->frameworks, next) {
        event_t event = MESOS__V1__SCHEDULER__EVENT__INIT;
        Mesos__V1__Scheduler__Event__InverseOffers body =
            MESOS__V1__SCHEDULER__EVENT__INVERSE_OFFERS__INIT;

        if (framework->state != FRAMEWORK_CONNECTED)
            continue;
        EACH (agent, &sim->agents, next) {
            if (agent->state != AGENT_CONNECTED || !agent->maintenance_start_ms ||
                !has_something_on(framework, agent) || !may_ask(framework, agent))
                continue;
            body.inverse_offers = sim_grow(body.inverse_offers, body.n_inverse_offers + 1,
                                           sizeof *body.inverse_offers);
            body.inverse_offers[body.n_inverse_offers++] = inverse_make(framework, agent);
        }
        if (!body.n_inverse_offers)
            continue;
        event.has_type = 1;
        event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__INVERSE_OFFERS;
        event.inverse_offers = &body;
        core_framework_send(framework, &event);
        for (size_t i = 0; i < body.n_inverse_offers; i++)
            sim_drop(body.inverse_offers[i]);
        free(body.inverse_offers);
    }
}

void core_maintenance_set(struct sim_agent *agent, int64_t start_ms, int64_t length_ms)
{
    struct sim_framework *framework;

    core_offers_rescind_agent(agent);
    EACH (framework, &agent->sim->frameworks, next)
        core_inverse_offers_drop(framework, agent, true);
    agent->maintenance_start_ms = start_ms;
    agent->maintenance_ms = start_ms ? length_ms : 0;
    core_allocate(agent->sim);
}
