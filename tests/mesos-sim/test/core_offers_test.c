/* Offers of the simulator: who gets what and when, declining, launching, and what a launch is
 * refused for. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define EVENT(name)  MESOS__V1__SCHEDULER__EVENT__TYPE__##name
#define CALL(name)   MESOS__V1__SCHEDULER__CALL__TYPE__##name
#define STATE(name)  MESOS__V1__TASK_STATE__TASK_##name
#define REASON(name) MESOS__V1__TASK_STATUS__REASON__REASON_##name

static struct world world;
static struct scheduler web;

START_TEST(offers_come_at_once)
{
    const event_t *event;
    const Mesos__V1__Offer *offer;

    world_init(&world, 3);
    scheduler_subscribe(&web, &world, NULL);
    event = scheduler_expect(&web, EVENT(OFFERS), 0, NULL);
    ck_assert_uint_eq(event->offers->n_offers, 3);
    offer = event->offers->offers[0];
    ck_assert_str_eq(offer->allocation_info->role, "web");
    ck_assert_str_eq(offer->url->path, "/slave(1)");
    ck_assert_str_eq(offer->resources[0]->name, "cpus");
    ck_assert_str_eq(offer->resources[0]->allocation_info->role, "web");
    ck_assert_uint_eq(offer->resources[0]->n_reservations, 0);
    scheduler_expect_none(&web, EVENT(OFFERS), 5000);
    world_deinit(&world);
}
END_TEST

/* Both formats of a reservation, and an agent that is parted between roles. */
START_TEST(reservations)
{
    struct sim_agent_config config = {.hostname = "a",
                                      .resources = "cpus:4;mem:1024;cpus(db):2;mem(db):512"};
    struct sim_cluster cluster = {.agents = &config, .n_agents = 1};
    struct scheduler db;
    const Mesos__V1__Offer *offer;

    world_init_cluster(&world, &cluster);
    scheduler_subscribe(&web, &world, NULL);
    offer = scheduler_offer(&web, 0);
    ck_assert_uint_eq(offer->n_resources, 2);
    scheduler_subscribe(&db, &world, &(struct wishes){.role = "db"});
    offer = scheduler_offer(&db, 0);
    ck_assert_uint_eq(offer->n_resources, 2);
    ck_assert_uint_eq(offer->resources[0]->n_reservations, 1);
    ck_assert_str_eq(offer->resources[0]->reservations[0]->role, "db");
    ck_assert_int_eq(offer->resources[0]->reservations[0]->type,
                     MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__STATIC);
    scheduler_simple(&db, CALL(TEARDOWN));
    scheduler_subscribe(&db, &world, &(struct wishes){.role = "db", .old_format = true});
    offer = scheduler_offer(&db, 0);
    ck_assert_uint_eq(offer->resources[0]->n_reservations, 0);
    ck_assert_str_eq(offer->resources[0]->role, "db");
    world_deinit(&world);
}
END_TEST

static int64_t back_after(double refuse_seconds)
{
    const Mesos__V1__Offer *offer;
    int64_t declined, at;

    world_init(&world, 1);
    scheduler_subscribe(&web, &world, NULL);
    offer = scheduler_offer(&web, 0);
    world_run(&world, 300);
    declined = world_now(&world);
    scheduler_decline(&web, offer, refuse_seconds);
    scheduler_expect(&web, EVENT(OFFERS), 400000, &at);
    world_deinit(&world);
    return at - declined;
}

START_TEST(declined_offers_come_back)
{
    /* As recorded: 0.68, 5.70, 5.76 and 20.72 s, a batch being due every second. */
    ck_assert_int_eq(back_after(0), 700);
    ck_assert_int_eq(back_after(5), 5700);
    ck_assert_int_eq(back_after(-1), 5700);
    ck_assert_int_eq(back_after(20), 20700);
}
END_TEST

START_TEST(suppress_and_revive)
{
    const Mesos__V1__Offer *offer;
    int64_t at;

    world_init(&world, 1);
    scheduler_subscribe(&web, &world, NULL);
    offer = scheduler_offer(&web, 0);
    scheduler_decline(&web, offer, 3600);
    scheduler_expect_none(&web, EVENT(OFFERS), 3000);
    scheduler_simple(&web, CALL(REVIVE));
    scheduler_expect(&web, EVENT(OFFERS), 0, &at);
    offer = world.seen[world.n_seen - 1].event->offers->offers[0];
    scheduler_simple(&web, CALL(SUPPRESS));
    scheduler_decline(&web, offer, 0);
    scheduler_expect_none(&web, EVENT(OFFERS), 3000);
    scheduler_simple(&web, CALL(REVIVE));
    scheduler_expect(&web, EVENT(OFFERS), 0, NULL);
    world_deinit(&world);
}
END_TEST

