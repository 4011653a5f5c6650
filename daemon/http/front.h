/*
 * The HTTP front end: GET and POST of the version, health, dashboard, JSON. It
 * shows snapshots of the planner and hands orders to the daemon; it changes nothing.
 *
 * front.c   joins server and API, parks answers that wait for a save
 * server.h  libevhtp adapter: sockets, limits, time-outs
 * api.h     pure: request -> response
 */
#ifndef DAEMON_HTTP_FRONT_H
#define DAEMON_HTTP_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quobyte-mesos/config.h>
#include <quobyte-mesos/fact.h>
#include <quobyte-mesos/planner.h>

struct event_base;
struct front;

/* Strings are copied. */
struct front_options {
    const char *bind;        /* address, "127.0.0.1", "::1", "0.0.0.0"; "" = all of IPv4 */
    uint16_t port;           /* 0 = an ephemeral one, see front_port() */
    const char *prober_path; /* file that GET /prober serves; NULL or "" = 404 */
    const char *deployment;
};

/* How the rest of the daemon does, beside the planner. Strings are borrowed until the call returns.
 */
struct front_status {
    qm_time now;             /* the daemon's clock, the same as in facts */
    qm_time started;         /* when the daemon started */
    bool connected;          /* subscribed at a master */
    const char *master;      /* "host:port" of the present or last master, "" when none was found */
    const char *connection;  /* what the driver does or last complained about, one line; "" */
    const char *store;       /* store_name() */
    const char *store_error; /* text of the last save when it failed, "" when it did not */
};

struct front_callbacks {
    /*
     * Takes an order: step the planner, drain its actions, *revision = qm_planner_revision().
     * Returns what qm_planner_step() does: 0, a positive QM_E_* (nothing changed), negative errno.
     * The daemon later calls front_saved() when that revision is durable.
     */
    int (*command)(void *userdata, const struct qm_command *command, uint64_t *revision);
    /* The planner and its configuration as they are now; used until the handler returns. */
    const struct qm_planner *(*planner)(void *userdata);
    const struct qm_config *(*config)(void *userdata);
    void (*status)(void *userdata, struct front_status *status);
    void *userdata;
};

/**
 * front_new() - listens and serves.
 * @error: one line when it fails ("cannot listen on 127.0.0.1:8888: Address already in use")
 * Returns 0 or negative errno.
 */
int front_new(struct front **front, struct event_base *base, const struct front_options *options,
              const struct front_callbacks *callbacks, char *error, size_t size);

/** front_port() - the port that it listens on. */
uint16_t front_port(const struct front *front);

/** front_saved() - state up to @revision is durable: answers that waited for it go out. */
void front_saved(struct front *front, uint64_t revision);

/** front_free() - stops listening, closes connections. NULL is fine. Returns NULL. */
struct front *front_free(struct front *front);

#endif
