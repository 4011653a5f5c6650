/* Hosts, agents, devices and offers: identity, fitting, maintenance, answers to every offer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "planner_kit.h"
#include "unit.h"

static const char *const one[] = {"h1", NULL};
static const char *const two[] = {"h1", "h2", NULL};
static const char *const three[] = {"h1", "h2", "h3", NULL};

static const struct qm_range all_ports[] = {{80, 80}, {8888, 8889}, {21000, 21100}};

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

static int offer(const char *id, const char *agent, const char *host)
{
    const struct qm_resource resources[] = {
        {.kind = QM_RESOURCE_CPUS, .amount = 16000},
        {.kind = QM_RESOURCE_MEM, .amount = 65536},
        {.kind = QM_RESOURCE_DISK, .amount = 200000},
        {.kind = QM_RESOURCE_PORTS, .ranges = all_ports, .n_ranges = 3},
    };

    return kit_offer_as(&k, id, agent, host, resources, 4, "");
}

START_TEST(every_offer_is_answered_once)
{
    kit_deploy(&k, three, "RMD");
    kit_forget(&k);
    for (int i = 0; i < 3; i++)
        kit_offer(&k, three[i]);
    kit_drain(&k);
    ck_assert_uint_eq(k.n_declines, 3);
    ck_assert_uint_eq(k.n_actions[QM_ACTION_DECLINE], 1);
    ck_assert_uint_eq(k.declines[0].refuse, 120000);
    kit_drain(&k);
    ck_assert_uint_eq(k.n_declines, 3);
    ck_assert_int_eq(offer("same", "a-h1", "h1"), 0);
    ck_assert_int_eq(offer("same", "a-h2", ""), QM_E_INVALID);
    ck_assert_int_eq(offer("", "a-h2", "h2"), QM_E_INVALID);
}
END_TEST

START_TEST(wanting_host_is_declined_shortly)
{
    kit_hosts(&k, two, "RMD");
    kit_forget(&k);
    kit_post(&k, "1.1.5");
    kit_drain(&k);
    for (int i = 0; i < 2; i++)
        kit_offer(&k, two[i]);
    kit_drain(&k);
    kit_offer(&k, "h1"); /* metadata will be wanted there soon */
    kit_drain(&k);
    ck_assert_uint_eq(k.n_declines, 1);
    ck_assert_uint_eq(k.declines[0].refuse, 5000);
}
END_TEST

START_TEST(revives_are_limited)
{
    kit_deploy(&k, one, "RMD");
    kit_wait(&k, 120000);
    kit_forget(&k);
    for (int i = 0; i < 20; i++) {
        char version[16];

        snprintf(version, sizeof(version), "2.%d", i);
        kit_post(&k, version);
        kit_drain(&k);
    }
    ck_assert_uint_le(k.n_actions[QM_ACTION_REVIVE], 10);
    ck_assert_uint_ge(k.n_actions[QM_ACTION_REVIVE], 9);
    kit_wait(&k, 4900);
    ck_assert_uint_le(k.n_actions[QM_ACTION_REVIVE], 11);
}
END_TEST

START_TEST(reserved_first_and_never_the_special_ones)
{
    static const struct qm_resource resources[] = {
        {.kind = QM_RESOURCE_CPUS, .amount = 16000, .flags = QM_RESOURCE_REVOCABLE},
        {.kind = QM_RESOURCE_CPUS, .amount = 16000},
        {.kind = QM_RESOURCE_CPUS, .amount = 60, .role = "quobyte"},
        {.kind = QM_RESOURCE_MEM, .amount = 256},
        {.kind = QM_RESOURCE_DISK, .amount = 1000000, .flags = QM_RESOURCE_HAS_SOURCE},
        {.kind = QM_RESOURCE_DISK, .amount = 150},
    };
    const struct kit_launch *launch;

    kit_drain(&k);
    kit_subscribe(&k);
    kit_offer_as(&k, "o", "a-h1", "h1", resources, 6, "");
    kit_drain(&k);
    launch = kit_launched(&k, "prober", "h1");
    ck_assert_ptr_nonnull(launch);
    ck_assert_uint_eq(launch->n_uses, 4);
    ck_assert_uint_eq(launch->uses[0].resource, 2);
    ck_assert_uint_eq(launch->uses[0].amount, 60);
    ck_assert_uint_eq(launch->uses[1].resource, 1);
    ck_assert_uint_eq(launch->uses[1].amount, 40);
    ck_assert_uint_eq(launch->uses[3].resource, 5);
}
END_TEST

