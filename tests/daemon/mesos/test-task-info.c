/*
 * A launch through the wire and back: every field of its TaskInfo.
 */
#include <errno.h>
#include <string.h>

#include "mesos/convert.h"
#include "recorded.h"
#include "run.h"

static struct arena arena;
static struct offers kept;
static char offer_id[128];
static Mesos__V1__Offer *offered;

/* The first offer of the recording: cpus 1 and mem 512 reserved for db, cpus 3, mem 3584, ports. A
 * field that this program does not know (200) is added to its first resource. */
static void setup(void)
{
    Mesos__V1__Scheduler__Event *events[64];
    static ProtobufCMessageUnknownField unknown = {
        .tag = 200, .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, .len = 4};
    static uint8_t bytes[] = {3, 'n', 'e', 'w'};
    arena_init(&arena);
    offers_init(&kept);
    size_t n = recorded_events("offers.recordio", &arena, events, 64);
    for (size_t i = 0; i < n; i++)
        if (events[i]->offers != NULL)
            offered = events[i]->offers->offers[0];
    unknown.data = bytes;
    offered->resources[0]->base.unknown_fields = &unknown;
    offered->resources[0]->base.n_unknown_fields = 1;
    snprintf(offer_id, sizeof offer_id, "%s", offered->id->value);
    ck_assert_int_eq(offers_keep(&kept, offered), 0);
}

static void teardown(void)
{
    offers_deinit(&kept);
    arena_deinit(&arena);
}

static const struct qm_variable environment[] = {
    {"QUOBYTE_SERVICE", "registry"},
    {"QUOBYTE_EXTRA_SERVICE_CONFIG", "a=$(reboot); 'b' \"c\"\n#"},
};
static const struct qm_volume volumes[] = {
    {"/devices", "/mnt", false, true},
    {"/etc/keys", "/etc/quobyte keys", true, true},
    {"/var/log", "/var/log/quobyte", false, false},
    {"/run", "/run/x", true, false},
    {"/srv", "/srv", .rshared = true},
};
static const struct qm_port_spec specs[] = {
    {"rpc", "QUOBYTE_RPC_PORT", QM_PORT_RPC, 21200},
    {"http", "QUOBYTE_HTTP_PORT", QM_PORT_HTTP, 0},
    {"api", NULL, QM_PORT_HTTP, 21202},
};
static const struct qm_task_port ports[] = {
    {&specs[0], 21200}, {&specs[1], 21299}, {&specs[2], 21202}};
static const struct qm_range ranges[] = {{21200, 21200}, {21299, 21299}, {21202, 21202}};
static const struct qm_resource_use uses[] = {
    {.resource = 0, .kind = QM_RESOURCE_CPUS, .amount = 1000},
    {.resource = 5, .kind = QM_RESOURCE_CPUS, .amount = 250},
    {.resource = 6, .kind = QM_RESOURCE_MEM, .amount = 2084},
    {.resource = 7, .kind = QM_RESOURCE_DISK, .amount = 32},
    {.resource = 2, .kind = QM_RESOURCE_PORTS, .ranges = ranges, .n_ranges = 3},
};
static const struct qm_task_template docker = {
    .service = "registry",
    .version = "1.1.5",
    .containerizer = QM_CONTAINERIZER_DOCKER,
    .image = "quobyte/quobyte-server:1.1.5",
    .command = "",
    .uri = "",
    .user = "",
    .environment = environment,
    .n_environment = 2,
    .volumes = volumes,
    .n_volumes = 5,
    .privileged = true,
    .health = {.enabled = true,
               .path = "/",
               .delay = 0,
               .interval = 5000,
               .timeout = 20000,
               .grace = 900000,
               .failures = 30},
    .kill_grace = 60000,
    .deployment = "default",
};

static struct qm_task_launch launch_of(const struct qm_task_template *t)
{
    return (struct qm_task_launch){
        .template_ = t,
        .task_id = "registry.node-1.3-7",
        .executor_id = t->is_executor ? "prober.node-1.3-7" : "",
        .hostname = "node-1",
        .ports = ports,
        .n_ports = t->is_executor ? 0 : 3,
        .uses = uses,
        .n_uses = 5,
    };
}

