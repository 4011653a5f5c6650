/* The judge's picture of tasks, offers, acknowledgements and saved records, and its verdicts. */
#include "check_invariants.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quobyte-mesos/state.pb-c.h"

#define TASKS_MAX   4000
#define OFFERS_MAX  1000
#define ACKS_MAX    2000
#define RECORDS_MAX 200
#define SAVES_MAX   200
#define AGENTS_MAX  100
#define NAME_MAX_   256

struct judged_task {
    char id[NAME_MAX_], service[64], host[128], agent[128], version[160];
    uint32_t ports[QM_PORTS_MAX];
    size_t n_ports;
    bool floating, prober, checked; /* checked: has a health check */
    bool live, unreachable, killed;
    bool running, healthy, was_healthy;
    qm_time healthy_since;
};

struct judged_record {
    char key[NAME_MAX_];
    uint8_t *data; /* NULL: deleted */
    size_t length;
};

struct judged_save {
    uint64_t revision;
    struct judged_record records[RECORDS_MAX];
    size_t n_records;
};

struct judge {
    struct judge_rules rules;
    FILE *complaints;
    char *text;
    size_t text_length;
    struct judged_task tasks[TASKS_MAX];
    size_t n_tasks;
    struct {
        char id[NAME_MAX_];
        qm_time since;
    } offers[OFFERS_MAX];
    size_t n_offers;
    struct {
        char task[NAME_MAX_];
        uint8_t uuid[16];
    } acks[ACKS_MAX];
    size_t n_acks;
    struct {
        char id[128], host[128], boot_id[64];
    } agents[AGENTS_MAX];
    size_t n_agents;
    struct judged_record saved[RECORDS_MAX];
    size_t n_saved;
    struct judged_save *pending[SAVES_MAX];
    size_t n_pending;
    uint64_t asked_revision; /* the newest that the planner wanted saved */
    uint64_t saved_revision;
    char target[160];        /* by the latest order */
    char safe_target[160];   /* by the latest order whose save is confirmed */
    uint64_t order_revision; /* that saves the latest order; 0: not known yet */
    bool ordered, order_open, shut_down, paused;
    qm_time shut_down_at;
    qm_time now;
};

