/* Common parts of the scenarios. */
#include "scenario.h"

#include <stdlib.h>

static const char *const names[] = {"agent-1", "agent-2", "agent-3", "agent-4", "agent-5"};

struct rig *new_rig_with(struct rig_options options, size_t n_agents)
{
    struct rig_agent agents[sizeof(names) / sizeof(*names)];

    if (!options.agents) {
        for (size_t i = 0; i < n_agents; i++)
            agents[i] = rig_agent_with(names[i], i == 0);
        options.agents = agents;
        options.n_agents = n_agents;
    }
    if (options.min_ready == 0)
        options.min_ready = QM_SECONDS(2);
    if (options.image_start_s == 0)
        options.image_start_s = 0.5;
    return rig_new(&options);
}

struct rig *new_rig(size_t n_agents)
{
    return new_rig_with((struct rig_options){0}, n_agents);
}

void deploy_quietly(struct rig *rig)
{
    bool quiet = rig->options.quiet;

    rig->options.quiet = true;
    post_and_complete(rig, "1.1.5");
    rig->options.quiet = quiet;
    rig->story.start = rig->now;
}

void post_and_complete(struct rig *rig, const char *version)
{
    ck_assert_msg(rig_post(rig, version) == 0, "POST %s is refused", version);
    ck_assert_msg(rig_run(rig, rig_plan_complete, MINUTES(30)),
                  "%s is not complete after 30 minutes; %u services run at it; %s", version,
                  rig_running(rig, NULL, version), rig_verdict(rig));
}

void expect_content(struct rig *rig)
{
    ck_assert_msg(rig_verdict(rig)[0] == '\0', "%s", rig_verdict(rig));
}

void end_story(struct rig *rig, const char *name)
{
    char path[4096];
    bool same;

    snprintf(path, sizeof(path), "%s/%s.txt", SCENARIO_DIR, name);
    same = story_matches(&rig->story, path);
    expect_content(rig);
    ck_assert_msg(same, "the story differs from %s.txt", name);
    end_rig(rig);
}

void end_rig(struct rig *rig)
{
    expect_content(rig);
    rig->planner = qm_planner_free(rig->planner);
    ck_assert_msg(rig->live_blocks == 0, "%zu blocks of the planner live on", rig->live_blocks);
    rig_free(rig);
}

int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
