/*
 * A session's connections in a libevent loop: exactly two to the peer, one for SUBSCRIBE and its
 * stream, one for all calls. Performs what the session asks for and tells it what happened; used by
 * the scheduler driver and by the prober.
 */
#ifndef DAEMON_MESOS_TRANSPORT_H
#define DAEMON_MESOS_TRANSPORT_H

#include <event2/buffer.h>
#include <event2/dns.h>
#include <event2/event.h>

#include "mesos/link.h"
#include "mesos/session.h"

/* Copied by transport_new(), the rules' strings excepted. */
struct transport_options {
    const char *path; /* "/api/v1/scheduler" */
    const char
        *authorization; /* value of the header of that name; NULL or "": none. Never logged */
    struct session_rules rules;
    uint64_t seed;                      /* of the jitter */
    const struct link_channel *channel; /* NULL: plain TCP; must outlive the transport */
};

/* All are called from the loop, never from inside transport_*(). None may free the transport. */
struct transport_callbacks {
    /* Who leads? Answer, now or later, with transport_leader() or transport_no_leader().
     * @failed: the one named last did not work */
    void (*find_leader)(void *userdata, bool failed);
    /* The SUBSCRIBE call as protobuf, to be appended. */
    void (*subscribe_body)(void *userdata, struct evbuffer *body);
    /* A record of the stream. First transport_event() is to be told what it is; only when that says
     * true its content counts. False: it cannot be decoded; the subscription is given up. */
    bool (*event)(void *userdata, const uint8_t *record, size_t length);
    void (*up)(void *userdata);   /* subscribed; after the SUBSCRIBED event. May be NULL */
    void (*down)(void *userdata); /* no longer subscribed */
    void (*end)(void *userdata, enum session_end end, const char *line); /* over for good */
};

struct transport;

/** transport_new() - idle until transport_start(). NULL: out of memory. */
struct transport *transport_new(struct event_base *base, const struct transport_options *options,
                                const struct transport_callbacks *callbacks, void *userdata);

/** transport_free() - hangs up without a word. Not from inside a callback. NULL is fine. */
void transport_free(struct transport *t);

void transport_start(struct transport *t);
void transport_leader(struct transport *t, const char *host, uint16_t port);
void transport_no_leader(struct transport *t, const char *why);

/** transport_event() - see struct transport_callbacks; arguments as in session_event(). */
bool transport_event(struct transport *t, enum session_event_kind kind, const char *text,
                     qm_duration heartbeat);

/** transport_send() - queues a call; returns as session_send() does. */
int transport_send(struct transport *t, const char *what, const uint8_t *body, size_t length);

/** transport_give_up() - see session_give_up(); also from inside the event callback. */
void transport_give_up(struct transport *t, enum session_end end, const char *line);

void transport_view(const struct transport *t, struct session_view *view);

/** transport_network() - for further connections of the same program. Borrowed. */
const struct link_network *transport_network(const struct transport *t);

/** transport_host_header() - "host:port", an IPv6 address in brackets. */
void transport_host_header(const char *host, uint16_t port, char *buffer, size_t size);

/** transport_basic() - "Basic <base64 of principal:secret>"; to be freed. NULL: out of memory. */
char *transport_basic(const char *principal, const char *secret);

#endif
