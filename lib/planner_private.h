/*
 * The planner's model: hosts, agents, devices, tasks, places, services, the plan. Plain structs
 * that all rooms of the planner share; which room owns which function stands in rooms.h.
 *
 * A place is where one task of a service belongs: (host, service), or a floating service's
 * instance. Everything that depends on the number of hosts is kept as counters and lists of changed
 * hosts, so that one fact costs the same in a small cluster and in a big one.
 */
#ifndef LIB_PLANNER_PRIVATE_H
#define LIB_PLANNER_PRIVATE_H

#include <quobyte-mesos/cluster.h>
#include <quobyte-mesos/plan.h>
#include <quobyte-mesos/planner.h>
#include <quobyte-mesos/state.h>

#include "alloc.h"
#include "arena.h"
#include "hashmap.h"
#include "policy.h"
#include "rules.h"

#define QM_RECENT_OFFERS   100
#define QM_HISTORY_MAX     20   /* targets remembered in the framework's record */
#define QM_RECONCILE_BATCH 1000 /* task keys in one explicit call */
#define QM_MESSAGE_MAX     512  /* bytes kept of Mesos' and probers' texts */
#define QM_EVENTS_MAX      32   /* orders remembered, with who gave them and why */
#define QM_SUBJECT_MAX     288  /* longest step id */
#define QM_NO_PHASE        SIZE_MAX
#define QM_STAGING_MAX     QM_SECONDS(1800) /* without a word of the agent; slow images take minutes */
#define QM_SURGE_WAIT      QM_SECONDS(5) /* for an offer that has room for a successor */

struct qm_host;

struct qm_agent {
    struct qm_agent *next; /* of its host */
    struct qm_host *host;
    uint32_t n_tasks; /* recorded tasks that name it */
    bool connected;   /* heard of, and not lost since */
    char id[];
};

/* Why we stop a task (invariant: never without one of these). */
enum qm_stop_reason {
    QM_STOP_NONE,
    QM_STOP_SHUTDOWN, /* the operator shuts everything down */
    QM_STOP_ROLLOUT,  /* outdated, and its step's turn */
    QM_STOP_SURGED,   /* its successor runs */
    QM_STOP_SURPLUS,  /* its place is taken by another task */
    QM_STOP_STUCK,    /* its agent has not heard of it for long: the launch was lost on its way */
    QM_STOP_RESTART,  /* the operator wants it started again */
    QM_STOP_DRAIN,    /* the operator wants its host free */
    QM_STOP_PUT_BACK, /* not ready in time, never ran: its instance is put back */
};

/* What few tasks have. */
struct qm_task_extra {
    char *message;     /* last one of Mesos */
    char *executor_id; /* when it is not the task's id */
    uint8_t *unknown;  /* record fields of newer versions, as they came */
    size_t unknown_length;
};

struct qm_task {
    struct qm_task *next; /* on its host: by service, instance, id */
    struct qm_host *host;
    struct qm_agent *agent;
    const char *version; /* interned */
    const char *previous; /* version that its step replaced, until that is complete; NULL */
    struct qm_task_extra *extra;
    uint64_t config_hash;
    qm_time since;         /* in this stage */
    qm_time healthy_since; /* QM_TIME_NEVER: it is not */
    qm_time prodded;       /* last kill, or last question after it */
    uint16_t ports[QM_PORTS_MAX];
    uint16_t instance;
    uint8_t n_ports;
    uint8_t service;
    uint8_t stage; /* enum qm_task_stage */
    uint8_t state; /* enum qm_task_state, last heard */
    uint8_t stop;  /* enum qm_stop_reason */
    bool was_healthy : 1;
    bool health_checked : 1; /* launched with a check, or its health was told */
    bool surplus : 1;
    bool ran : 1;    /* got to RUNNING */
    bool shut_down : 1; /* ended by a shut down: nothing to repair, but its place ran once */
    bool kill_sent : 1; /* its end is ours, whenever it comes */
    bool restart : 1; /* the operator wants it stopped and started again */
    bool replace : 1; /* the operator wants it on another host */
    bool parked : 1; /* its offer went away before it was sent: the next one takes it */
    char id[];
};

