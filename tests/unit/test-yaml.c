/* Configuration from YAML: what is read, what is refused and where. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <quobyte-mesos/config.h>

#include "unit.h"

static struct qm_config *config_new(void)
{
    struct qm_config *config;

    ck_assert_int_eq(qm_config_new(&config, NULL, 0, NULL), 0);
    return config;
}

static const struct {
    const char *yaml, *key, *value;
} good[] = {
    {"", "images.server", ""},
    {"---\n...\n", "images.server", ""},
    {"# nothing but a comment\n", "images.server", ""},
    {"images: {server: quobyte/server}\n", "images.server", "quobyte/server"},
    {"images:\n  server: quobyte/server", "images.server", "quobyte/server"},
    {"images: {server: a}\r\nregistry: {replicas: 5}\r\n", "registry.replicas", "5"},
    {"docker_image: a\n", "images.server", "a"},
    {"docker-image: a\n", "images.server", "a"},
    {"images.server: a\n", "images.server", "a"},
    {"images:\n", "images.server", ""},
    {"images: ~\nservices: {}\n", "images.server", ""},
    {"images: {server: ~}\n", "images.server", ""},
    {"images: {server: \"~\"}\n", "images.server", "~"},
    {"services: {registry: {min_ready_s: 1}}\n", "services.registry.min_ready_s", "1"},
    {"services: {registry: {min_ready_s: 0.25}}\n", "services.registry.min_ready_s", "0.25"},
    {"services: {s3: {hostname: s3.example}}\n", "services.s3.hostname", "s3.example"},
    {"services: {data: {health: {path: /x, grace_s: 7}}}\n", "services.data.health.grace_s", "7"},
    {"services: {data: {env: {A: 1, B: \"x,y\"}}}\n", "services.data.env", "A=1\nB=x,y"},
    {"services: {data: {env: {A: \"x,y\"}}}\n", "services.data.env", "A=x,y"},
    {"services: {data: {env: {}}}\n", "services.data.env", ""},
    {"services: {data: {env: {EMPTY: }}}\n", "services.data.env", "EMPTY="},
    {"placement: {hosts: [a, 'b*']}\n", "placement.hosts", "a\nb*"},
    {"placement: {hosts: [\"a,b\"]}\n", "placement.hosts", "a,b"},
    {"placement: {hosts: []}\n", "placement.hosts", ""},
    {"placement: {hosts: \"a,b\"}\n", "placement.hosts", "a\nb"},
    {"restrict_hosts: a,b\n", "placement.hosts", "a\nb"},
    {"services: {command: |\n  exec run\n}\n", "services.command", NULL},
    {"services:\n  command: |\n    exec run {service}\n", "services.command", "exec run {service}"},
    {"services:\n  command: >\n    exec\n    run\n", "services.command", "exec run"},
    {"rollout: {failures_total: unlimited}\n", "rollout.failures_total", "unlimited"},
    {"services: {enable_assertions: yes}\n", "services.enable_assertions", "true"},
    /* The binding makes the service, wherever it stands. */
    {"services: {nfs: {count: 2, binding: floating, health: {path: /x}}}\n", "services.nfs.count",
     "2"},
    {"services: {nfs: {env: {A: b}}}\nservices.nfs.binding: floating\n", "services.nfs.env", "A=b"},
};

START_TEST(reads)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        struct qm_config *config = config_new();
        struct qm_error error = {0};
        int r = qm_config_load_yaml(config, good[i].yaml, strlen(good[i].yaml), &error);

        if (good[i].value) {
            ck_assert_msg(r == 0, "%s: %u:%u %s %s", good[i].yaml, error.line, error.column,
                          error.key, error.message);
            ck_assert_str_eq(qm_config_text(config, good[i].key), good[i].value);
        } else {
            ck_assert_int_eq(r, QM_E_INVALID);
        }
        qm_config_free(config);
    }
}
END_TEST

