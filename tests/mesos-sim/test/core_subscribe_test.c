/* The scheduler endpoint of the simulator: checks in Mesos' order and words, subscribing, taking
 * over, failing over. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define EVENT(name) MESOS__V1__SCHEDULER__EVENT__TYPE__##name
#define CALL(name)  MESOS__V1__SCHEDULER__CALL__TYPE__##name

static struct world world;
static struct scheduler web;

static void raw(const char *method, const char *content_type, const void *body, size_t len,
                int status, const char *text)
{
    struct sim_pair headers[] = {{"Content-Type", content_type},
                                 {"Accept", "application/x-protobuf"}};

    if (content_type)
        scheduler_raw(&web, method, headers, 2, body, len);
    else
        scheduler_raw(&web, method, headers + 1, 1, body, len);
    ck_assert_int_eq(web.status, status);
    ck_assert_str_eq(web.body, text);
}

START_TEST(checks_in_order)
{
    world_init(&world, 1);
    web = (struct scheduler){.world = &world};
    raw("GET", NULL, NULL, 0, 405,
        "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.");
    raw("POST", NULL, "", 0, 400, "Expecting 'Content-Type' to be present");
    raw("POST", "application/x-protobuf; charset=utf-8", "", 0, 415,
        "Expecting 'Content-Type' of application/json or application/x-protobuf");
    raw("POST", "application/x-protobuf", "\xff\xff", 2, 400,
        "Failed to parse body into Call protobuf");
    raw("POST", "application/x-protobuf", "", 0, 400,
        "Failed to validate scheduler::Call: Expecting 'type' to be present");
    raw("POST", "application/x-protobuf", "\x10\x63", 2, 400,
        "Failed to validate scheduler::Call: Expecting 'type' to be present");
    raw("POST", "application/x-protobuf", "\x10\x01", 2, 400,
        "Failed to validate scheduler::Call: Expecting 'subscribe' to be present");
    raw("POST", "application/x-protobuf", "\x10\x04", 2, 400,
        "Failed to validate scheduler::Call: Expecting 'framework_id' to be present");
    raw("POST", "application/x-protobuf", "\x0a\x03\x0a\x01z\x10\x04", 7, 400,
        "Failed to validate scheduler::Call: Expecting 'decline' to be present");
    raw("POST", "application/x-protobuf", "\x0a\x03\x0a\x01z\x10\x0c", 7, 400,
        "Framework cannot be found");
    world_deinit(&world);
}
END_TEST

START_TEST(stream_ids)
{
    char old[64];

    world_init(&world, 1);
    scheduler_subscribe(&web, &world, &(struct wishes){.failover_timeout = 60});
    strcpy(old, web.stream_id);
    web.stream_id[0] ^= 1;
    scheduler_simple(&web, CALL(SUPPRESS));
    ck_assert_int_eq(web.status, 400);
    ck_assert_ptr_nonnull(
        strstr(web.body, "included in this request didn't match the stream ID currently associated "
                         "with framework ID"));
    strcpy(web.stream_id, old);
    scheduler_simple(&web, CALL(SUPPRESS));
    ck_assert_int_eq(web.status, 202);
    scheduler_disconnect(&web);
    scheduler_simple(&web, CALL(SUPPRESS));
    ck_assert_int_eq(web.status, 403);
    ck_assert_str_eq(web.body, "Framework is not subscribed");
    world_deinit(&world);
}
END_TEST

START_TEST(subscribed_then_heartbeats)
{
    int64_t at;

    world_init(&world, 1);
    scheduler_subscribe(&web, &world, NULL);
    ck_assert_int_eq(web.status, 200);
    ck_assert_int_eq(world.seen[0].event->type, EVENT(SUBSCRIBED));
    ck_assert(world.seen[0].event->subscribed->heartbeat_interval_seconds == 15.0);
    ck_assert_uint_eq(world.seen[0].event->subscribed->master_info->n_capabilities, 3);
    for (int i = 0; i < 3; i++) {
        scheduler_expect(&web, EVENT(HEARTBEAT), 16000, &at);
        ck_assert_int_eq(at, 15000 * i);
    }
    world_deinit(&world);
}
END_TEST

START_TEST(second_subscribe_takes_over)
{
    struct scheduler second;
    size_t from = 0;
    const struct seen *end;

    world_init(&world, 1);
    scheduler_subscribe(&web, &world, &(struct wishes){.failover_timeout = 60});
    scheduler_offer(&web, 100);
    scheduler_subscribe(&second, &world, &(struct wishes){.id = web.id, .failover_timeout = 60});
    ck_assert_str_eq(scheduler_expect(&web, EVENT(ERROR), 0, NULL)->error->message,
                     "Framework failed over");
    end = world_next(&world, &from, SIM_OUT_END);
    ck_assert_ptr_nonnull(end);
    ck_assert_uint_eq(end->stream, web.stream);
    ck_assert_str_eq(second.id, web.id);
    ck_assert_str_ne(second.stream_id, web.stream_id);
    /* The offers of the old stream are void without a word, and come again with the next batch. */
    ck_assert_ptr_null(scheduler_next(&web, EVENT(RESCIND)));
    scheduler_offer(&second, 1100);
    scheduler_simple(&web, CALL(SUPPRESS));
    ck_assert_int_eq(web.status, 400);
    world_deinit(&world);
}
END_TEST

