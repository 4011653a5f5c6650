/*
 * The cluster file: what it may say, and the one line that each mistake gets.
 */
#include "../cluster_file.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct cluster_file file;

static void parse(const char *text, size_t agents)
{
    char *error;
    int r = cluster_file_parse(&file, "c.yaml", text, text ? strlen(text) : 0, agents, &error);

    ck_assert_msg(r == 0, "%s", error);
}

static void expect_error(const char *text, const char *words)
{
    char *error;

    ck_assert_int_lt(cluster_file_parse(&file, "c.yaml", text, strlen(text), 3, &error), 0);
    ck_assert_str_eq(error, words);
    free(error);
}

START_TEST(without_a_file)
{
    parse(NULL, 2);
    ck_assert_uint_eq(file.cluster.n_agents, 2);
    ck_assert_str_eq(file.agents[0].hostname, "agent-1");
    ck_assert_str_eq(file.agents[1].hostname, "agent-2");
    ck_assert_str_eq(file.agents[1].resources, CLUSTER_FILE_RESOURCES);
    ck_assert_uint_eq(file.agents[1].n_devices, 3);
    ck_assert_str_eq(file.agents[0].devices[0].type, "registry");
    ck_assert(file.agents[0].devices[0].bootstrap);
    ck_assert(!file.agents[1].devices[0].bootstrap);
    ck_assert_str_eq(file.agents[1].devices[2].mount, "/mnt/data");
    cluster_file_deinit(&file);
}
END_TEST

START_TEST(an_empty_file_names_nothing)
{
    parse("# nothing yet\n", 1);
    ck_assert_uint_eq(file.cluster.n_agents, 1);
    cluster_file_deinit(&file);
}
END_TEST

START_TEST(all_keys)
{
    parse("agents:\n"
          "  - hostname: node-1\n"
          "    zone: z1\n"
          "    resources: cpus:4;mem:8192;ports:[21000-21100]\n"
          "    attributes: {rack: r1, level: 3}\n"
          "    devices:\n"
          "      - {type: registry, mount: /mnt/r, bootstrap: true, serial: S1}\n"
          "      - {type: data, mount: /mnt/d}\n"
          "      - {mount: /mnt/untagged}\n"
          "    maintenance: {start_s: 10, duration_s: 0.5}\n"
          "  - {hostname: n}\n"
          "registry: in_memory\n"
          "images:\n"
          "  missing: [\"x/y:1.2\", z]\n"
          "  start_s: 1.5\n"
          "  commands: {\"x/y:1.1\": sleep 5}\n",
          3);
    ck_assert_uint_eq(file.cluster.n_agents, 2);
    ck_assert_str_eq(file.agents[0].zone, "z1");
    ck_assert_str_eq(file.agents[0].region, "default");
    ck_assert_str_eq(file.agents[0].resources, "cpus:4;mem:8192;ports:[21000-21100]");
    ck_assert_uint_eq(file.agents[0].n_attributes, 2);
    ck_assert_str_eq(file.agents[0].attributes[1].name, "level");
    ck_assert_str_eq(file.agents[0].attributes[1].value, "3");
    ck_assert_uint_eq(file.agents[0].n_devices, 3);
    ck_assert_str_eq(file.agents[0].devices[0].serial, "S1");
    ck_assert(file.agents[0].devices[0].bootstrap);
    ck_assert_ptr_null(file.agents[0].devices[2].type);
    ck_assert_int_eq(file.agents[0].maintenance_start_ms, 10000);
    ck_assert_int_eq(file.agents[0].maintenance_ms, 500);
    ck_assert_uint_eq(file.agents[1].n_devices, 0);
    ck_assert_int_eq(file.cluster.registry, SIM_REGISTRY_IN_MEMORY);
    ck_assert_uint_eq(file.cluster.n_missing_images, 2);
    ck_assert_str_eq(file.cluster.missing_images[0], "x/y:1.2");
    ck_assert_double_eq(file.cluster.image_start_s, 1.5);
    ck_assert_str_eq(file.cluster.image_commands[0].name, "x/y:1.1");
    ck_assert_str_eq(file.cluster.image_commands[0].value, "sleep 5");
    cluster_file_deinit(&file);
}
END_TEST

START_TEST(mistakes_have_a_place)
{
    expect_error("agents:\n  - {hostname: a}\n  - {hostname: b}\n  - {hostname: a}\n",
                 "c.yaml:4:5: two agents have the host name 'a'");
    expect_error("agents:\n  - {hostnam: a}\n", "c.yaml:2:6: unknown key 'hostnam'");
    expect_error("agents:\n  - {zone: a}\n", "c.yaml:2:5: this agent has no hostname");
    expect_error("agents: []\n", "c.yaml:1:9: from 1 to 10000 agents are possible");
    expect_error("agents: 3\n", "c.yaml:1:9: a list is expected here");
    expect_error("agents:\n  - {hostname: ../a}\n", "c.yaml:2:16: host name '../a' holds a '/'");
    expect_error("agents:\n  - {hostname: ..}\n", "c.yaml:2:16: '..' is not a host name");
    expect_error("agents:\n  - hostname: a\n    hostname: b\n",
                 "c.yaml:3:5: key 'hostname' is given twice");
    expect_error("agents:\n  - hostname: a\n    devices: [{type: disk, mount: /m}]\n",
                 "c.yaml:3:22: device type 'disk' is none of registry, metadata, data");
    expect_error("agents:\n  - hostname: a\n    devices: [{type: data, mount: /m/../..}]\n",
                 "c.yaml:3:35: mount '/m/../..' is not an absolute path without '..'");
    expect_error("agents:\n  - hostname: a\n    devices: [{type: data, bootstrap: true}]\n",
                 "c.yaml:3:15: only a registry device can be the bootstrap device");
    expect_error("agents:\n  - hostname: a\n    devices: [{mount: /m}, {mount: /m}]\n",
                 "c.yaml:3:14: two devices are mounted at '/m'");
    expect_error("images: {start_s: soon}\n",
                 "c.yaml:1:19: seconds are expected here, as a number from 0 on");
    expect_error("images: {start_s: nan}\n",
                 "c.yaml:1:19: seconds are expected here, as a number from 0 on");
    expect_error("{a: b: c}\n", "c.yaml:1:6: did not find expected ',' or '}'");
    expect_error("agents: [\n", "c.yaml:2:1: did not find expected node content");
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
    char *error;

    ck_assert_int_lt(cluster_file_load(&file, "/nowhere/c.yaml", 3, &error), 0);
    ck_assert_str_eq(error, "/nowhere/c.yaml: No such file or directory");
    free(error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cluster_file");
    TCase *tcase = tcase_create("cluster_file");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, without_a_file);
    tcase_add_test(tcase, an_empty_file_names_nothing);
    tcase_add_test(tcase, all_keys);
    tcase_add_test(tcase, mistakes_have_a_place);
    tcase_add_test(tcase, a_file_that_is_not_there);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
