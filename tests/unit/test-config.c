/* Configuration: defaults, setting, reading, added services, running out of memory. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <quobyte-mesos/config.h>

#include "unit.h"

static const struct qm_config_key extra[] = {
    {"mesos.master", "master", QM_CONFIG_TEXT, "", .unit = "", .help = "the master"},
    {"mesos.secret", NULL, QM_CONFIG_TEXT, "", .unit = "", .help = "a secret", .secret = true},
    {"mesos.level", NULL, QM_CONFIG_INTEGER, "0", 0, 9, .unit = "", .secret = true},
};

static struct qm_config *config_new(void)
{
    struct qm_config *config;

    ck_assert_int_eq(qm_config_new(&config, extra, 3, NULL), 0);
    return config;
}

START_TEST(defaults)
{
    struct qm_config *config = config_new();

    ck_assert_str_eq(qm_config_text(config, "registry.dns_name"), "_registry._tcp.quobyte");
    ck_assert_str_eq(qm_config_text(config, "services.registry.resources"),
                     "cpus:1;mem:2084;disk:32");
    ck_assert_str_eq(qm_config_text(config, "services.registry.binding"), "device");
    ck_assert_int_eq(qm_config_integer(config, "ports.base"), 21000);
    ck_assert_int_eq(qm_config_integer(config, "services.api.port"), 8889);
    ck_assert_uint_eq(qm_config_duration(config, "shutdown.delay_s"), 10000);
    ck_assert_uint_eq(qm_config_duration(config, "services.registry.min_ready_s"), 60000);
    ck_assert_uint_eq(qm_config_duration(config, "services.data.min_ready_s"), 180000);
    ck_assert_uint_eq(qm_config_duration(config, "services.data.health.grace_s"), 900000);
    ck_assert_int_eq(qm_config_integer(config, "services.data.health.failures"), 30);
    ck_assert(!qm_config_bool(config, "shutdown.confirm"));
    ck_assert_int_eq(qm_config_integer(config, "rollout.failures_total"), 5);
    ck_assert_int_eq(qm_config_integer(config, "rollout.failures_per_instance"), 2);
    ck_assert_str_eq(qm_config_text(config, "mesos.master"), "");
    qm_config_free(config);
    ck_assert_ptr_null(qm_config_free(NULL));
}
END_TEST

/* Flags of the old framework and where they lead. */
static const char *const flags[][2] = {
    {"deployment", "framework.deployment"},
    {"probe_interval_s", "prober.interval_s"},
    {"probe_executor_keepalive_interval_s", "prober.keepalive_s"},
    {"reconcile_service_interval_s", "reconcile.service_interval_s"},
    {"restrict_hosts", "placement.hosts"},
    {"docker_image", "images.server"},
    {"framework_image", "images.framework"},
    {"client_image", "images.client"},
    {"registry_dns_name", "registry.dns_name"},
    {"mesos_dns_domain", "registry.dns_domain"},
    {"registry_resources", "services.registry.resources"},
    {"metadata_resources", "services.metadata.resources"},
    {"data_resources", "services.data.resources"},
    {"prober_resources", "prober.resources"},
    {"client_resources", "services.client.resources"},
    {"api_resources", "services.api.resources"},
    {"s3_resources", "services.s3.resources"},
    {"webconsole_resources", "services.webconsole.resources"},
    {"extra_service_config", "services.extra_config"},
    {"service_debug_port", "services.debug_port"},
    {"registry_extra_ram_mb", "services.registry.extra_ram_mb"},
    {"metadata_extra_ram_mb", "services.metadata.extra_ram_mb"},
    {"s3_extra_ram_mb", "services.s3.extra_ram_mb"},
    {"enable_assertions", "services.enable_assertions"},
    {"host_device_directory", "devices.host_directory"},
    {"prober_user", "prober.user"},
    {"port_range_base", "ports.base"},
    {"api_port", "services.api.port"},
    {"s3_port", "services.s3.port"},
    {"s3_hostname", "services.s3.hostname"},
    {"webconsole_port", "services.webconsole.port"},
    {"public_slave_role", "placement.public_role"},
    {"autodetect_service_ip", "services.autodetect_ip"},
    {"client_mount_point", "client.mount_point"},
    {"containerizer", "services.containerizer"},
    {"service_command", "services.command"},
    {"prober_command", "prober.command"},
    {"prober_uri", "prober.uri"},
};