/* More than was refused breaks the filter. */
START_TEST(freed_resources_break_a_filter)
{
    const Mesos__V1__Offer *offer;
    char agent[128];
    int64_t killed, at;

    world_init(&world, 1);
    scheduler_subscribe(&web, &world, NULL);
    strcpy(agent, scheduler_run_task(&web, "t"));
    offer = scheduler_offer(&web, 7000);
    ck_assert(offer->resources[0]->scalar->value == 3);
    scheduler_decline(&web, offer, 3600);
    scheduler_expect_none(&web, EVENT(OFFERS), 3000);
    killed = world_now(&world);
    scheduler_kill(&web, "t", agent);
    ck_assert_int_eq(scheduler_status(&web, "t", 1000)->state, STATE(KILLED));
    offer = scheduler_expect(&web, EVENT(OFFERS), 1100, &at)->offers->offers[0];
    ck_assert_int_le(at - killed, 1050);
    ck_assert(offer->resources[0]->scalar->value == 4);
    world_deinit(&world);
}
END_TEST

/* ---- refusals ---- */

static const Mesos__V1__Offer *fresh(void)
{
    world_init(&world, 2);
    scheduler_subscribe(&web, &world, NULL);
    return scheduler_offer(&web, 0);
}

/* Launches, expects TASK_ERROR with that text (an exact one, or the start of one), and cleans up.
 */
static void refused(const Mesos__V1__Offer *offer, Mesos__V1__TaskInfo *task, const char *text)
{
    const status_t *status;

    scheduler_launch(&web, offer, &task, 1);
    status = scheduler_status(&web, task->task_id->value, 0);
    ck_assert_int_eq(status->state, STATE(ERROR));
    ck_assert_int_eq(status->reason, REASON(TASK_INVALID));
    ck_assert(!status->has_uuid);
    ck_assert_msg(strncmp(status->message, text, strlen(text)) == 0, "'%s' instead of '%s'",
                  status->message, text);
    task_free(task);
    world_deinit(&world);
}

START_TEST(bad_tasks)
{
    const Mesos__V1__Offer *offer = fresh();
    Mesos__V1__TaskInfo *task = task_make("a/b", offer);

    refused(offer, task, "'a/b' contains invalid characters");
    offer = fresh();
    refused(offer, task_make("", offer), "ID must not be empty");
    offer = fresh();
    task = task_make("t", offer);
    task->agent_id->value[0] ^= 1;
    refused(offer, task, "Task uses invalid agent ");
    offer = fresh();
    task = task_make("t", offer);
    task->resources[0]->scalar->value = 99;
    refused(offer, task,
            "Total resources cpus(allocated: web):99; mem(allocated: web):128 required by task and "
            "its executor is more "
            "than available cpus(allocated: web):4; mem(allocated: web):4096; disk(allocated: "
            "web):10000; "
            "ports(allocated: web):[21100-21199]");
    offer = fresh();
    task = task_make("t", offer);
    task->resources[0]->scalar->value = -1;
    refused(offer, task, "Resource 'cpus:-1' is invalid: Invalid scalar resource: value <= 0");
    offer = fresh();
    task = task_make("t", offer);
    protobuf_c_message_free_unpacked(&task->command->base, NULL);
    task->command = NULL;
    refused(offer, task,
            "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present");
    offer = fresh();
    task = task_make("t", offer);
    protobuf_c_message_free_unpacked(&task->container->docker->base, NULL);
    task->container->docker = NULL;
    refused(offer, task,
            "Task's `ContainerInfo` is invalid: DockerInfo 'docker' is not set for DOCKER typed "
            "ContainerInfo");
    offer = fresh();
    task = task_make("t", offer);
    task->health_check = malloc(sizeof *task->health_check);
    mesos__v1__health_check__init(task->health_check);
    refused(offer, task, "Task uses invalid health check: HealthCheck must specify 'type'");
}
END_TEST

START_TEST(executor_must_stay_the_same)
{
    const Mesos__V1__Offer *offer = fresh();
    Mesos__V1__TaskInfo *tasks[] = {task_make_executor("t1", offer, "e"),
                                    task_make_executor("t2", offer, "e")};
    const status_t *status;

    tasks[1]->executor->name = strdup("another");
    scheduler_launch(&web, offer, tasks, 2);
    status = scheduler_status(&web, "t2", 0);
    ck_assert_int_eq(status->state, STATE(ERROR));
    ck_assert_ptr_nonnull(strstr(
        status->message, "ExecutorInfo is not compatible with existing ExecutorInfo with same "
                         "ExecutorID.\n----"));
    ck_assert_ptr_nonnull(strstr(status->message, "\nname: \"another\"\n"));
    task_free(tasks[0]);
    task_free(tasks[1]);
    world_deinit(&world);
}
END_TEST

