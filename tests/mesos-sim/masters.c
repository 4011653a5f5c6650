/*
 * Who leads, who lives, and what those say that do not lead.
 */
#include "masters.h"
#include "contender.h"
#include "face.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESTART_MS  1000 /* from a process' end until its supervisor has started it again */
#define ELECTION_MS 1000 /* without ZooKeeper */

static void set_timer(const struct face *face, struct event *timer, double ms)
{
    struct timeval delay;

    ms /= face->options.speed;
    delay.tv_sec = (time_t)(ms / 1000);
    delay.tv_usec = (suseconds_t)((ms - (double)delay.tv_sec * 1000) * 1000);
    event_add(timer, &delay);
}

struct master *masters_at(struct face *face, size_t target)
{
    for (size_t i = 0; i < face->masters.n; i++)
        if (face->masters.v[i].target == target)
            return &face->masters.v[i];
    return NULL;
}

size_t masters_leading_target(const struct face *face)
{
    size_t leader = face->masters.leader;

    return leader == MASTERS_NOBODY ? 0 : face->masters.v[leader].target;
}

static uint16_t port_of(const struct master *master)
{
    return sim_http_server_port(master->face->targets[master->target].server);
}

static bool leads(const struct master *master)
{
    const struct masters *masters = &master->face->masters;

    return masters->leader != MASTERS_NOBODY && master == &masters->v[masters->leader];
}

bool masters_listens(const struct face *face, const struct master *master)
{
    return leads(master) ? sim_listens(face->sim, SIM_MASTER) : master->up;
}

/* ---- lives and deaths ---- */

static void elect(struct master *master)
{
    struct face *face = master->face;

    sim_master_elect(face->sim, master->id, port_of(master));
    face->masters.leader = face->masters.known = (size_t)(master - face->masters.v);
    face_log(face, "master at port %u leads", port_of(master));
}

/* The leading process ends. */
static void end_leader(struct face *face)
{
    struct master *master = &face->masters.v[face->masters.leader];

    face_log(face, "master at port %u ends", port_of(master));
    sim_master_stop(face->sim);
    face_perform(face); /* cuts its connections, while it is still known as theirs */
    face->masters.leader = MASTERS_NOBODY;
    master->up = false;
    set_timer(face, master->start, RESTART_MS);
    if (!face->options.zk)
        set_timer(face, face->masters.election, ELECTION_MS);
}

static void on_start(evutil_socket_t fd, short events, void *userdata)
{
    struct master *master = userdata;

    sim_master_new_id(master->face->sim, master->id);
    master->up = true;
    face_pump(master->face);
}

/* Without ZooKeeper: the next one in the row that lives. */
static void on_election(evutil_socket_t fd, short events, void *userdata)
{
    struct face *face = userdata;
    struct masters *masters = &face->masters;

    for (size_t i = 1; i <= masters->n && masters->leader == MASTERS_NOBODY; i++) {
        struct master *next = &masters->v[(masters->known + i) % masters->n];

        if (next->up)
            elect(next);
    }
    if (masters->leader == MASTERS_NOBODY)
        set_timer(face, masters->election, ELECTION_MS);
    face_pump(face);
}

int masters_failover(struct face *face)
{
    struct masters *masters = &face->masters;

    if (masters->n < 2)
        return -EINVAL;
    if (masters->leader == MASTERS_NOBODY)
        return -EALREADY;
    contender_abandon(masters->v[masters->leader].contender);
    end_leader(face);
    return 0;
}

int masters_expire(struct face *face)
{
    struct masters *masters = &face->masters;

    if (!face->options.zk || masters->leader == MASTERS_NOBODY)
        return -EINVAL;
    contender_expire(masters->v[masters->leader].contender);
    end_leader(face);
    return 0;
}

/* ---- what ZooKeeper says ---- */

static void look(struct face *face)
{
    struct masters *masters = &face->masters;

    if (masters->leader != MASTERS_NOBODY &&
        contender_was_lost(masters->v[masters->leader].contender))
        end_leader(face);
    for (size_t i = 0; i < masters->n && masters->leader == MASTERS_NOBODY; i++)
        if (masters->v[i].up && contender_leads(masters->v[i].contender))
            elect(&masters->v[i]);
}

