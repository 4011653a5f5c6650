/*
 * The cluster file: YAML that says which agents a simulated cluster has, what is mounted on them,
 * and how images behave. Without a file, or without `agents` in it, there are N agents with one
 * device of each kind.
 */
#ifndef MESOS_SIM_CLUSTER_FILE_H
#define MESOS_SIM_CLUSTER_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "sim.h"

#define CLUSTER_FILE_AGENTS_MAX 10000
#define CLUSTER_FILE_RESOURCES  "cpus:16;mem:65536;disk:200000;ports:[80-80,8888-8889,21000-21100]"

/* Owns all that `cluster` points at. The agents' maintenance starts are relative to the start of
 * the simulator, and ports, addresses and the work directory are unset: both are the caller's to
 * fill in. */
struct cluster_file {
    struct sim_cluster cluster;
    struct sim_agent_config *agents; /* the same array as cluster.agents, to be completed */
    struct chunk *chunks;
};

/* Reads `text` (`size` bytes; NULL: an empty file). `name` is only named in errors.
 * `default_agents` is the number of agents where the file names none. 0, or -EINVAL or -ENOMEM with
 * one line in `*ret_error`, which the caller frees: "FILE:LINE:COLUMN: what is wrong". */
int cluster_file_parse(struct cluster_file *file, const char *name, const char *text, size_t size,
                       size_t default_agents, char **ret_error);
/* The same from a file; -errno also when it cannot be read. */
int cluster_file_load(struct cluster_file *file, const char *path, size_t default_agents,
                      char **ret_error);
void cluster_file_deinit(struct cluster_file *file);

#endif
