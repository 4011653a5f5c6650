/* The executor's life: subscription, looking, reporting, leaving. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "log.h"
#include "prober/executor_private.h"

/* Whoever writes a marker or mounts several disks is given a moment to finish. */
#define SETTLE_MS 100
/* The agent confirms within milliseconds; it forgets only when it restarts. */
#define AGAIN_MS 10000
/* Between our end and the container's. */
#define MARGIN_MS 2000

static struct timeval timeval_of(qm_duration ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

static void arm(struct event *timer, qm_duration ms)
{
    struct timeval wait = timeval_of(ms);

    evtimer_add(timer, &wait);
}

/* ---- leaving ---- */

void executor_end(struct executor *e, int exit_code)
{
    e->exit_code = exit_code;
    event_base_loopbreak(e->base);
}

void executor_end_if_done(struct executor *e)
{
    if (e->leaving && tasks_running(e->tasks) == 0 && tasks_unacknowledged(e->tasks) == 0)
        executor_end(e, EXECUTOR_EXIT_STOPPED);
}

void executor_leave(struct executor *e, qm_duration within)
{
    e->leaving = true;
    arm(e->deadline, within);
    executor_end_if_done(e);
}

/* At the end of the grace period the agent destroys the container: be gone some time before. */
static qm_duration time_to_leave(const struct executor *e)
{
    qm_duration grace = e->environment->grace_ms;

    return grace > 2 * MARGIN_MS ? grace - MARGIN_MS : grace / 2;
}

void executor_shut_down(struct executor *e, const char *why)
{
    log_info("shutting down: %s", why);
    if (tasks_kill_all(e->tasks, "the prober was shut down", clock_now()) < 0) {
        log_error("out of memory: status update");
        executor_end(e, EXECUTOR_EXIT_FAILED);
        return;
    }
    executor_send_updates(e);
    executor_leave(e, time_to_leave(e));
}

static void on_deadline(evutil_socket_t fd, short what, void *userdata)
{
    struct executor *e = userdata;

    if (e->leaving) {
        log_warning("leaving with %zu status updates that the agent did not acknowledge",
                    tasks_unacknowledged(e->tasks));
        executor_end(e, EXECUTOR_EXIT_STOPPED);
    } else {
        log_error("no subscription at the agent after %llu s: giving up",
                  (unsigned long long)(e->environment->recovery_ms / 1000));
        executor_end(e, EXECUTOR_EXIT_LOST);
    }
}

static void on_signal(evutil_socket_t signal_number, short what, void *userdata)
{
    executor_shut_down(userdata, signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
}

/* ---- status updates ---- */

void executor_send_updates(struct executor *e)
{
    uint8_t *bytes;
    size_t length;

    if (!e->subscribed)
        return; /* the next SUBSCRIBE tells them */
    while ((bytes = tasks_next_update_call(e->tasks, &length))) {
        int r = transport_send(e->transport, "UPDATE", bytes, length);
        free(bytes);
        if (r < 0) {
            log_warning("a status update has to wait: %s", strerror(-r));
            break;
        }
    }
    if (tasks_unacknowledged(e->tasks) > 0)
        arm(e->again, AGAIN_MS);
}

static void on_again(evutil_socket_t fd, short what, void *userdata)
{
    struct executor *e = userdata;

    tasks_tell_again(e->tasks);
    executor_send_updates(e);
}

/* ---- looking and reporting ---- */

void executor_look(struct executor *e)
{
    struct scan_question question = question_for_scan(&e->question);
    struct scan *scan = scan_run(e->place, &question);

    if (!scan) {
        log_error("out of memory: scan");
        executor_end(e, EXECUTOR_EXIT_FAILED);
        return;
    }
    if (!e->scan || scan_differs(e->scan, scan)) {
        e->reported = false;
        log_info("found %zu devices%s%s", scan->n_devices, scan->warning[0] ? "; " : "",
                 scan->warning);
    }
    scan_free(e->scan);
    e->scan = scan;
    watch_directories(e->watch, scan->directories, scan->n_directories);
}

static uint8_t *pack_message(const struct executor *e, const uint8_t *data, size_t data_length,
                             size_t *length)
{
    Mesos__V1__Executor__Call call = MESOS__V1__EXECUTOR__CALL__INIT;
    Mesos__V1__Executor__Call__Message message = MESOS__V1__EXECUTOR__CALL__MESSAGE__INIT;
    Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
    Mesos__V1__FrameworkID framework_id = MESOS__V1__FRAMEWORK_ID__INIT;

    executor_id.value = (char *)e->environment->executor_id;
    framework_id.value = (char *)e->environment->framework_id;
    message.data = (ProtobufCBinaryData){.len = data_length, .data = (uint8_t *)data};
    call.executor_id = &executor_id;
    call.framework_id = &framework_id;
    call.has_type = true;
    call.type = MESOS__V1__EXECUTOR__CALL__TYPE__MESSAGE;
    call.message = &message;

    *length = mesos__v1__executor__call__get_packed_size(&call);
    uint8_t *bytes = malloc(*length);
    if (bytes)
        mesos__v1__executor__call__pack(&call, bytes);
    return bytes;
}

void executor_report(struct executor *e, uint64_t sequence)
{
    size_t report_length = 0, length = 0;

    if (!e->subscribed || !e->scan)
        return; /* the subscription brings a report */

    uint8_t *report = report_pack(e->scan, sequence, &report_length);
    uint8_t *bytes = report ? pack_message(e, report, report_length, &length) : NULL;
    int r = bytes ? transport_send(e->transport, "MESSAGE", bytes, length) : -ENOMEM;
    if (r < 0)
        log_warning("a report has to wait: %s", strerror(-r));
    else
        log_debug("reported %zu devices in %zu bytes", e->scan->n_devices, report_length);
    e->reported = r == 0;
    e->reported_at = clock_now();
    free(report);
    free(bytes);
}

static void look_and_report_news(struct executor *e)
{
    executor_look(e);
    /* Timers are never exact: half a period early is on time. */
    if (!e->reported || clock_now() - e->reported_at >= EXECUTOR_RESEND_MS - EXECUTOR_RESCAN_MS / 2)
        executor_report(e, 0);
}

static void on_changed(evutil_socket_t fd, short what, void *userdata)
{
    struct executor *e = userdata;

    if (watch_take(e->watch) && !evtimer_pending(e->settle, NULL))
        arm(e->settle, SETTLE_MS);
}

static void on_settle(evutil_socket_t fd, short what, void *userdata)
{
    look_and_report_news(userdata);
}

static void on_rescan(evutil_socket_t fd, short what, void *userdata)
{
    struct executor *e = userdata;

    look_and_report_news(e);
    arm(e->rescan, EXECUTOR_RESCAN_MS);
}

/* ---- the subscription ---- */

static void find_leader(void *userdata, bool failed)
{
    struct executor *e = userdata;

    transport_leader(e->transport, e->environment->host, e->environment->port);
}

static void subscribe_body(void *userdata, struct evbuffer *body)
{
    struct executor *e = userdata;
    size_t length;
    uint8_t *bytes = tasks_subscribe_call(e->tasks, &length);

    if (!bytes || evbuffer_add(body, bytes, length) < 0)
        log_error("out of memory: SUBSCRIBE");
    free(bytes);
}

static void on_up(void *userdata)
{
    struct executor *e = userdata;

    log_info("subscribed at the agent %s:%u", e->environment->host, e->environment->port);
    e->subscribed = true;
    if (!e->leaving)
        event_del(e->deadline);
    executor_send_updates(e);
    executor_look(e);
    executor_report(e, 0);
    executor_end_if_done(e);
}

static void on_down(void *userdata)
{
    struct executor *e = userdata;

    e->subscribed = false;
    e->reported = false;
    event_del(e->again);
}

static void on_end(void *userdata, enum session_end end, const char *line)
{
    struct executor *e = userdata;

    log_error("%s", line);
    executor_end(e, e->leaving ? EXECUTOR_EXIT_STOPPED : EXECUTOR_EXIT_LOST);
}

static const struct transport_callbacks callbacks = {
    .find_leader = find_leader,
    .subscribe_body = subscribe_body,
    .event = executor_event,
    .up = on_up,
    .down = on_down,
    .end = on_end,
};

static bool open_transport(struct executor *e)
{
    const struct environment *environment = e->environment;
    char authorization[8192] = "";
    uint64_t seed = 0;

    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        seed = clock_now();
    if (environment->token[0] != '\0' &&
        snprintf(authorization, sizeof(authorization), "Bearer %s", environment->token) >=
            (int)sizeof(authorization)) {
        log_error("MESOS_EXECUTOR_AUTHENTICATION_TOKEN is too long");
        return false;
    }

    struct transport_options options = {
        .path = "/api/v1/executor",
        .authorization = authorization,
        .seed = seed,
        .rules =
            {
                .peer = "Mesos agent",
                .flat_backoff = true,
                .backoff_max = environment->backoff_ms,
                .give_up = environment->checkpoint ? environment->recovery_ms : 0,
                .stranger_is_end = true,
            },
    };
    e->transport = transport_new(e->base, &options, &callbacks, e);
    explicit_bzero(authorization, sizeof(authorization));
    return e->transport != NULL;
}

/* ---- beginning and end ---- */

static bool make_events(struct executor *e)
{
    struct event_base *base = e->base;

    e->changed = event_new(base, watch_fd(e->watch), EV_READ | EV_PERSIST, on_changed, e);
    e->settle = evtimer_new(base, on_settle, e);
    e->rescan = evtimer_new(base, on_rescan, e);
    e->again = evtimer_new(base, on_again, e);
    e->deadline = evtimer_new(base, on_deadline, e);
    e->terminate = evsignal_new(base, SIGTERM, on_signal, e);
    e->interrupt = evsignal_new(base, SIGINT, on_signal, e);
    return e->changed && e->settle && e->rescan && e->again && e->deadline && e->terminate &&
           e->interrupt && event_add(e->changed, NULL) == 0 && event_add(e->terminate, NULL) == 0 &&
           event_add(e->interrupt, NULL) == 0;
}

static bool executor_init(struct executor *e)
{
    arena_init(&e->arena);
    e->base = event_base_new();
    e->tasks = tasks_new(e->environment->framework_id, e->environment->executor_id);
    e->watch = watch_new(e->place);
    return e->base && e->tasks && e->watch && make_events(e) && open_transport(e);
}

static void free_event(struct event *event)
{
    if (event)
        event_free(event);
}

static void executor_deinit(struct executor *e)
{
    transport_free(e->transport);
    free_event(e->changed);
    free_event(e->settle);
    free_event(e->rescan);
    free_event(e->again);
    free_event(e->deadline);
    free_event(e->terminate);
    free_event(e->interrupt);
    if (e->base)
        event_base_free(e->base);
    watch_free(e->watch);
    tasks_free(e->tasks);
    scan_free(e->scan);
    arena_deinit(&e->arena);
}

int executor_run(const struct environment *environment, const struct scan_place *place)
{
    struct executor *e = calloc(1, sizeof(*e));
    int exit_code;

    if (!e)
        return EXECUTOR_EXIT_FAILED;
    e->environment = environment;
    e->place = place;
    e->exit_code = EXECUTOR_EXIT_FAILED;
    signal(SIGPIPE, SIG_IGN);
    if (executor_init(e)) {
        /* Probers of a rack that came back together don't all look at the same moment. */
        arm(e->rescan, EXECUTOR_RESCAN_MS / 2 + clock_now() % EXECUTOR_RESCAN_MS);
        arm(e->deadline, environment->recovery_ms);
        executor_look(e);
        transport_start(e->transport);
        event_base_dispatch(e->base);
    } else {
        log_error("cannot start: %s", strerror(errno));
    }
    exit_code = e->exit_code;
    executor_deinit(e);
    free(e);
    return exit_code;
}
