/* Write-ahead, reconciliation, adoption, restarts, records. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "planner_kit.h"
#include "quobyte-mesos/state.pb-c.h"
#include "unit.h"

static const char *const one[] = {"h1", NULL};
static const char *const three[] = {"h1", "h2", "h3", NULL};

static struct kit k;

static void setup(void)
{
    k.allocator = NULL;
    kit_init(&k, NULL);
}

static void teardown(void)
{
    kit_deinit(&k);
}

START_TEST(nothing_before_it_is_saved)
{
    k.hold_saves = true;
    kit_drain(&k);
    ck_assert_uint_eq(k.n_actions[QM_ACTION_SAVE], 1); /* the epoch */
    kit_subscribe(&k);
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 0);
    kit_saved(&k);
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 0); /* now its own record is being saved */
    ck_assert_uint_eq(k.n_actions[QM_ACTION_SAVE], 2);
    kit_saved(&k);
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 1);
}
END_TEST

START_TEST(failed_save_is_said_again)
{
    uint64_t first;

    k.hold_saves = true;
    kit_drain(&k);
    first = k.save_pending;
    kit_save_fails(&k);
    kit_drain(&k);
    ck_assert_uint_eq(k.save_pending, 0); /* not at once */
    kit_wait(&k, 2000);
    ck_assert_uint_gt(k.save_pending, first);
    ck_assert_uint_eq(k.n_unsaved, 1);
    ck_assert_str_eq(k.unsaved[0].key, "framework");
    ck_assert_int_eq(kit_tell(&k, (struct qm_fact){.type = QM_FACT_STATE_SAVED, .revision = 999}),
                     QM_E_STALE);
}
END_TEST

START_TEST(rescinded_while_saving)
{
    char offer[64];

    kit_drain(&k);
    kit_subscribe(&k);
    kit_drain(&k);
    k.hold_saves = true;
    strcpy(offer, kit_offer(&k, "h1"));
    kit_drain(&k);
    ck_assert_int_eq(
        kit_tell(&k, (struct qm_fact){.type = QM_FACT_OFFER_RESCINDED, .offer_id = offer}), 0);
    kit_saved(&k);
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 0);
    ck_assert_uint_eq(k.n_declines, 0); /* it is gone: nothing to answer */
    k.hold_saves = false;
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 1);
    ck_assert_int_eq(
        kit_tell(&k, (struct qm_fact){.type = QM_FACT_OFFER_RESCINDED, .offer_id = offer}),
        QM_E_UNKNOWN);
}
END_TEST

START_TEST(offer_is_held_five_seconds_at_most)
{
    kit_drain(&k);
    kit_subscribe(&k);
    kit_drain(&k);
    k.hold_saves = true;
    kit_offer(&k, "h1");
    kit_drain(&k);
    kit_wait(&k, 4900);
    ck_assert_uint_eq(k.n_declines, 0);
    kit_wait(&k, 200);
    ck_assert_uint_eq(k.n_declines, 1);
    ck_assert_uint_eq(k.declines[0].refuse, 0);
    kit_saved(&k);
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 0);
    kit_offer(&k, "h1"); /* its record is durable by now: no second wait */
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 1);
}
END_TEST

START_TEST(target_is_saved_before_its_launches)
{
    kit_hosts(&k, one, "RMD");
    k.hold_saves = true;
    kit_forget(&k);
    kit_post(&k, "1.1.5");
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 0);
    ck_assert_uint_lt(qm_planner_saved_revision(k.p), qm_planner_revision(k.p));
    while (k.save_pending) {
        kit_saved(&k);
        kit_drain(&k);
    }
    ck_assert_uint_eq(k.n_launches, 1);
    ck_assert_uint_eq(qm_planner_saved_revision(k.p), qm_planner_revision(k.p));
}
END_TEST

START_TEST(ids_are_never_used_twice)
{
    char id[160];

    kit_drain(&k);
    kit_subscribe(&k);
    kit_offer(&k, "h1");
    kit_drain(&k);
    strcpy(id, k.launches[0].id);
    ck_assert_str_eq(id, "prober.h1.1-1");
    k.n_records = 0; /* a store that lost the host's record, not the epoch */
    kit_crash(&k);
    kit_drain(&k);
    ck_assert_uint_gt(k.n_records, 0);
    kit_crash(&k);
    kit_drain(&k);
    kit_subscribe(&k);
    kit_wait(&k, 3000);
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_str_eq(k.launches[1].id, "prober.h1.2-1");
}
END_TEST

