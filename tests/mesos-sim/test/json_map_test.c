/*
 * The JSON mapping: what Mesos 1.11.1 was seen to answer to odd bodies, and messages that survive
 * the way there and back.
 */
#include "../base64.h"
#include "../json_map.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "mesos/v1/mesos.pb-c.h"
#include "mesos/v1/scheduler.pb-c.h"

static char error[JSON_MAP_ERROR_MAX];

static ProtobufCMessage *read_text(const ProtobufCMessageDescriptor *descriptor, const char *text)
{
    json_t *json = json_map_parse(text, strlen(text), error);
    ProtobufCMessage *message;

    if (!json)
        return NULL;
    message = json_map_to_message(descriptor, json, error);
    json_decref(json);
    return message;
}

static char *write_text(const ProtobufCMessage *message)
{
    json_t *json = json_map_from_message(message);
    char *text = json_map_text(json, NULL);

    json_decref(json);
    return text;
}

static void expect_error(const ProtobufCMessageDescriptor *descriptor, const char *text,
                         const char *words)
{
    ProtobufCMessage *message = read_text(descriptor, text);

    ck_assert_msg(!message, "accepted: %s", text);
    ck_assert_str_eq(error, words);
}

/* `text` reads as a message which is written as `expected`. */
static void expect_text(const ProtobufCMessageDescriptor *descriptor, const char *text,
                        const char *expected)
{
    ProtobufCMessage *message = read_text(descriptor, text);
    char *written;

    ck_assert_msg(message, "%s: %s", text, error);
    written = write_text(message);
    ck_assert_str_eq(written, expected);
    free(written);
    protobuf_c_message_free_unpacked(message, NULL);
}

#define CALL     &mesos__v1__scheduler__call__descriptor
#define TASK     &mesos__v1__task_info__descriptor
#define STATUS   &mesos__v1__task_status__descriptor
#define RESOURCE &mesos__v1__resource__descriptor
#define COMMAND  &mesos__v1__command_info__descriptor

START_TEST(refuses_with_the_words_of_mesos)
{
    expect_error(CALL, "", "syntax error at line 1 near: ");
    expect_error(CALL, "{\"type\":\"SUBSCRIBE\",", "syntax error at line 1 near: ");
    expect_error(CALL, "{\"type\":\"SUPPRESS\"} x",
                 "Parsed JSON included non-whitespace trailing characters:  x");
    expect_error(CALL, "[]", "Expecting a JSON object");
    expect_error(CALL, "{\"type\":1}", "Not expecting a JSON number for field 'type'");
    expect_error(CALL,
                 "{\"type\":\"SUBSCRIBE\",\"subscribe\":{\"framework_info\":{\"user\":\"root\"}}}",
                 "Missing required fields: subscribe.framework_info.name");
    expect_error(CALL, "{\"subscribe\":{\"framework_info\":{\"user\":1,\"name\":\"x\"}}}",
                 "Not expecting a JSON number for field 'user'");
    expect_error(CALL,
                 "{\"acknowledge\":{\"agent_id\":{\"value\":\"a\"},\"task_id\":{\"value\":\"t\"},"
                 "\"uuid\":\"!!\"}}",
                 "Failed to base64 decode bytes field 'uuid': Invalid character '!'");
    expect_error(CALL, "{\"framework_id\":\"x\"}",
                 "Not expecting a JSON string for field 'framework_id'");
    expect_error(CALL, "{\"framework_id\":[]}",
                 "Not expecting a JSON array for field 'framework_id'");
    expect_error(CALL, "{\"type\":true}", "Not expecting a JSON boolean for field 'type'");
}
END_TEST

START_TEST(ignores_what_it_does_not_know)
{
    expect_text(CALL, "{\"type\":\"SUPPRESS\",\"nosuch\":1}", "{\"type\":\"SUPPRESS\"}");
    expect_text(CALL, "{\"type\":\"NOSUCH\"}", "{}");
    expect_text(CALL, "{\"type\":null,\"framework_id\":{\"value\":\"f\"}}",
                "{\"framework_id\":{\"value\":\"f\"}}");
}
END_TEST

START_TEST(knows_maps_and_alternatives)
{
    const char *text = "{\"role_constraints\":{\"web\":{\"groups\":[{\"attribute_constraints\":[{"
                       "\"selector\":{\"attribute_name\":\"rack\"},"
                       "\"predicate\":{\"text_equals\":{\"value\":\"r1\"}}},{"
                       "\"selector\":{\"pseudoattribute_type\":\"ZONE\"},"
                       "\"predicate\":{\"not_exists\":{}}}]}]}}}";

    expect_text(&mesos__v1__scheduler__offer_constraints__descriptor, text, text);
}
END_TEST