/* What a place contributes to its service's counters. */
enum qm_counted {
    QM_COUNT_WANTED = 1 << 0,
    QM_COUNT_RUNNING = 1 << 1,
    QM_COUNT_HEALTHY = 1 << 2,
    QM_COUNT_AVAILABLE = 1 << 3,
    QM_COUNT_OUTDATED = 1 << 4,
    QM_COUNT_COMPLETE = 1 << 5,
    QM_COUNT_ONCE_HEALTHY = 1 << 6,
    QM_COUNT_UNAVAILABLE = 1 << 7, /* was healthy once and is not available now */
    QM_COUNT_LIVE = 1 << 8,        /* runs, or may be running on a reachable agent */
    QM_COUNT_HOLDS = 1 << 9,       /* later phases of an upgrade wait for it */
    QM_COUNT_PREPARED = 1 << 10,   /* being saved or sent */
    QM_COUNTS = 11,
};

struct qm_place {
    struct qm_host *host;  /* NULL: floating */
    struct qm_task *task;  /* live, or the dead one that says what to repair with */
    struct qm_task *surge; /* floating: the new task that starts before the old one stops */
    qm_time retry_at;      /* back-off; 0 = none; with surge_wanted: since when */
    qm_time why_since;
    qm_time timed_since; /* its step's time-out runs; 0: it does not */
    uint32_t have, want;
    uint32_t begun; /* number of the plan that moves it; 0: none does */
    uint16_t instance;
    uint16_t counted; /* enum qm_counted */
    uint8_t service;
    uint8_t failures;
    uint8_t why;    /* enum qm_reason_code of the last look */
    uint8_t status; /* enum qm_status of its step */
    bool once_healthy : 1;
    bool rolling : 1;      /* a step of ours stopped its task and is not finished */
    bool surge_wanted : 1; /* floating: its successor may start beside it */
    bool skipped : 1;      /* left out by the operator, */
    bool skipped_down : 1; /* and that until it is healthy; else until the plan ends */
    bool needs_room : 1;   /* an upgrade of it waits for an offer that shows the difference */
};

enum qm_device_text {
    QM_DEVICE_MOUNT,
    QM_DEVICE_FILESYSTEM,
    QM_DEVICE_SERIAL,
    QM_DEVICE_MODEL,
    QM_DEVICE_ID,
    QM_DEVICE_WARNING,
    QM_DEVICE_TEXTS,
};

struct qm_known_device {
    struct qm_known_device *next; /* by mount */
    struct qm_host *host;
    uint64_t size_mib, free_mib;
    uint16_t at[QM_DEVICE_TEXTS]; /* offsets in text */
    uint16_t key;                 /* offset of its identity in text, 0 = none */
    uint8_t type;
    bool bootstrap : 1;
    bool missing : 1;
    bool doubled : 1; /* another connected host shows the same device */
    bool seen : 1;    /* scratch of one report */
    char text[];
};

/* Hosts that fail together; a host without one is its own. */
struct qm_domain {
    uint32_t unavailable; /* storage instances */
    char name[];
};

/* What is left of an offer while one instant's decisions are made. */
struct qm_offer_left {
    struct qm_offer_left *next;     /* of its host, by role and id */
    struct qm_offer_left *next_all; /* of the instant */
    struct qm_host *host;
    const char *id;
    const char *role;
    struct qm_resource *resources; /* amounts and ranges are reduced */
    size_t n_resources;
    bool gone;    /* rescinded, or void with the connection */
    bool foreign; /* of an agent that is not the host's present one */
    bool used;    /* a launch of this instant takes from it */
};

