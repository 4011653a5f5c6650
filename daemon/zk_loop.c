/*
 * A ZooKeeper session inside a libevent loop. The library wants to be asked which descriptor it
 * waits for (zookeeper_interest) and told what happened (zookeeper_process); both may close or open
 * the descriptor, so the event is taken down before and put up again after each of them.
 */
#include "zk_loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define RENEW_FIRST_MS 250
#define RENEW_MAX_MS   15000
#define NO_SOCKET_MS   200 /* the library has no descriptor and names no time */

struct zk_loop {
    struct event_base *base;
    char *servers;
    char *credentials;
    char *purpose;
    int session_ms;
    struct zk_loop_callbacks callbacks;
    void *userdata;

    zhandle_t *handle;
    struct event *io;    /* one-shot: descriptor and time-out of the library */
    struct event *touch; /* one-shot, at once: look at the handle again */
    struct event *renew; /* timer: make a new handle */
    int renew_ms;
    bool connected;
    bool was_connected; /* this handle had its session already */
    bool over;          /* this handle is dead: replace it as soon as we are out of its calls */
    bool init_failed;   /* said so already */
};

static void on_io(evutil_socket_t fd, short what, void *userdata);
static void on_touch(evutil_socket_t fd, short what, void *userdata);
static void on_renew(evutil_socket_t fd, short what, void *userdata);

static void renew_later(struct zk_loop *zk)
{
    struct timeval delay = {zk->renew_ms / 1000, (zk->renew_ms % 1000) * 1000};
    evtimer_add(zk->renew, &delay);
    zk->renew_ms = zk->renew_ms * 2 > RENEW_MAX_MS ? RENEW_MAX_MS : zk->renew_ms * 2;
}

static void lost_connection(struct zk_loop *zk)
{
    if (!zk->connected)
        return;
    zk->connected = false;
    if (zk->callbacks.disconnected != NULL)
        zk->callbacks.disconnected(zk->userdata);
}

static void on_session_connected(struct zk_loop *zk)
{
    bool again = zk->was_connected;
    if (zk->connected)
        return;
    log_info("zookeeper (%s): %s", zk->purpose, again ? "connected again" : "session established");
    zk->connected = zk->was_connected = true;
    zk->renew_ms = RENEW_FIRST_MS;
    if (zk->callbacks.connected != NULL)
        zk->callbacks.connected(zk->userdata, zk->handle, again);
}

static void watcher(zhandle_t *handle, int type, int state, const char *path, void *userdata)
{
    struct zk_loop *zk = userdata;
    if (type != ZOO_SESSION_EVENT || handle != zk->handle || zk->over)
        return; /* watches of nodes have watchers of their own */
    if (state == ZOO_CONNECTED_STATE) {
        on_session_connected(zk);
    } else if (state == ZOO_EXPIRED_SESSION_STATE) {
        log_warning("zookeeper (%s): the session has expired; making a new one", zk->purpose);
        zk->over = true;
    } else if (state == ZOO_AUTH_FAILED_STATE) {
        log_error("zookeeper (%s): the credentials were refused", zk->purpose);
        zk->over = true;
        if (zk->callbacks.refused != NULL)
            zk->callbacks.refused(zk->userdata);
    } else if (zk->connected) {
        log_warning("zookeeper (%s): connection lost; reconnecting", zk->purpose);
        lost_connection(zk);
    }
}

/* Frees the handle; outstanding completions run in here with ZCLOSING. */
static void drop_handle(struct zk_loop *zk)
{
    zhandle_t *handle = zk->handle;
    event_del(zk->io);
    event_del(zk->touch);
    zk->connected = false;
    zk->handle = NULL;
    if (handle != NULL)
        zookeeper_close(handle);
}

static void replace_handle(struct zk_loop *zk)
{
    bool had_session = zk->was_connected;
    lost_connection(zk);
    if (had_session && zk->callbacks.expired != NULL)
        zk->callbacks.expired(zk->userdata);
    drop_handle(zk);
    renew_later(zk);
}

static void rearm(struct zk_loop *zk)
{
    int fd = -1, interest = 0;
    struct timeval wait = {0, 0};

    event_del(zk->io);
    if (zk->handle == NULL)
        return;
    int rc = zk->over ? ZINVALIDSTATE : zookeeper_interest(zk->handle, &fd, &interest, &wait);
    if (zk->over || is_unrecoverable(zk->handle)) {
        zk->over = true;
        replace_handle(zk);
        return;
    }
    if (rc != ZOK || (fd == -1 && wait.tv_sec == 0 && wait.tv_usec < NO_SOCKET_MS * 1000)) {
        /* connecting failed: the next call tries the next server, but not in a tight loop */
        wait.tv_sec = 0;
        wait.tv_usec = NO_SOCKET_MS * 1000;
        if (rc != ZOK)
            fd = -1;
    }
    short events = 0;
    if (fd != -1 && (interest & ZOOKEEPER_READ))
        events |= EV_READ;
    if (fd != -1 && (interest & ZOOKEEPER_WRITE))
        events |= EV_WRITE;
    event_assign(zk->io, zk->base, events != 0 ? fd : -1, events, on_io, zk);
    event_add(zk->io, &wait);
}

