/*
 * Records: the planner's durable state as protobuf (docs/state-format.md). Fields of newer versions
 * are kept as they came and written back.
 */
#include "record.h"

#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "rooms.h"
#include "verbs_record.h"

typedef QuobyteMesos__State__Framework Framework;
typedef QuobyteMesos__State__Host Host;
typedef QuobyteMesos__State__Target Target;
typedef QuobyteMesos__State__Task Task;

#define HOST_PREFIX "host/"

/* protobuf-c's memory from one of our arenas; a failed allocation ends the decoding. */
static void *arena_alloc(void *arena, size_t size)
{
    return qm_arena_alloc(arena, size);
}

static void arena_free(void *arena, void *block)
{
    (void)arena;
    (void)block;
}

/* Unknown fields as one block: tag, wire type, length, bytes; again and again. */
struct kept_head {
    uint32_t tag;
    uint32_t wire_type;
    uint64_t length;
};

static bool keep_unknown(struct qm_planner *p, const ProtobufCMessage *message, uint8_t **block,
                         size_t *length)
{
    size_t total = 0;
    uint8_t *at;

    *block = NULL;
    *length = 0;
    for (unsigned i = 0; i < message->n_unknown_fields; i++)
        total += sizeof(struct kept_head) + message->unknown_fields[i].len;
    if (total == 0)
        return true;
    *block = at = qm_alloc(p->allocator, total);
    if (!at)
        return false;
    *length = total;
    for (unsigned i = 0; i < message->n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *f = &message->unknown_fields[i];
        struct kept_head head = {f->tag, (uint32_t)f->wire_type, f->len};

        memcpy(at, &head, sizeof(head));
        memcpy(at + sizeof(head), f->data, f->len);
        at += sizeof(head) + f->len;
    }
    return true;
}

static bool put_unknown(struct qm_planner *p, ProtobufCMessage *message, uint8_t *block,
                        size_t length)
{
    ProtobufCMessageUnknownField *fields;
    unsigned n = 0;

    if (length == 0)
        return true;
    for (size_t at = 0; at < length; n++) {
        struct kept_head head;

        memcpy(&head, block + at, sizeof(head));
        at += sizeof(head) + head.length;
    }
    fields = qm_arena_calloc(&p->instant, n, sizeof(*fields));
    if (!fields)
        return false;
    message->unknown_fields = fields;
    message->n_unknown_fields = n;
    for (size_t at = 0, i = 0; at < length; i++) {
        struct kept_head head;

        memcpy(&head, block + at, sizeof(head));
        fields[i].tag = head.tag;
        fields[i].wire_type = (ProtobufCWireType)head.wire_type;
        fields[i].len = head.length;
        fields[i].data = block + at + sizeof(head);
        at += sizeof(head) + head.length;
    }
    return true;
}

static bool read_target(struct qm_planner *p, const Target *from, struct qm_target *to)
{
    *to = (struct qm_target){.version = ""};
    if (!from)
        return true;
    if (from->version && from->version[0] && !qm_version_is_valid(from->version))
        return false;
    to->version = qm_intern(p, from->version ? from->version : "");
    to->config_hash = from->config_hash;
    to->since = from->since;
    to->set = true;
    return true;
}

