/*
 * The masters of the cluster: one leads (that is the core), the others stand by and send clients to
 * it. ZooKeeper decides who leads, where it is used; else the next one in the row takes over a
 * second after a leader's death.
 */
#ifndef MESOS_SIM_MASTERS_H
#define MESOS_SIM_MASTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MASTERS_MAX    5
#define MASTERS_NOBODY SIZE_MAX

struct contender;
struct event;
struct face;
struct sim_http_exchange;

struct master {
    struct face *face;
    size_t target; /* its place in face->targets */
    char id[37];   /* of the process that runs now */
    bool up;
    struct contender *contender; /* NULL: no ZooKeeper */
    struct event *start;         /* its supervisor's timer */
};

struct masters {
    struct master v[MASTERS_MAX];
    size_t n;
    size_t leader; /* MASTERS_NOBODY: the core is stopped */
    size_t known;  /* without ZooKeeper: whom the others think to lead */
    struct event *election;
};

/* The core runs and the ports are open (face->targets); the first master is the core's. 0, or a
 * negative errno with a line in `*ret_error`. */
int masters_init(struct face *face, char **ret_error);
void masters_deinit(struct face *face);

/* After every input: lets the contenders know who lives, and performs what they learned. */
void masters_update(struct face *face);

/* Does the port of this master answer? */
bool masters_listens(const struct face *face, const struct master *master);
/* The master behind a target, or NULL for an agent. */
struct master *masters_at(struct face *face, size_t target);
/* Where the leading master's connections are; the place in face->targets. */
size_t masters_leading_target(const struct face *face);

/* Answers for a master that does not lead; false: the request is one that every master answers. */
bool masters_answer(struct master *master, struct sim_http_exchange *exchange);

/* The leading process is killed; its ZooKeeper session ends by itself later. Another one leads
 * then, and the first is started again. -EALREADY: nobody leads now, -EINVAL: there is only one. */
int masters_failover(struct face *face);
/* The leader's ZooKeeper session ends now, whereupon it exits. -EINVAL: no ZooKeeper, or nobody
 * leads. */
int masters_expire(struct face *face);

#endif
