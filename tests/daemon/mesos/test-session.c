/*
 * The subscription's state machine: what goes in and what it wants done, as words.
 */
#include <errno.h>
#include <string.h>

#include "run.h"
#include "mesos/session.h"

#define T0 1700000000000u

static struct session *s;
static char done[4096];

/* All that the session wants now, as words; log lines as their beginning in brackets. */
static const char *drain(void)
{
    struct session_command c;
    done[0] = '\0';
    while (session_next(s, &c)) {
        char word[256] = "";
        switch (c.type) {
        case SESSION_DO_FIND_LEADER:
            snprintf(word, sizeof word, "find%s", c.failed ? "-other" : "");
            break;
        case SESSION_DO_SUBSCRIBE:
            snprintf(word, sizeof word, "subscribe-%d@%s:%u", (int)c.number, c.host, c.port);
            break;
        case SESSION_DO_CLOSE:
            snprintf(word, sizeof word, "close-%d", (int)c.number);
            break;
        case SESSION_DO_CALL:
            snprintf(word, sizeof word, "call-%d(%.*s)%s", (int)c.number, (int)c.length,
                     (const char *)c.body, c.stream_id);
            break;
        case SESSION_DO_UP:
            strcpy(word, "up");
            break;
        case SESSION_DO_DOWN:
            strcpy(word, "down");
            break;
        case SESSION_DO_END:
            snprintf(word, sizeof word, "end-%d", (int)c.end);
            break;
        case SESSION_DO_SAY:
            snprintf(word, sizeof word, "[%.150s]", c.line);
            break;
        }
        if (done[0] != '\0')
            strcat(done, " ");
        strcat(done, word);
    }
    return done;
}

#define wants(text) ck_assert_str_eq(drain(), text)

static enum session_state state(void)
{
    struct session_view view;
    session_view(s, &view);
    return view.state;
}

static void begin(const struct session_rules *rules)
{
    s = session_new(rules, 7);
    ck_assert_ptr_nonnull(s);
}

static void setup(void)
{
    begin(&session_scheduler_rules);
}

static void teardown(void)
{
    session_free(s);
    s = NULL;
}

/* Brings it to SUBSCRIBED with subscription number 1 at m1:5050, stream id "sid". */
static void up(qm_time now)
{
    session_start(s, now);
    session_leader(s, now, "m1", 5050);
    session_answered(s, now, 1, 200, "sid", NULL, NULL);
    ck_assert(session_event(s, now, 1, SESSION_EVENT_SUBSCRIBED, NULL, QM_SECONDS(15)));
    wants("find subscribe-1@m1:5050 up");
    ck_assert_int_eq(state(), SESSION_SUBSCRIBED);
}

static int send_text(qm_time now, const char *text)
{
    return session_send(s, now, "TEST", (const uint8_t *)text, strlen(text));
}

START_TEST(subscribes_step_by_step)
{
    ck_assert_int_eq(state(), SESSION_IDLE);
    ck_assert_uint_eq(session_deadline(s), QM_TIME_NEVER);
    session_start(s, T0);
    wants("find");
    ck_assert_int_eq(state(), SESSION_FINDING_LEADER);
    session_leader(s, T0, "m1", 5050);
    wants("subscribe-1@m1:5050");
    ck_assert_int_eq(state(), SESSION_CONNECTING);
    session_answered(s, T0 + 1, 1, 200, "sid", NULL, NULL);
    wants("");
    ck_assert_int_eq(state(), SESSION_SUBSCRIBING);
    ck_assert_int_eq(send_text(T0 + 1, "early"), -ENOTCONN);
    ck_assert(session_event(s, T0 + 2, 1, SESSION_EVENT_SUBSCRIBED, NULL, QM_SECONDS(15)));
    wants("up");
    ck_assert_uint_eq(session_deadline(s), T0 + 2 + QM_SECONDS(75));
}
END_TEST

START_TEST(any_event_is_a_heartbeat_and_silence_is_a_loss)
{
    up(T0);
    session_event(s, T0 + 40000, 1, SESSION_EVENT_OTHER, NULL, 0);
    session_tick(s, T0 + 75000);
    wants("");
    session_tick(s, T0 + 40000 + 75000 - 1);
    wants("");
    session_tick(s, T0 + 40000 + 75000);
    wants("[Mesos master m1:5050: no heartbeat] down close-1");
    ck_assert_int_eq(state(), SESSION_BACKING_OFF);
    session_tick(s, session_deadline(s));
    wants("find-other");
}
END_TEST

