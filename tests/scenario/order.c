/*
 * Facts of one instant: whatever their order, the planner does the same. Every permutation of the
 * offers, and of the reports, of up to five hosts gives the same actions, byte for byte.
 */
#include "scenario.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS_MAX 5

/* A planner whose actions are written down, and whose saves are confirmed at once. */
struct bare {
    struct qm_planner *planner;
    qm_time now;
    FILE *stream;
    char *text;
    size_t length;
    char task_ids[64][256];
    char task_hosts[64][32];
    size_t n_tasks;
    unsigned offers;
};

static void write_launch(struct bare *bare, const struct qm_launch *launch)
{
    for (size_t i = 0; i < launch->n_tasks; i++) {
        const struct qm_task_launch *task = &launch->tasks[i];

        fprintf(bare->stream, "  %s of %s at %s on %s:", task->task_id, task->template_->service,
                task->template_->version, task->hostname);
        for (size_t k = 0; k < task->n_uses; k++)
            fprintf(bare->stream, " %zu.%zu=%" PRIu64, task->uses[k].offer, task->uses[k].resource,
                    task->uses[k].amount);
        for (size_t k = 0; k < task->n_ports; k++)
            fprintf(bare->stream, " :%" PRIu32, task->ports[k].number);
        fputc('\n', bare->stream);
        ck_assert_uint_lt(bare->n_tasks, 64);
        snprintf(bare->task_ids[bare->n_tasks], 256, "%s", task->task_id);
        snprintf(bare->task_hosts[bare->n_tasks++], 32, "%s", task->hostname);
    }
}

static void drain(struct bare *bare)
{
    const struct qm_action *action;
    uint64_t revision;

    do {
        revision = 0;
        while ((action = qm_planner_next_action(bare->planner)) != NULL) {
            char line[1024];

            qm_action_format(action, line, sizeof(line));
            fprintf(bare->stream, "%s\n", line);
            if (action->type == QM_ACTION_LAUNCH)
                write_launch(bare, &action->launch);
            if (action->type == QM_ACTION_SAVE) {
                revision = action->save.revision;
                for (size_t i = 0; i < action->save.n_records; i++)
                    fprintf(bare->stream, "  %s: %zu bytes\n", action->save.records[i].key,
                            action->save.records[i].length);
            }
        }
        if (revision)
            ck_assert_int_eq(qm_planner_step(bare->planner,
                                             &(struct qm_fact){
                                                 .time = bare->now,
                                                 .type = QM_FACT_STATE_SAVED,
                                                 .revision = revision,
                                             }),
                             0);
    } while (revision);
}

static void tell(struct bare *bare, struct qm_fact fact)
{
    int r;

    fact.time = bare->now;
    r = qm_planner_step(bare->planner, &fact);
    ck_assert_msg(r == 0, "fact %d: %s", (int)fact.type, qm_strerror(r));
}

static void offer(struct bare *bare, int host, unsigned number)
{
    struct qm_range ports[] = {{80, 80}, {8888, 8889}, {21000, 21100}};
    struct qm_resource resources[] = {
        {.kind = QM_RESOURCE_CPUS, .amount = 16000},
        {.kind = QM_RESOURCE_MEM, .amount = 65536},
        {.kind = QM_RESOURCE_DISK, .amount = 200000},
        {.kind = QM_RESOURCE_PORTS, .ranges = ports, .n_ranges = 3},
    };
    char id[32], agent[32], name[32];

    snprintf(id, sizeof(id), "offer-%u", number);
    snprintf(agent, sizeof(agent), "id-%d", host);
    snprintf(name, sizeof(name), "host-%d", host);
    tell(bare, (struct qm_fact){
                   .type = QM_FACT_OFFER,
                   .offer = {.id = id,
                             .agent_id = agent,
                             .hostname = name,
                             .role = "",
                             .region = "",
                             .zone = "",
                             .resources = resources,
                             .n_resources = 4,
                             .unavailable_from = QM_TIME_NEVER},
               });
}

static void report(struct bare *bare, int host)
{
    struct qm_device devices[3];
    char agent[32], serials[3][32];

    snprintf(agent, sizeof(agent), "id-%d", host);
    for (int i = 0; i < 3; i++) {
        snprintf(serials[i], sizeof(serials[i]), "s-%d-%d", host, i);
        devices[i] = (struct qm_device){.type = (enum qm_device_type)(i + 1),
                                        .mount = "/mnt/x",
                                        .filesystem = "xfs",
                                        .serial = serials[i],
                                        .model = "",
                                        .id = serials[i],
                                        .warning = ""};
    }
    tell(bare, (struct qm_fact){
                   .type = QM_FACT_PROBE_REPORT,
                   .probe = {.agent_id = agent,
                             .executor_id = "",
                             .boot_id = "b",
                             .devices = devices,
                             .n_devices = 3,
                             .warning = ""},
               });
}

