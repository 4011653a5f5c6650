/*
 * mesos-sim's core: a Mesos master with its agents as one state machine in virtual time.
 *
 * It has no sockets, processes, clocks or files. Requests, ends of processes and the time go in;
 * answers come back at once and everything else (records of event streams, processes to start)
 * waits in an output queue. The same inputs with the same seed give the same outputs, byte for
 * byte. It answers as Mesos 1.11 does, also where that is unpleasant.
 *
 * How to drive it:
 *     sim = sim_new(&cluster, seed, now_ms);
 *     for ever: feed inputs; sim_advance(sim, now_ms); while (sim_next_output(sim, &out)) ...;
 * sleep till sim_deadline(sim) Every function but the readers may add outputs. All times are
 * milliseconds; `now_ms` is wall clock time (since 1970) that never goes back. To run faster than
 * the clock, scale the time that is given.
 */
#ifndef MESOS_SIM_SIM_H
#define MESOS_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mesos/v1/executor.pb-c.h"
#include "mesos/v1/mesos.pb-c.h"
#include "mesos/v1/scheduler.pb-c.h"

struct sim;

/* ---- what the cluster is made of ---- */

/* A string with a string: attributes, images, environment, headers. */
struct sim_pair {
    const char *name;
    const char *value;
};

/* One device that the face shows to the processes of a host (mount table and directory); the core
 * ignores it. */
struct sim_device {
    const char *type;
    const char *mount;
    const char *serial;
    bool bootstrap;
};

struct sim_agent_config {
    const char *hostname; /* unique in the cluster */
    const char *region;   /* fault domain; NULL: no domain */
    const char *zone;
    /* Resource text as agents take it: "cpus:4;mem:8192;disk:10000;ports:[31000-32000]". A role in
     * brackets is a static reservation: "cpus(quobyte):2". NULL:
     * cpus:8;mem:16384;disk:100000;ports:[1000-65535]. */
    const char *resources;
    /* Resources beyond what the text can say (disks with a source): appended. Either reservation
     * format. */
    const Mesos__V1__Resource *const *more_resources;
    size_t n_more_resources;
    const struct sim_pair
        *attributes; /* numbers become SCALAR, [a-b] RANGES, {a,b} SET, all else TEXT */
    size_t n_attributes;
    const struct sim_device *devices;
    size_t n_devices;
    int64_t maintenance_start_ms; /* 0: none */
    int64_t maintenance_ms;       /* length; 0: for ever */
    const char *ip;               /* where its executor API is; NULL: 127.0.0.1 */
    uint16_t port;                /* 0: 5051 + index */
};

/* What a master restart does to its knowledge of agents (mesos --registry). */
enum sim_registry { SIM_REGISTRY_REPLICATED_LOG, SIM_REGISTRY_IN_MEMORY };

struct sim_cluster {
    const char *master_hostname; /* NULL: 127.0.0.1 */
    const char *master_region;   /* its fault domain, as SUBSCRIBED names it; NULL: none */
    const char *master_zone;
    const char *master_ip; /* NULL: 127.0.0.1 */
    uint16_t master_port;  /* 0: 5050 */
    enum sim_registry registry;
    /* Principals with their secrets; some: the scheduler API asks for basic authentication. */
    const struct sim_pair *credentials;
    size_t n_credentials;
    const char *work_dir; /* sandboxes lie under it, as <work_dir>/<hostname>/slaves/...; NULL:
                             /var/lib/mesos */
    const struct sim_agent_config *agents;
    size_t n_agents;
    const char *const *missing_images; /* as written in DockerInfo.image */
    size_t n_missing_images;
    const struct sim_pair *image_commands; /* image -> command that runs on the host in its place */
    size_t n_image_commands;
    double image_start_s; /* from launch to TASK_RUNNING of a played container */
    /* Environment that the agent's configuration adds for every process of an agent (MESOS'
     * --executor_environment_variables); called once per process. NULL: none. The pairs need to
     * live until the next call. */
    const struct sim_pair *(*agent_environment)(void *arg, size_t agent, size_t *n);
    void *agent_environment_arg;
};