START_TEST(ports_fixed_or_any)
{
    static const struct qm_range wrong[] = {{31000, 31007}};
    static const struct qm_resource resources[] = {
        {.kind = QM_RESOURCE_CPUS, .amount = 16000},
        {.kind = QM_RESOURCE_MEM, .amount = 65536},
        {.kind = QM_RESOURCE_DISK, .amount = 200000},
        {.kind = QM_RESOURCE_PORTS, .ranges = wrong, .n_ranges = 1},
    };

    for (int dynamic = 0; dynamic < 2; dynamic++) {
        kit_deinit(&k);
        k.allocator = NULL;
        kit_init(&k, "ports.dynamic", dynamic ? "true" : "false", NULL);
        kit_hosts(&k, one, "RMD");
        kit_post(&k, "1.1.5");
        kit_offer_as(&k, "odd", "a-h1", "h1", resources, 4, "");
        kit_drain(&k);
        if (dynamic) {
            ck_assert_ptr_nonnull(kit_launched(&k, "registry", "h1"));
            ck_assert_uint_eq(kit_launched(&k, "registry", "h1")->ports[0], 31000);
            ck_assert_uint_eq(kit_launched(&k, "registry", "h1")->ports[1], 31001);
        } else {
            ck_assert_ptr_null(kit_launched(&k, "registry", "h1"));
            ck_assert_int_eq(kit_why(&k, "registry.h1").code, QM_WHY_PORTS);
        }
    }
}
END_TEST

START_TEST(several_offers_of_one_agent_together)
{
    static const struct qm_resource cpus[] = {{.kind = QM_RESOURCE_CPUS, .amount = 16000}};
    static const struct qm_resource rest[] = {{.kind = QM_RESOURCE_MEM, .amount = 65536},
                                              {.kind = QM_RESOURCE_DISK, .amount = 200000}};

    kit_drain(&k);
    kit_subscribe(&k);
    kit_offer_as(&k, "o2", "a-h1", "h1", rest, 2, "");
    kit_offer_as(&k, "o1", "a-h1", "h1", cpus, 1, "");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 1);
    ck_assert_str_eq(k.launches[0].offer, "o1");
    ck_assert_uint_eq(k.n_declines, 0);
    ck_assert_uint_eq(k.launches[0].uses[1].offer, 1);
}
END_TEST

START_TEST(hosts_that_are_not_allowed)
{
    kit_deinit(&k);
    k.allocator = NULL;
    kit_init(&k, "placement.hosts", "h1", NULL);
    kit_drain(&k);
    kit_subscribe(&k);
    kit_offer(&k, "h1");
    kit_offer(&k, "h11");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 1);
    ck_assert_str_eq(k.launches[0].host, "h1");
    ck_assert_uint_eq(k.n_declines, 1);
}
END_TEST

