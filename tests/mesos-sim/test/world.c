/* A cluster in virtual time with schedulers and executors, for tests. See world.h. */
#include "world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the world ---- */

void world_init_cluster(struct world *world, const struct sim_cluster *cluster)
{
    char *error = NULL;

    memset(world, 0, sizeof *world);
    world->sim = sim_new(cluster, 1, START_MS, &error);
    ck_assert_msg(world->sim != NULL, "no cluster: %s", error ? error : "?");
    free(error);
}

void world_init(struct world *world, size_t agents)
{
    struct sim_agent_config config[16] = {0};
    char names[16][16];
    struct sim_cluster cluster = {.agents = config, .n_agents = agents};

    ck_assert_uint_le(agents, 16);
    for (size_t i = 0; i < agents; i++) {
        snprintf(names[i], sizeof names[i], "agent-%zu", i + 1);
        config[i].hostname = names[i];
        config[i].resources = "cpus:4;mem:4096;disk:10000;ports:[21100-21199]";
    }
    world_init_cluster(world, &cluster);
}

void world_deinit(struct world *world)
{
    sim_free(world->sim);
    for (size_t i = 0; i < world->n_seen; i++) {
        struct seen *seen = &world->seen[i];

        if (seen->event)
            mesos__v1__scheduler__event__free_unpacked(seen->event, NULL);
        if (seen->told)
            mesos__v1__executor__event__free_unpacked(seen->told, NULL);
        for (size_t j = 0; seen->environment && seen->environment[j]; j++)
            free(seen->environment[j]);
        free(seen->environment);
        free(seen->container);
        free(seen->value);
    }
    free(world->seen);
}

int64_t world_now(const struct world *world)
{
    return sim_now(world->sim) - START_MS;
}

static void take_record(struct seen *seen, const struct sim_output *out)
{
    const uint8_t *body = memchr(out->data, '\n', out->len);
    size_t size;

    ck_assert_ptr_nonnull(body);
    size = out->len - (size_t)(++body - out->data);
    ck_assert_uint_eq(strtoul((const char *)out->data, NULL, 10), size);
    if (out->target == SIM_MASTER)
        ck_assert_ptr_nonnull(seen->event = mesos__v1__scheduler__event__unpack(NULL, size, body));
    else
        ck_assert_ptr_nonnull(seen->told = mesos__v1__executor__event__unpack(NULL, size, body));
}

static void take_process(struct seen *seen, const struct sim_process *process)
{
    seen->value = strdup(process->value);
    seen->environment = calloc(process->n_environment + 1, sizeof *seen->environment);
    for (size_t i = 0; i < process->n_environment; i++)
        if (asprintf(&seen->environment[i], "%s=%s", process->environment[i].name,
                     process->environment[i].value) < 0)
            abort();
}

void world_pump(struct world *world)
{
    struct sim_output out;

    while (sim_next_output(world->sim, &out)) {
        struct seen *seen;

        world->seen = reallocarray(world->seen, world->n_seen + 1, sizeof *world->seen);
        seen = &world->seen[world->n_seen++];
        *seen = (struct seen){
            .at = world_now(world),
            .kind = out.kind,
            .target = out.target,
            .stream = out.stream,
            .connection = out.connection,
            .signal = out.signal,
            .container = out.container ? strdup(out.container) : NULL,
        };
        if (out.kind == SIM_OUT_RECORD)
            take_record(seen, &out);
        if (out.kind == SIM_OUT_START_PROCESS)
            take_process(seen, out.process);
    }
}

void world_run(struct world *world, int64_t ms)
{
    int64_t end = sim_now(world->sim) + ms;

    world_pump(world);
    while (sim_deadline(world->sim) <= end) {
        sim_advance(world->sim, sim_deadline(world->sim));
        world_pump(world);
    }
    sim_advance(world->sim, end);
    world_pump(world);
}

