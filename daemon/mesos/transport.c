/*
 * A session's connections in a libevent loop. Callbacks of connections only tell the session; what
 * it then wants is done from an event of its own ("the pump"), so that no connection is ever closed
 * inside its own callback.
 */
#include "mesos/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/util.h>

#include "clock.h"
#include "mesos/link.h"
#include "mesos/recordio.h"

struct transport {
    struct link_network network;
    char *path;
    char *authorization;
    struct transport_callbacks callbacks;
    void *userdata;

    struct session *session;
    struct event *pump;  /* do what the session wants */
    struct event *timer; /* session_deadline() */
    uint64_t number;     /* of the subscription that the connections belong to */
    char host[SESSION_HOST_MAX];
    uint16_t port;
    struct link *stream;
    struct link *calls; /* made with the first call */
    struct recordio records;
    bool broken; /* the stream's content made no sense: nothing more is read from it */
};

static void kick(struct transport *t)
{
    event_active(t->pump, 0, 0);
}

/* ---- what happens on the stream ---- */

static bool stream_head(void *userdata, const char *content_type, const char *stream_id)
{
    struct transport *t = userdata;
    kick(t);
    if (content_type == NULL || strcmp(content_type, "application/x-protobuf") != 0) {
        session_lost(t->session, clock_now(), t->number, "the stream is not protobuf");
        return true; /* the pump hangs up */
    }
    session_answered(t->session, clock_now(), t->number, 200, stream_id, NULL, NULL);
    return true;
}

static void stream_piece(void *userdata, const uint8_t *data, size_t size)
{
    struct transport *t = userdata;
    const uint8_t *record;
    size_t length;
    int rc = 0;
    kick(t);
    while (!t->broken && (rc = recordio_next(&t->records, &data, &size, &record, &length)) > 0) {
        if (t->callbacks.event(t->userdata, record, length))
            continue;
        t->broken = true;
        session_lost(t->session, clock_now(), t->number, "an event cannot be decoded");
    }
    if (rc < 0 && !t->broken) {
        t->broken = true;
        session_lost(t->session, clock_now(), t->number, "the stream is not RecordIO");
    }
}

static void stream_done(void *userdata, int status, const char *location, const char *body)
{
    struct transport *t = userdata;
    if (status == 200)
        session_lost(t->session, clock_now(), t->number, "the stream has ended");
    else
        session_answered(t->session, clock_now(), t->number, status, NULL, location, body);
    kick(t);
}

static void stream_failed(void *userdata, const char *why)
{
    struct transport *t = userdata;
    session_lost(t->session, clock_now(), t->number, why);
    kick(t);
}

static const struct link_callbacks stream_callbacks = {
    .head = stream_head,
    .piece = stream_piece,
    .done = stream_done,
    .failed = stream_failed,
};

/* ---- what happens on the connection for calls ---- */

static void call_done(void *userdata, int status, const char *location, const char *body)
{
    struct transport *t = userdata;
    session_call_answered(t->session, clock_now(), t->number, status, body);
    kick(t);
}

static void call_failed(void *userdata, const char *why)
{
    struct transport *t = userdata;
    char line[200];
    snprintf(line, sizeof line, "a call was not answered: %s", why);
    session_lost(t->session, clock_now(), t->number, line);
    kick(t);
}

static const struct link_callbacks call_callbacks = {.done = call_done, .failed = call_failed};

/* ---- what the session wants ---- */

static void hang_up(struct transport *t)
{
    link_free(t->stream);
    link_free(t->calls);
    t->stream = t->calls = NULL;
    recordio_deinit(&t->records);
}

static void subscribe(struct transport *t, const struct session_command *command)
{
    struct evbuffer *body = evbuffer_new();
    hang_up(t);
    t->number = command->number;
    t->broken = false;
    snprintf(t->host, sizeof t->host, "%s", command->host);
    t->port = command->port;
    t->stream = link_new(&t->network, t->host, t->port, true, &stream_callbacks, t);
    if (t->stream == NULL || body == NULL) {
        session_lost(t->session, clock_now(), t->number, "out of memory");
    } else {
        t->callbacks.subscribe_body(t->userdata, body);
        link_post(t->stream, t->path, t->authorization, NULL, body);
    }
    if (body != NULL)
        evbuffer_free(body);
}

static void call(struct transport *t, const struct session_command *command)
{
    struct evbuffer *body = evbuffer_new();
    if (t->calls == NULL)
        t->calls = link_new(&t->network, t->host, t->port, false, &call_callbacks, t);
    if (t->calls == NULL || body == NULL || evbuffer_add(body, command->body, command->length) != 0)
        call_failed(t, "out of memory");
    else
        link_post(t->calls, t->path, t->authorization, command->stream_id, body);
    if (body != NULL)
        evbuffer_free(body);
}

static void perform(struct transport *t, const struct session_command *command)
{
    switch (command->type) {
    case SESSION_DO_FIND_LEADER:
        t->callbacks.find_leader(t->userdata, command->failed);
        break;
    case SESSION_DO_SUBSCRIBE:
        subscribe(t, command);
        break;
    case SESSION_DO_CLOSE:
        hang_up(t);
        break;
    case SESSION_DO_CALL:
        call(t, command);
        break;
    case SESSION_DO_UP:
        if (t->callbacks.up != NULL)
            t->callbacks.up(t->userdata);
        break;
    case SESSION_DO_DOWN:
        t->callbacks.down(t->userdata);
        break;
    case SESSION_DO_END:
        t->callbacks.end(t->userdata, command->end, command->line);
        break;
    case SESSION_DO_SAY:
        log_line(command->level, "%s", command->line);
        break;
    }
}

