/* From configuration to policy: services, ports, environment, templates, orders. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy.h"
#include "unit.h"

/* A policy from keys and values; ends with NULL. */
static struct qm_policy *policy_new(const char *const *set)
{
    struct qm_config *config;
    struct qm_policy *policy = NULL;
    struct qm_error error = {0};

    ck_assert_int_eq(qm_config_new(&config, NULL, 0, NULL), 0);
    ck_assert_int_eq(qm_config_set(config, "docker_image", "quobyte/server", NULL), 0);
    for (size_t i = 0; set && set[i]; i += 2)
        ck_assert_msg(qm_config_set(config, set[i], set[i + 1], &error) == 0, "%s: %s", set[i],
                      error.message);
    ck_assert_msg(qm_policy_new(&policy, config, NULL, &error) == 0, "%s: %s", error.key,
                  error.message);
    qm_config_free(config); /* a policy needs none */
    return policy;
}

#define POLICY(...) policy_new((const char *const[]){__VA_ARGS__, NULL})

static const char *variable(const struct qm_task_template *t, const char *name)
{
    for (size_t i = 0; i < t->n_environment; i++)
        if (strcmp(t->environment[i].name, name) == 0)
            return t->environment[i].value;
    return "(unset)";
}

static const struct qm_task_template *template_of(struct qm_policy *policy, const char *service,
                                                  const char *version)
{
    size_t index = qm_policy_find_service(policy, service);

    ck_assert_uint_ne(index, SIZE_MAX);
    return qm_policy_template(policy, index, version);
}

START_TEST(built_in_services)
{
    static const struct {
        const char *name;
        enum qm_service_binding binding;
        enum qm_device_type device;
        bool enabled, privileged;
        size_t n_ports, n_volumes;
        uint32_t ports[QM_PORTS_MAX];
    } wanted[QM_SERVICES_BUILT_IN] = {
        {"registry", QM_BOUND_TO_DEVICE, QM_DEVICE_REGISTRY, true, true, 2, 1, {21000, 21001}},
        {"metadata", QM_BOUND_TO_DEVICE, QM_DEVICE_METADATA, true, true, 2, 1, {21002, 21003}},
        {"data", QM_BOUND_TO_DEVICE, QM_DEVICE_DATA, true, true, 2, 1, {21004, 21005}},
        {"api", QM_FLOATING, QM_DEVICE_UNTYPED, true, false, 3, 0, {21006, 21007, 8889}},
        {"webconsole", QM_FLOATING, QM_DEVICE_UNTYPED, true, false, 3, 0, {21008, 21009, 8888}},
        {"s3", QM_FLOATING, QM_DEVICE_UNTYPED, false, false, 3, 0, {21010, 21011, 80}},
        {"client", QM_PER_HOST, QM_DEVICE_UNTYPED, false, true, 0, 0, {0}},
        {"prober", QM_PER_HOST, QM_DEVICE_UNTYPED, true, true, 0, 1, {0}},
    };
    struct qm_policy *policy = policy_new(NULL);

    ck_assert_uint_eq(policy->n_services, QM_SERVICES_BUILT_IN);
    for (size_t i = 0; i < QM_SERVICES_BUILT_IN; i++) {
        const struct qm_service_policy *service = &policy->services[i];
        const struct qm_task_template *t =
            qm_policy_template(policy, i, i == QM_SERVICE_PROBER ? "" : "1.1.5");

        ck_assert_str_eq(service->name, wanted[i].name);
        ck_assert_str_eq(t->service, wanted[i].name);
        ck_assert_int_eq(service->binding, wanted[i].binding);
        ck_assert_int_eq(service->device_type, wanted[i].device);
        ck_assert_msg(service->enabled == wanted[i].enabled, "%s", service->name);
        ck_assert_msg(t->privileged == wanted[i].privileged, "%s", service->name);
        ck_assert_uint_eq(service->n_ports, wanted[i].n_ports);
        ck_assert_msg(t->n_volumes == wanted[i].n_volumes, "%s", service->name);
        for (size_t p = 0; p < service->n_ports; p++)
            ck_assert_uint_eq(service->ports[p].number, wanted[i].ports[p]);
        ck_assert_msg(t->is_executor == (i == QM_SERVICE_PROBER), "%s", service->name);
    }
    qm_policy_free(policy);
}
END_TEST