static const struct {
    const char *yaml;
    int code;
    unsigned line, column;
    const char *key, *message; /* part of it */
} bad[] = {
    {"a: b\n", QM_E_UNKNOWN, 1, 1, "a", "unknown key"},
    {"images: {serve: x}\n", QM_E_UNKNOWN, 1, 10, "images.serve", "unknown key"},
    {"images:\n  server: x\n  cleint: y\n", QM_E_UNKNOWN, 3, 3, "images.cleint", "unknown key"},
    {"images: {docker_image: x}\n", QM_E_UNKNOWN, 1, 10, "images.docker_image", "unknown key"},
    {"services: {data: {cont: 1}}\n", QM_E_UNKNOWN, 1, 19, "services.data.cont", "unknown key"},
    {"services: {nfs: {count: 1}}\n", QM_E_UNKNOWN, 1, 25, "services.nfs.count", "its binding"},
    {"services: {nfs: {cont: 1}}\n", QM_E_UNKNOWN, 1, 18, "services.nfs.cont", "unknown key"},
    {"services: {\"a b\": {binding: floating}}\n", QM_E_INVALID, 1, 29, "services.a b", "name"},
    {"services: {prober: {binding: per_host}}\n", QM_E_INVALID, 1, 30, "services.prober", "name"},
    {"\"\": x\n", QM_E_UNKNOWN, 1, 1, "", "unknown key"},
    {"images: x\n", QM_E_INVALID, 1, 9, "images", "keys below"},
    {"images: [x]\n", QM_E_INVALID, 1, 9, "images", "keys below"},
    {"images: {server: {x: y}}\n", QM_E_INVALID, 1, 18, "images.server", "a single value"},
    {"images: {server: [x]}\n", QM_E_INVALID, 1, 18, "images.server", "a single value"},
    {"placement: {hosts: {a: b}}\n", QM_E_INVALID, 1, 20, "placement.hosts", "a list"},
    {"placement: {hosts: [[a]]}\n", QM_E_INVALID, 1, 21, "placement.hosts", "plain values"},
    {"placement: {hosts: [{a: b}]}\n", QM_E_INVALID, 1, 21, "placement.hosts", "plain values"},
    {"placement: {hosts: [\"a\\nb\"]}\n", QM_E_INVALID, 1, 21, "placement.hosts", "line end"},
    {"services: {data: {env: [a]}}\n", QM_E_INVALID, 1, 24, "services.data.env",
     "names with values"},
    {"services: {data: {env: {a: [b]}}}\n", QM_E_INVALID, 1, 28, "services.data.env",
     "plain values"},
    {"services: {data: {env: {a: b, a: c}}}\n", QM_E_INVALID, 1, 31, "services.data.env",
     "given twice"},
    {"services: {data: {env: {\"a b\": c}}}\n", QM_E_INVALID, 1, 24, "services.data.env",
     "NAME=VALUE"},
    {"services: {data: {env: {[a]: b}}}\n", QM_E_INVALID, 1, 25, "services.data.env",
     "plain values"},
    {"registry: {replicas: many}\n", QM_E_INVALID, 1, 22, "registry.replicas", "whole number"},
    {"registry:\n  replicas: 0\n", QM_E_INVALID, 2, 13, "registry.replicas", "from 1 to 99"},
    {"registry: {replicas: }\n", QM_E_INVALID, 1, 22, "registry.replicas", "whole number"},
    {"registry: {replicas: 3, replicas: 5}\n", QM_E_INVALID, 1, 35, "registry.replicas", "twice"},
    {"docker_image: a\nimages: {server: b}\n", QM_E_INVALID, 2, 18, "images.server", "twice"},
    {"images: {server: a}\nimages: {server: a}\n", QM_E_INVALID, 2, 18, "images.server", "line 1"},
    {"\"a\\nb\": x\n", QM_E_UNKNOWN, 1, 1, "a?b", "unknown key"}, /* errors are one line */
    {"- a\n", QM_E_INVALID, 1, 1, "", "keys with values"},
    {"just text\n", QM_E_INVALID, 1, 1, "", "keys with values"},
    {"[a]: b\n", QM_E_INVALID, 1, 1, "", "plain word"},
    {"? {a: b}\n: c\n", QM_E_INVALID, 1, 3, "", "plain word"},
    {"images: {server: a\n", QM_E_INVALID, 2, 1, "", "flow mapping"},
    {"images:\n\tserver: a\n", QM_E_INVALID, 2, 1, "", "token"},
    {"images: \"a\n", QM_E_INVALID, 2, 1, "", "quoted scalar"},
    {"images:\n  server: a: b\n", QM_E_INVALID, 2, 12, "", "mapping values"},
    {"images: {server: \"a\\0b\"}\n", QM_E_INVALID, 1, 18, "images.server", "NUL"},
    {"images: {server: \"a\\nb\"}\n", QM_E_INVALID, 1, 18, "images.server", "control character"},
    {"images: {server: &a x}\n", QM_E_INVALID, 1, 18, "", "anchors"},
    {"images: &a {server: x}\n", QM_E_INVALID, 1, 9, "", "anchors"},
    {"images: *a\n", QM_E_INVALID, 1, 9, "", "an"}, /* libyaml or we: both name it */
    {"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", QM_E_UNKNOWN, 1, 1, "a", "unknown key"},
    {"placement: {hosts: &a [x, x, *a]}\n", QM_E_INVALID, 1, 20, "", "anchors"},
    {"<<: {images: {server: x}}\n", QM_E_UNKNOWN, 1, 1, "<<", "unknown key"},
    {"images: {server: !!str x}\n", QM_E_INVALID, 1, 18, "", "tags"},
    {"images: {server: !x y}\n", QM_E_INVALID, 1, 18, "", "tags"},
    {"images: {server: a}\n---\nimages: {server: b}\n", QM_E_INVALID, 2, 1, "", "second document"},
    {"images: {server: \"\xff\"}\n", QM_E_INVALID, 1, 0, "", "UTF-8"},
    {"images: {server: \x01}\n", QM_E_INVALID, 1, 0, "", "control characters"},
};

