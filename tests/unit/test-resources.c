/* Resources as text. */
#include <string.h>

#include <quobyte-mesos/resources.h>

#include "unit.h"

static const struct {
    const char *text;
    struct qm_resources resources;
    const char *shown;
} good[] = {
    /* The old framework lost the last digit of a mem at the end. */
    {"cpus:1.0;mem:2084", {1000, 2084, 0}, "cpus:1;mem:2084;disk:0"},
    {"cpus:0.5;mem:512;disk:32", {500, 512, 32}, "cpus:0.5;mem:512;disk:32"},
    {"disk:32;cpus:0.1", {100, 0, 32}, "cpus:0.1;mem:0;disk:32"},
    {" cpus : 2 ; mem : 8192 ", {2000, 8192, 0}, "cpus:2;mem:8192;disk:0"},
    {"mem:1;", {0, 1, 0}, "cpus:0;mem:1;disk:0"},
    {"mem:1.5;cpus:0.0001", {1, 2, 0}, "cpus:0.001;mem:2;disk:0"}, /* wanted: rounded up */
};

static const char *const bad[] = {
    "",
    ";",
    "cpus",
    "cpus:",
    "cpus:;mem:1",
    ":1",
    "cpus:x",
    "cpus:-1",
    "cpus:nan",
    "cpus:inf",
    "cpus:1e3",
    "cpus:1;cpus:2",
    "mem:1 2",
    "gpus:1",
    "cpus(*):1",
    "cpus:1,mem:2",
    "cpus:1;;mem:2",
    "cpus=1",
    "mem:99999999999999999999999",
    "ports:[1-2]",
    "cpus:1\n",
    "CPUS:1",
    "cpus:0x10",
    "cpus:1;mem",
};

START_TEST(reads)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        struct qm_resources resources;
        char shown[128];

        ck_assert_msg(qm_resources_parse(good[i].text, &resources, NULL) == 0, "%s", good[i].text);
        ck_assert_uint_eq(resources.cpu_milli, good[i].resources.cpu_milli);
        ck_assert_uint_eq(resources.mem_mib, good[i].resources.mem_mib);
        ck_assert_uint_eq(resources.disk_mib, good[i].resources.disk_mib);
        ck_assert_uint_eq(qm_resources_format(&resources, shown, sizeof(shown)),
                          strlen(good[i].shown));
        ck_assert_str_eq(shown, good[i].shown);
    }
}
END_TEST

START_TEST(refuses)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct qm_resources resources = {1, 2, 3};
        struct qm_error error = {0};

        ck_assert_msg(qm_resources_parse(bad[i], &resources, &error) == QM_E_INVALID, "%s", bad[i]);
        ck_assert_int_eq(error.code, QM_E_INVALID);
        ck_assert_msg(error.message[0] != '\0', "%s: no message", bad[i]);
        ck_assert_uint_eq(resources.mem_mib, 2);
    }
}
END_TEST

START_TEST(short_buffer)
{
    struct qm_resources resources = {500, 512, 32};
    char small[5];

    ck_assert_uint_eq(qm_resources_format(&resources, small, sizeof(small)), 24);
    ck_assert_str_eq(small, "cpus");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("resources");

    tcase_add_test(tcase, reads);
    tcase_add_test(tcase, refuses);
    tcase_add_test(tcase, short_buffer);
    return unit_run("resources", tcase);
}