START_TEST(new_agent_id_waits_for_proof)
{
    static const uint32_t registry_ports[] = {21000};
    char registry[160];

    kit_deploy(&k, one, "R");
    strcpy(registry, kit_task(&k, "registry", "h1"));
    kit_tell(&k, (struct qm_fact){.type = QM_FACT_AGENT_LOST, .lost = {.agent_id = "a-h1"}});
    kit_drain(&k);
    kit_forget(&k);
    offer("n1", "b-h1", "h1");
    kit_drain(&k);
    ck_assert_uint_eq(kit_count(&k, "prober"), 1);
    ck_assert_ptr_null(kit_launched(&k, "registry", "h1"));
    kit_status_as(&k, k.launches[0].id, "b-h1", QM_TASK_RUNNING, QM_SOURCE_EXECUTOR, -1);
    kit_report_as(&k, "b-h1", "h1", "R", "boot", registry_ports, 1); /* it still listens */
    kit_drain(&k);
    offer("n2", "b-h1", "h1");
    kit_drain(&k);
    ck_assert_ptr_null(kit_launched(&k, "registry", "h1"));
    kit_report_as(&k, "b-h1", "h1", "R", "boot", NULL, 0); /* not any more */
    kit_drain(&k);
    offer("n3", "b-h1", "h1");
    kit_drain(&k);
    ck_assert_ptr_nonnull(kit_launched(&k, "registry", "h1"));
    ck_assert_str_eq(kit_launched(&k, "registry", "h1")->agent, "b-h1");
    ck_assert_int_eq(kit_stage(&k, registry), QM_STAGE_DEAD);
}
END_TEST

START_TEST(two_agents_of_one_name)
{
    kit_deploy(&k, one, "RMD");
    kit_status(&k, kit_task(&k, "data", "h1"), QM_TASK_FAILED);
    kit_drain(&k);
    kit_forget(&k);
    offer("n1", "b-h1", "h1");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 0);
    ck_assert_uint_eq(k.n_declines, 1);   /* answered all the same */
    ck_assert_uint_ge(k.n_reconciled, 4); /* who is still there? */
    kit_wait(&k, 20000);
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 0);
    ck_assert_int_eq(kit_why(&k, "data.h1").code, QM_WHY_TWO_AGENTS);
    kit_tell(&k, (struct qm_fact){.type = QM_FACT_AGENT_LOST, .lost = {.agent_id = "b-h1"}});
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_ptr_nonnull(kit_launched(&k, "data", "h1"));
}
END_TEST

/* The third one is freed with the rest: the sanitizer's leak check judges. */
START_TEST(three_agents_of_one_name)
{
    kit_drain(&k);
    kit_subscribe(&k);
    ck_assert_int_eq(offer("n1", "a-h1", "h1"), 0);
    ck_assert_int_eq(offer("n2", "b-h1", "h1"), 0);
    ck_assert_int_eq(offer("n3", "c-h1", "h1"), 0);
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 0);
}
END_TEST

START_TEST(device_on_two_hosts)
{
    kit_hosts(&k, two, "RM");
    kit_report_as(&k, "a-h1", "x", "RM", "boot", NULL, 0);
    kit_report_as(&k, "a-h2", "x", "RM", "boot", NULL, 0); /* the same ids */
    kit_post(&k, "1.1.5");
    kit_rounds(&k, 3, two);
    ck_assert_uint_eq(kit_count(&k, "registry"), 0);
    ck_assert_int_eq(kit_why(&k, "registry.h1").code, QM_WHY_DEVICE_ON_TWO_HOSTS);
    kit_report_as(&k, "a-h2", "y", "RM", "boot", NULL, 0);
    kit_rounds(&k, 3, two);
    ck_assert_uint_eq(kit_count(&k, "registry"), 2);
}
END_TEST

START_TEST(vanished_device_is_shown_and_stops_nothing)
{
    struct qm_cluster_view *v;

    kit_deploy(&k, one, "RMD");
    kit_forget(&k);
    kit_report(&k, "h1", "RM");
    kit_wait(&k, 60000);
    ck_assert_uint_eq(k.n_kills, 0);
    ck_assert_int_eq(qm_cluster_view_new(k.p, &v), 0);
    ck_assert_uint_eq(v->hosts[0].n_devices, 3);
    ck_assert(v->hosts[0].devices[0].missing);
    qm_cluster_view_free(v);
    kit_status(&k, kit_task(&k, "data", "h1"), QM_TASK_FAILED);
    kit_wait(&k, 20000);
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_ptr_null(kit_launched(&k, "data", "h1"));
    ck_assert_int_eq(kit_why(&k, "data.h1").code, QM_WHY_DEVICE_MISSING);
}
END_TEST

