/*
 * Recorded events to facts, actions to calls and back.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "mesos/convert.h"
#include "quobyte-mesos/probe.pb-c.h"
#include "recorded.h"
#include "run.h"

static struct arena arena;
static struct qm_fact facts[64];
static size_t n_facts;

static void setup(void)
{
    arena_init(&arena);
    n_facts = 0;
}

static void teardown(void)
{
    arena_deinit(&arena);
}

static void keep(void *userdata, const struct qm_fact *fact)
{
    ck_assert_uint_lt(n_facts, 64);
    facts[n_facts++] = *fact;
}

static void read_facts(const char *name)
{
    Mesos__V1__Scheduler__Event *events[64];
    size_t n = recorded_events(name, &arena, events, 64);
    for (size_t i = 0; i < n; i++)
        convert_event(&arena, events[i], keep, NULL);
}

START_TEST(amounts_are_rounded_down_but_keep_their_thousandths)
{
    ck_assert_uint_eq(convert_amount(0.1 + 0.2, 1000), 300);
    ck_assert_uint_eq(convert_amount(0.29, 1000), 290);
    ck_assert_uint_eq(convert_amount(1.001, 1000), 1001);
    ck_assert_uint_eq(convert_amount(3.9999, 1000), 3999);
    ck_assert_uint_eq(convert_amount(3584.9, 1), 3584);
    ck_assert_uint_eq(convert_amount(0, 1000), 0);
    ck_assert_uint_eq(convert_amount(-1, 1000), 0);
    ck_assert_uint_eq(convert_amount(NAN, 1000), 0);
    ck_assert_uint_eq(convert_amount(INFINITY, 1), 0);
    ck_assert_uint_eq(convert_amount(1e300, 1), 0);
    for (unsigned milli = 0; milli < 100000; milli++)
        ck_assert_uint_eq(convert_amount(milli / 1000.0, 1000), milli);
}
END_TEST

START_TEST(offers_keep_places_roles_and_domains)
{
    read_facts("offers.recordio");
    ck_assert_uint_eq(n_facts, 4);
    ck_assert_int_eq(facts[0].type, QM_FACT_SUBSCRIBED);
    ck_assert_str_eq(facts[0].subscribed.framework_id, "f703872d-9809-436e-883f-d6dbeb9f04b5-0003");
    ck_assert_str_eq(facts[0].subscribed.master_id, "f703872d-9809-436e-883f-d6dbeb9f04b5");

    const struct qm_offer *o = &facts[1].offer;
    ck_assert_int_eq(facts[1].type, QM_FACT_OFFER);
    ck_assert_str_eq(o->id, "f703872d-9809-436e-883f-d6dbeb9f04b5-O9");
    ck_assert_str_eq(o->agent_id, "f703872d-9809-436e-883f-d6dbeb9f04b5-S1");
    ck_assert_str_eq(o->hostname, "127.0.0.1");
    ck_assert_str_eq(o->role, "db");
    ck_assert_str_eq(o->region, "region-1");
    ck_assert_str_eq(o->zone, "zone-b");
    ck_assert_uint_eq(o->unavailable_from, QM_TIME_NEVER);
    ck_assert_uint_eq(o->n_resources, 8);
    ck_assert_int_eq(o->resources[0].kind, QM_RESOURCE_CPUS);
    ck_assert_uint_eq(o->resources[0].amount, 1000);
    ck_assert_str_eq(o->resources[0].role, "db");
    ck_assert_int_eq(o->resources[1].kind, QM_RESOURCE_MEM);
    ck_assert_uint_eq(o->resources[1].amount, 512);
    ck_assert_int_eq(o->resources[2].kind, QM_RESOURCE_PORTS);
    ck_assert_ptr_null(o->resources[2].role);
    ck_assert_uint_eq(o->resources[2].n_ranges, 1);
    ck_assert_uint_eq(o->resources[2].ranges[0].begin, 21200);
    ck_assert_uint_eq(o->resources[2].ranges[0].end, 21299);
    ck_assert_str_eq(o->resources[3].role, "db");
    ck_assert_int_eq(o->resources[4].kind, QM_RESOURCE_OTHER); /* a set */
    ck_assert_int_eq(o->resources[7].kind, QM_RESOURCE_DISK);
    ck_assert_uint_eq(o->resources[7].amount, 10000);
    ck_assert_uint_eq(o->resources[7].flags, 0);
    ck_assert_uint_eq(o->n_attributes, 2);
    ck_assert_str_eq(o->attributes[0].name, "rack");
    ck_assert_str_eq(o->attributes[0].value, "r2");

    const struct qm_offer *second = &facts[2].offer;
    ck_assert_str_eq(second->attributes[2].value, "10"); /* level: a scalar */
    ck_assert_str_eq(second->attributes[3].value, "[10-20]");

    /* the third agent has disks with a source, which are not plain disk */
    const struct qm_offer *third = &facts[3].offer;
    size_t with_source = 0;
    for (size_t i = 0; i < third->n_resources; i++)
        with_source += third->resources[i].flags == QM_RESOURCE_HAS_SOURCE;
    ck_assert_uint_eq(with_source, 3); /* MOUNT, and PATH reserved and not */
}
END_TEST

