/*
 * Events to facts. Strings are borrowed from the unpacked event; what is optional on the wire and
 * absent becomes "".
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "mesos/convert.h"
#include "quobyte-mesos/probe.pb-c.h"

#define NS_PER_MS  1000000
#define AMOUNT_MAX 1e15 /* beyond is no resource of this world */

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

uint64_t convert_amount(double value, unsigned scale)
{
    if (!isfinite(value) || value <= 0 || value > AMOUNT_MAX / scale)
        return 0;
    /* Mesos counts in thousandths; a sum like 0.1 + 0.2 must not lose one here. */
    return (uint64_t)floor(value * scale + 0.0005);
}

/* ---- offers ---- */

static enum qm_resource_kind kind_of(const Mesos__V1__Resource *r)
{
    bool scalar = r->type == MESOS__V1__VALUE__TYPE__SCALAR && r->scalar != NULL;
    if (scalar && strcmp(r->name, "cpus") == 0)
        return QM_RESOURCE_CPUS;
    if (scalar && strcmp(r->name, "mem") == 0)
        return QM_RESOURCE_MEM;
    if (scalar && strcmp(r->name, "disk") == 0)
        return QM_RESOURCE_DISK;
    if (r->type == MESOS__V1__VALUE__TYPE__RANGES && r->ranges != NULL &&
        strcmp(r->name, "ports") == 0)
        return QM_RESOURCE_PORTS;
    return QM_RESOURCE_OTHER;
}

/* The role that it is reserved for: of the last reservation, or in the format of old masters. */
static const char *reserved_role(const Mesos__V1__Resource *r)
{
    if (r->n_reservations > 0)
        return r->reservations[r->n_reservations - 1]->role;
    return r->role != NULL && strcmp(r->role, "*") != 0 ? r->role : NULL;
}

static void convert_ranges(struct arena *arena, const Mesos__V1__Value__Ranges *from,
                           struct qm_resource *to)
{
    struct qm_range *ranges = arena_zero(arena, from->n_range, sizeof *ranges);
    for (size_t i = 0; i < from->n_range; i++) {
        if (from->range[i]->begin > from->range[i]->end)
            continue;
        ranges[to->n_ranges].begin = from->range[i]->begin;
        ranges[to->n_ranges++].end = from->range[i]->end;
    }
    to->ranges = ranges;
}

static struct qm_resource convert_resource(struct arena *arena, const Mesos__V1__Resource *r)
{
    struct qm_resource to = {.kind = kind_of(r), .role = reserved_role(r)};
    if (r->revocable != NULL)
        to.flags |= QM_RESOURCE_REVOCABLE;
    if (r->shared != NULL)
        to.flags |= QM_RESOURCE_SHARED;
    if (r->disk != NULL)
        to.flags |= QM_RESOURCE_HAS_SOURCE;
    if (to.kind == QM_RESOURCE_CPUS)
        to.amount = convert_amount(r->scalar->value, 1000);
    else if (to.kind == QM_RESOURCE_PORTS)
        convert_ranges(arena, r->ranges, &to);
    else if (to.kind != QM_RESOURCE_OTHER)
        to.amount = convert_amount(r->scalar->value, 1);
    return to;
}

static const char *ranges_text(struct arena *arena, const Mesos__V1__Value__Ranges *ranges)
{
    size_t room = ranges->n_range * 42 + 3, used = 0;
    char *text = arena_zero(arena, room, 1);
    for (size_t i = 0; i < ranges->n_range; i++)
        used += (size_t)snprintf(text + used, room - used, "%s%llu-%llu", i > 0 ? "," : "[",
                                 (unsigned long long)ranges->range[i]->begin,
                                 (unsigned long long)ranges->range[i]->end);
    strcpy(text + used, ranges->n_range > 0 ? "]" : "[]");
    return text;
}

static const char *set_text(struct arena *arena, const Mesos__V1__Value__Set *set)
{
    size_t room = 3;
    for (size_t i = 0; i < set->n_item; i++)
        room += strlen(set->item[i]) + 1;
    char *text = arena_zero(arena, room, 1), *end = stpcpy(text, "{");
    for (size_t i = 0; i < set->n_item; i++) {
        if (i > 0)
            *end++ = ',';
        end = stpcpy(end, set->item[i]);
    }
    strcpy(end, "}");
    return text;
}

/* As Mesos itself writes attributes: 3.5, [1-2,5-9], {a,b}, text. */
static const char *attribute_text(struct arena *arena, const Mesos__V1__Attribute *a)
{
    char number[64];
    if (a->text != NULL)
        return a->text->value;
    if (a->ranges != NULL)
        return ranges_text(arena, a->ranges);
    if (a->set != NULL)
        return set_text(arena, a->set);
    if (a->scalar == NULL)
        return "";
    snprintf(number, sizeof number, "%.15g", a->scalar->value);
    return arena_text(arena, number);
}