/* A task of a launch that is being put together or waits for its record. */
struct qm_job_task {
    struct qm_job_task *next;
    struct qm_task *task;
    const struct qm_task_template *template_;
    struct qm_task_port ports[QM_PORTS_MAX];
    size_t n_ports;
    struct qm_resource_use *uses;
    size_t n_uses;
};

/* One ACCEPT: all that one host starts from offers of one role. */
struct qm_job {
    struct qm_job *next;   /* of its host while it is put together, then of all */
    struct qm_arena arena; /* everything it points to */
    struct qm_host *host;
    struct qm_agent *agent;
    const char *role;
    const char **offer_ids; /* NULL: went away */
    size_t n_offer_ids;
    struct qm_job_task *tasks;
    struct qm_job_task **last;
    size_t n_tasks;
    qm_time made;
    bool void_; /* an offer of it went away */
};

/* What few hosts have. */
struct qm_host_extra {
    char *warning; /* of its prober */
    qm_time unavailable_from;
    qm_duration unavailable_for;
    bool drained; /* the operator keeps it free of services */
    qm_time drained_since, drained_until;
    char *drained_why;
    uint8_t *unknown;
    size_t unknown_length;
};

struct qm_host {
    struct qm_agent *agents; /* all that ever were this host and are not forgotten yet */
    struct qm_agent *agent; /* the one that is this host now, or was last */
    struct qm_agent *rival; /* another connected agent of the same name */
    struct qm_task *tasks;
    struct qm_place *places; /* prober first, then by service */
    struct qm_known_device *devices;
    struct qm_domain *domain; /* NULL: the host itself */
    struct qm_host_extra *extra;
    struct qm_offer_left *offers; /* of this instant */
    struct qm_job *jobs;          /* put together in this instant */
    char *boot_id;                /* "" is NULL */
    const char *image;            /* newest version whose image was pulled there; NULL none */
    uint32_t imaging;             /* number of the plan that pulls there */
    qm_time due;
    qm_time last_report;
    qm_time probed;
    qm_time filter_until; /* we declined its offers until then */
    uint64_t revision;    /* of its record's newest content */
    uint32_t heap_index;
    uint32_t filter_round;
    uint16_t n_doubled; /* devices that another host shows too */
    uint8_t n_places;
    uint8_t unavailable; /* storage instances */
    bool in_heap : 1;
    bool ordered : 1; /* in the planner's list of hosts with an operator's order to carry out */
    bool dirty : 1;
    bool record_dirty : 1;
    bool in_save : 1; /* part of the save that is under way */
    bool has_record : 1;
    bool reported : 1;
    bool counted_unreported : 1;
    bool mount_point : 1;
    bool allowed : 1;
    bool wants : 1; /* something is to start there: look at its offers */
    bool waits : 1; /* something will be, but not now */
    char name[];
};

struct qm_service_state {
    const struct qm_service_policy *policy;
    uint64_t config_hash;
    size_t counts[QM_COUNTS];
    struct qm_place *places; /* floating: instances 1 to n */
    size_t n_places;
    const struct qm_host *last_unavailable; /* a hint for explanations; NULL: look for it */
    size_t phase; /* in the present plan, or QM_NO_PHASE */
    bool storage; /* bound to devices */
};

struct qm_phase {
    size_t service;
    enum qm_status status;
    bool may_start; /* what it lacks may be launched */
    bool may_stop;  /* its outdated tasks may be replaced */
    bool
        reached; /* may_stop held once, maybe before a restart: what is down starts at the target */
    bool over;   /* everything before may_stop of the next is done */
    qm_time since;
    struct qm_host **queue; /* hosts of this phase by failure domain and name, built at may_stop */
    size_t n_queue, cursor;
};

struct qm_target {
    const char *version; /* interned; "" = shut down */
    uint64_t config_hash;
    qm_time since;
    bool set;
};

