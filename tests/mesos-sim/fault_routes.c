/*
 * Paths are split at slashes; the table below says what is done to what. Names may hold slashes
 * themselves (images do), so the last part is the action and all between belongs to the name.
 */
#include "fault_routes.h"
#include "face.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fault {
    const char *kind;
    const char *action;
    int (*perform)(struct face *face, const char *name, struct sim_http_exchange *exchange);
};

/* ---- parameters ---- */

static bool flag(struct sim_http_exchange *exchange, const char *name)
{
    char *value = sim_http_query_value(exchange, name);
    bool on = value && strcmp(value, "0") && strcmp(value, "false");

    free(value);
    return on;
}

static double seconds(struct sim_http_exchange *exchange, const char *name, double otherwise)
{
    char *value = sim_http_query_value(exchange, name);
    char *end = NULL;
    double number = value ? strtod(value, &end) : otherwise;

    if (value && (!*value || *end || !(number >= 0 && number <= 1e9)))
        number = -2; /* refused by the caller */
    free(value);
    return number;
}

/* ---- agents ---- */

static int agent_kill(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    int agent = sim_agent_find(face->sim, name);

    return agent < 0 ? -ENOENT : sim_agent_kill(face->sim, (size_t)agent);
}

static int agent_restart(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    int agent = sim_agent_find(face->sim, name);

    return agent < 0 ? -ENOENT
                     : sim_agent_restart(face->sim, (size_t)agent, flag(exchange, "new_id"));
}

static int agent_reboot(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    int agent = sim_agent_find(face->sim, name);
    int r = agent < 0 ? -ENOENT : sim_agent_reboot(face->sim, (size_t)agent);

    return r < 0 ? r : hosttree_reboot(&face->tree, name);
}

static int agent_partition(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    int agent = sim_agent_find(face->sim, name);

    return agent < 0 ? -ENOENT : sim_agent_partition(face->sim, (size_t)agent);
}

static int agent_heal(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    int agent = sim_agent_find(face->sim, name);

    return agent < 0 ? -ENOENT : sim_agent_heal(face->sim, (size_t)agent);
}

static int agent_drain(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    int agent = sim_agent_find(face->sim, name);
    double grace = seconds(exchange, "max_grace_s", -1);

    if (agent < 0)
        return -ENOENT;
    if (grace < -1)
        return -EINVAL;
    return sim_agent_drain(face->sim, (size_t)agent, grace < 0 ? -1 : (int64_t)(grace * 1000),
                           flag(exchange, "mark_gone"));
}

static int agent_deactivate(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    int agent = sim_agent_find(face->sim, name);

    return agent < 0 ? -ENOENT : sim_agent_deactivate(face->sim, (size_t)agent);
}

static int agent_reactivate(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    int agent = sim_agent_find(face->sim, name);

    return agent < 0 ? -ENOENT : sim_agent_reactivate(face->sim, (size_t)agent);
}

static int agent_gone(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    int agent = sim_agent_find(face->sim, name);

    return agent < 0 ? -ENOENT : sim_agent_gone(face->sim, (size_t)agent);
}

static int agent_maintenance(struct face *face, const char *name,
                             struct sim_http_exchange *exchange)
{
    int agent = sim_agent_find(face->sim, name);
    double start = seconds(exchange, "start_s", 0);
    double length = seconds(exchange, "duration_s", 0);
    int64_t start_ms;

    if (agent < 0)
        return -ENOENT;
    if (start < 0 || length < 0)
        return -EINVAL;
    start_ms = flag(exchange, "end") ? 0 : sim_now(face->sim) + (int64_t)(start * 1000);
    return sim_agent_maintenance(face->sim, (size_t)agent, start_ms, (int64_t)(length * 1000));
}

/* ---- the others ---- */

static int task_fail(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    return sim_task_fail(face->sim, name);
}

static int task_unhealthy(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    return sim_task_unhealthy(face->sim, name);
}

static int task_healthy(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    return sim_task_healthy(face->sim, name);
}

static int master_failover(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    return masters_failover(face);
}

static int zookeeper_expire(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    return masters_expire(face);
}

static int master_restart(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    /* Another one would be faster than a supervisor. */
    if (face->masters.n > 1)
        return masters_failover(face);
    return face->masters.leader == MASTERS_NOBODY ? -EINVAL : sim_master_restart(face->sim);
}

static int connection_drop(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    return sim_connections_drop(face->sim);
}

static int updates_hold(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    return sim_updates_hold(face->sim);
}

static int updates_release(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    return sim_updates_release(face->sim);
}

static int updates_duplicate(struct face *face, const char *name,
                             struct sim_http_exchange *exchange)
{
    return sim_updates_duplicate(face->sim, !flag(exchange, "off"));
}

