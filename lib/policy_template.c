/* Templates of tasks: a constant part per service, and the version filled in on demand. */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "config_check.h"
#include "policy_environment.h"
#include "policy_private.h"

#define MANY_TEMPLATES 256 /* more than any cluster has versions and services at one time */

static int finish_base(const struct qm_task_template *t)
{
    return t->image && t->command && t->uri && t->user ? 0 : -ENOMEM;
}

static struct qm_volume *add_volume(struct policy_store *store, struct qm_task_template *t)
{
    struct qm_volume *volume = qm_arena_calloc(&store->arena, 1, sizeof(*volume));

    t->volumes = volume;
    t->n_volumes = volume ? 1 : 0;
    return volume;
}

/* Three ways to bring the prober to its host; the first that is configured is taken. */
static void choose_prober(struct policy_store *store, const struct qm_config *config,
                          struct qm_task_template *t)
{
    const char *command = qm_config_text(config, "prober.command");
    const char *uri = qm_config_text(config, "prober.uri");

    if (command[0] != '\0') {
        t->command = qm_arena_strdup(&store->arena, command);
    } else if (uri[0] != '\0') {
        t->uri = qm_arena_strdup(&store->arena, uri);
        t->command = qm_arena_format(&store->arena, "exec ./%s", strrchr(uri, '/') + 1);
    } else {
        t->containerizer = QM_CONTAINERIZER_DOCKER;
        t->image = qm_arena_strdup(&store->arena, qm_config_text(config, "images.framework"));
    }
}

static int fill_prober_base(struct policy_store *store, const struct qm_config *config)
{
    struct template_base *base = &store->bases[QM_SERVICE_PROBER];
    struct qm_task_template *t = &base->common;

    *t = (struct qm_task_template){.containerizer = QM_CONTAINERIZER_NONE,
                                   .is_executor = true,
                                   .image = "",
                                   .command = "",
                                   .uri = ""};
    base->image_is_complete = true;
    choose_prober(store, config, t);
    t->user = qm_arena_strdup(&store->arena, qm_config_text(config, "prober.user"));
    t->kill_grace = qm_config_duration(config, "prober.kill_grace_s");
    if (t->image && t->image[0] != '\0') {
        struct qm_volume *volume = add_volume(store, t);

        if (!volume)
            return -ENOMEM;
        /* Sees what is mounted later, writes nothing. */
        *volume = (struct qm_volume){"/host", "/", .read_only = true, .rslave = true};
        t->privileged = true;
    }
    return finish_base(t);
}

/* A mount of the client is to be seen by its host: it is made below a directory that both share. */
static int fill_client_volume(struct policy_store *store, const struct qm_config *config,
                              struct qm_task_template *t)
{
    const char *mount_point = qm_config_text(config, "client.mount_point");
    size_t parent = (size_t)(strrchr(mount_point, '/') - mount_point);
    /* A host's root cannot be the root's volume of a container. */
    char *path =
        qm_arena_memdup0(&store->arena, mount_point, parent ? parent : strlen(mount_point));
    struct qm_volume *volume = add_volume(store, t);

    if (!path || !volume)
        return -ENOMEM;
    *volume = (struct qm_volume){path, path, .rshared = true};
    return 0;
}

static int fill_volumes(struct policy_store *store, const struct qm_config *config, size_t service,
                        struct qm_task_template *t)
{
    struct qm_volume *volume;
    char *path;

    if (t->containerizer != QM_CONTAINERIZER_DOCKER)
        return 0;
    if (service == QM_SERVICE_CLIENT && qm_config_service_enabled(config, service))
        return fill_client_volume(store, config, t);
    if (store->services[service].binding != QM_BOUND_TO_DEVICE)
        return 0;
    path = qm_arena_strdup(&store->arena, qm_config_text(config, "devices.host_directory"));
    volume = add_volume(store, t);
    if (!path || !volume)
        return -ENOMEM;
    *volume = (struct qm_volume){"/devices", path, .rslave = true};
    return 0;
}

static bool has_http_port(const struct qm_service_policy *service)
{
    for (size_t i = 0; i < service->n_ports; i++) {
        if (strcmp(service->ports[i].name, "http") == 0)
            return true;
    }
    return false;
}

static int fill_health(struct policy_store *store, const struct qm_config *config, size_t service,
                       size_t from, struct qm_health_check *health)
{
    health->enabled = qm_config_service_entry(config, from, "health.enabled")->number != 0 &&
                      has_http_port(&store->services[service]);
    health->path =
        qm_arena_strdup(&store->arena, qm_config_service_entry(config, from, "health.path")->value);
    health->delay = (qm_duration)qm_config_service_entry(config, from, "health.delay_s")->number;
    health->interval =
        (qm_duration)qm_config_service_entry(config, from, "health.interval_s")->number;
    health->timeout =
        (qm_duration)qm_config_service_entry(config, from, "health.timeout_s")->number;
    health->grace = (qm_duration)qm_config_service_entry(config, from, "health.grace_s")->number;
    health->failures = (unsigned)qm_config_service_entry(config, from, "health.failures")->number;
    return health->path ? 0 : -ENOMEM;
}

/* The image's entry point looks its host's address up itself; where that does not work, the
 * host's name server is asked before it starts. */
