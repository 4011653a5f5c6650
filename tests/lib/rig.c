/* The rig's loop: outputs of Mesos become facts, actions are judged, told and performed. */
#include "rig.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define RESOURCES   "cpus:16;mem:65536;disk:200000;ports:[80-80,8888-8889,21000-21100]"
#define ROUNDS_MAX  10000 /* at one instant */
#define ACTIONS_MAX 100000

static const char *const services[] = {"registry", "metadata", "data", "api", "webconsole"};
#define N_SERVICES (sizeof(services) / sizeof(*services))

void rig_broke(struct rig *rig, const char *format, ...)
{
    va_list args;

    if (rig->broken[0])
        return;
    va_start(args, format);
    vsnprintf(rig->broken, sizeof(rig->broken), format, args);
    va_end(args);
}

void rig_say(struct rig *rig, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (!rig->options.quiet)
        story_tell(&rig->story, rig->now, "%s", line);
}

/* ---- the planner's memory, counted ---- */

struct block {
    size_t size;
    max_align_t bytes[];
};

static void *count_realloc(void *userdata, void *old, size_t size)
{
    struct rig *rig = userdata;
    struct block *block =
        old ? (struct block *)((char *)old - offsetof(struct block, bytes)) : NULL;
    size_t before = block ? block->size : 0;

    block = realloc(block, sizeof(*block) + size);
    if (!block)
        return NULL;
    rig->live_blocks += !old;
    rig->live_bytes += size - before;
    block->size = size;
    return block->bytes;
}

static void *count_alloc(void *userdata, size_t size)
{
    return count_realloc(userdata, NULL, size);
}

static void count_free(void *userdata, void *old)
{
    struct rig *rig = userdata;
    struct block *block;

    if (!old)
        return;
    block = (struct block *)((char *)old - offsetof(struct block, bytes));
    rig->live_blocks--;
    rig->live_bytes -= block->size;
    free(block);
}

/* ---- making it ---- */

struct rig_agent rig_agent_with(const char *hostname, bool bootstrap)
{
    struct rig_agent agent = {.hostname = hostname, .n_devices = 3};
    static const struct {
        enum qm_device_type type;
        const char *mount;
    } kinds[] = {{QM_DEVICE_REGISTRY, "/mnt/registry"},
                 {QM_DEVICE_METADATA, "/mnt/metadata"},
                 {QM_DEVICE_DATA, "/mnt/data"}};

    for (size_t i = 0; i < 3; i++)
        agent.devices[i] = (struct qm_device){
            .type = kinds[i].type,
            .bootstrap = bootstrap && i == 0,
            .mount = kinds[i].mount,
            .filesystem = "xfs",
            .serial = "", /* the rig makes one of host and mount */
            .model = "played",
            .id = "",
            .warning = "",
            .size_mib = 100000,
            .free_mib = 90000,
        };
    return agent;
}

static void name_devices(struct rig_agent *agent)
{
    for (size_t i = 0; i < agent->n_devices; i++) {
        char *serial;

        if (agent->devices[i].serial[0])
            serial = strdup(agent->devices[i].serial);
        else if (asprintf(&serial, "%s%s", agent->hostname, agent->devices[i].mount) < 0)
            serial = NULL;
        if (!serial)
            abort();
        agent->devices[i].serial = serial; /* the rig's agents own these */
    }
}

static void make_sim(struct rig *rig)
{
    struct sim_agent_config agents[RIG_AGENTS_MAX] = {0};
    struct sim_cluster cluster = {
        .agents = agents,
        .n_agents = rig->options.n_agents,
        .image_start_s = rig->options.image_start_s,
    };
    char *error = NULL;

    for (size_t i = 0; i < rig->options.n_agents; i++) {
        rig->agents[i] = rig->options.agents[i];
        name_devices(&rig->agents[i]);
        agents[i].hostname = rig->agents[i].hostname;
        agents[i].zone = rig->agents[i].zone;
        agents[i].region = rig->agents[i].zone ? "region" : NULL;
        agents[i].resources = rig->agents[i].resources ? rig->agents[i].resources : RESOURCES;
    }
    rig->sim = sim_new(&cluster, 1, (int64_t)rig->now, &error);
    if (!rig->sim) {
        fprintf(stderr, "no simulated cluster: %s\n", error);
        abort();
    }
}