static qm_time unavailable_from(const Mesos__V1__Unavailability *u)
{
    if (u == NULL)
        return QM_TIME_NEVER;
    return u->start->nanoseconds > 0 ? (qm_time)(u->start->nanoseconds / NS_PER_MS) : 0;
}

static qm_duration unavailable_for(const Mesos__V1__Unavailability *u)
{
    if (u == NULL || u->duration == NULL || u->duration->nanoseconds <= 0)
        return 0;
    return (qm_duration)(u->duration->nanoseconds / NS_PER_MS);
}

struct qm_offer convert_offer(struct arena *arena, const Mesos__V1__Offer *offer)
{
    struct qm_resource *resources = arena_zero(arena, offer->n_resources, sizeof *resources);
    struct qm_attribute *attributes = arena_zero(arena, offer->n_attributes, sizeof *attributes);
    const Mesos__V1__DomainInfo__FaultDomain *domain =
        offer->domain != NULL ? offer->domain->fault_domain : NULL;

    for (size_t i = 0; i < offer->n_resources; i++)
        resources[i] = convert_resource(arena, offer->resources[i]);
    for (size_t i = 0; i < offer->n_attributes; i++) {
        attributes[i].name = offer->attributes[i]->name;
        attributes[i].value = attribute_text(arena, offer->attributes[i]);
    }
    return (struct qm_offer){
        .id = offer->id->value,
        .agent_id = offer->agent_id->value,
        .hostname = offer->hostname,
        .role = offer->allocation_info != NULL ? or_empty(offer->allocation_info->role) : "",
        .region = domain != NULL ? domain->region->name : "",
        .zone = domain != NULL ? domain->zone->name : "",
        .attributes = attributes,
        .n_attributes = offer->n_attributes,
        .resources = resources,
        .n_resources = offer->n_resources,
        .unavailable_from = unavailable_from(offer->unavailability),
        .unavailable_for = unavailable_for(offer->unavailability),
    };
}

/* ---- everything else ---- */

static struct qm_fact status_fact(const Mesos__V1__TaskStatus *s)
{
    struct qm_fact fact = {.type = QM_FACT_TASK_STATUS};
    struct qm_task_status *to = &fact.status;
    /* A state of a newer master proves nothing. */
    bool known = s->state >= 0 && (int)s->state <= (int)QM_TASK_UNKNOWN;
    to->task_id = s->task_id->value;
    to->agent_id = s->agent_id != NULL ? s->agent_id->value : "";
    to->executor_id = s->executor_id != NULL ? s->executor_id->value : "";
    to->state = known ? (enum qm_task_state)s->state : QM_TASK_UNKNOWN;
    to->reason = s->has_reason ? (int)s->reason : -1;
    to->message = or_empty(s->message);
    to->has_healthy = s->has_healthy;
    to->healthy = s->has_healthy && s->healthy;
    to->has_uuid = s->has_uuid && s->uuid.len == sizeof to->uuid;
    if (to->has_uuid)
        memcpy(to->uuid, s->uuid.data, sizeof to->uuid);
    to->source = to->has_uuid ? QM_SOURCE_AGENT : QM_SOURCE_MASTER;
    if (s->has_source && s->source == MESOS__V1__TASK_STATUS__SOURCE__SOURCE_MASTER)
        to->source = QM_SOURCE_MASTER;
    else if (s->has_source && s->source == MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR)
        to->source = QM_SOURCE_EXECUTOR;
    return fact;
}

static struct qm_device convert_device(const QuobyteMesos__Probe__Device *d)
{
    enum qm_device_type type = QM_DEVICE_UNTYPED;
    if (d->has_type && d->type == QUOBYTE_MESOS__PROBE__DEVICE__TYPE__REGISTRY)
        type = QM_DEVICE_REGISTRY;
    else if (d->has_type && d->type == QUOBYTE_MESOS__PROBE__DEVICE__TYPE__METADATA)
        type = QM_DEVICE_METADATA;
    else if (d->has_type && d->type == QUOBYTE_MESOS__PROBE__DEVICE__TYPE__DATA)
        type = QM_DEVICE_DATA;
    return (struct qm_device){
        .type = type,
        .bootstrap = d->has_bootstrap && d->bootstrap,
        .mount = or_empty(d->mount),
        .filesystem = or_empty(d->filesystem),
        .serial = or_empty(d->serial),
        .model = or_empty(d->model),
        .id = or_empty(d->id),
        .warning = or_empty(d->warning),
        .size_mib = d->has_size_mib ? d->size_mib : 0,
        .free_mib = d->has_free_mib ? d->free_mib : 0,
    };
}