START_TEST(flags_lead_to_keys)
{
    struct qm_config *config = config_new();
    struct qm_config_entry entry;

    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        bool found = false;

        for (size_t n = 0; qm_config_entry(config, n, &entry); n++)
            found |= entry.flag && strcmp(entry.flag, flags[i][0]) == 0 &&
                     strcmp(entry.key, flags[i][1]) == 0;
        ck_assert_msg(found, "--%s is not %s", flags[i][0], flags[i][1]);
    }
    qm_config_free(config);
}
END_TEST

START_TEST(names_are_unique)
{
    struct qm_config *config = config_new();
    struct qm_config_entry a, b;

    for (size_t i = 0; qm_config_entry(config, i, &a); i++) {
        for (size_t k = i + 1; qm_config_entry(config, k, &b); k++) {
            ck_assert_msg(strcmp(a.key, b.key) != 0, "%s twice", a.key);
            ck_assert_msg(!a.flag || !b.flag || strcmp(a.flag, b.flag) != 0, "--%s twice", a.flag);
        }
    }
    qm_config_free(config);
}
END_TEST

static const struct {
    const char *key, *value, *kept;
} good[] = {
    {"docker_image", "quobyte/server", "quobyte/server"},
    {"docker-image", "q", "q"},
    {"images.server", "", ""},
    {"enable_assertions", "YES", "true"},
    {"enable_assertions", "0", "false"},
    {"services.autodetect_ip", "off", "false"},
    {"ports.base", "1", "1"},
    {"ports.base", "65524", "65524"},
    {"ports.base", "00021", "21"},
    {"service_debug_port", "-1", "-1"},
    {"shutdown.delay_s", "0.5", "0.5"},
    {"shutdown.delay_s", "1.50", "1.5"},
    {"services.data.resources", "mem:1;cpus:1.0", "cpus:1;mem:1;disk:0"},
    {"restrict_hosts", "a, b ,,c,", "a\nb\nc"},
    {"restrict_hosts", "", ""},
    {"services.api.env", "A=1,B_2=x y", "A=1\nB_2=x y"},
    {"services.api.env", "A=1,2\n", "A=1,2"}, /* as YAML says it: a comma is part of the value */
    {"services.api.env", "A=", "A="},
    {"rollout.failures_total", "unlimited", "unlimited"},
    {"rollout.failures_total", "0", "0"},
    {"rollout.clients", "AUTO", "auto"},
    {"mesos.master", "h\xc3\xb6st", "h\xc3\xb6st"},
};

START_TEST(set_good)
{
    struct qm_config *config = config_new();

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        struct qm_error error = {0};

        ck_assert_msg(qm_config_set(config, good[i].key, good[i].value, &error) == 0, "%s=%s: %s",
                      good[i].key, good[i].value, error.message);
        if (strchr(good[i].key, '.'))
            ck_assert_str_eq(qm_config_text(config, good[i].key), good[i].kept);
    }
    ck_assert_str_eq(qm_config_text(config, "placement.hosts"), "");
    ck_assert_int_eq(qm_config_integer(config, "rollout.failures_total"), 0);
    qm_config_free(config);
}
END_TEST

