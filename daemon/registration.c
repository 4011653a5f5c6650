/*
 * The driver as the configuration wants it.
 */
#include "registration.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <quobyte-mesos/cluster.h>

#include "clock.h"
#include "log.h"
#include "options.h"

#define SECRET_MAX 1024

/* The principal's secret: a file, else the environment. False: the file cannot be read. */
static bool read_secret(const struct qm_config *config, char *secret, size_t size)
{
    const char *path = qm_config_text(config, "framework.principal_secret_file");
    const char *environment = getenv("QUOBYTE_MESOS_SECRET");
    snprintf(secret, size, "%s", environment != NULL ? environment : "");
    if (path[0] == '\0')
        return true;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        log_error("cannot read framework.principal_secret_file %s: %s", path, strerror(errno));
        return false;
    }
    size_t n = fread(secret, 1, size - 1, file);
    fclose(file);
    secret[n] = '\0';
    secret[strcspn(secret, "\r\n")] = '\0';
    return true;
}

bool registration_adopts(const struct registration *r)
{
    return !r->anew && qm_planner_framework_id(r->planner)[0] == '\0' &&
           qm_config_text(r->config, "framework.id")[0] != '\0';
}

/* False: what is saved and what is asked for contradict each other. */
static bool choose_id(const struct registration *r, const char **id)
{
    const char *saved = qm_planner_framework_id(r->planner);
    const char *wanted = qm_config_text(r->config, "framework.id");
    *id = r->anew ? "" : saved[0] != '\0' ? saved : wanted;
    if (r->anew || saved[0] == '\0' || wanted[0] == '\0' || strcmp(saved, wanted) == 0)
        return true;
    log_error(
        "--framework_id=%s, but the stored state belongs to framework %s: leave the flag out, "
        "or begin with an empty state (--reset)",
        wanted, saved);
    return false;
}

static void take_addresses(struct driver_options *o, const struct qm_config *c)
{
    o->masters = qm_config_text(c, "mesos.master");
    o->tls = qm_config_bool(c, "mesos.tls.enabled");
    o->ca_file = qm_config_text(c, "mesos.tls.ca_file");
    o->cert_file = qm_config_text(c, "mesos.tls.cert_file");
    o->key_file = qm_config_text(c, "mesos.tls.key_file");
}

static void take_identity(struct driver_options *o, const struct qm_config *c)
{
    const char *principal = qm_config_text(c, "framework.principal");
    o->name = qm_config_text(c, "framework.name");
    o->user = qm_config_text(c, "framework.user");
    o->role = qm_config_text(c, "framework.role");
    o->public_role = qm_config_text(c, "placement.public_role");
    /* "*" was the old framework's default and never a principal. */
    o->principal = strcmp(principal, "*") != 0 ? principal : "";
    o->failover_timeout = qm_config_duration(c, "framework.failover_timeout_s");
}

int registration_open(struct driver **driver, const struct registration *r,
                      const struct driver_callbacks *callbacks)
{
    char host[256] = "localhost", url[300], secret[SECRET_MAX], error[400] = "";
    const char *wanted_url = qm_config_text(r->config, "http.url");
    struct driver_options options = {
        .hostname = host,
        .webui_url = wanted_url[0] != '\0' ? wanted_url : url,
        .look_for_namesake = !r->anew && !qm_config_bool(r->config, "framework.new"),
        .seed = clock_now() ^ ((uint64_t)getpid() << 32),
        .config = r->config,
    };
    if (!choose_id(r, &options.framework_id) || !read_secret(r->config, secret, sizeof secret))
        return EXIT_CODE_USAGE;
    gethostname(host, sizeof host - 1);
    snprintf(url, sizeof url, "http://%s:%u", host, r->http_port);
    take_addresses(&options, r->config);
    take_identity(&options, r->config);
    options.secret = secret;
    int rc = driver_new(driver, r->base, &options, callbacks, error, sizeof error);
    explicit_bzero(secret, sizeof secret);
    if (rc != 0)
        log_error("%s", error);
    return rc == -EINVAL ? EXIT_CODE_USAGE : rc != 0 ? EXIT_CODE_INTERNAL : EXIT_CODE_OK;
}

bool registration_may_begin_anew(const struct registration *r)
{
    struct qm_cluster_view *view;
    size_t services = 0;
    if (strcmp(qm_config_text(r->config, "framework.on_removed"), "start_anew") != 0 ||
        qm_cluster_view_new(r->planner, &view) != 0)
        return false;
    for (size_t i = 0; i < view->n_hosts; i++)
        for (size_t j = 0; j < view->hosts[i].n_tasks; j++)
            services += strcmp(view->hosts[i].tasks[j].service, "prober") != 0;
    qm_cluster_view_free(view);
    if (services > 0)
        log_error("framework.on_removed is start_anew, but the stored state names %zu tasks: "
                  "stopping instead",
                  services);
    return services == 0;
}