START_TEST(updates_say_state_source_and_uuid)
{
    static const enum qm_task_state of_fin[] = {QM_TASK_STARTING, QM_TASK_RUNNING,
                                                QM_TASK_FINISHED};
    size_t n = 0;
    read_facts("updates.recordio");
    for (size_t i = 0; i < n_facts; i++) {
        const struct qm_task_status *s = &facts[i].status;
        if (facts[i].type != QM_FACT_TASK_STATUS || strcmp(s->task_id, "fin") != 0)
            continue;
        ck_assert_uint_lt(n, 3);
        ck_assert_int_eq(s->state, of_fin[n++]);
        ck_assert_str_eq(s->agent_id, "168fcda0-f853-4557-ac5a-e49eae68a450-S0");
        ck_assert_str_eq(s->executor_id, "fin");
        ck_assert_int_eq(s->source, QM_SOURCE_EXECUTOR);
        ck_assert_int_eq(s->reason, -1); /* not 0, which is a reason */
        ck_assert(s->has_uuid);
        ck_assert(!s->has_healthy);
    }
    ck_assert_uint_eq(n, 3);
}
END_TEST

START_TEST(the_end_of_an_executor_is_told)
{
    size_t lost = 0, reports = 0;
    read_facts("executor.recordio");
    for (size_t i = 0; i < n_facts; i++) {
        reports += facts[i].type == QM_FACT_PROBE_REPORT;
        if (facts[i].type != QM_FACT_EXECUTOR_LOST)
            continue;
        lost++;
        ck_assert_str_eq(facts[i].lost.executor_id, "ex-life-pb");
        ck_assert_str_eq(facts[i].lost.agent_id, "f0d8cbe1-cfa2-47c8-94d5-fad890dee9e0-S0");
    }
    ck_assert_uint_eq(lost, 1);
    ck_assert_uint_eq(reports, 0); /* "echo: hello executor" is none */
}
END_TEST

/* ---- events that no recording has ---- */

static void tell(Mesos__V1__Scheduler__Event *event, Mesos__V1__Scheduler__Event__Type type)
{
    event->has_type = 1;
    event->type = type;
    n_facts = 0;
    convert_event(&arena, event, keep, NULL);
}

START_TEST(a_type_without_its_message_is_nothing)
{
    for (int type = 0; type < 100; type++) {
        Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
        tell(&event, (Mesos__V1__Scheduler__Event__Type)type);
        ck_assert_uint_eq(n_facts, 0);
    }
}
END_TEST

static Mesos__V1__AgentID an_agent = MESOS__V1__AGENT_ID__INIT;
static Mesos__V1__ExecutorID an_executor = MESOS__V1__EXECUTOR_ID__INIT;
static Mesos__V1__TaskID a_task = MESOS__V1__TASK_ID__INIT;

static void name_ids(void)
{
    static char agent[] = "A1", executor[] = "E1", task[] = "T1";
    an_agent.value = agent;
    an_executor.value = executor;
    a_task.value = task;
}

