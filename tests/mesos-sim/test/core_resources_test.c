/* Arithmetic on resources: the simulator's books stand on it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

static struct res parse(const char *text)
{
    struct res res = {0};
    char *error = NULL;

    ck_assert_msg(core_res_parse(&res, text, &error), "%s", error);
    return res;
}

static void expect_text(struct res *res, const char *expected)
{
    char *text = core_res_text(res);

    ck_assert_str_eq(text, expected);
    free(text);
}

/* a - b, or "no" when b is not in a. */
static void minus(const char *a, const char *b, const char *expected)
{
    struct res have = parse(a), less = parse(b);

    if (!core_res_contains(&have, &less)) {
        ck_assert_str_eq("no", expected);
    } else {
        core_res_subtract(&have, &less);
        expect_text(&have, expected);
    }
    core_res_clear(&have);
    core_res_clear(&less);
}

START_TEST(subtraction)
{
    minus("cpus:4;mem:100", "cpus:0.1", "cpus:3.9; mem:100");
    minus("cpus:4", "cpus:4", "{}");
    minus("cpus:4", "cpus:4.001", "no");
    minus("cpus:4", "gpus:1", "no");
    minus("cpus:0.3", "cpus:0.1;cpus:0.2", "{}");
    minus("cpus(db):4;cpus:1", "cpus:2", "no");
    minus("cpus(db):4;cpus:1", "cpus(db):2", "cpus(reservations: [(STATIC,db)]):2; cpus:1");
    minus("ports:[1-10]", "ports:[1-1,5-6]", "ports:[2-4, 7-10]");
    minus("ports:[1-10]", "ports:[10-10]", "ports:[1-9]");
    minus("ports:[1-10,12-20]", "ports:[9-13]", "no");
    minus("ports:[1-5,6-10]", "ports:[4-7]", "ports:[1-3, 8-10]");
    minus("things:{a,b,c}", "things:{b}", "things:{a, c}");
    minus("things:{a}", "things:{b}", "no");
}
END_TEST

START_TEST(addition_is_exact)
{
    struct res sum = {0}, tenth = parse("cpus:0.1;ports:[5-5]"), more = parse("ports:[6-9]");

    for (int i = 0; i < 1000; i++)
        core_res_add_all(&sum, &tenth);
    core_res_add_all(&sum, &more);
    expect_text(&sum, "cpus:100; ports:[5-9]");
    core_res_clear(&sum);
    core_res_clear(&tenth);
    core_res_clear(&more);
}
END_TEST

START_TEST(formats_and_back)
{
    struct res res = parse("cpus(db):2;mem:10");

    core_res_downgrade(res.v[0]);
    core_res_downgrade(res.v[1]);
    ck_assert_str_eq(res.v[0]->role, "db");
    ck_assert_uint_eq(res.v[0]->n_reservations, 0);
    ck_assert_str_eq(res.v[1]->role, "*");
    core_res_upgrade(res.v[0]);
    core_res_upgrade(res.v[1]);
    expect_text(&res, "cpus(reservations: [(STATIC,db)]):2; mem:10");
    core_res_allocate(&res, "web");
    expect_text(&res,
                "cpus(allocated: web)(reservations: [(STATIC,db)]):2; mem(allocated: web):10");
    core_res_unallocate(&res);
    expect_text(&res, "cpus(reservations: [(STATIC,db)]):2; mem:10");
    core_res_clear(&res);
}
END_TEST

START_TEST(bad_texts)
{
    static const char *const bad[] = {"cpus",        "cpus:",     ":4",          "cpus:x",
                                      "cpus:-1",     "cpus:nan",  "ports:[5-4]", "ports:[1-2",
                                      "ports:[a-b]", "things:{a", "cpus(a:1",    "ports:[]",
                                      "cpus:1;mem:", "cpus:1e999"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct res res = {0};
        char *error = NULL;

        ck_assert_msg(!core_res_parse(&res, bad[i], &error), "'%s' was taken", bad[i]);
        ck_assert_ptr_nonnull(error);
        free(error);
        core_res_clear(&res);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mesos-sim: resources");
    TCase *cases = tcase_create("core");
    SRunner *runner;
    int failed;

    tcase_add_test(cases, subtraction);
    tcase_add_test(cases, addition_is_exact);
    tcase_add_test(cases, formats_and_back);
    tcase_add_test(cases, bad_texts);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
