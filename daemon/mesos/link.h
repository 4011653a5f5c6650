/*
 * One HTTP connection of the transport, on libevent's client: a stream of SUBSCRIBE, or short
 * calls, one at a time. libevent's client is never given more than one request and never freed
 * inside one of its own callbacks. What the bytes go through (TLS) is the caller's choice.
 */
#ifndef DAEMON_MESOS_LINK_H
#define DAEMON_MESOS_LINK_H

#include <event2/buffer.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/http.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_HOST_MAX 256

struct link;

/* Connections that are more than plain TCP (mesos/tls.h). */
struct link_channel {
    /* For one connection to @host, not connected yet. NULL: no memory. */
    struct bufferevent *(*open)(const void *userdata, struct event_base *base, const char *host);
    /* Why it broke, as one line; false: the channel has nothing to say to that. */
    bool (*why)(struct bufferevent *bev, char *line, size_t size);
    const void *userdata;
};

/* Where connections are made. */
struct link_network {
    struct event_base *base;
    struct evdns_base *dns;
    const struct link_channel *channel; /* NULL: plain TCP */
};

/** link_connection() - libevent's client for a peer; it connects with its first request. NULL: no
 * memory. */
struct evhttp_connection *link_connection(const struct link_network *network, const char *host,
                                          uint16_t port);

/**
 * link_trouble() - why a connection could not be made or broke, as one line.
 * @otherwise: when nobody knows better
 */
const char *link_trouble(const struct link_network *network, struct evhttp_connection *connection,
                         const char *otherwise, char *line, size_t size);

/* What a connection tells. Called from the loop or from inside link_post(); must not free it. */
struct link_callbacks {
    /* The head of an answer with status 200 (streams only). False: hang up. */
    bool (*head)(void *userdata, const char *content_type, const char *stream_id);
    /* A piece of the body of such an answer (streams only); to be read from, not kept. */
    void (*piece)(void *userdata, const uint8_t *data, size_t length);
    /* The answer is complete. @body: text of at most 1 KiB, cleaned, never NULL; "" for streams.
     * @location: NULL when absent. */
    void (*done)(void *userdata, int status, const char *location, const char *body);
    /* There will be no answer, or no more of it. */
    void (*failed)(void *userdata, const char *why);
};

/** link_new() - does not connect yet. @network: copied. @stream: an endless answer is expected.
 * NULL: no memory. */
struct link *link_new(const struct link_network *network, const char *host, uint16_t port,
                      bool stream, const struct link_callbacks *callbacks, void *userdata);

/** link_free() - hangs up; no callback comes any more. Not from inside a callback. NULL is fine. */
void link_free(struct link *l);

/**
 * link_post() - connects if need be and posts; the answer comes by callbacks, failures too, perhaps
 * from inside this call. Only when no request is under way.
 * @body: emptied; @authorization, @stream_id: headers, NULL or "" for none
 */
void link_post(struct link *l, const char *path, const char *authorization, const char *stream_id,
               struct evbuffer *body);

#endif