START_TEST(failures_are_of_an_agent_or_an_executor)
{
    Mesos__V1__Scheduler__Event__Failure failure = MESOS__V1__SCHEDULER__EVENT__FAILURE__INIT;
    Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    name_ids();
    event.failure = &failure;
    tell(&event, MESOS__V1__SCHEDULER__EVENT__TYPE__FAILURE);
    ck_assert_uint_eq(n_facts, 0);
    failure.agent_id = &an_agent;
    tell(&event, MESOS__V1__SCHEDULER__EVENT__TYPE__FAILURE);
    ck_assert_int_eq(facts[0].type, QM_FACT_AGENT_LOST);
    ck_assert_str_eq(facts[0].lost.agent_id, "A1");
    failure.executor_id = &an_executor;
    tell(&event, MESOS__V1__SCHEDULER__EVENT__TYPE__FAILURE);
    ck_assert_int_eq(facts[0].type, QM_FACT_EXECUTOR_LOST);
    ck_assert_str_eq(facts[0].lost.executor_id, "E1");
}
END_TEST

START_TEST(odd_updates_prove_nothing)
{
    uint8_t short_uuid[15] = {0};
    Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
    Mesos__V1__Scheduler__Event__Update update = MESOS__V1__SCHEDULER__EVENT__UPDATE__INIT;
    Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    name_ids();
    event.update = &update;
    update.status = &status;
    status.task_id = &a_task;
    status.state = (Mesos__V1__TaskState)77; /* of a newer master */
    status.has_uuid = 1;
    status.uuid = (ProtobufCBinaryData){sizeof short_uuid, short_uuid};
    tell(&event, MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE);
    ck_assert_uint_eq(n_facts, 1);
    ck_assert_int_eq(facts[0].status.state, QM_TASK_UNKNOWN);
    ck_assert(!facts[0].status.has_uuid);
    ck_assert_str_eq(facts[0].status.agent_id, "");
    ck_assert_str_eq(facts[0].status.message, "");
    ck_assert_int_eq(facts[0].status.source, QM_SOURCE_MASTER);
}
END_TEST

START_TEST(probe_reports_become_devices)
{
    QuobyteMesos__Probe__Device device = QUOBYTE_MESOS__PROBE__DEVICE__INIT;
    QuobyteMesos__Probe__Device *devices[] = {&device};
    QuobyteMesos__Probe__Report report = QUOBYTE_MESOS__PROBE__REPORT__INIT;
    Mesos__V1__Scheduler__Event__Message message = MESOS__V1__SCHEDULER__EVENT__MESSAGE__INIT;
    Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    char mount[] = "/mnt/data", boot[] = "boot-1";
    uint32_t listening[] = {7861, 7871};
    uint8_t bytes[256];
    name_ids();
    device.has_type = device.has_size_mib = 1;
    device.type = QUOBYTE_MESOS__PROBE__DEVICE__TYPE__DATA;
    device.mount = mount;
    device.size_mib = 5;
    report.boot_id = boot;
    report.devices = devices;
    report.n_devices = 1;
    report.listening = listening;
    report.n_listening = 2;
    report.has_has_mount_point = report.has_mount_point = 1;
    message.agent_id = &an_agent;
    message.executor_id = &an_executor;
    message.data.len = quobyte_mesos__probe__report__pack(&report, bytes);
    message.data.data = bytes;
    event.message = &message;
    tell(&event, MESOS__V1__SCHEDULER__EVENT__TYPE__MESSAGE);
    ck_assert_uint_eq(n_facts, 1);
    const struct qm_probe_report *p = &facts[0].probe;
    ck_assert_int_eq(facts[0].type, QM_FACT_PROBE_REPORT);
    ck_assert_str_eq(p->agent_id, "A1");
    ck_assert_str_eq(p->boot_id, "boot-1");
    ck_assert_str_eq(p->warning, "");
    ck_assert(p->has_mount_point);
    ck_assert_uint_eq(p->n_listening, 2);
    ck_assert_uint_eq(p->listening[1], 7871);
    ck_assert_uint_eq(p->n_devices, 1);
    ck_assert_int_eq(p->devices[0].type, QM_DEVICE_DATA);
    ck_assert_str_eq(p->devices[0].mount, "/mnt/data");
    ck_assert_str_eq(p->devices[0].serial, "");
    ck_assert_uint_eq(p->devices[0].size_mib, 5);
}
END_TEST

