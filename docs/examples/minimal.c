/*
 * The smallest program that hosts the planner: configuration, one planner, a fact, the drain of
 * its actions, the deadline. It "saves" at once, so that one sees what waits for a save; a real
 * host writes the records to a store first (see quobyte-mesosd).
 *
 *     cc minimal.c $(pkg-config --cflags --libs quobyte-mesos) -o minimal && ./minimal
 */
#include <quobyte-mesos.h>

#include <inttypes.h>
#include <stdio.h>

/* Performs what the planner wants; returns the newest revision that was saved on the way, or 0. */
static uint64_t drain(struct qm_planner *planner)
{
    const struct qm_action *action;
    uint64_t saved = 0;

    while ((action = qm_planner_next_action(planner)) != NULL) {
        char line[512];

        qm_action_format(action, line, sizeof(line));
        printf("  %s\n", line);
        if (action->type == QM_ACTION_SAVE)
            saved = action->save.revision;
    }
    return saved;
}

/* One turn of the loop: a fact goes in, actions come out, and each save is confirmed. */
static int turn(struct qm_planner *planner, const struct qm_fact *fact)
{
    int r = qm_planner_step(planner, fact);

    if (r != 0) {
        fprintf(stderr, "the planner did not take the fact: %s\n", qm_strerror(r));
        return r;
    }
    for (uint64_t revision; (revision = drain(planner)) != 0;) {
        r = qm_planner_step(planner, &(struct qm_fact){
                                         .time = fact->time,
                                         .type = QM_FACT_STATE_SAVED,
                                         .revision = revision,
                                     });
        if (r != 0)
            return r;
    }
    return qm_planner_failed(planner);
}

int main(void)
{
    const qm_time start = 1767225600000; /* the host brings the clock */
    struct qm_config *config = NULL;
    struct qm_planner *planner = NULL;
    struct qm_error error = {0};
    char message[512];
    int r;

    r = qm_config_new(&config, NULL, 0, NULL);
    if (r == 0)
        r = qm_config_set(config, "images.server", "quay.io/quobyte/quobyte-server", &error);
    if (r == 0)
        r = qm_planner_new(&planner, config, NULL, 0, NULL, start, &error);
    config = qm_config_free(config);
    if (r != 0) {
        qm_error_format(&error, message, sizeof(message));
        fprintf(stderr, "no planner: %s\n", message);
        return 1;
    }

    printf("an operator posts 1.1.5:\n");
    r = turn(planner, &(struct qm_fact){
                          .time = start,
                          .type = QM_FACT_COMMAND,
                          .command = {.type = QM_COMMAND_SET_TARGET, .version = "1.1.5"},
                      });
    if (r == 0) {
        printf("a master answers:\n");
        r = turn(planner, &(struct qm_fact){
                              .time = start + 10,
                              .type = QM_FACT_SUBSCRIBED,
                              .subscribed = {.framework_id = "f-1", .master_id = "m-1"},
                          });
    }
    if (r == 0) {
        qm_time deadline = qm_planner_deadline(planner);

        printf("target %s, framework %s, saved revision %" PRIu64 "\n", qm_planner_target(planner),
               qm_planner_framework_id(planner), qm_planner_saved_revision(planner));
        if (deadline != QM_TIME_NEVER)
            printf("tell the time again in %" PRIu64 " ms at the latest\n", deadline - start - 10);
    }
    qm_planner_free(planner);
    return r == 0 ? 0 : 1;
}