START_TEST(registry_template)
{
    struct qm_policy *policy = policy_new(NULL);
    const struct qm_task_template *t = template_of(policy, "registry", "1.1.5");
    const struct qm_service_policy *service = &policy->services[QM_SERVICE_REGISTRY];

    ck_assert_str_eq(t->image, "quobyte/server:1.1.5");
    ck_assert_str_eq(t->version, "1.1.5");
    ck_assert_str_eq(t->command, "");
    ck_assert_int_eq(t->containerizer, QM_CONTAINERIZER_DOCKER);
    ck_assert_str_eq(t->deployment, "default");
    ck_assert_str_eq(t->volumes[0].host_path, "/mnt");
    ck_assert_str_eq(t->volumes[0].container_path, "/devices");
    ck_assert(t->volumes[0].rslave && !t->volumes[0].read_only);
    ck_assert(t->health.enabled);
    ck_assert_str_eq(t->health.path, "/");
    ck_assert_uint_eq(t->health.grace, 900000);
    ck_assert_uint_eq(t->health.timeout, 20000);
    ck_assert_uint_eq(t->health.interval, 5000);
    ck_assert_uint_eq(t->health.delay, 0);
    ck_assert_uint_eq(t->health.failures, 30);
    ck_assert_str_eq(service->ports[0].name, "rpc");
    ck_assert_str_eq(service->ports[0].variable, "QUOBYTE_RPC_PORT");
    ck_assert_int_eq(service->ports[0].protocol, QM_PORT_RPC);
    ck_assert_str_eq(service->ports[1].name, "http");
    ck_assert_str_eq(service->ports[1].variable, "QUOBYTE_HTTP_PORT");
    ck_assert_int_eq(service->ports[1].protocol, QM_PORT_HTTP);
    ck_assert_str_eq(variable(t, "QUOBYTE_SERVICE"), "registry");
    ck_assert_str_eq(variable(t, "QUOBYTE_REGISTRY"), "_registry._tcp.quobyte.mesos");
    ck_assert_str_eq(variable(t, "QUOBYTE_MAX_MEM_REGISTRY"), "1572m");
    ck_assert_str_eq(variable(t, "QUOBYTE_DEBUG_PORT"), "(unset)");
    ck_assert_str_eq(variable(t, "QUOBYTE_ENABLE_ASSERTIONS"), "(unset)");
    ck_assert_str_eq(variable(t, "QUOBYTE_EXTRA_SERVICE_CONFIG"), "(unset)");
    qm_policy_free(policy);
}
END_TEST

START_TEST(heap_of_every_java_service)
{
    static const char *const wanted[][3] = {
        {"registry", "QUOBYTE_MAX_MEM_REGISTRY", "1572m"},
        {"metadata", "QUOBYTE_MAX_MEM_METADATA", "7168m"},
        {"data", "QUOBYTE_MAX_MEM_DATA", "3072m"},
        {"api", "QUOBYTE_MAX_MEM_API", "384m"},
        {"webconsole", "QUOBYTE_MAX_MEM_WEBCONSOLE", "384m"},
        {"s3", "QUOBYTE_MAX_MEM_S3", "256m"},
        {"nfs-1", "QUOBYTE_MAX_MEM_NFS_1", "(unset)"},
        {"nfs-2", "QUOBYTE_MAX_MEM_NFS_2", "384m"},
        {"client", "QUOBYTE_MAX_MEM_CLIENT", "(unset)"},
    };
    struct qm_policy *policy =
        POLICY("services.nfs-1.binding", "floating", "services.nfs-1.extra_ram_mb", "-1",
               "services.nfs-2.binding", "floating");

    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
        ck_assert_str_eq(variable(template_of(policy, wanted[i][0], "1"), wanted[i][1]),
                         wanted[i][2]);
    qm_policy_free(policy);
}
END_TEST

