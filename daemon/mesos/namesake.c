/*
 * One question to the leading master, GET /frameworks. Answers are looked at outside of the fetch's
 * callback, where it may be freed.
 */
#include "mesos/namesake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mesos/fetch.h"
#include "mesos/session.h"
#include "mesos/transport.h"

#define REDIRECTS_MAX 5

enum verdict { OPEN, NONE, LIVES, MOVED, UNKNOWN };

struct namesake {
    struct link_network network;
    char *authorization;
    char *name;
    struct namesake_callbacks callbacks;
    void *userdata;

    struct fetch *fetch;
    struct event *go_on;
    char host[SESSION_HOST_MAX];
    uint16_t port;
    unsigned redirects;
    enum verdict verdict;
    char id[NAMESAKE_ID_MAX];
    size_t n_tasks;
    char why[SESSION_LINE_MAX];
};

static bool is_over(json_t *task)
{
    static const char *const words[] = {"TASK_FINISHED",        "TASK_FAILED",  "TASK_KILLED",
                                        "TASK_ERROR",           "TASK_DROPPED", "TASK_GONE",
                                        "TASK_GONE_BY_OPERATOR"};
    const char *state = json_string_value(json_object_get(task, "state"));
    for (size_t i = 0; state != NULL && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(state, words[i]) == 0)
            return true;
    return false;
}

static size_t count_tasks(json_t *framework, const char *list)
{
    json_t *task;
    size_t i, n = 0;
    json_array_foreach(json_object_get(framework, list), i, task) n += !is_over(task);
    return n;
}

const char *namesake_find(json_t *answer, const char *framework_name, size_t *n_tasks)
{
    json_t *framework;
    size_t i;
    json_array_foreach(json_object_get(answer, "frameworks"), i, framework)
    {
        const char *name = json_string_value(json_object_get(framework, "name"));
        const char *id = json_string_value(json_object_get(framework, "id"));
        if (name == NULL || id == NULL || strcmp(name, framework_name) != 0)
            continue;
        *n_tasks = count_tasks(framework, "tasks") + count_tasks(framework, "unreachable_tasks");
        if (*n_tasks > 0 || json_is_true(json_object_get(framework, "connected")) ||
            json_is_true(json_object_get(framework, "active")))
            return id;
    }
    return NULL;
}

static void set_verdict(struct namesake *n, enum verdict verdict, const char *why)
{
    char address[SESSION_HOST_MAX + 16];
    transport_host_header(n->host, n->port, address, sizeof address);
    snprintf(n->why, sizeof n->why, "Mesos master %s: %s", address, why);
    n->verdict = verdict;
}

static void read_frameworks(struct namesake *n, const struct fetch_answer *answer)
{
    json_t *json = json_loadb(answer->data, answer->length, 0, NULL);
    if (!json_is_array(json_object_get(json, "frameworks"))) {
        set_verdict(n, UNKNOWN, "its list of frameworks is not readable");
    } else {
        const char *id = namesake_find(json, n->name, &n->n_tasks);
        n->verdict = id != NULL ? LIVES : NONE;
        snprintf(n->id, sizeof n->id, "%s", id != NULL ? id : "");
    }
    json_decref(json);
}

static void on_answer(void *userdata, const struct fetch_answer *answer)
{
    struct namesake *n = userdata;
    char why[80];
    if (answer->status == 200) {
        read_frameworks(n, answer);
    } else if (answer->status == 307 && answer->location != NULL &&
               ++n->redirects <= REDIRECTS_MAX &&
               session_parse_location(answer->location, n->host, sizeof n->host, &n->port)) {
        n->verdict = MOVED;
    } else if (answer->status == 401 || answer->status == 403) {
        log_warning(
            "the Mesos master does not let us see its frameworks (%d): nothing tells whether "
            "another one of our name is alive",
            answer->status);
        n->verdict = NONE;
    } else if (answer->status == 0) {
        set_verdict(n, UNKNOWN, answer->why);
    } else {
        snprintf(why, sizeof why, "is not ready (%d)", answer->status);
        set_verdict(n, UNKNOWN, why);
    }
    event_active(n->go_on, 0, 0);
}

static void ask(struct namesake *n)
{
    n->verdict = OPEN;
    n->fetch =
        fetch_new(&n->network, n->host, n->port, "/frameworks", n->authorization, on_answer, n);
    if (n->fetch == NULL && n->verdict == OPEN) {
        set_verdict(n, UNKNOWN, "cannot connect");
        event_active(n->go_on, 0, 0);
    }
}

static void on_go_on(evutil_socket_t fd, short what, void *userdata)
{
    struct namesake *n = userdata;
    enum verdict verdict = n->verdict;
    fetch_free(n->fetch);
    n->fetch = NULL;
    n->verdict = OPEN;
    if (verdict == NONE)
        n->callbacks.none(n->userdata, n->host, n->port);
    else if (verdict == LIVES)
        n->callbacks.lives(n->userdata, n->id, n->n_tasks);
    else if (verdict == UNKNOWN)
        n->callbacks.unknown(n->userdata, n->why);
    else
        ask(n);
}

void namesake_ask(struct namesake *n, const char *host, uint16_t port)
{
    fetch_free(n->fetch);
    n->fetch = NULL;
    n->redirects = 0;
    n->verdict = OPEN;
    snprintf(n->host, sizeof n->host, "%s", host);
    n->port = port;
    event_active(n->go_on, 0, 0);
}

struct namesake *namesake_new(const struct link_network *network, const char *authorization,
                              const char *framework_name,
                              const struct namesake_callbacks *callbacks, void *userdata)
{
    struct namesake *n = calloc(1, sizeof *n);
    if (n == NULL)
        return NULL;
    n->network = *network;
    n->callbacks = *callbacks;
    n->userdata = userdata;
    n->name = strdup(framework_name);
    n->go_on = event_new(network->base, -1, 0, on_go_on, n);
    if (authorization != NULL)
        n->authorization = strdup(authorization);
    if (n->name == NULL || n->go_on == NULL ||
        (authorization != NULL && n->authorization == NULL)) {
        namesake_free(n);
        return NULL;
    }
    return n;
}

void namesake_free(struct namesake *n)
{
    if (n == NULL)
        return;
    fetch_free(n->fetch);
    if (n->go_on != NULL)
        event_free(n->go_on);
    if (n->authorization != NULL)
        explicit_bzero(n->authorization, strlen(n->authorization));
    free(n->authorization);
    free(n->name);
    free(n);
}
