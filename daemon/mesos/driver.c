/*
 * The daemon's side of Mesos: joins leader, transport, conversion and descriptions.
 */
#include "mesos/driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mesos/convert.h"
#include "mesos/describe.h"
#include "mesos/framework.h"
#include "mesos/leader.h"
#include "mesos/namesake.h"
#include "mesos/probe_request.h"
#include "mesos/tls.h"
#include "mesos/transport.h"
#include "options.h"

#define API_PATH        "/api/v1/scheduler"
#define HEARTBEAT_MAX_S 86400.0
#define LOOK_AGAIN_S    2 /* for a namesake, where a master could not tell */

struct driver {
    struct driver_callbacks callbacks;
    struct arena texts; /* copies of the options */
    struct driver_options options;
    char *framework_id; /* "" before the first subscription */

    struct leader *leader;
    struct tls *tls; /* NULL: plain HTTP */
    struct transport *transport;
    struct describe *describe;
    struct namesake *namesake; /* NULL: not looked for */
    struct event *look_again;
    bool updated; /* UPDATE_FRAMEWORK was said, or need not be */
    struct probe_request probe;
    struct arena events; /* of one event */
    struct arena calls;  /* of one call */
    struct offers offers;
    char master[SESSION_HOST_MAX + 16];
    char detail[SESSION_LINE_MAX + 64];
};

/* ---- events ---- */

static void tell(void *userdata, const struct qm_fact *fact)
{
    struct driver *d = userdata;
    d->callbacks.fact(d->callbacks.userdata, fact);
}

static enum session_event_kind kind_of(const Mesos__V1__Scheduler__Event *event)
{
    if (event->type == MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED && event->subscribed != NULL)
        return SESSION_EVENT_SUBSCRIBED;
    if (event->type == MESOS__V1__SCHEDULER__EVENT__TYPE__ERROR)
        return SESSION_EVENT_ERROR;
    return SESSION_EVENT_OTHER;
}

static qm_duration heartbeat_of(const Mesos__V1__Scheduler__Event *event)
{
    if (event->subscribed == NULL || !event->subscribed->has_heartbeat_interval_seconds)
        return 0;
    double seconds = event->subscribed->heartbeat_interval_seconds;
    return seconds > 0 && seconds < HEARTBEAT_MAX_S ? (qm_duration)(seconds * 1000) : 0;
}

static void send_call(struct driver *d, const struct convert_call *call)
{
    int rc = transport_send(d->transport, call->what, call->bytes, call->length);
    if (rc == -ENOTCONN)
        log_debug("%s not sent: not subscribed", call->what);
    else if (rc != 0)
        log_warning("%s not sent: %s", call->what, strerror(-rc));
}

/* SUBSCRIBE under an old id changes what the master holds of us as far as it can, and is silent
 * about the rest (user, checkpoint); the answer to this one is not. */
static void update(struct driver *d, struct framework_version version)
{
    if (!d->updated && framework_version_is(version, 1, 9)) {
        arena_reset(&d->calls);
        struct convert_call call = framework_update(&d->calls, &d->options, d->framework_id);
        send_call(d, &call);
    }
    d->updated = true;
}

/* False: it cannot be worked with. */
static bool accept_version(struct driver *d, const char *text, struct framework_version version)
{
    char line[SESSION_LINE_MAX];
    if (!version.known || framework_version_is(version, 1, 4))
        return true;
    snprintf(line, sizeof line,
             "the Mesos master is version %.40s, which knows neither several roles nor partitions "
             "as needed: Mesos 1.4 or later is required",
             text);
    transport_give_up(d->transport, SESSION_END_TOO_OLD, line);
    return false;
}

/* False: not with this master. */
static bool subscribed(struct driver *d, const Mesos__V1__Scheduler__Event__Subscribed *event)
{
    const char *version_text = event->master_info != NULL ? event->master_info->version : NULL;
    struct framework_version version = framework_version_parse(version_text);
    if (!accept_version(d, version_text, version))
        return false;
    if (d->framework_id[0] == '\0')
        d->updated = true; /* all of it is new */
    struct session_view view;
    char *id = strdup(event->framework_id->value);
    if (id != NULL) {
        free(d->framework_id);
        d->framework_id = id;
    }
    transport_view(d->transport, &view);
    offers_clear(&d->offers);
    describe_begin(d->describe, view.host, view.port, d->framework_id);
    log_info("subscribed at Mesos master %s:%u (version %s) as framework %s", view.host, view.port,
             version_text != NULL ? version_text : "unknown", d->framework_id);
    update(d, version);
    return true;
}