START_TEST(environment_from_configuration)
{
    struct qm_policy *policy = POLICY(
        "mesos_dns_domain", "example.org", "extra_service_config", "a=b; c $(d)\"",
        "services.data.extra_config", "own=1", "enable_assertions", "true", "service_debug_port",
        "5000", "service_log_level", "DEBUG", "services.api.log_level", "INFO", "s3_hostname",
        "s3.x", "s3_secure_port", "443", "services.data.env", "QUOBYTE_SERVICE=mine,NEW=1,NEW=2");
    const struct qm_task_template *data = template_of(policy, "data", "1");
    const struct qm_task_template *api = template_of(policy, "api", "1");
    const struct qm_service_policy *s3 = &policy->services[QM_SERVICE_S3];

    ck_assert_str_eq(variable(api, "QUOBYTE_REGISTRY"), "_registry._tcp.quobyte.example.org");
    ck_assert_str_eq(variable(api, "QUOBYTE_EXTRA_SERVICE_CONFIG"), "a=b; c $(d)\"");
    ck_assert_str_eq(variable(data, "QUOBYTE_EXTRA_SERVICE_CONFIG"), "own=1");
    ck_assert_str_eq(variable(api, "QUOBYTE_ENABLE_ASSERTIONS"), "true");
    ck_assert_str_eq(variable(api, "QUOBYTE_LOG_LEVEL"), "INFO");
    ck_assert_str_eq(variable(data, "QUOBYTE_LOG_LEVEL"), "DEBUG");
    /* All share their host's network: no two the same debug port. */
    ck_assert_str_eq(variable(data, "QUOBYTE_DEBUG_PORT"), "5002");
    ck_assert_str_eq(variable(api, "QUOBYTE_DEBUG_PORT"), "5003");
    /* What is configured wins, and nothing is said twice. */
    ck_assert_str_eq(variable(data, "QUOBYTE_SERVICE"), "mine");
    ck_assert_str_eq(variable(data, "NEW"), "2");
    for (size_t i = 0; i < data->n_environment; i++)
        for (size_t k = i + 1; k < data->n_environment; k++)
            ck_assert_str_ne(data->environment[i].name, data->environment[k].name);
    ck_assert_str_eq(variable(template_of(policy, "s3", "1"), "QUOBYTE_S3_HOSTNAME"), "s3.x");
    ck_assert_uint_eq(s3->n_ports, 4);
    ck_assert_str_eq(s3->ports[2].variable, "QUOBYTE_S3_PORT");
    ck_assert_str_eq(s3->ports[3].variable, "QUOBYTE_S3_SECURE_PORT");
    ck_assert_uint_eq(s3->ports[3].number, 443);
    ck_assert(s3->enabled);
    qm_policy_free(policy);
}
END_TEST