START_TEST(failover_timeout)
{
    struct scheduler again;
    const char *agent;

    world_init(&world, 1);
    scheduler_subscribe(&web, &world, &(struct wishes){.failover_timeout = 30, .checkpoint = true});
    agent = scheduler_run_task(&web, "t");
    scheduler_disconnect(&web);
    world_run(&world, 29900);
    scheduler_subscribe(&again, &world,
                        &(struct wishes){.id = web.id, .failover_timeout = 30, .checkpoint = true});
    scheduler_reconcile(&again, "t", agent);
    ck_assert_int_eq(scheduler_status(&again, "t", 0)->state, MESOS__V1__TASK_STATE__TASK_RUNNING);
    scheduler_disconnect(&again);
    world_run(&world, 30100);
    scheduler_subscribe(
        &web, &world, &(struct wishes){.id = again.id, .failover_timeout = 30, .checkpoint = true});
    ck_assert_int_eq(web.status, 200);
    ck_assert_str_eq(scheduler_expect(&web, EVENT(ERROR), 0, NULL)->error->message,
                     "Framework has been removed");
    world_deinit(&world);
}
END_TEST

START_TEST(unknown_id_is_taken)
{
    world_init(&world, 1);
    scheduler_subscribe(&web, &world, &(struct wishes){.id = "from an older master"});
    ck_assert_int_eq(web.status, 200);
    ck_assert_str_eq(web.id, "from an older master");
    world_deinit(&world);
}
END_TEST

START_TEST(refusals_are_events)
{
    world_init(&world, 1);
    scheduler_subscribe(&web, &world, &(struct wishes){.id = "a/b"});
    ck_assert_int_eq(web.status, 200);
    ck_assert_str_eq(scheduler_expect(&web, EVENT(ERROR), 0, NULL)->error->message,
                     "'a/b' contains invalid characters");
    scheduler_subscribe(&web, &world, &(struct wishes){.role = "/x"});
    ck_assert_str_eq(
        scheduler_expect(&web, EVENT(ERROR), 0, NULL)->error->message,
        "'FrameworkInfo.roles' contains invalid role: Role '/x' cannot start with a slash");
    scheduler_subscribe(&web, &world, &(struct wishes){.failover_timeout = 1e18});
    ck_assert_str_eq(scheduler_expect(&web, EVENT(ERROR), 0, NULL)->error->message,
                     "The framework failover_timeout (1e+18) is invalid");
    world_deinit(&world);
}
END_TEST

