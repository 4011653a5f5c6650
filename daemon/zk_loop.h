/*
 * A ZooKeeper session inside a libevent loop, with the single-threaded client library: one handle
 * at a time, a new one when the session is over or could not be made. Whoever uses it speaks to
 * ZooKeeper with the library's own zoo_a* calls on the present handle.
 *
 *     connected -> zoo_a*(zk_loop_handle(zk), ...) -> zk_loop_touch(zk) -> completions
 *
 * Limits of Debian's library: no TLS; host names are looked up with a blocking getaddrinfo() when
 * a handle is made and when the library reconnects, so addresses are better than names where DNS
 * can hang.
 */
#ifndef DAEMON_ZK_LOOP_H
#define DAEMON_ZK_LOOP_H

#include <stdbool.h>

#include <event2/event.h>
#include <zookeeper/zookeeper.h>

#define ZK_LOOP_SESSION_MS 10000 /* what Mesos' own detectors ask for */

struct zk_loop;

/* Copied by zk_loop_new(). */
struct zk_loop_options {
    const char *servers; /* "host1:2181,host2:2181", without path and credentials */
    const char
        *credentials;    /* "user:password" for scheme digest; NULL or "" for none; not logged */
    int session_ms;      /* 0: ZK_LOOP_SESSION_MS */
    const char *purpose; /* for the log: "leader detection", "state" */
};

/*
 * All are called from the loop, never from inside zk_loop_new(); each may be NULL. They may issue
 * zoo_a* calls, but must not call zk_loop_free().
 */
struct zk_loop_callbacks {
    /* A session is there: @again false: a new one (no watch and no ephemeral node of before is
     * left); true: the same one after a break (both are still there). */
    void (*connected)(void *userdata, zhandle_t *handle, bool again);
    /* The connection is gone; the library reconnects by itself. Outstanding calls were completed
     * with ZCONNECTIONLOSS: their outcome is unknown. */
    void (*disconnected)(void *userdata);
    /* The session is over and its handle about to be freed; outstanding calls were or will be
     * completed with an error before `connected` comes for the next. */
    void (*expired)(void *userdata);
    /* The server did not take the credentials. It is tried again with back-off. */
    void (*refused)(void *userdata);
};

/**
 * zk_loop_new() - starts to connect; NULL when out of memory. Never blocks but for host names.
 */
struct zk_loop *zk_loop_new(struct event_base *base, const struct zk_loop_options *options,
                            const struct zk_loop_callbacks *callbacks, void *userdata);

/**
 * zk_loop_free() - ends the session (ephemeral nodes go at once) and frees; outstanding completions
 * are called with ZCLOSING from in here. Not from inside a callback or completion. NULL is fine.
 */
void zk_loop_free(struct zk_loop *zk);

/** zk_loop_handle() - the handle while a session is there and connected, else NULL. */
zhandle_t *zk_loop_handle(const struct zk_loop *zk);

/** zk_loop_touch() - to be called after zoo_a* calls: sees to it that they get written. */
void zk_loop_touch(struct zk_loop *zk);

/** zk_loop_retire() - gives the session up and makes a new one, as if it had expired. */
void zk_loop_retire(struct zk_loop *zk);

#endif
