/*
 * Facts in, actions out, one timer. Callbacks of driver, store and front only step the planner (or
 * note what to step); actions are drained once after each round of the loop, so that all facts of
 * one readiness of a socket are decided on together.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include <quobyte-mesos/cluster.h>
#include <quobyte-mesos/planner.h>
#include <quobyte-mesos/version.h>

#include "clock.h"
#include "daemon.h"
#include "http/front.h"
#include "log.h"
#include "mesos/driver.h"
#include "options.h"
#include "registration.h"
#include "state/store.h"

#define LOAD_TIMEOUT_MS 30000

struct daemon {
    const struct qm_config *config;
    struct event_base *base;
    struct qm_planner *planner;
    struct store *store;
    struct driver *driver;
    struct front *front;
    struct event *drain;    /* becomes active when facts came in */
    struct event *deadline;
    struct event *anew;     /* becomes active when a removed framework is to begin again */
    struct event *signals[2];
    qm_time started;
    int exit_code;
    bool ending;            /* a signal asked for it */
    bool adopting;          /* the framework id is the operator's word, not the state's */
    bool began_anew;
    char save_error[256];   /* of the last save, "" when it went well */
};

/* Ends the loop; the first reason stays. */
static void stop(struct daemon *d, int exit_code)
{
    if (d->exit_code == EXIT_CODE_OK)
        d->exit_code = exit_code;
    event_base_loopbreak(d->base);
}

static void tell(void *userdata, const struct qm_fact *fact)
{
    struct daemon *d = userdata;
    struct qm_fact timed = *fact;
    int rc;

    timed.time = clock_now();
    if (fact->type == QM_FACT_SUBSCRIBED) {
        timed.subscribed.adopted = d->adopting;
        d->adopting = false;
    }
    rc = qm_planner_step(d->planner, &timed);
    if (rc < 0) {
        log_error("planner failed: %s", qm_strerror(rc));
        stop(d, EXIT_CODE_INTERNAL);
        return;
    }
    if (rc > 0)
        log_debug("fact %d had no effect: %s", (int)fact->type, qm_strerror(rc));
    event_active(d->drain, EV_TIMEOUT, 0);
}

/* ---- actions ---------------------------------------------------------- */

static void log_action(const struct qm_action *action)
{
    char line[512];
    bool routine = action->type == QM_ACTION_DECLINE || action->type == QM_ACTION_ACKNOWLEDGE ||
                   action->type == QM_ACTION_SAVE || action->type == QM_ACTION_PROBE ||
                   action->type == QM_ACTION_REVIVE || action->type == QM_ACTION_RECONCILE;

    qm_action_format(action, line, sizeof(line));
    log_line(routine ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "%s", line);
}

static void arm_deadline(struct daemon *d)
{
    qm_time deadline = qm_planner_deadline(d->planner), now = clock_now();
    qm_duration wait = deadline > now ? deadline - now : 0;
    struct timeval tv = {.tv_sec = (time_t)(wait / 1000), .tv_usec = (suseconds_t)(wait % 1000) * 1000};

    if (deadline == QM_TIME_NEVER)
        evtimer_del(d->deadline);
    else
        evtimer_add(d->deadline, &tv);
}

static void perform_all(struct daemon *d)
{
    const struct qm_action *action;
    int rc;

    while ((action = qm_planner_next_action(d->planner))) {
        log_action(action);
        if (action->type == QM_ACTION_SAVE)
            store_save(d->store, &action->save);
        else
            driver_perform(d->driver, action);
    }
    rc = qm_planner_failed(d->planner);
    if (rc) {
        log_error("planner failed: %s", qm_strerror(rc));
        stop(d, EXIT_CODE_INTERNAL);
        return;
    }
    arm_deadline(d);
}

static void on_drain(evutil_socket_t fd, short what, void *userdata)
{
    perform_all(userdata);
}

static void on_deadline(evutil_socket_t fd, short what, void *userdata)
{
    tell(userdata, &(struct qm_fact){.type = QM_FACT_TIME});
}

static void on_trace(void *userdata, const struct qm_trace_event *event)
{
    char line[512];

    qm_trace_format(event, line, sizeof(line));
    log_info("%s", line);
}

/* ---- store ------------------------------------------------------------ */

static void on_saved(void *userdata, uint64_t revision)
{
    struct daemon *d = userdata;

    d->save_error[0] = 0;
    tell(d, &(struct qm_fact){.type = QM_FACT_STATE_SAVED, .revision = revision});
    if (d->front)
        front_saved(d->front, qm_planner_saved_revision(d->planner));
}

static void on_save_failed(void *userdata, uint64_t revision, const char *text)
{
    struct daemon *d = userdata;

    log_warning("state not saved: %s", text);
    snprintf(d->save_error, sizeof(d->save_error), "%s", text);
    tell(d, &(struct qm_fact){.type = QM_FACT_SAVE_FAILED, .revision = revision});
}