static void set(struct rig *rig, const char *key, const char *value)
{
    struct qm_error error = {0};
    char line[512];

    if (qm_config_set(rig->config, key, value, &error) == 0)
        return;
    qm_error_format(&error, line, sizeof(line));
    fprintf(stderr, "rig: %s=%s: %s\n", key, value, line);
    abort();
}

static void make_config(struct rig *rig)
{
    if (qm_config_new(&rig->config, NULL, 0, NULL) != 0)
        abort();
    set(rig, "images.server", "quobyte/quobyte-server");
    for (size_t i = 0; i < N_SERVICES; i++) {
        char key[64], value[32];

        snprintf(key, sizeof(key), "services.%s.min_ready_s", services[i]);
        snprintf(value, sizeof(value), "%" PRIu64 ".%03" PRIu64, rig->options.min_ready / 1000,
                 rig->options.min_ready % 1000);
        set(rig, key, value);
    }
    for (size_t i = 0; i < rig->options.n_settings; i++)
        set(rig, rig->options.settings[i].key, rig->options.settings[i].value);
}

/* Stages of tasks are many; the story tells the ends of the way only. */
static bool worth_telling(const struct qm_trace_event *event)
{
    static const char *const dull[] = {"saved", "sent", "seen", "intent"};

    if (event->type != QM_TRACE_TASK)
        return true;
    for (size_t i = 0; i < sizeof(dull) / sizeof(*dull); i++)
        if (strcmp(event->to, dull[i]) == 0)
            return false;
    return true;
}

static void on_trace(void *userdata, const struct qm_trace_event *event)
{
    struct rig *rig = userdata;
    char line[1024];

    if (!worth_telling(event))
        return;
    qm_trace_format(event, line, sizeof(line));
    rig_say(rig, "%s", line);
}

static void start_planner(struct rig *rig)
{
    struct qm_record *records = calloc(rig->n_records + 1, sizeof(*records));
    struct qm_error error = {0};
    size_t n = 0;
    int r;

    if (!records)
        abort();
    for (size_t i = 0; i < rig->n_records; i++)
        if (rig->records[i].data)
            records[n++] = (struct qm_record){rig->records[i].key, rig->records[i].data,
                                              rig->records[i].length};
    r = qm_planner_new(&rig->planner, rig->config, records, n, &rig->allocator, rig->now, &error);
    free(records);
    if (r != 0) {
        fprintf(stderr, "rig: no planner: %d %s: %s\n", r, error.key, error.message);
        abort();
    }
    qm_planner_set_trace(rig->planner, on_trace, rig);
    rig->subscribe_at = rig->now;
}

struct rig *rig_new(const struct rig_options *options)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct judge_rules rules;

    if (!rig || options->n_agents > RIG_AGENTS_MAX)
        abort();
    rig->options = *options;
    rig->now = RIG_START;
    rig->crash_after = -1;
    rig->allocator = (struct qm_allocator){count_alloc, count_realloc, count_free, rig};
    story_init(&rig->story, rig->now);
    arena_init(&rig->arena);
    offers_init(&rig->offers);
    make_sim(rig);
    make_config(rig);
    rules = (struct judge_rules){
        .min_ready = options->min_ready,
        .max_unavailable = 1,
        .registry_replicas = (unsigned)qm_config_integer(rig->config, "registry.replicas"),
        .floating = 1,
        .shutdown_delay = qm_config_duration(rig->config, "shutdown.delay_s"),
        .launch_patience = 15 * qm_config_duration(rig->config, "launch.timeout_s"),
        .offer_hold = qm_config_duration(rig->config, "offers.hold_s"),
    };
    rig->judge = judge_new(&rules);
    start_planner(rig);
    return rig;
}

