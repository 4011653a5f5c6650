/*
 * Questions about tasks. A question goes through up to three answers: /tasks for the task; /slaves
 * for its host, unless a label names it; /state for both, where /tasks is refused.
 */
#include "mesos/describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/http.h>

#include "log.h"
#include "mesos/fetch.h"
#include "mesos/session.h"

#define QUESTIONS_MAX 100000
#define RETRY_FIRST_S 1
#define RETRY_MAX_S   60

struct question {
    struct question *next;
    char *agent_id; /* behind the task id */
    char task_id[];
};

enum stage { ASK_TASKS, ASK_STATE, ASK_AGENT };

struct describe {
    struct link_network network;
    char *authorization;
    convert_fact_fn tell;
    void *userdata;

    char *host; /* NULL: no subscription */
    uint16_t port;
    char *framework_id;

    struct question *first, *last;
    size_t n;
    enum stage stage;    /* of the first question */
    struct fetch *fetch; /* under way, or done and to be freed */
    json_t *task;        /* ASK_AGENT: what /tasks said */
    struct event *go_on; /* outside of the fetch's callback */
    int retry_s;
    bool complained;
};

static void on_go_on(evutil_socket_t fd, short what, void *userdata);

struct describe *describe_new(const struct link_network *network, const char *authorization,
                              convert_fact_fn tell, void *userdata)
{
    struct describe *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->network = *network;
    d->tell = tell;
    d->userdata = userdata;
    d->retry_s = RETRY_FIRST_S;
    d->go_on = evtimer_new(network->base, on_go_on, d);
    if (authorization != NULL)
        d->authorization = strdup(authorization);
    if (d->go_on == NULL || (authorization != NULL && d->authorization == NULL)) {
        describe_free(d);
        return NULL;
    }
    return d;
}

static void pop(struct describe *d)
{
    struct question *q = d->first;
    d->first = q->next;
    if (d->first == NULL)
        d->last = NULL;
    d->n--;
    d->stage = ASK_TASKS;
    json_decref(d->task);
    d->task = NULL;
    free(q);
}

void describe_end(struct describe *d)
{
    fetch_free(d->fetch);
    d->fetch = NULL;
    while (d->first != NULL)
        pop(d);
    evtimer_del(d->go_on);
    d->retry_s = RETRY_FIRST_S;
    d->complained = false;
    free(d->host);
    free(d->framework_id);
    d->host = d->framework_id = NULL;
}

void describe_free(struct describe *d)
{
    if (d == NULL)
        return;
    if (d->go_on != NULL) {
        describe_end(d);
        event_free(d->go_on);
    }
    if (d->authorization != NULL)
        explicit_bzero(d->authorization, strlen(d->authorization));
    free(d->authorization);
    free(d);
}

static void go_on_in(struct describe *d, int seconds)
{
    struct timeval wait = {seconds, 0};
    evtimer_add(d->go_on, &wait);
}

void describe_begin(struct describe *d, const char *host, uint16_t port, const char *framework_id)
{
    describe_end(d);
    d->host = strdup(host);
    d->port = port;
    d->framework_id = strdup(framework_id);
}

void describe_ask(struct describe *d, const char *task_id, const char *agent_id)
{
    if (d->host == NULL || d->framework_id == NULL || d->n >= QUESTIONS_MAX)
        return;
    for (struct question *q = d->first; q != NULL; q = q->next)
        if (strcmp(q->task_id, task_id) == 0)
            return;
    size_t id_size = strlen(task_id) + 1, agent_size = strlen(agent_id) + 1;
    struct question *q = malloc(sizeof *q + id_size + agent_size);
    if (q == NULL)
        return;
    q->next = NULL;
    q->agent_id = q->task_id + id_size;
    memcpy(q->task_id, task_id, id_size);
    memcpy(q->agent_id, agent_id, agent_size);
    if (d->last != NULL)
        d->last->next = q;
    else
        d->first = q;
    d->last = q;
    if (d->n++ == 0)
        go_on_in(d, 0);
}

static void answer(struct describe *d, const struct qm_task_found *found)
{
    struct qm_fact fact = {.type = QM_FACT_TASK_FOUND, .found = *found};
    d->tell(d->userdata, &fact);
    d->retry_s = RETRY_FIRST_S;
    d->complained = false;
}