START_TEST(api_for_the_webconsole)
{
    static const struct {
        const char *set[5];
        const char *api;
    } cases[] = {
        {{NULL}, "api.quobyte.mesos:8889"},
        {{"mesos_dns_domain", "mesos", "api_port", "7860"}, "api.quobyte.mesos:7860"},
        {{"registry_dns_name", "registry.example"}, "(unset)"},
        {{"api_port", "0"}, "(unset)"},
        {{"services.api.enabled", "false"}, "(unset)"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct qm_policy *policy = policy_new(cases[i].set);

        ck_assert_str_eq(variable(template_of(policy, "webconsole", "1"), "QUOBYTE_API"),
                         cases[i].api);
        qm_policy_free(policy);
    }
}
END_TEST

START_TEST(client)
{
    struct qm_policy *policy =
        POLICY("client_mount_point", "/srv/quobyte", "client_image", "quobyte/client",
               "client_options", "-o x", "services.client.http_port", "55000");
    const struct qm_task_template *t = template_of(policy, "client", "2.0");

    ck_assert(policy->services[QM_SERVICE_CLIENT].enabled);
    ck_assert_str_eq(t->image, "quobyte/client:2.0");
    ck_assert(t->privileged && !t->health.enabled);
    ck_assert_uint_eq(t->n_volumes, 1);
    ck_assert_str_eq(t->volumes[0].host_path, "/srv");
    ck_assert(t->volumes[0].rshared);
    ck_assert_str_eq(variable(t, "QUOBYTE_MOUNT_POINT"), "/srv/quobyte");
    ck_assert_str_eq(variable(t, "QUOBYTE_CLIENT_OPTS"), "-o x");
    ck_assert_str_eq(variable(t, "QUOBYTE_REGISTRY"), "_registry._tcp.quobyte.mesos");
    ck_assert_ptr_nonnull(strstr(t->command, "exec mount.quobyte"));
    ck_assert_ptr_null(strstr(t->command, "/srv"));
    ck_assert_uint_eq(policy->services[QM_SERVICE_CLIENT].n_ports, 1);
    qm_policy_free(policy);
}
END_TEST

START_TEST(client_below_the_root)
{
    struct qm_policy *policy = POLICY("client_mount_point", "/quobyte", "client_image", "c");

    ck_assert_str_eq(template_of(policy, "client", "1")->volumes[0].host_path, "/quobyte");
    qm_policy_free(policy);
}
END_TEST

START_TEST(prober_three_ways)
{
    struct qm_policy *image = policy_new(NULL);
    struct qm_policy *uri = POLICY("prober_uri", "http://h:1/d/prober-1.0");
    struct qm_policy *command = POLICY("prober_uri", "http://h/x", "prober_command",
                                       "/opt/prober --x", "prober.env", "A=b");
    const struct qm_task_template *t = template_of(image, "prober", "");

    ck_assert_str_eq(t->image, "quobyte/quobyte-mesos:latest");
    ck_assert_int_eq(t->containerizer, QM_CONTAINERIZER_DOCKER);
    ck_assert_str_eq(t->user, "root");
    ck_assert_str_eq(variable(t, "QUOBYTE_PROBER_ROOT"), "/host");
    ck_assert(t->volumes[0].read_only && t->volumes[0].rslave);
    t = template_of(uri, "prober", "");
    ck_assert_int_eq(t->containerizer, QM_CONTAINERIZER_NONE);
    ck_assert_str_eq(t->uri, "http://h:1/d/prober-1.0");
    ck_assert_str_eq(t->command, "exec ./prober-1.0");
    ck_assert_str_eq(t->image, "");
    ck_assert_uint_eq(t->n_environment, 0);
    t = template_of(command, "prober", "");
    ck_assert_str_eq(t->command, "/opt/prober --x");
    ck_assert_str_eq(t->uri, "");
    ck_assert_str_eq(variable(t, "A"), "b");
    ck_assert_uint_eq(t->n_volumes, 0);
    qm_policy_free(image);
    qm_policy_free(uri);
    qm_policy_free(command);
}
END_TEST

START_TEST(without_containers)
{
    struct qm_policy *policy =
        POLICY("containerizer", "none", "service_command", "run-{service} --v={version} {x}",
               "services.data.command", "own", "prober_command", "p");
    const struct qm_task_template *t = template_of(policy, "registry", "1.1.5");

    ck_assert_int_eq(t->containerizer, QM_CONTAINERIZER_NONE);
    ck_assert_str_eq(t->command, "run-registry --v=1.1.5 {x}");
    ck_assert_str_eq(t->image, "");
    ck_assert_uint_eq(t->n_volumes, 0);
    ck_assert(!t->privileged);
    ck_assert_str_eq(variable(t, "QUOBYTE_SERVICE"), "registry");
    ck_assert_str_eq(template_of(policy, "data", "1")->command, "own");
    qm_policy_free(policy);
}
END_TEST

START_TEST(address_of_the_host)
{
    struct qm_policy *policy = POLICY("autodetect_service_ip", "false");
    const char *command = template_of(policy, "registry", "1")->command;

    ck_assert_ptr_nonnull(strstr(command, "HOST_IP="));
    ck_assert_ptr_nonnull(strstr(command, "exec /opt/main.sh"));
    qm_policy_free(policy);
}
END_TEST

START_TEST(templates_are_shared)
{
    struct qm_policy *policy = policy_new(NULL);
    const struct qm_task_template *first = template_of(policy, "data", "1");
    char version[16];

    ck_assert_ptr_eq(template_of(policy, "data", "1"), first);
    ck_assert_ptr_ne(template_of(policy, "data", "2"), first);
    ck_assert_uint_eq(template_of(policy, "data", "2")->config_hash, first->config_hash);
    for (int i = 0; i < 1000; i++) {
        qm_policy_trim(policy);
        snprintf(version, sizeof(version), "v%d", i);
        ck_assert_str_eq(template_of(policy, "data", version)->version, version);
    }
    qm_policy_free(policy);
}
END_TEST

/* One key each, and the services whose tasks it changes. */
static const struct {
    const char *key, *value;
    const char *changed; /* comma list */
} changes[] = {
    {"services.data.resources", "cpus:4;mem:5000;disk:32", "data"},
    {"services.data.env", "A=b", "data"},
    {"services.data.kill_grace_s", "61", "data"},
    {"services.data.health.failures", "31", "data"},
    {"services.data.health.enabled", "false", "data"},
    {"services.data.privileged", "false", "data"},
    {"services.data.image", "other", "data"},
    {"services.data.rpc_port", "4711", "data"},
    {"services.s3.secure_port", "443", "s3"},
    {"api_port", "4711", "api,webconsole"}, /* which is told where the API is */
    {"host_device_directory", "/devices", "registry,metadata,data"},
    {"docker_image", "other", "registry,metadata,data,api,webconsole,s3"},
    {"mesos_dns_domain", "x", "registry,metadata,data,api,webconsole,s3,client"},
    {"deployment", "x", "registry,metadata,data,api,webconsole,s3,client,prober"},
    {"prober_command", "x", "prober"},
    /* What only planning looks at changes no task. */
    {"services.data.min_ready_s", "1", ""},
    {"services.data.max_unavailable", "2", ""},
    {"services.api.count", "2", ""},
    {"services.data.role", "x", ""},
    {"restrict_hosts", "a", ""},
    {"decline_s", "60", ""},
    {"shutdown_delay_s", "1", ""},
};

START_TEST(hash_is_of_what_tasks_get)
{
    struct qm_policy *before = policy_new(NULL);

    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        struct qm_policy *after = POLICY(changes[i].key, changes[i].value);
        char names[128] = "";

        for (size_t s = 0; s < before->n_services; s++)
            if (qm_policy_config_hash(before, s) != qm_policy_config_hash(after, s))
                snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
                         names[0] ? "," : "", before->services[s].name);
        ck_assert_msg(strcmp(names, changes[i].changed) == 0, "%s: %s", changes[i].key, names);
        qm_policy_free(after);
    }
    qm_policy_free(before);
}
END_TEST

