/*
 * Runs a test case as a suite of its name; for main() to return.
 */
#ifndef TESTS_DAEMON_MESOS_RUN_H
#define TESTS_DAEMON_MESOS_RUN_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static inline int run_case(const char *name, TCase *tcase)
{
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}

#endif