START_TEST(the_master_names_the_heartbeat)
{
    session_start(s, T0);
    session_leader(s, T0, "m1", 5050);
    session_answered(s, T0, 1, 200, "sid", NULL, NULL);
    session_event(s, T0, 1, SESSION_EVENT_SUBSCRIBED, NULL, QM_SECONDS(2));
    ck_assert_uint_eq(session_deadline(s), T0 + QM_SECONDS(10));
}
END_TEST

START_TEST(silence_before_the_subscription_ends_each_try)
{
    session_start(s, T0);
    session_leader(s, T0, "m1", 5050);
    drain();
    session_tick(s, T0 + 15000);
    wants("[Mesos master m1:5050: no answer to SUBSCRIBE] close-1");
    session_tick(s, session_deadline(s));
    session_leader(s, T0 + 20000, "m1", 5050);
    session_answered(s, T0 + 20000, 2, 200, "sid", NULL, NULL);
    wants("find-other subscribe-2@m1:5050");
    session_tick(s, T0 + 50000);
    wants("[Mesos master m1:5050: no SUBSCRIBED event] close-2");
}
END_TEST

START_TEST(backs_off_longer_and_longer_up_to_15_s)
{
    qm_time now = T0;
    qm_duration longest = 0;
    session_start(s, now);
    for (uint64_t i = 1; i <= 12; i++) {
        session_leader(s, now, "m1", 5050);
        session_lost(s, now, i, "cannot connect");
        qm_duration wait = session_deadline(s) - now;
        qm_duration most = i >= 6 ? 15000 : (qm_duration)500 << (i - 1);
        ck_assert_uint_ge(wait, most / 2);
        ck_assert_uint_le(wait, most);
        longest = wait > longest ? wait : longest;
        now += wait;
        session_tick(s, now);
    }
    ck_assert_uint_gt(longest, 7000);
    /* an unreachable master is mentioned once, not at each try */
    const char *all = drain(), *first = strstr(all, "[Mesos master m1:5050: cannot connect]");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(strstr(first + 1, "[Mesos"));
}
END_TEST

START_TEST(says_the_same_trouble_again_after_a_subscription)
{
    up(T0);
    session_lost(s, T0 + 1, 1, "connection closed");
    wants("[Mesos master m1:5050: connection closed] down close-1");
    session_tick(s, session_deadline(s));
    session_leader(s, T0 + 1000, "m1", 5050);
    session_answered(s, T0 + 1000, 2, 200, "sid2", NULL, NULL);
    session_event(s, T0 + 1000, 2, SESSION_EVENT_SUBSCRIBED, NULL, 0);
    wants("find-other subscribe-2@m1:5050 up");
    session_lost(s, T0 + 2000, 2, "connection closed");
    wants("[Mesos master m1:5050: connection closed] down close-2");
}
END_TEST

START_TEST(an_abandoned_stream_means_nothing)
{
    up(T0);
    session_lost(s, T0 + 1, 1, "cut");
    session_tick(s, session_deadline(s));
    session_leader(s, T0 + 1000, "m1", 5050);
    session_answered(s, T0 + 1000, 2, 200, "sid2", NULL, NULL);
    session_event(s, T0 + 1000, 2, SESSION_EVENT_SUBSCRIBED, NULL, 0);
    drain();
    ck_assert(!session_event(s, T0 + 1001, 1, SESSION_EVENT_ERROR, "Framework failed over", 0));
    ck_assert(!session_event(s, T0 + 1001, 1, SESSION_EVENT_OTHER, NULL, 0));
    session_lost(s, T0 + 1001, 1, "late");
    session_answered(s, T0 + 1001, 1, 503, NULL, NULL, NULL);
    session_call_answered(s, T0 + 1001, 1, 400, "Framework cannot be found");
    wants("");
    ck_assert_int_eq(state(), SESSION_SUBSCRIBED);
}
END_TEST