static int use_framework(struct qm_planner *p, const Framework *f, struct qm_error *error)
{
    if (!read_target(p, f->target, &p->target) || !read_target(p, f->completed, &p->completed))
        return qm_fail(error, QM_E_FORMAT, "framework", "a target is not a version");
    if (f->framework_id && f->framework_id[0]) {
        qm_free(p->allocator, p->framework_id);
        p->framework_id = qm_strdup(p->allocator, f->framework_id);
        if (!p->framework_id)
            qm_out_of_memory(p);
    }
    p->epoch = f->epoch;
    p->plan.number = f->plan_number;
    p->plan.started = f->plan_started;
    p->plan.completed = f->has_plan_completed ? f->plan_completed : QM_TIME_NEVER;
    p->plan.kind =
        f->plan_kind <= QM_PLAN_ROLLBACK ? (enum qm_plan_kind)f->plan_kind : QM_PLAN_NONE;
    p->plan.from = qm_intern(p, f->plan_from ? f->plan_from : "");
    p->plan.reached = qm_intern(p, f->plan_phase ? f->plan_phase : "");
    p->paused = f->paused;
    p->paused_since = f->paused_since;
    p->bootstrapped = f->bootstrapped;
    p->shutdown_at = f->has_shutdown_at ? f->shutdown_at : QM_TIME_NEVER;
    p->shutting_down = p->target.set && !p->target.version[0] && !f->has_shutdown_at;
    qm_rules_read(p, f->rollout);
    p->n_history = 0;
    for (size_t i = f->n_history > QM_HISTORY_MAX ? f->n_history - QM_HISTORY_MAX : 0;
         i < f->n_history; i++)
        if (read_target(p, f->history[i], &p->history[p->n_history]))
            p->n_history++;
    qm_verbs_read_framework(p, f);
    if (!keep_unknown(p, &f->base, &p->framework_unknown, &p->framework_unknown_length))
        qm_out_of_memory(p);
    return 0;
}

static int read_framework(struct qm_planner *p, const struct qm_record *record,
                          struct qm_error *error)
{
    ProtobufCAllocator memory = {arena_alloc, arena_free, &p->scratch};
    Framework *f = quobyte_mesos__state__framework__unpack(&memory, record->length, record->data);

    if (!f)
        return qm_fail(error, QM_E_FORMAT, record->key, "damaged record");
    if (f->format > QM_STATE_FORMAT)
        return qm_fail(error, QM_E_FORMAT, record->key,
                       "written by a newer version: format %u, known is %u", f->format,
                       QM_STATE_FORMAT);
    return use_framework(p, f, error);
}

static void fill_task(struct qm_planner *p, struct qm_task *task, const Task *t)
{
    task->version = qm_intern(p, t->version ? t->version : "");
    task->config_hash = t->config_hash;
    task->instance = (uint16_t)t->instance;
    task->was_healthy = t->was_healthy;
    task->health_checked = t->health_checked;
    task->surplus = t->surplus;
    task->restart = t->restart;
    task->replace = t->replace;
    task->shut_down = t->shut_down;
    task->ran = t->ran;
    if (t->previous_version && qm_version_is_valid(t->previous_version))
        task->previous = qm_intern(p, t->previous_version);
    for (size_t i = 0; i < t->n_ports; i++)
        task->ports[i] = (uint16_t)t->ports[i];
    task->n_ports = (uint8_t)t->n_ports;
    task->stage = t->ended ? QM_STAGE_DEAD : QM_STAGE_UNANSWERED;
    if (!t->ended)
        p->n_unanswered++;
    if (t->surplus && !t->ended)
        p->n_surplus++;
    qm_task_set_executor(p, task, t->executor_id);
    if (t->base.n_unknown_fields > 0) {
        struct qm_task_extra *extra = qm_task_extra(p, task);

        if (extra && !keep_unknown(p, &t->base, &extra->unknown, &extra->unknown_length))
            qm_out_of_memory(p);
    }
}

static const char *wrong_task(struct qm_planner *p, const Task *t)
{
    if (!t->task_id[0] || !t->agent_id[0])
        return "a task without an id or agent";
    if (qm_policy_find_service(p->policy, t->service) == SIZE_MAX)
        return "a task of a service that the configuration does not know";
    if (qm_task_find(p, t->task_id))
        return "a task that stands in two places";
    if (t->n_ports > QM_PORTS_MAX || t->instance > UINT16_MAX)
        return "a task with impossible numbers";
    for (size_t i = 0; i < t->n_ports; i++)
        if (t->ports[i] > 65535)
            return "a task with an impossible port";
    if (t->version && t->version[0] && !qm_version_is_valid(t->version))
        return "a task whose version is none";
    return NULL;
}

