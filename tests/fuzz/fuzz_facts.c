/*
 * Any sequence of facts: the planner takes or refuses each, its actions end, and two planners that
 * are told the same say the same.
 */
#include "fuzz.h"

#include <quobyte-mesos.h>

#define START      1767225600000u
#define KNOWN_MAX  64
#define FACTS_MAX  400
#define ACTION_MAX 10000

/* What the planner did so far, so that facts can speak of its tasks and revisions. */
struct world {
    struct qm_planner *planner;
    qm_time now;
    uint64_t revision;
    unsigned offers;
    char tasks[KNOWN_MAX][256];
    char agents[KNOWN_MAX][16];
    size_t n_tasks;
    uint64_t sum; /* over all actions, as text */
};

static void remember_launch(struct world *world, const struct qm_launch *launch)
{
    must(launch->n_offer_ids > 0 && launch->n_tasks > 0);
    for (size_t i = 0; i < launch->n_tasks; i++) {
        size_t slot = world->n_tasks++ % KNOWN_MAX;

        must(strlen(launch->tasks[i].task_id) < sizeof(world->tasks[0]));
        snprintf(world->tasks[slot], sizeof(world->tasks[slot]), "%s", launch->tasks[i].task_id);
        snprintf(world->agents[slot], sizeof(world->agents[slot]), "%s", launch->agent_id);
    }
}

static void drain(struct world *world)
{
    const struct qm_action *action;
    char line[1024];

    for (int n = 0; (action = qm_planner_next_action(world->planner)) != NULL; n++) {
        must(n < ACTION_MAX);
        must(qm_action_format(action, line, sizeof(line)) > 0);
        for (const char *c = line; *c; c++)
            world->sum = (world->sum ^ (uint8_t)*c) * 1099511628211u;
        if (action->type == QM_ACTION_SAVE) {
            must(action->save.revision > 0);
            world->revision = action->save.revision;
        } else if (action->type == QM_ACTION_LAUNCH) {
            remember_launch(world, &action->launch);
        }
    }
    must(qm_planner_failed(world->planner) == 0);
}

static void give(struct world *world, struct qm_fact fact)
{
    fact.time = world->now;
    must(qm_planner_step(world->planner, &fact) >= 0);
    drain(world);
}

static void give_offer(struct world *world, uint8_t what, uint8_t amount)
{
    char id[24], agent[16], host[16];
    struct qm_range ports = {80, 65535};
    struct qm_resource resources[] = {
        {.kind = QM_RESOURCE_CPUS, .amount = amount * 100u},
        {.kind = QM_RESOURCE_MEM, .amount = amount * 256u},
        {.kind = QM_RESOURCE_DISK, .amount = amount * 100u},
        {.kind = QM_RESOURCE_PORTS, .ranges = &ports, .n_ranges = 1},
        {.kind = QM_RESOURCE_OTHER, .amount = 1},
        {.kind = QM_RESOURCE_MEM, .amount = 4096, .role = "*"},
    };

    snprintf(id, sizeof(id), "o%u", what & 0x80 ? world->offers : ++world->offers);
    snprintf(agent, sizeof(agent), "a%u", what & 7);
    snprintf(host, sizeof(host), "h%u", (what >> 3) & 3);
    give(world, (struct qm_fact){
                    .type = QM_FACT_OFFER,
                    .offer = {.id = id,
                              .agent_id = agent,
                              .hostname = host,
                              .role = "",
                              .region = "",
                              .zone = what & 0x40 ? "z" : "",
                              .resources = resources,
                              .n_resources = 6 - (what & 1),
                              .unavailable_from = QM_TIME_NEVER},
                });
}

static void give_status(struct world *world, uint8_t which, uint8_t state)
{
    size_t slot = which % KNOWN_MAX;
    struct qm_task_status status = {
        .task_id = slot < world->n_tasks ? world->tasks[slot] : "unknown-task",
        .agent_id = slot < world->n_tasks ? world->agents[slot]
                    : which & 1           ? "a1"
                                          : "",
        .executor_id = "",
        .state = (enum qm_task_state)(state % 15),
        .source = (enum qm_status_source)(which % 3),
        .reason = state & 0x80 ? QM_REASON_RECONCILIATION : -1,
        .message = "",
        .has_healthy = state & 0x40,
        .healthy = state & 0x20,
        .has_uuid = state & 0x10,
        .uuid = {which, state},
    };

    give(world, (struct qm_fact){.type = QM_FACT_TASK_STATUS, .status = status});
}

