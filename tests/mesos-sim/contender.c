/*
 * One ZooKeeper session, driven by the event loop through the client's single-threaded interface:
 * ask what it waits for, wait for that, let it work, ask again.
 */
#include "contender.h"
#include "face.h"
#include "json_map.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zookeeper/zookeeper.h>

#define SESSION_MS 10000
#define RETRY_S    2

struct contender {
    struct face *face;
    char *hosts;
    char *path; /* "" for the root */
    zhandle_t *handle;
    struct event *io;
    struct event *retry;
    char *master_id; /* whom the session stands for; NULL without a session */
    size_t made;     /* how much of `path` is there, in bytes */
    bool broken;     /* start over with a new session, once the client's own calls have returned */
};

static void make_next(struct contender *contender);
static void wait_for_client(struct contender *contender);

/* ---- nodes ---- */

static char *master_info(const struct sim_master_view *view)
{
    struct in_addr ip = {0};
    json_t *json;
    char *text;

    inet_pton(AF_INET, view->ip, &ip);
    json = json_pack("{s:{s:s, s:s, s:i}, s:[{s:s}, {s:s}, {s:s}], s:s, s:s, s:I, s:s, s:i, s:s}",
                     "address", "hostname", view->hostname, "ip", view->ip, "port", (int)view->port,
                     "capabilities", "type", "AGENT_UPDATE", "type", "AGENT_DRAINING", "type",
                     "QUOTA_V2", "hostname", view->hostname, "id", view->id, "ip",
                     (json_int_t)ip.s_addr, "pid", view->pid, "port", (int)view->port, "version",
                     "1.11.1");
    text = json_map_text(json, NULL);
    json_decref(json);
    return text;
}

static void on_made(int rc, const char *name, const void *userdata)
{
    struct contender *contender = (struct contender *)userdata;

    if (rc == ZCLOSING)
        return;
    if (rc != ZOK && rc != ZNODEEXISTS) {
        face_log(contender->face, "ZooKeeper: %s", zerror(rc));
        contender->broken = true;
        return;
    }
    make_next(contender);
}

static void on_node(int rc, const char *name, const void *userdata)
{
    struct contender *contender = (struct contender *)userdata;

    if (rc == ZCLOSING)
        return;
    if (rc == ZOK) {
        face_log(contender->face, "leading master in ZooKeeper as %s", name);
        return;
    }
    face_log(contender->face, "ZooKeeper: %s", zerror(rc));
    contender->broken = true;
}

static void make_node(struct contender *contender)
{
    struct sim_master_view view;
    char path[1024];
    char *data;

    sim_master_look(contender->face->sim, &view);
    snprintf(path, sizeof(path), "%s/json.info_", contender->path);
    data = master_info(&view);
    if (!data || zoo_acreate(contender->handle, path, data, (int)strlen(data), &ZOO_OPEN_ACL_UNSAFE,
                             ZOO_EPHEMERAL | ZOO_SEQUENCE, on_node, contender) != ZOK)
        contender->broken = true;
    free(data);
}

/* The parents of the path first, one after the other; then our own node. */
static void make_next(struct contender *contender)
{
    char path[1024];
    size_t length = strlen(contender->path);
    size_t next = contender->made + 1;

    if (contender->made >= length) {
        make_node(contender);
        return;
    }
    while (next < length && contender->path[next] != '/')
        next++;
    contender->made = next;
    snprintf(path, sizeof(path), "%.*s", (int)next, contender->path);
    if (zoo_acreate(contender->handle, path, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, on_made, contender) !=
        ZOK)
        contender->broken = true;
}

/* ---- the session ---- */

static void on_session(zhandle_t *handle, int type, int state, const char *path, void *userdata)
{
    struct contender *contender = userdata;

    if (type != ZOO_SESSION_EVENT)
        return;
    if (state == ZOO_CONNECTED_STATE && contender->made == 0 && !contender->broken) {
        face_log(contender->face, "connected to ZooKeeper");
        contender->handle = handle;
        make_next(contender);
    } else if (state == ZOO_EXPIRED_SESSION_STATE || state == ZOO_AUTH_FAILED_STATE) {
        face_log(contender->face, "ZooKeeper session is over");
        contender->broken = true;
    }
}