void rig_free(struct rig *rig)
{
    for (size_t i = 0; i < rig->options.n_agents; i++)
        for (size_t k = 0; k < rig->agents[i].n_devices; k++)
            free((char *)rig->agents[i].devices[k].serial);
    qm_planner_free(rig->planner);
    qm_config_free(rig->config);
    sim_free(rig->sim);
    rig_probers_free(rig);
    rig_store_free(rig);
    offers_deinit(&rig->offers);
    arena_deinit(&rig->arena);
    judge_free(rig->judge);
    story_deinit(&rig->story);
    free(rig);
}

/* ---- facts and actions ---- */

void rig_tell(struct rig *rig, struct qm_fact fact)
{
    uint64_t before = qm_planner_revision(rig->planner);
    int outcome;

    fact.time = rig->now;
    outcome = qm_planner_step(rig->planner, &fact);
    if (outcome < 0)
        rig_broke(rig, "qm_planner_step: %s", qm_strerror(outcome));
    if (outcome > 0 && qm_planner_revision(rig->planner) != before)
        rig_broke(rig, "I8: a refused fact (%s) changed the state", qm_strerror(outcome));
    judge_fact(rig->judge, &fact, outcome);
}

uint64_t rig_request(struct rig *rig, int target, uint64_t connection, const char *path,
                     const char *stream_id, const uint8_t *body, size_t length,
                     struct sim_response *response)
{
    struct sim_pair headers[] = {
        {"Content-Type", "application/x-protobuf"},
        {"Accept", "application/x-protobuf"},
        {"Mesos-Stream-Id", stream_id},
    };
    struct sim_request request = {
        .connection = connection,
        .target = target,
        .method = "POST",
        .path = path,
        .headers = headers,
        .n_headers = stream_id ? 3 : 2,
        .body = body,
        .body_len = length,
    };

    *response = (struct sim_response){.kind = SIM_HANG_UP};
    if (sim_listens(rig->sim, target))
        sim_request(rig->sim, &request, response);
    return response->stream;
}

static void tell_launch(struct rig *rig, const struct qm_launch *launch)
{
    for (size_t i = 0; i < launch->n_tasks; i++) {
        const struct qm_task_launch *task = &launch->tasks[i];

        rig_say(rig, "launch %s%s%s on %s", task->task_id,
                task->template_->version[0] ? " at " : "", task->template_->version,
                task->hostname);
    }
}

static void perform(struct rig *rig, const struct qm_action *action)
{
    judge_action(rig->judge, rig->now, action);
    if (action->type == QM_ACTION_LAUNCH)
        tell_launch(rig, &action->launch);
    else if (action->type == QM_ACTION_KILL)
        rig_say(rig, "kill %s", action->kill.task_id);
    if (action->type == QM_ACTION_SAVE)
        rig_store_save(rig, &action->save);
    else
        rig_master_perform(rig, action);
}

/* True when there was any action. */
static bool drain(struct rig *rig)
{
    const struct qm_action *action;
    unsigned n = 0;

    while (!rig->crashed && (action = qm_planner_next_action(rig->planner)) != NULL) {
        perform(rig, action);
        rig->actions++;
        if (++n > ACTIONS_MAX) {
            rig_broke(rig, "the planner's actions do not end");
            break;
        }
        if (rig->crash_after >= 0 && rig->crash_after-- == 0)
            rig->crashed = true;
    }
    if (qm_planner_failed(rig->planner) != 0)
        rig_broke(rig, "qm_planner_failed: %s", qm_strerror(qm_planner_failed(rig->planner)));
    if (!rig->crashed)
        judge_drained(rig->judge, rig->planner, rig->now);
    return n > 0;
}

/* ---- Mesos' outputs ---- */

static void handle_record(struct rig *rig, const struct sim_output *out)
{
    uint64_t connection = out->connection;
    size_t length = out->len;
    uint8_t *data = malloc(length + 1);

    if (!data)
        abort();
    memcpy(data, out->data, length); /* handling it makes new outputs */
    if (connection == rig->connection)
        rig_master_record(rig, data, length);
    else
        rig_prober_record(rig, connection, data, length);
    free(data);
}

