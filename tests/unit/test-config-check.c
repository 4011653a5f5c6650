/* Rules across keys of a configuration. */
#include <string.h>

#include <quobyte-mesos/config.h>

#include "unit.h"

#define NONE "containerizer", "none", "service_command", "run {service}", "prober_command", "probe"

/* Keys and values, then the key of the complaint; NULL: all is well. */
static const struct {
    const char *set[12];
    const char *key, *message;
} cases[] = {
    {{NULL}, "images.server", "needs an image"}, /* the old one started ":1.1.5" */
    {{"docker_image", "quobyte/quobyte-server"}, NULL, NULL},
    {{"docker_image", "reg.example:5000/quobyte/server"}, NULL, NULL},
    {{"docker_image", "quobyte/server:1.1"}, "images.server", "without tag"},
    {{"docker_image", "quobyte/server@sha256:00"}, "images.server", "without tag"},
    {{"docker_image", "a b"}, "images.server", "without tag"},
    {{"docker_image", "$(reboot)"}, "images.server", "without tag"},
    {{"docker_image", "-v"}, "images.server", "without tag"},
    {{"docker_image", "q", "services.data.image", "q:1"}, "services.data.image", "without tag"},
    {{"docker_image", "q", "framework_image", ""}, "images.framework", "neither"},
    {{"docker_image", "q", "framework_image", "", "prober_command", "x"}, NULL, NULL},
    {{"docker_image", "q", "prober_uri", "http://h/quobyte-mesos-prober"}, NULL, NULL},
    {{"docker_image", "q", "prober_uri", "http://h/a;b"}, "prober.uri", "plain file name"},
    {{"docker_image", "q", "prober_uri", "http://h/"}, "prober.uri", "plain file name"},
    {{"docker_image", "q", "prober_uri", "prober"}, "prober.uri", "plain file name"},
    {{"docker_image", "q", "prober_resources", "mem:1"}, "prober.resources", "cpus and mem"},
    {{NONE}, NULL, NULL},
    {{"containerizer", "none"}, "services.registry.command", "without containers"},
    {{"containerizer", "none", "service_command", "x"}, "prober.command", "without containers"},
    /* Memory. */
    {{"docker_image", "q", "registry_resources", "cpus:1;mem:512"},
     "services.registry.resources",
     "leaves no heap"},
    {{"docker_image", "q", "registry_resources", "cpus:1;mem:513"}, NULL, NULL},
    {{"docker_image", "q", "data_resources", "mem:4096"},
     "services.data.resources",
     "cpus and mem"},
    {{"docker_image", "q", "data_resources", "cpus:1;disk:1"},
     "services.data.resources",
     "cpus and mem"},
    /* What is not wanted need not be right. */
    {{"docker_image", "q", "s3_resources", "cpus:1;mem:1"}, NULL, NULL},
    {{"docker_image", "q", "s3_resources", "cpus:1;mem:1", "s3_hostname", "s3.x"},
     "services.s3.resources",
     "leaves no heap"},
    {{"docker_image", "q", "services.data.enabled", "no", "data_resources", "mem:1"}, NULL, NULL},
    /* The client. */
    {{"docker_image", "q", "client_mount_point", "/quobyte"}, "images.client", "--client_image"},
    {{"docker_image", "q", "client_mount_point", "/quobyte", "client_image", "c"}, NULL, NULL},
    {{"docker_image", "q", "client_mount_point", "quobyte", "client_image", "c"},
     "client.mount_point",
     "absolute"},
    {{"docker_image", "q", "client_mount_point", "/", "client_image", "c"},
     "client.mount_point",
     "absolute"},
    {{"docker_image", "q", "client_mount_point", "/a:/b", "client_image", "c"},
     "client.mount_point",
     "absolute"},
    {{"docker_image", "q", "client_mount_point", "/a/../b", "client_image", "c"},
     "client.mount_point",
     "absolute"},
    {{"docker_image", "q", "client_mount_point", "/a/..", "client_image", "c"},
     "client.mount_point",
     "absolute"},
    {{"docker_image", "q", "client_mount_point", "/a/", "client_image", "c"},
     "client.mount_point",
     "absolute"},
    {{"docker_image", "q", "host_device_directory", "mnt"}, "devices.host_directory", "absolute"},
    {{"docker_image", "q", "host_device_directory", ""}, "devices.host_directory", "absolute"},
    /* Ports. */
    {{"docker_image", "q", "api_port", "21000"}, "services.api.port", "registry.rpc_port"},
    {{"docker_image", "q", "api_port", "8888"}, "services.webconsole.port", "api.port"},
    {{"docker_image", "q", "s3_port", "8888"}, NULL, NULL}, /* no S3, no conflict */
    {{"docker_image", "q", "s3_port", "8888", "s3_hostname", "s"},
     "services.s3.port",
     "webconsole.port"},
    {{"docker_image", "q", "port_range_base", "8880"}, "services.webconsole.http_port", "api.port"},
    {{"docker_image", "q", "api_port", "0", "webconsole_port", "0"}, NULL, NULL},
    {{"docker_image", "q", "service_debug_port", "0"}, "services.debug_port", "no port"},
    {{"docker_image", "q", "service_debug_port", "65533"}, "services.debug_port", "no room"},
    {{"docker_image", "q", "service_debug_port", "20980"}, NULL, NULL},
    {{"docker_image", "q", "service_debug_port", "8885"},
     "services.webconsole.port",
     "api.debug_port"},
    {{"docker_image", "q", "service_debug_port", "20999"},
     "services.debug_port",
     "registry.rpc_port"},
    /* Names. */
    {{"docker_image", "q", "registry_dns_name", ""}, "registry.dns_name", "DNS name"},
    {{"docker_image", "q", "registry_dns_name", "a b"}, "registry.dns_name", "DNS name"},
    {{"docker_image", "q", "registry_dns_name", "a;reboot"}, "registry.dns_name", "DNS name"},
    {{"docker_image", "q", "mesos_dns_domain", "mesos"}, NULL, NULL},
    {{"docker_image", "q", "mesos_dns_domain", ".mesos."}, NULL, NULL},
    {{"docker_image", "q", "mesos_dns_domain", ""}, NULL, NULL},
    {{"docker_image", "q", "mesos_dns_domain", "..mesos"}, "registry.dns_domain", "DNS name"},
    {{"docker_image", "q", "mesos_dns_domain", "me sos"}, "registry.dns_domain", "DNS name"},
    {{"docker_image", "q", "deployment", ""}, "framework.deployment", "letters"},
    {{"docker_image", "q", "deployment", "a/b"}, "framework.deployment", "letters"},
    {{"docker_image", "q", "s3_hostname", "s 3"}, "services.s3.hostname", "DNS name"},
    /* Services. */
    {{"docker_image", "q", "services.nfs.binding", "device"}, "services.nfs.device", "kind"},
    {{"docker_image", "q", "services.nfs.binding", "device", "services.nfs.device", "data"},
     NULL,
     NULL},
    {{"docker_image", "q", "services.api.device", "data"}, "services.api.device", "only a service"},
    {{"docker_image", "q", "services.data.health.path", "x"},
     "services.data.health.path",
     "begins"},
    {{"docker_image", "q", "services.data.backoff.max_s", "9"},
     "services.data.backoff.max_s",
     "shorter"},
    /* Orders and times. */
    {{"docker_image", "q", "deploy_order", "registry,nfs"}, "rollout.deploy_order", "\"nfs\""},
    {{"docker_image", "q", "deploy_order", "registry,prober"},
     "rollout.deploy_order",
     "\"prober\""},
    {{"docker_image", "q", "upgrade_order", "data,data"}, "rollout.upgrade_order", "named twice"},
    {{"docker_image", "q", "upgrade_order", ""}, NULL, NULL},
    {{"docker_image", "q", "reconcile_explicit_first_s", "31"},
     "reconcile.explicit_max_s",
     "shorter than reconcile.explicit_first_s"},
    {{"docker_image", "q", "shutdown_confirm", "true"}, "shutdown.confirm", "not offered"},
    {{"docker_image", "q", "decline_s", "1"}, "offers.decline_s", "shorter"},
};

START_TEST(rules)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct qm_config *config;
        struct qm_error error = {0};
        int r;

        ck_assert_int_eq(qm_config_new(&config, NULL, 0, NULL), 0);
        for (size_t s = 0; cases[i].set[s]; s += 2)
            ck_assert_msg(qm_config_set(config, cases[i].set[s], cases[i].set[s + 1], &error) == 0,
                          "case %zu: %s: %s", i, error.key, error.message);
        r = qm_config_check(config, &error);
        ck_assert_msg(r == (cases[i].key ? QM_E_INVALID : 0), "case %zu: %s: %s", i, error.key,
                      error.message);
        if (cases[i].key) {
            ck_assert_msg(strcmp(error.key, cases[i].key) == 0, "case %zu: %s: %s", i, error.key,
                          error.message);
            ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "case %zu: %s: %s", i,
                          error.key, error.message);
            ck_assert_int_eq(qm_config_check(config, NULL), QM_E_INVALID);
        }
        qm_config_free(config);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("config-check");

    tcase_add_test(tcase, rules);
    return unit_run("config-check", tcase);
}
