/*
 * The cluster file's keys, one small function each.
 */
#include "cluster_yaml.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_MAX ((size_t)16 << 20)

/* ---- agents ---- */

static int read_device_type(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    int r = cluster_read_text(reader, node, target);
    const char *type = *(const char **)target;

    if (r < 0)
        return r;
    if (strcmp(type, "registry") && strcmp(type, "metadata") && strcmp(type, "data"))
        return cluster_fail(reader, node,
                            "device type '%.100s' is none of registry, metadata, data", type);
    return 0;
}

static int read_mount(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    int r = cluster_read_text(reader, node, target);
    const char *mount = *(const char **)target;

    if (r < 0)
        return r;
    if (mount[0] != '/' || mount[1] == '\0' || strstr(mount, "/..") || strstr(mount, "//"))
        return cluster_fail(reader, node, "mount '%.100s' is not an absolute path without '..'",
                            mount);
    return 0;
}

static int read_device(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    static const struct cluster_key keys[] = {
        {"type", read_device_type, offsetof(struct sim_device, type)},
        {"mount", read_mount, offsetof(struct sim_device, mount)},
        {"serial", cluster_read_text, offsetof(struct sim_device, serial)},
        {"bootstrap", cluster_read_bool, offsetof(struct sim_device, bootstrap)},
    };
    struct sim_device *device = target;
    int r = cluster_read_keys(reader, node, keys, sizeof(keys) / sizeof(*keys), device);

    if (r < 0)
        return r;
    if (device->bootstrap && (!device->type || strcmp(device->type, "registry")))
        return cluster_fail(reader, node, "only a registry device can be the bootstrap device");
    return 0;
}

static int read_devices(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    struct sim_agent_config *agent = target;
    struct sim_device *devices;
    int r =
        cluster_read_list(reader, node, sizeof(*devices), read_device, &devices, &agent->n_devices);

    if (r < 0)
        return r;
    agent->devices = devices;
    for (size_t i = 0; i < agent->n_devices; i++) {
        if (!devices[i].mount)
            devices[i].mount = cluster_keep_format(reader->file, "/mnt/%s%zu",
                                                   devices[i].type ? devices[i].type : "device", i);
        if (!devices[i].mount)
            return -ENOMEM;
        for (size_t j = 0; j < i; j++)
            if (!strcmp(devices[i].mount, devices[j].mount))
                return cluster_fail(reader, node, "two devices are mounted at '%.100s'",
                                    devices[i].mount);
    }
    return 0;
}

/* ---- disks with a source, which the resource text cannot say ---- */

struct disk {
    const char *type; /* MOUNT, PATH */
    const char *root;
    double size;      /* MB */
    const char *role; /* statically reserved for; NULL: for nobody */
};

static int read_disk_type(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    int r = cluster_read_text(reader, node, target);
    const char *type = *(const char **)target;

    if (r == 0 && strcmp(type, "MOUNT") && strcmp(type, "PATH"))
        return cluster_fail(reader, node, "disk type '%.100s' is none of MOUNT, PATH", type);
    return r;
}

static int read_disk(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    static const struct cluster_key keys[] = {
        {"type", read_disk_type, offsetof(struct disk, type)},
        {"root", read_mount, offsetof(struct disk, root)},
        {"size", cluster_read_seconds, offsetof(struct disk, size)},
        {"role", cluster_read_text, offsetof(struct disk, role)},
    };
    struct disk *disk = target;
    int r = cluster_read_keys(reader, node, keys, sizeof(keys) / sizeof(*keys), disk);

    if (r == 0 && (!disk->type || !disk->root || disk->size <= 0))
        return cluster_fail(reader, node, "a disk needs type, root and size");
    return r;
}

static const Mesos__V1__Resource *disk_resource(struct cluster_file *file, const struct disk *disk)
{
    struct {
        Mesos__V1__Resource resource;
        Mesos__V1__Value__Scalar scalar;
        Mesos__V1__Resource__DiskInfo info;
        Mesos__V1__Resource__DiskInfo__Source source;
        Mesos__V1__Resource__DiskInfo__Source__Path path;
        Mesos__V1__Resource__DiskInfo__Source__Mount mount;
    } *d = cluster_keep(file, sizeof(*d));

    if (!d)
        return NULL;
    mesos__v1__resource__init(&d->resource);
    mesos__v1__value__scalar__init(&d->scalar);
    mesos__v1__resource__disk_info__init(&d->info);
    mesos__v1__resource__disk_info__source__init(&d->source);
    mesos__v1__resource__disk_info__source__path__init(&d->path);
    mesos__v1__resource__disk_info__source__mount__init(&d->mount);
    d->scalar.value = disk->size;
    d->path.root = d->mount.root = (char *)disk->root;
    if (!strcmp(disk->type, "MOUNT")) {
        d->source.type = MESOS__V1__RESOURCE__DISK_INFO__SOURCE__TYPE__MOUNT;
        d->source.mount = &d->mount;
    } else {
        d->source.type = MESOS__V1__RESOURCE__DISK_INFO__SOURCE__TYPE__PATH;
        d->source.path = &d->path;
    }
    d->info.source = &d->source;
    d->resource.role = (char *)(disk->role ? disk->role : "*");
    d->resource.name = (char *)"disk";
    d->resource.type = MESOS__V1__VALUE__TYPE__SCALAR;
    d->resource.scalar = &d->scalar;
    d->resource.disk = &d->info;
    return &d->resource;
}

