/* What the library says in words: errors, names, reasons, actions, traces, records. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <quobyte-mesos/action.h>
#include <quobyte-mesos/explain.h>
#include <quobyte-mesos/fact.h>
#include <quobyte-mesos/state.h>
#include <quobyte-mesos/trace.h>

#include "fail.h"
#include "unit.h"

START_TEST(errors)
{
    struct qm_error error = {QM_E_UNKNOWN, 3, 5, "services.data.cont", "unknown key"};
    char text[128];

    ck_assert_uint_eq(qm_error_format(&error, text, sizeof(text)),
                      strlen("line 3, column 5: services.data.cont: unknown key"));
    ck_assert_str_eq(text, "line 3, column 5: services.data.cont: unknown key");
    error = (struct qm_error){QM_E_INVALID, 0, 0, "", "bad"};
    qm_error_format(&error, text, sizeof(text));
    ck_assert_str_eq(text, "bad");
    for (int code = QM_E_INVALID; code <= QM_E_FORMAT; code++)
        ck_assert_str_ne(qm_strerror(code), qm_strerror(4711));
    ck_assert_str_eq(qm_strerror(-ENOMEM), "out of memory");
    ck_assert_ptr_nonnull(qm_strerror(-1));
}
END_TEST

START_TEST(errors_are_one_line_of_text)
{
    struct qm_error error;
    char text[300];

    ck_assert_int_eq(qm_fail(&error, QM_E_INVALID, "a\nb", "x\n%s\x7f", "\xff"), QM_E_INVALID);
    ck_assert_str_eq(error.key, "a?b");
    ck_assert_str_eq(error.message, "x???");
    /* Characters of two bytes, of which the last is cut in the middle. */
    for (size_t i = 0; i < sizeof(text) - 2; i += 2)
        memcpy(text + i, "\xc3\xa4", 3);
    qm_fail(&error, QM_E_INVALID, NULL, "x%s", text);
    ck_assert_uint_eq(strlen(error.message), sizeof(error.message) - 1);
    qm_fail(&error, QM_E_INVALID, NULL, "%s", text);
    ck_assert_uint_eq(strlen(error.message), sizeof(error.message) - 2);
    ck_assert_int_eq(error.message[sizeof(error.message) - 3], '\xa4');
    ck_assert_int_eq(qm_fail(NULL, QM_E_LIMIT, NULL, "x"), QM_E_LIMIT);
}
END_TEST

START_TEST(names)
{
    ck_assert_str_eq(qm_task_state_name(QM_TASK_RUNNING), "TASK_RUNNING");
    ck_assert_str_eq(qm_task_state_name(QM_TASK_GONE_BY_OPERATOR), "TASK_GONE_BY_OPERATOR");
    ck_assert_str_eq(qm_task_state_name((enum qm_task_state)99), "TASK_?");
    ck_assert_str_eq(qm_service_binding_name(QM_BOUND_TO_DEVICE), "device");
    ck_assert_str_eq(qm_service_binding_name(QM_FLOATING), "floating");
    ck_assert_str_eq(qm_service_binding_name(QM_PER_HOST), "per_host");
    ck_assert_str_eq(qm_device_type_name(QM_DEVICE_METADATA), "metadata");
    ck_assert_str_eq(qm_device_type_name((enum qm_device_type)99), "untyped");
}
END_TEST

START_TEST(every_reason_has_words)
{
    for (int a = 0; a < QM_WHY_CODES; a++) {
        struct qm_reason reason = {.code = (enum qm_reason_code)a};
        char text[256];

        ck_assert_msg(strcmp(qm_reason_name(reason.code), "unknown") != 0, "code %d", a);
        ck_assert_uint_lt(qm_reason_format(&reason, text, sizeof(text)), sizeof(text));
        ck_assert_msg(text[0] && !strchr(text, '$') && !strchr(text, '\n'), "code %d: %s", a, text);
        for (int b = 0; b < a; b++)
            ck_assert_str_ne(qm_reason_name(reason.code), qm_reason_name((enum qm_reason_code)b));
    }
    ck_assert_str_eq(qm_reason_name((enum qm_reason_code)4711), "unknown");
    ck_assert_str_eq(qm_reason_name((enum qm_reason_code) - 1), "unknown");
}
END_TEST