START_TEST(teardown_ends_the_stream)
{
    size_t from = 0;

    world_init(&world, 1);
    scheduler_subscribe(&web, &world, NULL);
    scheduler_run_task(&web, "t");
    scheduler_simple(&web, CALL(TEARDOWN));
    ck_assert_int_eq(web.status, 202);
    ck_assert_ptr_nonnull(world_next(&world, &from, SIM_OUT_END));
    ck_assert_ptr_null(scheduler_next(&web, EVENT(ERROR)));
    ck_assert_ptr_null(scheduler_next(&web, EVENT(UPDATE)));
    scheduler_simple(&web, CALL(SUPPRESS));
    ck_assert_int_eq(web.status, 400);
    world_deinit(&world);
}
END_TEST

START_TEST(master_restart_has_its_phases)
{
    static const struct wishes wishes = {.failover_timeout = 60, .checkpoint = true};
    char agent[128];
    struct scheduler again;
    size_t from;

    world_init(&world, 2);
    scheduler_subscribe(&web, &world, &wishes);
    strcpy(agent, scheduler_run_task(&web, "t"));
    from = world.n_seen;
    sim_master_restart(world.sim);
    ck_assert(!sim_listens(world.sim, SIM_MASTER));
    ck_assert_int_eq(world_next(&world, &from, SIM_OUT_HANG_UP_ALL)->target, SIM_MASTER);
    world_run(&world, 305);
    scheduler_simple(&web, CALL(SUPPRESS));
    ck_assert_int_eq(web.status, 404);
    world_run(&world, 15);
    scheduler_simple(&web, CALL(SUPPRESS));
    ck_assert_int_eq(web.status, 503);
    ck_assert_str_eq(web.body, "Master has not finished recovery");
    world_run(&world, 100);
    scheduler_simple(&web, CALL(SUPPRESS));
    ck_assert_int_eq(web.status, 400);
    scheduler_subscribe(&again, &world,
                        &(struct wishes){.id = web.id, .failover_timeout = 60, .checkpoint = true});
    ck_assert_int_eq(again.status, 200);
    /* Explicit reconciliation is silent till the agent is back; its return is silent too. */
    scheduler_reconcile(&again, "t", agent);
    scheduler_expect_none(&again, EVENT(UPDATE), 3000);
    scheduler_reconcile(&again, "t", agent);
    ck_assert_int_eq(scheduler_status(&again, "t", 0)->state, MESOS__V1__TASK_STATE__TASK_RUNNING);
    world_deinit(&world);
}
END_TEST

/* A leader dies, nobody leads for a while, and another process is elected. */
START_TEST(leadership_moves)
{
    static const struct wishes wishes = {.failover_timeout = 60, .checkpoint = true};
    struct sim_master_view view;
    struct scheduler again;
    char id[37], agent[128];

    world_init(&world, 2);
    scheduler_subscribe(&web, &world, &wishes);
    strcpy(agent, scheduler_run_task(&web, "t"));
    sim_master_new_id(world.sim, id);
    ck_assert_int_eq(sim_master_elect(world.sim, id, 5060), -EINVAL);
    sim_master_stop(world.sim);
    world_run(&world, 30000);
    ck_assert(!sim_listens(world.sim, SIM_MASTER));
    ck_assert_int_eq(sim_master_elect(world.sim, id, 5060), 0);
    scheduler_simple(&web, CALL(SUPPRESS));
    ck_assert_int_eq(web.status, 503);
    world_run(&world, 1000);
    scheduler_simple(&web, CALL(SUPPRESS));
    ck_assert_int_eq(web.status, 400);
    sim_master_look(world.sim, &view);
    ck_assert_str_eq(view.id, id);
    ck_assert_str_eq(view.pid, "master@127.0.0.1:5060");
    scheduler_subscribe(&again, &world,
                        &(struct wishes){.id = web.id, .failover_timeout = 60, .checkpoint = true});
    world_run(&world, 3000);
    scheduler_reconcile(&again, "t", agent);
    ck_assert_int_eq(scheduler_status(&again, "t", 0)->state, MESOS__V1__TASK_STATE__TASK_RUNNING);
    world_deinit(&world);
}
END_TEST