const struct seen *world_next(struct world *world, size_t *from, enum sim_output_kind kind)
{
    world_pump(world);
    while (*from < world->n_seen)
        if (world->seen[(*from)++].kind == kind)
            return &world->seen[*from - 1];
    return NULL;
}

/* ---- schedulers: calls ---- */

void scheduler_raw(struct scheduler *scheduler, const char *method, const struct sim_pair *headers,
                   size_t n, const void *body, size_t len)
{
    struct sim_request request = {
        .connection = ++scheduler->world->last_connection,
        .target = SIM_MASTER,
        .method = method,
        .path = "/api/v1/scheduler",
        .headers = headers,
        .n_headers = n,
        .body = body,
        .body_len = len,
    };
    struct sim_response response;

    world_pump(scheduler->world);
    sim_request(scheduler->world->sim, &request, &response);
    scheduler->status = response.kind == SIM_HANG_UP ? 0 : response.status;
    snprintf(scheduler->body, sizeof scheduler->body, "%s", response.body ? response.body : "");
    if (response.kind == SIM_STREAM) {
        scheduler->stream = response.stream;
        scheduler->connection = request.connection;
        for (size_t i = 0; i < response.n_headers; i++)
            if (strcmp(response.headers[i].name, "Mesos-Stream-Id") == 0)
                snprintf(scheduler->stream_id, sizeof scheduler->stream_id, "%s",
                         response.headers[i].value);
    }
    sim_response_deinit(&response);
    world_pump(scheduler->world);
}

void scheduler_call(struct scheduler *scheduler, call_t *call)
{
    struct sim_pair headers[] = {{"Content-Type", "application/x-protobuf"},
                                 {"Accept", "application/x-protobuf"},
                                 {"Mesos-Stream-Id", scheduler->stream_id}};
    Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;
    uint8_t *body;
    size_t len;

    id.value = scheduler->id;
    if (*scheduler->id && !call->framework_id)
        call->framework_id = &id;
    call->has_type = 1;
    len = mesos__v1__scheduler__call__get_packed_size(call);
    body = malloc(len);
    mesos__v1__scheduler__call__pack(call, body);
    scheduler_raw(scheduler, "POST", headers, call->subscribe ? 2 : 3, body, len);
    free(body);
    if (call->framework_id == &id)
        call->framework_id = NULL;
}

void scheduler_simple(struct scheduler *scheduler, Mesos__V1__Scheduler__Call__Type type)
{
    call_t call = MESOS__V1__SCHEDULER__CALL__INIT;

    call.type = type;
    scheduler_call(scheduler, &call);
}

