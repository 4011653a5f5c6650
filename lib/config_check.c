/* Rules across keys. Each returns 0, or fails with the key that is to be changed. */
#include "config_check.h"

#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "rule_window.h"
#include "text.h"

static int refuse_entry(struct qm_error *error, const struct config_entry *entry, const char *why)
{
    return qm_fail(error, QM_E_INVALID, entry->key, "%s", why);
}

/* A Docker image: letters, digits and ./:_-, and a tag only where one is wanted. */
static bool is_image(const char *image, bool with_tag)
{
    const char *slash = strrchr(image, '/');

    if (!qm_is_word(image, 255, with_tag ? "./:_-@" : "./:_-") || !qm_is_alnum(image[0]))
        return false;
    return with_tag || !strchr(slash ? slash : image, ':');
}

/* An absolute path that Docker can be given in a volume. */
static bool is_path(const char *path)
{
    size_t length = strlen(path);

    if (path[0] != '/' || length < 2 || path[length - 1] == '/' || strpbrk(path, ":,\"'\\$`"))
        return false;
    return !strstr(path, "/../") && !strstr(path, "//") &&
           (length < 3 || strcmp(path + length - 3, "/..") != 0);
}

static int check_images(const struct qm_config *config, size_t service, struct qm_error *error)
{
    const struct config_entry *own = qm_config_service_entry(config, service, "image");
    const char *image = qm_config_service_image(config, service);
    const char *key = own->value[0] != '\0'          ? own->key
                      : service == QM_SERVICE_CLIENT ? "images.client"
                                                     : "images.server";

    if (image[0] == '\0')
        return qm_fail(error, QM_E_INVALID, key,
                       "%s needs an image (--%s), or --containerizer=none",
                       config->services[service],
                       service == QM_SERVICE_CLIENT ? "client_image" : "docker_image");
    if (!is_image(image, false))
        return qm_fail(error, QM_E_INVALID, key,
                       "\"%.80s\" is not an image name without tag: the version becomes its tag",
                       image);
    return 0;
}

static int check_command(const struct qm_config *config, size_t service, struct qm_error *error)
{
    if (qm_config_service_command(config, service)[0] == '\0')
        return refuse_entry(error, qm_config_service_entry(config, service, "command"),
                            "needed without containers (or --service_command for all services)");
    return 0;
}

static int check_memory(const struct qm_config *config, size_t service, struct qm_error *error)
{
    const struct config_entry *entry = qm_config_service_entry(config, service, "resources");
    int64_t spare = qm_config_service_entry(config, service, "extra_ram_mb")->number;
    struct qm_resources need;

    qm_resources_parse(entry->value, &need, NULL);
    if (need.cpu_milli == 0 || need.mem_mib == 0)
        return refuse_entry(error, entry, "a task needs cpus and mem");
    if (spare >= 0 && need.mem_mib <= (uint64_t)spare)
        return qm_fail(error, QM_E_INVALID, entry->key,
                       "mem:%llu leaves no heap: extra_ram_mb alone is %lld",
                       (unsigned long long)need.mem_mib, (long long)spare);
    return 0;
}

static int check_binding(const struct qm_config *config, size_t service, struct qm_error *error)
{
    const struct config_entry *device = qm_config_service_entry(config, service, "device");
    bool bound = strcmp(qm_config_service_entry(config, service, "binding")->value, "device") == 0;
    bool none = strcmp(device->value, "none") == 0;

    if (bound && none)
        return refuse_entry(error, device, "binding device needs a kind of device");
    if (!bound && !none)
        return refuse_entry(error, device, "only a service with binding device has one");
    return 0;
}

static int check_times(const struct qm_config *config, size_t service, struct qm_error *error)
{
    const struct config_entry *path = qm_config_service_entry(config, service, "health.path");
    const struct config_entry *longest = qm_config_service_entry(config, service, "backoff.max_s");

    if (path->value[0] != '/' || strchr(path->value, ' '))
        return refuse_entry(error, path, "begins with / and has no blanks");
    if (longest->number < qm_config_service_entry(config, service, "backoff.initial_s")->number)
        return refuse_entry(error, longest, "shorter than backoff.initial_s");
    return 0;
}