static void handle_hang_up(struct rig *rig, uint64_t connection, int target)
{
    if (connection == rig->connection || target == SIM_MASTER) {
        if (rig->connection)
            rig_master_lost(rig);
        return;
    }
    rig_prober_hung_up(rig, connection, target);
}

#define NOBODY (-2) /* a target that is none */

static bool handle_output(struct rig *rig)
{
    struct sim_output out;

    if (!sim_next_output(rig->sim, &out))
        return false;
    switch (out.kind) {
    case SIM_OUT_RECORD:
        handle_record(rig, &out);
        break;
    case SIM_OUT_END:
    case SIM_OUT_HANG_UP:
        handle_hang_up(rig, out.connection, NOBODY);
        break;
    case SIM_OUT_HANG_UP_ALL:
        handle_hang_up(rig, 0, out.target);
        break;
    case SIM_OUT_START_PROCESS:
        if (out.process->executor)
            rig_prober_start(rig, out.container, out.process);
        else
            rig_broke(rig, "a process that is no executor: %s", out.process->value);
        break;
    case SIM_OUT_SIGNAL_PROCESS:
        rig_prober_signal(rig, out.container, out.signal);
        break;
    case SIM_OUT_CONTAINER_GONE:
        rig_prober_gone(rig, out.container);
        break;
    }
    return true;
}

/* All that is due now, once; true when anything happened. Outputs of one instant come first, so
 * that the planner sees them together. */
static bool turn(struct rig *rig)
{
    bool happened = false;

    while (!rig->crashed && handle_output(rig))
        happened = true;
    if (rig->crashed)
        return true;
    rig_store_tick(rig);
    rig_prober_tick(rig);
    if (rig->now >= rig->subscribe_at)
        rig_master_subscribe(rig);
    return drain(rig) || happened;
}

void rig_settle(struct rig *rig)
{
    unsigned rounds = 0;

    while (turn(rig) || (rig->save.revision && rig->now >= rig->save.at)) {
        if (rig->crashed)
            rig_crash(rig);
        if (++rounds > ROUNDS_MAX) {
            rig_broke(rig, "time stands still");
            return;
        }
    }
}

static qm_time earliest(qm_time a, qm_time b)
{
    return a < b ? a : b;
}

static void next_instant(struct rig *rig, qm_time limit)
{
    qm_time next = earliest((qm_time)sim_deadline(rig->sim), qm_planner_deadline(rig->planner));

    next = earliest(next, earliest(rig->subscribe_at, rig_prober_deadline(rig)));
    if (rig->save.revision)
        next = earliest(next, rig->save.at);
    next = earliest(next, limit);
    if (next > rig->now)
        rig->now = next;
    else
        rig->now++; /* what was due did not move: time does */
    sim_advance(rig->sim, (int64_t)rig->now);
    if (rig->now >= qm_planner_deadline(rig->planner))
        rig_tell(rig, (struct qm_fact){.type = QM_FACT_TIME});
}

bool rig_run(struct rig *rig, rig_condition condition, qm_duration limit)
{
    qm_time end = rig->now + limit;

    rig_settle(rig);
    while (!rig->broken[0]) {
        if (condition && condition(rig))
            return true;
        if (rig->now >= end)
            return !condition;
        next_instant(rig, end);
        rig_settle(rig);
    }
    return false;
}

/* ---- orders and crashes ---- */

static int order(struct rig *rig, struct qm_command command)
{
    struct qm_fact fact = {.time = rig->now, .type = QM_FACT_COMMAND, .command = command};
    int outcome = qm_planner_step(rig->planner, &fact);

    judge_fact(rig->judge, &fact, outcome);
    rig_settle(rig);
    return outcome;
}

int rig_post(struct rig *rig, const char *version)
{
    rig_say(rig, version[0] ? "-- POST %s" : "-- POST of nothing%s", version);
    return order(rig, (struct qm_command){
                          .type = version[0] ? QM_COMMAND_SET_TARGET : QM_COMMAND_SHUT_DOWN,
                          .version = version,
                      });
}

int rig_command(struct rig *rig, enum qm_command_type type)
{
    rig_say(rig, type == QM_COMMAND_PAUSE ? "-- pause" : "-- resume");
    return order(rig, (struct qm_command){.type = type});
}