START_TEST(device_tagged_later)
{
    kit_deploy(&k, one, "RM");
    kit_forget(&k);
    kit_report(&k, "h1", "RMD");
    kit_drain(&k);
    ck_assert_uint_eq(k.n_actions[QM_ACTION_REVIVE], 1); /* its offers were declined for long */
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_ptr_nonnull(kit_launched(&k, "data", "h1"));
}
END_TEST

START_TEST(maintenance)
{
    const struct qm_resource resources[] = {
        {.kind = QM_RESOURCE_CPUS, .amount = 16000},
        {.kind = QM_RESOURCE_MEM, .amount = 65536},
        {.kind = QM_RESOURCE_DISK, .amount = 200000},
        {.kind = QM_RESOURCE_PORTS, .ranges = all_ports, .n_ranges = 3},
    };
    struct qm_offer o = {.id = "m1",
                         .agent_id = "a-h1",
                         .hostname = "h1",
                         .role = "",
                         .region = "",
                         .zone = "",
                         .resources = resources,
                         .n_resources = 4};

    kit_deploy(&k, one, "RMD");
    kit_status(&k, kit_task(&k, "data", "h1"), QM_TASK_FAILED);
    kit_wait(&k, 20000);
    kit_forget(&k);
    o.unavailable_from = k.now;
    o.unavailable_for = 60000;
    kit_tell(&k, (struct qm_fact){.type = QM_FACT_OFFER, .offer = o});
    kit_tell(&k, (struct qm_fact){.type = QM_FACT_INVERSE_OFFER,
                                  .inverse_offer = {.id = "i1",
                                                    .agent_id = "a-h1",
                                                    .unavailable_from = k.now,
                                                    .unavailable_for = 60000}});
    kit_drain(&k);
    ck_assert_uint_eq(k.n_launches, 0);
    ck_assert_uint_eq(k.n_actions[QM_ACTION_DECLINE_INVERSE_OFFER], 1);
    ck_assert_int_eq(kit_why(&k, "data.h1").code, QM_WHY_MAINTENANCE);
    kit_wait(&k, 61000);
    o.id = "m2";
    kit_tell(&k, (struct qm_fact){.type = QM_FACT_OFFER, .offer = o});
    kit_drain(&k);
    ck_assert_ptr_nonnull(kit_launched(&k, "data", "h1"));
}
END_TEST

START_TEST(inverse_offer_of_an_empty_host)
{
    kit_hosts(&k, one, "");
    kit_forget(&k);
    kit_tell(&k, (struct qm_fact){.type = QM_FACT_INVERSE_OFFER,
                                  .inverse_offer = {.id = "i1",
                                                    .agent_id = "a-h1",
                                                    .unavailable_from = k.now + 1000}});
    kit_drain(&k);
    ck_assert_uint_eq(k.n_actions[QM_ACTION_ACCEPT_INVERSE_OFFER], 1);
}
END_TEST

START_TEST(silent_prober_is_asked)
{
    kit_hosts(&k, one, "RMD");
    kit_forget(&k);
    kit_wait(&k, 119000);
    ck_assert_uint_eq(k.n_actions[QM_ACTION_PROBE], 0);
    kit_wait(&k, 2000);
    ck_assert_uint_eq(k.n_actions[QM_ACTION_PROBE], 1);
}
END_TEST

START_TEST(dead_prober_is_launched_again_under_a_fresh_id)
{
    char id[160];

    kit_hosts(&k, one, "RMD");
    strcpy(id, kit_task(&k, "prober", "h1"));
    kit_forget(&k);
    kit_status(&k, id, QM_TASK_FAILED);
    kit_wait(&k, 10000);
    kit_offer(&k, "h1");
    kit_drain(&k);
    ck_assert_uint_eq(kit_count(&k, "prober"), 1);
    ck_assert_str_ne(k.launches[0].id, id);
    ck_assert_str_eq(k.launches[0].executor, k.launches[0].id);
}
END_TEST

