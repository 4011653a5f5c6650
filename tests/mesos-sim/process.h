/*
 * The real processes of simulated agents: command tasks and executors. Each has its sandbox
 * directory with `stdout` and `stderr`, runs in a process group of its own, and none outlives the
 * simulator.
 */
#ifndef MESOS_SIM_PROCESS_H
#define MESOS_SIM_PROCESS_H

#include <stdint.h>

#include "sim.h"

struct event_base;
struct processes;

/* Called from the event loop, never from within the functions below. */
struct process_hooks {
    void (*started)(void *userdata, const char *container, uint32_t pid);
    void (*exited)(void *userdata, const char *container, int status); /* as from waitpid() */
    void (*failed)(void *userdata, const char *container, const char *why);
};

/* 0 or a negative errno. To be called before anything else starts threads or processes: it forks a
 * helper that ends what is left should the simulator be killed. */
int processes_new(struct processes **ret, struct event_base *base,
                  const struct process_hooks *hooks, void *userdata);
/* Kills what still runs and waits for it. No hook is called. */
struct processes *processes_free(struct processes *processes);

/* Makes the sandbox, fetches the URIs, starts the process; what it needs is copied. Failures come
 * through the hook. */
void processes_start(struct processes *processes, const char *container,
                     const struct sim_process *process);
/* Sends a signal to the whole group of a container. One that is still being fetched counts as ended
 * by that signal. */
void processes_signal(struct processes *processes, const char *container, int signal);
/* The container's record is closed: kills what is left of it, without a hook. */
void processes_forget(struct processes *processes, const char *container);

#endif
