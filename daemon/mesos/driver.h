/*
 * The daemon's side of Mesos: facts out, actions in. Finds the leading master, stays subscribed,
 * and turns what it hears into facts. An unreachable master is tried for ever, without blocking.
 */
#ifndef DAEMON_MESOS_DRIVER_H
#define DAEMON_MESOS_DRIVER_H

#include <event2/event.h>

#include <quobyte-mesos/action.h>
#include <quobyte-mesos/config.h>
#include <quobyte-mesos/fact.h>

/* Copied by driver_new() but for config. NULL texts are taken as "". */
struct driver_options {
    /* host:port, a comma list of them, perhaps as https://host:port, or
     * zk://[user:password@]hosts/path */
    const char *masters;
    bool tls;            /* also where the addresses do not say https */
    const char *ca_file; /* as in struct tls_options */
    const char *cert_file;
    const char *key_file;
    const char *name;
    const char *user;        /* "" = root */
    const char *role;        /* comma list; "" = "*" */
    const char *public_role; /* comma list; more of them */
    const char *principal;   /* "" = none */
    const char *secret;      /* with a principal: basic authentication; never logged */
    const char *hostname;    /* shown by the master only, as webui_url */
    const char *webui_url;
    qm_duration failover_timeout;
    const char *framework_id;       /* as saved, "" for the first time */
    bool look_for_namesake;         /* without an id: end when a live framework has our name */
    uint64_t seed;                  /* of the jitter */
    const struct qm_config *config; /* ports and mount point that probers look after; may be NULL;
                                       must outlive the driver */
};

struct driver_callbacks {
    /* A fact, without time. Borrowed. Called from the loop only; all of one event follow each
     * other without a return to the loop. Must not call driver_free(). */
    void (*fact)(void *userdata, const struct qm_fact *fact);
    /* Over for good: an enum exit_code and one line of advice. Nothing comes after it. */
    void (*ended)(void *userdata, int exit_code, const char *line);
    void *userdata;
};

struct driver;

/**
 * driver_new() - starts to look for the master as soon as the loop runs.
 * @error, @size: receives one line, without secrets
 * Returns 0; -EINVAL: the options make no sense; -ENOMEM.
 */
int driver_new(struct driver **driver, struct event_base *base,
               const struct driver_options *options, const struct driver_callbacks *callbacks,
               char *error, size_t size);

/** driver_free() - hangs up without a word: Mesos keeps the tasks. NULL is fine. Returns NULL. */
struct driver *driver_free(struct driver *d);

/**
 * driver_perform() - sends what an action asks for (all but SAVE). Does not call back. What cannot
 * be sent, because the subscription is gone or an offer is void, is dropped: the planner hears of
 * the disconnection, or gets no answer and reconciles.
 */
void driver_perform(struct driver *d, const struct qm_action *action);

/* Strings live until the next driver call. */
struct driver_status {
    bool connected;         /* subscribed */
    const char *master;     /* "host:port" of the present or latest leader, "" when none */
    const char *detail;     /* what it does, and what went wrong last, one line */
    qm_time since;          /* when it entered this state */
    qm_time last_heartbeat; /* or any other event; QM_TIME_NEVER before the first */
};
void driver_status(struct driver *d, struct driver_status *status);

#endif
