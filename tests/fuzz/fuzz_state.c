/*
 * Saved records: any bytes are either restored or refused, with the record's name. What was
 * restored plans on without an accident.
 */
#include "fuzz.h"

#include <quobyte-mesos.h>

#define START 1767225600000u

static struct qm_config *good_config(void)
{
    struct qm_config *config = NULL;

    must(qm_config_new(&config, NULL, 0, NULL) == 0);
    must(qm_config_set(config, "images.server", "quobyte/quobyte-server", NULL) == 0);
    return config;
}

static void plan_on(struct qm_planner *planner)
{
    struct qm_fact fact = {
        .time = START + 1,
        .type = QM_FACT_SUBSCRIBED,
        .subscribed = {.framework_id = "f", .master_id = "m"},
    };
    struct qm_cluster_view *cluster = NULL;
    struct qm_plan_view *plan = NULL;

    for (int i = 0; i < 5; i++) {
        const struct qm_action *action;
        uint64_t revision = 0;

        must(qm_planner_step(planner, &fact) >= 0);
        for (int n = 0; (action = qm_planner_next_action(planner)) != NULL; n++) {
            must(n < 100000);
            if (action->type == QM_ACTION_SAVE)
                revision = action->save.revision;
        }
        must(qm_planner_failed(planner) == 0);
        fact = (struct qm_fact){.time = START + 2 + (unsigned)i * 60000, .type = QM_FACT_TIME};
        if (revision) {
            fact.type = QM_FACT_STATE_SAVED;
            fact.revision = revision;
        }
    }
    must(qm_cluster_view_new(planner, &cluster) == 0);
    must(qm_plan_view_new(planner, &plan) == 0);
    qm_cluster_view_free(cluster);
    qm_plan_view_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = {data, size};
    uint8_t split = take_byte(&cursor);
    size_t first = cursor.size * split / 256;
    struct qm_record records[] = {
        {.key = "framework", .data = cursor.data, .length = first},
        {.key = "host/a", .data = cursor.data + first, .length = cursor.size - first},
    };
    size_t n = split == 0xff ? 1 : 2;
    struct qm_config *config = good_config();
    struct qm_planner *planner = NULL;
    struct qm_error error = {0};
    char text[2000];
    int r;

    if (split == 0xff)
        records[0].length = cursor.size;
    for (size_t i = 0; i < n; i++) {
        r = qm_record_format(&records[i], text, sizeof(text), &error);
        must(r == 0 || r == QM_E_FORMAT || r == QM_E_LIMIT);
    }
    r = qm_planner_new(&planner, config, records, n, NULL, START, &error);
    must(r == 0 || r == QM_E_FORMAT);
    if (r == 0)
        plan_on(planner);
    else
        must(error.key[0] != '\0' && error.message[0] != '\0');
    qm_planner_free(planner);
    qm_config_free(config);
    return 0;
}