START_TEST(recorded_task_must_answer_first)
{
    const char *registry;

    kit_deploy(&k, one, "RMD");
    registry = kit_task(&k, "registry", "h1");
    kit_crash(&k);
    kit_forget(&k);
    kit_drain(&k);
    kit_subscribe(&k);
    kit_drain(&k);
    ck_assert_uint_eq(k.n_reconciled, 6);
    ck_assert_uint_ge(k.n_actions[QM_ACTION_RECONCILE], 2); /* and an implicit one */
    ck_assert_int_eq(kit_stage(&k, registry), QM_STAGE_UNANSWERED);
    kit_rounds(&k, 2, one);
    ck_assert_uint_eq(k.n_launches, 0);
    kit_status_as(&k, registry, "a-h1", QM_TASK_GONE, QM_SOURCE_MASTER, QM_REASON_RECONCILIATION);
    kit_status_as(&k, kit_task(&k, "prober", "h1"), "a-h1", QM_TASK_RUNNING, QM_SOURCE_MASTER,
                  QM_REASON_RECONCILIATION);
    kit_report(&k, "h1", "RMD");
    kit_wait(&k, 15000); /* its back-off */
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 1);
    ck_assert_ptr_nonnull(kit_launched(&k, "registry", "h1"));
}
END_TEST

START_TEST(silence_becomes_unreachable)
{
    const char *registry;

    kit_deploy(&k, one, "R");
    registry = kit_task(&k, "registry", "h1");
    kit_crash(&k);
    kit_drain(&k);
    kit_subscribe(&k);
    kit_drain(&k);
    kit_forget(&k);
    kit_wait(&k, 59000);
    ck_assert_uint_ge(k.n_reconciled, 4); /* asked again, with a back-off */
    ck_assert_uint_le(k.n_reconciled, 40);
    ck_assert_int_eq(kit_stage(&k, registry), QM_STAGE_UNANSWERED);
    kit_wait(&k, 2000);
    ck_assert_int_eq(kit_stage(&k, registry), QM_STAGE_UNREACHABLE);
    kit_rounds(&k, 3, one);
    ck_assert_uint_eq(kit_count(&k, "registry"), 0); /* time proves nothing */
    ck_assert_int_eq(kit_why(&k, "registry.h1").code, QM_WHY_UNREACHABLE);
}
END_TEST

static int found(const char *id, const char *service, const char *host, const char *deployment,
                 const char *version)
{
    char agent[64];

    snprintf(agent, sizeof(agent), "a-%s", host);
    return kit_tell(&k, (struct qm_fact){.type = QM_FACT_TASK_FOUND,
                                         .found = {.task_id = id,
                                                   .agent_id = agent,
                                                   .executor_id = "",
                                                   .hostname = host,
                                                   .deployment = deployment,
                                                   .service = service,
                                                   .version = version,
                                                   .state = QM_TASK_RUNNING,
                                                   .exists = true}});
}

START_TEST(unknown_task_is_adopted)
{
    kit_deploy(&k, three, "R");
    kit_report(&k, "h1", "RM");
    kit_forget(&k);
    kit_status_as(&k, "quobyte-metadata-h1", "a-h1", QM_TASK_RUNNING, QM_SOURCE_EXECUTOR, -1);
    kit_drain(&k);
    ck_assert_uint_eq(k.n_described, 1);
    ck_assert_uint_eq(k.n_acknowledged, 1);
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_ptr_null(kit_launched(&k, "metadata", "h1")); /* it may be what runs */
    ck_assert_int_eq(found("quobyte-metadata-h1", "metadata", "h1", "", "1.1.5"), 0);
    kit_drain(&k);
    ck_assert_str_eq(kit_task(&k, "metadata", "h1"), "quobyte-metadata-h1");
    ck_assert_int_eq(kit_stage(&k, "quobyte-metadata-h1"), QM_STAGE_HEALTHY);
    kit_rounds(&k, 2, three);
    ck_assert_uint_eq(kit_count(&k, "metadata"), 0);
    ck_assert_uint_eq(k.n_kills, 0);
}
END_TEST