START_TEST(one_call_at_a_time_in_order)
{
    up(T0);
    ck_assert_int_eq(send_text(T0, "a"), 0);
    ck_assert_int_eq(send_text(T0, "b"), 0);
    ck_assert_int_eq(send_text(T0, "c"), 0);
    wants("call-1(a)sid");
    session_call_answered(s, T0 + 1, 1, 202, "");
    wants("call-1(b)sid");
    session_call_answered(s, T0 + 2, 1, 400, "Failed to validate scheduler::Call: x");
    ck_assert_ptr_nonnull(strstr(drain(), "answers 400 to TEST"));
    ck_assert_ptr_nonnull(strstr(done, "call-1(c)sid"));
    session_call_answered(s, T0 + 3, 1, 202, "");
    session_call_answered(s, T0 + 3, 1, 202, ""); /* one answer too many */
    wants("");
}
END_TEST

START_TEST(a_new_subscription_starts_with_an_empty_queue)
{
    up(T0);
    send_text(T0, "a");
    send_text(T0, "b");
    drain();
    session_lost(s, T0 + 1, 1, "cut");
    ck_assert_int_eq(send_text(T0 + 1, "c"), -ENOTCONN);
    drain();
    session_tick(s, session_deadline(s));
    session_leader(s, T0 + 1000, "m1", 5050);
    session_answered(s, T0 + 1000, 2, 200, "sid2", NULL, NULL);
    session_event(s, T0 + 1000, 2, SESSION_EVENT_SUBSCRIBED, NULL, 0);
    wants("find-other subscribe-2@m1:5050 up");
    send_text(T0 + 1000, "d");
    wants("call-2(d)sid2");
}
END_TEST

START_TEST(a_call_that_was_queued_but_not_drained_dies_with_its_subscription)
{
    up(T0);
    send_text(T0, "a");
    session_lost(s, T0 + 1, 1, "cut");
    ck_assert_ptr_null(strstr(drain(), "call"));
}
END_TEST

START_TEST(a_peer_that_is_not_ready_gets_the_call_again)
{
    up(T0);
    send_text(T0, "a");
    drain();
    session_call_answered(s, T0, 1, 503, "Agent has not finished recovery");
    wants("");
    ck_assert_uint_eq(session_deadline(s), T0 + 1000);
    session_tick(s, T0 + 1000);
    wants("call-1(a)sid");
    session_call_answered(s, T0 + 1000, 1, 202, "");
    wants("");
}
END_TEST

START_TEST(not_ready_for_too_long_is_a_loss)
{
    qm_time now = T0;
    up(now);
    send_text(now, "a");
    while (state() == SESSION_SUBSCRIBED && now < T0 + 200000) {
        session_event(s, now, 1, SESSION_EVENT_OTHER, NULL, 0);
        session_call_answered(s, now, 1, 503, "");
        now += 1000;
        session_tick(s, now);
    }
    ck_assert_int_ne(state(), SESSION_SUBSCRIBED);
    ck_assert_uint_ge(now, T0 + 75000);
    ck_assert_uint_le(now, T0 + 80000);
}
END_TEST

START_TEST(a_call_without_answer_is_a_loss)
{
    up(T0);
    send_text(T0, "a");
    session_event(s, T0 + 70000, 1, SESSION_EVENT_OTHER, NULL, 0);
    session_tick(s, T0 + 75000);
    ck_assert_ptr_nonnull(strstr(drain(), "does not answer TEST] down close-1"));
}
END_TEST

static const struct {
    int status;
    const char *body;
} strangers[] = {
    {400, "Framework cannot be found"},
    {403, "Framework is not subscribed"},
    {400, "The stream ID 'a' included in this request didn't match the stream ID currently ..."},
    {307, ""},
};

START_TEST(a_master_that_does_not_have_us_is_subscribed_to_again)
{
    up(T0);
    send_text(T0, "a");
    drain();
    session_call_answered(s, T0 + 1, 1, strangers[_i].status, strangers[_i].body);
    ck_assert_ptr_nonnull(strstr(drain(), "subscribing again"));
    ck_assert_int_eq(state(), SESSION_BACKING_OFF);
}
END_TEST

