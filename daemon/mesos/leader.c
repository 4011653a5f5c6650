/*
 * Which Mesos master leads. A list is tried in turn; a master that follows redirects us to its
 * leader. In ZooKeeper the children of a path are watched; data of a node never changes.
 */
#include "mesos/leader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "zk_loop.h"

#define LEADERS_MAX 32
#define ZK_RETRY_S  2 /* after an error of ZooKeeper, as Mesos' own detectors wait */

struct master {
    char host[LEADER_HOST_MAX];
    uint16_t port;
};

struct leader {
    struct leader_callbacks callbacks;
    void *userdata;

    struct master masters[LEADERS_MAX]; /* a list */
    size_t n_masters, current;
    bool tls;     /* they say https */
    bool by_name; /* for ZooKeeper */

    struct leader_zk_url url; /* or ZooKeeper */
    struct zk_loop *zk;
    struct event *retry;
    char node[64]; /* the leading master's, "" when none */
    struct master found;
    bool known;
    const char *why; /* when not known */
};

/* ---- ZooKeeper ---- */

/* A completion's place in life: it may come when its leader is being freed. */
static void read_children(struct leader *l);

static void tell(struct leader *l, const char *why)
{
    l->why = why;
    if (l->known)
        l->callbacks.found(l->userdata, l->found.host, l->found.port);
    else
        l->callbacks.none(l->userdata, why);
}

static void no_leader(struct leader *l, const char *why)
{
    l->known = false;
    l->node[0] = '\0';
    tell(l, why);
}

static void retry_later(struct leader *l)
{
    struct timeval wait = {ZK_RETRY_S, 0};
    evtimer_add(l->retry, &wait);
}

static void on_data(int rc, const char *value, int length, const struct Stat *stat,
                    const void *data)
{
    struct leader *l = (struct leader *)data;
    if (rc == ZCLOSING || rc == ZCONNECTIONLOSS || rc == ZSESSIONEXPIRED)
        return; /* asked again with the next connection */
    if (rc != ZOK || value == NULL || length < 0) {
        if (rc != ZNONODE) /* gone already: the watch tells what came after it */
            retry_later(l);
        no_leader(l, "the leading master's node in ZooKeeper cannot be read");
        return;
    }
    if (!leader_read_node(l->node, value, (size_t)length, l->by_name, l->found.host,
                          sizeof l->found.host, &l->found.port)) {
        no_leader(l, "the leading master's node in ZooKeeper is not readable as MasterInfo");
        return;
    }
    if (!l->known)
        log_info("ZooKeeper names %s:%u as the leading Mesos master", l->found.host, l->found.port);
    l->known = true;
    tell(l, "");
}

static void on_children(int rc, const struct String_vector *names, const void *data)
{
    struct leader *l = (struct leader *)data;
    if (rc == ZCLOSING || rc == ZCONNECTIONLOSS || rc == ZSESSIONEXPIRED)
        return;
    if (rc != ZOK) {
        retry_later(l);
        no_leader(l, rc == ZNONODE ? "ZooKeeper has no node of this path: no master was ever there"
                     : rc == ZNOAUTH ? "ZooKeeper does not let us read the masters' path"
                                     : "ZooKeeper does not tell the masters");
        return;
    }
    int best = leader_choose((const char *const *)names->data, (size_t)names->count);
    if (best < 0 || strlen(names->data[best]) >= sizeof l->node) {
        no_leader(l, "no Mesos master leads (none is registered in ZooKeeper)");
        return;
    }
    if (l->known && strcmp(l->node, names->data[best]) == 0)
        return; /* somebody else came or went */
    char path[512];
    zhandle_t *handle = zk_loop_handle(l->zk);
    snprintf(l->node, sizeof l->node, "%s", names->data[best]);
    snprintf(path, sizeof path, "%s/%s", strcmp(l->url.path, "/") == 0 ? "" : l->url.path, l->node);
    l->known = false;
    if (handle == NULL || zoo_aget(handle, path, 0, on_data, l) != ZOK)
        retry_later(l);
    zk_loop_touch(l->zk);
}

static void on_watch(zhandle_t *handle, int type, int state, const char *path, void *userdata)
{
    struct leader *l = userdata;
    if (type != ZOO_SESSION_EVENT)
        read_children(l);
}

static void read_children(struct leader *l)
{
    zhandle_t *handle = zk_loop_handle(l->zk);
    if (handle == NULL)
        return; /* `connected` comes here again */
    if (zoo_awget_children(handle, l->url.path, on_watch, l, on_children, l) != ZOK)
        retry_later(l);
    zk_loop_touch(l->zk);
}

static void on_retry(evutil_socket_t fd, short what, void *userdata)
{
    read_children(userdata);
}

