/* Builders for unit tests of the planner. */
#include "planner_kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START 1767225600000

static void die(const char *what, int error)
{
    fprintf(stderr, "kit: %s: %s\n", what, qm_strerror(error));
    abort();
}

static void copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

void kit_init(struct kit *k, ...)
{
    static const char *const ready[] = {"registry", "metadata", "data", "api", "webconsole"};
    const struct qm_allocator *allocator = k->allocator;
    struct qm_error error;
    const char *key;
    char name[64];
    va_list args;
    int r;

    memset(k, 0, sizeof(*k));
    k->allocator = allocator;
    k->now = START;
    if (qm_config_new(&k->config, NULL, 0, NULL) != 0)
        die("config", -12);
    qm_config_set(k->config, "images.server", "quobyte/quobyte-server", NULL);
    qm_config_set(k->config, "rollout.image_first", "false", NULL); /* asked for where it is tested */
    for (size_t i = 0; i < sizeof(ready) / sizeof(*ready); i++) {
        snprintf(name, sizeof(name), "services.%s.min_ready_s", ready[i]);
        qm_config_set(k->config, name, "1", NULL);
    }
    va_start(args, k);
    while ((key = va_arg(args, const char *))) {
        r = qm_config_set(k->config, key, va_arg(args, const char *), &error);
        if (r != 0)
            die(error.message, r);
    }
    va_end(args);
    r = qm_planner_new(&k->p, k->config, NULL, 0, k->allocator, k->now, &error);
    if (r != 0)
        die(error.message, r);
}

static void free_records(struct kit_record *records, size_t *n)
{
    while (*n > 0)
        free(records[--*n].data);
}

void kit_deinit(struct kit *k)
{
    qm_planner_free(k->p);
    qm_config_free(k->config);
    free_records(k->records, &k->n_records);
    free_records(k->unsaved, &k->n_unsaved);
}

void kit_crash(struct kit *k)
{
    struct qm_record records[KIT_MAX];
    size_t n = 0;
    int r;

    qm_planner_free(k->p);
    free_records(k->unsaved, &k->n_unsaved);
    k->save_pending = 0;
    for (size_t i = 0; i < k->n_records; i++)
        if (k->records[i].data)
            records[n++] =
                (struct qm_record){k->records[i].key, k->records[i].data, k->records[i].length};
    r = qm_planner_new(&k->p, k->config, records, n, k->allocator, k->now, NULL);
    if (r != 0)
        die("restart", r);
}

int kit_tell(struct kit *k, struct qm_fact fact)
{
    fact.time = k->now;
    return qm_planner_step(k->p, &fact);
}

static void put(struct kit *k, const struct kit_record *from)
{
    struct kit_record *to = NULL;

    for (size_t i = 0; i < k->n_records; i++)
        if (strcmp(k->records[i].key, from->key) == 0)
            to = &k->records[i];
    if (!to)
        to = &k->records[k->n_records++];
    free(to->data);
    *to = *from;
}

void kit_saved(struct kit *k)
{
    uint64_t revision = k->save_pending;

    for (size_t i = 0; i < k->n_unsaved; i++)
        put(k, &k->unsaved[i]);
    k->n_unsaved = 0;
    k->save_pending = 0;
    kit_tell(k, (struct qm_fact){.type = QM_FACT_STATE_SAVED, .revision = revision});
}

void kit_save_fails(struct kit *k)
{
    uint64_t revision = k->save_pending;

    free_records(k->unsaved, &k->n_unsaved);
    k->save_pending = 0;
    kit_tell(k, (struct qm_fact){.type = QM_FACT_SAVE_FAILED, .revision = revision});
}

static void note_save(struct kit *k, const struct qm_save *save)
{
    k->save_pending = save->revision;
    for (size_t i = 0; i < save->n_records; i++) {
        struct kit_record *r = &k->unsaved[k->n_unsaved++];

        copy(r->key, sizeof(r->key), save->records[i].key);
        r->length = save->records[i].length;
        r->data = NULL;
        if (save->records[i].data) {
            r->data = malloc(r->length + 1);
            memcpy(r->data, save->records[i].data, r->length);
        }
    }
}

