/*
 * One GET over a short connection of its own.
 */
#ifndef DAEMON_MESOS_FETCH_H
#define DAEMON_MESOS_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include <event2/dns.h>
#include <event2/event.h>

struct fetch;

/* @status: of the answer, 0: there is none; @data is borrowed. Called once, from the loop or from
 * inside fetch_new(); must not free the fetch. */
typedef void (*fetch_done_fn)(void *userdata, int status, const char *data, size_t length);

/**
 * fetch_new() - asks for @path (with query, encoded).
 * @authorization: header value, NULL or "": none
 * NULL: out of memory, or nothing could be sent; @done is not called any more then.
 */
struct fetch *fetch_new(struct event_base *base, struct evdns_base *dns, const char *host,
                        uint16_t port, const char *path, const char *authorization,
                        fetch_done_fn done, void *userdata);

/** fetch_free() - hangs up. Not from inside the callback. NULL is fine. */
void fetch_free(struct fetch *f);

#endif