void scheduler_subscribe(struct scheduler *scheduler, struct world *world,
                         const struct wishes *wishes)
{
    static const struct wishes none;
    call_t call = MESOS__V1__SCHEDULER__CALL__INIT;
    Mesos__V1__Scheduler__Call__Subscribe subscribe = MESOS__V1__SCHEDULER__CALL__SUBSCRIBE__INIT;
    Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
    Mesos__V1__FrameworkInfo__Capability capabilities[4], *list[4];
    Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;
    Mesos__V1__FrameworkInfo__OfferFiltersEntry entry =
        MESOS__V1__FRAMEWORK_INFO__OFFER_FILTERS_ENTRY__INIT;
    Mesos__V1__FrameworkInfo__OfferFiltersEntry *entries[] = {&entry};
    char *roles[1];
    const event_t *event;

    wishes = wishes ? wishes : &none;
    memset(scheduler, 0, sizeof *scheduler);
    scheduler->world = world;
    scheduler->place = world->n_seen;
    for (int i = 0; i < 4; i++) {
        mesos__v1__framework_info__capability__init(&capabilities[i]);
        capabilities[i].has_type = 1;
        list[i] = &capabilities[i];
    }
    capabilities[info.n_capabilities++].type =
        MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE;
    if (!wishes->old_format)
        capabilities[info.n_capabilities++].type =
            MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__RESERVATION_REFINEMENT;
    if (!wishes->not_partition_aware)
        capabilities[info.n_capabilities++].type =
            MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE;
    if (wishes->killing_state)
        capabilities[info.n_capabilities++].type =
            MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__TASK_KILLING_STATE;
    info.capabilities = list;
    info.user = (char *)"root";
    info.name = (char *)"test";
    roles[0] = (char *)(wishes->role ? wishes->role : "web");
    info.roles = roles;
    info.n_roles = 1;
    if (wishes->filters) {
        entry.key = roles[0];
        entry.value = wishes->filters;
        info.offer_filters = entries;
        info.n_offer_filters = 1;
    }
    subscribe.offer_constraints = wishes->constraints;
    info.has_failover_timeout = 1;
    info.failover_timeout = wishes->failover_timeout;
    info.has_checkpoint = 1;
    info.checkpoint = wishes->checkpoint;
    if (wishes->id) {
        id.value = (char *)wishes->id;
        info.id = &id;
        snprintf(scheduler->id, sizeof scheduler->id, "%s", wishes->id);
    }
    subscribe.framework_info = &info;
    call.type = MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
    call.subscribe = &subscribe;
    scheduler_call(scheduler, &call);
    event = scheduler_next(scheduler, MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED);
    if (event)
        snprintf(scheduler->id, sizeof scheduler->id, "%s", event->subscribed->framework_id->value);
}

void scheduler_disconnect(struct scheduler *scheduler)
{
    sim_connection_closed(scheduler->world->sim, scheduler->connection);
    scheduler->stream = 0;
}

void scheduler_acknowledge(struct scheduler *scheduler, const status_t *status)
{
    call_t call = MESOS__V1__SCHEDULER__CALL__INIT;
    Mesos__V1__Scheduler__Call__Acknowledge acknowledge =
        MESOS__V1__SCHEDULER__CALL__ACKNOWLEDGE__INIT;

    acknowledge.agent_id = status->agent_id;
    acknowledge.task_id = status->task_id;
    acknowledge.uuid = status->uuid;
    call.type = MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE;
    call.acknowledge = &acknowledge;
    scheduler_call(scheduler, &call);
    ck_assert_int_eq(scheduler->status, 202);
}

void scheduler_decline(struct scheduler *scheduler, const Mesos__V1__Offer *offer,
                       double refuse_seconds)
{
    call_t call = MESOS__V1__SCHEDULER__CALL__INIT;
    Mesos__V1__Scheduler__Call__Decline decline = MESOS__V1__SCHEDULER__CALL__DECLINE__INIT;
    Mesos__V1__Filters filters = MESOS__V1__FILTERS__INIT;
    Mesos__V1__OfferID *ids[] = {offer->id};

    decline.n_offer_ids = 1;
    decline.offer_ids = ids;
    if (refuse_seconds >= 0) {
        filters.has_refuse_seconds = 1;
        filters.refuse_seconds = refuse_seconds;
        decline.filters = &filters;
    }
    call.type = MESOS__V1__SCHEDULER__CALL__TYPE__DECLINE;
    call.decline = &decline;
    scheduler_call(scheduler, &call);
}

void scheduler_launch(struct scheduler *scheduler, const Mesos__V1__Offer *offer,
                      Mesos__V1__TaskInfo *const *tasks, size_t n)
{
    call_t call = MESOS__V1__SCHEDULER__CALL__INIT;
    Mesos__V1__Scheduler__Call__Accept accept = MESOS__V1__SCHEDULER__CALL__ACCEPT__INIT;
    Mesos__V1__Offer__Operation operation = MESOS__V1__OFFER__OPERATION__INIT,
                                *operations[] = {&operation};
    Mesos__V1__Offer__Operation__Launch launch = MESOS__V1__OFFER__OPERATION__LAUNCH__INIT;
    Mesos__V1__OfferID *ids[] = {offer->id};

    launch.n_task_infos = n;
    launch.task_infos = (Mesos__V1__TaskInfo **)tasks;
    operation.has_type = 1;
    operation.type = MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH;
    operation.launch = &launch;
    accept.n_offer_ids = 1;
    accept.offer_ids = ids;
    accept.n_operations = 1;
    accept.operations = operations;
    call.type = MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT;
    call.accept = &accept;
    scheduler_call(scheduler, &call);
}

