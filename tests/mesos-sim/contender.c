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
#include <sys/socket.h>
#include <zookeeper/zookeeper.h>

#define RETRY_S  2
#define NODE_MAX 64

struct contender {
    struct face *face;
    char *hosts;
    char *path; /* "" for the root */
    zhandle_t *handle;
    int fd; /* the client's, or -1 */
    struct event *io;
    struct event *retry;
    struct event *silence; /* runs while ZooKeeper cannot be reached */
    char *master_id;       /* whom the session stands for; NULL without a session */
    char *host;
    uint16_t port;
    size_t made;          /* how much of `path` is there, in bytes */
    char node[NODE_MAX];  /* ours; "" before it is there */
    char first[NODE_MAX]; /* the leader's */
    char leader[300];     /* its HOST:PORT */
    bool broken; /* start over with a new session, once the client's own calls have returned */
    bool lost;   /* the last session was not ended by us */
};

static void make_next(struct contender *contender);
static void wait_for_client(struct contender *contender);

/* ---- nodes ---- */

static char *master_info(const struct contender *contender)
{
    struct in_addr ip = {0};
    json_t *json;
    char *text, *pid;
    int port = contender->port;

    if (asprintf(&pid, "master@%s:%d", contender->host, port) < 0)
        return NULL;
    inet_pton(AF_INET, contender->host, &ip);
    json = json_pack("{s:{s:s, s:s, s:i}, s:[{s:s}, {s:s}, {s:s}], s:s, s:s, s:I, s:s, s:i, s:s}",
                     "address", "hostname", contender->host, "ip", contender->host, "port", port,
                     "capabilities", "type", "AGENT_UPDATE", "type", "AGENT_DRAINING", "type",
                     "QUOTA_V2", "hostname", contender->host, "id", contender->master_id, "ip",
                     (json_int_t)ip.s_addr, "pid", pid, "port", port, "version", "1.11.1");
    text = json_map_text(json, NULL);
    json_decref(json);
    free(pid);
    return text;
}

/* Any trouble that the next connect will not cure. */
static void give_up(struct contender *contender, int rc)
{
    face_log(contender->face, "ZooKeeper: %s", zerror(rc));
    contender->broken = true;
}

/* ---- who leads ---- */

/* The number of a contender's node; -1: it is none ("log_replicas"). */
static long node_number(const char *name)
{
    const char *digits = strrchr(name, '_');
    char *end;
    long number;

    digits = digits ? digits + 1 : name;
    if (*digits < '0' || *digits > '9')
        return -1;
    number = strtol(digits, &end, 10);
    return *end ? -1 : number;
}

static void on_leader(int rc, const char *value, int size, const struct Stat *stat,
                      const void *userdata)
{
    struct contender *contender = (struct contender *)userdata;
    char error[JSON_MAP_ERROR_MAX];
    json_t *json = rc == ZOK && size > 0 ? json_map_parse(value, (size_t)size, error) : NULL;
    const char *host = json_string_value(json_object_get(json, "hostname"));

    if (rc == ZCLOSING)
        return;
    if (host)
        snprintf(contender->leader, sizeof(contender->leader), "%s:%d", host,
                 (int)json_integer_value(json_object_get(json, "port")));
    json_decref(json);
}

static void read_children(struct contender *contender);

static void on_children_changed(zhandle_t *handle, int type, int state, const char *path,
                                void *userdata)
{
    if (type == ZOO_CHILD_EVENT)
        read_children(userdata);
}

static void on_children(int rc, const struct String_vector *names, const void *userdata)
{
    struct contender *contender = (struct contender *)userdata;
    const char *first = NULL;
    char path[1024];

    if (rc != ZOK) /* it is asked again after the next connect */
        return;
    for (int i = 0; i < names->count; i++) {
        long number = node_number(names->data[i]);

        if (number >= 0 && (!first || number < node_number(first)))
            first = names->data[i];
    }
    if (first && !strcmp(first, contender->first))
        return;
    contender->leader[0] = '\0';
    snprintf(contender->first, sizeof(contender->first), "%s", first ? first : "");
    snprintf(path, sizeof(path), "%s/%s", contender->path, contender->first);
    if (first)
        zoo_aget(contender->handle, path, 0, on_leader, contender);
}

static void read_children(struct contender *contender)
{
    zoo_awget_children(contender->handle, *contender->path ? contender->path : "/",
                       on_children_changed, contender, on_children, contender);
}

/* ---- our own node ---- */

static void on_made(int rc, const char *name, const void *userdata)
{
    struct contender *contender = (struct contender *)userdata;

    if (rc == ZCLOSING)
        return;
    if (rc != ZOK && rc != ZNODEEXISTS) {
        give_up(contender, rc);
        return;
    }
    make_next(contender);
}