void masters_update(struct face *face)
{
    struct masters *masters = &face->masters;
    struct sim_master_view view;

    if (masters->leader != MASTERS_NOBODY) { /* a fault may have put a new process in its place */
        sim_master_look(face->sim, &view);
        snprintf(masters->v[masters->leader].id, sizeof(masters->v->id), "%s", view.id);
    }
    if (!face->options.zk)
        return;
    for (size_t i = 0; i < masters->n; i++) {
        struct master *master = &masters->v[i];
        struct contender_identity identity = {
            .id = master->id,
            .host = "127.0.0.1",
            .port = port_of(master),
        };

        contender_update(master->contender, masters_listens(face, master) ? &identity : NULL);
    }
    look(face);
}

/* ---- a follower's answers ---- */

static bool is_redirected(const char *route)
{
    static const char *const routes[] = {
        "/api/v1",
        "/api/v1/scheduler",
        "/state",
        "/state.json",
        "/state-summary",
        "/slaves",
        "/tasks",
        "/frameworks",
        "/roles",
        "/redirect",
        "/teardown",
        "/maintenance/schedule",
        "/maintenance/status",
        "/machine/down",
        "/machine/up",
    };

    for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
        if (!strcmp(route, routes[i]))
            return true;
    return !strncmp(route, "/api/v1/", 8); /* the operator API takes what nobody else wants */
}

/* HOST:PORT of whom this master thinks to lead, or "". */
static void leader_address(struct master *master, char *address, size_t size)
{
    const struct masters *masters = &master->face->masters;

    if (master->contender)
        contender_leader(master->contender, address, size);
    else
        snprintf(address, size, "127.0.0.1:%u", port_of(&masters->v[masters->known]));
}

bool masters_answer(struct master *master, struct sim_http_exchange *exchange)
{
    const char *path = sim_http_path(exchange);
    const char *query = sim_http_query(exchange);
    const char *route = strncmp(path, "/master/", 8) ? path : path + 7;
    size_t length = strlen(route);
    char short_route[64], address[300], location[1024];
    struct sim_http_extra_header headers[] = {{"Location", location}, {NULL, NULL}};

    while (length > 1 && route[length - 1] == '/')
        length--;
    if (leads(master) || length >= sizeof(short_route))
        return false;
    snprintf(short_route, sizeof(short_route), "%.*s", (int)length, route);
    if (!is_redirected(short_route))
        return false;
    leader_address(master, address, sizeof(address));
    if (!*address) {
        sim_http_respond_text(exchange, 503, "No leader elected");
        return true;
    }
    if (!strcmp(short_route, "/redirect"))
        snprintf(location, sizeof(location), "//%s", address);
    else
        snprintf(location, sizeof(location), "//%s/master%s%s%.500s", address, short_route,
                 *query ? "?" : "", query);
    sim_http_respond(exchange, 307, headers, NULL, NULL, 0);
    return true;
}

/* ---- start and end ---- */

static int init_one(struct face *face, size_t i)
{
    struct master *master = &face->masters.v[i];

    *master = (struct master){.face = face, .up = true};
    master->target = i == 0 ? 0 : face->cluster.cluster.n_agents + i;
    master->start = evtimer_new(face->base, on_start, master);
    if (i > 0)
        sim_master_new_id(face->sim, master->id);
    if (!master->start)
        return -ENOMEM;
    return face->options.zk ? contender_new(&master->contender, face, face->options.zk) : 0;
}

int masters_init(struct face *face, char **ret_error)
{
    struct masters *masters = &face->masters;
    int r = 0;

    masters->election = evtimer_new(face->base, on_election, face);
    if (!masters->election)
        r = -ENOMEM;
    while (r == 0 && masters->n < face->options.masters)
        r = init_one(face, masters->n++);
    if (r < 0) {
        if (asprintf(ret_error, r == -EINVAL ? "--zk takes HOST:PORT/PATH, not '%s'" : "%s",
                     r == -EINVAL ? face->options.zk : strerror(-r)) < 0)
            *ret_error = NULL;
        return r;
    }
    masters_update(face); /* takes the core's id */
    if (face->options.zk) {
        sim_master_stop(face->sim);
        masters->leader = MASTERS_NOBODY;
    }
    return 0;
}

void masters_deinit(struct face *face)
{
    struct masters *masters = &face->masters;

    for (size_t i = 0; i < masters->n; i++) {
        masters->v[i].contender = contender_free(masters->v[i].contender);
        if (masters->v[i].start)
            event_free(masters->v[i].start);
    }
    if (masters->election)
        event_free(masters->election);
    *masters = (struct masters){0};
}
