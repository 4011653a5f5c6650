/* What the rooms of the judge share: its picture of tasks, offers, acknowledgements, saved records.
 */
#ifndef TESTS_LIB_JUDGE_PRIVATE_H
#define TESTS_LIB_JUDGE_PRIVATE_H

#include <stdio.h>

#include "check_invariants.h"

#define TASKS_MAX   4000
#define OFFERS_MAX  1000
#define ACKS_MAX    2000
#define RECORDS_MAX 200
#define SAVES_MAX   200
#define AGENTS_MAX  100
#define NAME_MAX_   256

struct judged_task {
    char id[NAME_MAX_], service[64], host[128], agent[128], version[160];
    uint32_t ports[QM_PORTS_MAX];
    size_t n_ports;
    bool floating, prober, checked; /* checked: has a health check */
    bool live, unreachable, killed;
    bool running, healthy, was_healthy;
    bool began; /* STARTING or RUNNING was told once */
    qm_time healthy_since, launched_at;
};

struct judged_record {
    char key[NAME_MAX_];
    uint8_t *data; /* NULL: deleted */
    size_t length;
};

struct judged_save {
    uint64_t revision;
    struct judged_record records[RECORDS_MAX];
    size_t n_records;
};

struct judge {
    struct judge_rules rules;
    FILE *complaints;
    char *text;
    size_t text_length;
    struct judged_task tasks[TASKS_MAX];
    size_t n_tasks;
    struct {
        char id[NAME_MAX_];
        qm_time since;
    } offers[OFFERS_MAX];
    size_t n_offers;
    struct {
        char task[NAME_MAX_];
        uint8_t uuid[16];
    } acks[ACKS_MAX];
    size_t n_acks;
    struct {
        char id[128], host[128], boot_id[64];
    } agents[AGENTS_MAX];
    size_t n_agents;
    struct judged_record saved[RECORDS_MAX];
    size_t n_saved;
    struct judged_save *pending[SAVES_MAX];
    size_t n_pending;
    uint64_t asked_revision; /* the newest that the planner wanted saved */
    uint64_t saved_revision;
    char target[160];        /* by the latest order */
    char safe_target[160];   /* by the latest order whose save is confirmed */
    uint64_t order_revision; /* that saves the latest order; 0: not known yet */
    bool ordered, order_open, shut_down, paused;
    qm_time shut_down_at;
    qm_time now;
};

/* check_invariants.c */
void judge_complain(struct judge *judge, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* judge_tasks.c */
void judge_copy(char *to, size_t size, const char *from);
struct judged_task *judge_find_task(struct judge *judge, const char *id);
struct judged_task *judge_add_task(struct judge *judge, const char *id);
bool judge_is_floating(const char *service);
bool judge_is_available(const struct judge *judge, const struct judged_task *task);
bool judge_same_place(const struct judged_task *a, const struct judged_task *b);
unsigned judge_count_unavailable(const struct judge *judge, const struct judged_task *task);
unsigned judge_count_available(const struct judge *judge, const char *service);
unsigned judge_count_once_healthy(const struct judge *judge, const char *service);

/* judge_records.c */
void judge_free_save(struct judged_save *save);
void judge_end_saves(struct judge *judge, uint64_t revision, bool durable);
void judge_note_save(struct judge *judge, const struct qm_save *action);
bool judge_task_is_saved(const struct judge *judge, const char *host, const char *task_id);
bool judge_target_is_saved(const struct judge *judge);

/* judge_facts.c */
bool judge_drop_offer(struct judge *judge, const char *id);

#endif