static void on_node(int rc, const char *name, const void *userdata)
{
    struct contender *contender = (struct contender *)userdata;

    if (rc == ZCLOSING)
        return;
    if (rc != ZOK) {
        give_up(contender, rc);
        return;
    }
    face_log(contender->face, "contends in ZooKeeper as %s", name);
    snprintf(contender->node, sizeof(contender->node), "%s", strrchr(name, '/') + 1);
    read_children(contender);
}

static void make_node(struct contender *contender)
{
    char path[1024];
    char *data;

    snprintf(path, sizeof(path), "%s/json.info_", contender->path);
    data = master_info(contender);
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

    struct timeval patience;

    if (type != ZOO_SESSION_EVENT)
        return;
    contender->handle = handle;
    if (state == ZOO_CONNECTED_STATE) {
        event_del(contender->silence);
        if (contender->node[0])
            read_children(contender);
        else if (contender->made == 0 && !contender->broken)
            make_next(contender);
    } else if (state == ZOO_EXPIRED_SESSION_STATE || state == ZOO_AUTH_FAILED_STATE) {
        face_log(contender->face, "ZooKeeper session is over");
        contender->broken = true;
    } else if (!event_pending(contender->silence, EV_TIMEOUT, NULL)) {
        patience.tv_sec = zoo_recv_timeout(handle) / 1000;
        patience.tv_usec = zoo_recv_timeout(handle) % 1000 * 1000;
        event_add(contender->silence, &patience);
    }
}

static void close_session(struct contender *contender)
{
    event_del(contender->io);
    event_del(contender->silence);
    if (contender->handle)
        zookeeper_close(contender->handle);
    contender->handle = NULL;
    free(contender->master_id);
    contender->master_id = NULL;
    contender->made = 0;
    contender->fd = -1;
    contender->node[0] = contender->first[0] = contender->leader[0] = '\0';
    contender->broken = false;
}

static void open_session(struct contender *contender, const struct contender_identity *identity)
{
    struct timeval later = {.tv_sec = RETRY_S};

    free(contender->host);
    contender->host = strdup(identity->host);
    contender->port = identity->port;
    contender->master_id = strdup(identity->id);
    contender->handle = zookeeper_init(contender->hosts, on_session,
                                       contender->face->options.zk_session_ms, NULL, contender, 0);
    if (contender->handle && contender->master_id && contender->host) {
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
        contender->lost |= contender->node[0] != '\0';
        close_session(contender);
        event_add(contender->retry, &later);
        return;
    }
    zookeeper_interest(contender->handle, &fd, &interest, &timeout);
    contender->fd = fd;
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
    face_pump(contender->face);
}

/* As Mesos does, we do not wait for ZooKeeper to say that the session is over. */
static void on_silence(evutil_socket_t fd, short events, void *userdata)
{
    struct contender *contender = userdata;

    face_log(contender->face, "ZooKeeper was away for longer than a session lasts");
    contender->broken = true;
    wait_for_client(contender);
    face_pump(contender->face);
}

static void on_retry(evutil_socket_t fd, short events, void *userdata)
{
    struct contender *contender = userdata;

    face_pump(contender->face);
}

/* ---- what the masters ask and order ---- */

void contender_update(struct contender *contender, const struct contender_identity *identity)
{
    if (contender->master_id && (!identity || strcmp(contender->master_id, identity->id)))
        close_session(contender);
    if (identity && !contender->master_id && !event_pending(contender->retry, EV_TIMEOUT, NULL))
        open_session(contender, identity);
}

void contender_abandon(struct contender *contender)
{
    if (!contender || !contender->master_id)
        return;
    if (contender->fd >= 0) /* so that the client cannot say goodbye */
        shutdown(contender->fd, SHUT_RDWR);
    close_session(contender);
}

void contender_expire(struct contender *contender)
{
    if (contender && contender->master_id)
        close_session(contender);
}

bool contender_leads(const struct contender *contender)
{
    return contender && contender->node[0] && !strcmp(contender->node, contender->first);
}

bool contender_was_lost(struct contender *contender)
{
    bool lost = contender && contender->lost;

    if (lost)
        contender->lost = false;
    return lost;
}

void contender_leader(const struct contender *contender, char *address, size_t size)
{
    snprintf(address, size, "%s", contender->leader);
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
    contender->fd = -1;
    r = parse_address(contender, address);
    contender->io = event_new(face->base, -1, 0, on_io, contender);
    contender->retry = evtimer_new(face->base, on_retry, contender);
    contender->silence = evtimer_new(face->base, on_silence, contender);
    if (r == 0 && (!contender->io || !contender->retry || !contender->silence))
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
    if (contender->io && contender->silence)
        close_session(contender);
    if (contender->silence)
        event_free(contender->silence);
    if (contender->io)
        event_free(contender->io);
    if (contender->retry)
        event_free(contender->retry);
    free(contender->hosts);
    free(contender->path);
    free(contender->host);
    free(contender);
    return NULL;
}