static int use_host(struct qm_planner *p, const char *key, const Host *h, struct qm_error *error)
{
    struct qm_host *host = qm_host_get(p, h->name);

    if (!host)
        return 0;
    host->has_record = true;
    if (h->boot_id && h->boot_id[0] && !(host->boot_id = qm_strdup(p->allocator, h->boot_id)))
        qm_out_of_memory(p);
    qm_verbs_read_host(p, host, h);
    for (size_t i = 0; i < h->n_tasks && !p->failed; i++) {
        const char *wrong = wrong_task(p, h->tasks[i]);
        struct qm_agent *agent;
        struct qm_task *task;

        if (wrong)
            return qm_fail(error, QM_E_FORMAT, key, "%s: %.80s", wrong, h->tasks[i]->service);
        agent = qm_agent_get(p, h->tasks[i]->agent_id, host);
        if (agent && agent->host != host)
            return qm_fail(error, QM_E_FORMAT, key, "an agent that is two hosts");
        task = agent ? qm_task_add(p, host, agent, h->tasks[i]->task_id,
                                   qm_policy_find_service(p->policy, h->tasks[i]->service))
                     : NULL;
        if (task)
            fill_task(p, task, h->tasks[i]);
    }
    if (h->base.n_unknown_fields > 0) {
        struct qm_host_extra *extra = qm_host_extra(p, host);

        if (extra && !keep_unknown(p, &h->base, &extra->unknown, &extra->unknown_length))
            qm_out_of_memory(p);
    }
    return 0;
}

static int read_host(struct qm_planner *p, const struct qm_record *record, struct qm_error *error)
{
    ProtobufCAllocator memory = {arena_alloc, arena_free, &p->scratch};
    Host *h = quobyte_mesos__state__host__unpack(&memory, record->length, record->data);

    if (!h)
        return qm_fail(error, QM_E_FORMAT, record->key, "damaged record");
    if (h->format > QM_STATE_FORMAT)
        return qm_fail(error, QM_E_FORMAT, record->key,
                       "written by a newer version: format %u, known is %u", h->format,
                       QM_STATE_FORMAT);
    if (strcmp(h->name, record->key + strlen(HOST_PREFIX)) != 0 || !h->name[0])
        return qm_fail(error, QM_E_FORMAT, record->key, "the record is about another host: %.100s",
                       h->name);
    return use_host(p, record->key, h, error);
}

int qm_record_read(struct qm_planner *p, const struct qm_record *record, struct qm_error *error)
{
    int result;

    qm_arena_reset(&p->scratch);
    if (!record->key || !record->data)
        return qm_fail(error, QM_E_FORMAT, record->key ? record->key : "", "empty record");
    if (strcmp(record->key, "framework") == 0)
        result = read_framework(p, record, error);
    else if (strncmp(record->key, HOST_PREFIX, strlen(HOST_PREFIX)) == 0)
        result = read_host(p, record, error);
    else
        return 0; /* a program's own record beside ours */
    return p->failed ? p->failed : result;
}

static bool pack(struct qm_planner *p, const ProtobufCMessage *message, struct qm_record *record)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    uint8_t *data = qm_arena_alloc(&p->instant, length + 1);

    if (!data || !record->key) {
        qm_out_of_memory(p);
        return false;
    }
    record->data = data;
    record->length = protobuf_c_message_pack(message, data);
    return true;
}

static Target *write_target(struct qm_planner *p, const struct qm_target *from)
{
    Target *to;

    if (!from->set)
        return NULL;
    to = qm_arena_alloc(&p->instant, sizeof(*to));
    if (!to) {
        qm_out_of_memory(p);
        return NULL;
    }
    quobyte_mesos__state__target__init(to);
    to->version = (char *)from->version;
    to->has_config_hash = to->has_since = 1;
    to->config_hash = from->config_hash;
    to->since = from->since;
    return to;
}