static int read_disks(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    struct sim_agent_config *agent = target;
    const Mesos__V1__Resource **resources;
    struct disk *disks;
    size_t n;
    int r = cluster_read_list(reader, node, sizeof(*disks), read_disk, &disks, &n);

    if (r < 0)
        return r;
    resources = cluster_keep(reader->file, (n + 1) * sizeof(*resources));
    if (!resources)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        resources[i] = disk_resource(reader->file, &disks[i]);
        if (!resources[i])
            return -ENOMEM;
    }
    agent->more_resources = resources;
    agent->n_more_resources = n;
    return 0;
}

static int read_maintenance(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    static const struct cluster_key keys[] = {
        {"start_s", cluster_read_milliseconds,
         offsetof(struct sim_agent_config, maintenance_start_ms)},
        {"duration_s", cluster_read_milliseconds,
         offsetof(struct sim_agent_config, maintenance_ms)},
    };
    struct sim_agent_config *agent = target;
    int r = cluster_read_keys(reader, node, keys, sizeof(keys) / sizeof(*keys), agent);

    if (r == 0 && agent->maintenance_start_ms == 0)
        agent->maintenance_start_ms = 1; /* 0 would mean none */
    return r;
}

static int read_attributes(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    struct sim_agent_config *agent = target;

    return cluster_read_pairs(reader, node, &agent->attributes, &agent->n_attributes);
}

