/*
 * Reading YAML by tables of keys, over libyaml's document tree, whose nodes know their line and
 * column. What is read is kept in one chain of memory chunks that is freed at once.
 */
#ifndef MESOS_SIM_CLUSTER_YAML_H
#define MESOS_SIM_CLUSTER_YAML_H

#include <stddef.h>
#include <yaml.h>

#include "cluster_file.h"

struct cluster_reader {
    struct cluster_file *file; /* keeps the memory */
    const char *name;          /* in errors */
    yaml_document_t document;
    char **error;
};

/* Reads a value into `target`. 0, -ENOMEM, or -EINVAL with the reader's error set. */
typedef int (*cluster_value_reader)(struct cluster_reader *reader, yaml_node_t *value,
                                    void *target);

struct cluster_key {
    const char *name;
    cluster_value_reader read;
    size_t offset; /* of what it fills in, within the mapping's target */
};

/* Zeroed memory that lives as long as the file; NULL when memory ends. */
void *cluster_keep(struct cluster_file *file, size_t size);
char *cluster_keep_format(struct cluster_file *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Parses text into reader->document. */
int cluster_yaml_load(struct cluster_reader *reader, const char *text, size_t size);

/* Sets the error, with the place of the node; returns -EINVAL. */
int cluster_fail(struct cluster_reader *reader, const yaml_node_t *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

const char *cluster_scalar(const yaml_node_t *node); /* NULL: it is a list or a mapping */

/* Value readers: const char *, bool, double (seconds), int64_t (milliseconds, written as seconds).
 */
int cluster_read_text(struct cluster_reader *reader, yaml_node_t *node, void *target);
int cluster_read_bool(struct cluster_reader *reader, yaml_node_t *node, void *target);
int cluster_read_seconds(struct cluster_reader *reader, yaml_node_t *node, void *target);
int cluster_read_milliseconds(struct cluster_reader *reader, yaml_node_t *node, void *target);

/* A mapping with known keys; a list into a kept array of `size`-byte elements; a mapping of any
 * names to texts. */
int cluster_read_keys(struct cluster_reader *reader, yaml_node_t *node,
                      const struct cluster_key *keys, size_t n_keys, void *target);
int cluster_read_list(struct cluster_reader *reader, yaml_node_t *node, size_t size,
                      cluster_value_reader read, void *ret_array, size_t *ret_n);
int cluster_read_pairs(struct cluster_reader *reader, yaml_node_t *node,
                       const struct sim_pair **ret_pairs, size_t *ret_n);

#endif