static const struct {
    const char *key, *value;
    int code;
} bad[] = {
    {"nothing", "1", QM_E_UNKNOWN},
    {"", "1", QM_E_UNKNOWN},
    {"images", "x", QM_E_UNKNOWN},
    {"images.server.x", "x", QM_E_UNKNOWN},
    {"services.*.count", "1", QM_E_UNKNOWN},
    {"services.nfs.count", "1", QM_E_UNKNOWN},
    {"services..binding", "floating", QM_E_UNKNOWN},
    {"services.prober.count", "1", QM_E_UNKNOWN},
    {"services.prober.binding", "floating", QM_E_INVALID},
    {"services.command.binding", "floating", QM_E_INVALID},
    {"services.-x.binding", "floating", QM_E_INVALID},
    {"services.a b.binding", "floating", QM_E_INVALID},
    {"services.nfs.binding", "nowhere", QM_E_INVALID},
    {"ports.base", "", QM_E_INVALID},
    {"ports.base", "0", QM_E_INVALID},
    {"ports.base", "65525", QM_E_INVALID},
    {"ports.base", "21000x", QM_E_INVALID},
    {"ports.base", " 21000", QM_E_INVALID},
    {"ports.base", "+1", QM_E_INVALID},
    {"ports.base", "-", QM_E_INVALID},
    {"ports.base", "1.5", QM_E_INVALID},
    {"ports.base", "0x10", QM_E_INVALID},
    {"ports.base", "99999999999999999999", QM_E_INVALID},
    {"service_debug_port", "-2", QM_E_INVALID},
    {"shutdown.delay_s", "-1", QM_E_INVALID},
    {"shutdown.delay_s", "10s", QM_E_INVALID},
    {"shutdown.delay_s", "1e3", QM_E_INVALID},
    {"shutdown.delay_s", "nan", QM_E_INVALID},
    {"shutdown.delay_s", "86400.001", QM_E_INVALID},
    {"reconcile.patience_s", "0.9", QM_E_INVALID},
    {"enable_assertions", "maybe", QM_E_INVALID},
    {"enable_assertions", "", QM_E_INVALID},
    {"enable_assertions", "2", QM_E_INVALID},
    {"services.data.resources", "cpus:1;cpus:1", QM_E_INVALID},
    {"services.api.env", "=1", QM_E_INVALID},
    {"services.api.env", "A", QM_E_INVALID},
    {"services.api.env", "1A=x", QM_E_INVALID},
    {"services.api.env", "A-B=x", QM_E_INVALID},
    {"rollout.failures_total", "-1", QM_E_INVALID},
    {"rollout.failures_total", "unlimite", QM_E_INVALID},
    {"rollout.clients", "aut", QM_E_INVALID},
    {"rollout.clients", "auto|manual", QM_E_INVALID},
    {"rollout.clients", "", QM_E_INVALID},
    {"images.server", "a\nb", QM_E_INVALID},
    {"images.server", "a\tb", QM_E_INVALID},
    {"images.server", "a\x7f", QM_E_INVALID},
    {"images.server", "\xff", QM_E_INVALID},
    {"restrict_hosts",
     "a\x01"
     "b",
     QM_E_INVALID},
};

START_TEST(set_bad_changes_nothing)
{
    struct qm_config *config = config_new();
    struct qm_config_entry entry;
    size_t n;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct qm_error error = {0};
        int r = qm_config_set(config, bad[i].key, bad[i].value, &error);

        ck_assert_msg(r == bad[i].code, "%s=%s: %d", bad[i].key, bad[i].value, r);
        ck_assert_int_eq(error.code, r);
        ck_assert_msg(error.message[0] && error.message[strlen(error.message) - 1] != '.', "%s=%s",
                      bad[i].key, bad[i].value);
        ck_assert_int_eq(qm_config_set(config, bad[i].key, bad[i].value, NULL), r);
    }
    for (n = 0; qm_config_entry(config, n, &entry); n++)
        ck_assert_msg(entry.is_default, "%s", entry.key);
    for (size_t i = 0; i < n; i++) {
        qm_config_entry(config, i, &entry);
        ck_assert_msg(strstr(entry.key, "nfs") == NULL, "%s", entry.key);
    }
    qm_config_free(config);
}
END_TEST

START_TEST(too_long)
{
    struct qm_config *config = config_new();
    char *text = malloc(70001);
    struct qm_error error;

    memset(text, 'x', 70000);
    text[70000] = '\0';
    ck_assert_int_eq(qm_config_set(config, "images.server", text, &error), QM_E_INVALID);
    ck_assert_int_eq(qm_config_set(config, text, "x", &error), QM_E_UNKNOWN);
    ck_assert_uint_eq(strlen(error.key), sizeof(error.key) - 1);
    free(text);
    qm_config_free(config);
}
END_TEST