START_TEST(the_queue_has_an_end)
{
    static uint8_t big[40 * 1024 * 1024];
    up(T0);
    ck_assert_int_eq(session_send(s, T0, "BIG", big, sizeof big), 0);
    ck_assert_int_eq(session_send(s, T0, "BIG", big, sizeof big), -ENOBUFS);
    ck_assert_int_eq(send_text(T0, "small"), 0);
}
END_TEST

START_TEST(follows_a_redirect)
{
    session_start(s, T0);
    session_leader(s, T0, "m1", 5050);
    session_answered(s, T0, 1, 307, NULL, "//m2:5051/master/api/v1/scheduler", "");
    wants("find subscribe-1@m1:5050 [Mesos master m1:5050 redirects to m2:5051] close-1 "
          "subscribe-2@m2:5051");
}
END_TEST

START_TEST(redirects_in_a_circle_end_in_a_back_off)
{
    session_start(s, T0);
    session_leader(s, T0, "m1", 5050);
    for (uint64_t i = 1; i <= 6; i++)
        session_answered(s, T0, i, 307, NULL, "//m1:5050/x", "");
    ck_assert_ptr_nonnull(strstr(drain(), "too many redirects"));
    ck_assert_int_eq(state(), SESSION_BACKING_OFF);
}
END_TEST

static const struct {
    const char *location, *host;
    uint16_t port;
} locations[] = {
    {"//127.0.0.1:5150/master/api/v1/scheduler", "127.0.0.1", 5150},
    {"http://m.example:80", "m.example", 80},
    {"//[::1]:5050/x", "::1", 5050},
    {"//m:5050?a=b", "m", 5050},
    {"/path/only", NULL, 0},
    {"//noport/x", NULL, 0},
    {"//:5050/x", NULL, 0},
    {"//m:0/", NULL, 0},
    {"//m:65536/", NULL, 0},
    {"//m:-1/", NULL, 0},
    {"//m:50x/", NULL, 0},
    {"//m:/", NULL, 0},
    {"", NULL, 0},
};

START_TEST(reads_locations)
{
    char host[SESSION_HOST_MAX];
    uint16_t port;
    bool good = session_parse_location(locations[_i].location, host, sizeof host, &port);
    ck_assert_int_eq(good, locations[_i].host != NULL);
    if (good) {
        ck_assert_str_eq(host, locations[_i].host);
        ck_assert_uint_eq(port, locations[_i].port);
    }
}
END_TEST

static const struct {
    const char *text;
    enum session_end end;
    bool subscribed;
} errors[] = {
    {"Framework has been removed", SESSION_END_REMOVED, false},
    {"Framework has been removed", SESSION_END_REMOVED, true},
    {"Framework failed over", SESSION_END_FAILED_OVER, true},
    {"Not authorized to register framework  with roles { web }", SESSION_END_NOT_AUTHORIZED, false},
    {"Authorization failure: x", SESSION_END_NOT_AUTHORIZED, false},
    {"Changing framework's principal is not allowed.", SESSION_END_REFUSED, false},
    {"User 'root' is not allowed to run frameworks without --root_submissions set",
     SESSION_END_REFUSED, false},
    {"something new", SESSION_END_NONE, true},
};

START_TEST(error_events_end_it_for_good_or_not)
{
    char expected[16];
    if (errors[_i].subscribed) {
        up(T0);
    } else {
        session_start(s, T0);
        session_leader(s, T0, "m1", 5050);
        session_answered(s, T0, 1, 200, "sid", NULL, NULL);
        drain();
    }
    session_event(s, T0 + 1, 1, SESSION_EVENT_ERROR, errors[_i].text, 0);
    snprintf(expected, sizeof expected, "end-%d", (int)errors[_i].end);
    drain();
    if (errors[_i].end == SESSION_END_NONE) {
        ck_assert_ptr_nonnull(strstr(done, "down close-1"));
        ck_assert_int_eq(state(), SESSION_BACKING_OFF);
        return;
    }
    ck_assert_msg(strstr(done, expected) != NULL, "%s", done);
    ck_assert_int_eq(state(), SESSION_ENDED);
    ck_assert_uint_eq(session_deadline(s), QM_TIME_NEVER);
    session_leader(s, T0 + 2, "m2", 5050);
    session_tick(s, T0 + 1000000);
    wants("");
}
END_TEST

