/*
 * An independent judge of the planner: it sees only the facts that go in and the actions that come
 * out, keeps its own small picture of the cluster, and says which rule was broken:
 *
 *  I1  never two live tasks of one service on one host; no more floating instances than asked
 *  I2  nothing is launched or killed before the record that explains it is saved
 *  I3  an order whose save was confirmed survives a crash
 *  I4  no stop makes more instances unavailable than allowed, or breaks the registry majority
 *  I5  every offer is answered once; every status with a uuid is acknowledged, once
 *  I6  a task is killed only because it is outdated, surplus, never began, or everything is shut down
 *  I7  while paused nothing healthy is stopped and nothing new is begun
 *  I8  a refused fact changes nothing
 *
 * I9 (memory) and I10 (convergence) are judged by the scenarios themselves.
 */
#ifndef TESTS_LIB_CHECK_INVARIANTS_H
#define TESTS_LIB_CHECK_INVARIANTS_H

#include <quobyte-mesos.h>

struct judge;

struct judge_rules {
    qm_duration min_ready;    /* of every service */
    unsigned max_unavailable; /* of every service */
    unsigned registry_replicas;
    unsigned floating; /* instances of each floating service */
    qm_duration shutdown_delay;
    qm_duration offer_hold; /* an offer is answered within */
    qm_duration launch_patience; /* what has not begun by then may be stopped */
};

struct judge *judge_new(const struct judge_rules *rules);
void judge_free(struct judge *judge);

/** judge_fact() - a fact was given; @outcome is what qm_planner_step() returned. */
void judge_fact(struct judge *judge, const struct qm_fact *fact, int outcome);

/** judge_action() - an action came out. */
void judge_action(struct judge *judge, qm_time now, const struct qm_action *action);

/** judge_drained() - no further action for now. */
void judge_drained(struct judge *judge, const struct qm_planner *planner, qm_time now);

/** judge_crash() - the planner is thrown away; @planner is the one restored from saved records. */
void judge_crash(struct judge *judge, const struct qm_planner *planner);

/** judge_complaints() - all that was broken so far, one line each; "" when nothing. Borrowed. */
const char *judge_complaints(struct judge *judge);

/** judge_launches() - how often a task of this service was launched on this host (NULL: any). */
unsigned judge_launches(const struct judge *judge, const char *service, const char *host);

#endif