static int image_missing(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    return sim_image_missing(face->sim, name, true);
}

static int image_present(struct face *face, const char *name, struct sim_http_exchange *exchange)
{
    return sim_image_missing(face->sim, name, false);
}

static const struct fault faults[] = {
    {"agents", "kill", agent_kill},
    {"agents", "restart", agent_restart},
    {"agents", "reboot", agent_reboot},
    {"agents", "partition", agent_partition},
    {"agents", "heal", agent_heal},
    {"agents", "drain", agent_drain},
    {"agents", "deactivate", agent_deactivate},
    {"agents", "reactivate", agent_reactivate},
    {"agents", "gone", agent_gone},
    {"agents", "maintenance", agent_maintenance},
    {"tasks", "fail", task_fail},
    {"tasks", "unhealthy", task_unhealthy},
    {"tasks", "healthy", task_healthy},
    {"master", "restart", master_restart},
    {"master", "failover", master_failover},
    {"zookeeper", "expire", zookeeper_expire},
    {"connection", "drop", connection_drop},
    {"updates", "hold", updates_hold},
    {"updates", "release", updates_release},
    {"updates", "duplicate", updates_duplicate},
    {"images", "missing", image_missing},
    {"images", "present", image_present},
};

#define N_FAULTS (sizeof(faults) / sizeof(*faults))

/* ---- the answer ---- */

static bool has_name(const struct fault *fault)
{
    return !strcmp(fault->kind, "agents") || !strcmp(fault->kind, "tasks") ||
           !strcmp(fault->kind, "images");
}

static void answer(struct sim_http_exchange *exchange, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void answer(struct sim_http_exchange *exchange, int status, const char *format, ...)
{
    char text[600];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sim_http_respond_text(exchange, status, text);
}

static void list_faults(struct sim_http_exchange *exchange)
{
    char text[4096];
    size_t n = 0;

    for (size_t i = 0; i < N_FAULTS && n < sizeof(text); i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "POST /sim/%s/%s%s\n", faults[i].kind,
                              has_name(&faults[i]) ? "NAME/" : "", faults[i].action);
    sim_http_respond_text(exchange, 200, text);
}

static void perform(struct face *face, const struct fault *fault, const char *name,
                    struct sim_http_exchange *exchange)
{
    int r = fault->perform(face, name, exchange);

    face_log(face, "fault: %s %s %s: %s", fault->kind, name, fault->action,
             r < 0 ? strerror(-r) : "done");
    if (!has_name(fault) && (r == -ENOENT || r == -EALREADY)) {
        answer(exchange, 200, "%s: %s: there was nothing to do\n", fault->kind, fault->action);
        return;
    }
    switch (r) {
    case 0:
        answer(exchange, 200, "%s%s%s: %s\n", fault->kind, *name ? " " : "", name, fault->action);
        break;
    case -ENOENT:
        answer(exchange, 404, "There is nothing called '%.200s' among the %s.\n", name,
               fault->kind);
        break;
    case -EALREADY:
        answer(exchange, 409, "%s%s%.200s: is in that state already.\n", fault->kind,
               *name ? " " : "", name);
        break;
    case -EINVAL:
        answer(exchange, 400, "%s%s%.200s: %s is not possible now, or a parameter is wrong.\n",
               fault->kind, *name ? " " : "", name, fault->action);
        break;
    default:
        answer(exchange, 500, "%s\n", strerror(-r));
        break;
    }
}

bool fault_routes_answer(struct face *face, struct sim_http_exchange *exchange)
{
    const char *path = sim_http_path(exchange);
    const char *action = strrchr(path, '/');

    if (strncmp(path, "/sim", 4) || (path[4] && path[4] != '/'))
        return false;
    if (!strcmp(path, "/sim") || !strcmp(path, "/sim/")) {
        list_faults(exchange);
        return true;
    }
    for (size_t i = 0; i < N_FAULTS; i++) {
        size_t kind = strlen(faults[i].kind);
        const char *rest = path + 5 + kind; /* from the slash after the kind on */
        char name[512] = "";

        if (strncmp(path + 5, faults[i].kind, kind) || *rest != '/' ||
            strcmp(action + 1, faults[i].action) || (rest == action) == has_name(&faults[i]))
            continue;
        if (strcmp(sim_http_method(exchange), "POST")) {
            answer(exchange, 405, "Faults are ordered with POST.\n");
            return true;
        }
        if (rest != action)
            snprintf(name, sizeof(name), "%.*s", (int)(action - rest - 1), rest + 1);
        perform(face, &faults[i], name, exchange);
        return true;
    }
    answer(exchange, 404, "No such fault; GET /sim lists them.\n");
    return true;
}