/*
 * Makes a cluster whose master is up and whose agents are registered. Copies what it is given.
 * NULL: a resource text that doesn't parse or a host name given twice; *error (may be NULL) then
 * says which, to be freed by the caller.
 */
struct sim *sim_new(const struct sim_cluster *cluster, uint64_t seed, int64_t now_ms, char **error);
void sim_free(struct sim *sim);

/* Tells the time; does all that is due, in order of its due time. */
void sim_advance(struct sim *sim, int64_t now_ms);

/* When sim_advance() must be called at the latest (there is always a heartbeat or an allocation to
 * do). */
int64_t sim_deadline(const struct sim *sim);

int64_t sim_now(const struct sim *sim);

/*
 * JSON bodies and streams. `encode` gives the JSON text of a message (malloc'ed, *len without the
 * terminating zero). `decode` returns a message that protobuf_c_message_free_unpacked(message,
 * NULL) can free, or NULL with *error set to a malloc'ed full answer text: "Failed to parse body
 * into JSON: ..." or "Failed to convert JSON into Call protobuf: ...". Without this table JSON is
 * refused like a foreign content type.
 */
struct sim_json {
    char *(*encode)(const ProtobufCMessage *message, size_t *len);
    ProtobufCMessage *(*decode)(const ProtobufCMessageDescriptor *type, const uint8_t *body,
                                size_t len, char **error);
};
void sim_set_json(struct sim *sim, const struct sim_json *json);

/* ---- HTTP ---- */

#define SIM_MASTER (-1) /* target of a request; agents are their index */

struct sim_request {
    uint64_t connection; /* the face's number for the TCP connection; never used twice */
    int target;
    const char *method;
    const char *path; /* without query */
    const struct sim_pair *headers;
    size_t n_headers;
    const uint8_t *body;
    size_t body_len;
    bool follower; /* to a master that does not lead: it lets in whom the leader would, no more */
};

enum sim_response_kind {
    SIM_NOT_MINE, /* not a path of the scheduler or executor API: the face answers */
    SIM_ANSWER,   /* status, headers, body */
    SIM_STREAM,   /* head with status 200, then SIM_OUT_RECORD outputs with this stream's number, in
                     chunks */
    SIM_HANG_UP,  /* close the connection without an answer */
};

#define SIM_MAX_HEADERS 4

struct sim_response {
    enum sim_response_kind kind;
    int status;
    uint64_t stream; /* SIM_STREAM only */
    struct {
        char name[32];
        char value[128];
    } headers[SIM_MAX_HEADERS]; /* all but Date, Content-Length and Transfer-Encoding */
    size_t n_headers;
    char *body; /* text; NULL: empty */
};

/*
 * One complete request. The paths are /api/v1/scheduler, /master/api/v1/scheduler on the master and
 * /api/v1/executor, /slave(1)/api/v1/executor on agents; trailing slashes are ignored. Outputs that
 * the request causes are queued: send the answer first.
 */
void sim_request(struct sim *sim, const struct sim_request *request, struct sim_response *response);
void sim_response_deinit(struct sim_response *response);

/* Does a connect to this target succeed now? (false: killed agent, restarting master) */
bool sim_listens(const struct sim *sim, int target);

/* The client closed this connection, or half-closed it. Unknown numbers are fine. */
void sim_connection_closed(struct sim *sim, uint64_t connection);

/* ---- outputs ---- */

enum sim_output_kind {
    SIM_OUT_RECORD,  /* stream, connection, data: one RecordIO record, length line included; send as
                        one chunk */
    SIM_OUT_END,     /* stream, connection: end of body (zero chunk); the connection stays open */
    SIM_OUT_HANG_UP, /* connection: close it without end of body */
    SIM_OUT_HANG_UP_ALL,    /* target: close every connection to it, without end of body */
    SIM_OUT_START_PROCESS,  /* container, process */
    SIM_OUT_SIGNAL_PROCESS, /* container, signal: to its whole process group */
    SIM_OUT_CONTAINER_GONE, /* container: its record is closed; forget it */
};