START_TEST(refuses_with_place)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct qm_config *config = config_new();
        struct qm_config_entry entry;
        struct qm_error error = {0};
        char line[400];
        int r = qm_config_load_yaml(config, bad[i].yaml, strlen(bad[i].yaml), &error);

        qm_error_format(&error, line, sizeof(line));
        ck_assert_msg(r == bad[i].code, "%s: %d, %s", bad[i].yaml, r, line);
        ck_assert_int_eq(error.code, r);
        ck_assert_msg(error.line == bad[i].line, "%s: %s", bad[i].yaml, line);
        ck_assert_msg(bad[i].column == 0 || error.column == bad[i].column, "%s: %s", bad[i].yaml,
                      line);
        ck_assert_msg(strcmp(error.key, bad[i].key) == 0, "%s: %s", bad[i].yaml, line);
        ck_assert_msg(strstr(error.message, bad[i].message) != NULL, "%s: %s", bad[i].yaml, line);
        /* All or nothing. */
        for (size_t n = 0; qm_config_entry(config, n, &entry); n++)
            ck_assert_msg(entry.is_default, "%s after %s", entry.key, bad[i].yaml);
        ck_assert_int_eq(qm_config_load_yaml(config, bad[i].yaml, strlen(bad[i].yaml), NULL), r);
        qm_config_free(config);
    }
}
END_TEST

START_TEST(not_terminated)
{
    /* Only so many bytes are looked at. */
    static const char yaml[] = "images: {server: abc}";
    char *copy = malloc(16);
    struct qm_config *config = config_new();

    memcpy(copy, yaml, 16);
    ck_assert_int_eq(qm_config_load_yaml(config, copy, 16, NULL), QM_E_INVALID);
    free(copy);
    qm_config_free(config);
}
END_TEST

