/*
 * Between Mesos' messages and the planner's facts and actions. Pure: no sockets, no clock. Memory
 * comes from an arena; facts point into it and live until it is reset.
 *
 *     from_event.c   events -> facts
 *     from_offer.c   offered resources -> what a task takes of them
 *     to_call.c      actions -> calls
 *     task_info.c    a launch -> TaskInfo
 */
#ifndef DAEMON_MESOS_CONVERT_H
#define DAEMON_MESOS_CONVERT_H

#include <quobyte-mesos/action.h>
#include <quobyte-mesos/fact.h>

#include "mesos/arena.h"
#include "mesos/offers.h"
#include "mesos/v1/scheduler.pb-c.h"

typedef void (*convert_fact_fn)(void *userdata, const struct qm_fact *fact);

/**
 * convert_event() - tells the facts in an event, one after the other. Their time is 0.
 * Events that mean nothing to the planner (HEARTBEAT, UPDATE_OPERATION_STATUS, types of newer
 * masters) give none; ERROR is the session's business.
 * Returns how many there were.
 */
size_t convert_event(struct arena *arena, const Mesos__V1__Scheduler__Event *event,
                     convert_fact_fn tell, void *userdata);

/** convert_offer() - one offer; resources keep their places. */
struct qm_offer convert_offer(struct arena *arena, const Mesos__V1__Offer *offer);

/** convert_amount() - a Mesos scalar in units of 1/scale, rounded down; 0 for nonsense. */
uint64_t convert_amount(double value, unsigned scale);

/**
 * convert_use() - what a task takes: copies of the offered resources with everything that Mesos
 * wrote there, amount or ranges reduced.
 * @offers: unpacked, in the launch's order
 * Returns 0; -EINVAL: a use that names no offered resource, or more than was offered.
 */
int convert_use(struct arena *arena, Mesos__V1__Offer *const *offers, size_t n_offers,
                const struct qm_resource_use *uses, size_t n_uses, Mesos__V1__Resource ***resources,
                size_t *n_resources);

/**
 * convert_task() - the TaskInfo of one launch: all data, no shell text made from it.
 * @framework_id: may be NULL; @probe_request: packed quobyte_mesos.probe.Request for the prober's
 *     task, otherwise unused
 * Returns 0; -EINVAL as convert_use().
 */
int convert_task(struct arena *arena, const struct qm_task_launch *launch, const char *agent_id,
                 const char *framework_id, Mesos__V1__Offer *const *offers, size_t n_offers,
                 const ProtobufCBinaryData *probe_request, Mesos__V1__TaskInfo **task);

/* What a call is made of besides its action. */
struct convert_context {
    struct arena *arena;
    const char *framework_id;
    const struct offers *offers;
    ProtobufCBinaryData probe_request; /* for PROBE and for launches of probers */
};

/* A call, ready for the wire. */
struct convert_call {
    const char *what;     /* "ACCEPT" */
    const uint8_t *bytes; /* in the arena */
    size_t length;
};

/**
 * convert_action() - the call that performs an action.
 * Returns 0; -EINVAL: a launch that does not fit its offers; -ENOENT: an offer of it is not kept
 * (rescinded, or of an old subscription); -ENOTSUP: SAVE and DESCRIBE_TASK are no calls.
 */
int convert_action(const struct convert_context *context, const struct qm_action *action,
                   struct convert_call *call);

/** convert_pack_call() - packs a call into the arena. */
struct convert_call convert_pack_call(struct arena *arena, const Mesos__V1__Scheduler__Call *call,
                                      const char *what);

#endif