START_TEST(authentication)
{
    struct sim_agent_config config = {.hostname = "a"};
    struct sim_pair credential = {"sched", "secret"};
    struct sim_cluster cluster = {
        .agents = &config, .n_agents = 1, .credentials = &credential, .n_credentials = 1};
    struct sim_pair headers[] = {{"Content-Type", "application/x-protobuf"},
                                 {"Authorization", "Basic c2NoZWQ6c2VjcmV0"}};

    world_init_cluster(&world, &cluster);
    web = (struct scheduler){.world = &world};
    scheduler_raw(&web, "GET", headers, 1, "", 0);
    ck_assert_int_eq(web.status, 401);
    ck_assert_str_eq(web.body, "401 Unauthorized.");
    headers[1].value = "Basic c2NoZWQ6c2VjcmVU";
    scheduler_raw(&web, "POST", headers, 2, "", 0);
    ck_assert_int_eq(web.status, 401);
    headers[1].value = "Basic c2NoZWQ6c2VjcmV0";
    scheduler_raw(&web, "POST", headers, 2, "", 0);
    ck_assert_int_eq(web.status, 400);
    /* SUBSCRIBE of user u, name n, principal x */
    scheduler_raw(&web, "POST", headers, 2, "\x10\x01\x1a\x0b\x0a\x09\x0a\x01u\x12\x01n\x42\x01x",
                  15);
    ck_assert_int_eq(web.status, 400);
    ck_assert_str_eq(
        web.body,
        "Failed to validate scheduler::Call: Authenticated principal 'sched' does not match "
        "principal 'x' set in `FrameworkInfo`");
    /* ... without principal: it is filled in */
    scheduler_raw(&web, "POST", headers, 2, "\x10\x01\x1a\x08\x0a\x06\x0a\x01u\x12\x01n", 12);
    ck_assert_int_eq(web.status, 200);
    {
        struct sim_framework_view view;

        sim_framework_look(world.sim, sim_framework_next(world.sim, false, NULL), &view);
        ck_assert_str_eq(view.info->principal, "sched");
    }
    world_deinit(&world);
}
END_TEST

START_TEST(same_inputs_same_outputs)
{
    char ids[2][3][128];

    for (int i = 0; i < 2; i++) {
        const Mesos__V1__Offer *offer;

        world_init(&world, 3);
        scheduler_subscribe(&web, &world, NULL);
        strcpy(ids[i][0], web.stream_id);
        offer = scheduler_offer(&web, 100);
        strcpy(ids[i][1], offer->id->value);
        strcpy(ids[i][2], offer->agent_id->value);
        world_deinit(&world);
    }
    for (int j = 0; j < 3; j++)
        ck_assert_str_eq(ids[0][j], ids[1][j]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mesos-sim: subscribing");
    TCase *cases = tcase_create("core");
    SRunner *runner;
    int failed;

    tcase_add_test(cases, checks_in_order);
    tcase_add_test(cases, stream_ids);
    tcase_add_test(cases, subscribed_then_heartbeats);
    tcase_add_test(cases, second_subscribe_takes_over);
    tcase_add_test(cases, failover_timeout);
    tcase_add_test(cases, unknown_id_is_taken);
    tcase_add_test(cases, refusals_are_events);
    tcase_add_test(cases, teardown_ends_the_stream);
    tcase_add_test(cases, master_restart_has_its_phases);
    tcase_add_test(cases, leadership_moves);
    tcase_add_test(cases, authentication);
    tcase_add_test(cases, same_inputs_same_outputs);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
