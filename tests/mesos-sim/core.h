/*
 * What the rooms of the simulator's core share. The master's knowledge (framework.c, offers.c,
 * tasks.c, agents.c, ...) and the agents' own (host.c, executor.c, updates.c, play.c) are kept
 * apart: they speak through the functions that are named core_master_* and core_host_* below, which
 * stand for messages and do nothing while no message can pass.
 */
#ifndef MESOS_SIM_CORE_H
#define MESOS_SIM_CORE_H

#include <sys/queue.h>

#include "sim.h"

#define HEARTBEAT_MS             15000
#define ALLOCATION_INTERVAL_MS   1000
#define PING_MS                  15000
#define MAX_MISSED_PINGS         5
#define REREGISTER_TIMEOUT_MS    (10 * 60 * 1000)
#define MAX_COMPLETED_FRAMEWORKS 50
#define MAX_COMPLETED_TASKS      1000
#define RETRY_MIN_MS             10000
#define RETRY_MAX_MS             (10 * 60 * 1000)
#define EXECUTOR_REGISTRATION_MS 60000
#define EXECUTOR_RETURN_MS       2000
#define EXECUTOR_GRACE_MS        5000
#define KILL_GRACE_MS            3000
/* From the arrival of a task at the agent to its first update. */
#define LAUNCH_MS 20
/* A played container that is asked to stop needs this long. */
#define STOP_MS 50
/* A command executor lives on for a moment after its last update was acknowledged. */
#define LINGER_MS 1000

typedef Mesos__V1__Resource resource_t;
typedef Mesos__V1__TaskStatus status_t;
typedef Mesos__V1__TaskInfo task_info_t;
typedef Mesos__V1__ExecutorInfo executor_info_t;
typedef Mesos__V1__FrameworkInfo framework_info_t;
typedef Mesos__V1__Scheduler__Call call_t;
typedef Mesos__V1__Scheduler__Event event_t;
typedef Mesos__V1__Executor__Call executor_call_t;
typedef Mesos__V1__Executor__Event executor_event_t;

#define EACH(var, head, field) TAILQ_FOREACH (var, head, field)
/* Safe against removal of `var`. */
#define EACH_SAFE(var, next, head, field)                                                          \
    for ((var) = TAILQ_FIRST(head); (var) && ((next) = TAILQ_NEXT(var, field), 1); (var) = (next))

/* ---- base.c: memory (ends the process when there is none), random numbers, ids ---- */

void *sim_zalloc(size_t size);
void *sim_grow(void *memory, size_t count, size_t size);
char *sim_dup(const char *text); /* NULL gives NULL */
char *sim_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
uint64_t sim_random(struct sim *sim);
void sim_uuid(struct sim *sim, uint8_t uuid[16]); /* version 4 */
void sim_uuid_text(struct sim *sim, char text[37]);
void *sim_copy(const void *message); /* deep copy of a protobuf message; NULL gives NULL */
void sim_drop(void *message);        /* frees it */
bool sim_same_message(const void *a, const void *b); /* by content; either may be NULL */
bool sim_same_text(const char *a, const char *b);    /* either may be NULL */

/* Growing text. */
struct text {
    char *s;
    size_t len;
};
void core_text_add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* debug_text.c: the message as protobuf's debug text, indented. */
void core_debug_text_add(struct text *text, const ProtobufCMessage *message, int depth);

/* ---- timers.c ---- */

struct sim_timer {
    int64_t due;
    uint64_t order;
    size_t place; /* in the heap, from 1; 0: stopped */
    void (*fire)(struct sim *sim, void *owner);
    void *owner;
};
void core_timer_set(struct sim *sim, struct sim_timer *timer, int64_t due,
                    void (*fire)(struct sim *, void *), void *owner);
void core_timer_stop(struct sim *sim, struct sim_timer *timer);

/* ---- output.c ---- */

void core_output_record(struct sim *sim, int target, uint64_t stream, uint64_t connection,
                        bool json, const void *message);
void core_output_end(struct sim *sim, int target, uint64_t stream, uint64_t connection);
void core_output_hang_up(struct sim *sim, uint64_t connection);
void core_output_hang_up_all(struct sim *sim, int target);
void core_output_process(struct sim *sim, const char *container, const struct sim_process *process);
void core_output_signal(struct sim *sim, const char *container, int signal);
void core_output_gone(struct sim *sim, const char *container);
void core_output_clear(struct sim *sim);

