/* What the scenario programs share: rigs of a common kind, and one line that ends a scenario. */
#ifndef TESTS_SCENARIO_H
#define TESTS_SCENARIO_H

#include <check.h>

#include "rig.h"

#define MINUTES(n) QM_SECONDS(60 * (n))

/* Hosts agent-1 to agent-n with a device of each kind; the first one bootstraps. min_ready 2 s. */
struct rig *new_rig(size_t n_agents);
/* The same with more to say; agents, min_ready and image_start_s have these defaults when 0. */
struct rig *new_rig_with(struct rig_options options, size_t n_agents);

/* Deploys 1.1.5 without a word in the story; then the story is told from its beginning. */
void deploy_quietly(struct rig *rig);

/* Posts, and goes on until the plan is complete. */
void post_and_complete(struct rig *rig, const char *version);

/* Fails the test when the judge or the rig have a complaint. */
void expect_content(struct rig *rig);

/* Compares the story with tests/scenario/NAME.txt, checks the verdict, frees the rig. */
void end_story(struct rig *rig, const char *name);

/* Checks the verdict, frees the rig. */
void end_rig(struct rig *rig);

/* main() of a scenario program. */
int run_suite(Suite *suite);

#endif
