/*
 * What the processes of a simulated host see of it: DIR/HOST/mounts is its mount table (in the form
 * of /proc/mounts, with mount points as the host names them), DIR/HOST is its root directory, so
 * that a device mounted at /mnt/data lies in DIR/HOST/mnt/data. Devices carry the marker file that
 * Quobyte's qmkdev writes; a person or a test may tag, untag, mount and unmount by editing these
 * files while everything runs. What is there already is never overwritten.
 */
#ifndef MESOS_SIM_HOSTTREE_H
#define MESOS_SIM_HOSTTREE_H

#include <stdbool.h>

#include "sim.h"

struct hosttree {
    char *dir;      /* absolute */
    bool temporary; /* made by hosttree_init(), removed by hosttree_deinit() */
};

/* `dir` NULL: a fresh directory under $TMPDIR or /tmp. 0 or a negative errno. */
int hosttree_init(struct hosttree *tree, const char *dir);
void hosttree_deinit(struct hosttree *tree);

/* Makes what is not there yet of one host's directory. 0 or a negative errno. */
int hosttree_make_host(const struct hosttree *tree, const struct sim_agent_config *agent);
/* A new boot id for the host (as after a reboot). 0 or a negative errno. */
int hosttree_reboot(const struct hosttree *tree, const char *hostname);

/* Makes a directory with its parents. 0 or a negative errno. */
int hosttree_make_directory(const char *path);
/* Removes a directory with all in it. */
void hosttree_remove(const char *path);

#endif