static int open_store(struct daemon *d)
{
    const struct store_callbacks callbacks = {on_saved, on_save_failed, d};
    const char *zk = qm_config_text(d->config, "zookeeper.servers");
    const char *deployment = qm_config_text(d->config, "framework.deployment");
    struct store_error error = {""};
    int rc;

    if (zk[0])
        rc = store_open_zookeeper(&d->store, d->base, zk,
                                  qm_config_text(d->config, "zookeeper.path"), deployment,
                                  &callbacks, &error);
    else
        rc = store_open_sqlite(&d->store, d->base, qm_config_text(d->config, "state.dir"),
                               deployment, &callbacks, &error);
    if (rc)
        log_error("cannot open the stored state: %s", error.text);
    return rc ? (zk[0] && rc == -EINVAL ? EXIT_CODE_USAGE : EXIT_CODE_STATE) : EXIT_CODE_OK;
}

/* A store that does not answer is waited for: without its state nothing may be done. */
static int load_records(struct daemon *d, struct store_records *records)
{
    struct store_error error = {""};
    int rc;

    log_info("reading the stored state from %s", store_name(d->store));
    while ((rc = store_load(d->store, LOAD_TIMEOUT_MS, records, &error)) == -ETIMEDOUT) {
        log_warning("still without the stored state: %s", error.text);
        /* A new one, so that late answers meet nobody. */
        d->store = store_close(d->store);
        if (open_store(d))
            return EXIT_CODE_STATE;
    }
    if (rc == 0 || d->ending)
        return EXIT_CODE_OK;
    log_error("cannot read the stored state: %s", error.text);
    return EXIT_CODE_STATE;
}

static int load_planner(struct daemon *d)
{
    struct store_records records = {0};
    struct qm_error why = {0};
    char line[512];
    int rc = load_records(d, &records);

    if (rc || d->ending)
        return rc;
    rc = qm_planner_new(&d->planner, d->config, records.records, records.n_records, NULL,
                        clock_now(), &why);
    store_records_deinit(&records);
    if (rc) {
        qm_error_format(&why, line, sizeof(line));
        log_error("cannot start from the stored state in %s: %s: %s", store_name(d->store),
                  qm_strerror(rc), line);
        return rc < 0 ? EXIT_CODE_INTERNAL : EXIT_CODE_STATE;
    }
    qm_planner_set_trace(d->planner, on_trace, d);
    return EXIT_CODE_OK;
}

/* ---- front end -------------------------------------------------------- */

static int on_command(void *userdata, const struct qm_command *command, uint64_t *revision)
{
    struct daemon *d = userdata;
    struct qm_fact fact = {.time = clock_now(), .type = QM_FACT_COMMAND, .command = *command};
    int rc = qm_planner_step(d->planner, &fact);

    if (rc < 0)
        stop(d, EXIT_CODE_INTERNAL);
    if (rc == 0)
        perform_all(d);
    *revision = qm_planner_revision(d->planner);
    return rc;
}

static const struct qm_planner *get_planner(void *userdata)
{
    return ((struct daemon *)userdata)->planner;
}

static const struct qm_config *get_config(void *userdata)
{
    return ((struct daemon *)userdata)->config;
}

static void get_status(void *userdata, struct front_status *status)
{
    struct daemon *d = userdata;
    struct driver_status driver;

    driver_status(d->driver, &driver);
    *status = (struct front_status){
        .now = clock_now(),
        .started = d->started,
        .connected = driver.connected,
        .master = driver.master,
        .connection = driver.detail,
        .store = store_name(d->store),
        .store_error = d->save_error,
    };
}

/* The prober lies beside this program, unless somebody moved it. */
static const char *prober_path(char *buffer, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", buffer, size - 1);
    char *slash;

    if (n <= 0)
        return "";
    buffer[n] = 0;
    slash = strrchr(buffer, '/');
    if (!slash || (size_t)(slash - buffer) + sizeof("/quobyte-mesos-prober") > size)
        return "";
    strcpy(slash, "/quobyte-mesos-prober");
    return access(buffer, R_OK) == 0 ? buffer : "";
}

static int open_front(struct daemon *d)
{
    const struct front_callbacks callbacks = {on_command, get_planner, get_config, get_status, d};
    char error[256], path[4096];
    struct front_options options = {
        .bind = qm_config_text(d->config, "http.bind"),
        .port = (uint16_t)qm_config_integer(d->config, "http.port"),
        .prober_path = prober_path(path, sizeof(path)),
        .deployment = qm_config_text(d->config, "framework.deployment"),
    };

    if (front_new(&d->front, d->base, &options, &callbacks, error, sizeof(error))) {
        log_error("%s", error);
        return EXIT_CODE_HTTP;
    }
    log_info("dashboard and API on http://%s:%u/", options.bind[0] ? options.bind : "0.0.0.0",
             front_port(d->front));
    return EXIT_CODE_OK;
}