static int accept_with(const struct qm_task_launch *task, const char *offer,
                       Mesos__V1__Scheduler__Call **call)
{
    const char *ids[] = {offer};
    uint8_t request[] = {8, 1};
    struct convert_context context = {.arena = &arena, .framework_id = "F1", .offers = &kept};
    struct convert_call packed;
    struct qm_action action = {.type = QM_ACTION_LAUNCH};
    context.probe_request = (ProtobufCBinaryData){sizeof request, request};
    action.launch = (struct qm_launch){"A1", ids, 1, task, 1, 5000};
    int rc = convert_action(&context, &action, &packed);
    if (rc == 0)
        *call = mesos__v1__scheduler__call__unpack(arena_allocator(&arena), packed.length,
                                                   packed.bytes);
    return rc;
}

static Mesos__V1__TaskInfo *through_the_wire(const struct qm_task_launch *task)
{
    Mesos__V1__Scheduler__Call *call = NULL;
    ck_assert_int_eq(accept_with(task, offer_id, &call), 0);
    ck_assert_ptr_nonnull(call);
    ck_assert_int_eq(call->type, MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT);
    ck_assert_uint_eq(call->accept->n_offer_ids, 1);
    ck_assert_str_eq(call->accept->offer_ids[0]->value, offer_id);
    ck_assert_double_eq(call->accept->filters->refuse_seconds, 5);
    ck_assert_uint_eq(call->accept->n_operations, 1);
    ck_assert(call->accept->operations[0]->has_type);
    ck_assert_int_eq(call->accept->operations[0]->type, MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH);
    ck_assert_ptr_null(call->accept->operations[0]->id);
    ck_assert_uint_eq(call->accept->operations[0]->launch->n_task_infos, 1);
    return call->accept->operations[0]->launch->task_infos[0];
}

static const char *variable(const Mesos__V1__CommandInfo *c, const char *name)
{
    for (size_t i = 0; i < c->environment->n_variables; i++)
        if (strcmp(c->environment->variables[i]->name, name) == 0)
            return c->environment->variables[i]->value;
    return NULL;
}

static const char *label(const Mesos__V1__Labels *labels, const char *key)
{
    for (size_t i = 0; i < labels->n_labels; i++)
        if (strcmp(labels->labels[i]->key, key) == 0)
            return labels->labels[i]->value;
    return NULL;
}

START_TEST(ids_labels_and_kill_grace)
{
    struct qm_task_launch launch = launch_of(&docker);
    const Mesos__V1__TaskInfo *t = through_the_wire(&launch);
    ck_assert_str_eq(t->name, "registry");
    ck_assert_str_eq(t->task_id->value, "registry.node-1.3-7");
    ck_assert_str_eq(t->agent_id->value, "A1");
    ck_assert_ptr_null(t->executor);
    ck_assert(!t->has_data);
    ck_assert_uint_eq(t->labels->n_labels, 4);
    ck_assert_str_eq(label(t->labels, "quobyte.deployment"), "default");
    ck_assert_str_eq(label(t->labels, "quobyte.service"), "registry");
    ck_assert_str_eq(label(t->labels, "quobyte.version"), "1.1.5");
    ck_assert_str_eq(label(t->labels, "quobyte.host"), "node-1");
    ck_assert_int_eq(t->kill_policy->grace_period->nanoseconds, 60000000000);
}
END_TEST

START_TEST(resources_are_the_offered_ones_reduced)
{
    struct qm_task_launch launch = launch_of(&docker);
    const Mesos__V1__TaskInfo *t = through_the_wire(&launch);
    ck_assert_uint_eq(t->n_resources, 5);
    const Mesos__V1__Resource *r = t->resources[0];
    ck_assert_str_eq(r->name, "cpus");
    ck_assert_double_eq(r->scalar->value, 1);
    ck_assert_str_eq(r->allocation_info->role, "db");
    ck_assert_uint_eq(r->n_reservations, 1);
    ck_assert_str_eq(r->reservations[0]->role, "db");
    ck_assert_int_eq(r->reservations[0]->type, MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__STATIC);
    ck_assert_uint_eq(r->base.n_unknown_fields, 1);
    ck_assert_uint_eq(r->base.unknown_fields[0].tag, 200);
    r = t->resources[1];
    ck_assert_double_eq(r->scalar->value, 0.25);
    ck_assert_uint_eq(r->n_reservations, 0);
    ck_assert_double_eq(t->resources[2]->scalar->value, 2084);
    ck_assert_double_eq(t->resources[3]->scalar->value, 32);
    r = t->resources[4];
    ck_assert_uint_eq(r->ranges->n_range, 3);
    ck_assert_uint_eq(r->ranges->range[1]->begin, 21299);
    ck_assert_uint_eq(r->ranges->range[1]->end, 21299);
}
END_TEST