static int check_service(const struct qm_config *config, size_t service, struct qm_error *error)
{
    int r = check_binding(config, service, error);

    if (r == 0)
        r = check_times(config, service, error);
    if (r != 0 || !qm_config_service_enabled(config, service))
        return r;
    r = check_memory(config, service, error);
    if (r != 0)
        return r;
    return qm_config_is_docker(config) ? check_images(config, service, error)
                                       : check_command(config, service, error);
}

/* Which service has taken a port; all of them may meet on one host. */
struct port_owner {
    uint32_t number;
    size_t service;
    const char *which;
};

static int take_port(const struct qm_config *config, struct port_owner *owners, size_t *n,
                     const struct port_owner *wanted, struct qm_error *error)
{
    char key[96];

    if (strcmp(wanted->which, "debug_port") == 0)
        snprintf(key, sizeof(key), "services.debug_port");
    else
        snprintf(key, sizeof(key), "services.%s.%s", config->services[wanted->service],
                 wanted->which);
    for (size_t i = 0; i < *n; i++) {
        if (owners[i].number == wanted->number)
            return qm_fail(error, QM_E_INVALID, key, "port %u is taken: %s.%s", wanted->number,
                           config->services[owners[i].service], owners[i].which);
    }
    owners[(*n)++] = *wanted;
    return 0;
}

static int check_ports(const struct qm_config *config, struct qm_error *error)
{
    static const char *const kinds[] = {"rpc_port", "http_port", "port", "secure_port"};
    struct port_owner owners[QM_SERVICES_MAX * 5];
    int64_t debug = qm_config_integer(config, "services.debug_port");
    size_t n = 0;
    int r = 0;

    for (size_t s = 0; s < config->n_services; s++) {
        if (!qm_config_service_enabled(config, s))
            continue;
        for (size_t k = 0; r == 0 && k < sizeof(kinds) / sizeof(*kinds); k++) {
            int64_t number = qm_config_service_port(config, s, kinds[k]);

            if (number > 0)
                r = take_port(config, owners, &n,
                              &(struct port_owner){(uint32_t)number, s, kinds[k]}, error);
        }
        if (r == 0 && debug == 0)
            r = qm_fail(error, QM_E_INVALID, "services.debug_port", "0 is no port; -1 is off");
        if (r == 0 && debug > 0 && debug + (int64_t)s > 65535)
            r = qm_fail(error, QM_E_INVALID, "services.debug_port", "no room for all services");
        if (r == 0 && debug > 0 && s != QM_SERVICE_CLIENT)
            r = take_port(config, owners, &n,
                          &(struct port_owner){(uint32_t)debug + (uint32_t)s, s, "debug_port"},
                          error);
        if (r != 0)
            return r;
    }
    return 0;
}

static int check_names(const struct qm_config *config, struct qm_error *error)
{
    const char *s3 = qm_config_text(config, "services.s3.hostname");
    char name[512];

    if (!qm_is_word(qm_config_text(config, "framework.deployment"), 63, "_.-"))
        return qm_fail(error, QM_E_INVALID, "framework.deployment",
                       "1 to 63 letters, digits and any of . _ -");
    if (!qm_is_dns_name(qm_config_text(config, "registry.dns_name")))
        return qm_fail(error, QM_E_INVALID, "registry.dns_name", "not a DNS name: \"%.80s\"",
                       qm_config_text(config, "registry.dns_name"));
    qm_config_registry_name(config, name, sizeof(name));
    if (!qm_is_dns_name(name))
        return qm_fail(error, QM_E_INVALID, "registry.dns_domain",
                       "does not make a DNS name: \"%.80s\"", name);
    if (s3[0] != '\0' && !qm_is_dns_name(s3))
        return qm_fail(error, QM_E_INVALID, "services.s3.hostname", "not a DNS name: \"%.80s\"",
                       s3);
    return 0;
}

static int check_paths(const struct qm_config *config, struct qm_error *error)
{
    const char *mount_point = qm_config_text(config, "client.mount_point");

    if (!is_path(qm_config_text(config, "devices.host_directory")))
        return qm_fail(error, QM_E_INVALID, "devices.host_directory",
                       "an absolute path, not / itself, without .. and any of : , \" ' \\ $ `");
    if (mount_point[0] != '\0' && !is_path(mount_point))
        return qm_fail(error, QM_E_INVALID, "client.mount_point",
                       "an absolute path, not / itself, without .. and any of : , \" ' \\ $ `");
    return 0;
}