void scheduler_kill(struct scheduler *scheduler, const char *task, const char *agent)
{
    call_t call = MESOS__V1__SCHEDULER__CALL__INIT;
    Mesos__V1__Scheduler__Call__Kill kill = MESOS__V1__SCHEDULER__CALL__KILL__INIT;
    Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;

    task_id.value = (char *)task;
    agent_id.value = (char *)agent;
    kill.task_id = &task_id;
    kill.agent_id = agent ? &agent_id : NULL;
    call.type = MESOS__V1__SCHEDULER__CALL__TYPE__KILL;
    call.kill = &kill;
    scheduler_call(scheduler, &call);
}

void scheduler_reconcile(struct scheduler *scheduler, const char *task, const char *agent)
{
    call_t call = MESOS__V1__SCHEDULER__CALL__INIT;
    Mesos__V1__Scheduler__Call__Reconcile reconcile = MESOS__V1__SCHEDULER__CALL__RECONCILE__INIT;
    Mesos__V1__Scheduler__Call__Reconcile__Task one =
        MESOS__V1__SCHEDULER__CALL__RECONCILE__TASK__INIT;
    Mesos__V1__Scheduler__Call__Reconcile__Task *list[] = {&one};
    Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;

    task_id.value = (char *)task;
    agent_id.value = (char *)agent;
    one.task_id = &task_id;
    one.agent_id = agent ? &agent_id : NULL;
    reconcile.n_tasks = task ? 1 : 0;
    reconcile.tasks = list;
    call.type = MESOS__V1__SCHEDULER__CALL__TYPE__RECONCILE;
    call.reconcile = &reconcile;
    scheduler_call(scheduler, &call);
    ck_assert_int_eq(scheduler->status, 202);
}

/* ---- schedulers: events ---- */

static const struct seen *next_seen(struct scheduler *scheduler,
                                    Mesos__V1__Scheduler__Event__Type type)
{
    struct world *world = scheduler->world;

    for (size_t i = scheduler->place; i < world->n_seen; i++) {
        const struct seen *seen = &world->seen[i];

        if (seen->kind == SIM_OUT_RECORD && seen->stream == scheduler->stream && seen->event &&
            seen->event->type == type) {
            scheduler->place = i + 1;
            return seen;
        }
    }
    return NULL;
}

const event_t *scheduler_next(struct scheduler *scheduler, Mesos__V1__Scheduler__Event__Type type)
{
    const struct seen *seen = next_seen(scheduler, type);

    return seen ? seen->event : NULL;
}

/* The clock stands still at the moment in which it came. */
static const struct seen *wait_seen(struct scheduler *scheduler,
                                    Mesos__V1__Scheduler__Event__Type type, int64_t within_ms)
{
    struct sim *sim = scheduler->world->sim;
    int64_t end = sim_now(sim) + within_ms;
    const struct seen *seen;

    world_pump(scheduler->world);
    while (!(seen = next_seen(scheduler, type)) && sim_deadline(sim) <= end) {
        sim_advance(sim, sim_deadline(sim));
        world_pump(scheduler->world);
    }
    return seen;
}

const event_t *scheduler_expect(struct scheduler *scheduler, Mesos__V1__Scheduler__Event__Type type,
                                int64_t within_ms, int64_t *at)
{
    const struct seen *seen = wait_seen(scheduler, type, within_ms);

    ck_assert_msg(seen != NULL, "no event of type %d within %lld ms", (int)type,
                  (long long)within_ms);
    if (at)
        *at = seen->at;
    return seen->event;
}