/* ---- resources.c, resource_text.c: lists in the new reservation format ---- */

struct res {
    resource_t **v;
    size_t n;
};
void core_res_clear(struct res *res);
void core_res_add(struct res *res, const resource_t *resource);
void core_res_add_all(struct res *res, const struct res *more);
/* Takes away what is there of it. */
void core_res_subtract(struct res *res, const struct res *less);
bool core_res_contains(const struct res *have, const struct res *want);
void core_res_read(struct res *out, resource_t *const *v, size_t n); /* copies, upgrades, adds up */
void core_res_allocate(struct res *res, const char *role);           /* where no role is set yet */
void core_res_unallocate(struct res *res);
int64_t core_res_scalar(const struct res *res,
                        const char *name);                      /* in thousandths, over all roles */
bool core_res_is_offerable(const struct res *res);              /* cpus:0.01 or mem:32 */
const char *core_res_reserved_role(const resource_t *resource); /* NULL: unreserved */
void core_res_upgrade(resource_t *resource);
void core_res_downgrade(resource_t *resource); /* to the old format */
char *core_res_text(const struct res *res);
char *core_resource_text(const resource_t *resource, bool with_roles);
const char *core_resource_invalid(const resource_t *resource); /* Mesos' text, NULL when fine */
bool core_res_parse(struct res *out, const char *text, char **error);
void core_attribute_parse(Mesos__V1__Attribute *out, const char *name, const char *value);
int64_t core_milli(double value);

/* ---- the master's books ---- */

struct host;
struct sim_framework;

enum agent_state {
    AGENT_CONNECTED,
    AGENT_DISCONNECTED,
    AGENT_UNREACHABLE,
    AGENT_RECOVERED, /* known from the registry only, since a master restart */
    AGENT_GONE,
    AGENT_REMOVED,
};

struct pending_kill {
    TAILQ_ENTRY(pending_kill) next;
    char *framework_id;
    char *task_id;
    Mesos__V1__KillPolicy *policy;
};

/* A custom executor as the master knows it. */
struct known_executor {
    TAILQ_ENTRY(known_executor) next;
    char *framework_id;
    executor_info_t *info;
    struct res resources;
};

struct sim_agent {
    TAILQ_ENTRY(sim_agent) next;
    struct sim *sim;
    char *id;
    size_t index;
    Mesos__V1__AgentInfo *info;
    enum agent_state state;
    bool deactivated;
    bool draining;
    bool drained;
    bool mark_gone;
    int64_t max_grace_ms;
    struct res total;
    struct res used;
    struct res offered;
    struct sim_timer ping;
    int missed;
    struct sim_timer reregister;
    int64_t registered_ms;
    int64_t reregistered_ms;
    int64_t unreachable_ms;
    int64_t maintenance_start_ms;
    int64_t maintenance_ms;
    TAILQ_HEAD(, pending_kill) kills;
    TAILQ_HEAD(, known_executor) executors;
};

struct role {
    char *name;
    bool suppressed;
    int64_t cpus, mem, disk; /* allocated and offered, in thousandths */
};

struct filter {
    TAILQ_ENTRY(filter) next;
    struct sim_agent *agent;
    char *role;
    struct res amount;
    int64_t ends;
};

struct inverse_offer {
    TAILQ_ENTRY(inverse_offer) next;
    struct sim_agent *agent;
    char *id; /* NULL: answered; no new one before `quiet_till` */
    int64_t quiet_till;
};

struct sim_offer {
    TAILQ_ENTRY(sim_offer) next;
    struct sim_framework *framework;
    struct sim_agent *agent;
    char *role;
    struct res resources; /* allocated to the role */
    Mesos__V1__Offer *message;
    bool sent;
};

struct sim_task {
    TAILQ_ENTRY(sim_task) next;
    struct sim_framework *framework;
    struct sim_agent *agent; /* NULL once its record is closed */
    task_info_t *info;
    char *executor_id;
    char *role;
    enum sim_task_list list;
    Mesos__V1__TaskState state; /* last forwarded */
    bool freed;                 /* its resources are given back */
    struct res resources;
    status_t **statuses;
    size_t n_statuses;
    status_t *last; /* the last forwarded update; NULL: none yet */
};
TAILQ_HEAD(task_head, sim_task);