bool qm_record_write_framework(struct qm_planner *p, struct qm_record *record)
{
    Target *history[QM_HISTORY_MAX];
    Framework f;

    quobyte_mesos__state__framework__init(&f);
    f.format = QM_STATE_FORMAT;
    f.framework_id = p->framework_id;
    f.has_epoch = f.has_plan_number = f.has_plan_started = f.has_plan_kind = f.has_bootstrapped = 1;
    f.epoch = p->epoch;
    f.plan_number = p->plan.number;
    f.plan_started = p->plan.started;
    f.plan_kind = p->plan.kind;
    f.bootstrapped = p->bootstrapped;
    f.plan_from = (char *)p->plan.from;
    f.plan_phase = (char *)p->plan.reached;
    f.has_plan_completed = p->plan.completed != QM_TIME_NEVER;
    f.plan_completed = p->plan.completed;
    f.has_paused = f.paused = p->paused;
    f.has_paused_since = p->paused;
    f.paused_since = p->paused_since;
    f.has_shutdown_at = p->shutdown_at != QM_TIME_NEVER;
    f.shutdown_at = p->shutdown_at;
    f.target = write_target(p, &p->target);
    f.completed = write_target(p, &p->completed);
    f.rollout = qm_rules_write(p);
    for (size_t i = 0; i < p->n_history; i++)
        history[i] = write_target(p, &p->history[i]);
    f.history = history;
    f.n_history = p->n_history;
    qm_verbs_write_framework(p, &f);
    if (p->failed || !put_unknown(p, &f.base, p->framework_unknown, p->framework_unknown_length)) {
        qm_out_of_memory(p);
        return false;
    }
    record->key = "framework";
    return pack(p, &f.base, record);
}

static bool write_task(struct qm_planner *p, const struct qm_task *task, Task *t, uint32_t *ports)
{
    quobyte_mesos__state__task__init(t);
    t->service = (char *)p->policy->services[task->service].name;
    t->task_id = (char *)task->id;
    t->agent_id = task->agent->id;
    if (task->extra && task->extra->executor_id)
        t->executor_id = task->extra->executor_id;
    t->version = (char *)task->version;
    t->has_config_hash = 1;
    t->config_hash = task->config_hash;
    t->has_instance = task->instance != 0;
    t->instance = task->instance;
    for (size_t i = 0; i < task->n_ports; i++)
        ports[i] = task->ports[i];
    t->ports = ports;
    t->n_ports = task->n_ports;
    t->has_was_healthy = t->was_healthy = task->was_healthy;
    t->has_shut_down = t->shut_down = task->shut_down;
    t->has_surplus = t->surplus = task->surplus;
    t->has_restart = t->restart = task->restart;
    t->has_replace = t->replace = task->replace;
    t->previous_version = (char *)task->previous;
    t->has_ran = t->ran = task->previous && task->ran;
    t->has_ended = t->ended = task->stage == QM_STAGE_DEAD;
    t->has_health_checked = t->health_checked = task->health_checked;
    return !task->extra ||
           put_unknown(p, &t->base, task->extra->unknown, task->extra->unknown_length);
}

static bool write_tasks(struct qm_planner *p, const struct qm_host *host, Host *h)
{
    size_t n = 0;
    Task *tasks;
    uint32_t(*ports)[QM_PORTS_MAX];

    for (const struct qm_task *t = host->tasks; t; t = t->next)
        n++;
    h->tasks = qm_arena_alloc(&p->instant, (n + 1) * sizeof(Task *));
    tasks = qm_arena_alloc(&p->instant, (n + 1) * sizeof(*tasks));
    ports = qm_arena_alloc(&p->instant, (n + 1) * sizeof(*ports));
    if (!h->tasks || !tasks || !ports)
        return false;
    for (const struct qm_task *t = host->tasks; t; t = t->next) {
        size_t i = h->n_tasks++;

        h->tasks[i] = &tasks[i];
        if (!write_task(p, t, &tasks[i], ports[i]))
            return false;
    }
    return true;
}

/* No task, no record: it is deleted. */
bool qm_record_write_host(struct qm_planner *p, struct qm_host *host, struct qm_record *record)
{
    Host h;

    record->key = qm_arena_format(&p->instant, HOST_PREFIX "%s", host->name);
    record->data = NULL;
    record->length = 0;
    if (!qm_host_to_record(host))
        return record->key != NULL || (qm_out_of_memory(p), false);
    quobyte_mesos__state__host__init(&h);
    h.format = QM_STATE_FORMAT;
    h.name = host->name;
    h.boot_id = host->boot_id;
    qm_verbs_write_host(p, host, &h);
    if (p->failed || !write_tasks(p, host, &h) || (host->extra && !put_unknown(p, &h.base, host->extra->unknown,
                                                                  host->extra->unknown_length))) {
        qm_out_of_memory(p);
        return false;
    }
    return pack(p, &h.base, record);
}