static void note_launch(struct kit *k, const struct qm_launch *launch)
{
    for (size_t i = 0; i < launch->n_tasks; i++) {
        const struct qm_task_launch *t = &launch->tasks[i];
        struct kit_launch *l = &k->launches[k->n_launches++];

        copy(l->id, sizeof(l->id), t->task_id);
        copy(l->service, sizeof(l->service), t->template_->service);
        copy(l->host, sizeof(l->host), t->hostname);
        copy(l->agent, sizeof(l->agent), launch->agent_id);
        copy(l->version, sizeof(l->version), t->template_->version);
        copy(l->executor, sizeof(l->executor), t->executor_id);
        copy(l->offer, sizeof(l->offer), launch->offer_ids[0]);
        l->refuse = launch->refuse;
        l->n_ports = t->n_ports;
        for (size_t n = 0; n < t->n_ports; n++)
            l->ports[n] = t->ports[n].number;
        l->n_uses = t->n_uses < 16 ? t->n_uses : 16;
        memcpy(l->uses, t->uses, l->n_uses * sizeof(*t->uses));
    }
}

static void note(struct kit *k, const struct qm_action *a)
{
    k->n_actions[a->type]++;
    if (a->type == QM_ACTION_SAVE) {
        note_save(k, &a->save);
    } else if (a->type == QM_ACTION_LAUNCH) {
        note_launch(k, &a->launch);
    } else if (a->type == QM_ACTION_KILL) {
        copy(k->kills[k->n_kills].id, sizeof(k->kills[0].id), a->kill.task_id);
        copy(k->kills[k->n_kills++].agent, sizeof(k->kills[0].agent), a->kill.agent_id);
    } else if (a->type == QM_ACTION_DECLINE) {
        for (size_t i = 0; i < a->decline.n_offer_ids; i++) {
            k->declines[k->n_declines].refuse = a->decline.refuse;
            copy(k->declines[k->n_declines++].offer, sizeof(k->declines[0].offer),
                 a->decline.offer_ids[i]);
        }
    } else if (a->type == QM_ACTION_ACKNOWLEDGE) {
        copy(k->acknowledged[k->n_acknowledged++], sizeof(k->acknowledged[0]),
             a->acknowledge.task_id);
    } else if (a->type == QM_ACTION_RECONCILE) {
        for (size_t i = 0; i < a->reconcile.n_tasks; i++)
            copy(k->reconciled[k->n_reconciled++], sizeof(k->reconciled[0]),
                 a->reconcile.tasks[i].task_id);
    } else if (a->type == QM_ACTION_DESCRIBE_TASK) {
        copy(k->described[k->n_described++], sizeof(k->described[0]), a->describe.task_id);
    }
}

void kit_drain(struct kit *k)
{
    const struct qm_action *action;

    do {
        while ((action = qm_planner_next_action(k->p)))
            note(k, action);
        if (!k->hold_saves && k->save_pending)
            kit_saved(k);
        else
            break;
    } while (qm_planner_failed(k->p) == 0);
}

void kit_forget(struct kit *k)
{
    k->n_launches = k->n_kills = k->n_declines = k->n_acknowledged = k->n_reconciled =
        k->n_described = 0;
    memset(k->n_actions, 0, sizeof(k->n_actions));
}

void kit_wait(struct kit *k, qm_duration d)
{
    qm_time end = k->now + d;

    kit_drain(k);
    while (qm_planner_failed(k->p) == 0) {
        qm_time next = qm_planner_deadline(k->p);

        if (next <= k->now)
            die("the deadline is not in the future", 0);
        k->now = next < end ? next : end;
        kit_tell(k, (struct qm_fact){.type = QM_FACT_TIME});
        kit_drain(k);
        if (k->now == end)
            return;
    }
}

void kit_subscribe(struct kit *k)
{
    kit_tell(k, (struct qm_fact){.type = QM_FACT_SUBSCRIBED,
                                 .subscribed = {.framework_id = "f", .master_id = "m"}});
}

int kit_offer_as(struct kit *k, const char *id, const char *agent, const char *host,
                 const struct qm_resource *resources, size_t n, const char *zone)
{
    return kit_tell(k, (struct qm_fact){.type = QM_FACT_OFFER,
                                        .offer = {.id = id,
                                                  .agent_id = agent,
                                                  .hostname = host,
                                                  .role = "",
                                                  .region = "",
                                                  .zone = zone,
                                                  .resources = resources,
                                                  .n_resources = n,
                                                  .unavailable_from = QM_TIME_NEVER}});
}