static void bare_init(struct bare *bare)
{
    struct qm_config *config = NULL;

    *bare = (struct bare){.now = RIG_START};
    bare->stream = open_memstream(&bare->text, &bare->length);
    ck_assert_ptr_nonnull(bare->stream);
    ck_assert_int_eq(qm_config_new(&config, NULL, 0, NULL), 0);
    ck_assert_int_eq(qm_config_set(config, "images.server", "quobyte/quobyte-server", NULL), 0);
    ck_assert_int_eq(qm_planner_new(&bare->planner, config, NULL, 0, NULL, bare->now, NULL), 0);
    qm_config_free(config);
    drain(bare);
    tell(bare, (struct qm_fact){.type = QM_FACT_SUBSCRIBED,
                                .subscribed = {.framework_id = "f", .master_id = "m"}});
    drain(bare);
}

/* Tells the statuses of all tasks that are not told yet, as RUNNING and healthy. */
static void all_run(struct bare *bare, size_t from)
{
    for (size_t i = from; i < bare->n_tasks; i++) {
        char agent[32];

        snprintf(agent, sizeof(agent), "id-%s", bare->task_hosts[i] + strlen("host-"));
        tell(bare, (struct qm_fact){
                       .type = QM_FACT_TASK_STATUS,
                       .status = {.task_id = bare->task_ids[i],
                                  .agent_id = agent,
                                  .executor_id = "",
                                  .state = QM_TASK_RUNNING,
                                  .source = QM_SOURCE_EXECUTOR,
                                  .reason = -1,
                                  .message = "",
                                  .has_healthy = true,
                                  .healthy = true},
                   });
    }
    drain(bare);
}

/* What waits at the end, and why. */
static void write_plan(struct bare *bare)
{
    struct qm_plan_view *view = NULL;
    char line[256];

    ck_assert_int_eq(qm_plan_view_new(bare->planner, &view), 0);
    for (size_t i = 0; i < view->n_phases; i++) {
        for (size_t k = 0; k < view->phases[i].n_steps; k++) {
            const struct qm_step_view *step = &view->phases[i].steps[k];

            fprintf(bare->stream, "%s %s", step->id, qm_status_name(step->status));
            for (size_t n = 0; n < step->n_reasons; n++) {
                qm_reason_format(&step->reasons[n], line, sizeof(line));
                fprintf(bare->stream, "; %s", line);
            }
            fputc('\n', bare->stream);
        }
    }
    qm_plan_view_free(view);
}

/* The whole way of n hosts to their services, every group of facts in this order. */
static char *play(int n, const int *order)
{
    struct bare bare;
    size_t told;

    bare_init(&bare);
    for (int i = 0; i < n; i++)
        offer(&bare, order[i], (unsigned)order[i]);
    drain(&bare);
    all_run(&bare, 0);
    for (int i = 0; i < n; i++)
        report(&bare, order[i]);
    drain(&bare);
    tell(&bare, (struct qm_fact){.type = QM_FACT_COMMAND,
                                 .command = {.type = QM_COMMAND_SET_TARGET, .version = "1.1.5"}});
    drain(&bare);
    for (unsigned round = 1; round <= 8; round++) {
        bare.now += 1000;
        told = bare.n_tasks;
        for (int i = 0; i < n; i++)
            offer(&bare, order[i], round * 100 + (unsigned)order[i]);
        drain(&bare);
        all_run(&bare, told);
    }
    write_plan(&bare);
    fprintf(bare.stream, "%zu tasks\n", bare.n_tasks);
    qm_planner_free(bare.planner);
    fclose(bare.stream);
    return bare.text;
}

static void swap(int *a, int *b)
{
    int c = *a;

    *a = *b;
    *b = c;
}

static void every_order(int n, int *order, int fixed, const char *expected)
{
    if (fixed == n) {
        char *text = play(n, order);
        size_t at = 0;

        while (text[at] && text[at] == expected[at])
            at++;
        ck_assert_msg(text[at] == expected[at],
                      "%d hosts, first host-%d: actions differ at byte %zu:\n%.300s\n---\n%.300s",
                      n, order[0], at, expected + (at > 100 ? at - 100 : 0),
                      text + (at > 100 ? at - 100 : 0));
        free(text);
        return;
    }
    for (int i = fixed; i < n; i++) {
        swap(&order[fixed], &order[i]);
        every_order(n, order, fixed + 1, expected);
        swap(&order[fixed], &order[i]);
    }
}

START_TEST(permutations)
{
    int order[HOSTS_MAX], n = _i;
    char *expected, last[32];

    for (int i = 0; i < n; i++)
        order[i] = i + 1;
    expected = play(n, order);
    snprintf(last, sizeof(last), "\n%d tasks\n", n * 4 + 2);
    ck_assert_msg(strstr(expected, last) != NULL, "%d hosts did not come to %s%s", n, last,
                  expected);
    every_order(n, order, 0, expected);
    free(expected);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order");
    TCase *tcase = tcase_create("order");

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, permutations, 1, HOSTS_MAX + 1);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
