/* Offer operations other than launches: they change what an agent's resources are, for the rest of
 * the ACCEPT and later. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Offer__Operation operation_t;

void core_operation_status(struct sim_framework *framework, const operation_t *operation,
                           const struct sim_agent *agent, Mesos__V1__OperationState state,
                           const char *message)
{
    event_t event = MESOS__V1__SCHEDULER__EVENT__INIT;
    Mesos__V1__Scheduler__Event__UpdateOperationStatus body =
        MESOS__V1__SCHEDULER__EVENT__UPDATE_OPERATION_STATUS__INIT;
    Mesos__V1__OperationStatus status = MESOS__V1__OPERATION_STATUS__INIT;
    Mesos__V1__UUID id = MESOS__V1__UUID__INIT;
    uint8_t uuid[16];

    if (!operation->id)
        return;
    status.operation_id = operation->id;
    status.state = state;
    status.message = (char *)message;
    if (agent) {
        sim_uuid(framework->sim, uuid);
        id.value.len = sizeof uuid;
        id.value.data = uuid;
        status.uuid = &id;
        status.agent_id = agent->info->id;
    }
    body.status = &status;
    event.has_type = 1;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE_OPERATION_STATUS;
    event.update_operation_status = &body;
    core_framework_send(framework, &event);
}

/* Takes `from` out of the grant and puts `to` there, in the agent's total too. False: not there. */
static bool convert(struct grant *grant, struct res *from, struct res *to)
{
    struct host *host = &grant->agent->sim->hosts[grant->agent->index];
    bool fits = core_res_contains(&grant->left, from);

    if (fits) {
        core_res_subtract(&grant->left, from);
        core_res_add_all(&grant->left, to);
        core_res_unallocate(from);
        core_res_unallocate(to);
        core_res_subtract(&grant->agent->total, from);
        core_res_add_all(&grant->agent->total, to);
        core_res_subtract(&host->resources, from); /* checkpointed there */
        core_res_add_all(&host->resources, to);
    }
    return fits;
}

/* The wanted resources as read, and the same with the last reservation taken off. */
static const char *reserve(struct grant *grant, resource_t *const *v, size_t n, bool undo)
{
    struct res reserved = {0}, plain = {0};
    const char *why = NULL;

    core_res_read(&reserved, v, n);
    core_res_allocate(&reserved, grant->role);
    for (size_t i = 0; i < reserved.n && !why; i++) {
        resource_t *copy;
        Mesos__V1__Resource__ReservationInfo *last;

        if (!reserved.v[i]->n_reservations) {
            why = "Resource is not reserved";
            break;
        }
        last = reserved.v[i]->reservations[reserved.v[i]->n_reservations - 1];
        if (last->type != MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC)
            why = "Resource is not dynamically reserved";
        else if (!undo && grant->framework->info->principal && !last->principal)
            why = "there is a reserved resource in the request with no principal set";
        copy = sim_copy(reserved.v[i]);
        sim_drop(copy->reservations[--copy->n_reservations]);
        core_res_add(&plain, copy);
        sim_drop(copy);
    }
    if (!why && !convert(grant, undo ? &reserved : &plain, undo ? &plain : &reserved))
        why = "the resources are not offered";
    core_res_clear(&reserved);
    core_res_clear(&plain);
    return why;
}

static const char *create(struct grant *grant, resource_t *const *v, size_t n, bool undo)
{
    struct res volumes = {0}, plain = {0};
    const char *why = NULL;

    core_res_read(&volumes, v, n);
    core_res_allocate(&volumes, grant->role);
    for (size_t i = 0; i < volumes.n && !why; i++) {
        resource_t *copy = sim_copy(volumes.v[i]);

        if (!copy->disk || !copy->disk->persistence || !copy->disk->volume) {
            why = "Resource is not a persistent volume";
        } else {
            sim_drop(copy->disk->persistence);
            sim_drop(copy->disk->volume);
            copy->disk->persistence = NULL;
            copy->disk->volume = NULL;
            if (!copy->disk->source) {
                sim_drop(copy->disk);
                copy->disk = NULL;
            }
            core_res_add(&plain, copy);
        }
        sim_drop(copy);
    }
    if (!why && !convert(grant, undo ? &volumes : &plain, undo ? &plain : &volumes))
        why = "the resources are not offered";
    core_res_clear(&volumes);
    core_res_clear(&plain);
    return why;
}

void core_operation_do(struct grant *grant, const operation_t *operation)
{
    const char *why = "Unsupported offer operation";
    char *text;

    if (operation->type == MESOS__V1__OFFER__OPERATION__TYPE__RESERVE && operation->reserve)
        why = reserve(grant, operation->reserve->resources, operation->reserve->n_resources, false);
    else if (operation->type == MESOS__V1__OFFER__OPERATION__TYPE__UNRESERVE &&
             operation->unreserve)
        why = reserve(grant, operation->unreserve->resources, operation->unreserve->n_resources,
                      true);
    else if (operation->type == MESOS__V1__OFFER__OPERATION__TYPE__CREATE && operation->create)
        why = create(grant, operation->create->volumes, operation->create->n_volumes, false);
    else if (operation->type == MESOS__V1__OFFER__OPERATION__TYPE__DESTROY && operation->destroy)
        why = create(grant, operation->destroy->volumes, operation->destroy->n_volumes, true);
    if (!why) {
        core_operation_status(grant->framework, operation, grant->agent,
                              MESOS__V1__OPERATION_STATE__OPERATION_FINISHED, NULL);
        return;
    }
    text = sim_text("Invalid operation: %s", why);
    core_operation_status(grant->framework, operation, NULL,
                          MESOS__V1__OPERATION_STATE__OPERATION_ERROR, text);
    free(text);
}