static const struct {
    int status;
    const char *body;
    const char *line;
} refusals[] = {
    {401, "401 Unauthorized.", "does not accept our principal and secret"},
    {404, "404 Not Found.", "is not ready (404"},
    {503, "No leader elected", "is not ready (503"},
    {500, "x", "answers 500 to SUBSCRIBE"},
    {400, "Bad proxy", "answers 400"},
};

START_TEST(refusals_of_subscribe_are_tried_again)
{
    session_start(s, T0);
    session_leader(s, T0, "a", 1);
    drain();
    session_answered(s, T0, 1, refusals[_i].status, NULL, NULL, refusals[_i].body);
    struct session_view view;
    session_view(s, &view);
    ck_assert_int_eq(view.state, SESSION_BACKING_OFF);
    ck_assert_msg(strstr(view.trouble, refusals[_i].line) != NULL, "%s", view.trouble);
}
END_TEST

START_TEST(an_invalid_subscription_ends_it)
{
    session_start(s, T0);
    session_leader(s, T0, "a", 1);
    session_answered(s, T0, 1, 400, NULL, NULL,
                     "Failed to validate scheduler::Call: Authenticated principal 'a' ...");
    ck_assert_ptr_nonnull(strstr(drain(), "end-4"));
}
END_TEST

START_TEST(a_stream_without_id_is_no_master)
{
    session_start(s, T0);
    session_leader(s, T0, "a", 1);
    session_answered(s, T0, 1, 200, NULL, NULL, NULL);
    ck_assert_int_eq(state(), SESSION_BACKING_OFF);
}
END_TEST

START_TEST(a_new_leader_is_followed_at_once)
{
    up(T0);
    session_leader(s, T0 + 1, "m1", 5050);
    wants("");
    session_leader(s, T0 + 1, "m2", 5050);
    wants("[the leading Mesos master is now m2:5050] down close-1 subscribe-2@m2:5050");
}
END_TEST

START_TEST(no_leader_is_said_once_and_waited_for)
{
    session_start(s, T0);
    session_no_leader(s, T0, "nobody leads");
    session_no_leader(s, T0 + 1, "nobody leads");
    wants("find [nobody leads]");
    session_leader(s, T0 + 2, "m1", 5050);
    wants("subscribe-1@m1:5050");
}
END_TEST

static const struct session_rules executor_rules = {
    .peer = "Mesos agent",
    .flat_backoff = true,
    .backoff_max = 2000,
    .give_up = QM_SECONDS(900),
    .stranger_is_end = true,
};

static void executor_up(void)
{
    session_start(s, T0);
    session_leader(s, T0, "127.0.0.1", 5051);
    session_answered(s, T0, 1, 200, NULL, NULL, NULL);
    ck_assert(session_event(s, T0, 1, SESSION_EVENT_SUBSCRIBED, NULL, 0));
    drain();
}

START_TEST(executors_wait_flat_and_have_no_watch)
{
    teardown();
    begin(&executor_rules);
    executor_up();
    ck_assert_uint_eq(session_deadline(s), QM_TIME_NEVER);
    session_lost(s, T0, 1, "connection closed");
    qm_time now = T0;
    for (uint64_t i = 2; i < 40; i++) {
        ck_assert_uint_le(session_deadline(s), now + 2000);
        now = session_deadline(s);
        session_tick(s, now);
        session_leader(s, now, "127.0.0.1", 5051);
        session_lost(s, now, i, "cannot connect");
    }
}
END_TEST

START_TEST(executors_give_up_in_the_end)
{
    teardown();
    begin(&executor_rules);
    executor_up();
    session_lost(s, T0, 1, "connection closed");
    qm_time now = T0;
    for (uint64_t i = 2; state() != SESSION_ENDED && i < 100000; i++) {
        now = session_deadline(s);
        session_tick(s, now);
        session_leader(s, now, "127.0.0.1", 5051);
        session_lost(s, now, i, "cannot connect");
        drain();
    }
    ck_assert_uint_ge(now, T0 + 900000);
    ck_assert_uint_le(now, T0 + 903000);
}
END_TEST