START_TEST(surplus_task_is_stopped_and_strangers_are_not)
{
    kit_deploy(&k, three, "R");
    kit_forget(&k);
    kit_status_as(&k, "second-registry", "a-h1", QM_TASK_RUNNING, QM_SOURCE_EXECUTOR, -1);
    kit_status_as(&k, "somebody-else", "a-h1", QM_TASK_RUNNING, QM_SOURCE_EXECUTOR, -1);
    kit_drain(&k);
    found("second-registry", "registry", "h1", "default", "1.1.5");
    found("somebody-else", "registry", "h1", "another", "1.1.5");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_kills, 1);
    ck_assert_str_eq(k.kills[0].id, "second-registry");
    kit_status_as(&k, "nobody-knows", "a-h1", QM_TASK_FAILED, QM_SOURCE_AGENT, -1);
    kit_forget(&k);
    kit_drain(&k);
    ck_assert_uint_eq(k.n_acknowledged, 1);
    ck_assert_uint_eq(k.n_described, 0);
}
END_TEST

/* Two places whose records name tasks that are gone, while others run there: an old backup. */
START_TEST(old_state_moves_nothing)
{
    char old[2][160];

    kit_deploy(&k, three, "R");
    strcpy(old[0], kit_task(&k, "registry", "h1"));
    strcpy(old[1], kit_task(&k, "registry", "h2"));
    kit_crash(&k);
    kit_drain(&k);
    kit_subscribe(&k);
    kit_drain(&k);
    for (int i = 0; i < 2; i++) {
        kit_status_as(&k, old[i], i ? "a-h2" : "a-h1", QM_TASK_GONE, QM_SOURCE_MASTER,
                      QM_REASON_RECONCILIATION);
        kit_status_as(&k, i ? "new-2" : "new-1", i ? "a-h2" : "a-h1", QM_TASK_RUNNING,
                      QM_SOURCE_MASTER, QM_REASON_RECONCILIATION);
    }
    kit_drain(&k);
    found("new-1", "registry", "h1", "default", "1.1.6");
    found("new-2", "registry", "h2", "default", "1.1.6");
    kit_wait(&k, 70000);
    kit_forget(&k);
    kit_rounds(&k, 3, three);
    ck_assert_uint_eq(kit_count(&k, "registry"), 0);
    ck_assert_uint_eq(k.n_kills, 0);
    ck_assert_int_eq(kit_why(&k, "registry.h1").code, QM_WHY_OLD_STATE);
    ck_assert_int_eq(kit_command(&k, QM_COMMAND_RESUME), 0);
    kit_drain(&k);
    ck_assert_str_eq(kit_task(&k, "registry", "h1"), "new-1");
    ck_assert_int_eq(kit_command(&k, QM_COMMAND_RESUME), QM_E_CONFLICT);
}
END_TEST

START_TEST(dead_stays_dead_and_copies_are_acknowledged)
{
    char id[160];

    kit_deploy(&k, one, "R");
    strcpy(id, kit_task(&k, "registry", "h1"));
    kit_forget(&k);
    kit_status(&k, id, QM_TASK_FAILED);
    kit_status_as(&k, id, "a-h1", QM_TASK_FAILED, QM_SOURCE_EXECUTOR, -1);
    kit_status_as(&k, id, "a-h1", QM_TASK_RUNNING, QM_SOURCE_EXECUTOR, -1);
    kit_drain(&k);
    ck_assert_uint_eq(k.n_acknowledged, 3);
    ck_assert_int_eq(kit_stage(&k, id), QM_STAGE_DEAD);
    ck_assert_int_eq(kit_why(&k, "registry.h1").code, QM_WHY_BACKOFF);
}
END_TEST

START_TEST(launch_without_answer_is_asked_after)
{
    kit_drain(&k);
    kit_subscribe(&k);
    kit_offer(&k, "h1");
    kit_drain(&k);
    kit_forget(&k);
    kit_wait(&k, 59000);
    ck_assert_uint_eq(k.n_reconciled, 0);
    kit_wait(&k, 2000);
    ck_assert_uint_eq(k.n_reconciled, 1);
    ck_assert_str_eq(k.reconciled[0], "prober.h1.1-1");
}
END_TEST

