/*
 * One HTTP connection of the transport, on libevent's client: a stream of SUBSCRIBE, or short
 * calls, one at a time. libevent's client is never given more than one request and never freed
 * inside one of its own callbacks.
 */
#ifndef DAEMON_MESOS_LINK_H
#define DAEMON_MESOS_LINK_H

#include <event2/buffer.h>
#include <event2/dns.h>
#include <event2/event.h>

#include <stdbool.h>
#include <stdint.h>

struct link;

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

/** link_new() - does not connect yet. @stream: an endless answer is expected. NULL: no memory. */
struct link *link_new(struct event_base *base, struct evdns_base *dns, const char *host,
                      uint16_t port, bool stream, const struct link_callbacks *callbacks,
                      void *userdata);

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
