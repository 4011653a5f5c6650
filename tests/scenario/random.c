/*
 * Random faults from a seed: agents die, are cut off and come back, tasks fail, connections drop,
 * the scheduler crashes, saves fail, operators change their minds. The judge watches all the time.
 * When the faults stop, the cluster comes to what was ordered last (I10).
 *
 * QM_SEEDS=FROM-TO runs other seeds; a failure prints its seed and the end of its story.
 */
#include "scenario.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS  40
#define FAULTS 40

struct chaos {
    struct rig *rig;
    uint64_t state; /* of the random numbers */
    bool killed[RIG_AGENTS_MAX], cut_off[RIG_AGENTS_MAX];
    const char *ordered; /* the latest version; "" shut down */
};

static uint64_t draw(struct chaos *chaos, uint64_t below)
{
    chaos->state ^= chaos->state << 13;
    chaos->state ^= chaos->state >> 7;
    chaos->state ^= chaos->state << 17;
    return chaos->state % below;
}

static void heal_agent(struct chaos *chaos, size_t agent)
{
    const char *name = chaos->rig->agents[agent].hostname;

    if (chaos->killed[agent]) {
        rig_say(chaos->rig, "-- %s is started", name);
        sim_agent_restart(chaos->rig->sim, agent, false);
    }
    if (chaos->cut_off[agent]) {
        rig_say(chaos->rig, "-- %s is reachable", name);
        sim_agent_heal(chaos->rig->sim, agent);
    }
    chaos->killed[agent] = chaos->cut_off[agent] = false;
}

static void hurt_agent(struct chaos *chaos)
{
    struct rig *rig = chaos->rig;
    size_t agent = draw(chaos, rig->options.n_agents);
    const char *name = rig->agents[agent].hostname;

    if (chaos->killed[agent] || chaos->cut_off[agent]) {
        heal_agent(chaos, agent);
        return;
    }
    switch (draw(chaos, 4)) {
    case 0:
        rig_say(rig, "-- %s is killed", name);
        chaos->killed[agent] = sim_agent_kill(rig->sim, agent) == 0;
        break;
    case 1:
        rig_say(rig, "-- %s is cut off", name);
        chaos->cut_off[agent] = sim_agent_partition(rig->sim, agent) == 0;
        break;
    case 2:
        rig_say(rig, "-- %s reboots", name);
        rig->agents[agent].boots++;
        sim_agent_reboot(rig->sim, agent);
        break;
    default:
        rig_say(rig, "-- %s comes back under a new id", name);
        rig->agents[agent].boots++;
        sim_agent_restart(rig->sim, agent, true);
        break;
    }
}

static void fail_task(struct chaos *chaos)
{
    const struct sim_framework *framework = sim_framework_next(chaos->rig->sim, false, NULL);
    const struct sim_task *task = NULL;
    struct sim_task_view view;
    uint64_t skip = draw(chaos, 14);
    char id[300] = "";

    while (framework && (task = sim_task_next(framework, SIM_TASKS, task)) != NULL) {
        sim_task_look(task, &view);
        snprintf(id, sizeof(id), "%s", view.info->task_id->value);
        if (skip-- == 0)
            break;
    }
    if (!id[0])
        return;
    rig_say(chaos->rig, "-- %s fails", id);
    sim_task_fail(chaos->rig->sim, id);
}

static void post(struct chaos *chaos)
{
    static const char *const versions[] = {"1.1.5", "1.1.6", "1.1.7", ""};

    const char *version = versions[draw(chaos, 4)];
    int result = rig_post(chaos->rig, version);

    /* A third version while an upgrade has moved something is not taken. */
    ck_assert(result == 0 || result == QM_E_CONFLICT);
    if (result == 0)
        chaos->ordered = version;
}

static void one_fault(struct chaos *chaos)
{
    struct rig *rig = chaos->rig;

    switch (draw(chaos, 10)) {
    case 0:
    case 1:
    case 2:
        hurt_agent(chaos);
        break;
    case 3:
    case 4:
        fail_task(chaos);
        break;
    case 5:
        rig_say(rig, "-- connections drop");
        sim_connections_drop(rig->sim);
        break;
    case 6:
        rig_say(rig, "-- the master restarts");
        sim_master_restart(rig->sim);
        break;
    case 7:
        rig->crash_after = (long)draw(chaos, 12);
        break;
    case 8:
        rig->failing_saves = (unsigned)draw(chaos, 4);
        break;
    default:
        post(chaos);
        break;
    }
}

static bool is_over(struct rig *rig)
{
    unsigned live = rig_running(rig, NULL, NULL);

    if (qm_planner_target(rig->planner)[0] == '\0')
        return live == 0;
    return rig_plan_complete(rig) && live == 11;
}

/* Faults end; a target that a crash took back before it was safe is ordered again. */
static void recover(struct chaos *chaos)
{
    struct rig *rig = chaos->rig;

    rig_say(rig, "-- no more faults");
    rig->crash_after = -1;
    rig->failing_saves = 0;
    for (size_t i = 0; i < rig->options.n_agents; i++)
        heal_agent(chaos, i);
    rig_run(rig, NULL, MINUTES(1));
    if (strcmp(qm_planner_target(rig->planner), chaos->ordered) != 0)
        rig_post(rig, chaos->ordered);
    rig_run(rig, is_over, MINUTES(60));
}

static void run_seed(uint64_t seed)
{
    struct chaos chaos = {.rig = new_rig(3), .state = seed * 0x9e3779b97f4a7c15u + 1};
    struct rig *rig = chaos.rig;
    bool good;

    chaos.ordered = "1.1.5";
    rig_post(rig, chaos.ordered);
    for (int i = 0; i < FAULTS && !rig_verdict(rig)[0]; i++) {
        rig_run(rig, NULL, draw(&chaos, 4) == 0 ? draw(&chaos, 120000) : draw(&chaos, 4000));
        one_fault(&chaos);
    }
    if (!rig_verdict(rig)[0])
        recover(&chaos);
    good = !rig_verdict(rig)[0] && is_over(rig) &&
           strcmp(qm_planner_target(rig->planner), chaos.ordered) == 0;
    if (!good) {
        story_show(&rig->story, getenv("QM_SEEDS") ? 100000 : 60);
        rig_show_waiting(rig);
        ck_abort_msg("seed %" PRIu64 ": '%s' was ordered, target '%s', %u run, %u at it; %s", seed,
                     chaos.ordered, qm_planner_target(rig->planner), rig_running(rig, NULL, NULL),
                     rig_running(rig, NULL, chaos.ordered), rig_verdict(rig));
    }
    end_rig(rig);
}

START_TEST(seeds)
{
    run_seed((uint64_t)_i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("random");
    TCase *tcase = tcase_create("random");
    const char *range = getenv("QM_SEEDS");
    int from = 1, to = SEEDS;

    if (range && sscanf(range, "%d-%d", &from, &to) != 2)
        return EXIT_FAILURE;
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, seeds, from, to + 1);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