START_TEST(writes_declared_defaults)
{
    expect_text(COMMAND, "{\"value\":\"true\"}", "{\"value\":\"true\",\"shell\":true}");
    expect_text(RESOURCE,
                "{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":0.1},"
                "\"allocation_info\":{\"role\":\"web\"}}",
                "{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":0.1},"
                "\"allocation_info\":{\"role\":\"web\"}}");
}
END_TEST

START_TEST(keeps_all_kinds_of_values)
{
    expect_text(STATUS,
                "{\"task_id\":{\"value\":\"t\"},\"state\":\"TASK_RUNNING\",\"data\":\"aGVsbG8=\","
                "\"message\":\"a \\\"b\\\"\",\"timestamp\":1795346708.312191,\"healthy\":false}",
                "{\"task_id\":{\"value\":\"t\"},\"state\":\"TASK_RUNNING\",\"data\":\"aGVsbG8=\","
                "\"message\":\"a \\\"b\\\"\",\"timestamp\":1795346708.312191,\"healthy\":false}");
    expect_text(
        RESOURCE,
        "{\"name\":\"ports\",\"type\":\"RANGES\",\"ranges\":{\"range\":[{\"begin\":"
        "\"18446744073709551615\","
        "\"end\":9007199254740993},{\"begin\":1.0,\"end\":2}]}}",
        "{\"name\":\"ports\",\"type\":\"RANGES\",\"ranges\":{\"range\":["
        "{\"begin\":1.8446744073709552e+19,\"end\":9007199254740993},{\"begin\":1,\"end\":2}]}}");
    expect_text(TASK,
                "{\"name\":\"n\",\"task_id\":{\"value\":\"t\"},\"agent_id\":{\"value\":\"a\"},"
                "\"limits\":{\"cpus\":{\"value\":\"Infinity\"},\"mem\":{\"value\":64}}}",
                "{\"name\":\"n\",\"task_id\":{\"value\":\"t\"},\"agent_id\":{\"value\":\"a\"},"
                "\"limits\":{\"cpus\":{\"value\":\"Infinity\"},\"mem\":{\"value\":64.0}}}");
}
END_TEST

START_TEST(takes_a_repeated_field_without_its_list)
{
    expect_text(&mesos__v1__value__ranges__descriptor, "{\"range\":{\"begin\":1,\"end\":2}}",
                "{\"range\":[{\"begin\":1,\"end\":2}]}");
}
END_TEST

START_TEST(leaves_enum_numbers_without_name_out)
{
    Mesos__V1__MasterInfo__Capability capability = MESOS__V1__MASTER_INFO__CAPABILITY__INIT;
    char *text;

    capability.has_type = true;
    capability.type = 3; /* QUOTA_V2, which v1 has no name for */
    text = write_text(&capability.base);
    ck_assert_str_eq(text, "{}");
    free(text);
}
END_TEST

START_TEST(takes_text_that_is_not_utf8)
{
    Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
    char *text;

    id.value = (char *)"a\xff"
                       "b";
    text = write_text(&id.base);
    ck_assert_str_eq(text, "{\"value\":\"a?b\"}");
    free(text);
}
END_TEST

START_TEST(base64_both_ways)
{
    static const char *const texts[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "+/+/"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        uint8_t *data;
        size_t size;
        char bad;
        char *text;

        ck_assert_int_eq(base64_decode(texts[i], strlen(texts[i]), &data, &size, &bad), 0);
        text = base64_encode(data, size);
        ck_assert_str_eq(text, texts[i]);
        free(text);
        free(data);
    }
}
END_TEST

START_TEST(base64_refuses)
{
    uint8_t *data;
    size_t size;
    char bad = 'x';

    ck_assert_int_eq(base64_decode("Zg=g", 4, &data, &size, &bad), -EINVAL);
    ck_assert_int_eq(bad, '=');
    ck_assert_int_eq(base64_decode("Zm9vY", 5, &data, &size, &bad), -EINVAL);
    ck_assert_int_eq(bad, '\0');
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_map");
    TCase *tcase = tcase_create("json_map");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, refuses_with_the_words_of_mesos);
    tcase_add_test(tcase, ignores_what_it_does_not_know);
    tcase_add_test(tcase, knows_maps_and_alternatives);
    tcase_add_test(tcase, writes_declared_defaults);
    tcase_add_test(tcase, keeps_all_kinds_of_values);
    tcase_add_test(tcase, takes_a_repeated_field_without_its_list);
    tcase_add_test(tcase, leaves_enum_numbers_without_name_out);
    tcase_add_test(tcase, takes_text_that_is_not_utf8);
    tcase_add_test(tcase, base64_both_ways);
    tcase_add_test(tcase, base64_refuses);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
