/*
 * What comes over the wire in protobuf: any bytes as a prober's report, and any bytes as an event
 * of the master. Facts made from them have no NULL strings and no numbers out of range.
 */
#include "fuzz.h"

#include <quobyte-mesos.h>

#include "log.h"
#include "mesos/convert.h"

static void check_device(const struct qm_device *device)
{
    must(device->type <= QM_DEVICE_DATA);
    must(device->mount && device->filesystem && device->serial && device->model);
    must(device->id && device->warning);
}

static void check_offer(const struct qm_offer *offer)
{
    must(offer->id && offer->agent_id && offer->hostname && offer->role);
    must(offer->region && offer->zone);
    for (size_t i = 0; i < offer->n_attributes; i++)
        must(offer->attributes[i].name && offer->attributes[i].value);
    for (size_t i = 0; i < offer->n_resources; i++) {
        const struct qm_resource *resource = &offer->resources[i];

        must(resource->kind <= QM_RESOURCE_PORTS);
        for (size_t k = 0; k < resource->n_ranges; k++)
            must(resource->ranges[k].begin <= resource->ranges[k].end);
    }
}

static void check_fact(void *userdata, const struct qm_fact *fact)
{
    unsigned *n = userdata;

    (*n)++;
    switch (fact->type) {
    case QM_FACT_PROBE_REPORT:
        must(fact->probe.agent_id && fact->probe.executor_id);
        must(fact->probe.boot_id && fact->probe.warning);
        for (size_t i = 0; i < fact->probe.n_devices; i++)
            check_device(&fact->probe.devices[i]);
        break;
    case QM_FACT_OFFER:
        check_offer(&fact->offer);
        break;
    case QM_FACT_TASK_STATUS:
        must(fact->status.task_id && fact->status.agent_id);
        must(fact->status.executor_id && fact->status.message);
        break;
    case QM_FACT_SUBSCRIBED:
        must(fact->subscribed.framework_id && fact->subscribed.master_id);
        break;
    case QM_FACT_OFFER_RESCINDED:
        must(fact->offer_id != NULL);
        break;
    case QM_FACT_AGENT_LOST:
    case QM_FACT_EXECUTOR_LOST:
        must(fact->lost.agent_id != NULL);
        break;
    default:
        break;
    }
}

static void as_report(struct arena *arena, const uint8_t *data, size_t size)
{
    Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    Mesos__V1__Scheduler__Event__Message message = MESOS__V1__SCHEDULER__EVENT__MESSAGE__INIT;
    Mesos__V1__AgentID agent = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__ExecutorID executor = MESOS__V1__EXECUTOR_ID__INIT;
    char agent_id[] = "agent", executor_id[] = "executor";
    unsigned facts = 0;

    agent.value = agent_id;
    executor.value = executor_id;
    message.agent_id = &agent;
    message.executor_id = &executor;
    message.data.data = (uint8_t *)data;
    message.data.len = size;
    event.has_type = 1;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__MESSAGE;
    event.message = &message;
    must(convert_event(arena, &event, check_fact, &facts) == facts);
    must(facts <= 1);
}

static void as_event(struct arena *arena, const uint8_t *data, size_t size)
{
    Mesos__V1__Scheduler__Event *event =
        mesos__v1__scheduler__event__unpack(arena_allocator(arena), size, data);
    unsigned facts = 0;

    if (event)
        must(convert_event(arena, event, check_fact, &facts) == facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;

    log_set_level(LOG_LEVEL_ERROR); /* nonsense is what it gets here */
    arena_init(&arena);
    as_report(&arena, data, size);
    arena_reset(&arena);
    as_event(&arena, data, size);
    arena_deinit(&arena);
    return 0;
}