START_TEST(maintenance_is_told_with_offers_and_inverse_offers)
{
    Mesos__V1__TimeInfo start = MESOS__V1__TIME_INFO__INIT;
    Mesos__V1__DurationInfo length = MESOS__V1__DURATION_INFO__INIT;
    Mesos__V1__Unavailability away = MESOS__V1__UNAVAILABILITY__INIT;
    Mesos__V1__OfferID id = MESOS__V1__OFFER_ID__INIT;
    Mesos__V1__InverseOffer inverse = MESOS__V1__INVERSE_OFFER__INIT;
    Mesos__V1__InverseOffer *list[] = {&inverse};
    Mesos__V1__Scheduler__Event__InverseOffers offers =
        MESOS__V1__SCHEDULER__EVENT__INVERSE_OFFERS__INIT;
    Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    char text[] = "O7";
    name_ids();
    id.value = text;
    start.nanoseconds = 1700000000123456789;
    length.nanoseconds = 60000000000;
    away.start = &start;
    away.duration = &length;
    inverse.id = &id;
    inverse.agent_id = &an_agent;
    inverse.unavailability = &away;
    offers.inverse_offers = list;
    offers.n_inverse_offers = 1;
    event.inverse_offers = &offers;
    tell(&event, MESOS__V1__SCHEDULER__EVENT__TYPE__INVERSE_OFFERS);
    ck_assert_int_eq(facts[0].type, QM_FACT_INVERSE_OFFER);
    ck_assert_uint_eq(facts[0].inverse_offer.unavailable_from, 1700000000123);
    ck_assert_uint_eq(facts[0].inverse_offer.unavailable_for, 60000);
    away.duration = NULL; /* for ever */
    start.nanoseconds = -5;
    tell(&event, MESOS__V1__SCHEDULER__EVENT__TYPE__INVERSE_OFFERS);
    ck_assert_uint_eq(facts[0].inverse_offer.unavailable_from, 0);
    ck_assert_uint_eq(facts[0].inverse_offer.unavailable_for, 0);
}
END_TEST

/* ---- actions ---- */

static struct offers kept;

static Mesos__V1__Scheduler__Call *perform(const struct qm_action *action)
{
    struct convert_context context = {.arena = &arena, .framework_id = "F1", .offers = &kept};
    struct convert_call packed;
    uint8_t request[] = "probe request";
    context.probe_request = (ProtobufCBinaryData){sizeof request - 1, request};
    ck_assert_int_eq(convert_action(&context, action, &packed), 0);
    Mesos__V1__Scheduler__Call *call =
        mesos__v1__scheduler__call__unpack(arena_allocator(&arena), packed.length, packed.bytes);
    ck_assert_ptr_nonnull(call);
    ck_assert_str_eq(call->framework_id->value, "F1");
    const ProtobufCEnumValue *name = protobuf_c_enum_descriptor_get_value(
        &mesos__v1__scheduler__call__type__descriptor, (int)call->type);
    ck_assert_str_eq(name->name, packed.what);
    return call;
}

START_TEST(simple_actions_become_calls)
{
    const char *ids[] = {"O1", "O2"};
    struct qm_action a = {.type = QM_ACTION_DECLINE};
    a.decline.offer_ids = ids;
    a.decline.n_offer_ids = 2;
    a.decline.refuse = 120500;
    Mesos__V1__Scheduler__Call *c = perform(&a);
    ck_assert_uint_eq(c->decline->n_offer_ids, 2);
    ck_assert_str_eq(c->decline->offer_ids[1]->value, "O2");
    ck_assert_double_eq(c->decline->filters->refuse_seconds, 120.5);

    a = (struct qm_action){.type = QM_ACTION_KILL, .kill = {"T1", "A1", 60000}};
    c = perform(&a);
    ck_assert_str_eq(c->kill->task_id->value, "T1");
    ck_assert_str_eq(c->kill->agent_id->value, "A1");
    ck_assert_int_eq(c->kill->kill_policy->grace_period->nanoseconds, 60000000000);

    a = (struct qm_action){.type = QM_ACTION_ACKNOWLEDGE};
    a.acknowledge = (struct qm_acknowledge){.task_id = "T1", .agent_id = "A1"};
    memcpy(a.acknowledge.uuid, "0123456789abcdef", 16);
    c = perform(&a);
    ck_assert_uint_eq(c->acknowledge->uuid.len, 16);
    ck_assert_mem_eq(c->acknowledge->uuid.data, "0123456789abcdef", 16);

    const struct qm_task_key keys[] = {{"T1", "A1"}, {"T2", ""}};
    a = (struct qm_action){.type = QM_ACTION_RECONCILE};
    c = perform(&a);
    ck_assert_uint_eq(c->reconcile->n_tasks, 0);
    a.reconcile.tasks = keys;
    a.reconcile.n_tasks = 2;
    c = perform(&a);
    ck_assert_str_eq(c->reconcile->tasks[0]->agent_id->value, "A1");
    ck_assert_ptr_null(c->reconcile->tasks[1]->agent_id);

    a = (struct qm_action){.type = QM_ACTION_PROBE, .probe = {"A1", "E1"}};
    c = perform(&a);
    ck_assert_str_eq(c->message->executor_id->value, "E1");
    ck_assert_mem_eq(c->message->data.data, "probe request", 13);

    perform(&(struct qm_action){.type = QM_ACTION_REVIVE});
    perform(&(struct qm_action){.type = QM_ACTION_SUPPRESS});
    a = (struct qm_action){.type = QM_ACTION_ACCEPT_INVERSE_OFFER, .inverse_offer_id = "I1"};
    ck_assert_str_eq(perform(&a)->accept_inverse_offers->inverse_offer_ids[0]->value, "I1");
    a.type = QM_ACTION_DECLINE_INVERSE_OFFER;
    ck_assert_str_eq(perform(&a)->decline_inverse_offers->inverse_offer_ids[0]->value, "I1");
}
END_TEST

