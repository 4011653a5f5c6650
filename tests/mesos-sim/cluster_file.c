/*
 * The cluster file's keys, one small function each, over libyaml's document tree (whose nodes know
 * their line and column). Everything read is kept in one chain of memory chunks that is freed at
 * once.
 */
#include "cluster_file.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define FILE_SIZE_MAX ((size_t)16 << 20)

struct chunk {
    struct chunk *next;
    max_align_t data[];
};

struct reader {
    struct cluster_file *file;
    const char *name;
    yaml_document_t document;
    char **error;
};

/* A value that a key's function reads. */
typedef int (*value_reader)(struct reader *reader, yaml_node_t *value, void *target);

struct key {
    const char *name;
    value_reader read;
    size_t offset; /* of what it fills in, within the target */
};

/* ---- memory and errors ---- */

static void *keep(struct cluster_file *file, size_t size)
{
    struct chunk *chunk = calloc(1, sizeof(*chunk) + (size > 0 ? size : 1));

    if (!chunk)
        return NULL;
    chunk->next = file->chunks;
    file->chunks = chunk;
    return chunk->data;
}

static char *keep_format(struct cluster_file *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static char *keep_format(struct cluster_file *file, const char *format, ...)
{
    va_list args;
    char *copy;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    copy = length < 0 ? NULL : keep(file, (size_t)length + 1);
    if (copy) {
        va_start(args, format);
        vsnprintf(copy, (size_t)length + 1, format, args);
        va_end(args);
    }
    return copy;
}

static int fail_at(struct reader *reader, size_t line, size_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static int fail_at(struct reader *reader, size_t line, size_t column, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    free(*reader->error);
    if (asprintf(reader->error, "%s:%zu:%zu: %s", reader->name, line + 1, column + 1, text) < 0)
        *reader->error = NULL;
    return -EINVAL;
}

#define fail(reader, node, ...)                                                                    \
    fail_at(reader, (node)->start_mark.line, (node)->start_mark.column, __VA_ARGS__)

/* ---- plain values ---- */

static const char *scalar(yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static int read_text(struct reader *reader, yaml_node_t *node, void *target)
{
    const char *text = scalar(node);

    if (!text)
        return fail(reader, node, "a text is expected here");
    if (strlen(text) != node->data.scalar.length)
        return fail(reader, node, "a text must not hold a NUL byte");
    *(const char **)target = keep_format(reader->file, "%s", text);
    return *(const char **)target ? 0 : -ENOMEM;
}

static int read_bool(struct reader *reader, yaml_node_t *node, void *target)
{
    const char *text = scalar(node);

    if (text && !strcmp(text, "true"))
        *(bool *)target = true;
    else if (text && !strcmp(text, "false"))
        *(bool *)target = false;
    else
        return fail(reader, node, "true or false is expected here");
    return 0;
}

static int read_seconds(struct reader *reader, yaml_node_t *node, double *ret)
{
    const char *text = scalar(node);
    char *end = NULL;
    double value = text ? strtod(text, &end) : 0;

    if (!text || !*text || *end || !(value >= 0 && value <= 1e9))
        return fail(reader, node, "seconds are expected here, as a number from 0 on");
    *ret = value;
    return 0;
}

static int read_double_seconds(struct reader *reader, yaml_node_t *node, void *target)
{
    return read_seconds(reader, node, target);
}

static int read_milliseconds(struct reader *reader, yaml_node_t *node, void *target)
{
    double seconds;
    int r = read_seconds(reader, node, &seconds);

    if (r == 0)
        *(int64_t *)target = (int64_t)(seconds * 1000);
    return r;
}

/* ---- mappings and lists ---- */

static int read_keys(struct reader *reader, yaml_node_t *node, const struct key *keys,
                     size_t n_keys, void *target)
{
    yaml_node_pair_t *pair;

    if (node->type != YAML_MAPPING_NODE)
        return fail(reader, node, "a mapping (key: value) is expected here");
    for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(&reader->document, pair->key);
        yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
        const char *name = scalar(key);
        size_t i = 0;
        int r;

        for (yaml_node_pair_t *p = node->data.mapping.pairs.start; name && p < pair; p++) {
            const char *other = scalar(yaml_document_get_node(&reader->document, p->key));

            if (other && !strcmp(other, name))
                return fail(reader, key, "key '%.100s' is given twice", name);
        }
        while (name && i < n_keys && strcmp(keys[i].name, name))
            i++;
        if (!name || i == n_keys)
            return fail(reader, key, "unknown key '%.100s'", name ? name : "");
        r = keys[i].read(reader, value, (char *)target + keys[i].offset);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Reads a list into an array of `size`-byte elements. */
static int read_list(struct reader *reader, yaml_node_t *node, size_t size, value_reader read,
                     void *ret_array, size_t *ret_n)
{
    yaml_node_item_t *item;
    size_t n;
    char *array;

    if (node->type != YAML_SEQUENCE_NODE)
        return fail(reader, node, "a list is expected here");
    n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    array = keep(reader->file, n * size);
    if (!array)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        item = node->data.sequence.items.start + i;
        int r = read(reader, yaml_document_get_node(&reader->document, *item), array + i * size);

        if (r < 0)
            return r;
    }
    *(void **)ret_array = array;
    *ret_n = n;
    return 0;
}

static int read_pairs(struct reader *reader, yaml_node_t *node, const struct sim_pair **ret_pairs,
                      size_t *ret_n)
{
    struct sim_pair *pairs;
    size_t n;

    if (node->type != YAML_MAPPING_NODE)
        return fail(reader, node, "a mapping (name: value) is expected here");
    n = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    pairs = keep(reader->file, n * sizeof(*pairs));
    if (!pairs)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        yaml_node_pair_t *pair = node->data.mapping.pairs.start + i;
        int r =
            read_text(reader, yaml_document_get_node(&reader->document, pair->key), &pairs[i].name);

        if (r == 0)
            r = read_text(reader, yaml_document_get_node(&reader->document, pair->value),
                          &pairs[i].value);
        if (r < 0)
            return r;
    }
    *ret_pairs = pairs;
    *ret_n = n;
    return 0;
}

/* ---- agents ---- */

static int read_device_type(struct reader *reader, yaml_node_t *node, void *target)
{
    int r = read_text(reader, node, target);
    const char *type = *(const char **)target;

    if (r < 0)
        return r;
    if (strcmp(type, "registry") && strcmp(type, "metadata") && strcmp(type, "data"))
        return fail(reader, node, "device type '%.100s' is none of registry, metadata, data", type);
    return 0;
}

static int read_mount(struct reader *reader, yaml_node_t *node, void *target)
{
    int r = read_text(reader, node, target);
    const char *mount = *(const char **)target;

    if (r < 0)
        return r;
    if (mount[0] != '/' || mount[1] == '\0' || strstr(mount, "/..") || strstr(mount, "//"))
        return fail(reader, node, "mount '%.100s' is not an absolute path without '..'", mount);
    return 0;
}

static int read_device(struct reader *reader, yaml_node_t *node, void *target)
{
    static const struct key keys[] = {
        {"type", read_device_type, offsetof(struct sim_device, type)},
        {"mount", read_mount, offsetof(struct sim_device, mount)},
        {"serial", read_text, offsetof(struct sim_device, serial)},
        {"bootstrap", read_bool, offsetof(struct sim_device, bootstrap)},
    };
    struct sim_device *device = target;
    int r = read_keys(reader, node, keys, sizeof(keys) / sizeof(*keys), device);

    if (r < 0)
        return r;
    if (device->bootstrap && (!device->type || strcmp(device->type, "registry")))
        return fail(reader, node, "only a registry device can be the bootstrap device");
    return 0;
}

static int read_devices(struct reader *reader, yaml_node_t *node, void *target)
{
    struct sim_agent_config *agent = target;
    struct sim_device *devices;
    int r = read_list(reader, node, sizeof(*devices), read_device, &devices, &agent->n_devices);

    if (r < 0)
        return r;
    agent->devices = devices;
    for (size_t i = 0; i < agent->n_devices; i++) {
        if (!devices[i].mount)
            devices[i].mount = keep_format(reader->file, "/mnt/%s%zu",
                                           devices[i].type ? devices[i].type : "device", i);
        if (!devices[i].mount)
            return -ENOMEM;
        for (size_t j = 0; j < i; j++)
            if (!strcmp(devices[i].mount, devices[j].mount))
                return fail(reader, node, "two devices are mounted at '%.100s'", devices[i].mount);
    }
    return 0;
}

static int read_maintenance(struct reader *reader, yaml_node_t *node, void *target)
{
    static const struct key keys[] = {
        {"start_s", read_milliseconds, offsetof(struct sim_agent_config, maintenance_start_ms)},
        {"duration_s", read_milliseconds, offsetof(struct sim_agent_config, maintenance_ms)},
    };
    struct sim_agent_config *agent = target;
    int r = read_keys(reader, node, keys, sizeof(keys) / sizeof(*keys), agent);

    if (r == 0 && agent->maintenance_start_ms == 0)
        agent->maintenance_start_ms = 1; /* 0 would mean none */
    return r;
}

static int read_attributes(struct reader *reader, yaml_node_t *node, void *target)
{
    struct sim_agent_config *agent = target;

    return read_pairs(reader, node, &agent->attributes, &agent->n_attributes);
}

/* A host name becomes a directory's name, too. */
static int read_hostname(struct reader *reader, yaml_node_t *node, void *target)
{
    int r = read_text(reader, node, target);
    const char *hostname = *(const char **)target;

    if (r < 0)
        return r;
    for (const char *c = hostname; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
            return fail(reader, node, "host name '%.100s' holds a '%c'", hostname, *c);
    if (!*hostname || *hostname == '.' || strlen(hostname) > 253)
        return fail(reader, node, "'%.100s' is not a host name", hostname);
    return 0;
}

static int read_agent(struct reader *reader, yaml_node_t *node, void *target)
{
    static const struct key keys[] = {
        {"hostname", read_hostname, offsetof(struct sim_agent_config, hostname)},
        {"region", read_text, offsetof(struct sim_agent_config, region)},
        {"zone", read_text, offsetof(struct sim_agent_config, zone)},
        {"resources", read_text, offsetof(struct sim_agent_config, resources)},
        {"attributes", read_attributes, 0},
        {"devices", read_devices, 0},
        {"maintenance", read_maintenance, 0},
    };
    struct sim_agent_config *agent = target;
    int r = read_keys(reader, node, keys, sizeof(keys) / sizeof(*keys), agent);

    if (r < 0)
        return r;
    if (!agent->hostname)
        return fail(reader, node, "this agent has no hostname");
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

static int refuse_duplicates(struct reader *reader, yaml_node_t *node,
                             const struct sim_agent_config *agents, size_t n)
{
    const struct sim_agent_config **sorted = keep(reader->file, n * sizeof(*sorted));

    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        sorted[i] = &agents[i];
    qsort(sorted, n, sizeof(*sorted), compare_hostnames);
    for (size_t i = 1; i < n; i++) {
        if (!strcmp(sorted[i - 1]->hostname, sorted[i]->hostname)) {
            yaml_node_item_t *item = node->data.sequence.items.start + (sorted[i] - agents);

            return fail(reader, yaml_document_get_node(&reader->document, *item),
                        "two agents have the host name '%.100s'", sorted[i]->hostname);
        }
    }
    return 0;
}

static int read_agents(struct reader *reader, yaml_node_t *node, void *target)
{
    struct cluster_file *file = target;
    size_t n;
    int r = read_list(reader, node, sizeof(*file->agents), read_agent, &file->agents, &n);

    if (r < 0)
        return r;
    if (n == 0 || n > CLUSTER_FILE_AGENTS_MAX)
        return fail(reader, node, "from 1 to %d agents are possible", CLUSTER_FILE_AGENTS_MAX);
    file->cluster.agents = file->agents;
    file->cluster.n_agents = n;
    return refuse_duplicates(reader, node, file->agents, n);
}

/* ---- images and the rest ---- */

static int read_missing(struct reader *reader, yaml_node_t *node, void *target)
{
    struct sim_cluster *cluster = target;

    return read_list(reader, node, sizeof(char *), read_text, &cluster->missing_images,
                     &cluster->n_missing_images);
}

static int read_commands(struct reader *reader, yaml_node_t *node, void *target)
{
    struct sim_cluster *cluster = target;

    return read_pairs(reader, node, &cluster->image_commands, &cluster->n_image_commands);
}

static int read_images(struct reader *reader, yaml_node_t *node, void *target)
{
    static const struct key keys[] = {
        {"missing", read_missing, 0},
        {"start_s", read_double_seconds, offsetof(struct sim_cluster, image_start_s)},
        {"commands", read_commands, 0},
    };

    return read_keys(reader, node, keys, sizeof(keys) / sizeof(*keys),
                     &((struct cluster_file *)target)->cluster);
}

static int read_registry(struct reader *reader, yaml_node_t *node, void *target)
{
    struct cluster_file *file = target;
    const char *text = scalar(node);

    if (text && !strcmp(text, "in_memory"))
        file->cluster.registry = SIM_REGISTRY_IN_MEMORY;
    else if (text && !strcmp(text, "replicated_log"))
        file->cluster.registry = SIM_REGISTRY_REPLICATED_LOG;
    else
        return fail(reader, node, "registry is in_memory or replicated_log");
    return 0;
}

static int read_root(struct reader *reader)
{
    static const struct key keys[] = {
        {"agents", read_agents, 0},
        {"images", read_images, 0},
        {"registry", read_registry, 0},
    };
    yaml_node_t *root = yaml_document_get_root_node(&reader->document);

    if (!root || (scalar(root) && !*scalar(root)))
        return 0; /* an empty file is a file that names nothing */
    return read_keys(reader, root, keys, sizeof(keys) / sizeof(*keys), reader->file);
}

/* ---- without a file ---- */

static int make_default_agent(struct cluster_file *file, size_t i)
{
    static const char *const types[] = {"registry", "metadata", "data"};
    struct sim_agent_config *agent = &file->agents[i];
    struct sim_device *devices = keep(file, sizeof(*devices) * 3);

    agent->hostname = keep_format(file, "agent-%zu", i + 1);
    if (!devices || !agent->hostname)
        return -ENOMEM;
    for (size_t k = 0; k < 3; k++) {
        devices[k].type = types[k];
        devices[k].mount = keep_format(file, "/mnt/%s", types[k]);
        devices[k].serial = keep_format(file, "SIM-%zu-%s", i + 1, types[k]);
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
    file->agents = keep(file, n * sizeof(*file->agents));
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

static int load_document(struct reader *reader, const char *text, size_t size)
{
    yaml_parser_t parser;
    int r = 0;

    if (!yaml_parser_initialize(&parser))
        return -ENOMEM;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    if (!yaml_parser_load(&parser, &reader->document))
        r = fail_at(reader, parser.problem_mark.line, parser.problem_mark.column, "%s",
                    parser.problem ? parser.problem : "not YAML");
    yaml_parser_delete(&parser);
    return r;
}

int cluster_file_parse(struct cluster_file *file, const char *name, const char *text, size_t size,
                       size_t default_agents, char **ret_error)
{
    struct reader reader = {.file = file, .name = name, .error = ret_error};
    int r = 0;

    memset(file, 0, sizeof(*file));
    *ret_error = NULL;
    if (text) {
        r = load_document(&reader, text, size);
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

void cluster_file_deinit(struct cluster_file *file)
{
    while (file->chunks) {
        struct chunk *next = file->chunks->next;

        free(file->chunks);
        file->chunks = next;
    }
    memset(file, 0, sizeof(*file));
}