void scheduler_expect_none(struct scheduler *scheduler, Mesos__V1__Scheduler__Event__Type type,
                           int64_t ms)
{
    world_run(scheduler->world, ms);
    ck_assert_msg(!next_seen(scheduler, type), "an event of type %d that was not expected",
                  (int)type);
}

const status_t *scheduler_status(struct scheduler *scheduler, const char *task, int64_t within_ms)
{
    for (;;) {
        const status_t *status =
            scheduler_expect(scheduler, MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE, within_ms, NULL)
                ->update->status;

        if (strcmp(status->task_id->value, task))
            continue;
        if (status->has_uuid && !scheduler->keep_quiet)
            scheduler_acknowledge(scheduler, status);
        return status;
    }
}

const Mesos__V1__Offer *scheduler_offer(struct scheduler *scheduler, int64_t within_ms)
{
    return scheduler_expect(scheduler, MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS, within_ms, NULL)
        ->offers->offers[0];
}

/* ---- tasks ---- */

static Mesos__V1__Resource *scalar_make(const char *name, double value)
{
    Mesos__V1__Resource *resource = malloc(sizeof *resource);

    mesos__v1__resource__init(resource);
    resource->name = strdup(name);
    resource->type = MESOS__V1__VALUE__TYPE__SCALAR;
    resource->scalar = malloc(sizeof *resource->scalar);
    mesos__v1__value__scalar__init(resource->scalar);
    resource->scalar->value = value;
    return resource;
}

static Mesos__V1__TaskInfo *bare_task(const char *id, const Mesos__V1__Offer *offer)
{
    Mesos__V1__TaskInfo *task = malloc(sizeof *task);

    mesos__v1__task_info__init(task);
    task->name = strdup("name");
    task->task_id = malloc(sizeof *task->task_id);
    mesos__v1__task_id__init(task->task_id);
    task->task_id->value = strdup(id);
    task->agent_id = malloc(sizeof *task->agent_id);
    mesos__v1__agent_id__init(task->agent_id);
    task->agent_id->value = strdup(offer->agent_id->value);
    task->n_resources = 2;
    task->resources = malloc(2 * sizeof *task->resources);
    task->resources[0] = scalar_make("cpus", 1);
    task->resources[1] = scalar_make("mem", 128);
    return task;
}

static Mesos__V1__CommandInfo *command_make(const char *value)
{
    Mesos__V1__CommandInfo *command = malloc(sizeof *command);

    mesos__v1__command_info__init(command);
    if (value)
        command->value = strdup(value);
    command->has_shell = 1;
    command->shell = value != NULL;
    return command;
}

Mesos__V1__TaskInfo *task_make_command(const char *id, const Mesos__V1__Offer *offer,
                                       const char *value)
{
    Mesos__V1__TaskInfo *task = bare_task(id, offer);

    task->command = command_make(value);
    return task;
}

Mesos__V1__TaskInfo *task_make(const char *id, const Mesos__V1__Offer *offer)
{
    Mesos__V1__TaskInfo *task = task_make_command(id, offer, NULL);

    task->container = malloc(sizeof *task->container);
    mesos__v1__container_info__init(task->container);
    task->container->type = MESOS__V1__CONTAINER_INFO__TYPE__DOCKER;
    task->container->docker = malloc(sizeof *task->container->docker);
    mesos__v1__container_info__docker_info__init(task->container->docker);
    task->container->docker->image = strdup("registry/image:1");
    return task;
}

Mesos__V1__TaskInfo *task_make_executor(const char *id, const Mesos__V1__Offer *offer,
                                        const char *executor)
{
    Mesos__V1__TaskInfo *task = bare_task(id, offer);

    task->executor = malloc(sizeof *task->executor);
    mesos__v1__executor_info__init(task->executor);
    task->executor->executor_id = malloc(sizeof *task->executor->executor_id);
    mesos__v1__executor_id__init(task->executor->executor_id);
    task->executor->executor_id->value = strdup(executor);
    task->executor->command = command_make("run the executor");
    task->executor->n_resources = 1;
    task->executor->resources = malloc(sizeof *task->executor->resources);
    task->executor->resources[0] = scalar_make("cpus", 0.1);
    return task;
}