/* False: the event means nothing any more. */
static bool look_at(struct driver *d, const Mesos__V1__Scheduler__Event *event)
{
    switch (event->type) {
    case MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED:
        if (event->subscribed != NULL)
            return subscribed(d, event->subscribed);
        break;
    case MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS:
        for (size_t i = 0; event->offers != NULL && i < event->offers->n_offers; i++)
            if (offers_keep(&d->offers, event->offers->offers[i]) != 0)
                log_error("out of memory: an offer cannot be used");
        break;
    case MESOS__V1__SCHEDULER__EVENT__TYPE__RESCIND:
        if (event->rescind != NULL)
            offers_drop(&d->offers, event->rescind->offer_id->value);
        break;
    default:
        break;
    }
    return true;
}

static bool on_event(void *userdata, const uint8_t *record, size_t length)
{
    struct driver *d = userdata;
    arena_reset(&d->events);
    Mesos__V1__Scheduler__Event *event =
        mesos__v1__scheduler__event__unpack(arena_allocator(&d->events), length, record);
    if (event == NULL)
        return false;
    if (!event->has_type)
        return true; /* of no type at all: nothing that we know */
    enum session_event_kind kind = kind_of(event);
    const char *text = event->error != NULL ? event->error->message : NULL;
    if (!transport_event(d->transport, kind, text, heartbeat_of(event)))
        return true;
    if (look_at(d, event))
        convert_event(&d->events, event, tell, d);
    return true;
}

/* ---- the session's other news ---- */

static void on_find_leader(void *userdata, bool failed)
{
    struct driver *d = userdata;
    leader_find(d->leader, failed);
}

static void on_subscribe_body(void *userdata, struct evbuffer *body)
{
    struct driver *d = userdata;
    arena_reset(&d->calls);
    struct convert_call call = framework_subscribe(&d->calls, &d->options, d->framework_id);
    evbuffer_add(body, call.bytes, call.length);
}

static void on_down(void *userdata)
{
    struct driver *d = userdata;
    offers_clear(&d->offers);
    describe_end(d->describe);
    tell(d, &(struct qm_fact){.type = QM_FACT_DISCONNECTED});
}

static void on_end(void *userdata, enum session_end end, const char *line)
{
    struct driver *d = userdata;
    int code = EXIT_CODE_NOT_AUTHORIZED;
    if (end == SESSION_END_REMOVED)
        code = EXIT_CODE_REMOVED;
    else if (end == SESSION_END_FAILED_OVER)
        code = EXIT_CODE_FAILED_OVER;
    else if (end == SESSION_END_TOO_OLD)
        code = EXIT_CODE_TOO_OLD;
    d->callbacks.ended(d->callbacks.userdata, code, line);
}

static void on_leader(void *userdata, const char *host, uint16_t port)
{
    struct driver *d = userdata;
    if (d->namesake != NULL && d->framework_id[0] == '\0')
        namesake_ask(d->namesake, host, port);
    else
        transport_leader(d->transport, host, port);
}

static void on_no_leader(void *userdata, const char *why)
{
    struct driver *d = userdata;
    transport_no_leader(d->transport, why);
}

/* ---- a live framework of our name ---- */

static void on_no_namesake(void *userdata, const char *host, uint16_t port)
{
    struct driver *d = userdata;
    transport_leader(d->transport, host, port);
}

static void on_namesake(void *userdata, const char *framework_id, size_t n_tasks)
{
    struct driver *d = userdata;
    char line[SESSION_LINE_MAX];
    snprintf(line, sizeof line,
             "no stored state, but the Mesos master knows a live framework '%.80s' with %zu tasks: "
             "start with --framework_id=%.120s to adopt it, or with --new to begin another one "
             "beside it",
             d->options.name, n_tasks, framework_id);
    d->callbacks.ended(d->callbacks.userdata, EXIT_CODE_NAMESAKE, line);
}

static void on_namesake_unknown(void *userdata, const char *why)
{
    struct driver *d = userdata;
    struct timeval wait = {LOOK_AGAIN_S, 0};
    transport_no_leader(d->transport, why);
    evtimer_add(d->look_again, &wait);
}