START_TEST(reasons_with_numbers)
{
    static const struct {
        struct qm_reason reason;
        const char *text;
    } cases[] = {
        {{QM_WHY_MEM, 0, "", 2000, 8192}, "mem: 2000 MiB offered, 8192 MiB needed"},
        {{QM_WHY_CPUS, 0, "", 500, 4000}, "cpus: 0.5 offered, 4 needed"},
        {{QM_WHY_PORTS, 0, "21000", 0, 0}, "port 21000 is not offered"},
        {{QM_WHY_MIN_READY, 0, "", 12345, 60000}, "healthy for 12.3 of 60 s"},
        {{QM_WHY_BACKOFF, 0, "", 3, 40001}, "failed 3 times, next try in 40.1 s"},
        {{QM_WHY_SHUTDOWN_GRACE, 0, "", 0, 1},
         "shut down begins in 0.1 s, unless a version is posted"},
        {{QM_WHY_PHASE, 0, "registry", 0, 0}, "the phase of registry is not complete"},
        {{QM_WHY_MAX_UNAVAILABLE, 0, "data", 2, 1},
         "2 instances of data are unavailable, at most 1 may be"},
        {{QM_WHY_RECONCILING, 0, "", 3, 7},
         "Mesos has told about 3 of 7 recorded tasks since we connected"},
        {{QM_WHY_DISK, 0, "", UINT64_MAX, UINT64_MAX},
         "disk: 18446744073709551615 MiB offered, 18446744073709551615 MiB needed"},
    };
    char text[256], small[8];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ck_assert_uint_eq(qm_reason_format(&cases[i].reason, text, sizeof(text)),
                          strlen(cases[i].text));
        ck_assert_str_eq(text, cases[i].text);
    }
    ck_assert_uint_eq(qm_reason_format(&cases[0].reason, small, sizeof(small)),
                      strlen(cases[0].text));
    ck_assert_str_eq(small, "mem: 20");
    ck_assert_uint_eq(qm_reason_format(&cases[0].reason, NULL, 0), strlen(cases[0].text));
}
END_TEST

START_TEST(traces)
{
    struct qm_trace_event event = {0, QM_TRACE_TASK, "api.agent-2.1-4", "sent", "running", "why"};
    char text[128];

    qm_trace_format(&event, text, sizeof(text));
    ck_assert_str_eq(text, "task api.agent-2.1-4: sent -> running (why)");
    event.from = event.detail = "";
    qm_trace_format(&event, text, sizeof(text));
    ck_assert_str_eq(text, "task api.agent-2.1-4: running");
    event.to = "";
    qm_trace_format(&event, text, sizeof(text));
    ck_assert_str_eq(text, "task api.agent-2.1-4");
}
END_TEST

static const struct qm_port_spec rpc = {"rpc", "QUOBYTE_RPC_PORT", QM_PORT_RPC, 21000};
static const struct qm_task_port task_port = {&rpc, 21000};
static const struct qm_task_template template = {.service = "registry", .version = "1.1.5"};
static const struct qm_task_template prober = {.service = "prober", .version = ""};
static const char *const offers[] = {"o-1", "o-2"};
static const struct qm_task_launch tasks[] = {
    {&template, "registry.h.1-2", "", "h", &task_port, 1, NULL, 0},
    {&prober, "prober.h.1-3", "e", "h", NULL, 0, NULL, 0},
};
static const struct qm_record records[] = {{"framework", (const uint8_t *)"x", 1},
                                           {"host/a", NULL, 0}};
static const struct qm_task_key keys[] = {{"a", "s"}, {"b", "s"}};