/* A framework message is a prober's report. */
static bool probe_fact(struct arena *arena, const Mesos__V1__Scheduler__Event__Message *m,
                       struct qm_fact *fact)
{
    QuobyteMesos__Probe__Report *report =
        quobyte_mesos__probe__report__unpack(arena_allocator(arena), m->data.len, m->data.data);
    if (report == NULL) {
        log_warning("executor %s of agent %s sent something that is no probe report",
                    m->executor_id->value, m->agent_id->value);
        return false;
    }
    struct qm_device *devices = arena_zero(arena, report->n_devices, sizeof *devices);
    for (size_t i = 0; i < report->n_devices; i++)
        devices[i] = convert_device(report->devices[i]);
    *fact = (struct qm_fact){
        .type = QM_FACT_PROBE_REPORT,
        .probe =
            {
                .agent_id = m->agent_id->value,
                .executor_id = m->executor_id->value,
                .boot_id = or_empty(report->boot_id),
                .devices = devices,
                .n_devices = report->n_devices,
                .listening = report->listening,
                .n_listening = report->n_listening,
                .has_mount_point = report->has_has_mount_point && report->has_mount_point,
                .warning = or_empty(report->warning),
            },
    };
    return true;
}

static bool failure_fact(const Mesos__V1__Scheduler__Event__Failure *f, struct qm_fact *fact)
{
    if (f->agent_id == NULL)
        return false;
    *fact = (struct qm_fact){.type = QM_FACT_AGENT_LOST, .lost.agent_id = f->agent_id->value};
    fact->lost.executor_id = "";
    if (f->executor_id != NULL) {
        fact->type = QM_FACT_EXECUTOR_LOST;
        fact->lost.executor_id = f->executor_id->value;
    }
    return true;
}

static size_t offer_facts(struct arena *arena, const Mesos__V1__Scheduler__Event__Offers *offers,
                          convert_fact_fn tell, void *userdata)
{
    for (size_t i = 0; i < offers->n_offers; i++) {
        struct qm_fact fact = {.type = QM_FACT_OFFER};
        fact.offer = convert_offer(arena, offers->offers[i]);
        tell(userdata, &fact);
    }
    return offers->n_offers;
}

static size_t inverse_offer_facts(const Mesos__V1__Scheduler__Event__InverseOffers *offers,
                                  convert_fact_fn tell, void *userdata)
{
    for (size_t i = 0; i < offers->n_inverse_offers; i++) {
        const Mesos__V1__InverseOffer *o = offers->inverse_offers[i];
        struct qm_fact fact = {
            .type = QM_FACT_INVERSE_OFFER,
            .inverse_offer =
                {
                    .id = o->id->value,
                    .agent_id = o->agent_id != NULL ? o->agent_id->value : "",
                    .unavailable_from = unavailable_from(o->unavailability),
                    .unavailable_for = unavailable_for(o->unavailability),
                },
        };
        tell(userdata, &fact);
    }
    return offers->n_inverse_offers;
}

/* Events that hold one fact at most. The sub-message is not there just because the type says so. */
static bool single_fact(struct arena *arena, const Mesos__V1__Scheduler__Event *event,
                        struct qm_fact *fact)
{
    switch (event->type) {
    case MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED:
        if (event->subscribed == NULL)
            return false;
        *fact = (struct qm_fact){.type = QM_FACT_SUBSCRIBED};
        fact->subscribed.framework_id = event->subscribed->framework_id->value;
        fact->subscribed.master_id =
            event->subscribed->master_info != NULL ? event->subscribed->master_info->id : "";
        return true;
    case MESOS__V1__SCHEDULER__EVENT__TYPE__RESCIND:
        if (event->rescind == NULL)
            return false;
        *fact = (struct qm_fact){.type = QM_FACT_OFFER_RESCINDED};
        fact->offer_id = event->rescind->offer_id->value;
        return true;
    case MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE:
        if (event->update == NULL)
            return false;
        *fact = status_fact(event->update->status);
        return true;
    case MESOS__V1__SCHEDULER__EVENT__TYPE__MESSAGE:
        return event->message != NULL && probe_fact(arena, event->message, fact);
    case MESOS__V1__SCHEDULER__EVENT__TYPE__FAILURE:
        return event->failure != NULL && failure_fact(event->failure, fact);
    default:
        return false;
    }
}

size_t convert_event(struct arena *arena, const Mesos__V1__Scheduler__Event *event,
                     convert_fact_fn tell, void *userdata)
{
    struct qm_fact fact;
    if (event->type == MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS && event->offers != NULL)
        return offer_facts(arena, event->offers, tell, userdata);
    if (event->type == MESOS__V1__SCHEDULER__EVENT__TYPE__INVERSE_OFFERS &&
        event->inverse_offers != NULL)
        return inverse_offer_facts(event->inverse_offers, tell, userdata);
    if (!single_fact(arena, event, &fact))
        return 0;
    tell(userdata, &fact);
    return 1;
}