static void on_connected(void *userdata, zhandle_t *handle, bool again)
{
    read_children(userdata); /* also after a break: answers may have been lost with it */
}

static void on_refused(void *userdata)
{
    struct leader *l = userdata;
    l->why = "ZooKeeper refuses the credentials of --master";
    if (!l->known)
        tell(l, l->why);
}

/* Masters never lie at ZooKeeper's root: Mesos refuses that, too. */
static int read_zk_url(const char *masters, struct leader_zk_url *url, char *error, size_t size)
{
    int rc = leader_parse_zk(masters, url);

    if (rc == -EINVAL || (rc == 0 && strcmp(url->path, "/") == 0)) {
        snprintf(error, size, "--master: not of the form zk://[user:password@]host:port,.../path");
        rc = -EINVAL;
    } else if (rc == 0 && strlen(url->path) > 400) {
        snprintf(error, size, "--master: the path in ZooKeeper is too long");
        rc = -EINVAL;
    }
    return rc;
}

static int open_zookeeper(struct leader *l, struct event_base *base, const char *masters,
                          char *error, size_t size)
{
    static const struct zk_loop_callbacks callbacks = {.connected = on_connected,
                                                       .refused = on_refused};
    int rc = read_zk_url(masters, &l->url, error, size);

    if (rc != 0)
        return rc;
    struct zk_loop_options options = {
        .servers = l->url.servers,
        .credentials = l->url.credentials,
        .purpose = "leader detection",
    };
    l->why = "ZooKeeper is not connected";
    l->retry = evtimer_new(base, on_retry, l);
    l->zk = zk_loop_new(base, &options, &callbacks, l);
    return l->retry != NULL && l->zk != NULL ? 0 : -ENOMEM;
}

/* ---- lists ---- */

static int open_list(struct leader *l, const char *masters, char *error, size_t size)
{
    char scheme, first = 0;
    for (const char *text = masters;;) {
        text = leader_skip_scheme(text + strspn(text, " "), &scheme);
        size_t length = strcspn(text, ","), trimmed = length;
        while (trimmed > 0 && text[trimmed - 1] == ' ')
            trimmed--;
        if (scheme != 0 && trimmed > 1 && text[trimmed - 1] == '/')
            trimmed--;
        if (l->n_masters == 0)
            first = scheme;
        if (scheme != first) {
            snprintf(error, size, "--master: all of the list are https://, or none of it");
            return -EINVAL;
        }
        l->tls = scheme == 's';
        struct master *m = &l->masters[l->n_masters];
        if (l->n_masters == LEADERS_MAX ||
            !leader_parse_address(text, trimmed, m->host, sizeof m->host, &m->port)) {
            snprintf(error, size, "--master: %.200s is not host:port, a list of them, or zk://...",
                     masters);
            return -EINVAL;
        }
        l->n_masters++;
        if (text[length] == '\0')
            return 0;
        text += length + 1;
    }
}

/* ---- both ---- */

int leader_check(const char *masters, char *error, size_t size)
{
    struct leader_zk_url url = {0};
    struct leader *l;
    int rc;

    snprintf(error, size, "out of memory");
    if (strncmp(masters, "zk://", 5) == 0) {
        rc = read_zk_url(masters, &url, error, size);
        leader_zk_url_deinit(&url);
        return rc;
    }
    l = calloc(1, sizeof *l);
    rc = l ? open_list(l, masters, error, size) : -ENOMEM;
    free(l);
    return rc;
}

int leader_new(struct leader **leader, struct event_base *base, const char *masters, bool by_name,
               const struct leader_callbacks *callbacks, void *userdata, char *error, size_t size)
{
    struct leader *l = calloc(1, sizeof *l);
    int rc;
    snprintf(error, size, "out of memory");
    if (l == NULL)
        return -ENOMEM;
    l->callbacks = *callbacks;
    l->userdata = userdata;
    l->by_name = by_name;
    if (strncmp(masters, "zk://", 5) == 0)
        rc = open_zookeeper(l, base, masters, error, size);
    else
        rc = open_list(l, masters, error, size);
    if (rc != 0) {
        leader_free(l);
        return rc;
    }
    *error = '\0';
    *leader = l;
    return 0;
}

void leader_free(struct leader *l)
{
    if (l == NULL)
        return;
    zk_loop_free(l->zk);
    if (l->retry != NULL)
        event_free(l->retry);
    leader_zk_url_deinit(&l->url);
    free(l);
}

bool leader_wants_tls(const struct leader *l)
{
    return l->tls;
}

void leader_find(struct leader *l, bool failed)
{
    if (l->zk != NULL) {
        tell(l, l->why);
        return;
    }
    if (failed)
        l->current = (l->current + 1) % l->n_masters;
    const struct master *m = &l->masters[l->current];
    l->callbacks.found(l->userdata, m->host, m->port);
}