/* ---- driver ----------------------------------------------------------- */

static struct registration registration_of(const struct daemon *d)
{
    return (struct registration){
        .base = d->base,
        .config = d->config,
        .planner = d->planner,
        .http_port = front_port(d->front),
        .anew = d->began_anew,
    };
}

static void on_ended(void *userdata, int exit_code, const char *line)
{
    struct daemon *d = userdata;
    struct registration r = registration_of(d);

    log_error("%s", line);
    if (exit_code == EXIT_CODE_REMOVED && !d->began_anew && registration_may_begin_anew(&r))
        event_active(d->anew, EV_TIMEOUT, 0); /* not from inside the driver */
    else
        stop(d, exit_code);
}

static int open_driver(struct daemon *d)
{
    const struct driver_callbacks callbacks = {tell, on_ended, d};
    struct registration r = registration_of(d);

    d->adopting = registration_adopts(&r);
    return registration_open(&d->driver, &r, &callbacks);
}

static void on_anew(evutil_socket_t fd, short what, void *userdata)
{
    struct daemon *d = userdata;
    int code;

    log_warning("beginning anew under a new framework id");
    d->began_anew = true;
    d->driver = driver_free(d->driver);
    code = open_driver(d);
    if (code)
        stop(d, code);
}

/* ---- life ------------------------------------------------------------- */

static void on_signal(evutil_socket_t number, short what, void *userdata)
{
    struct daemon *d = userdata;

    log_info("%s: ending; services keep running", strsignal((int)number));
    d->ending = true;
    event_base_loopbreak(d->base);
}

static int open_loop(struct daemon *d)
{
    static const int numbers[] = {SIGTERM, SIGINT};

    d->base = event_base_new();
    if (!d->base)
        return EXIT_CODE_INTERNAL;
    d->drain = event_new(d->base, -1, 0, on_drain, d);
    d->deadline = evtimer_new(d->base, on_deadline, d);
    d->anew = event_new(d->base, -1, 0, on_anew, d);
    if (!d->drain || !d->deadline || !d->anew)
        return EXIT_CODE_INTERNAL;
    for (size_t i = 0; i < 2; i++) {
        d->signals[i] = evsignal_new(d->base, numbers[i], on_signal, d);
        if (!d->signals[i] || event_add(d->signals[i], NULL))
            return EXIT_CODE_INTERNAL;
    }
    return EXIT_CODE_OK;
}

static void close_all(struct daemon *d)
{
    d->front = front_free(d->front);
    d->driver = driver_free(d->driver);
    d->store = store_close(d->store);
    d->planner = qm_planner_free(d->planner);
    for (size_t i = 0; i < 2; i++)
        if (d->signals[i])
            event_free(d->signals[i]);
    if (d->drain)
        event_free(d->drain);
    if (d->deadline)
        event_free(d->deadline);
    if (d->anew)
        event_free(d->anew);
    if (d->base)
        event_base_free(d->base);
}

static void set_log_level(const struct qm_config *config)
{
    int level = log_level_from_name(qm_config_text(config, "log.level"));

    if (qm_config_integer(config, "log.verbosity") > 0)
        level = LOG_LEVEL_DEBUG;
    if (level >= 0)
        log_set_level((enum log_level)level);
}

static int open_all(struct daemon *d)
{
    int code = open_loop(d);

    if (!code)
        code = open_store(d);
    if (!code)
        code = load_planner(d);
    if (!code && !d->ending)
        code = open_front(d);
    if (!code && !d->ending)
        code = open_driver(d);
    return code;
}

int daemon_run(const struct qm_config *config)
{
    struct daemon d = {.config = config, .started = clock_now()};
    int code;

    set_log_level(config);
    code = open_all(&d);
    if (!code && !d.ending) {
        log_info("quobyte-mesosd %s, deployment %s, state in %s", qm_version(),
                 qm_config_text(config, "framework.deployment"), store_name(d.store));
        event_active(d.drain, EV_TIMEOUT, 0);
        if (!d.exit_code)
            event_base_dispatch(d.base);
        code = d.exit_code;
    }
    close_all(&d);
    return code;
}

int daemon_reset(const struct qm_config *config)
{
    struct daemon d = {.config = config};
    struct store_error error = {""};
    int code = open_loop(&d);

    if (!code)
        code = open_store(&d);
    if (!code && store_erase(d.store, LOAD_TIMEOUT_MS, &error)) {
        log_error("cannot erase the stored state: %s", error.text);
        code = EXIT_CODE_STATE;
    }
    if (!code)
        log_info("erased the stored state in %s", store_name(d.store));
    close_all(&d);
    return code;
}