static void complain(struct judge *judge, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void complain(struct judge *judge, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(judge->complaints, format, args);
    va_end(args);
    fputc('\n', judge->complaints);
}

static void copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

struct judge *judge_new(const struct judge_rules *rules)
{
    struct judge *judge = calloc(1, sizeof(*judge));

    if (!judge)
        abort();
    judge->rules = *rules;
    judge->complaints = open_memstream(&judge->text, &judge->text_length);
    if (!judge->complaints)
        abort();
    return judge;
}

static void free_save(struct judged_save *save)
{
    for (size_t i = 0; i < save->n_records; i++)
        free(save->records[i].data);
    free(save);
}

void judge_free(struct judge *judge)
{
    if (!judge)
        return;
    for (size_t i = 0; i < judge->n_pending; i++)
        free_save(judge->pending[i]);
    for (size_t i = 0; i < judge->n_saved; i++)
        free(judge->saved[i].data);
    fclose(judge->complaints);
    free(judge->text);
    free(judge);
}

const char *judge_complaints(struct judge *judge)
{
    fflush(judge->complaints);
    return judge->text;
}

/* ---- tasks ---- */

static struct judged_task *find_task(struct judge *judge, const char *id)
{
    for (size_t i = judge->n_tasks; i > 0; i--)
        if (strcmp(judge->tasks[i - 1].id, id) == 0)
            return &judge->tasks[i - 1];
    return NULL;
}

static struct judged_task *add_task(struct judge *judge, const char *id)
{
    struct judged_task *task = &judge->tasks[judge->n_tasks++];

    if (judge->n_tasks > TASKS_MAX)
        abort();
    copy(task->id, sizeof(task->id), id);
    task->live = true;
    return task;
}

static bool is_floating(const char *service)
{
    return strcmp(service, "api") == 0 || strcmp(service, "webconsole") == 0 ||
           strcmp(service, "s3") == 0;
}

static bool is_available(const struct judge *judge, const struct judged_task *task)
{
    return task->live && !task->unreachable && task->running && task->healthy &&
           judge->now >= task->healthy_since + judge->rules.min_ready;
}

static bool same_place(const struct judged_task *a, const struct judged_task *b)
{
    return strcmp(a->service, b->service) == 0 && strcmp(a->host, b->host) == 0;
}

/* Places of this service, other than the task's own, that were healthy once and are not available.
 */
static unsigned count_unavailable(const struct judge *judge, const struct judged_task *task)
{
    unsigned n = 0;

    for (size_t i = 0; i < judge->n_tasks; i++) {
        const struct judged_task *other = &judge->tasks[i];
        bool counted = strcmp(other->service, task->service) == 0 && !same_place(other, task) &&
                       other->was_healthy;

        for (size_t k = 0; counted && k < judge->n_tasks; k++) {
            const struct judged_task *third = &judge->tasks[k];

            if (same_place(third, other) && is_available(judge, third))
                counted = false; /* its place has an available task */
            if (k < i && third->was_healthy && same_place(third, other))
                counted = false; /* this place was looked at */
        }
        n += counted;
    }
    return n;
}

static unsigned count_available(const struct judge *judge, const char *service)
{
    unsigned n = 0;

    for (size_t i = 0; i < judge->n_tasks; i++)
        n += strcmp(judge->tasks[i].service, service) == 0 && is_available(judge, &judge->tasks[i]);
    return n;
}

static unsigned count_once_healthy(const struct judge *judge, const char *service)
{
    unsigned n = 0;

    for (size_t i = 0; i < judge->n_tasks; i++) {
        const struct judged_task *task = &judge->tasks[i];
        bool first = task->was_healthy && strcmp(task->service, service) == 0;

        for (size_t k = 0; first && k < i; k++)
            first = !(judge->tasks[k].was_healthy && same_place(&judge->tasks[k], task));
        n += first;
    }
    return n;
}

unsigned judge_launches(const struct judge *judge, const char *service, const char *host)
{
    unsigned n = 0;

    for (size_t i = 0; i < judge->n_tasks; i++)
        n += strcmp(judge->tasks[i].service, service) == 0 &&
             (!host || strcmp(judge->tasks[i].host, host) == 0);
    return n;
}

/* ---- saved records ---- */

static void apply_record(struct judge *judge, const struct judged_record *record)
{
    struct judged_record *slot = NULL;

    for (size_t i = 0; i < judge->n_saved; i++)
        if (strcmp(judge->saved[i].key, record->key) == 0)
            slot = &judge->saved[i];
    if (!slot) {
        slot = &judge->saved[judge->n_saved++];
        if (judge->n_saved > RECORDS_MAX)
            abort();
        copy(slot->key, sizeof(slot->key), record->key);
    }
    free(slot->data);
    slot->data = NULL;
    slot->length = record->length;
    if (record->data) {
        slot->data = malloc(record->length + 1);
        if (!slot->data)
            abort();
        memcpy(slot->data, record->data, record->length);
    }
}

static void end_saves(struct judge *judge, uint64_t revision, bool durable)
{
    size_t kept = 0;

    for (size_t i = 0; i < judge->n_pending; i++) {
        struct judged_save *save = judge->pending[i];

        if (save->revision > revision) {
            judge->pending[kept++] = save;
            continue;
        }
        for (size_t k = 0; durable && k < save->n_records; k++)
            apply_record(judge, &save->records[k]);
        free_save(save);
    }
    judge->n_pending = kept;
    if (durable && revision > judge->saved_revision)
        judge->saved_revision = revision;
    if (durable && judge->order_open && judge->order_revision > 0 &&
        revision >= judge->order_revision) {
        copy(judge->safe_target, sizeof(judge->safe_target), judge->target);
        judge->order_open = false;
    }
}

static void note_save(struct judge *judge, const struct qm_save *action)
{
    struct judged_save *save = calloc(1, sizeof(*save));

    if (!save || judge->n_pending == SAVES_MAX || action->n_records > RECORDS_MAX)
        abort();
    save->revision = action->revision;
    for (size_t i = 0; i < action->n_records; i++) {
        struct judged_record *record = &save->records[save->n_records++];

        copy(record->key, sizeof(record->key), action->records[i].key);
        record->length = action->records[i].length;
        if (action->records[i].data) {
            record->data = malloc(record->length + 1);
            if (!record->data)
                abort();
            memcpy(record->data, action->records[i].data, record->length);
        }
    }
    if (action->revision < judge->asked_revision)
        complain(judge, "a save of revision %ju after %ju", (uintmax_t)action->revision,
                 (uintmax_t)judge->asked_revision);
    judge->asked_revision = action->revision;
    judge->pending[judge->n_pending++] = save;
}

static const struct judged_record *find_saved(const struct judge *judge, const char *key)
{
    for (size_t i = 0; i < judge->n_saved; i++)
        if (strcmp(judge->saved[i].key, key) == 0 && judge->saved[i].data)
            return &judge->saved[i];
    return NULL;
}

static bool task_is_saved(const struct judge *judge, const char *host, const char *task_id)
{
    char key[NAME_MAX_];
    const struct judged_record *record;
    QuobyteMesos__State__Host *message;
    bool found = false;

    snprintf(key, sizeof(key), "host/%s", host);
    record = find_saved(judge, key);
    if (!record)
        return false;
    message = quobyte_mesos__state__host__unpack(NULL, record->length, record->data);
    for (size_t i = 0; message && i < message->n_tasks; i++)
        found |= strcmp(message->tasks[i]->task_id, task_id) == 0;
    if (message)
        quobyte_mesos__state__host__free_unpacked(message, NULL);
    return found;
}

static bool target_is_saved(const struct judge *judge)
{
    const struct judged_record *record = find_saved(judge, "framework");
    QuobyteMesos__State__Framework *message;
    bool same;

    if (!record)
        return false;
    message = quobyte_mesos__state__framework__unpack(NULL, record->length, record->data);
    if (!message)
        return false;
    same = message->target &&
           strcmp(message->target->version ? message->target->version : "", judge->target) == 0;
    quobyte_mesos__state__framework__free_unpacked(message, NULL);
    return same;
}

/* ---- facts ---- */

static size_t find_agent(struct judge *judge, const char *id)
{
    for (size_t i = 0; i < judge->n_agents; i++)
        if (strcmp(judge->agents[i].id, id) == 0)
            return i;
    if (judge->n_agents == AGENTS_MAX)
        abort();
    copy(judge->agents[judge->n_agents].id, sizeof(judge->agents[0].id), id);
    return judge->n_agents++;
}

static void see_offer(struct judge *judge, const struct qm_offer *offer)
{
    size_t agent = find_agent(judge, offer->agent_id);

    copy(judge->agents[agent].host, sizeof(judge->agents[agent].host), offer->hostname);
    if (judge->n_offers == OFFERS_MAX)
        abort();
    copy(judge->offers[judge->n_offers].id, sizeof(judge->offers[0].id), offer->id);
    judge->offers[judge->n_offers++].since = judge->now;
}

static bool drop_offer(struct judge *judge, const char *id)
{
    for (size_t i = 0; i < judge->n_offers; i++) {
        if (strcmp(judge->offers[i].id, id) == 0) {
            judge->offers[i] = judge->offers[--judge->n_offers];
            return true;
        }
    }
    return false;
}

static void see_status(struct judge *judge, const struct qm_task_status *status)
{
    struct judged_task *task = find_task(judge, status->task_id);
    bool up;

    if (status->has_uuid) {
        if (judge->n_acks == ACKS_MAX)
            abort();
        copy(judge->acks[judge->n_acks].task, sizeof(judge->acks[0].task), status->task_id);
        memcpy(judge->acks[judge->n_acks++].uuid, status->uuid, 16);
    }
    if (!task)
        return;
    switch (status->state) {
    case QM_TASK_FINISHED:
    case QM_TASK_FAILED:
    case QM_TASK_KILLED:
    case QM_TASK_ERROR:
    case QM_TASK_DROPPED:
    case QM_TASK_GONE:
    case QM_TASK_GONE_BY_OPERATOR:
        task->live = task->running = task->healthy = false;
        return;
    case QM_TASK_UNREACHABLE:
    case QM_TASK_LOST:
    case QM_TASK_UNKNOWN:
        task->unreachable = true;
        task->running = task->healthy = false;
        return;
    default:
        break;
    }
    task->unreachable = false;
    task->running = status->state == QM_TASK_RUNNING;
    up = task->running && (task->checked ? status->has_healthy && status->healthy : true);
    if (up && !task->healthy)
        task->healthy_since = judge->now;
    task->healthy = up;
    task->was_healthy |= up;
}

static void see_found(struct judge *judge, const struct qm_task_found *found)
{
    struct judged_task *task = find_task(judge, found->task_id);

    if (task || !found->exists)
        return;
    task = add_task(judge, found->task_id);
    copy(task->service, sizeof(task->service), found->service);
    copy(task->host, sizeof(task->host), found->hostname);
    copy(task->agent, sizeof(task->agent), found->agent_id);
    copy(task->version, sizeof(task->version), found->version);
    task->floating = is_floating(found->service);
    task->prober = strcmp(found->service, "prober") == 0;
    task->running = task->healthy = task->was_healthy = found->state == QM_TASK_RUNNING;
    task->healthy_since = judge->now;
}

static bool listens_to_any(const struct qm_probe_report *report, const struct judged_task *task)
{
    for (size_t i = 0; i < task->n_ports; i++)
        for (size_t k = 0; k < report->n_listening; k++)
            if (task->ports[i] == report->listening[k])
                return true;
    return false;
}

/* A report under a new agent id proves what became of the old agent's tasks. */
static void see_report(struct judge *judge, const struct qm_probe_report *report)
{
    size_t agent = find_agent(judge, report->agent_id);
    const char *host = judge->agents[agent].host;

    for (size_t i = 0; i < judge->n_tasks; i++) {
        struct judged_task *task = &judge->tasks[i];
        size_t old = find_agent(judge, task->agent);
        bool rebooted = report->boot_id[0] && judge->agents[old].boot_id[0] &&
                        strcmp(judge->agents[old].boot_id, report->boot_id) != 0;

        if (!task->live || strcmp(task->host, host) != 0 || old == agent)
            continue;
        if (rebooted || !listens_to_any(report, task))
            task->live = task->running = task->healthy = false;
    }
    copy(judge->agents[agent].boot_id, sizeof(judge->agents[agent].boot_id), report->boot_id);
}

static void see_command(struct judge *judge, const struct qm_command *command)
{
    switch (command->type) {
    case QM_COMMAND_SET_TARGET:
    case QM_COMMAND_SHUT_DOWN:
        judge->shut_down = command->type == QM_COMMAND_SHUT_DOWN;
        judge->shut_down_at = judge->now;
        copy(judge->target, sizeof(judge->target), judge->shut_down ? "" : command->version);
        judge->ordered = judge->order_open = true;
        judge->order_revision = 0;
        judge->paused = false;
        break;
    case QM_COMMAND_PAUSE:
        judge->paused = true;
        break;
    case QM_COMMAND_RESUME:
        judge->paused = false;
        break;
    }
}

void judge_fact(struct judge *judge, const struct qm_fact *fact, int outcome)
{
    if (fact->time > judge->now)
        judge->now = fact->time;
    if (outcome != 0)
        return;
    switch (fact->type) {
    case QM_FACT_OFFER:
        see_offer(judge, &fact->offer);
        break;
    case QM_FACT_OFFER_RESCINDED:
        drop_offer(judge, fact->offer_id);
        break;
    case QM_FACT_SUBSCRIBED:
    case QM_FACT_DISCONNECTED:
        judge->n_offers = judge->n_acks = 0;
        break;
    case QM_FACT_TASK_STATUS:
        see_status(judge, &fact->status);
        break;
    case QM_FACT_TASK_FOUND:
        see_found(judge, &fact->found);
        break;
    case QM_FACT_PROBE_REPORT:
        see_report(judge, &fact->probe);
        break;
    case QM_FACT_COMMAND:
        see_command(judge, &fact->command);
        break;
    case QM_FACT_STATE_SAVED:
        end_saves(judge, fact->revision, true);
        break;
    case QM_FACT_SAVE_FAILED:
        end_saves(judge, fact->revision, false);
        break;
    default:
        break;
    }
}

/* ---- actions ---- */

static void judge_place(struct judge *judge, const struct judged_task *task)
{
    unsigned floating = 0;

    for (size_t i = 0; i < judge->n_tasks; i++) {
        const struct judged_task *other = &judge->tasks[i];

        if (other == task || !other->live || strcmp(other->service, task->service) != 0)
            continue;
        if (strcmp(other->host, task->host) == 0)
            complain(judge, "I1: %s is launched on %s, where %s may live", task->id, task->host,
                     other->id);
        floating += !other->unreachable;
    }
    if (task->floating && floating + 1 > judge->rules.floating + 1)
        complain(judge, "I1: %s is launched beside %u others", task->id, floating);
}

static void judge_launch(struct judge *judge, const struct qm_launch *launch)
{
    for (size_t i = 0; i < launch->n_offer_ids; i++)
        if (!drop_offer(judge, launch->offer_ids[i]))
            complain(judge, "I5: launch on offer %s, which is not open", launch->offer_ids[i]);
    for (size_t i = 0; i < launch->n_tasks; i++) {
        const struct qm_task_launch *from = &launch->tasks[i];
        bool was_there = false;
        struct judged_task *task;

        if (find_task(judge, from->task_id))
            complain(judge, "I1: task id %s is used twice", from->task_id);
        task = add_task(judge, from->task_id);
        copy(task->service, sizeof(task->service), from->template_->service);
        copy(task->host, sizeof(task->host), from->hostname);
        copy(task->agent, sizeof(task->agent), launch->agent_id);
        copy(task->version, sizeof(task->version), from->template_->version);
        task->checked = from->template_->health.enabled;
        task->prober = from->template_->is_executor;
        task->floating = is_floating(task->service);
        for (size_t k = 0; k < from->n_ports && k < QM_PORTS_MAX; k++)
            task->ports[task->n_ports++] = from->ports[k].number;
        judge_place(judge, task);
        if (!task_is_saved(judge, task->host, task->id))
            complain(judge, "I2: %s is launched before its record is saved", task->id);
        for (size_t k = 0; k + 1 < judge->n_tasks; k++)
            was_there |= judge->tasks[k].was_healthy &&
                         (same_place(&judge->tasks[k], task) ||
                          (task->floating && strcmp(judge->tasks[k].service, task->service) == 0));
        if (judge->paused && !task->prober && !was_there)
            complain(judge, "I7: %s is launched while paused, and repairs nothing", task->id);
        if (judge->shut_down && !task->prober &&
            judge->now >= judge->shut_down_at + judge->rules.shutdown_delay)
            complain(judge, "I6: %s is launched after the shut down", task->id);
    }
}

static bool is_surplus(const struct judge *judge, const struct judged_task *task)
{
    unsigned floating = 0;

    for (size_t i = 0; i < judge->n_tasks; i++) {
        const struct judged_task *other = &judge->tasks[i];

        if (other == task || !other->live)
            continue;
        if (same_place(other, task))
            return true;
        floating += strcmp(other->service, task->service) == 0;
    }
    return task->floating && floating >= judge->rules.floating;
}

static void judge_stop(struct judge *judge, const struct judged_task *task)
{
    unsigned away = count_unavailable(judge, task) + 1;
    unsigned once = count_once_healthy(judge, "registry"), stay;

    if (away > judge->rules.max_unavailable)
        complain(judge, "I4: stopping %s makes %u of %s unavailable, %u are allowed", task->id,
                 away, task->service, judge->rules.max_unavailable);
    if (strcmp(task->service, "registry") != 0)
        return;
    if (once > judge->rules.registry_replicas)
        once = judge->rules.registry_replicas;
    stay = count_available(judge, "registry") - 1;
    if (once >= 3 && stay < once / 2 + 1)
        complain(judge, "I4: stopping %s leaves %u of %u registries", task->id, stay, once);
}

static void judge_kill(struct judge *judge, const struct qm_kill *kill)
{
    struct judged_task *task = find_task(judge, kill->task_id);
    bool surplus, outdated;

    if (!task) {
        complain(judge, "I6: %s is killed, which nobody told of", kill->task_id);
        return;
    }
    if (!kill->agent_id || !kill->agent_id[0])
        complain(judge, "I6: %s is killed without its agent's id", kill->task_id);
    if (task->killed)
        return; /* repeated */
    task->killed = true;
    surplus = is_surplus(judge, task);
    outdated = judge->ordered && strcmp(task->version, judge->target) != 0 && !task->prober;
    if (!surplus && !outdated)
        complain(judge, "I6: %s of version %s is killed without a reason", task->id, task->version);
    if (!surplus && !target_is_saved(judge))
        complain(judge, "I2: %s is killed before target '%s' is saved", task->id, judge->target);
    if (judge->shut_down) {
        if (!surplus && judge->now < judge->shut_down_at + judge->rules.shutdown_delay)
            complain(judge, "I6: %s is killed within the grace of the shut down", task->id);
        return;
    }
    if (!is_available(judge, task))
        return; /* takes nothing away */
    if (judge->paused)
        complain(judge, "I7: %s is killed while paused", task->id);
    if (!task->floating)
        judge_stop(judge, task);
}

static void judge_acknowledge(struct judge *judge, const struct qm_acknowledge *ack)
{
    for (size_t i = 0; i < judge->n_acks; i++) {
        if (strcmp(judge->acks[i].task, ack->task_id) == 0 &&
            memcmp(judge->acks[i].uuid, ack->uuid, 16) == 0) {
            memmove(&judge->acks[i], &judge->acks[i + 1],
                    (judge->n_acks - i - 1) * sizeof(judge->acks[0]));
            judge->n_acks--;
            return;
        }
    }
    complain(judge, "I5: a status of %s is acknowledged that was not told", ack->task_id);
}

void judge_action(struct judge *judge, qm_time now, const struct qm_action *action)
{
    if (now > judge->now)
        judge->now = now;
    switch (action->type) {
    case QM_ACTION_SAVE:
        note_save(judge, &action->save);
        break;
    case QM_ACTION_LAUNCH:
        judge_launch(judge, &action->launch);
        break;
    case QM_ACTION_KILL:
        judge_kill(judge, &action->kill);
        break;
    case QM_ACTION_DECLINE:
        for (size_t i = 0; i < action->decline.n_offer_ids; i++)
            if (!drop_offer(judge, action->decline.offer_ids[i]))
                complain(judge, "I5: offer %s is declined, which is not open",
                         action->decline.offer_ids[i]);
        break;
    case QM_ACTION_ACKNOWLEDGE:
        judge_acknowledge(judge, &action->acknowledge);
        break;
    default:
        break;
    }
}

void judge_drained(struct judge *judge, const struct qm_planner *planner, qm_time now)
{
    if (judge->order_open && judge->order_revision == 0)
        judge->order_revision = qm_planner_revision(planner);
    if (judge->order_open && qm_planner_saved_revision(planner) >= judge->order_revision) {
        copy(judge->safe_target, sizeof(judge->safe_target), judge->target);
        judge->order_open = false;
    }
    for (size_t i = 0; i < judge->n_offers; i++)
        if (now > judge->offers[i].since + judge->rules.offer_hold)
            complain(judge, "I5: offer %s is open for %ju ms", judge->offers[i].id,
                     (uintmax_t)(now - judge->offers[i].since));
    if (judge->n_acks > 0 && judge->n_pending == 0)
        complain(judge, "I5: %zu statuses are not acknowledged, of %s first", judge->n_acks,
                 judge->acks[0].task);
}

void judge_crash(struct judge *judge, const struct qm_planner *planner)
{
    for (size_t i = 0; i < judge->n_pending; i++)
        free_save(judge->pending[i]);
    judge->n_pending = judge->n_offers = judge->n_acks = 0;
    judge->asked_revision = judge->saved_revision = 0;
    if (judge->order_open) /* not answered: either is right */
        copy(judge->target, sizeof(judge->target), qm_planner_target(planner));
    else if (strcmp(qm_planner_target(planner), judge->safe_target) != 0)
        complain(judge, "I3: the target was '%s' and saved, now it is '%s'", judge->safe_target,
                 qm_planner_target(planner));
    judge->order_open = false;
    judge->paused = false;
}