START_TEST(what_is_no_call_is_refused)
{
    struct convert_context context = {.arena = &arena, .framework_id = "", .offers = &kept};
    struct convert_call call;
    struct qm_action a = {.type = QM_ACTION_SAVE};
    ck_assert_int_eq(convert_action(&context, &a, &call), -ENOTSUP);
    a.type = QM_ACTION_DESCRIBE_TASK;
    ck_assert_int_eq(convert_action(&context, &a, &call), -ENOTSUP);
}
END_TEST

START_TEST(offers_are_kept_until_answered)
{
    Mesos__V1__Scheduler__Event *events[64];
    size_t n = recorded_events("offers.recordio", &arena, events, 64);
    Mesos__V1__Scheduler__Event__Offers *offers = NULL;
    for (size_t i = 0; i < n; i++)
        if (events[i]->offers != NULL)
            offers = events[i]->offers;
    ck_assert_ptr_nonnull(offers);
    char name[32], *first = offers->offers[0]->id->value;
    offers_init(&kept);
    ck_assert_ptr_null(offers_get(&kept, first, arena_allocator(&arena)));
    for (int i = 0; i < 1000; i++) { /* enough to grow the table */
        snprintf(name, sizeof name, "offer-%d", i);
        offers->offers[0]->id->value = name;
        ck_assert_int_eq(offers_keep(&kept, offers->offers[0]), 0);
        ck_assert_int_eq(offers_keep(&kept, offers->offers[0]), 0);
    }
    ck_assert_uint_eq(kept.n, 1000);
    Mesos__V1__Offer *one = offers_get(&kept, "offer-77", arena_allocator(&arena));
    ck_assert_ptr_nonnull(one);
    ck_assert_uint_eq(one->n_resources, 8);
    ck_assert(offers_drop(&kept, "offer-77"));
    ck_assert(!offers_drop(&kept, "offer-77"));
    ck_assert_ptr_null(offers_get(&kept, "offer-77", arena_allocator(&arena)));
    ck_assert_ptr_nonnull(offers_get(&kept, "offer-999", arena_allocator(&arena)));
    offers_clear(&kept);
    ck_assert_ptr_null(offers_get(&kept, "offer-999", arena_allocator(&arena)));
    offers_deinit(&kept);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("convert");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, amounts_are_rounded_down_but_keep_their_thousandths);
    tcase_add_test(t, offers_keep_places_roles_and_domains);
    tcase_add_test(t, updates_say_state_source_and_uuid);
    tcase_add_test(t, the_end_of_an_executor_is_told);
    tcase_add_test(t, a_type_without_its_message_is_nothing);
    tcase_add_test(t, failures_are_of_an_agent_or_an_executor);
    tcase_add_test(t, odd_updates_prove_nothing);
    tcase_add_test(t, probe_reports_become_devices);
    tcase_add_test(t, maintenance_is_told_with_offers_and_inverse_offers);
    tcase_add_test(t, simple_actions_become_calls);
    tcase_add_test(t, what_is_no_call_is_refused);
    tcase_add_test(t, offers_are_kept_until_answered);
    return run_case("convert", t);
}
