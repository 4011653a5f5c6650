/*
 * Actions to calls.
 */
#include <errno.h>

#include "mesos/convert.h"

#define NS_PER_MS 1000000

#define NEW(arena, name, type, prefix)                                                             \
    type *name = arena_zero(arena, 1, sizeof *name);                                               \
    prefix##__init(name)

typedef Mesos__V1__Scheduler__Call Call;

static Mesos__V1__AgentID *agent_id(struct arena *arena, const char *value)
{
    NEW(arena, id, Mesos__V1__AgentID, mesos__v1__agent_id);
    id->value = arena_text(arena, value);
    return id;
}

static Mesos__V1__TaskID *task_id(struct arena *arena, const char *value)
{
    NEW(arena, id, Mesos__V1__TaskID, mesos__v1__task_id);
    id->value = arena_text(arena, value);
    return id;
}

static Mesos__V1__OfferID **offer_ids(struct arena *arena, const char *const *values, size_t n)
{
    Mesos__V1__OfferID **ids = arena_zero(arena, n, sizeof *ids);
    for (size_t i = 0; i < n; i++) {
        NEW(arena, id, Mesos__V1__OfferID, mesos__v1__offer_id);
        id->value = arena_text(arena, values[i]);
        ids[i] = id;
    }
    return ids;
}

static Mesos__V1__Filters *filters(struct arena *arena, qm_duration refuse)
{
    NEW(arena, f, Mesos__V1__Filters, mesos__v1__filters);
    f->has_refuse_seconds = 1;
    f->refuse_seconds = (double)refuse / 1000;
    return f;
}

static int accept_call(const struct convert_context *c, const struct qm_launch *launch, Call *call)
{
    struct arena *arena = c->arena;
    Mesos__V1__Offer **offers = arena_zero(arena, launch->n_offer_ids, sizeof(Mesos__V1__Offer *));
    for (size_t i = 0; i < launch->n_offer_ids; i++) {
        offers[i] = offers_get(c->offers, launch->offer_ids[i], arena_allocator(arena));
        if (offers[i] == NULL)
            return -ENOENT;
    }
    NEW(arena, body, Mesos__V1__Offer__Operation__Launch, mesos__v1__offer__operation__launch);
    body->task_infos = arena_zero(arena, launch->n_tasks, sizeof *body->task_infos);
    body->n_task_infos = launch->n_tasks;
    for (size_t i = 0; i < launch->n_tasks; i++) {
        int rc = convert_task(arena, &launch->tasks[i], launch->agent_id, c->framework_id, offers,
                              launch->n_offer_ids, &c->probe_request, &body->task_infos[i]);
        if (rc != 0)
            return rc;
    }
    NEW(arena, operation, Mesos__V1__Offer__Operation, mesos__v1__offer__operation);
    operation->has_type = 1; /* without it a master swallows the tasks silently */
    operation->type = MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH;
    operation->launch = body;
    NEW(arena, accept, Mesos__V1__Scheduler__Call__Accept, mesos__v1__scheduler__call__accept);
    accept->offer_ids = offer_ids(arena, launch->offer_ids, launch->n_offer_ids);
    accept->n_offer_ids = launch->n_offer_ids;
    accept->operations = arena_zero(arena, 1, sizeof *accept->operations);
    accept->operations[0] = operation;
    accept->n_operations = 1;
    accept->filters = filters(arena, launch->refuse);
    call->accept = accept;
    return 0;
}

static void decline_call(struct arena *arena, const char *const *ids, size_t n, qm_duration refuse,
                         Call *call)
{
    NEW(arena, decline, Mesos__V1__Scheduler__Call__Decline, mesos__v1__scheduler__call__decline);
    decline->offer_ids = offer_ids(arena, ids, n);
    decline->n_offer_ids = n;
    decline->filters = filters(arena, refuse);
    call->decline = decline;
}

static void kill_call(struct arena *arena, const struct qm_kill *action, Call *call)
{
    NEW(arena, kill, Mesos__V1__Scheduler__Call__Kill, mesos__v1__scheduler__call__kill);
    NEW(arena, policy, Mesos__V1__KillPolicy, mesos__v1__kill_policy);
    NEW(arena, grace, Mesos__V1__DurationInfo, mesos__v1__duration_info);
    grace->nanoseconds = (int64_t)action->grace * NS_PER_MS;
    policy->grace_period = grace;
    kill->task_id = task_id(arena, action->task_id);
    kill->agent_id = agent_id(arena, action->agent_id);
    kill->kill_policy = policy;
    call->kill = kill;
}

static void acknowledge_call(struct arena *arena, const struct qm_acknowledge *action, Call *call)
{
    NEW(arena, ack, Mesos__V1__Scheduler__Call__Acknowledge,
        mesos__v1__scheduler__call__acknowledge);
    ack->agent_id = agent_id(arena, action->agent_id);
    ack->task_id = task_id(arena, action->task_id);
    ack->uuid.len = sizeof action->uuid;
    ack->uuid.data = arena_copy(arena, action->uuid, sizeof action->uuid);
    call->acknowledge = ack;
}