static void give_report(struct world *world, uint8_t which, uint8_t bits)
{
    struct qm_device devices[4];
    char agent[16], serial[4][8];
    size_t slot = which % KNOWN_MAX, n = bits & 3;

    snprintf(agent, sizeof(agent), "a%u", which & 7);
    for (size_t i = 0; i < n; i++) {
        snprintf(serial[i], sizeof(serial[i]), "s%zu", bits & 0x40 ? i : i + which);
        devices[i] = (struct qm_device){
            .type = (enum qm_device_type)(i + 1),
            .bootstrap = i == 0 && (bits & 4),
            .mount = "/mnt/x",
            .filesystem = "xfs",
            .serial = serial[i],
            .model = "m",
            .id = bits & 8 ? serial[i] : "",
            .warning = "",
            .size_mib = 100,
            .free_mib = 50,
        };
    }
    give(world, (struct qm_fact){
                    .type = QM_FACT_PROBE_REPORT,
                    .probe = {.agent_id = slot < world->n_tasks ? world->agents[slot] : agent,
                              .executor_id = "",
                              .boot_id = bits & 0x10 ? "b1" : "b2",
                              .devices = devices,
                              .n_devices = n,
                              .has_mount_point = bits & 0x20,
                              .warning = ""},
                });
}

static void give_command(struct world *world, uint8_t what)
{
    static const char *const versions[] = {"1.1.5", "1.1.6", "", "bad version", "x/y"};

    give(world, (struct qm_fact){
                    .type = QM_FACT_COMMAND,
                    .command = {.type = (enum qm_command_type)(what & 3),
                                .version = versions[(what >> 2) % 5]},
                });
}

static void give_found(struct world *world, uint8_t which, uint8_t bits)
{
    static const char *const services[] = {"registry", "metadata", "data", "api", "nonsense", ""};
    char host[16];

    snprintf(host, sizeof(host), "h%u", which & 3);
    give(world, (struct qm_fact){
                    .type = QM_FACT_TASK_FOUND,
                    .found = {.task_id = "unknown-task",
                              .agent_id = which & 1 ? "a1" : "a2",
                              .executor_id = "",
                              .hostname = host,
                              .deployment = "default",
                              .service = services[bits % 6],
                              .version = bits & 8 ? "1.1.5" : "",
                              .state = QM_TASK_RUNNING,
                              .exists = bits & 0x10},
                });
}

static void give_lost(struct world *world, uint8_t what)
{
    char agent[16];

    snprintf(agent, sizeof(agent), "a%u", what & 7);
    give(world, (struct qm_fact){
                    .type = what & 8 ? QM_FACT_EXECUTOR_LOST : QM_FACT_AGENT_LOST,
                    .lost = {.agent_id = agent, .executor_id = "e"},
                });
}

static void give_next(struct world *world, struct cursor *cursor)
{
    uint8_t kind = take_byte(cursor), a = take_byte(cursor), b = take_byte(cursor);
    char offer[24];

    snprintf(offer, sizeof(offer), "o%u", a);
    switch (kind % 14) {
    case 0:
        world->now += (qm_duration)a * a * 50;
        give(world, (struct qm_fact){.type = QM_FACT_TIME});
        break;
    case 1:
        give(world,
             (struct qm_fact){.type = QM_FACT_SUBSCRIBED,
                              .subscribed = {.framework_id = "f", .master_id = a & 1 ? "m" : "n"}});
        break;
    case 2:
        give(world, (struct qm_fact){.type = QM_FACT_DISCONNECTED});
        break;
    case 3:
        give(world, (struct qm_fact){.type = QM_FACT_OFFER_RESCINDED, .offer_id = offer});
        break;
    case 4:
        give_status(world, a, b);
        break;
    case 5:
        give_report(world, a, b);
        break;
    case 6:
        give_command(world, a);
        break;
    case 7:
        give(world, (struct qm_fact){.type = QM_FACT_SAVE_FAILED, .revision = world->revision});
        break;
    case 8:
        give(world, (struct qm_fact){.type = QM_FACT_STATE_SAVED, .revision = a});
        break;
    case 9:
        give_found(world, a, b);
        break;
    case 10:
        give_lost(world, a);
        break;
    case 11:
        give(world, (struct qm_fact){.type = QM_FACT_STATE_SAVED, .revision = world->revision});
        break;
    default:
        give_offer(world, a, b);
        break;
    }
}

static uint64_t play(const uint8_t *data, size_t size)
{
    struct cursor cursor = {data, size};
    struct world world = {.now = START, .sum = 1469598103934665603u};
    struct qm_config *config = NULL;
    struct qm_cluster_view *cluster = NULL;
    struct qm_plan_view *plan = NULL;

    must(qm_config_new(&config, NULL, 0, NULL) == 0);
    must(qm_config_set(config, "images.server", "quobyte/quobyte-server", NULL) == 0);
    must(qm_planner_new(&world.planner, config, NULL, 0, NULL, START, NULL) == 0);
    qm_config_free(config);
    for (int i = 0; cursor.size > 0 && i < FACTS_MAX; i++) {
        give_next(&world, &cursor);
        must(qm_planner_deadline(world.planner) > 0);
    }
    must(qm_cluster_view_new(world.planner, &cluster) == 0);
    must(qm_plan_view_new(world.planner, &plan) == 0);
    qm_cluster_view_free(cluster);
    qm_plan_view_free(plan);
    qm_planner_free(world.planner);
    return world.sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t once = play(data, size);

    must(play(data, size) == once);
    return 0;
}