const char *kit_offer(struct kit *k, const char *host)
{
    static const struct qm_range ports[] = {{80, 80}, {8888, 8889}, {21000, 21100}};
    static const struct qm_resource resources[] = {
        {.kind = QM_RESOURCE_CPUS, .amount = 16000},
        {.kind = QM_RESOURCE_MEM, .amount = 65536},
        {.kind = QM_RESOURCE_DISK, .amount = 200000},
        {.kind = QM_RESOURCE_PORTS, .ranges = ports, .n_ranges = 3},
    };
    static char id[64];
    char agent[64];

    snprintf(id, sizeof(id), "o%u", ++k->next_offer);
    snprintf(agent, sizeof(agent), "a-%s", host);
    kit_offer_as(k, id, agent, host, resources, 4, "");
    return id;
}

int kit_report_as(struct kit *k, const char *agent, const char *name, const char *devices,
                  const char *boot_id, const uint32_t *listening, size_t n_listening)
{
    static const char kinds[] = "?rmd";
    struct qm_device list[8];
    char text[8][3][64];
    size_t n = 0;

    for (const char *c = devices; *c; c++, n++) {
        char kind = *c == 'B' ? 'r' : (char)(*c | 0x20);
        bool has_id = *c != 'B' && *c < 'a';

        snprintf(text[n][0], 64, "/mnt/%c%zu", kind, n);
        snprintf(text[n][1], 64, "serial-%s-%c%zu", name, kind, n);
        snprintf(text[n][2], 64, "id-%s-%zu", name, n);
        list[n] = (struct qm_device){.type = (enum qm_device_type)(strchr(kinds, kind) - kinds),
                                     .bootstrap = *c == 'B',
                                     .mount = text[n][0],
                                     .filesystem = "xfs",
                                     .serial = text[n][1],
                                     .model = "",
                                     .id = has_id ? text[n][2] : "",
                                     .warning = ""};
    }
    return kit_tell(k, (struct qm_fact){.type = QM_FACT_PROBE_REPORT,
                                        .probe = {.agent_id = agent,
                                                  .executor_id = "",
                                                  .boot_id = boot_id,
                                                  .devices = list,
                                                  .n_devices = n,
                                                  .listening = listening,
                                                  .n_listening = n_listening,
                                                  .warning = ""}});
}

int kit_report(struct kit *k, const char *host, const char *devices)
{
    char agent[64];

    snprintf(agent, sizeof(agent), "a-%s", host);
    return kit_report_as(k, agent, host, devices, "boot", NULL, 0);
}

int kit_status_as(struct kit *k, const char *task_id, const char *agent, enum qm_task_state state,
                  enum qm_status_source source, int reason)
{
    return kit_tell(k, (struct qm_fact){.type = QM_FACT_TASK_STATUS,
                                        .status = {.task_id = task_id,
                                                   .agent_id = agent,
                                                   .executor_id = "",
                                                   .state = state,
                                                   .source = source,
                                                   .reason = reason,
                                                   .message = "",
                                                   .has_healthy = state == QM_TASK_RUNNING,
                                                   .healthy = true,
                                                   .has_uuid = source != QM_SOURCE_MASTER}});
}

static const char *agent_of(struct kit *k, const char *task_id)
{
    static char agent[64];
    struct qm_cluster_view *v;

    agent[0] = '\0';
    if (qm_cluster_view_new(k->p, &v) != 0)
        die("view", -12);
    for (size_t i = 0; i < v->n_hosts; i++)
        for (size_t t = 0; t < v->hosts[i].n_tasks; t++)
            if (strcmp(v->hosts[i].tasks[t].id, task_id) == 0)
                copy(agent, sizeof(agent), v->hosts[i].tasks[t].agent_id);
    qm_cluster_view_free(v);
    return agent;
}

int kit_status(struct kit *k, const char *task_id, enum qm_task_state state)
{
    return kit_status_as(k, task_id, agent_of(k, task_id), state, QM_SOURCE_EXECUTOR, -1);
}

int kit_healthy(struct kit *k, const char *task_id, bool healthy)
{
    return kit_tell(k, (struct qm_fact){.type = QM_FACT_TASK_STATUS,
                                        .status = {.task_id = task_id,
                                                   .agent_id = agent_of(k, task_id),
                                                   .executor_id = "",
                                                   .state = QM_TASK_RUNNING,
                                                   .source = QM_SOURCE_EXECUTOR,
                                                   .reason = -1,
                                                   .message = "",
                                                   .has_healthy = true,
                                                   .healthy = healthy}});
}