START_TEST(actions)
{
    static const struct {
        struct qm_action action;
        const char *text;
    } cases[] = {
        {{.type = QM_ACTION_SAVE, .save = {7, records, 2}},
         "save 7: framework (1 bytes) host/a (deleted)"},
        {{.type = QM_ACTION_LAUNCH, .launch = {"s", offers, 2, tasks, 2, 500}},
         "launch on agent s with o-1,o-2: registry.h.1-2 1.1.5 rpc=21000, prober.h.1-3; rest "
         "refused "
         "for 0.500 s"},
        {{.type = QM_ACTION_KILL, .kill = {"t", "s", 60000}}, "kill t on agent s with grace 60 s"},
        {{.type = QM_ACTION_DECLINE, .decline = {offers, 2, 120000}}, "decline o-1,o-2 for 120 s"},
        {{.type = QM_ACTION_ACKNOWLEDGE, .acknowledge = {"t", "s", {1, 2, 3, 4, 5}}},
         "acknowledge t on agent s 01020304-0500-0000-0000-000000000000"},
        {{.type = QM_ACTION_RECONCILE}, "reconcile everything"},
        {{.type = QM_ACTION_RECONCILE, .reconcile = {keys, 2}}, "reconcile a,b"},
        {{.type = QM_ACTION_SUPPRESS}, "suppress"},
        {{.type = QM_ACTION_REVIVE}, "revive"},
        {{.type = QM_ACTION_PROBE, .probe = {"s", "e"}}, "probe agent s, executor e"},
        {{.type = QM_ACTION_DESCRIBE_TASK, .describe = {"t", "s"}}, "describe task t on agent s"},
        {{.type = QM_ACTION_ACCEPT_INVERSE_OFFER, .inverse_offer_id = "i"},
         "accept inverse offer i"},
        {{.type = QM_ACTION_DECLINE_INVERSE_OFFER, .inverse_offer_id = "i"},
         "decline inverse offer i"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[256], small[10];

        ck_assert_uint_eq(qm_action_format(&cases[i].action, text, sizeof(text)),
                          strlen(cases[i].text));
        ck_assert_str_eq(text, cases[i].text);
        ck_assert_uint_eq(qm_action_format(&cases[i].action, small, sizeof(small)),
                          strlen(cases[i].text));
        ck_assert_uint_lt(strlen(small), sizeof(small));
    }
}
END_TEST

/* Records as bytes, written by hand after proto/quobyte-mesos/state.proto. */
#define FRAMEWORK                                                                                  \
    "\x08\x01\x12\x03"                                                                             \
    "f-1\x18\x05\x22\x09\x0a\x05"                                                                  \
    "1.1.5\x18\x07\x40\x01"
#define HOST                                                                                       \
    "\x08\x01\x12\x01h\x1a\x17\x0a\x04"                                                            \
    "data\x12\x08"                                                                                 \
    "data.1-2\x1a\x01s\x40\x07\x48\x01"

static int format(const char *key, const char *bytes, size_t length, char *text, size_t size,
                  struct qm_error *error)
{
    struct qm_record record = {key, (const uint8_t *)bytes, length};

    return qm_record_format(&record, text, size, error);
}

START_TEST(good_records)
{
    struct qm_error error = {0};
    char text[512], small[10];
    int r = format("framework", FRAMEWORK, sizeof(FRAMEWORK) - 1, text, sizeof(text), &error);

    ck_assert_msg(r == 0, "%s", error.message);
    ck_assert_str_eq(text, "format: 1\nframework_id: f-1\nepoch: 5\ntarget.version: 1.1.5\n"
                           "target.since: 7\npaused: true\n");
    r = format("host/h", HOST, sizeof(HOST) - 1, text, sizeof(text), &error);
    ck_assert_msg(r == 0, "%s", error.message);
    ck_assert_str_eq(text, "format: 1\nname: h\ntask[0].service: data\ntask[0].task_id: data.1-2\n"
                           "task[0].agent_id: s\ntask[0].ports[0]: 7\ntask[0].was_healthy: true\n");
    ck_assert_int_eq(format("host/h", HOST, sizeof(HOST) - 1, small, sizeof(small), &error),
                     QM_E_LIMIT);
    ck_assert_str_eq(small, "format: 1");
}
END_TEST

START_TEST(bad_records)
{
    struct qm_error error;
    char text[512];

    ck_assert_int_eq(format("framework", "", 0, text, sizeof(text), &error), QM_E_FORMAT);
    ck_assert_str_eq(error.key, "framework");
    ck_assert_int_eq(format("framework", "\x08\x02", 2, text, sizeof(text), &error), QM_E_FORMAT);
    ck_assert_ptr_nonnull(strstr(error.message, "format 2"));
    ck_assert_int_eq(format("framework", "\x08\x00", 2, text, sizeof(text), &error), QM_E_FORMAT);
    ck_assert_int_eq(format("nothing", FRAMEWORK, 2, text, sizeof(text), &error), QM_E_FORMAT);
    ck_assert_int_eq(format("host/h", FRAMEWORK, 2, text, sizeof(text), NULL), QM_E_FORMAT);
    /* Cut anywhere: an answer, never a crash. */
    for (size_t n = 0; n < sizeof(HOST) - 1; n++) {
        char *copy = malloc(n + !n);
        int r;

        memcpy(copy, HOST, n);
        r = format("host/h", copy, n, text, sizeof(text), NULL);
        ck_assert_msg(r == QM_E_FORMAT || n == 5, "%zu bytes: %d", n, r);
        free(copy);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("words");

    tcase_add_test(tcase, errors);
    tcase_add_test(tcase, errors_are_one_line_of_text);
    tcase_add_test(tcase, names);
    tcase_add_test(tcase, every_reason_has_words);
    tcase_add_test(tcase, reasons_with_numbers);
    tcase_add_test(tcase, traces);
    tcase_add_test(tcase, actions);
    tcase_add_test(tcase, good_records);
    tcase_add_test(tcase, bad_records);
    return unit_run("words", tcase);
}