enum framework_state {
    FRAMEWORK_CONNECTED,
    FRAMEWORK_DISCONNECTED,
    FRAMEWORK_RECOVERED,
    FRAMEWORK_COMPLETED
};

struct constraints;

struct sim_framework {
    TAILQ_ENTRY(sim_framework) next;
    struct sim *sim;
    framework_info_t *info; /* with its id */
    const char *id;
    enum framework_state state;
    bool partition_aware, task_killing, multi_role, refinement;
    struct role *roles;
    size_t n_roles;
    struct constraints *constraints; /* NULL: none */
    uint64_t stream;
    uint64_t connection;
    bool json;
    char stream_id[37];
    struct sim_timer heartbeat;
    struct sim_timer failover;
    int64_t registered_ms;
    int64_t reregistered_ms;
    int64_t unregistered_ms;
    struct task_head tasks[3]; /* by enum sim_task_list */
    size_t n_completed_tasks;
    TAILQ_HEAD(, sim_offer) offers;
    TAILQ_HEAD(, filter) filters;
    TAILQ_HEAD(, inverse_offer) inverse_offers;
    struct res used; /* for views */
    struct res offered;
};

struct held_event {
    TAILQ_ENTRY(held_event) next;
    char *framework_id;
    event_t *event;
};

/* ---- the agents' side ---- */

enum executor_kind {
    EXECUTOR_COMMAND, /* made by the agent around one command */
    EXECUTOR_DOCKER,  /* the same around one played container */
    EXECUTOR_CUSTOM,
};

enum executor_state {
    EXECUTOR_REGISTERING,
    EXECUTOR_RUNNING,
    EXECUTOR_TERMINATING,
    EXECUTOR_TERMINATED
};

struct work;

struct executor {
    TAILQ_ENTRY(executor) next;
    struct host *host;
    enum executor_kind kind;
    enum executor_state state;
    framework_info_t *framework;
    executor_info_t *info; /* made up for command and docker tasks */
    char container[37];
    char *sandbox;
    uint32_t pid;
    bool process;  /* a real process was asked for and has not ended */
    bool returned; /* after an agent restart: has subscribed again */
    bool ever_launched;
    bool abandoned; /* its framework is gone: nothing of it is passed on */
    bool died;      /* while the agent was away, with `died_status` */
    int died_status;
    uint64_t stream; /* 0: none */
    uint64_t connection;
    bool json;
    struct sim_timer registration;
    struct sim_timer grace;
    Mesos__V1__TaskStatus__Reason end_reason; /* for its tasks, when the agent ends it */
    Mesos__V1__TaskState end_state;
    char *end_message;
    TAILQ_HEAD(, work) works;
};

/* A task at its agent. */
struct work {
    TAILQ_ENTRY(work) next;
    struct executor *executor;
    task_info_t *info;
    bool delivered; /* the executor has it */
    bool updated;   /* the executor has said something about it */
    bool ended;     /* terminal state seen */
    Mesos__V1__TaskState state;
    /* below: played tasks only */
    struct sim_timer step; /* start, stop, end by itself */
    struct sim_timer check;
    struct sim_timer force; /* SIGKILL after the grace */
    struct sim_timer limit; /* max_completion_time */
    bool running;
    bool killing;
    bool overdue;
    bool failing_checks;
    bool has_health;
    bool healthy;
    uint32_t failures;
    int64_t running_since;
    int exit_code;
};

struct pending_update {
    TAILQ_ENTRY(pending_update) next;
    status_t *status;
};

/* Updates of one task on their way to the scheduler. */
struct update_stream {
    TAILQ_ENTRY(update_stream) next;
    struct host *host;
    char *framework_id;
    char *task_id;
    bool checkpoint;
    bool terminal; /* its terminal update was taken in */
    Mesos__V1__TaskState latest;
    struct executor *executor; /* NULL: none or gone */
    TAILQ_HEAD(, pending_update) updates;
    uint8_t (*seen)[16]; /* uuids taken in */
    size_t n_seen;
    struct sim_timer retry;
    int64_t interval;
};

enum host_state { HOST_DOWN, HOST_STARTING, HOST_RECOVERING, HOST_UP };