START_TEST(a_container_of_docker)
{
    struct qm_task_launch launch = launch_of(&docker);
    const Mesos__V1__TaskInfo *t = through_the_wire(&launch);
    const Mesos__V1__ContainerInfo *c = t->container;
    ck_assert_int_eq(c->type, MESOS__V1__CONTAINER_INFO__TYPE__DOCKER);
    ck_assert_str_eq(c->docker->image, "quobyte/quobyte-server:1.1.5");
    ck_assert_int_eq(c->docker->network, MESOS__V1__CONTAINER_INFO__DOCKER_INFO__NETWORK__HOST);
    ck_assert(c->docker->has_privileged && c->docker->privileged);
    ck_assert_uint_eq(c->docker->n_parameters, 3);
    ck_assert_str_eq(c->docker->parameters[0]->key, "volume");
    ck_assert_str_eq(c->docker->parameters[0]->value, "/mnt:/devices:rslave");
    ck_assert_str_eq(c->docker->parameters[1]->value, "/etc/quobyte keys:/etc/keys:ro,rslave");
    ck_assert_str_eq(c->docker->parameters[2]->value, "/srv:/srv:rshared");
    ck_assert_uint_eq(c->n_volumes, 2);
    ck_assert_str_eq(c->volumes[0]->container_path, "/var/log");
    ck_assert_str_eq(c->volumes[0]->host_path, "/var/log/quobyte");
    ck_assert_int_eq(c->volumes[0]->mode, MESOS__V1__VOLUME__MODE__RW);
    ck_assert_int_eq(c->volumes[1]->mode, MESOS__V1__VOLUME__MODE__RO);
    ck_assert(t->command->has_shell && !t->command->shell); /* the image's entry point */
    ck_assert_ptr_null(t->command->value);
    ck_assert_ptr_null(t->command->user);
}
END_TEST

START_TEST(the_environment_is_data)
{
    struct qm_task_launch launch = launch_of(&docker);
    const Mesos__V1__CommandInfo *c = through_the_wire(&launch)->command;
    ck_assert_uint_eq(c->environment->n_variables, 4);
    ck_assert_str_eq(variable(c, "QUOBYTE_SERVICE"), "registry");
    ck_assert_str_eq(variable(c, "QUOBYTE_EXTRA_SERVICE_CONFIG"), environment[1].value);
    ck_assert_str_eq(variable(c, "QUOBYTE_RPC_PORT"), "21200");
    ck_assert_str_eq(variable(c, "QUOBYTE_HTTP_PORT"), "21299");
}
END_TEST

START_TEST(discovery_has_rpc_twice_and_pages_as_http)
{
    static const struct {
        unsigned number;
        const char *name, *protocol;
    } wanted[] = {{21200, "rpc", "tcp"},
                  {21200, "rpc", "udp"},
                  {21299, "http", "http"},
                  {21202, "api", "http"}};
    struct qm_task_launch launch = launch_of(&docker);
    const Mesos__V1__DiscoveryInfo *d = through_the_wire(&launch)->discovery;
    ck_assert_str_eq(d->name, "registry");
    ck_assert_int_eq(d->visibility, MESOS__V1__DISCOVERY_INFO__VISIBILITY__CLUSTER);
    ck_assert_uint_eq(d->ports->n_ports, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(d->ports->ports[i]->number, wanted[i].number);
        ck_assert_str_eq(d->ports->ports[i]->name, wanted[i].name);
        ck_assert_str_eq(d->ports->ports[i]->protocol, wanted[i].protocol);
    }
}
END_TEST

START_TEST(health_is_asked_on_the_port_named_http)
{
    struct qm_task_launch launch = launch_of(&docker);
    const Mesos__V1__HealthCheck *h = through_the_wire(&launch)->health_check;
    ck_assert(h->has_type);
    ck_assert_int_eq(h->type, MESOS__V1__HEALTH_CHECK__TYPE__HTTP);
    ck_assert_uint_eq(h->http->port, 21299);
    ck_assert_str_eq(h->http->path, "/");
    ck_assert_str_eq(h->http->scheme, "http");
    ck_assert_double_eq(h->delay_seconds, 0);
    ck_assert_double_eq(h->interval_seconds, 5);
    ck_assert_double_eq(h->timeout_seconds, 20);
    ck_assert_double_eq(h->grace_period_seconds, 900);
    ck_assert_uint_eq(h->consecutive_failures, 30);

    launch.n_ports = 1; /* rpc alone */
    ck_assert_ptr_null(through_the_wire(&launch)->health_check);
    struct qm_task_template unchecked = docker;
    unchecked.health.enabled = false;
    launch = launch_of(&unchecked);
    ck_assert_ptr_null(through_the_wire(&launch)->health_check);
}
END_TEST

