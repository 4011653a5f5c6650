/*
 * A small process beside the simulator that ends the simulator's children when the simulator itself
 * is gone, however it went. (A parent-death signal reaches direct children only; a task's shell has
 * children of its own.)
 */
#ifndef MESOS_SIM_WATCHER_H
#define MESOS_SIM_WATCHER_H

#include <sys/types.h>

/* Starts it. Returns the descriptor that keeps it waiting, or a negative errno. Before any other
 * child is started. */
int watcher_start(void);
/* Tells it of a process group, and that a group has ended. */
void watcher_add(int fd, pid_t group);
void watcher_remove(int fd, pid_t group);

#endif
