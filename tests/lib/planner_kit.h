/*
 * Terse builders for unit tests of the planner: facts in by one line each, actions out as lists.
 * Hosts are called h1, h2, ...; their agents "a-h1", and offers have enough of everything unless a
 * test says otherwise. Saves are confirmed at once unless `hold_saves` is set.
 */
#ifndef TESTS_LIB_PLANNER_KIT_H
#define TESTS_LIB_PLANNER_KIT_H

#include <quobyte-mesos.h>

#define KIT_MAX 256

struct kit_launch {
    char id[160], service[32], host[64], agent[64], version[64], executor[160], offer[64];
    qm_duration refuse;
    uint32_t ports[QM_PORTS_MAX];
    size_t n_ports;
    size_t n_uses;
    struct qm_resource_use uses[16]; /* their ranges are not kept */
};

struct kit_kill {
    char id[160], agent[64];
};

struct kit_decline {
    char offer[64];
    qm_duration refuse;
};

struct kit_record {
    char key[128];
    uint8_t *data;
    size_t length;
};

struct kit {
    struct qm_planner *p;
    struct qm_config *config;
    const struct qm_allocator *allocator;
    qm_time now;
    bool hold_saves;       /* the test confirms them */
    uint64_t save_pending; /* revision of the newest save, 0 when confirmed */
    unsigned next_offer;

    /* since the last kit_forget() */
    struct kit_launch launches[KIT_MAX];
    size_t n_launches;
    struct kit_kill kills[KIT_MAX];
    size_t n_kills;
    struct kit_decline declines[KIT_MAX];
    size_t n_declines;
    size_t n_actions[32]; /* by type */
    char acknowledged[KIT_MAX][160];
    size_t n_acknowledged;
    char reconciled[KIT_MAX][160]; /* explicitly asked after */
    size_t n_reconciled;
    char described[KIT_MAX][160];
    size_t n_described;

    /* what the store holds: confirmed saves only */
    struct kit_record records[KIT_MAX];
    size_t n_records;
    struct kit_record unsaved[KIT_MAX];
    size_t n_unsaved;
};

/* A planner with an image, min_ready 1 s and these settings ("key", "value", ..., NULL). */
void kit_init(struct kit *k, ...);
void kit_deinit(struct kit *k);
/* Frees the planner and makes a new one from the records, as a crash does. Not subscribed. */
void kit_crash(struct kit *k);

int kit_tell(struct kit *k, struct qm_fact fact);
/* Takes all actions; confirms saves (and goes on) unless they are held. */
void kit_drain(struct kit *k);
void kit_forget(struct kit *k);
/* Time passes, in steps at the planner's deadlines; drains at each. */
void kit_wait(struct kit *k, qm_duration d);
void kit_saved(struct kit *k);
void kit_save_fails(struct kit *k);

void kit_subscribe(struct kit *k);
/* An offer of a host; its id is returned. */
const char *kit_offer(struct kit *k, const char *host);
int kit_offer_as(struct kit *k, const char *id, const char *agent, const char *host,
                 const struct qm_resource *resources, size_t n, const char *zone);
/* Devices as letters: r registry, m metadata, d data, B bootstrap registry; upper-case R M D have
 * an id. */
int kit_report(struct kit *k, const char *host, const char *devices);
int kit_report_as(struct kit *k, const char *agent, const char *name, const char *devices,
                  const char *boot_id, const uint32_t *listening, size_t n_listening);
int kit_status(struct kit *k, const char *task_id, enum qm_task_state state);
int kit_status_as(struct kit *k, const char *task_id, const char *agent, enum qm_task_state state,
                  enum qm_status_source source, int reason);
int kit_healthy(struct kit *k, const char *task_id, bool healthy);
int kit_post(struct kit *k, const char *version); /* "" shuts down */
int kit_command(struct kit *k, enum qm_command_type type);

/* Newest launch of a service on a host ("" = anywhere) since kit_forget(), or NULL. */
const struct kit_launch *kit_launched(const struct kit *k, const char *service, const char *host);
size_t kit_count(const struct kit *k, const char *service);
/* The id of the live task of a service on a host, from the cluster view; "" when there is none. */
const char *kit_task(struct kit *k, const char *service, const char *host);
enum qm_task_stage kit_stage(struct kit *k, const char *task_id);
/* The reason why a step waits; QM_WHY_NOTHING when it does not. */
struct qm_reason kit_why(struct kit *k, const char *step);
enum qm_status kit_plan_status(struct kit *k);

/* Offers all of the named hosts and lets everything that was launched run healthy, so many times.
 */
void kit_rounds(struct kit *k, unsigned rounds, const char *const *hosts);
/* Hosts with devices as in kit_report(), probers running; then a deployment of 1.1.5. */
void kit_hosts(struct kit *k, const char *const *hosts, const char *devices);
void kit_deploy(struct kit *k, const char *const *hosts, const char *devices);

#endif