/* The task is known now; its host perhaps not. */
static void finish(struct describe *d, json_t *task, const char *hostname)
{
    struct arena arena;
    arena_init(&arena);
    struct qm_task_found found = describe_read_task(&arena, task);
    if (found.hostname[0] == '\0')
        found.hostname = hostname;
    answer(d, &found);
    pop(d);
    arena_deinit(&arena);
}

static void no_such_task(struct describe *d)
{
    answer(d, &(struct qm_task_found){
                  .task_id = d->first->task_id,
                  .agent_id = d->first->agent_id,
                  .executor_id = "",
                  .hostname = "",
                  .deployment = "",
                  .service = "",
                  .version = "",
                  .state = QM_TASK_UNKNOWN,
              });
    pop(d);
}

static void take_answer(struct describe *d, json_t *json)
{
    if (d->stage == ASK_AGENT) {
        const char *agent = json_string_value(json_object_get(d->task, "slave_id"));
        finish(d, d->task, describe_find_host(json, agent != NULL ? agent : ""));
        return;
    }
    json_t *task = describe_find_task(json, d->framework_id, d->first->task_id);
    if (task == NULL) {
        no_such_task(d);
        return;
    }
    struct arena arena;
    arena_init(&arena);
    struct qm_task_found found = describe_read_task(&arena, task);
    if (d->stage == ASK_STATE || found.hostname[0] != '\0') {
        finish(d, task, describe_find_host(json, found.agent_id));
    } else {
        d->task = json_incref(task);
        d->stage = ASK_AGENT;
    }
    arena_deinit(&arena);
}

static void refused(struct describe *d, int status)
{
    if (!d->complained)
        log_warning("%s:%u does not tell what task %s is (%d); asking again", d->host, d->port,
                    d->first->task_id, status);
    d->complained = true;
    d->stage = status == 0 || d->stage == ASK_STATE ? ASK_TASKS : ASK_STATE;
    go_on_in(d, d->retry_s);
    d->retry_s = d->retry_s * 2 > RETRY_MAX_S ? RETRY_MAX_S : d->retry_s * 2;
}

static void on_done(void *userdata, const struct fetch_answer *answer)
{
    struct describe *d = userdata;
    json_t *json = answer->status == 200 ? json_loadb(answer->data, answer->length, 0, NULL) : NULL;
    if (d->first == NULL) {
        json_decref(json);
        return;
    }
    if (json == NULL) {
        json_decref(d->task);
        d->task = NULL;
        refused(d, answer->status);
        return;
    }
    take_answer(d, json);
    json_decref(json);
    go_on_in(d, 0);
}

/* Values from outside go into a query only encoded. */
static void make_path(const struct describe *d, char *path, size_t size)
{
    const char *agent = d->task != NULL ? json_string_value(json_object_get(d->task, "slave_id"))
                                        : d->first->agent_id;
    char *id = evhttp_uriencode(d->first->task_id, -1, 0);
    char *framework = evhttp_uriencode(d->framework_id, -1, 0);
    char *slave = evhttp_uriencode(agent != NULL ? agent : "", -1, 0);
    if (id == NULL || framework == NULL || slave == NULL)
        snprintf(path, size, "/state");
    else if (d->stage == ASK_TASKS)
        snprintf(path, size, "/tasks?framework_id=%s&task_id=%s", framework, id);
    else if (d->stage == ASK_AGENT)
        snprintf(path, size, "/slaves?slave_id=%s", slave);
    else
        snprintf(path, size, "/state");
    free(id);
    free(framework);
    free(slave);
}

static void on_go_on(evutil_socket_t fd, short what, void *userdata)
{
    struct describe *d = userdata;
    char path[4096];
    fetch_free(d->fetch);
    d->fetch = NULL;
    if (d->first == NULL || d->host == NULL)
        return;
    make_path(d, path, sizeof path);
    d->fetch = fetch_new(&d->network, d->host, d->port, path, d->authorization, on_done, d);
    if (d->fetch == NULL)
        refused(d, 0);
}