START_TEST(a_command_of_the_host)
{
    struct qm_task_template command = docker;
    command.containerizer = QM_CONTAINERIZER_NONE;
    command.command = "/usr/bin/quobyte-registry --foreground";
    command.user = "quobyte";
    struct qm_task_launch launch = launch_of(&command);
    const Mesos__V1__TaskInfo *t = through_the_wire(&launch);
    ck_assert_ptr_null(t->container);
    ck_assert(t->command->shell);
    ck_assert_str_eq(t->command->value, "/usr/bin/quobyte-registry --foreground");
    ck_assert_str_eq(t->command->user, "quobyte");
    ck_assert_str_eq(variable(t->command, "QUOBYTE_RPC_PORT"), "21200");
}
END_TEST

static struct qm_task_template prober_template(void)
{
    struct qm_task_template t = {
        .service = "prober",
        .version = "",
        .containerizer = QM_CONTAINERIZER_NONE,
        .is_executor = true,
        .image = "",
        .command = "",
        .uri = "http://10.0.0.1:7888/v1/prober?build=1",
        .user = "root",
        .environment = environment,
        .n_environment = 1,
        .kill_grace = 5000,
        .deployment = "default",
    };
    return t;
}

START_TEST(the_prober_is_a_custom_executor)
{
    struct qm_task_template t = prober_template();
    struct qm_task_launch launch = launch_of(&t);
    const Mesos__V1__TaskInfo *task = through_the_wire(&launch);
    const Mesos__V1__ExecutorInfo *e = task->executor;
    ck_assert_ptr_nonnull(e);
    ck_assert_ptr_null(task->command);
    ck_assert_ptr_null(task->discovery);
    ck_assert_ptr_null(task->health_check);
    ck_assert_mem_eq(task->data.data, "\x08\x01", 2);
    ck_assert_str_eq(e->executor_id->value, "prober.node-1.3-7");
    ck_assert_str_eq(e->framework_id->value, "F1");
    ck_assert_int_eq(e->type, MESOS__V1__EXECUTOR_INFO__TYPE__CUSTOM);
    ck_assert_str_eq(e->name, "prober");
    ck_assert_int_eq(e->shutdown_grace_period->nanoseconds, 5000000000);
    ck_assert_uint_eq(e->command->n_uris, 1);
    ck_assert_str_eq(e->command->uris[0]->value, t.uri);
    ck_assert(e->command->uris[0]->executable);
    ck_assert(e->command->uris[0]->has_extract && !e->command->uris[0]->extract);
    ck_assert_str_eq(e->command->value, "./prober");
    ck_assert_str_eq(e->command->user, "root");
    ck_assert_str_eq(variable(e->command, "QUOBYTE_SERVICE"), "registry");
    ck_assert_str_eq(label(e->labels, "quobyte.service"), "prober");
    ck_assert_ptr_null(label(e->labels, "quobyte.version"));
}
END_TEST

/* Executor and task together take what the launch says, and each has Mesos' least. */
START_TEST(the_prober_shares_its_resources)
{
    double cpus = 0, mem = 0;
    struct qm_task_template t = prober_template();
    struct qm_task_launch launch = launch_of(&t);
    const Mesos__V1__TaskInfo *task = through_the_wire(&launch);
    ck_assert_uint_eq(task->executor->n_resources, 2);
    for (size_t i = 0; i < 2; i++) {
        const Mesos__V1__Resource *r = task->executor->resources[i];
        *(strcmp(r->name, "cpus") == 0 ? &cpus : &mem) += r->scalar->value;
    }
    ck_assert_double_eq(cpus, 0.01);
    ck_assert_double_eq(mem, 32);
    for (size_t i = 0; i < task->n_resources; i++) {
        const Mesos__V1__Resource *r = task->resources[i];
        if (strcmp(r->name, "cpus") == 0)
            cpus += r->scalar->value;
        else if (strcmp(r->name, "mem") == 0)
            mem += r->scalar->value;
    }
    ck_assert_double_eq_tol(cpus, 1.25, 1e-9);
    ck_assert_double_eq(mem, 2084);
}
END_TEST

