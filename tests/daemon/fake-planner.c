/* A planner made of paper; see fake-planner.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake-planner.h"

#define NOW 1764000000000ULL

struct fake fake;

/* Strings and arrays of a filled cluster, freed together. */
static void **blocks;
static size_t n_blocks;

static void *keep(void *block)
{
    if ((n_blocks & (n_blocks - 1)) == 0) /* full at powers of two */
        blocks = realloc(blocks, (n_blocks ? 2 * n_blocks : 1) * sizeof(*blocks));
    if (!block || !blocks)
        abort();
    blocks[n_blocks++] = block;
    return block;
}

static void *many(size_t n, size_t size)
{
    return keep(calloc(n ? n : 1, size));
}

__attribute__((format(printf, 1, 2), noinline)) static char *text(const char *format, ...)
{
    char *result = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&result, format, args) < 0)
        abort();
    va_end(args);
    return keep(result);
}

static char *copy(const char *string)
{
    return keep(strdup(string));
}

/* In place of the library. The planner itself is never looked at. */

const char *qm_planner_target(const struct qm_planner *planner)
{
    return fake.target;
}

const char *qm_planner_framework_id(const struct qm_planner *planner)
{
    return fake.cluster.framework_id;
}

uint64_t qm_planner_saved_revision(const struct qm_planner *planner)
{
    return fake.saved_revision;
}

const char *qm_planner_refusal(const struct qm_planner *planner)
{
    return "";
}

bool qm_command_held(const struct qm_planner *planner, const struct qm_command *command,
                     struct qm_reason *why)
{
    *why = (struct qm_reason){.code = QM_WHY_NOTHING};
    return false;
}

int qm_host_safe_to_stop(const struct qm_planner *planner, const char *host, struct qm_reason *why)
{
    *why = (struct qm_reason){.code = QM_WHY_NOTHING};
    return QM_E_UNKNOWN;
}

int qm_plan_view_new(const struct qm_planner *planner, struct qm_plan_view **view)
{
    *view = &fake.plan;
    return 0;
}

struct qm_plan_view *qm_plan_view_free(struct qm_plan_view *view)
{
    return NULL;
}

int qm_cluster_view_new(const struct qm_planner *planner, struct qm_cluster_view **view)
{
    *view = &fake.cluster;
    return 0;
}

struct qm_cluster_view *qm_cluster_view_free(struct qm_cluster_view *view)
{
    return NULL;
}

size_t qm_cluster_counts(const struct qm_planner *planner, struct qm_service_view *services,
                         size_t n)
{
    memcpy(services, fake.services,
           (n < fake.n_services ? n : fake.n_services) * sizeof(*services));
    return fake.n_services;
}

void qm_offer_outcomes_get(const struct qm_planner *planner, struct qm_offer_outcomes *outcomes)
{
    *outcomes = fake.outcomes;
}

static int take_command(void *userdata, const struct qm_command *command, uint64_t *revision)
{
    fake.n_commands++;
    fake.command = command->type;
    snprintf(fake.version, sizeof(fake.version), "%s", command->version ? command->version : "");
    if (fake.command_result == 0) {
        *revision = fake.command_revision;
        memcpy(fake.target, fake.version, sizeof(fake.target));
    }
    return fake.command_result;
}

static const struct qm_planner *get_planner(void *userdata)
{
    return NULL;
}

static const struct qm_config *get_config(void *userdata)
{
    return fake.config;
}

static void get_status(void *userdata, struct front_status *status)
{
    *status = fake.status;
}

const struct front_callbacks fake_callbacks = {
    .command = take_command, .planner = get_planner, .config = get_config, .status = get_status};

static void add_service(const char *name, enum qm_service_binding binding, size_t wanted,
                        size_t available, size_t outdated)
{
    fake.services[fake.n_services++] = (struct qm_service_view){.name = text("%s", name),
                                                                .binding = binding,
                                                                .wanted = wanted,
                                                                .running = available,
                                                                .healthy = available,
                                                                .available = available,
                                                                .outdated = outdated};
}

void fake_reset(void)
{
    fake_deinit();
    fake = (struct fake){
        .command_revision = 1,
        .saved_revision = 1,
        .status = {.now = NOW,
                   .started = NOW - 3723000,
                   .connected = true,
                   .master = "10.0.0.1:5050",
                   .connection = "",
                   .store = "SQLite /var/lib/quobyte-mesos/default.sqlite",
                   .store_error = ""},
        .plan = {.from = text("%s", ""),
                 .target = text("%s", ""),
                 .started = QM_TIME_NEVER,
                 .completed = QM_TIME_NEVER},
        .cluster = {.framework_id = text("fe5b3b4e-0000"),
                    .connected = true,
                    .target = text("%s", ""),
                    .completed = text("%s", "")},
    };
    add_service("registry", QM_BOUND_TO_DEVICE, 0, 0, 0);
    add_service("prober", QM_PER_HOST, 3, 3, 0);
    fake.cluster.services = fake.services;
    fake.cluster.n_services = fake.n_services;
    if (qm_config_new(&fake.config, NULL, 0, NULL) != 0)
        abort();
}