void task_free(Mesos__V1__TaskInfo *task)
{
    mesos__v1__task_info__free_unpacked(task, NULL);
}

const char *scheduler_run_task(struct scheduler *scheduler, const char *id)
{
    static char agent[128];
    const Mesos__V1__Offer *offer = scheduler_offer(scheduler, 10000);
    Mesos__V1__TaskInfo *task = task_make(id, offer);

    snprintf(agent, sizeof agent, "%s", offer->agent_id->value);
    scheduler_launch(scheduler, offer, &task, 1);
    task_free(task);
    ck_assert_int_eq(scheduler_status(scheduler, id, 1000)->state,
                     MESOS__V1__TASK_STATE__TASK_STARTING);
    ck_assert_int_eq(scheduler_status(scheduler, id, 1000)->state,
                     MESOS__V1__TASK_STATE__TASK_RUNNING);
    return agent;
}

/* ---- executors ---- */

int executor_send(struct world *world, size_t agent, executor_call_t *call, const char *framework,
                  const char *executor, char *body, uint64_t *stream)
{
    struct sim_pair headers[] = {{"Content-Type", "application/x-protobuf"},
                                 {"Accept", "application/x-protobuf"}};
    Mesos__V1__FrameworkID framework_id = MESOS__V1__FRAMEWORK_ID__INIT;
    Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
    struct sim_request request = {
        .connection = ++world->last_connection,
        .target = (int)agent,
        .method = "POST",
        .path = "/slave(1)/api/v1/executor",
        .headers = headers,
        .n_headers = 2,
    };
    struct sim_response response;
    uint8_t *packed;
    int status;

    framework_id.value = (char *)framework;
    executor_id.value = (char *)executor;
    call->framework_id = &framework_id;
    call->executor_id = &executor_id;
    call->has_type = 1;
    request.body_len = mesos__v1__executor__call__get_packed_size(call);
    request.body = packed = malloc(request.body_len);
    mesos__v1__executor__call__pack(call, packed);
    world_pump(world);
    sim_request(world->sim, &request, &response);
    free(packed);
    status = response.kind == SIM_HANG_UP ? 0 : response.status;
    if (body)
        snprintf(body, 4096, "%s", response.body ? response.body : "");
    if (stream)
        *stream = response.stream;
    sim_response_deinit(&response);
    world_pump(world);
    return status;
}

const executor_event_t *executor_next(struct world *world, uint64_t stream, size_t *place)
{
    const struct seen *seen;

    while ((seen = world_next(world, place, SIM_OUT_RECORD)))
        if (seen->told && seen->stream == stream)
            return seen->told;
    return NULL;
}

int executor_update(struct world *world, size_t agent, const char *framework, const char *executor,
                    const char *task, Mesos__V1__TaskState state, uint8_t uuid_byte)
{
    executor_call_t call = MESOS__V1__EXECUTOR__CALL__INIT;
    Mesos__V1__Executor__Call__Update update = MESOS__V1__EXECUTOR__CALL__UPDATE__INIT;
    status_t status = MESOS__V1__TASK_STATUS__INIT;
    Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
    uint8_t uuid[16] = {0};

    uuid[0] = uuid_byte;
    uuid[6] = 0x40;
    id.value = (char *)task;
    status.task_id = &id;
    status.state = state;
    status.has_source = 1;
    status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR;
    status.has_uuid = 1;
    status.uuid.data = uuid;
    status.uuid.len = 16;
    update.status = &status;
    call.type = MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE;
    call.update = &update;
    return executor_send(world, agent, &call, framework, executor, NULL, NULL);
}