struct sim_process {
    size_t agent;
    bool executor; /* a custom executor; else the command of a task */
    bool shell; /* /bin/sh -c value; else value is the file and argv its arguments, argv[0] included
                 */
    const char *value;
    const char *const *argv;
    size_t n_argv;
    const char *user;                   /* NULL: don't change */
    const char *sandbox;                /* directory to make and to start in (MESOS_SANDBOX) */
    const struct sim_pair *environment; /* complete but for PATH; later entries win */
    size_t n_environment;
    const Mesos__V1__CommandInfo *command; /* for its uris: to be fetched into the sandbox first */
    const char *framework_id;
    const char *executor_id;
};

struct sim_output {
    enum sim_output_kind kind;
    int target;
    uint64_t connection;
    uint64_t stream;
    const uint8_t *data;
    size_t len;
    const char *container;
    int signal;
    const struct sim_process *process;
};

/* Takes the oldest output; what it points at lives until the next call of any function of this file
 * but readers. */
bool sim_next_output(struct sim *sim, struct sim_output *out);

/*
 * ---- processes ----
 *
 * Each START_PROCESS is answered by sim_process_started() (its URIs are fetched, it runs) and later
 * sim_process_exited(), or by sim_process_failed() alone. Containers that the core no longer knows
 * are ignored.
 */

void sim_process_started(struct sim *sim, const char *container, uint32_t pid);
/* It ended; `status` as from waitpid(). A missing file is an exit with 127 or 1, as the launcher
 * gives it. */
void sim_process_exited(struct sim *sim, const char *container, int status);
/* It never ran. `why` completes "Failed to launch container: ...", e.g. a fetch that failed. */
void sim_process_failed(struct sim *sim, const char *container, const char *why);

/* ---- faults; 0, or -ENOENT (no such thing), -EALREADY (is so already), -EINVAL (not possible now)
 * ---- */

int sim_agent_find(const struct sim *sim, const char *hostname); /* index or -1 */
int sim_agent_kill(struct sim *sim, size_t agent); /* kill -9 of the agent, its tasks live on */
int sim_agent_restart(struct sim *sim, size_t agent,
                      bool new_id); /* start it (kills it first when it runs) */
int sim_agent_reboot(struct sim *sim,
                     size_t agent); /* host reboot: all processes end, agent comes back at once */
int sim_agent_partition(struct sim *sim,
                        size_t agent); /* no message passes between it and the master */
int sim_agent_heal(struct sim *sim, size_t agent);
int sim_agent_drain(struct sim *sim, size_t agent, int64_t max_grace_ms /* -1: none */,
                    bool mark_gone);
int sim_agent_deactivate(struct sim *sim, size_t agent);
int sim_agent_reactivate(struct sim *sim, size_t agent);
int sim_agent_gone(struct sim *sim, size_t agent); /* operator's mark: gone for ever */
int sim_agent_maintenance(struct sim *sim, size_t agent, int64_t start_ms,
                          int64_t length_ms); /* start 0: ends it */
/* Tasks are found by task id in all frameworks. */
int sim_task_fail(struct sim *sim,
                  const char *task_id); /* its process or container ends with status 1 */
int sim_task_unhealthy(struct sim *sim, const char *task_id); /* health checks fail from now on */
int sim_task_healthy(struct sim *sim, const char *task_id);
int sim_master_restart(struct sim *sim); /* kill -9 and a new one on the same port */
/* By an operator. -ENOENT: no such framework. */
int sim_framework_teardown(struct sim *sim, const char *id);
/* Other processes than the one that leads are the face's matter. The leading one is killed, and no
 * other comes ... */
int sim_master_stop(struct sim *sim);
/* ... before this one is elected, which then recovers for a second and knows no frameworks. `id` is
 * a new process' own, from sim_master_new_id(). -EINVAL: one leads. */
int sim_master_elect(struct sim *sim, const char *id, uint16_t port);
void sim_master_new_id(struct sim *sim, char id[37]);
int sim_connections_drop(struct sim *sim); /* cuts every scheduler stream without end of body */
int sim_updates_hold(
    struct sim *sim); /* status updates of agents queue up before the master's sender ... */