void rig_crash(struct rig *rig)
{
    rig_say(rig, "-- the scheduler crashes and starts again");
    rig->crashed = false;
    rig->save.revision = 0;
    if (rig->connection)
        sim_connection_closed(rig->sim, rig->connection);
    sim_connection_closed(rig->sim, rig->call_connection);
    rig->connection = 0;
    rig->subscribed = false;
    offers_clear(&rig->offers);
    qm_planner_free(rig->planner);
    if (rig->live_blocks > 0)
        rig_broke(rig, "%zu blocks of a freed planner live on", rig->live_blocks);
    start_planner(rig);
    judge_crash(rig->judge, rig->planner);
}

/* ---- conditions ---- */

bool rig_plan_complete(struct rig *rig)
{
    struct qm_plan_view *view = NULL;
    bool complete;

    if (qm_plan_view_new(rig->planner, &view) != 0)
        abort();
    complete = view->status == QM_STATUS_COMPLETE && qm_planner_target(rig->planner)[0] &&
               strcmp(view->target, qm_planner_target(rig->planner)) == 0;
    qm_plan_view_free(view);
    return complete;
}

unsigned rig_running(struct rig *rig, const char *service, const char *version)
{
    const struct sim_framework *framework = NULL;
    unsigned n = 0;

    while ((framework = sim_framework_next(rig->sim, false, framework)) != NULL) {
        const struct sim_task *task = NULL;

        while ((task = sim_task_next(framework, SIM_TASKS, task)) != NULL) {
            struct sim_task_view view;
            const char *of = NULL;

            sim_task_look(task, &view);
            for (size_t i = 0; view.info->labels && i < view.info->labels->n_labels; i++)
                if (strcmp(view.info->labels->labels[i]->key, "quobyte.version") == 0)
                    of = view.info->labels->labels[i]->value;
            if (view.state != MESOS__V1__TASK_STATE__TASK_RUNNING)
                continue;
            if (service ? strcmp(view.info->name, service) != 0
                        : strcmp(view.info->name, "prober") == 0)
                continue;
            n += !version || (of && strcmp(of, version) == 0);
        }
    }
    return n;
}

bool rig_quiet(struct rig *rig)
{
    return rig_running(rig, NULL, NULL) == 0 && qm_planner_target(rig->planner)[0] == '\0';
}

bool rig_reason(struct rig *rig, const char *step, enum qm_reason_code code,
                struct qm_reason *reason)
{
    struct qm_reason reasons[8];
    int n = qm_step_explain(rig->planner, step, reasons, 8);

    for (int i = 0; i < n && i < 8; i++) {
        if (reasons[i].code == code) {
            *reason = reasons[i];
            return true;
        }
    }
    return false;
}

static void show_step(const struct qm_step_view *step)
{
    char reason[256];

    printf("# %s %s", step->id, qm_status_name(step->status));
    for (size_t i = 0; i < step->n_reasons; i++) {
        qm_reason_format(&step->reasons[i], reason, sizeof(reason));
        printf("; %s", reason);
    }
    printf("\n");
}

void rig_show_waiting(struct rig *rig)
{
    struct qm_plan_view *view = NULL;
    char reason[256];

    if (qm_plan_view_new(rig->planner, &view) != 0)
        abort();
    qm_reason_format(&view->reason, reason, sizeof(reason));
    printf("# plan %s %s: %s\n", qm_plan_kind_name(view->kind), qm_status_name(view->status),
           reason);
    for (size_t i = 0; i < view->n_phases; i++) {
        printf("# phase %s %s\n", view->phases[i].name, qm_status_name(view->phases[i].status));
        for (size_t k = 0; k < view->phases[i].n_steps; k++)
            if (view->phases[i].steps[k].status != QM_STATUS_COMPLETE)
                show_step(&view->phases[i].steps[k]);
    }
    fflush(stdout); /* check ends the process without it */
    qm_plan_view_free(view);
}

const char *rig_verdict(struct rig *rig)
{
    return rig->broken[0] ? rig->broken : judge_complaints(rig->judge);
}