/* A host name becomes a directory's name, too. */
static int read_hostname(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    int r = cluster_read_text(reader, node, target);
    const char *hostname = *(const char **)target;

    if (r < 0)
        return r;
    for (const char *c = hostname; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
            return cluster_fail(reader, node, "host name '%.100s' holds a '%c'", hostname, *c);
    if (!*hostname || *hostname == '.' || strlen(hostname) > 253)
        return cluster_fail(reader, node, "'%.100s' is not a host name", hostname);
    return 0;
}

static int read_agent(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    static const struct cluster_key keys[] = {
        {"hostname", read_hostname, offsetof(struct sim_agent_config, hostname)},
        {"region", cluster_read_text, offsetof(struct sim_agent_config, region)},
        {"zone", cluster_read_text, offsetof(struct sim_agent_config, zone)},
        {"resources", cluster_read_text, offsetof(struct sim_agent_config, resources)},
        {"attributes", read_attributes, 0},
        {"devices", read_devices, 0},
        {"disks", read_disks, 0},
        {"maintenance", read_maintenance, 0},
    };
    struct sim_agent_config *agent = target;
    int r = cluster_read_keys(reader, node, keys, sizeof(keys) / sizeof(*keys), agent);

    if (r < 0)
        return r;
    if (!agent->hostname)
        return cluster_fail(reader, node, "this agent has no hostname");
    if (!agent->resources)
        agent->resources = CLUSTER_FILE_RESOURCES;
    if (agent->zone && !agent->region)
        agent->region = "default";
    return 0;
}

static int compare_hostnames(const void *a, const void *b)
{
    const struct sim_agent_config *const *left = a;
    const struct sim_agent_config *const *right = b;
    int order = strcmp((*left)->hostname, (*right)->hostname);

    return order ? order : (*left < *right ? -1 : *left > *right);
}

static int refuse_duplicates(struct cluster_reader *reader, yaml_node_t *node,
                             const struct sim_agent_config *agents, size_t n)
{
    const struct sim_agent_config **sorted = cluster_keep(reader->file, n * sizeof(*sorted));

    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        sorted[i] = &agents[i];
    qsort(sorted, n, sizeof(*sorted), compare_hostnames);
    for (size_t i = 1; i < n; i++) {
        if (!strcmp(sorted[i - 1]->hostname, sorted[i]->hostname)) {
            yaml_node_item_t *item = node->data.sequence.items.start + (sorted[i] - agents);

            return cluster_fail(reader, yaml_document_get_node(&reader->document, *item),
                                "two agents have the host name '%.100s'", sorted[i]->hostname);
        }
    }
    return 0;
}

static int read_agents(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    struct cluster_file *file = target;
    size_t n;
    int r = cluster_read_list(reader, node, sizeof(*file->agents), read_agent, &file->agents, &n);

    if (r < 0)
        return r;
    if (n == 0 || n > CLUSTER_FILE_AGENTS_MAX)
        return cluster_fail(reader, node, "from 1 to %d agents are possible",
                            CLUSTER_FILE_AGENTS_MAX);
    file->cluster.agents = file->agents;
    file->cluster.n_agents = n;
    return refuse_duplicates(reader, node, file->agents, n);
}

/* ---- images and the rest ---- */

static int read_missing(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    struct sim_cluster *cluster = target;

    return cluster_read_list(reader, node, sizeof(char *), cluster_read_text,
                             &cluster->missing_images, &cluster->n_missing_images);
}

static int read_commands(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    struct sim_cluster *cluster = target;

    return cluster_read_pairs(reader, node, &cluster->image_commands, &cluster->n_image_commands);
}

static int read_images(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    static const struct cluster_key keys[] = {
        {"missing", read_missing, 0},
        {"start_s", cluster_read_seconds, offsetof(struct sim_cluster, image_start_s)},
        {"commands", read_commands, 0},
    };

    return cluster_read_keys(reader, node, keys, sizeof(keys) / sizeof(*keys),
                             &((struct cluster_file *)target)->cluster);
}

static int read_registry(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    struct cluster_file *file = target;
    const char *text = cluster_scalar(node);

    if (text && !strcmp(text, "in_memory"))
        file->cluster.registry = SIM_REGISTRY_IN_MEMORY;
    else if (text && !strcmp(text, "replicated_log"))
        file->cluster.registry = SIM_REGISTRY_REPLICATED_LOG;
    else
        return cluster_fail(reader, node, "registry is in_memory or replicated_log");
    return 0;
}

static int read_master(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    static const struct cluster_key keys[] = {
        {"region", cluster_read_text, offsetof(struct sim_cluster, master_region)},
        {"zone", cluster_read_text, offsetof(struct sim_cluster, master_zone)},
    };
    struct cluster_file *file = target;

    return cluster_read_keys(reader, node, keys, sizeof(keys) / sizeof(*keys), &file->cluster);
}

static int read_root(struct cluster_reader *reader)
{
    static const struct cluster_key keys[] = {
        {"agents", read_agents, 0},
        {"images", read_images, 0},
        {"master", read_master, 0},
        {"registry", read_registry, 0},
    };
    yaml_node_t *root = yaml_document_get_root_node(&reader->document);

    if (!root || (cluster_scalar(root) && !*cluster_scalar(root)))
        return 0; /* an empty file is a file that names nothing */
    return cluster_read_keys(reader, root, keys, sizeof(keys) / sizeof(*keys), reader->file);
}

/* ---- without a file ---- */

static int make_default_agent(struct cluster_file *file, size_t i)
{
    static const char *const types[] = {"registry", "metadata", "data"};
    struct sim_agent_config *agent = &file->agents[i];
    struct sim_device *devices = cluster_keep(file, sizeof(*devices) * 3);

    agent->hostname = cluster_keep_format(file, "agent-%zu", i + 1);
    if (!devices || !agent->hostname)
        return -ENOMEM;
    for (size_t k = 0; k < 3; k++) {
        devices[k].type = types[k];
        devices[k].mount = cluster_keep_format(file, "/mnt/%s", types[k]);
        devices[k].serial = cluster_keep_format(file, "SIM-%zu-%s", i + 1, types[k]);
        if (!devices[k].mount || !devices[k].serial)
            return -ENOMEM;
    }
    devices[0].bootstrap = i == 0;
    agent->resources = CLUSTER_FILE_RESOURCES;
    agent->devices = devices;
    agent->n_devices = 3;
    return 0;
}

static int make_default_agents(struct cluster_file *file, size_t n)
{
    file->agents = cluster_keep(file, n * sizeof(*file->agents));
    if (!file->agents)
        return -ENOMEM;
    file->cluster.agents = file->agents;
    file->cluster.n_agents = n;
    for (size_t i = 0; i < n; i++) {
        int r = make_default_agent(file, i);

        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- the face ---- */

int cluster_file_parse(struct cluster_file *file, const char *name, const char *text, size_t size,
                       size_t default_agents, char **ret_error)
{
    struct cluster_reader reader = {.file = file, .name = name, .error = ret_error};
    int r = 0;

    memset(file, 0, sizeof(*file));
    *ret_error = NULL;
    if (text) {
        r = cluster_yaml_load(&reader, text, size);
        if (r == 0) {
            r = read_root(&reader);
            yaml_document_delete(&reader.document);
        }
    }
    if (r == 0 && !file->agents)
        r = make_default_agents(file, default_agents);
    if (r < 0)
        cluster_file_deinit(file);
    if (r == -ENOMEM && asprintf(ret_error, "%s: out of memory", name) < 0)
        *ret_error = NULL;
    return r;
}

int cluster_file_load(struct cluster_file *file, const char *path, size_t default_agents,
                      char **ret_error)
{
    FILE *in = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    int r = 0;

    memset(file, 0, sizeof(*file));
    *ret_error = NULL;
    if (!in) {
        r = -errno;
    } else {
        text = malloc(FILE_SIZE_MAX);
        size = text ? fread(text, 1, FILE_SIZE_MAX, in) : 0;
        r = !text ? -ENOMEM : ferror(in) ? -errno : size == FILE_SIZE_MAX ? -EFBIG : 0;
        fclose(in);
    }
    if (r == 0)
        r = cluster_file_parse(file, path, text, size, default_agents, ret_error);
    else if (asprintf(ret_error, "%s: %s", path, strerror(-r)) < 0)
        *ret_error = NULL;
    free(text);
    return r;
}