struct host {
    struct sim *sim;
    size_t index;
    char *hostname;
    char *ip;
    uint16_t port;
    char *pid; /* slave(1)@ip:port */
    struct res
        resources; /* as configured; `total` of its agent record has reservations made later */
    Mesos__V1__AgentInfo *info; /* without id */
    char *id;                   /* NULL: not yet given */
    enum host_state state;
    bool partitioned;
    bool registered; /* with the present master */
    bool lost;       /* the master has removed its id for good */
    int64_t maintenance_start_ms;
    int64_t maintenance_ms;
    struct sim_timer step;      /* start, recovery */
    struct sim_timer register_; /* next attempt to register */
    TAILQ_HEAD(, executor) executors;
    TAILQ_HEAD(, update_stream) streams;
};

enum master_state { MASTER_DOWN, MASTER_ROUTES_MISSING, MASTER_RECOVERING, MASTER_UP };

struct output_entry;

struct sim {
    int64_t now;
    uint64_t random;
    const struct sim_json *json;
    struct sim_timer **timers;
    size_t n_timers;
    size_t timers_size;
    uint64_t timer_order;
    TAILQ_HEAD(, output_entry) outputs;
    struct output_entry *taken;
    uint64_t last_stream;

    /* the cluster */
    char *work_dir;
    double image_start_s;
    char **missing_images;
    size_t n_missing_images;
    char **image_commands; /* image, command, image, command ... */
    size_t n_image_commands;
    const struct sim_pair *(*agent_environment)(void *arg, size_t agent, size_t *n);
    void *agent_environment_arg;
    enum sim_registry registry;
    struct sim_pair *credentials; /* principal, and the Authorization header that it sends */
    size_t n_credentials;
    struct host *hosts;
    size_t n_hosts;

    /* the master */
    enum master_state master;
    char master_id[37];
    char *master_hostname;
    char *master_region; /* NULL: no domain */
    char *master_zone;
    char *master_ip;
    uint16_t master_port;
    char *master_pid;
    int64_t master_start;
    int64_t master_elected;
    struct sim_timer master_step;
    uint64_t next_framework, next_offer, next_agent;
    TAILQ_HEAD(framework_head, sim_framework) frameworks;
    struct framework_head completed;
    size_t n_completed;
    TAILQ_HEAD(, sim_agent) agents;
    struct sim_timer allocation;
    bool updates_held;
    bool updates_doubled;
    TAILQ_HEAD(, held_event) held;
};

/* ---- http.c, executor_http.c ---- */