static void reconcile_call(struct arena *arena, const struct qm_task_key *tasks, size_t n,
                           Call *call)
{
    NEW(arena, reconcile, Mesos__V1__Scheduler__Call__Reconcile,
        mesos__v1__scheduler__call__reconcile);
    reconcile->tasks = arena_zero(arena, n, sizeof *reconcile->tasks);
    reconcile->n_tasks = n;
    for (size_t i = 0; i < n; i++) {
        NEW(arena, task, Mesos__V1__Scheduler__Call__Reconcile__Task,
            mesos__v1__scheduler__call__reconcile__task);
        task->task_id = task_id(arena, tasks[i].task_id);
        if (tasks[i].agent_id != NULL && tasks[i].agent_id[0] != '\0')
            task->agent_id = agent_id(arena, tasks[i].agent_id);
        reconcile->tasks[i] = task;
    }
    call->reconcile = reconcile;
}

static void probe_call(const struct convert_context *c, const struct qm_action *action, Call *call)
{
    struct arena *arena = c->arena;
    NEW(arena, message, Mesos__V1__Scheduler__Call__Message, mesos__v1__scheduler__call__message);
    NEW(arena, id, Mesos__V1__ExecutorID, mesos__v1__executor_id);
    id->value = arena_text(arena, action->probe.executor_id);
    message->agent_id = agent_id(arena, action->probe.agent_id);
    message->executor_id = id;
    message->data = c->probe_request;
    call->message = message;
}

static void inverse_call(struct arena *arena, const char *id, bool accept, Call *call)
{
    if (accept) {
        NEW(arena, body, Mesos__V1__Scheduler__Call__AcceptInverseOffers,
            mesos__v1__scheduler__call__accept_inverse_offers);
        body->inverse_offer_ids = offer_ids(arena, &id, 1);
        body->n_inverse_offer_ids = 1;
        call->accept_inverse_offers = body;
        return;
    }
    NEW(arena, body, Mesos__V1__Scheduler__Call__DeclineInverseOffers,
        mesos__v1__scheduler__call__decline_inverse_offers);
    body->inverse_offer_ids = offer_ids(arena, &id, 1);
    body->n_inverse_offer_ids = 1;
    call->decline_inverse_offers = body;
}

struct convert_call convert_pack_call(struct arena *arena, const Call *call, const char *what)
{
    size_t length = mesos__v1__scheduler__call__get_packed_size(call);
    uint8_t *bytes = arena_zero(arena, length, 1);
    mesos__v1__scheduler__call__pack(call, bytes);
    return (struct convert_call){.what = what, .bytes = bytes, .length = length};
}

/* Fills the body that belongs to the type; returns the type, or a negative errno. */
static int fill(const struct convert_context *c, const struct qm_action *action, Call *call,
                const char **what)
{
    int rc;
    switch (action->type) {
    case QM_ACTION_LAUNCH:
        *what = "ACCEPT";
        rc = accept_call(c, &action->launch, call);
        return rc != 0 ? rc : (int)MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT;
    case QM_ACTION_DECLINE:
        *what = "DECLINE";
        decline_call(c->arena, action->decline.offer_ids, action->decline.n_offer_ids,
                     action->decline.refuse, call);
        return MESOS__V1__SCHEDULER__CALL__TYPE__DECLINE;
    case QM_ACTION_KILL:
        *what = "KILL";
        kill_call(c->arena, &action->kill, call);
        return MESOS__V1__SCHEDULER__CALL__TYPE__KILL;
    case QM_ACTION_ACKNOWLEDGE:
        *what = "ACKNOWLEDGE";
        acknowledge_call(c->arena, &action->acknowledge, call);
        return MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE;
    case QM_ACTION_RECONCILE:
        *what = "RECONCILE";
        reconcile_call(c->arena, action->reconcile.tasks, action->reconcile.n_tasks, call);
        return MESOS__V1__SCHEDULER__CALL__TYPE__RECONCILE;
    case QM_ACTION_SUPPRESS: /* no roles named: all of ours */
        *what = "SUPPRESS";
        return MESOS__V1__SCHEDULER__CALL__TYPE__SUPPRESS;
    case QM_ACTION_REVIVE:
        *what = "REVIVE";
        return MESOS__V1__SCHEDULER__CALL__TYPE__REVIVE;
    case QM_ACTION_PROBE:
        *what = "MESSAGE";
        probe_call(c, action, call);
        return MESOS__V1__SCHEDULER__CALL__TYPE__MESSAGE;
    case QM_ACTION_ACCEPT_INVERSE_OFFER:
        *what = "ACCEPT_INVERSE_OFFERS";
        inverse_call(c->arena, action->inverse_offer_id, true, call);
        return MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT_INVERSE_OFFERS;
    case QM_ACTION_DECLINE_INVERSE_OFFER:
        *what = "DECLINE_INVERSE_OFFERS";
        inverse_call(c->arena, action->inverse_offer_id, false, call);
        return MESOS__V1__SCHEDULER__CALL__TYPE__DECLINE_INVERSE_OFFERS;
    default:
        return -ENOTSUP;
    }
}

int convert_action(const struct convert_context *context, const struct qm_action *action,
                   struct convert_call *call)
{
    struct arena *arena = context->arena;
    const char *what = "";
    NEW(arena, message, Call, mesos__v1__scheduler__call);
    NEW(arena, framework, Mesos__V1__FrameworkID, mesos__v1__framework_id);
    int type = fill(context, action, message, &what);
    if (type < 0)
        return type;
    framework->value = arena_text(arena, context->framework_id);
    message->framework_id = framework;
    message->has_type = 1;
    message->type = (Mesos__V1__Scheduler__Call__Type)type;
    *call = convert_pack_call(arena, message, what);
    return 0;
}
