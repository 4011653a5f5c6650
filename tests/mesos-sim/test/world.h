/*
 * A world for tests of the simulator's core: a cluster in virtual time, schedulers that speak
 * protobuf to it, and a record of all that it put out. Whatever is expected and doesn't come fails
 * the running check test.
 */
#ifndef MESOS_SIM_TEST_WORLD_H
#define MESOS_SIM_TEST_WORLD_H

#include "sim.h"

#define START_MS INT64_C(1700000000000)

typedef Mesos__V1__Scheduler__Call call_t;
typedef Mesos__V1__Scheduler__Event event_t;
typedef Mesos__V1__Executor__Call executor_call_t;
typedef Mesos__V1__Executor__Event executor_event_t;
typedef Mesos__V1__TaskStatus status_t;

/* One output as it was taken. */
struct seen {
    int64_t at; /* since the start */
    enum sim_output_kind kind;
    int target;
    uint64_t stream;
    uint64_t connection;
    event_t *event;         /* record of a scheduler's stream */
    executor_event_t *told; /* record of an executor's stream */
    char *container;
    char *value;        /* command of a started process */
    char **environment; /* NAME=VALUE, ends with NULL */
    int signal;
};

struct world {
    struct sim *sim;
    struct seen *seen;
    size_t n_seen;
    uint64_t last_connection;
};

/* `agents` plain agents called agent-1 ..., or what the cluster says. */
void world_init(struct world *world, size_t agents);
void world_init_cluster(struct world *world, const struct sim_cluster *cluster);
void world_deinit(struct world *world);
/* Lets time pass, deadline by deadline. */
void world_run(struct world *world, int64_t ms);
int64_t world_now(const struct world *world);
/* Takes what is in the output queue. */
void world_pump(struct world *world);
/* The next output of a kind from place *from on, which is moved behind it; NULL: none. */
const struct seen *world_next(struct world *world, size_t *from, enum sim_output_kind kind);

struct scheduler {
    struct world *world;
    uint64_t connection;
    uint64_t stream;
    char id[128];
    char stream_id[64];
    size_t place; /* in world->seen: what was looked at */
    int status;   /* of the last call */
    char body[4096];
    bool keep_quiet; /* don't acknowledge by itself in scheduler_status() */
};

/* What a framework may want to be; capabilities end with 0. */
struct wishes {
    const char *id;
    const char *role; /* NULL: web */
    double failover_timeout;
    bool checkpoint;
    bool old_format; /* without RESERVATION_REFINEMENT */
    bool not_partition_aware;
    bool killing_state;
    Mesos__V1__Scheduler__OfferConstraints *constraints;
    Mesos__V1__OfferFilters *filters; /* of its role */
};

void scheduler_subscribe(struct scheduler *scheduler, struct world *world,
                         const struct wishes *wishes);
/* Sends a call (its framework id is filled in); the answer is in status and body. */
void scheduler_call(struct scheduler *scheduler, call_t *call);
/* A raw request to the scheduler API. */
void scheduler_raw(struct scheduler *scheduler, const char *method, const struct sim_pair *headers,
                   size_t n, const void *body, size_t len);
void scheduler_disconnect(struct scheduler *scheduler);
/* The next event of that type after those looked at; NULL: none so far. */
const event_t *scheduler_next(struct scheduler *scheduler, Mesos__V1__Scheduler__Event__Type type);
/* The same, and when it came. Fails the test when there is none within `within_ms`. */
const event_t *scheduler_expect(struct scheduler *scheduler, Mesos__V1__Scheduler__Event__Type type,
                                int64_t within_ms, int64_t *at);
/* Fails the test unless no such event comes in the next `ms`. */
void scheduler_expect_none(struct scheduler *scheduler, Mesos__V1__Scheduler__Event__Type type,
                           int64_t ms);
/* The next update of the task; acknowledged when it has a uuid, unless keep_quiet. */
const status_t *scheduler_status(struct scheduler *scheduler, const char *task, int64_t within_ms);
void scheduler_acknowledge(struct scheduler *scheduler, const status_t *status);
const Mesos__V1__Offer *scheduler_offer(struct scheduler *scheduler, int64_t within_ms);
void scheduler_decline(struct scheduler *scheduler, const Mesos__V1__Offer *offer,
                       double refuse_seconds);
/* refuse_seconds < 0: not given. */
void scheduler_launch(struct scheduler *scheduler, const Mesos__V1__Offer *offer,
                      Mesos__V1__TaskInfo *const *tasks, size_t n);
void scheduler_kill(struct scheduler *scheduler, const char *task, const char *agent);
void scheduler_reconcile(struct scheduler *scheduler, const char *task,
                         const char *agent); /* NULL: implicit */
void scheduler_simple(struct scheduler *scheduler, Mesos__V1__Scheduler__Call__Type type);

/* A docker task with 1 cpu and 128 MB, to be changed and freed with task_free(). */
Mesos__V1__TaskInfo *task_make(const char *id, const Mesos__V1__Offer *offer);
Mesos__V1__TaskInfo *task_make_command(const char *id, const Mesos__V1__Offer *offer,
                                       const char *command);
Mesos__V1__TaskInfo *task_make_executor(const char *id, const Mesos__V1__Offer *offer,
                                        const char *executor);
void task_free(Mesos__V1__TaskInfo *task);
/* Launches one docker task on any offer and waits for it to run; returns its agent's id (static).
 */
const char *scheduler_run_task(struct scheduler *scheduler, const char *id);

/* One call of an executor on an agent. The answer's status; *stream (may be NULL) is set for
 * SUBSCRIBE. */
int executor_send(struct world *world, size_t agent, executor_call_t *call, const char *framework,
                  const char *executor, char *body, uint64_t *stream);
const executor_event_t *executor_next(struct world *world, uint64_t stream, size_t *place);
int executor_update(struct world *world, size_t agent, const char *framework, const char *executor,
                    const char *task, Mesos__V1__TaskState state, uint8_t uuid_byte);

#endif