static void close_session(struct contender *contender)
{
    event_del(contender->io);
    if (contender->handle)
        zookeeper_close(contender->handle);
    contender->handle = NULL;
    free(contender->master_id);
    contender->master_id = NULL;
    contender->made = 0;
    contender->broken = false;
}

static void open_session(struct contender *contender)
{
    struct timeval later = {.tv_sec = RETRY_S};
    struct sim_master_view view;

    sim_master_look(contender->face->sim, &view);
    contender->master_id = strdup(view.id);
    contender->handle =
        zookeeper_init(contender->hosts, on_session, SESSION_MS, NULL, contender, 0);
    if (contender->handle && contender->master_id) {
        wait_for_client(contender);
        return;
    }
    face_log(contender->face, "ZooKeeper %s: %s", contender->hosts, strerror(errno));
    close_session(contender);
    event_add(contender->retry, &later);
}

static void wait_for_client(struct contender *contender)
{
    struct timeval timeout = {0};
    struct timeval later = {.tv_sec = RETRY_S};
    int fd = -1;
    int interest = 0;

    if (contender->broken) {
        close_session(contender);
        event_add(contender->retry, &later);
        return;
    }
    zookeeper_interest(contender->handle, &fd, &interest, &timeout);
    if (fd < 0 && timeout.tv_sec == 0 && timeout.tv_usec < 100000)
        timeout.tv_usec = 100000; /* nothing listens there: not in a tight loop */
    event_assign(contender->io, contender->face->base, fd,
                 (short)((interest & ZOOKEEPER_READ ? EV_READ : 0) |
                         (interest & ZOOKEEPER_WRITE ? EV_WRITE : 0)),
                 event_get_callback(contender->io), contender);
    event_add(contender->io, &timeout);
}

static void on_io(evutil_socket_t fd, short events, void *userdata)
{
    struct contender *contender = userdata;

    zookeeper_process(contender->handle, (events & EV_READ ? ZOOKEEPER_READ : 0) |
                                             (events & EV_WRITE ? ZOOKEEPER_WRITE : 0));
    wait_for_client(contender);
}

static void on_retry(evutil_socket_t fd, short events, void *userdata)
{
    contender_update(userdata);
}

void contender_update(struct contender *contender)
{
    struct sim_master_view view;
    bool up;

    if (!contender)
        return;
    up = sim_listens(contender->face->sim, SIM_MASTER);
    sim_master_look(contender->face->sim, &view);
    if (contender->master_id && (!up || strcmp(contender->master_id, view.id)))
        close_session(contender);
    if (up && !contender->master_id && !event_pending(contender->retry, EV_TIMEOUT, NULL))
        open_session(contender);
}

static int parse_address(struct contender *contender, const char *address)
{
    const char *slash;
    size_t length;

    if (!strncmp(address, "zk://", 5))
        address += 5;
    slash = strchr(address, '/');
    if (!slash || slash == address || !memchr(address, ':', (size_t)(slash - address)) ||
        memchr(address, '@', (size_t)(slash - address)) || strstr(slash, "//") ||
        strlen(slash) > 512)
        return -EINVAL;
    length = strlen(slash);
    while (length > 0 && slash[length - 1] == '/')
        length--;
    contender->hosts = strndup(address, (size_t)(slash - address));
    contender->path = strndup(slash, length);
    return contender->hosts && contender->path ? 0 : -ENOMEM;
}

int contender_new(struct contender **ret, struct face *face, const char *address)
{
    struct contender *contender = calloc(1, sizeof(*contender));
    int r;

    if (!contender)
        return -ENOMEM;
    zoo_set_debug_level((ZooLogLevel)0);
    contender->face = face;
    r = parse_address(contender, address);
    contender->io = event_new(face->base, -1, 0, on_io, contender);
    contender->retry = evtimer_new(face->base, on_retry, contender);
    if (r == 0 && (!contender->io || !contender->retry))
        r = -ENOMEM;
    if (r < 0) {
        contender_free(contender);
        return r;
    }
    *ret = contender;
    return 0;
}

struct contender *contender_free(struct contender *contender)
{
    if (!contender)
        return NULL;
    if (contender->io)
        close_session(contender);
    if (contender->io)
        event_free(contender->io);
    if (contender->retry)
        event_free(contender->retry);
    free(contender->hosts);
    free(contender->path);
    free(contender);
    return NULL;
}