int kit_command(struct kit *k, enum qm_command_type type)
{
    return kit_tell(k, (struct qm_fact){.type = QM_FACT_COMMAND, .command = {.type = type}});
}

int kit_post(struct kit *k, const char *version)
{
    struct qm_command command = {.type = version[0] ? QM_COMMAND_SET_TARGET : QM_COMMAND_SHUT_DOWN,
                                 .version = version};

    return kit_tell(k, (struct qm_fact){.type = QM_FACT_COMMAND, .command = command});
}

const struct kit_launch *kit_launched(const struct kit *k, const char *service, const char *host)
{
    for (size_t i = k->n_launches; i-- > 0;)
        if (strcmp(k->launches[i].service, service) == 0 &&
            (!host[0] || strcmp(k->launches[i].host, host) == 0))
            return &k->launches[i];
    return NULL;
}

size_t kit_count(const struct kit *k, const char *service)
{
    size_t n = 0;

    for (size_t i = 0; i < k->n_launches; i++)
        n += strcmp(k->launches[i].service, service) == 0;
    return n;
}

const char *kit_task(struct kit *k, const char *service, const char *host)
{
    static char ids[4][160];
    static unsigned next;
    char *id = ids[next++ % 4];
    struct qm_cluster_view *v;

    id[0] = '\0';
    if (qm_cluster_view_new(k->p, &v) != 0)
        die("view", -12);
    for (size_t i = 0; i < v->n_hosts; i++)
        for (size_t t = 0; t < v->hosts[i].n_tasks; t++)
            if (strcmp(v->hosts[i].tasks[t].service, service) == 0 &&
                (!host[0] || strcmp(v->hosts[i].name, host) == 0))
                copy(id, 160, v->hosts[i].tasks[t].id);
    qm_cluster_view_free(v);
    return id;
}

enum qm_task_stage kit_stage(struct kit *k, const char *task_id)
{
    enum qm_task_stage stage = QM_STAGE_DEAD;
    struct qm_cluster_view *v;

    if (qm_cluster_view_new(k->p, &v) != 0)
        die("view", -12);
    for (size_t i = 0; i < v->n_hosts; i++)
        for (size_t t = 0; t < v->hosts[i].n_tasks; t++)
            if (strcmp(v->hosts[i].tasks[t].id, task_id) == 0)
                stage = v->hosts[i].tasks[t].stage;
    qm_cluster_view_free(v);
    return stage;
}

struct qm_reason kit_why(struct kit *k, const char *step)
{
    struct qm_reason why = {.code = QM_WHY_NOTHING};

    if (qm_step_explain(k->p, step, &why, 1) < 0)
        snprintf(why.subject, sizeof(why.subject), "no such step");
    return why;
}

enum qm_status kit_plan_status(struct kit *k)
{
    struct qm_plan_view *v;
    enum qm_status status;

    if (qm_plan_view_new(k->p, &v) != 0)
        die("view", -12);
    status = v->status;
    qm_plan_view_free(v);
    return status;
}

void kit_rounds(struct kit *k, unsigned rounds, const char *const *hosts)
{
    for (unsigned i = 0; i < rounds; i++) {
        size_t from = k->n_launches;

        k->now += 6000;
        for (size_t h = 0; hosts[h]; h++)
            kit_offer(k, hosts[h]);
        kit_drain(k);
        for (size_t n = from; n < k->n_launches; n++)
            kit_status_as(k, k->launches[n].id, k->launches[n].agent, QM_TASK_RUNNING,
                          QM_SOURCE_EXECUTOR, -1);
        kit_drain(k);
    }
}

void kit_hosts(struct kit *k, const char *const *hosts, const char *devices)
{
    kit_drain(k);
    kit_subscribe(k);
    kit_drain(k);
    kit_rounds(k, 1, hosts);
    for (size_t h = 0; hosts[h]; h++)
        kit_report(k, hosts[h], devices);
    kit_drain(k);
}

void kit_deploy(struct kit *k, const char *const *hosts, const char *devices)
{
    kit_hosts(k, hosts, devices);
    kit_post(k, "1.1.5");
    kit_drain(k);
    kit_rounds(k, 6, hosts);
    kit_wait(k, 5000);
}