/* A record with a field that this version does not know. */
START_TEST(unknown_fields_survive)
{
    static const uint8_t extra[] = {0xa2, 0x06, 3, 'n', 'e', 'w'}; /* field 100, bytes */
    bool kept = false;

    kit_deploy(&k, one, "R");
    for (size_t i = 0; i < k.n_records; i++) {
        struct kit_record *r = &k.records[i];

        if (!r->data)
            continue;
        r->data = realloc(r->data, r->length + sizeof(extra));
        memcpy(r->data + r->length, extra, sizeof(extra));
        r->length += sizeof(extra);
    }
    kit_crash(&k);
    kit_drain(&k);
    kit_subscribe(&k);
    kit_status_as(&k, kit_task(&k, "registry", "h1"), "a-h1", QM_TASK_FAILED, QM_SOURCE_AGENT, -1);
    kit_drain(&k);
    kit_wait(&k, 3000);
    for (size_t i = 0; i < k.n_records; i++) {
        const struct kit_record *r = &k.records[i];

        if (!r->data)
            continue;
        kept = r->length > sizeof(extra) && memmem(r->data, r->length, extra, sizeof(extra));
        ck_assert_msg(kept, "%s lost what it did not know", r->key);
    }
    ck_assert(kept);
}
END_TEST

START_TEST(newer_and_damaged_records_are_refused)
{
    static const uint8_t newer[] = {0x08, 99}, damaged[] = {0xff, 0xff, 0xff};
    struct qm_record record = {"framework", newer, sizeof(newer)};
    struct qm_planner *p = NULL;
    struct qm_error error;

    ck_assert_int_eq(qm_planner_new(&p, k.config, &record, 1, NULL, k.now, &error), QM_E_FORMAT);
    ck_assert_str_eq(error.key, "framework");
    ck_assert_ptr_null(p);
    record = (struct qm_record){"host/h1", damaged, sizeof(damaged)};
    ck_assert_int_eq(qm_planner_new(&p, k.config, &record, 1, NULL, k.now, &error), QM_E_FORMAT);
    ck_assert_str_eq(error.key, "host/h1");
}
END_TEST

START_TEST(configuration_change_waits)
{
    kit_deploy(&k, one, "RMD");
    qm_config_set(k.config, "services.data.resources", "cpus:3;mem:4096;disk:32", NULL);
    kit_crash(&k);
    kit_drain(&k);
    kit_subscribe(&k);
    kit_drain(&k);
    kit_forget(&k);
    for (int i = 0; i < 6; i++) {
        static const char *const names[] = {"prober", "registry", "metadata",
                                            "data",   "api",      "webconsole"};

        kit_status_as(&k, kit_task(&k, names[i], "h1"), "a-h1", QM_TASK_RUNNING, QM_SOURCE_MASTER,
                      QM_REASON_RECONCILIATION);
    }
    kit_report(&k, "h1", "RMD");
    kit_wait(&k, 60000);
    ck_assert_uint_eq(k.n_kills, 0);
    ck_assert_int_eq(kit_why(&k, "data.h1").code, QM_WHY_CONFIG_WAITS);
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_WAITING);
    ck_assert_int_eq(kit_command(&k, QM_COMMAND_RESUME), 0);
    kit_wait(&k, 3000);
    ck_assert_uint_eq(k.n_kills, 1);
    ck_assert(strncmp(k.kills[0].id, "data.", 5) == 0);
    kit_status(&k, k.kills[0].id, QM_TASK_KILLED);
    kit_rounds(&k, 2, one);
    kit_wait(&k, 5000);
    ck_assert_uint_eq(kit_count(&k, "data"), 1);
    ck_assert_int_eq(kit_plan_status(&k), QM_STATUS_COMPLETE);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("planner-state");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nothing_before_it_is_saved);
    tcase_add_test(tcase, failed_save_is_said_again);
    tcase_add_test(tcase, rescinded_while_saving);
    tcase_add_test(tcase, offer_is_held_five_seconds_at_most);
    tcase_add_test(tcase, target_is_saved_before_its_launches);
    tcase_add_test(tcase, ids_are_never_used_twice);
    tcase_add_test(tcase, recorded_task_must_answer_first);
    tcase_add_test(tcase, silence_becomes_unreachable);
    tcase_add_test(tcase, unknown_task_is_adopted);
    tcase_add_test(tcase, surplus_task_is_stopped_and_strangers_are_not);
    tcase_add_test(tcase, old_state_moves_nothing);
    tcase_add_test(tcase, dead_stays_dead_and_copies_are_acknowledged);
    tcase_add_test(tcase, launch_without_answer_is_asked_after);
    tcase_add_test(tcase, unknown_fields_survive);
    tcase_add_test(tcase, newer_and_damaged_records_are_refused);
    tcase_add_test(tcase, configuration_change_waits);
    return unit_run("planner-state", tcase);
}