void fake_deinit(void)
{
    while (n_blocks)
        free(blocks[--n_blocks]);
    free(blocks);
    blocks = NULL;
    fake.config = qm_config_free(fake.config);
}

static struct qm_reason reason(enum qm_reason_code code, const char *subject, uint64_t have,
                               uint64_t want)
{
    struct qm_reason result = {.code = code, .since = NOW - 95000, .have = have, .want = want};

    snprintf(result.subject, sizeof(result.subject), "%s", subject);
    return result;
}

static void fill_task(struct qm_task_view *task, const char *service, const char *host, size_t i)
{
    bool upgraded;

    /* For the compiler, which follows what UBSan's checks let through. */
    if (!service)
        abort();
    upgraded = strcmp(service, "registry") == 0 || (strcmp(service, "metadata") == 0 && i < 7);

    *task = (struct qm_task_view){.id = text("%s.%s.3-%zu", service, host, i),
                                  .service = copy(service),
                                  .host = copy(host),
                                  .agent_id = text("%s-S%zu", "fe5b", i),
                                  .version = text("%s", strcmp(service, "prober") == 0 ? ""
                                                        : upgraded                     ? "1.1.6"
                                                                                       : "1.1.5"),
                                  .stage = QM_STAGE_HEALTHY,
                                  .state = QM_TASK_RUNNING,
                                  .since = NOW - 86400000,
                                  .healthy = true,
                                  .available = true,
                                  .message = text("%s", ""),
                                  .n_ports = 1,
                                  .outdated = !upgraded && strcmp(service, "prober") != 0};
    task->ports[0] = 20000 + (uint32_t)i;
}

static void fill_device(struct qm_device_view *device, enum qm_device_type type, size_t i)
{
    *device =
        (struct qm_device_view){.type = type,
                                .mount = text("/mnt/quobyte/%s%zu", qm_device_type_name(type), i),
                                .filesystem = text("xfs"),
                                .serial = text("S3Z9NB0K%06zu", i),
                                .model = text("SAMSUNG PM883"),
                                .id = text("%zu", i),
                                .warning = text("%s", ""),
                                .size_mib = 3662830,
                                .free_mib = 1830000,
                                .bootstrap = i == 0 && type == QM_DEVICE_REGISTRY};
}

static void fill_host(struct qm_host_view *host, size_t i)
{
    static const char *const services[] = {"registry", "metadata", "data"};
    bool lost = i % 11 == 10, bare = i % 5 == 4;

    *host = (struct qm_host_view){.name = text("node-%03zu.example.com", i),
                                  .agent_id = text("fe5b-S%zu", i),
                                  .failure_domain = text("rack-%zu", i / 10),
                                  .connected = !lost,
                                  .allowed = i != 13,
                                  .reported = true,
                                  .last_report = NOW - 4000 * i,
                                  .warning = text("%s", ""),
                                  .devices = many(4, sizeof(struct qm_device_view)),
                                  .tasks = many(5, sizeof(struct qm_task_view))};
    for (size_t s = 0; s < 3; s++) {
        if ((s == 0 && i >= 5) || (s == 1 && bare))
            continue;
        fill_device(&host->devices[host->n_devices++], QM_DEVICE_REGISTRY + s, i);
        fill_task(&host->tasks[host->n_tasks++], services[s], host->name, i);
        if (lost) {
            host->tasks[host->n_tasks - 1].stage = QM_STAGE_UNREACHABLE;
            host->tasks[host->n_tasks - 1].available = false;
        }
    }
    fill_task(&host->tasks[host->n_tasks++], "prober", host->name, i);
    if (i == 3) {
        host->devices[1].warning = text("device.type is missing <script>alert(1)</script>");
        host->devices[1].type = QM_DEVICE_UNTYPED;
        host->warning = text("cannot read /mnt/x: Input/output error");
    }
    if (i == 6) {
        host->tasks[0].stage = QM_STAGE_RUNNING;
        host->tasks[0].available = host->tasks[0].healthy = false;
        host->tasks[0].message = text("Container exited with status 1: \"out of <memory>\" & more");
    }
    if (lost)
        host->reason = reason(QM_WHY_UNREACHABLE, host->name, 0, 0);
    else if (i == 8)
        host->reason = reason(QM_WHY_MEM, "metadata", 2000, 8192);
}