START_TEST(executors_without_checkpoint_end_with_the_first_loss)
{
    struct session_rules rules = executor_rules;
    rules.give_up = 0;
    teardown();
    begin(&rules);
    session_start(s, T0);
    session_leader(s, T0, "127.0.0.1", 5051);
    session_lost(s, T0, 1, "cannot connect"); /* not yet subscribed: the agent decides */
    ck_assert_int_eq(state(), SESSION_BACKING_OFF);
    session_tick(s, T0 + 2000);
    session_leader(s, T0 + 2000, "127.0.0.1", 5051);
    session_answered(s, T0 + 2000, 2, 200, NULL, NULL, NULL);
    session_event(s, T0 + 2000, 2, SESSION_EVENT_SUBSCRIBED, NULL, 0);
    session_lost(s, T0 + 3000, 2, "connection closed");
    ck_assert_int_eq(state(), SESSION_ENDED);
    ck_assert_ptr_nonnull(strstr(drain(), "end-5"));
}
END_TEST

START_TEST(an_executor_that_its_agent_forgot_ends)
{
    teardown();
    begin(&executor_rules);
    executor_up();
    send_text(T0, "update");
    drain();
    session_call_answered(s, T0, 1, 400, "Executor cannot be found");
    ck_assert_int_eq(state(), SESSION_ENDED);
}
END_TEST

/* The agent may answer the subscription of an executor that has nothing to do with SHUTDOWN. */
START_TEST(an_event_before_subscribed_is_delivered)
{
    teardown();
    begin(&executor_rules);
    session_start(s, T0);
    session_leader(s, T0, "127.0.0.1", 5051);
    session_answered(s, T0, 1, 200, NULL, NULL, NULL);
    ck_assert(session_event(s, T0, 1, SESSION_EVENT_OTHER, NULL, 0));
}
END_TEST

START_TEST(stopping_is_silent)
{
    up(T0);
    session_stop(s, T0 + 1);
    wants("down close-1");
    ck_assert_int_eq(state(), SESSION_ENDED);
}
END_TEST

#define LOOP(test, table) tcase_add_loop_test(t, test, 0, sizeof table / sizeof table[0])

int main(void)
{
    TCase *t = tcase_create("session");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, subscribes_step_by_step);
    tcase_add_test(t, any_event_is_a_heartbeat_and_silence_is_a_loss);
    tcase_add_test(t, the_master_names_the_heartbeat);
    tcase_add_test(t, silence_before_the_subscription_ends_each_try);
    tcase_add_test(t, backs_off_longer_and_longer_up_to_15_s);
    tcase_add_test(t, says_the_same_trouble_again_after_a_subscription);
    tcase_add_test(t, an_abandoned_stream_means_nothing);
    tcase_add_test(t, one_call_at_a_time_in_order);
    tcase_add_test(t, a_new_subscription_starts_with_an_empty_queue);
    tcase_add_test(t, a_call_that_was_queued_but_not_drained_dies_with_its_subscription);
    tcase_add_test(t, a_peer_that_is_not_ready_gets_the_call_again);
    tcase_add_test(t, not_ready_for_too_long_is_a_loss);
    tcase_add_test(t, a_call_without_answer_is_a_loss);
    LOOP(a_master_that_does_not_have_us_is_subscribed_to_again, strangers);
    tcase_add_test(t, the_queue_has_an_end);
    tcase_add_test(t, follows_a_redirect);
    tcase_add_test(t, redirects_in_a_circle_end_in_a_back_off);
    LOOP(reads_locations, locations);
    LOOP(error_events_end_it_for_good_or_not, errors);
    LOOP(refusals_of_subscribe_are_tried_again, refusals);
    tcase_add_test(t, an_invalid_subscription_ends_it);
    tcase_add_test(t, a_stream_without_id_is_no_master);
    tcase_add_test(t, a_new_leader_is_followed_at_once);
    tcase_add_test(t, no_leader_is_said_once_and_waited_for);
    tcase_add_test(t, executors_wait_flat_and_have_no_watch);
    tcase_add_test(t, executors_give_up_in_the_end);
    tcase_add_test(t, executors_without_checkpoint_end_with_the_first_loss);
    tcase_add_test(t, an_executor_that_its_agent_forgot_ends);
    tcase_add_test(t, an_event_before_subscribed_is_delivered);
    tcase_add_test(t, stopping_is_silent);
    return run_case("session", t);
}