START_TEST(secrets_are_not_shown)
{
    struct qm_config *config = config_new();
    struct qm_config_entry entry;
    struct qm_error error;

    ck_assert_int_eq(qm_config_set(config, "mesos.secret", "hunter2", NULL), 0);
    for (size_t i = 0; qm_config_entry(config, i, &entry); i++)
        ck_assert_ptr_null(strstr(entry.value, "hunter2"));
    ck_assert_str_eq(qm_config_text(config, "mesos.secret"), "hunter2");
    ck_assert_int_eq(qm_config_set(config, "mesos.level", "hunter2", &error), QM_E_INVALID);
    ck_assert_ptr_null(strstr(error.message, "hunter2"));
    qm_config_free(config);
}
END_TEST

START_TEST(items)
{
    struct qm_config *config = config_new();
    char item[8];

    ck_assert(!qm_config_item(config, "placement.hosts", 0, item, sizeof(item)));
    qm_config_set(config, "placement.hosts", "a,bb,a-long-host-name", NULL);
    ck_assert(qm_config_item(config, "placement.hosts", 1, item, sizeof(item)));
    ck_assert_str_eq(item, "bb");
    ck_assert(qm_config_item(config, "placement.hosts", 2, item, sizeof(item)));
    ck_assert_str_eq(item, "a-long-");
    ck_assert(!qm_config_item(config, "placement.hosts", 3, item, sizeof(item)));
    qm_config_free(config);
}
END_TEST

START_TEST(added_services)
{
    struct qm_config *config = config_new();
    struct qm_error error;
    char key[64];

    ck_assert_int_eq(qm_config_set(config, "services.nfs-2.binding", "floating", NULL), 0);
    ck_assert_int_eq(qm_config_set(config, "services.nfs-2.count", "3", NULL), 0);
    ck_assert_int_eq(qm_config_integer(config, "services.nfs-2.count"), 3);
    /* Seven built-in ones, the prober, and so many more. */
    for (int i = 1; i < QM_SERVICES_MAX - QM_SERVICES_BUILT_IN; i++) {
        snprintf(key, sizeof(key), "services.x%d.binding", i);
        ck_assert_int_eq(qm_config_set(config, key, "per_host", NULL), 0);
    }
    ck_assert_int_eq(qm_config_set(config, "services.last.binding", "floating", &error),
                     QM_E_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "more than"));
    qm_config_free(config);
}
END_TEST

/* Works with every number of blocks until it succeeds, and never leaks. */
static int with_memory(size_t blocks)
{
    struct unit_memory memory;
    struct qm_config *config;
    int r;

    unit_memory_init(&memory, blocks);
    r = qm_config_new(&config, extra, 3, &memory.allocator);
    if (r == 0) {
        r = qm_config_set(config, "services.nfs.binding", "floating", NULL);
        if (r == 0)
            r = qm_config_set(config, "images.server", "x", NULL);
        qm_config_free(config);
    }
    ck_assert_uint_eq(memory.live, 0);
    return r;
}

START_TEST(out_of_memory)
{
    size_t blocks = 0;
    int r;

    /* All early ones, then samples: each try costs as much as the one that succeeds. */
    while ((r = with_memory(blocks)) == -ENOMEM)
        blocks += blocks < 50 ? 1 : 37;
    ck_assert_int_eq(r, 0);
    ck_assert_uint_gt(blocks, 1000);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("config");

    tcase_add_test(tcase, defaults);
    tcase_add_test(tcase, flags_lead_to_keys);
    tcase_add_test(tcase, names_are_unique);
    tcase_add_test(tcase, set_good);
    tcase_add_test(tcase, set_bad_changes_nothing);
    tcase_add_test(tcase, too_long);
    tcase_add_test(tcase, secrets_are_not_shown);
    tcase_add_test(tcase, items);
    tcase_add_test(tcase, added_services);
    tcase_add_test(tcase, out_of_memory);
    return unit_run("config", tcase);
}