static void fill_phase(struct qm_phase_view *phase, const char *service, size_t n, size_t complete,
                       enum qm_status status)
{
    *phase = (struct qm_phase_view){
        .name = text("%s", service),
        .service = copy(service),
        .status = status,
        .warning =
            text("%s", strcmp(service, "s3") == 0 ? "no host name for S3 is configured" : ""),
        .steps = many(n, sizeof(struct qm_step_view)),
        .n_steps = n,
        .n_complete = complete};
    for (size_t i = 0; i < n; i++) {
        struct qm_step_view *step = &phase->steps[i];

        *step = (struct qm_step_view){.id = text("%s.node-%03zu.example.com", service, i),
                                      .service = copy(service),
                                      .host = text("node-%03zu.example.com", i),
                                      .version = text("1.1.6"),
                                      .running = text("%s", i < complete ? "1.1.6" : "1.1.5"),
                                      .status = i < complete    ? QM_STATUS_COMPLETE
                                                : i == complete ? QM_STATUS_STARTED
                                                                : QM_STATUS_PENDING,
                                      .reasons = many(2, sizeof(struct qm_reason))};
        if (i == complete)
            step->reasons[step->n_reasons++] = reason(QM_WHY_MIN_READY, step->host, 61000, 180000);
        else if (i > complete && status == QM_STATUS_IN_PROGRESS)
            step->reasons[step->n_reasons++] = reason(QM_WHY_MAX_UNAVAILABLE, service, 1, 1);
        else if (i > complete)
            step->reasons[step->n_reasons++] = reason(QM_WHY_PHASE, "metadata", 0, 0);
        if (i == 8 && i > complete)
            step->reasons[step->n_reasons++] = reason(QM_WHY_MEM, "metadata", 2000, 8192);
    }
    phase->status = n == complete ? QM_STATUS_COMPLETE : status;
}

void fake_fill(size_t n_hosts)
{
    struct qm_plan_view *plan = &fake.plan;
    size_t n_metadata = n_hosts - n_hosts / 5, done = n_metadata < 7 ? n_metadata : 7;

    fake_reset();
    snprintf(fake.target, sizeof(fake.target), "1.1.6");
    fake.n_services = 0;
    add_service("registry", QM_BOUND_TO_DEVICE, 5, 5, 0);
    add_service("metadata", QM_BOUND_TO_DEVICE, n_metadata, n_metadata - 2, n_metadata - done);
    add_service("data", QM_BOUND_TO_DEVICE, n_hosts, n_hosts - n_hosts / 11, n_hosts);
    add_service("api", QM_FLOATING, 2, 2, 0);
    add_service("webconsole", QM_FLOATING, 1, 1, 0);
    add_service("s3", QM_FLOATING, 0, 0, 0);
    add_service("client", QM_PER_HOST, 0, 0, 0);
    add_service("prober", QM_PER_HOST, n_hosts, n_hosts - n_hosts / 11, 0);
    fake.cluster.target = text("1.1.6");
    fake.cluster.completed = text("1.1.5");
    fake.cluster.epoch = 3;
    fake.cluster.revision = fake.cluster.saved_revision = fake.saved_revision = 411;
    fake.cluster.n_services = fake.n_services;
    fake.cluster.hosts = many(n_hosts, sizeof(struct qm_host_view));
    fake.cluster.n_hosts = n_hosts;
    for (size_t i = 0; i < n_hosts; i++)
        fill_host(&fake.cluster.hosts[i], i);

    *plan = (struct qm_plan_view){.number = 4,
                                  .kind = QM_PLAN_UPGRADE,
                                  .from = text("1.1.5"),
                                  .target = text("1.1.6"),
                                  .status = QM_STATUS_IN_PROGRESS,
                                  .started = NOW - 1500000,
                                  .completed = QM_TIME_NEVER,
                                  .phases = many(6, sizeof(struct qm_phase_view)),
                                  .n_phases = 6};
    fill_phase(&plan->phases[0], "registry", n_hosts < 5 ? n_hosts : 5, n_hosts < 5 ? n_hosts : 5,
               QM_STATUS_COMPLETE);
    fill_phase(&plan->phases[1], "api", 2, 2, QM_STATUS_COMPLETE);
    fill_phase(&plan->phases[2], "webconsole", 1, 1, QM_STATUS_COMPLETE);
    fill_phase(&plan->phases[3], "metadata", n_metadata, done, QM_STATUS_IN_PROGRESS);
    fill_phase(&plan->phases[4], "data", n_hosts, 0, QM_STATUS_PENDING);
    fill_phase(&plan->phases[5], "s3", 0, 0, QM_STATUS_COMPLETE);
    for (size_t i = 0; i < plan->n_phases; i++) {
        plan->n_steps += plan->phases[i].n_steps;
        plan->n_complete += plan->phases[i].n_complete;
    }

    fake.outcomes = (struct qm_offer_outcomes){
        .seen = 5120, .accepted = 312, .declined = 4790, .rescinded = 3, .n_recent = 3};
    fake.outcomes.by_reason[QM_WHY_NOT_NEEDED] = 4700;
    fake.outcomes.by_reason[QM_WHY_MEM] = 90;
    for (size_t i = 0; i < 3; i++) {
        fake.outcomes.recent[i].time = NOW - 12000 * i;
        snprintf(fake.outcomes.recent[i].host, 128, "node-%03zu.example.com", i + 7);
        snprintf(fake.outcomes.recent[i].service, 64, "metadata");
        if (i)
            fake.outcomes.recent[i].reason = reason(QM_WHY_MEM, "metadata", 2000, 8192);
    }
}