/* The file that the fetcher makes of a URI is started by a shell: its name must be plain. */
static int check_prober(const struct qm_config *config, struct qm_error *error)
{
    const char *uri = qm_config_text(config, "prober.uri");
    const char *slash = strrchr(uri, '/');
    struct qm_resources need;

    qm_resources_parse(qm_config_text(config, "prober.resources"), &need, NULL);
    if (need.cpu_milli == 0 || need.mem_mib == 0)
        return qm_fail(error, QM_E_INVALID, "prober.resources", "a task needs cpus and mem");
    if (qm_config_text(config, "prober.command")[0] != '\0')
        return 0;
    if (uri[0] != '\0')
        return slash && qm_is_word(slash + 1, 128, "_.-")
                   ? 0
                   : qm_fail(error, QM_E_INVALID, "prober.uri",
                             "ends with a plain file name after the last /");
    if (!qm_config_is_docker(config))
        return qm_fail(error, QM_E_INVALID, "prober.command",
                       "this or prober.uri is needed without containers");
    if (!is_image(qm_config_text(config, "images.framework"), true))
        return qm_fail(error, QM_E_INVALID, "images.framework",
                       "no image name, and neither prober.command nor prober.uri");
    return 0;
}

static int check_order(const struct qm_config *config, const char *key, struct qm_error *error)
{
    bool seen[QM_SERVICES_MAX] = {false};
    char name[64];

    for (size_t i = 0; qm_config_item(config, key, i, name, sizeof(name)); i++) {
        size_t s = 0;

        while (s < config->n_services && strcmp(config->services[s], name) != 0)
            s++;
        if (s == config->n_services)
            return qm_fail(error, QM_E_INVALID, key, "\"%s\" is not a service", name);
        if (seen[s])
            return qm_fail(error, QM_E_INVALID, key, "%s is named twice", name);
        seen[s] = true;
    }
    return 0;
}

/* Who asks for a safeguard must not be left to believe that he has it. */
static int check_safeguards(const struct qm_config *config, struct qm_error *error)
{
    if (qm_config_bool(config, "shutdown.confirm"))
        return qm_fail(
            error, QM_E_INVALID, "shutdown.confirm",
            "not offered yet; shutdown.delay_s is a grace within which it can be undone");
    return 0;
}

static int check_windows(const struct qm_config *config, struct qm_error *error)
{
    struct qm_window window;
    char text[128];

    for (size_t i = 0; qm_config_item(config, "rollout.window", i, text, sizeof(text)); i++)
        if (!qm_window_parse(text, &window))
            return qm_fail(error, QM_E_INVALID, "rollout.window",
                           "\"%.60s\" is not a window like \"Sat 22:00-06:00 +02:00\"", text);
    return 0;
}

/* Pairs of which the first must not be longer than the second. */
static int check_pairs(const struct qm_config *config, struct qm_error *error)
{
    static const char *const pairs[][2] = {
        {"reconcile.explicit_first_s", "reconcile.explicit_max_s"},
        {"state.save_retry_first_s", "state.save_retry_max_s"},
        {"prober.backoff.initial_s", "prober.backoff.max_s"},
        {"offers.decline_busy_s", "offers.decline_s"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        if (qm_config_duration(config, pairs[i][0]) > qm_config_duration(config, pairs[i][1]))
            return qm_fail(error, QM_E_INVALID, pairs[i][1], "shorter than %s", pairs[i][0]);
    }
    return 0;
}

int qm_config_check(const struct qm_config *config, struct qm_error *error)
{
    int r = check_names(config, error);

    for (size_t i = 0; r == 0 && i < config->n_services; i++)
        r = check_service(config, i, error);
    if (r == 0)
        r = check_paths(config, error);
    if (r == 0)
        r = check_prober(config, error);
    if (r == 0)
        r = check_ports(config, error);
    if (r == 0)
        r = check_order(config, "rollout.deploy_order", error);
    if (r == 0)
        r = check_order(config, "rollout.upgrade_order", error);
    if (r == 0)
        r = check_windows(config, error);
    if (r == 0)
        r = check_safeguards(config, error);
    return r == 0 ? check_pairs(config, error) : r;
}