/* An order that was taken, and by whom it was given. */
struct qm_event {
    qm_time time;
    uint8_t what; /* enum qm_command_type */
    bool expired; /* ended by itself */
    char subject[QM_SUBJECT_MAX];
    char why[QM_COMMAND_TEXT_MAX + 1];
    char source[QM_COMMAND_TEXT_MAX + 1];
};

struct qm_plan {
    uint64_t number;
    enum qm_plan_kind kind;
    enum qm_status status;
    qm_time started, completed;
    struct qm_phase phases[QM_SERVICES_MAX];
    size_t n_phases;
    size_t current;      /* phase whose turn it is to stop tasks */
    const char *from;    /* interned: version that was complete when it began, "" none */
    const char *reached; /* restored: service of the newest phase that was opened, "" none */
    bool config_waits;
    bool dirty;
};

/* A live task of our framework that no record names. */
struct qm_stranger {
    struct qm_stranger *next; /* by id */
    char *agent_id;
    char *executor_id;
    char *hostname;
    const char *version;
    enum qm_task_state state;
    bool healthy;
    bool described, asked, ours;
    size_t service;
    qm_time asked_at;
    char id[];
};

struct qm_queued_action {
    struct qm_queued_action *next;
    struct qm_action action;
    const char *order; /* sort key inside its rank */
    uint64_t sequence;
};

/* Order in which the actions of one drain are given out. */
enum qm_rank {
    QM_RANK_ACKNOWLEDGE,
    QM_RANK_SAVE,
    QM_RANK_LAUNCH,
    QM_RANK_KILL,
    QM_RANK_DECLINE,
    QM_RANK_INVERSE,
    QM_RANK_DESCRIBE,
    QM_RANK_PROBE,
    QM_RANK_RECONCILE,
    QM_RANK_REVIVE,
    QM_RANKS,
};

struct qm_action_list {
    struct qm_queued_action *first;
    struct qm_queued_action **last;
    size_t n;
    bool sorted;
};

struct qm_recent_offer {
    qm_time time;
    const struct qm_host *host;
    uint64_t have, want;
    uint8_t code;
    uint8_t service;
};

/* How long a declined agent is not to be offered again. */
enum qm_decline {
    QM_DECLINE_LONG, /* nothing is wanted there */
    QM_DECLINE_BUSY, /* something will be, or its resources did not do */
    QM_DECLINE_NOW,  /* a launch of ours came to nothing: offer it again at once */
    QM_DECLINES,
};

struct qm_inverse {
    struct qm_inverse *next;
    const char *id;
    struct qm_host *host;
};

struct qm_planner {
    const struct qm_allocator *allocator;
    struct qm_policy *policy;
    qm_time now;
    int failed;
    bool decided; /* nothing happened since the last decision */
    qm_trace_fn trace;
    void *trace_data;

    struct qm_arena instant; /* offers and actions between two drains */
    struct qm_arena scratch; /* inside one function */

    struct qm_hashmap host_map, agent_map, task_map, domain_map, device_map, version_map,
        stranger_map;
    char **versions;
    size_t n_versions, versions_capacity;
    struct qm_domain **domains;
    size_t n_domains, domains_capacity;
    struct qm_host **hosts; /* by name when hosts_sorted */
    size_t n_hosts, hosts_capacity;
    bool hosts_sorted;
    struct qm_host **dirty;
    size_t n_dirty, dirty_capacity;
    struct qm_host **heap; /* by due */
    size_t n_heap, heap_capacity;

    struct qm_service_state services[QM_SERVICES_MAX + 1]; /* the last: image tasks, rule_image.c */
    size_t n_services;

    /* the session */
    bool connected;
    qm_time connected_since; /* or disconnected since */
    char *framework_id;
    char *master_id;
    bool suppressed;