START_TEST(unknown_things_change_nothing)
{
    kit_deploy(&k, one, "R");
    ck_assert_int_eq(kit_report(&k, "h9", "R"), QM_E_UNKNOWN);
    ck_assert_int_eq(
        kit_tell(&k, (struct qm_fact){.type = QM_FACT_AGENT_LOST, .lost = {.agent_id = "nobody"}}),
        QM_E_UNKNOWN);
    ck_assert_int_eq(
        kit_tell(&k, (struct qm_fact){.type = QM_FACT_TASK_FOUND, .found = {.task_id = "x"}}),
        QM_E_UNKNOWN);
    ck_assert_int_eq(kit_command(&k, QM_COMMAND_RESUME), QM_E_CONFLICT);
    ck_assert_int_eq(kit_tell(&k, (struct qm_fact){.type = (enum qm_fact_type)99}), QM_E_INVALID);
}
END_TEST

START_TEST(outcomes_of_offers)
{
    struct qm_offer_outcomes *o = malloc(sizeof(*o));

    kit_deploy(&k, one, "R");
    kit_offer(&k, "h1");
    kit_drain(&k);
    qm_offer_outcomes_get(k.p, o);
    ck_assert_uint_eq(o->seen, o->accepted + o->declined);
    ck_assert_str_eq(o->recent[0].host, "h1");
    ck_assert_int_eq(o->recent[0].reason.code, QM_WHY_NOT_NEEDED);
    ck_assert_uint_gt(o->by_reason[QM_WHY_NOT_NEEDED], 0);
    free(o);
}
END_TEST

START_TEST(host_without_anything_is_forgotten)
{
    struct qm_cluster_view *v;

    kit_drain(&k);
    kit_subscribe(&k);
    kit_offer(&k, "h1");
    kit_drain(&k);
    kit_status_as(&k, k.launches[0].id, "a-h1", QM_TASK_GONE_BY_OPERATOR, QM_SOURCE_MASTER, -1);
    kit_drain(&k);
    kit_wait(&k, 10000);
    ck_assert_int_eq(qm_cluster_view_new(k.p, &v), 0);
    for (size_t i = 0; i < v->n_hosts; i++)
        ck_assert(!v->hosts[i].connected);
    qm_cluster_view_free(v);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("planner-hosts");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, every_offer_is_answered_once);
    tcase_add_test(tcase, wanting_host_is_declined_shortly);
    tcase_add_test(tcase, revives_are_limited);
    tcase_add_test(tcase, reserved_first_and_never_the_special_ones);
    tcase_add_test(tcase, ports_fixed_or_any);
    tcase_add_test(tcase, several_offers_of_one_agent_together);
    tcase_add_test(tcase, hosts_that_are_not_allowed);
    tcase_add_test(tcase, new_agent_id_waits_for_proof);
    tcase_add_test(tcase, two_agents_of_one_name);
    tcase_add_test(tcase, three_agents_of_one_name);
    tcase_add_test(tcase, device_on_two_hosts);
    tcase_add_test(tcase, vanished_device_is_shown_and_stops_nothing);
    tcase_add_test(tcase, device_tagged_later);
    tcase_add_test(tcase, maintenance);
    tcase_add_test(tcase, inverse_offer_of_an_empty_host);
    tcase_add_test(tcase, silent_prober_is_asked);
    tcase_add_test(tcase, dead_prober_is_launched_again_under_a_fresh_id);
    tcase_add_test(tcase, unknown_things_change_nothing);
    tcase_add_test(tcase, outcomes_of_offers);
    tcase_add_test(tcase, host_without_anything_is_forgotten);
    return unit_run("planner-hosts", tcase);
}