START_TEST(nul_byte)
{
    static const char yaml[] = "images: {server: a\0b}\n";
    struct qm_config *config = config_new();
    struct qm_error error = {0};

    ck_assert_int_eq(qm_config_load_yaml(config, yaml, sizeof(yaml) - 1, &error), QM_E_INVALID);
    ck_assert_uint_eq(error.line, 1);
    qm_config_free(config);
}
END_TEST

/* A text of @size bytes that goes on with one pattern. */
static int load_repeated(const char *begin, const char *pattern, size_t size)
{
    struct qm_config *config = config_new();
    char *text = malloc(size);
    size_t used = strlen(begin);
    int r;

    memcpy(text, begin, used);
    for (size_t i = 0; used < size; i++)
        text[used++] = pattern[i % strlen(pattern)];
    r = qm_config_load_yaml(config, text, size, NULL);
    free(text);
    qm_config_free(config);
    return r;
}

START_TEST(large_texts)
{
    ck_assert_int_eq(load_repeated("", "# comment\n", 1024 * 1024), 0);
    ck_assert_int_eq(load_repeated("", "#", 1024 * 1024 + 1), QM_E_INVALID);
    ck_assert_int_eq(load_repeated("images: {server: ", "x", 1024 * 1024), QM_E_INVALID);
    ck_assert_int_eq(load_repeated("images.server: ", "x", 1024 * 1024), QM_E_INVALID);
    ck_assert_int_gt(load_repeated("", "[", 1000000), 0);
    ck_assert_int_gt(load_repeated("", "{", 1000000), 0);
    ck_assert_int_gt(load_repeated("images: ", "{a: ", 1000000), 0);
    ck_assert_int_gt(load_repeated("placement: {hosts: [", "[", 1000000), 0);
    ck_assert_int_gt(load_repeated("", "x", 1000000), 0);
    ck_assert_int_gt(load_repeated("", "- ", 1000000), 0);
}
END_TEST

START_TEST(command_line_after_the_file)
{
    static const char yaml[] = "images: {server: file}\n";
    struct qm_config *config = config_new();

    ck_assert_int_eq(qm_config_load_yaml(config, yaml, strlen(yaml), NULL), 0);
    ck_assert_int_eq(qm_config_set(config, "docker_image", "flag", NULL), 0);
    ck_assert_str_eq(qm_config_text(config, "images.server"), "flag");
    qm_config_free(config);
}
END_TEST

static int with_memory(size_t blocks)
{
    static const char yaml[] = "images: {server: x}\nplacement: {hosts: [a, b]}\n"
                               "services: {nfs: {binding: floating, env: {A: b}}}\n";
    struct unit_memory memory;
    struct qm_config *config;
    int r;

    unit_memory_init(&memory, SIZE_MAX);
    ck_assert_int_eq(qm_config_new(&config, NULL, 0, &memory.allocator), 0);
    memory.left = blocks;
    r = qm_config_load_yaml(config, yaml, strlen(yaml), NULL);
    qm_config_free(config);
    ck_assert_uint_eq(memory.live, 0);
    return r;
}

START_TEST(out_of_memory)
{
    size_t blocks = 0;
    int r;

    while ((r = with_memory(blocks)) == -ENOMEM)
        blocks += blocks > 700 || blocks < 20 ? 1 : 41; /* the copy takes the first 700 */
    ck_assert_int_eq(r, 0);
    ck_assert_uint_gt(blocks, 700);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("yaml");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, reads);
    tcase_add_test(tcase, refuses_with_place);
    tcase_add_test(tcase, not_terminated);
    tcase_add_test(tcase, nul_byte);
    tcase_add_test(tcase, large_texts);
    tcase_add_test(tcase, command_line_after_the_file);
    tcase_add_test(tcase, out_of_memory);
    return unit_run("yaml", tcase);
}