    /* reconciliation */
    size_t n_unanswered, n_asked;
    bool reconcile_due_now;
    qm_time reconcile_started;
    qm_time reconcile_next; /* explicit */
    qm_duration reconcile_delay;
    qm_time reconcile_implicit_at;
    bool old_state, old_state_accepted;
    qm_time settle_until;    /* empty places wait: what no record names may still turn up */
    bool may_have_strangers; /* registered before, and not subscribed since the start */
    bool synced;             /* the first reconciliation after the start is over */
    size_t n_disagree;
    struct qm_stranger *strangers;

    /* what is to be */
    uint64_t epoch;
    uint64_t next_task;
    struct qm_target target, completed;
    struct qm_target history[QM_HISTORY_MAX];
    size_t n_history;
    const char *before_shutdown; /* target that the grace's cancel returns to */
    bool paused;
    qm_time paused_since, paused_until;
    char paused_why[QM_COMMAND_TEXT_MAX + 1];
    const char *moved; /* a version that ran, in an upgrade that is not complete; "" none */
    struct qm_event events[QM_EVENTS_MAX];
    size_t n_events;
    struct qm_host **ordered; /* by name: drain, restart or replace is not done there */
    size_t n_ordered, ordered_capacity;
    char refusal[320]; /* of the latest command */
    qm_time shutdown_at; /* QM_TIME_NEVER: no grace runs */
    bool shutting_down;  /* the grace is over */
    struct qm_plan plan;
    struct qm_rules rules;
    const struct qm_host *bootstrap; /* whose registry goes first and alone; NULL: nobody's */
    bool bootstrapped;               /* the first registry ran healthy, or a device is registered */
    size_t n_registered;             /* devices with an id */
    size_t n_doubled;
    size_t n_unreported; /* connected allowed hosts whose prober has not reported */
    qm_time probing_since;
    size_t storage_unavailable;
    size_t floating_wanted;
    bool floating_look; /* a back-off or a patience may be over */
    size_t n_wanting;   /* hosts with wants */
    size_t n_surplus;
    uint8_t *framework_unknown;
    size_t framework_unknown_length;

    /* saving */
    bool framework_dirty;
    bool framework_in_save;
    uint64_t framework_revision;
    uint64_t order_revision; /* of the newest epoch or target: nothing moves before it is durable */
    uint64_t revision;       /* of the newest save given out */
    uint64_t saved_revision; /* newest one confirmed */
    bool save_under_way;
    qm_time save_wanted_at; /* 0: at once; QM_TIME_NEVER: nothing is to be saved */
    qm_time save_retry_at; /* QM_TIME_NEVER: no retry pending */
    qm_duration save_retry_delay;
    struct qm_host **unsaved; /* hosts with record_dirty */
    size_t n_unsaved, unsaved_capacity;
    struct qm_host **saving; /* hosts of the save under way */
    size_t n_saving, saving_capacity;

    /* offers and launches */
    struct qm_offer_left *offers; /* of this instant, to be looked at */
    struct {
        const char **ids; /* declined alike */
        size_t n, capacity;
    } declines[QM_DECLINES];
    struct qm_job *jobs; /* wait for their records, oldest first */
    struct qm_job **jobs_last;
    bool jobs_dirty; /* one may be given out, or is to be dropped */
    struct qm_hashmap job_offers;
    struct qm_job *spent; /* given out, alive until the next step */
    struct qm_inverse *inverse;
    uint64_t offers_seen, offers_accepted, offers_declined, offers_rescinded;
    uint64_t offers_by_reason[QM_WHY_CODES];
    struct qm_recent_offer recent[QM_RECENT_OFFERS];
    uint64_t n_recent; /* ever */

    /* revive */
    bool revive_wanted;
    uint32_t revive_round;
    unsigned revive_tokens;
    qm_time revive_filled;

    /* the outgoing batch */
    struct qm_action_list out[QM_RANKS];
    size_t out_rank;
    uint64_t out_sequence;
    bool drained;
    void **graves; /* blocks that actions may still point to: freed with them */
    size_t n_graves, graves_capacity;
};

#endif