static void on_look_again(evutil_socket_t fd, short what, void *userdata)
{
    struct driver *d = userdata;
    leader_find(d->leader, true);
}

static int open_namesake(struct driver *d, struct event_base *base, const char *authorization)
{
    static const struct namesake_callbacks callbacks = {on_no_namesake, on_namesake,
                                                        on_namesake_unknown};
    if (!d->options.look_for_namesake || d->framework_id[0] != '\0')
        return 0;
    d->look_again = evtimer_new(base, on_look_again, d);
    d->namesake = namesake_new(transport_network(d->transport), authorization, d->options.name,
                               &callbacks, d);
    return d->namesake != NULL && d->look_again != NULL ? 0 : -ENOMEM;
}

/* ---- actions ---- */

/* Offers of a launch that cannot be made go back at once, so that nobody waits for them. */
static void give_back(struct driver *d, const struct convert_context *context,
                      const struct qm_launch *launch)
{
    struct convert_call call;
    for (size_t i = 0; i < launch->n_offer_ids; i++) {
        struct qm_action decline = {.type = QM_ACTION_DECLINE};
        decline.decline.offer_ids = &launch->offer_ids[i];
        decline.decline.n_offer_ids = 1;
        if (offers_drop(&d->offers, launch->offer_ids[i]) &&
            convert_action(context, &decline, &call) == 0)
            send_call(d, &call);
    }
}

static void drop_answered(struct driver *d, const struct qm_action *action)
{
    if (action->type == QM_ACTION_LAUNCH)
        for (size_t i = 0; i < action->launch.n_offer_ids; i++)
            offers_drop(&d->offers, action->launch.offer_ids[i]);
    else if (action->type == QM_ACTION_DECLINE)
        for (size_t i = 0; i < action->decline.n_offer_ids; i++)
            offers_drop(&d->offers, action->decline.offer_ids[i]);
}

void driver_perform(struct driver *d, const struct qm_action *action)
{
    struct convert_call call;
    if (action->type == QM_ACTION_DESCRIBE_TASK) {
        describe_ask(d->describe, action->describe.task_id,
                     action->describe.agent_id != NULL ? action->describe.agent_id : "");
        return;
    }
    arena_reset(&d->calls);
    struct convert_context context = {
        .arena = &d->calls,
        .framework_id = d->framework_id,
        .offers = &d->offers,
    };
    if (action->type == QM_ACTION_LAUNCH)
        probe_request_learn(&d->probe, &action->launch);
    if (action->type == QM_ACTION_LAUNCH || action->type == QM_ACTION_PROBE)
        context.probe_request = probe_request_pack(&d->probe, &d->calls);
    int rc = convert_action(&context, action, &call);
    if (rc == 0) {
        send_call(d, &call);
        drop_answered(d, action);
    } else if (action->type == QM_ACTION_LAUNCH) {
        log_warning("launch on agent %s not sent: %s", action->launch.agent_id,
                    rc == -ENOENT ? "its offer is gone" : "it does not fit its offers");
        give_back(d, &context, &action->launch);
    } else {
        log_error("action %d cannot be sent", (int)action->type);
    }
}

/* ---- life ---- */

static void copy_options(struct driver *d, const struct driver_options *options)
{
    struct driver_options *o = &d->options;
    *o = *options;
    o->masters = NULL; /* may hold a password */
    o->ca_file = o->cert_file = o->key_file = NULL;
    o->secret = NULL;
    o->name = arena_text(&d->texts, options->name);
    o->user = arena_text(&d->texts, options->user);
    o->role = arena_text(&d->texts, options->role);
    o->public_role = arena_text(&d->texts, options->public_role);
    o->principal = arena_text(&d->texts, options->principal);
    o->hostname = arena_text(&d->texts, options->hostname);
    o->webui_url = arena_text(&d->texts, options->webui_url);
    o->framework_id = arena_text(&d->texts, options->framework_id);
}

/* Mesos splits the decoded pair at every colon, so neither half may hold one. */
static int make_authorization(const struct driver_options *o, char **header, char *error,
                              size_t size)
{
    *header = NULL;
    if (o->principal == NULL || o->principal[0] == '\0' || o->secret == NULL ||
        o->secret[0] == '\0')
        return 0;
    if (strchr(o->principal, ':') != NULL || strpbrk(o->secret, ":\r\n") != NULL) {
        snprintf(error, size, "framework.principal and its secret must not hold a colon");
        return -EINVAL;
    }
    *header = transport_basic(o->principal, o->secret);
    return *header != NULL ? 0 : -ENOMEM;
}