/* Hashes are saved and compared with later ones: they must not change with the library. */
START_TEST(hash_stays_the_same)
{
    struct qm_policy *policy = policy_new(NULL);

    ck_assert_uint_eq(qm_policy_config_hash(policy, QM_SERVICE_REGISTRY),
                      UINT64_C(0x3e2f326c3e246c7d));
    qm_policy_free(policy);
}
END_TEST

static void order_text(const struct qm_policy *policy, const size_t *order, size_t n, char *text,
                       size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        snprintf(text + strlen(text), size - strlen(text), "%s%s", i > 0 ? " " : "",
                 policy->services[order[i]].name);
}

START_TEST(orders)
{
    static const struct {
        const char *set[5];
        const char *deploy, *upgrade;
    } cases[] = {
        {{NULL},
         "registry api webconsole metadata data s3 client",
         "registry api webconsole metadata data s3"},
        {{"upgrade_clients", "auto"},
         "registry api webconsole metadata data s3 client",
         "registry api webconsole metadata data s3 client"},
        {{"deploy_order", "data,registry", "upgrade_order", "client,s3"},
         "data registry metadata api webconsole s3 client",
         "s3 registry metadata data api webconsole"},
        {{"services.nfs.binding", "floating"},
         "registry api webconsole metadata data s3 client nfs",
         "registry api webconsole metadata data s3 nfs"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct qm_policy *policy = policy_new(cases[i].set);
        char text[256];

        order_text(policy, policy->deploy_order, policy->n_deploy_order, text, sizeof(text));
        ck_assert_str_eq(text, cases[i].deploy);
        order_text(policy, policy->upgrade_order, policy->n_upgrade_order, text, sizeof(text));
        ck_assert_str_eq(text, cases[i].upgrade);
        qm_policy_free(policy);
    }
}
END_TEST

START_TEST(hosts)
{
    struct qm_policy *all = policy_new(NULL);
    struct qm_policy *some = POLICY("restrict_hosts", "10.0.0.11,node-*", "deny_hosts", "node-9");

    ck_assert(qm_policy_allows_host(all, "anything"));
    ck_assert(qm_policy_allows_host(some, "10.0.0.11"));
    ck_assert(!qm_policy_allows_host(some, "10.0.0.1"));
    ck_assert(qm_policy_allows_host(some, "node-1"));
    ck_assert(!qm_policy_allows_host(some, "node-9"));
    ck_assert(!qm_policy_allows_host(some, "my-node-1"));
    qm_policy_free(all);
    qm_policy_free(some);
}
END_TEST

START_TEST(roles_and_numbers)
{
    struct qm_policy *policy =
        POLICY("public_slave_role", "public", "services.api.role", "own", "shutdown_delay_s", "0.5",
               "registry_replicas", "5", "on_config_change", "roll", "services.api.count", "2",
               "services.nfs.binding", "floating", "services.nfs.count", "0");
    const struct qm_service_policy *services = policy->services;

    ck_assert_str_eq(services[QM_SERVICE_API].role, "own");
    ck_assert_str_eq(services[QM_SERVICE_WEBCONSOLE].role, "public");
    ck_assert_str_eq(services[QM_SERVICE_S3].role, "public");
    ck_assert_str_eq(services[QM_SERVICE_DATA].role, "");
    ck_assert_uint_eq(services[QM_SERVICE_API].instances, 2);
    ck_assert_uint_eq(services[QM_SERVICE_DATA].instances, 0);
    ck_assert_int_eq(services[QM_SERVICE_REGISTRY].barrier, QM_BARRIER_REGISTRY_MAJORITY);
    ck_assert_int_eq(services[QM_SERVICE_METADATA].barrier, QM_BARRIER_ONE);
    ck_assert_int_eq(services[QM_SERVICE_DATA].barrier, QM_BARRIER_NONE);
    ck_assert_uint_eq(policy->shutdown_delay, 500);
    ck_assert_uint_eq(policy->registry_replicas, 5);
    ck_assert(!policy->config_change_waits);
    ck_assert_uint_eq(policy->decline, 120000);
    ck_assert_uint_eq(policy->offer_hold, 5000);
    ck_assert_uint_eq(policy->revive_burst, 10);
    ck_assert_uint_eq(policy->reconcile_patience, 60000);
    ck_assert_str_eq(policy->failure_domain, "@zone");
    /* Added services come behind the prober. */
    ck_assert_uint_eq(qm_policy_find_service(policy, "nfs"), QM_SERVICES_BUILT_IN);
    ck_assert_uint_eq(qm_policy_find_service(policy, "nothing"), SIZE_MAX);
    qm_policy_free(policy);
}
END_TEST

START_TEST(refused_configuration)
{
    struct qm_config *config;
    struct qm_policy *policy = NULL;
    struct qm_error error;

    ck_assert_int_eq(qm_config_new(&config, NULL, 0, NULL), 0);
    ck_assert_int_eq(qm_policy_new(&policy, config, NULL, &error), QM_E_INVALID);
    ck_assert_str_eq(error.key, "images.server");
    ck_assert_ptr_null(policy);
    qm_config_free(config);
}
END_TEST

static int with_memory(const struct qm_config *config, size_t blocks)
{
    struct unit_memory memory;
    struct qm_policy *policy;
    int r;

    unit_memory_init(&memory, blocks);
    r = qm_policy_new(&policy, config, &memory.allocator, NULL);
    if (r == 0) {
        if (!qm_policy_template(policy, QM_SERVICE_DATA, "1"))
            r = -ENOMEM;
        qm_policy_free(policy);
    }
    ck_assert_uint_eq(memory.live, 0);
    return r;
}

START_TEST(out_of_memory)
{
    struct qm_config *config;
    size_t blocks = 0;

    ck_assert_int_eq(qm_config_new(&config, NULL, 0, NULL), 0);
    ck_assert_int_eq(qm_config_set(config, "docker_image", "q", NULL), 0);
    while (with_memory(config, blocks) == -ENOMEM)
        blocks++;
    ck_assert_uint_ge(blocks, 5);
    qm_config_free(config);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("policy");

    tcase_add_test(tcase, built_in_services);
    tcase_add_test(tcase, registry_template);
    tcase_add_test(tcase, heap_of_every_java_service);
    tcase_add_test(tcase, environment_from_configuration);
    tcase_add_test(tcase, api_for_the_webconsole);
    tcase_add_test(tcase, client);
    tcase_add_test(tcase, client_below_the_root);
    tcase_add_test(tcase, prober_three_ways);
    tcase_add_test(tcase, without_containers);
    tcase_add_test(tcase, address_of_the_host);
    tcase_add_test(tcase, templates_are_shared);
    tcase_add_test(tcase, hash_is_of_what_tasks_get);
    tcase_add_test(tcase, hash_stays_the_same);
    tcase_add_test(tcase, orders);
    tcase_add_test(tcase, hosts);
    tcase_add_test(tcase, roles_and_numbers);
    tcase_add_test(tcase, refused_configuration);
    tcase_add_test(tcase, out_of_memory);
    return unit_run("policy", tcase);
}