static void on_io(evutil_socket_t fd, short what, void *userdata)
{
    struct zk_loop *zk = userdata;
    int events = 0;
    if (what & EV_READ)
        events |= ZOOKEEPER_READ;
    if (what & EV_WRITE)
        events |= ZOOKEEPER_WRITE;
    event_del(zk->io);
    /* Its errors show again as session events or in the next interest. */
    if (fd != -1)
        zookeeper_process(zk->handle, events);
    rearm(zk);
}

static void on_touch(evutil_socket_t fd, short what, void *userdata)
{
    rearm(userdata);
}

static void on_renew(evutil_socket_t fd, short what, void *userdata)
{
    struct zk_loop *zk = userdata;
    zk->over = zk->connected = zk->was_connected = false;
    zk->handle = zookeeper_init(zk->servers, watcher, zk->session_ms, NULL, zk, 0);
    if (zk->handle == NULL) {
        if (!zk->init_failed)
            log_warning("zookeeper (%s): cannot use %s (%s); trying again", zk->purpose,
                        zk->servers, strerror(errno));
        zk->init_failed = true;
        renew_later(zk);
        return;
    }
    zk->init_failed = false;
    if (zk->credentials != NULL)
        zoo_add_auth(zk->handle, "digest", zk->credentials, (int)strlen(zk->credentials), NULL,
                     NULL);
    rearm(zk);
}

static struct zk_loop *zk_loop_create(struct event_base *base,
                                      const struct zk_loop_options *options)
{
    struct zk_loop *zk = calloc(1, sizeof *zk);
    if (zk == NULL)
        return NULL;
    zk->base = base;
    zk->session_ms = options->session_ms > 0 ? options->session_ms : ZK_LOOP_SESSION_MS;
    zk->renew_ms = RENEW_FIRST_MS;
    zk->servers = strdup(options->servers);
    zk->purpose = strdup(options->purpose != NULL ? options->purpose : "session");
    bool secret = options->credentials != NULL && options->credentials[0] != '\0';
    if (secret)
        zk->credentials = strdup(options->credentials);
    zk->io = event_new(base, -1, 0, on_io, zk);
    zk->touch = event_new(base, -1, 0, on_touch, zk);
    zk->renew = evtimer_new(base, on_renew, zk);
    if (zk->servers == NULL || zk->purpose == NULL || (secret && zk->credentials == NULL) ||
        zk->io == NULL || zk->touch == NULL || zk->renew == NULL) {
        zk_loop_free(zk);
        return NULL;
    }
    return zk;
}

struct zk_loop *zk_loop_new(struct event_base *base, const struct zk_loop_options *options,
                            const struct zk_loop_callbacks *callbacks, void *userdata)
{
    struct zk_loop *zk = zk_loop_create(base, options);
    if (zk == NULL)
        return NULL;
    zk->callbacks = *callbacks;
    zk->userdata = userdata;
    zoo_set_debug_level(0); /* the library prints by itself otherwise; we log what matters */
    struct timeval now = {0, 0};
    evtimer_add(zk->renew, &now);
    return zk;
}

void zk_loop_free(struct zk_loop *zk)
{
    if (zk == NULL)
        return;
    if (zk->handle != NULL)
        drop_handle(zk);
    if (zk->io != NULL)
        event_free(zk->io);
    if (zk->touch != NULL)
        event_free(zk->touch);
    if (zk->renew != NULL)
        event_free(zk->renew);
    if (zk->credentials != NULL)
        explicit_bzero(zk->credentials, strlen(zk->credentials));
    free(zk->credentials);
    free(zk->servers);
    free(zk->purpose);
    free(zk);
}

zhandle_t *zk_loop_handle(const struct zk_loop *zk)
{
    return zk->connected && !zk->over ? zk->handle : NULL;
}

void zk_loop_touch(struct zk_loop *zk)
{
    if (zk->handle != NULL)
        event_active(zk->touch, 0, 0);
}

void zk_loop_retire(struct zk_loop *zk)
{
    zk->over = true;
    zk_loop_touch(zk);
}