static void arm_timer(struct transport *t)
{
    qm_time deadline = session_deadline(t->session), now = clock_now();
    if (deadline == QM_TIME_NEVER) {
        evtimer_del(t->timer);
        return;
    }
    qm_duration left = deadline > now ? deadline - now : 0;
    struct timeval wait = {(time_t)(left / 1000), (suseconds_t)(left % 1000 * 1000)};
    evtimer_add(t->timer, &wait);
}

static void on_pump(evutil_socket_t fd, short what, void *userdata)
{
    struct transport *t = userdata;
    struct session_command command;
    while (session_next(t->session, &command))
        perform(t, &command);
    arm_timer(t);
}

static void on_timer(evutil_socket_t fd, short what, void *userdata)
{
    struct transport *t = userdata;
    session_tick(t->session, clock_now());
    on_pump(-1, 0, t);
}

/* ---- the owner's side ---- */

/* What libevent says by itself (nameservers that do not answer) keeps to the form of our log. */
static void on_libevent_line(int severity, const char *line)
{
    log_line(severity >= EVENT_LOG_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_DEBUG, "libevent: %s", line);
}

static struct evdns_base *make_dns(struct event_base *base)
{
    struct evdns_base *dns =
        evdns_base_new(base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (dns == NULL) { /* no usable resolv.conf: addresses and /etc/hosts still work */
        dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
        if (dns != NULL)
            evdns_base_load_hosts(dns, "/etc/hosts");
    }
    return dns;
}

struct transport *transport_new(struct event_base *base, const struct transport_options *options,
                                const struct transport_callbacks *callbacks, void *userdata)
{
    struct transport *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    bool secret = options->authorization != NULL && options->authorization[0] != '\0';
    t->callbacks = *callbacks;
    t->userdata = userdata;
    recordio_init(&t->records);
    event_set_log_callback(on_libevent_line);
    t->path = strdup(options->path);
    t->authorization = secret ? strdup(options->authorization) : NULL;
    t->session = session_new(&options->rules, options->seed);
    t->pump = event_new(base, -1, 0, on_pump, t);
    t->timer = evtimer_new(base, on_timer, t);
    t->network = (struct link_network){base, make_dns(base), options->channel};
    if (t->path == NULL || (secret && t->authorization == NULL) || t->session == NULL ||
        t->pump == NULL || t->timer == NULL || t->network.dns == NULL) {
        transport_free(t);
        return NULL;
    }
    return t;
}

void transport_free(struct transport *t)
{
    if (t == NULL)
        return;
    hang_up(t);
    if (t->pump != NULL)
        event_free(t->pump);
    if (t->timer != NULL)
        event_free(t->timer);
    if (t->network.dns != NULL)
        evdns_base_free(t->network.dns, 0);
    session_free(t->session);
    if (t->authorization != NULL)
        explicit_bzero(t->authorization, strlen(t->authorization));
    free(t->authorization);
    free(t->path);
    free(t);
}

void transport_start(struct transport *t)
{
    session_start(t->session, clock_now());
    kick(t);
}

void transport_leader(struct transport *t, const char *host, uint16_t port)
{
    session_leader(t->session, clock_now(), host, port);
    kick(t);
}

void transport_no_leader(struct transport *t, const char *why)
{
    session_no_leader(t->session, clock_now(), why);
    kick(t);
}

bool transport_event(struct transport *t, enum session_event_kind kind, const char *text,
                     qm_duration heartbeat)
{
    return session_event(t->session, clock_now(), t->number, kind, text, heartbeat);
}

int transport_send(struct transport *t, const char *what, const uint8_t *body, size_t length)
{
    int rc = session_send(t->session, clock_now(), what, body, length);
    kick(t);
    return rc;
}

void transport_give_up(struct transport *t, enum session_end end, const char *line)
{
    session_give_up(t->session, clock_now(), end, line);
    kick(t);
}

void transport_view(const struct transport *t, struct session_view *view)
{
    session_view(t->session, view);
}

const struct link_network *transport_network(const struct transport *t)
{
    return &t->network;
}

void transport_host_header(const char *host, uint16_t port, char *buffer, size_t size)
{
    bool ipv6 = strchr(host, ':') != NULL;
    snprintf(buffer, size, ipv6 ? "[%s]:%u" : "%s:%u", host, port);
}

char *transport_basic(const char *principal, const char *secret)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char scheme[] = "Basic ";
    char *text = NULL;
    int length = asprintf(&text, "%s:%s", principal, secret);
    if (length < 0)
        return NULL;
    char *header = malloc(sizeof scheme + (size_t)(length + 2) / 3 * 4);
    if (header != NULL) {
        char *out = stpcpy(header, scheme);
        for (int i = 0; i < length; i += 3) {
            uint32_t three = (uint32_t)(uint8_t)text[i] << 16;
            three |= i + 1 < length ? (uint32_t)(uint8_t)text[i + 1] << 8 : 0;
            three |= i + 2 < length ? (uint32_t)(uint8_t)text[i + 2] : 0;
            *out++ = digits[three >> 18];
            *out++ = digits[three >> 12 & 63];
            *out++ = i + 1 < length ? digits[three >> 6 & 63] : '=';
            *out++ = i + 2 < length ? digits[three & 63] : '=';
        }
        *out = '\0';
    }
    explicit_bzero(text, (size_t)length);
    free(text);
    return header;
}