/* Who is asked for, and how. */
static int open_leader(struct driver *d, struct event_base *base, const struct driver_options *o,
                       char *error, size_t size)
{
    static const struct leader_callbacks callbacks = {on_leader, on_no_leader};
    const struct tls_options tls = {o->ca_file, o->cert_file, o->key_file};
    int rc = leader_new(&d->leader, base, o->masters != NULL ? o->masters : "", o->tls, &callbacks,
                        d, error, size);
    bool files = (o->ca_file != NULL && o->ca_file[0] != '\0') ||
                 (o->cert_file != NULL && o->cert_file[0] != '\0');
    if (rc == 0 && (o->tls || leader_wants_tls(d->leader)))
        return tls_new(&d->tls, &tls, error, size);
    if (rc == 0 && files) {
        snprintf(error, size,
                 "mesos.tls.* is given, but TLS is not: say mesos.tls.enabled, or "
                 "https:// in --master");
        return -EINVAL;
    }
    return rc;
}

static int open_parts(struct driver *d, struct event_base *base,
                      const struct driver_options *options, char *error, size_t size)
{
    static const struct transport_callbacks callbacks = {
        .find_leader = on_find_leader,
        .subscribe_body = on_subscribe_body,
        .event = on_event,
        .down = on_down,
        .end = on_end,
    };
    struct transport_options transport = {
        .path = API_PATH,
        .rules = session_scheduler_rules,
        .seed = options->seed,
    };
    char *authorization;
    int rc = open_leader(d, base, options, error, size);
    if (rc == 0)
        rc = make_authorization(options, &authorization, error, size);
    if (rc != 0)
        return rc;
    transport.channel = d->tls != NULL ? tls_channel(d->tls) : NULL;
    transport.authorization = authorization;
    d->transport = transport_new(base, &transport, &callbacks, d);
    if (d->transport != NULL)
        d->describe = describe_new(transport_network(d->transport), authorization, tell, d);
    rc = d->describe != NULL ? open_namesake(d, base, authorization) : -ENOMEM;
    if (authorization != NULL)
        explicit_bzero(authorization, strlen(authorization));
    free(authorization);
    return rc;
}

int driver_new(struct driver **driver, struct event_base *base,
               const struct driver_options *options, const struct driver_callbacks *callbacks,
               char *error, size_t size)
{
    struct driver *d = calloc(1, sizeof *d);
    snprintf(error, size, "out of memory");
    if (d == NULL)
        return -ENOMEM;
    arena_init(&d->texts);
    arena_init(&d->events);
    arena_init(&d->calls);
    offers_init(&d->offers);
    d->callbacks = *callbacks;
    copy_options(d, options);
    probe_request_init(&d->probe, options->config);
    d->framework_id = strdup(d->options.framework_id);
    int rc = d->framework_id == NULL ? -ENOMEM : open_parts(d, base, options, error, size);
    if (rc != 0) {
        driver_free(d);
        return rc;
    }
    *error = '\0';
    transport_start(d->transport);
    *driver = d;
    return 0;
}

struct driver *driver_free(struct driver *d)
{
    if (d == NULL)
        return NULL;
    leader_free(d->leader);
    describe_free(d->describe);
    namesake_free(d->namesake);
    if (d->look_again != NULL)
        event_free(d->look_again);
    transport_free(d->transport);
    tls_free(d->tls);
    offers_deinit(&d->offers);
    arena_deinit(&d->events);
    arena_deinit(&d->calls);
    arena_deinit(&d->texts);
    free(d->framework_id);
    free(d);
    return NULL;
}

void driver_status(struct driver *d, struct driver_status *status)
{
    struct session_view view;
    transport_view(d->transport, &view);
    d->master[0] = '\0';
    if (view.host[0] != '\0')
        transport_host_header(view.host, view.port, d->master, sizeof d->master);
    snprintf(d->detail, sizeof d->detail, "%s%s%s", session_state_name(view.state),
             view.trouble[0] != '\0' ? ": " : "", view.trouble);
    *status = (struct driver_status){
        .connected = view.state == SESSION_SUBSCRIBED,
        .master = d->master,
        .detail = d->detail,
        .since = view.since,
        .last_heartbeat = view.last_event,
    };
}