int sim_updates_release(struct sim *sim);            /* ... and all go out */
int sim_updates_duplicate(struct sim *sim, bool on); /* from now on each one goes out twice */
int sim_image_missing(struct sim *sim, const char *image, bool missing);

/* ---- readers, for /state and its kin. Pointers live until the next input. ---- */

struct sim_master_view {
    const char *id;
    const char *pid; /* master@ip:port */
    const char *hostname;
    const char *ip;
    uint16_t port;
    int64_t start_ms;
    int64_t elected_ms;
    bool ready; /* false: answers 503 "Master has not finished recovery" */
};
void sim_master_look(const struct sim *sim, struct sim_master_view *view);

struct sim_framework;
struct sim_task;
struct sim_offer;
struct sim_agent;

/* Oldest first; `after` NULL gives the first. Completed frameworks are a list of their own. */
const struct sim_framework *sim_framework_next(const struct sim *sim, bool completed,
                                               const struct sim_framework *after);

struct sim_framework_view {
    const char *id;
    const Mesos__V1__FrameworkInfo *info;
    const Mesos__V1__Scheduler__OfferConstraints *constraints; /* NULL: none */
    bool active;
    bool connected;
    bool recovered;
    int64_t registered_ms;
    int64_t reregistered_ms; /* 0: never */
    int64_t unregistered_ms; /* 0: not completed */
    const Mesos__V1__Resource *const *used_resources;
    size_t n_used_resources;
    const Mesos__V1__Resource *const *offered_resources;
    size_t n_offered_resources;
};
void sim_framework_look(const struct sim *sim, const struct sim_framework *framework,
                        struct sim_framework_view *view);

enum sim_task_list { SIM_TASKS, SIM_TASKS_UNREACHABLE, SIM_TASKS_COMPLETED };
const struct sim_task *sim_task_next(const struct sim_framework *framework, enum sim_task_list list,
                                     const struct sim_task *after);

struct sim_task_view {
    const Mesos__V1__TaskInfo *info;
    const char *framework_id;
    const char *executor_id; /* "" for command tasks */
    const char *agent_id;
    const char *role;
    const char *user; /* NULL: its command names none */
    Mesos__V1__TaskState state;
    const Mesos__V1__TaskStatus *const
        *statuses; /* oldest first; only the latest of equal states */
    size_t n_statuses;
};
void sim_task_look(const struct sim_task *task, struct sim_task_view *view);

/* Custom executors that the master knows of, with the agent they are on. */
struct sim_executor_view {
    const Mesos__V1__ExecutorInfo *info;
    const char *agent_id;
};
/* Number `index`; false: no more. */
bool sim_executor_look(const struct sim *sim, const struct sim_framework *framework, size_t index,
                       struct sim_executor_view *view);

const struct sim_offer *sim_offer_next(const struct sim_framework *framework,
                                       const struct sim_offer *after);
/* As the framework got it. */
const Mesos__V1__Offer *sim_offer_look(const struct sim_offer *offer);

enum sim_agent_list { SIM_AGENTS_REGISTERED, SIM_AGENTS_RECOVERED, SIM_AGENTS_UNREACHABLE };
const struct sim_agent *sim_agent_next(const struct sim *sim, enum sim_agent_list list,
                                       const struct sim_agent *after);

struct sim_agent_view {
    const char *id;
    size_t index; /* in the cluster */
    const Mesos__V1__AgentInfo *info;
    const char *pid; /* slave(1)@ip:port */
    bool connected;
    bool active;
    bool deactivated;
    int64_t registered_ms;
    int64_t reregistered_ms; /* 0: never */
    const Mesos__V1__Resource *const *used_resources;
    size_t n_used_resources;
    const Mesos__V1__Resource *const *offered_resources;
    size_t n_offered_resources;
    const char *drain_state;      /* NULL, "DRAINING", "DRAINED" */
    int64_t maintenance_start_ms; /* 0: none */
    int64_t maintenance_ms;       /* length; 0: for ever */
};
void sim_agent_look(const struct sim *sim, const struct sim_agent *agent,
                    struct sim_agent_view *view);

#endif