START_TEST(an_archive_is_unpacked_and_a_command_wins)
{
    struct qm_task_template t = prober_template();
    t.uri = "hdfs://x/prober.tar.gz";
    t.command = "bin/quobyte-mesos-prober";
    struct qm_task_launch launch = launch_of(&t);
    const Mesos__V1__CommandInfo *c = through_the_wire(&launch)->executor->command;
    ck_assert(!c->uris[0]->executable);
    ck_assert(c->uris[0]->extract);
    ck_assert_str_eq(c->value, "bin/quobyte-mesos-prober");
}
END_TEST

START_TEST(the_prober_in_an_image)
{
    static const struct qm_volume root[] = {{"/host", "/", true, true}};
    struct qm_task_template t = prober_template();
    t.containerizer = QM_CONTAINERIZER_DOCKER;
    t.uri = "";
    t.image = "quobyte/quobyte-mesos:latest";
    t.volumes = root;
    t.n_volumes = 1;
    struct qm_task_launch launch = launch_of(&t);
    const Mesos__V1__TaskInfo *task = through_the_wire(&launch);
    ck_assert_ptr_null(task->container);
    const Mesos__V1__ContainerInfo__DockerInfo *d = task->executor->container->docker;
    ck_assert_str_eq(d->image, "quobyte/quobyte-mesos:latest");
    ck_assert_str_eq(d->parameters[0]->value, "/:/host:ro,rslave");
    ck_assert(!task->executor->command->shell);
}
END_TEST

static const struct qm_range backwards = {21205, 21200}, outside = {21199, 21200},
                             beyond = {21290, 21300};
static const struct qm_resource_use bad_uses[] = {
    {.resource = 99, .kind = QM_RESOURCE_CPUS, .amount = 1},
    {.offer = 1, .kind = QM_RESOURCE_CPUS, .amount = 1},
    {.resource = 0, .kind = QM_RESOURCE_CPUS, .amount = 1001},
    {.resource = 6, .kind = QM_RESOURCE_MEM, .amount = 3585},
    {.resource = 2, .kind = QM_RESOURCE_MEM, .amount = 1}, /* ports */
    {.resource = 4, .kind = QM_RESOURCE_PORTS},            /* a set */
    {.resource = 2, .kind = QM_RESOURCE_PORTS},            /* none */
    {.resource = 2, .kind = QM_RESOURCE_PORTS, .ranges = &backwards, .n_ranges = 1},
    {.resource = 2, .kind = QM_RESOURCE_PORTS, .ranges = &outside, .n_ranges = 1},
    {.resource = 2, .kind = QM_RESOURCE_PORTS, .ranges = &beyond, .n_ranges = 1},
};

START_TEST(more_than_offered_is_refused)
{
    Mesos__V1__Scheduler__Call *call = NULL;
    struct qm_task_launch launch = launch_of(&docker);
    launch.uses = &bad_uses[_i];
    launch.n_uses = 1;
    ck_assert_int_eq(accept_with(&launch, offer_id, &call), -EINVAL);
}
END_TEST

START_TEST(an_offer_that_is_gone_is_refused)
{
    Mesos__V1__Scheduler__Call *call = NULL;
    struct qm_task_launch launch = launch_of(&docker);
    offers_drop(&kept, offer_id);
    ck_assert_int_eq(accept_with(&launch, offer_id, &call), -ENOENT);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("task-info");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, ids_labels_and_kill_grace);
    tcase_add_test(t, resources_are_the_offered_ones_reduced);
    tcase_add_test(t, a_container_of_docker);
    tcase_add_test(t, the_environment_is_data);
    tcase_add_test(t, discovery_has_rpc_twice_and_pages_as_http);
    tcase_add_test(t, health_is_asked_on_the_port_named_http);
    tcase_add_test(t, a_command_of_the_host);
    tcase_add_test(t, the_prober_is_a_custom_executor);
    tcase_add_test(t, the_prober_shares_its_resources);
    tcase_add_test(t, an_archive_is_unpacked_and_a_command_wins);
    tcase_add_test(t, the_prober_in_an_image);
    tcase_add_loop_test(t, more_than_offered_is_refused, 0, sizeof bad_uses / sizeof bad_uses[0]);
    tcase_add_test(t, an_offer_that_is_gone_is_refused);
    return run_case("task-info", t);
}
