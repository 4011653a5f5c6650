/*
 * The simulator's face to the world: it carries bytes, processes and the time to the core (sim.h)
 * and back, and answers by itself what is not the scheduler's or executor's API: the JSON endpoints
 * and the faults under /sim.
 */
#ifndef MESOS_SIM_FACE_H
#define MESOS_SIM_FACE_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster_file.h"
#include "credentials.h"
#include "hosttree.h"
#include "http_server.h"
#include "masters.h"
#include "sim.h"

struct event_base;
struct processes;

struct face_options {
    uint16_t port; /* the master's; agents have the next ones; 0: the system chooses all */
    const char *cluster_path; /* NULL: none */
    size_t agents;            /* where the cluster file names none */
    const char *dir;          /* NULL: a temporary one */
    size_t masters;           /* at least 1 */
    const char *zk;           /* HOST:PORT/PATH, or NULL */
    int zk_session_ms;
    const char *credentials; /* file; NULL: schedulers need none */
    const char *tls_cert;    /* NULL: the master speaks plain HTTP */
    const char *tls_key;
    const char *tls_ca; /* NULL: clients need no certificate */
    double speed;
    uint64_t seed;
    bool verbose;
};

/* One listening port: the master's or an agent's. */
struct face_target {
    struct face *face;
    int number; /* SIM_MASTER or the agent's index */
    struct sim_http_server *server;
};

struct face {
    struct event_base *base;
    struct face_options options;
    struct cluster_file cluster;
    struct credentials credentials;
    struct ssl_ctx_st *tls;
    struct hosttree tree;
    struct processes *processes;
    struct masters masters;
    struct sim *sim;
    struct face_target *targets; /* the first master, the agents, the other masters */
    size_t n_targets;
    struct event *timer;
    int64_t wall_start_ms;
    int64_t clock_start_ms;
    struct sim_pair environment[2]; /* of the process that is being started */
    char *environment_text[2];
};

/* Opens the ports, makes the directories, starts the core. 0, or a negative errno with one line in
 * `*ret_error` (freed by the caller). The face is then to be ended with face_deinit() in either
 * case. */
int face_init(struct face *face, const struct face_options *options, char **ret_error);
void face_deinit(struct face *face);

/* To be called after every input to the core: performs its outputs and sets the timer. */
void face_pump(struct face *face);

/* Performs outputs only. */
void face_perform(struct face *face);

/* One line on stderr, with --verbose. */
void face_log(const struct face *face, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
