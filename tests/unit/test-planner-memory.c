/* Out of memory at every single allocation: the planner fails cleanly, and nothing leaks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "planner_kit.h"
#include "unit.h"

static const char *const hosts[] = {"h1", "h2", NULL};

static struct kit k;
static struct unit_memory memory;

/* A deployment, an upgrade's first steps, a report, a loss, views; stops where memory ends. */
static int play(size_t blocks)
{
    struct qm_cluster_view *cluster;
    struct qm_plan_view *plan;
    struct qm_config *config = NULL;
    struct qm_planner *p = NULL;
    int r;

    unit_memory_init(&memory, blocks);
    ck_assert_int_eq(qm_config_new(&config, NULL, 0, NULL), 0);
    qm_config_set(config, "images.server", "quobyte/quobyte-server", NULL);
    r = qm_planner_new(&p, config, NULL, 0, &memory.allocator, 1767225600000, NULL);
    memset(&k, 0, sizeof(k));
    k.p = p;
    k.config = config;
    k.now = 1767225600000;
    if (r == 0) {
        kit_drain(&k);
        kit_subscribe(&k);
        kit_drain(&k);
        kit_rounds(&k, 1, hosts);
        kit_report(&k, "h1", "RMD");
        kit_report(&k, "h2", "RMD");
        kit_post(&k, "1.1.5");
        kit_rounds(&k, 4, hosts);
        kit_post(&k, "1.1.6");
        kit_drain(&k);
        kit_status_as(&k, "stranger", "a-h1", QM_TASK_RUNNING, QM_SOURCE_EXECUTOR, -1);
        kit_drain(&k);
        kit_tell(&k, (struct qm_fact){.type = QM_FACT_AGENT_LOST, .lost = {.agent_id = "a-h2"}});
        kit_rounds(&k, 1, hosts);
        r = qm_planner_failed(p);
        if (r == 0) {
            r = qm_cluster_view_new(p, &cluster);
            qm_cluster_view_free(cluster);
        }
        if (r == 0) {
            r = qm_plan_view_new(p, &plan);
            qm_plan_view_free(plan);
        }
    }
    ck_assert(r == 0 || r == -ENOMEM);
    kit_deinit(&k);
    ck_assert_msg(memory.live == 0, "%zu blocks leak when allocation %zu fails", memory.live,
                  blocks);
    return r;
}

START_TEST(every_allocation_fails_once)
{
    size_t blocks = 0, step = 1;

    while (play(blocks) != 0) {
        blocks += step;
        if (blocks > 400)
            step = 7;
        ck_assert_uint_lt(blocks, 20000);
    }
    ck_assert_uint_gt(blocks, 100);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("planner-memory");

    tcase_set_timeout(tcase, 100);
    tcase_add_test(tcase, every_allocation_fails_once);
    return unit_run("planner-memory", tcase);
}