static const char *command_of(struct policy_store *store, const struct qm_config *config,
                              size_t service, size_t from)
{
    const char *command = qm_config_service_command(config, from);

    if (service == QM_SERVICE_CLIENT || qm_config_bool(config, "services.autodetect_ip"))
        return qm_arena_strdup(&store->arena, command);
    return qm_arena_format(
        &store->arena,
        "HOST_IP=\"$(dig +short \"$(hostname -f)\" | tail -n 1)\"; export HOST_IP; "
        "%s",
        command[0] != '\0' ? command : "exec /opt/main.sh");
}

static int fill_service_base(struct policy_store *store, const struct qm_config *config,
                             size_t service, size_t from)
{
    struct qm_task_template *t = &store->bases[service].common;
    int r;

    *t = (struct qm_task_template){.containerizer = qm_config_is_docker(config)
                                                        ? QM_CONTAINERIZER_DOCKER
                                                        : QM_CONTAINERIZER_NONE,
                                   .image = "",
                                   .uri = "",
                                   .user = ""};
    if (t->containerizer == QM_CONTAINERIZER_DOCKER) {
        t->image = qm_arena_strdup(&store->arena, qm_config_service_image(config, from));
        t->privileged = qm_config_service_entry(config, from, "privileged")->number != 0;
    }
    t->command = command_of(store, config, service, from);
    t->kill_grace = (qm_duration)qm_config_service_entry(config, from, "kill_grace_s")->number;
    r = fill_health(store, config, service, from, &t->health);
    if (r == 0)
        r = fill_volumes(store, config, service, t);
    return r == 0 ? finish_base(t) : r;
}

int policy_fill_base(struct policy_store *store, const struct qm_config *config, size_t service,
                     size_t from)
{
    struct qm_task_template *t = &store->bases[service].common;
    int r = service == QM_SERVICE_PROBER ? fill_prober_base(store, config)
                                         : fill_service_base(store, config, service, from);

    if (r == 0)
        r = policy_fill_environment(store, config, service, from);
    if (r != 0)
        return r;
    t->service = store->services[service].name;
    t->version = "";
    t->deployment = store->policy.deployment;
    t->config_hash = policy_hash(store, service);
    return 0;
}

/* A command with {service} and {version} filled in. */
static char *fill_command(const struct qm_allocator *allocator, const char *command,
                          const char *service, const char *version)
{
    size_t room = strlen(command) + 1;
    char *filled, *to;

    for (const char *p = command; (p = strchr(p, '{')) != NULL; p++)
        room += strlen(service) + strlen(version);
    to = filled = qm_alloc(allocator, room);
    while (filled && *command != '\0') {
        const char *insert = strncmp(command, "{service}", 9) == 0   ? service
                             : strncmp(command, "{version}", 9) == 0 ? version
                                                                     : NULL;

        if (insert) {
            to = stpcpy(to, insert);
            command += 9;
        } else {
            *to++ = *command++;
        }
    }
    if (filled)
        *to = '\0';
    return filled;
}

static void template_free(const struct qm_allocator *allocator, struct made_template *made)
{
    if (!made)
        return;
    qm_free(allocator, made->template_.version);
    qm_free(allocator, made->template_.image);
    qm_free(allocator, made->template_.command);
    qm_free(allocator, made);
}

static struct made_template *template_new(struct policy_store *store, size_t service,
                                          const char *version)
{
    const struct qm_allocator *allocator = store->allocator;
    const struct template_base *base = &store->bases[service];
    bool tag = base->common.image[0] != '\0' && !base->image_is_complete;
    struct made_template *made = qm_zalloc(allocator, sizeof(*made));

    if (!made)
        return NULL;
    made->template_ = base->common;
    made->template_.version = qm_strdup(allocator, version);
    made->template_.image =
        qm_format(allocator, "%s%s%s", base->common.image, tag ? ":" : "", tag ? version : "");
    made->template_.command =
        fill_command(allocator, base->common.command, base->common.service, version);
    if (made->template_.version && made->template_.image && made->template_.command)
        return made;
    template_free(allocator, made);
    return NULL;
}

const struct qm_task_template *qm_policy_template(struct qm_policy *policy, size_t service,
                                                  const char *version)
{
    struct policy_store *store = (struct policy_store *)policy;
    struct template_base *base = &store->bases[service];
    struct made_template *made;

    for (made = base->made; made; made = made->next) {
        if (strcmp(made->template_.version, version) == 0)
            return &made->template_;
    }
    made = template_new(store, service, version);
    if (!made)
        return NULL;
    made->next = base->made;
    base->made = made;
    store->n_made++;
    return &made->template_;
}

static void free_templates(struct policy_store *store)
{
    for (size_t i = 0; i <= QM_SERVICES_MAX; i++) {
        struct made_template *made = store->bases[i].made;

        while (made) {
            struct made_template *next = made->next;

            template_free(store->allocator, made);
            made = next;
        }
        store->bases[i].made = NULL;
    }
    store->n_made = 0;
}

void qm_policy_trim(struct qm_policy *policy)
{
    struct policy_store *store = (struct policy_store *)policy;

    if (store->n_made > MANY_TEMPLATES)
        free_templates(store);
}

struct qm_policy *qm_policy_free(struct qm_policy *policy)
{
    struct policy_store *store = (struct policy_store *)policy;

    if (!store)
        return NULL;
    free_templates(store);
    qm_arena_deinit(&store->arena);
    qm_free(store->allocator, store);
    return NULL;
}
