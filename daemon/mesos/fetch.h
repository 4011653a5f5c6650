/*
 * One GET over a short connection of its own.
 */
#ifndef DAEMON_MESOS_FETCH_H
#define DAEMON_MESOS_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "mesos/link.h"

struct fetch;

/* Borrowed, all of it. */
struct fetch_answer {
    int status;           /* 0: there is none */
    const char *why;      /* there is none; else "" */
    const char *location; /* of a redirect, NULL when absent */
    const char *data;     /* never NULL */
    size_t length;
};

/* Called once, from the loop or from inside fetch_new(); must not free the fetch. */
typedef void (*fetch_done_fn)(void *userdata, const struct fetch_answer *answer);

/**
 * fetch_new() - asks for @path (with query, encoded).
 * @network: copied; @authorization: header value, NULL or "": none
 * NULL: out of memory, or nothing could be sent; @done is not called any more then.
 */
struct fetch *fetch_new(const struct link_network *network, const char *host, uint16_t port,
                        const char *path, const char *authorization, fetch_done_fn done,
                        void *userdata);

/** fetch_free() - hangs up. Not from inside the callback. NULL is fine. */
void fetch_free(struct fetch *f);

#endif