void core_answer(struct sim_response *response, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void core_answer_stream(struct sim *sim, struct sim_response *response, bool json,
                        const char *stream_id);
const char *core_request_header(const struct sim_request *request, const char *name);
/* Checks method and content type and unpacks the body; NULL: *response is the refusal. */
void *core_request_message(struct sim *sim, const struct sim_request *request,
                           struct sim_response *response, const ProtobufCMessageDescriptor *type);
/* 1: JSON, 0: protobuf, -1: neither. */
int core_request_accepts(const struct sim_request *request);
bool core_uuid_is_valid(const ProtobufCBinaryData *uuid);
void core_scheduler_request(struct sim *sim, const struct sim_request *request,
                            struct sim_response *response);
void core_executor_request(struct sim *sim, const struct sim_request *request,
                           struct sim_response *response);

/* ---- framework.c, framework_info.c ---- */

struct sim_framework *core_framework_find(struct sim *sim, const char *id);
struct sim_framework *core_framework_new(struct sim *sim, const framework_info_t *info,
                                         const char *id);
void core_framework_subscribe(struct sim *sim, const call_t *call, uint64_t connection, bool json,
                              struct sim_response *response);
void core_framework_disconnect(struct sim_framework *framework);
/* TEARDOWN, failover timeout. */
void core_framework_remove(struct sim_framework *framework);
void core_framework_free(struct sim_framework *framework);
void core_framework_update(struct sim_framework *framework, const call_t *call,
                           struct sim_response *response);
/* To the scheduler; nothing while it is not connected. */
void core_framework_send(struct sim_framework *framework, const event_t *event);
void core_framework_send_failure(struct sim_framework *framework, const char *agent_id,
                                 const char *executor_id, const int *status);
struct role *core_framework_role(struct sim_framework *framework, const char *name);
void core_framework_set_info(struct sim_framework *framework, const framework_info_t *info);
void core_framework_suppress(struct sim_framework *framework, char *const *roles, size_t n);
char *core_framework_invalid(const framework_info_t *info, char *const *suppressed,
                             size_t n_suppressed);
char *core_framework_change_invalid(const framework_info_t *old, const framework_info_t *new);
char *core_id_invalid(const char *id);
char *core_role_invalid(const char *role);
bool core_framework_has(const framework_info_t *info,
                        Mesos__V1__FrameworkInfo__Capability__Type type);

/* ---- calls.c ---- */

void core_call_do(struct sim_framework *framework, const call_t *call,
                  struct sim_response *response);

/* ---- offers.c, filters.c, maintenance.c ---- */

void core_allocate(struct sim *sim);
void core_allocation_fire(struct sim *sim, void *owner);
struct sim_offer *core_offer_find(struct sim *sim, const char *id);
/* Forgets the offer. Its resources are free again unless they were taken from it before
 * (offer->resources). */
void core_offer_free(struct sim_offer *offer);
void core_offer_rescind(struct sim_offer *offer);
void core_offers_rescind_agent(struct sim_agent *agent);
int64_t core_refuse_ms(const Mesos__V1__Filters *filters);
void core_filter_add(struct sim_framework *framework, struct sim_agent *agent, const char *role,
                     const struct res *amount, int64_t refuse_ms);
bool core_filter_holds(struct sim_framework *framework, struct sim_agent *agent, const char *role,
                       const struct res *amount);
/* role NULL: all. */
void core_filters_drop(struct sim_framework *framework, const char *role);
void core_filters_drop_agent(struct sim *sim, struct sim_agent *agent);
void core_filter_free(struct sim_framework *framework, struct filter *filter);
void core_account(struct sim_framework *framework, const char *role, const struct res *amount,
                  int sign);
void core_maintenance_set(struct sim_agent *agent, int64_t start_ms, int64_t length_ms);
void core_inverse_offers_make(struct sim *sim);
void core_inverse_offers_answer(struct sim_framework *framework, Mesos__V1__OfferID *const *ids,
                                size_t n, const Mesos__V1__Filters *filters);
void core_inverse_offers_drop(struct sim_framework *framework, struct sim_agent *agent,
                              bool rescind);
void core_inverse_offers_clear_filters(struct sim_framework *framework);

/* ---- constraints.c ---- */

/* NULL and *ret (NULL for no message), or what Mesos says against it. */
char *core_constraints_read(const Mesos__V1__Scheduler__OfferConstraints *message,
                            struct constraints **ret);
void core_constraints_free(struct constraints *constraints); /* NULL-safe */
const Mesos__V1__Scheduler__OfferConstraints *
core_constraints_message(const struct constraints *constraints);
/* May this agent be offered to the role? NULL constraints admit all. */
bool core_constraints_admit(const struct constraints *constraints, const char *role,
                            const Mesos__V1__AgentInfo *info);
/* Is it worth an offer, by the framework's offer filter for the role or by Mesos' rule? */
bool core_offer_is_enough(const framework_info_t *info, const char *role, const struct res *amount);

/* ---- accept.c, operations.c, validate.c, validate_task.c ---- */

void core_accept_offers(struct sim_framework *framework,
                        const Mesos__V1__Scheduler__Call__Accept *accept);
/* What the launches of one ACCEPT draw on. */
struct grant {
    struct sim_framework *framework;
    struct sim_agent *agent;
    const char *role;
    struct res left;
};
char *core_task_invalid(struct grant *grant, const task_info_t *task);
char *core_executor_invalid(struct grant *grant, const task_info_t *task);
char *core_command_invalid(const Mesos__V1__CommandInfo *command);
char *core_container_invalid(const Mesos__V1__ContainerInfo *container);
char *core_resources_malformed(resource_t *const *v, size_t n);
/* To the scheduler, when the operation has an id. `agent` NULL: made by the master, without uuid.
 */
void core_operation_status(struct sim_framework *framework,
                           const Mesos__V1__Offer__Operation *operation,
                           const struct sim_agent *agent, Mesos__V1__OperationState state,
                           const char *message);
void core_operation_do(struct grant *grant, const Mesos__V1__Offer__Operation *operation);

/* ---- tasks.c ---- */

struct sim_task *core_task_find(struct sim_framework *framework, const char *id);
struct sim_task *core_task_find_in(struct sim_framework *framework, enum sim_task_list list,
                                   const char *id);
struct sim_task *core_task_new(struct sim_framework *framework, struct sim_agent *agent,
                               const task_info_t *info, const char *executor_id);
/* Gives its resources back (once). */
void core_task_release(struct sim_task *task);
void core_task_free(struct sim_task *task);
void core_task_move(struct sim_task *task, enum sim_task_list list);
void core_task_record(struct sim_task *task, const status_t *status);
bool core_is_terminal(Mesos__V1__TaskState state);
/* A status made by the master, sent at once; task_id and agent_id may belong to no task. */
struct master_status {
    const char *task_id;
    const char *agent_id;    /* NULL: none */
    const char *executor_id; /* NULL: none */
    Mesos__V1__TaskState state;
    int reason; /* -1: none */
    const char *message;
    int64_t unreachable_ms; /* 0: none */
    const status_t *latest; /* healthy, checks and container are taken over; NULL: none */
};
void core_status_send(struct sim_framework *framework, const struct master_status *status,
                      struct sim_task *task);
void core_update_send(struct sim_framework *framework, const status_t *status);
/* PARTITION_AWARE frameworks hear the precise state, others TASK_LOST. */
Mesos__V1__TaskState core_state_for(const struct sim_framework *framework,
                                    Mesos__V1__TaskState state);
void core_reconcile(struct sim_framework *framework,
                    const Mesos__V1__Scheduler__Call__Reconcile *reconcile);
void core_reconcile_one(struct sim_framework *framework, const char *task_id, const char *agent_id);
void core_held_release(struct sim *sim);
void core_held_clear(struct sim *sim);

/* ---- agents.c, registration.c ---- */

struct sim_agent *core_agent_find(struct sim *sim, const char *id);
struct host *core_agent_host(struct sim_agent *agent); /* NULL unless messages reach it */
struct sim_agent *core_agent_new(struct sim *sim, struct host *host, const char *id);
/* Starts to send pings, if that isn't done yet. */
void core_agent_watch(struct sim_agent *agent);
/* It has 10 minutes to register again. */
void core_agent_expect_return(struct sim_agent *agent);
void core_agent_free(struct sim_agent *agent);
void core_agent_mark_unreachable(struct sim_agent *agent, const char *message);
void core_agent_remove(struct sim_agent *agent, Mesos__V1__TaskState state, int reason,
                       enum agent_state end, const char *message);
struct known_executor *core_agent_executor(struct sim_agent *agent, const char *framework_id,
                                           const char *executor_id);
void core_known_executor_add(struct sim_agent *agent, struct sim_framework *framework,
                             const executor_info_t *info, const struct res *resources);
void core_known_executor_drop(struct sim_agent *agent, struct known_executor *executor);
void core_agent_check_drained(struct sim_agent *agent);
void core_registry_recovered(struct sim *sim);

/* Messages from agents. */
void core_master_register(struct sim *sim, struct host *host);
void core_master_socket_closed(struct sim *sim, struct host *host);
void core_master_update(struct sim *sim, struct host *host, const char *framework_id,
                        const status_t *status, Mesos__V1__TaskState latest);
void core_master_executor_exited(struct sim *sim, struct host *host, const char *framework_id,
                                 const char *executor_id, int status);
void core_master_message(struct sim *sim, struct host *host, const char *framework_id,
                         const char *executor_id, const ProtobufCBinaryData *data);

/* ---- host.c ---- */

bool core_host_init(struct host *host, struct sim *sim, size_t index,
                    const struct sim_agent_config *config, char **error);
void core_host_deinit(struct host *host);
bool core_host_is_linked(const struct host *host); /* messages pass between it and the master */
void core_host_registered(struct host *host, const char *id);
void core_host_master_lost(struct host *host); /* the master is a new one: register again */
void core_host_kill(struct host *host);
/* The master wants it no more: it ends with all its tasks, and is a new agent when it is started
 * again. */
void core_host_dismissed(struct host *host);
void core_host_start(struct host *host, int64_t delay, bool new_id);
void core_host_register_in(struct host *host, int64_t delay);
void core_host_abandon_executors(struct host *host); /* ends all, without a word */
void core_host_check_executor(
    struct executor *executor); /* closes its record when nothing is left */

/* Messages from the master. */
void core_host_launch(struct host *host, struct sim_framework *framework, const task_info_t *task);
void core_host_kill_task(struct host *host, const char *framework_id, const char *task_id,
                         const Mesos__V1__KillPolicy *policy);
void core_host_shutdown_executor(struct host *host, const char *framework_id,
                                 const char *executor_id);
void core_host_shutdown_framework(struct host *host, const char *framework_id);
void core_host_acknowledge(struct host *host, const char *framework_id, const char *task_id,
                           const ProtobufCBinaryData *uuid);
void core_host_message(struct host *host, const char *framework_id, const char *executor_id,
                       const ProtobufCBinaryData *data);
void core_host_framework_changed(struct host *host, const framework_info_t *info);
void core_host_drain(struct host *host, int64_t max_grace_ms);

/* ---- executor.c ---- */

struct executor *core_executor_find(struct host *host, const char *framework_id,
                                    const char *executor_id);
struct executor *core_executor_find_container(struct sim *sim, const char *container);
struct executor *core_executor_new(struct host *host, const framework_info_t *framework,
                                   enum executor_kind kind, const executor_info_t *info);
void core_executor_free(struct executor *executor);
void core_executor_start(struct executor *executor);
void core_executor_give(struct executor *executor, const task_info_t *task);
void core_executor_shutdown(struct executor *executor); /* SHUTDOWN, then SIGKILL after the grace */
void core_executor_send(struct executor *executor, const executor_event_t *event);
void core_executor_send_kill(struct executor *executor, const char *task_id,
                             const Mesos__V1__KillPolicy *policy);
void core_executor_send_shutdown(struct executor *executor);
/* Its container is gone: tells the master, ends its tasks. */
void core_executor_ended(struct executor *executor, int status);
/* Destroys the container; its end brings core_executor_ended(). */
void core_executor_launch_failed(struct executor *executor, const char *message);
/* Adds what the agent adds to every status: container id, address, process. */
void core_executor_fill_container(struct executor *executor, status_t *status);
void core_executor_destroy(struct executor *executor, Mesos__V1__TaskState state, int reason,
                           const char *message);
void core_executor_process_start(struct executor *executor, const Mesos__V1__CommandInfo *command,
                                 bool custom);
const char *core_executor_image(struct executor *executor); /* NULL: none */
bool core_executor_image_missing(struct executor *executor);
bool core_executor_has_image_command(struct executor *executor);
struct work *core_executor_work(struct executor *executor, const char *task_id);
void core_work_free(struct work *work);
void core_executor_update_in(struct executor *executor, const status_t *status);
void core_executor_acknowledge(struct executor *executor, const char *task_id,
                               const ProtobufCBinaryData *uuid);
void core_executor_deliver(struct executor *executor);
/* A task of it was acknowledged to its end. */
void core_executor_task_over(struct executor *executor);

/* ---- updates.c ---- */

struct update_stream *core_stream_find(struct host *host, const char *framework_id,
                                       const char *task_id);
/* Takes in an update; the status has all but agent id. False: its uuid was seen before. */
bool core_stream_add(struct host *host, const framework_info_t *framework,
                     struct executor *executor, const status_t *status);
void core_stream_acknowledge(struct host *host, const char *framework_id, const char *task_id,
                             const ProtobufCBinaryData *uuid);
void core_streams_resend(struct host *host, const char *framework_id); /* NULL: all */
void core_streams_drop(struct host *host, const char *framework_id);   /* NULL: all */
void core_streams_drop_volatile(struct host *host);                    /* those not checkpointed */
void core_stream_free(struct update_stream *stream);
/* A status made by the agent or by one of its own executors. */
struct agent_status {
    const char *task_id;
    Mesos__V1__TaskState state;
    Mesos__V1__TaskStatus__Source source;
    int reason;          /* -1: none */
    const char *message; /* NULL: none */
    int healthy;         /* -1: not said */
    const char *data;    /* NULL: none */
};
void core_host_update(struct host *host, const framework_info_t *framework,
                      struct executor *executor, const struct agent_status *status);

/* ---- play.c, health.c ---- */

void core_play_start(struct work *work);
void core_play_kill(struct work *work, const Mesos__V1__KillPolicy *policy);
void core_play_process_started(struct work *work);
void core_play_process_exited(struct work *work, int status);
void play_process_failed(struct work *work, const char *why);
int core_play_fail(struct work *work);
int core_play_health(struct work *work, bool healthy);
void core_play_stop(struct work *work); /* all timers */
void core_play_update(struct work *work, Mesos__V1__TaskState state, int reason,
                      const char *message, const char *data);
void core_health_start(struct work *work);

#endif
