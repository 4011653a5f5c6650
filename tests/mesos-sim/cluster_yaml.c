/*
 * The small readers that the cluster file's keys are made of.
 */
#include "cluster_yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chunk {
    struct chunk *next;
    max_align_t data[];
};

/* ---- memory and errors ---- */

void *cluster_keep(struct cluster_file *file, size_t size)
{
    struct chunk *chunk = calloc(1, sizeof(*chunk) + (size > 0 ? size : 1));

    if (!chunk)
        return NULL;
    chunk->next = file->chunks;
    file->chunks = chunk;
    return chunk->data;
}

char *cluster_keep_format(struct cluster_file *file, const char *format, ...)
{
    va_list args;
    char *copy;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    copy = length < 0 ? NULL : cluster_keep(file, (size_t)length + 1);
    if (copy) {
        va_start(args, format);
        vsnprintf(copy, (size_t)length + 1, format, args);
        va_end(args);
    }
    return copy;
}

static int fail_at(struct cluster_reader *reader, const yaml_mark_t *at, const char *text)
{
    free(*reader->error);
    if (asprintf(reader->error, "%s:%zu:%zu: %s", reader->name, at->line + 1, at->column + 1,
                 text) < 0)
        *reader->error = NULL;
    return -EINVAL;
}

int cluster_fail(struct cluster_reader *reader, const yaml_node_t *node, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return fail_at(reader, &node->start_mark, text);
}

int cluster_yaml_load(struct cluster_reader *reader, const char *text, size_t size)
{
    yaml_parser_t parser;
    int r = 0;

    if (!yaml_parser_initialize(&parser))
        return -ENOMEM;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    if (!yaml_parser_load(&parser, &reader->document))
        r = fail_at(reader, &parser.problem_mark, parser.problem ? parser.problem : "not YAML");
    yaml_parser_delete(&parser);
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

/* ---- plain values ---- */

const char *cluster_scalar(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

int cluster_read_text(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    const char *text = cluster_scalar(node);

    if (!text)
        return cluster_fail(reader, node, "a text is expected here");
    if (strlen(text) != node->data.scalar.length)
        return cluster_fail(reader, node, "a text must not hold a NUL byte");
    *(const char **)target = cluster_keep_format(reader->file, "%s", text);
    return *(const char **)target ? 0 : -ENOMEM;
}

int cluster_read_bool(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    const char *text = cluster_scalar(node);

    if (text && !strcmp(text, "true"))
        *(bool *)target = true;
    else if (text && !strcmp(text, "false"))
        *(bool *)target = false;
    else
        return cluster_fail(reader, node, "true or false is expected here");
    return 0;
}

static int read_number(struct cluster_reader *reader, yaml_node_t *node, double *ret)
{
    const char *text = cluster_scalar(node);
    char *end = NULL;
    double value = text ? strtod(text, &end) : 0;

    if (!text || !*text || *end || !(value >= 0 && value <= 1e9))
        return cluster_fail(reader, node, "seconds are expected here, as a number from 0 on");
    *ret = value;
    return 0;
}

int cluster_read_seconds(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    return read_number(reader, node, target);
}

int cluster_read_milliseconds(struct cluster_reader *reader, yaml_node_t *node, void *target)
{
    double seconds = 0;
    int r = read_number(reader, node, &seconds);

    if (r == 0)
        *(int64_t *)target = (int64_t)(seconds * 1000);
    return r;
}

/* ---- mappings and lists ---- */

int cluster_read_keys(struct cluster_reader *reader, yaml_node_t *node,
                      const struct cluster_key *keys, size_t n_keys, void *target)
{
    yaml_node_pair_t *pair;

    if (node->type != YAML_MAPPING_NODE)
        return cluster_fail(reader, node, "a mapping (key: value) is expected here");
    for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(&reader->document, pair->key);
        yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
        const char *name = cluster_scalar(key);
        size_t i = 0;
        int r;

        for (yaml_node_pair_t *p = node->data.mapping.pairs.start; name && p < pair; p++) {
            const char *other = cluster_scalar(yaml_document_get_node(&reader->document, p->key));

            if (other && !strcmp(other, name))
                return cluster_fail(reader, key, "key '%.100s' is given twice", name);
        }
        while (name && i < n_keys && strcmp(keys[i].name, name))
            i++;
        if (!name || i == n_keys)
            return cluster_fail(reader, key, "unknown key '%.100s'", name ? name : "");
        r = keys[i].read(reader, value, (char *)target + keys[i].offset);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Reads a list into an array of `size`-byte elements. */
int cluster_read_list(struct cluster_reader *reader, yaml_node_t *node, size_t size,
                      cluster_value_reader read, void *ret_array, size_t *ret_n)
{
    yaml_node_item_t *item;
    size_t n;
    char *array;

    if (node->type != YAML_SEQUENCE_NODE)
        return cluster_fail(reader, node, "a list is expected here");
    n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    array = cluster_keep(reader->file, n * size);
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

int cluster_read_pairs(struct cluster_reader *reader, yaml_node_t *node,
                       const struct sim_pair **ret_pairs, size_t *ret_n)
{
    struct sim_pair *pairs;
    size_t n;

    if (node->type != YAML_MAPPING_NODE)
        return cluster_fail(reader, node, "a mapping (name: value) is expected here");
    n = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    pairs = cluster_keep(reader->file, n * sizeof(*pairs));
    if (!pairs)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        yaml_node_pair_t *pair = node->data.mapping.pairs.start + i;
        int r = cluster_read_text(reader, yaml_document_get_node(&reader->document, pair->key),
                                  &pairs[i].name);

        if (r == 0)
            r = cluster_read_text(reader, yaml_document_get_node(&reader->document, pair->value),
                                  &pairs[i].value);
        if (r < 0)
            return r;
    }
    *ret_pairs = pairs;
    *ret_n = n;
    return 0;
}
