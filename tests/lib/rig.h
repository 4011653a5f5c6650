/*
 * A rig: the planner, the daemon's conversion of messages, and the simulated Mesos, joined in
 * virtual time without sockets. Its store and its probers are played: the store is an array of
 * records that survives crash(), probers report what the rig's agents were described to have.
 *
 * Everything that happens is judged (check_invariants.h) and told (story.h). The same rig does the
 * same, byte for byte.
 */
#ifndef TESTS_LIB_RIG_H
#define TESTS_LIB_RIG_H

#include <quobyte-mesos.h>

#include "check_invariants.h"
#include "mesos/arena.h"
#include "mesos/offers.h"
#include "sim.h"
#include "story.h"

#define RIG_START       1767225600000 /* 2026-01-01 */
#define RIG_AGENTS_MAX  8
#define RIG_DEVICES_MAX 6

struct rig_agent {
    const char *hostname;
    const char *resources; /* NULL: enough for everything */
    const char *zone;
    struct qm_device devices[RIG_DEVICES_MAX];
    size_t n_devices;
    unsigned boots; /* part of the boot id that its prober reports */
};

struct rig_setting {
    const char *key;
    const char *value;
};

struct rig_options {
    const struct rig_agent *agents;
    size_t n_agents;
    const struct rig_setting *settings; /* beside image and min_ready_s, which the rig sets */
    size_t n_settings;
    double image_start_s;   /* how long played containers take to start */
    qm_duration min_ready;  /* of every service */
    qm_duration save_takes; /* until a save is confirmed */
    bool quiet;             /* tell no story */
};

struct rig_record {
    char *key;
    uint8_t *data;
    size_t length;
};

struct rig_prober;

struct rig {
    struct rig_options options;
    struct rig_agent agents[RIG_AGENTS_MAX];
    struct sim *sim;
    struct qm_config *config;
    struct qm_planner *planner;
    struct judge *judge;
    struct story story;
    qm_time now;

    /* the link to the master */
    struct arena arena;
    struct offers offers;
    uint64_t connections; /* used so far */
    uint64_t connection, call_connection;
    char stream_id[130];
    char framework_id[256];
    bool subscribed;
    qm_time subscribe_at;

    /* the store */
    struct rig_record *records;
    size_t n_records;
    struct {
        uint64_t revision;
        qm_time at;
        bool fails;
    } save;                 /* the oldest that is not confirmed; revision 0: none */
    unsigned failing_saves; /* so many of the next saves fail */
    unsigned fail_save_at;  /* this one fails, counted from 1; 0: none */
    unsigned saves;         /* so far */

    struct rig_prober *probers;

    /* crash after so many further actions; negative: never */
    long crash_after;
    bool crashed;
    unsigned actions; /* performed so far */

    struct qm_allocator allocator; /* of the planner: counts */
    size_t live_blocks, live_bytes;

    char broken[512]; /* the rig itself met something impossible */
};

/** rig_new() - agents are up, the planner is new and not subscribed. Never NULL. */
struct rig *rig_new(const struct rig_options *options);
void rig_free(struct rig *rig);

/** rig_agent_with() - an agent with one device of each kind. */
struct rig_agent rig_agent_with(const char *hostname, bool bootstrap);

/* An operator's order, at once. Returns what qm_planner_step() said. */
int rig_post(struct rig *rig, const char *version); /* "" shuts down */
int rig_command(struct rig *rig, enum qm_command_type type);

typedef bool (*rig_condition)(struct rig *rig);

/** rig_run() - goes on until the condition holds (NULL: never); false when @limit is over before.
 */
bool rig_run(struct rig *rig, rig_condition condition, qm_duration limit);

/** rig_settle() - everything that happens at this instant. */
void rig_settle(struct rig *rig);

/** rig_crash() - the planner is thrown away; another one starts from what is saved. */
void rig_crash(struct rig *rig);

/** rig_say() - a line of the story. */
void rig_say(struct rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Conditions and counts. */
bool rig_plan_complete(struct rig *rig);
bool rig_quiet(struct rig *rig); /* shut down: no service lives */
unsigned rig_running(struct rig *rig, const char *service, const char *version); /* NULL: any */
bool rig_reason(struct rig *rig, const char *step, enum qm_reason_code code,
                struct qm_reason *reason);

/** rig_show_waiting() - prints, as TAP comments, what of the plan is not complete, and why. */
void rig_show_waiting(struct rig *rig);

/** rig_verdict() - "" when the judge and the rig are content; else what is wrong. Borrowed. */
const char *rig_verdict(struct rig *rig);

/* ---- between the rooms of the rig ---- */

void rig_tell(struct rig *rig, struct qm_fact fact);
void rig_broke(struct rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint64_t rig_request(struct rig *rig, int target, uint64_t connection, const char *path,
                     const char *stream_id, const uint8_t *body, size_t length,
                     struct sim_response *response);

/* rig_master.c */
void rig_master_subscribe(struct rig *rig);
void rig_master_record(struct rig *rig, const uint8_t *data, size_t length);
void rig_master_lost(struct rig *rig);
void rig_master_perform(struct rig *rig, const struct qm_action *action);

/* rig_prober.c */
void rig_prober_start(struct rig *rig, const char *container, const struct sim_process *process);
bool rig_prober_record(struct rig *rig, uint64_t connection, const uint8_t *data, size_t length);
void rig_prober_hung_up(struct rig *rig, uint64_t connection, int target);
void rig_prober_signal(struct rig *rig, const char *container, int number);
void rig_prober_gone(struct rig *rig, const char *container);
void rig_prober_tick(struct rig *rig);
qm_time rig_prober_deadline(const struct rig *rig);
/** rig_prober_report() - the prober on this host looks again, by itself. */
void rig_prober_report(struct rig *rig, const char *hostname);
void rig_probers_free(struct rig *rig);

/* rig_store.c */
void rig_store_save(struct rig *rig, const struct qm_save *save);
void rig_store_tick(struct rig *rig);
void rig_store_free(struct rig *rig);

#endif