START_TEST(stale_offers)
{
    const Mesos__V1__Offer *offer = fresh();
    Mesos__V1__TaskInfo *task = task_make("t", offer);
    const status_t *status;
    char text[256];

    snprintf(text, sizeof text, "Task launched with invalid offers: Offer %s is no longer valid",
             offer->id->value);
    scheduler_decline(&web, offer, 0);
    scheduler_launch(&web, offer, &task, 1);
    status = scheduler_status(&web, "t", 0);
    ck_assert_int_eq(status->state, STATE(DROPPED));
    ck_assert_int_eq(status->reason, REASON(INVALID_OFFERS));
    ck_assert_str_eq(status->message, text);
    task_free(task);
    world_deinit(&world);
}
END_TEST

START_TEST(duplicate_id)
{
    const Mesos__V1__Offer *offer = fresh();
    Mesos__V1__TaskInfo *tasks[] = {task_make("same", offer), task_make("same", offer)};
    const status_t *status;

    scheduler_launch(&web, offer, tasks, 2);
    status = scheduler_status(&web, "same", 0);
    ck_assert_int_eq(status->state, STATE(ERROR));
    ck_assert_str_eq(status->message, "Task has duplicate ID: same");
    ck_assert_int_eq(scheduler_status(&web, "same", 100)->state, STATE(STARTING));
    task_free(tasks[0]);
    task_free(tasks[1]);
    world_deinit(&world);
}
END_TEST

/* RESERVE, then a launch on what was reserved, in one ACCEPT; the reservation stays. */
START_TEST(reserve_and_unreserve)
{
    const Mesos__V1__Offer *offer = fresh();
    call_t call = MESOS__V1__SCHEDULER__CALL__INIT;
    Mesos__V1__Scheduler__Call__Accept accept = MESOS__V1__SCHEDULER__CALL__ACCEPT__INIT;
    Mesos__V1__Offer__Operation operation = MESOS__V1__OFFER__OPERATION__INIT,
                                *operations[] = {&operation};
    Mesos__V1__Offer__Operation__Reserve reserve = MESOS__V1__OFFER__OPERATION__RESERVE__INIT;
    Mesos__V1__Resource resource = MESOS__V1__RESOURCE__INIT, *resources[] = {&resource};
    Mesos__V1__Value__Scalar two = MESOS__V1__VALUE__SCALAR__INIT;
    Mesos__V1__Resource__ReservationInfo info = MESOS__V1__RESOURCE__RESERVATION_INFO__INIT,
                                         *infos[] = {&info};
    Mesos__V1__OfferID *ids[] = {offer->id};
    bool seen = false;

    two.value = 2;
    resource.name = (char *)"cpus";
    resource.scalar = &two;
    info.has_type = 1;
    info.type = MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC;
    info.role = (char *)"web";
    resource.n_reservations = 1;
    resource.reservations = infos;
    reserve.n_resources = 1;
    reserve.resources = resources;
    operation.has_type = 1;
    operation.type = MESOS__V1__OFFER__OPERATION__TYPE__RESERVE;
    operation.reserve = &reserve;
    accept.n_offer_ids = 1;
    accept.offer_ids = ids;
    accept.n_operations = 1;
    accept.operations = operations;
    call.type = CALL(ACCEPT);
    call.accept = &accept;
    scheduler_call(&web, &call);
    offer = scheduler_offer(&web, 7000);
    for (size_t i = 0; i < offer->n_resources; i++)
        seen |= offer->resources[i]->n_reservations == 1 && offer->resources[i]->scalar->value == 2;
    ck_assert(seen);
    world_deinit(&world);
}
END_TEST

START_TEST(maintenance)
{
    const event_t *event;

    world_init(&world, 1);
    scheduler_subscribe(&web, &world, NULL);
    scheduler_run_task(&web, "t");
    sim_agent_maintenance(world.sim, 0, START_MS + 60000, 5000);
    event = scheduler_expect(&web, EVENT(INVERSE_OFFERS), 0, NULL);
    ck_assert_int_eq(event->inverse_offers->inverse_offers[0]->unavailability->start->nanoseconds,
                     (START_MS + 60000) * 1000000);
    ck_assert_int_eq(sim_agent_maintenance(world.sim, 0, 0, 0), 0);
    scheduler_expect(&web, EVENT(RESCIND_INVERSE_OFFER), 0, NULL);
    world_deinit(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mesos-sim: offers");
    TCase *cases = tcase_create("core");
    SRunner *runner;
    int failed;

    tcase_add_test(cases, offers_come_at_once);
    tcase_add_test(cases, reservations);
    tcase_add_test(cases, declined_offers_come_back);
    tcase_add_test(cases, suppress_and_revive);
    tcase_add_test(cases, freed_resources_break_a_filter);
    tcase_add_test(cases, bad_tasks);
    tcase_add_test(cases, executor_must_stay_the_same);
    tcase_add_test(cases, stale_offers);
    tcase_add_test(cases, duplicate_id);
    tcase_add_test(cases, reserve_and_unreserve);
    tcase_add_test(cases, maintenance);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
