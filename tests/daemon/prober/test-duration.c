/* Durations as Mesos writes them. */
#include <check.h>
#include <stdlib.h>

#include "prober/duration.h"

static uint64_t parsed(const char *text)
{
    uint64_t ms = 12345678;

    ck_assert_msg(duration_parse(text, &ms), "%s is a duration", text);
    return ms;
}

START_TEST(every_unit)
{
    ck_assert_uint_eq(parsed("2secs"), 2000);
    ck_assert_uint_eq(parsed("15mins"), 900000);
    ck_assert_uint_eq(parsed("1mins"), 60000);
    ck_assert_uint_eq(parsed("500ms"), 500);
    ck_assert_uint_eq(parsed("1hrs"), 3600000);
    ck_assert_uint_eq(parsed("3days"), 3 * 86400000);
    ck_assert_uint_eq(parsed("2weeks"), 14 * 86400000);
    ck_assert_uint_eq(parsed("1999us"), 1);
    ck_assert_uint_eq(parsed("999ns"), 0);
    ck_assert_uint_eq(parsed("0ns"), 0);
}
END_TEST

START_TEST(fractions)
{
    ck_assert_uint_eq(parsed("1.5hrs"), 5400000);
    ck_assert_uint_eq(parsed("0.25secs"), 250);
    ck_assert_uint_eq(parsed("1.23456789012345mins"), 74074);
    ck_assert_uint_eq(parsed("1.secs"), 1000);
}
END_TEST

START_TEST(not_durations)
{
    static const char *const texts[] = {
        "",
        "5",
        "secs",
        "5 secs",
        " 5secs",
        "5secs ",
        "-5secs",
        "+5secs",
        "5sec",
        "5SECS",
        "1e3secs",
        "0x5ms",
        "infsecs",
        "nansecs",
        ".secs",
        "..secs",
        "1.2.3ms",
        "5m",
        "5min",
        "1,5secs",
        "10001days",
        "99999999999999999999999999999999999999weeks",
        "00000000000000000000000000000000000000000000000000001secs",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint64_t ms = 77;
        ck_assert_msg(!duration_parse(texts[i], &ms), "\"%s\" is no duration", texts[i]);
        ck_assert_uint_eq(ms, 77);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("duration");
    TCase *tcase = tcase_create("duration");
    SRunner *runner;
    int failures;

    tcase_add_test(tcase, every_unit);
    tcase_add_test(tcase, fractions);
    tcase_add_test(tcase, not_durations);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? 1 : 0;
}
