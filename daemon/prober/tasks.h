/*
 * The executor's book of tasks: what runs, and which status updates the agent has not confirmed.
 * An update stays until its ACKNOWLEDGED comes (the agent then has it on disk); a task stays until
 * its last update is confirmed. Pure but for the uuids, which are random.
 *
 * Source: Mesos' executor API: updates need a uuid of version 4 and SOURCE_EXECUTOR, a repeated one
 * keeps its uuid, a re-SUBSCRIBE lists what is unacknowledged.
 */
#ifndef PROBER_TASKS_H
#define PROBER_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mesos/v1/executor.pb-c.h"

struct tasks;

/** tasks_new() - empty. Both ids are borrowed. NULL: out of memory. */
struct tasks *tasks_new(const char *framework_id, const char *executor_id);
void tasks_free(struct tasks *tasks);

/**
 * tasks_launch() - a task to run: it is RUNNING from now on.
 * Returns 0; -EEXIST when it is known already (nothing changes); -ENOMEM.
 */
int tasks_launch(struct tasks *tasks, const Mesos__V1__TaskInfo *info, uint64_t now_ms);

/** tasks_kill() - ends a running task as KILLED. 0; -ENOENT: no such running task; -ENOMEM. */
int tasks_kill(struct tasks *tasks, const char *task_id, const char *message, uint64_t now_ms);

/** tasks_kill_all() - ends all that run. 0 or -ENOMEM. */
int tasks_kill_all(struct tasks *tasks, const char *message, uint64_t now_ms);

/** tasks_acknowledged() - the agent has this update. False when it isn't one of ours. */
bool tasks_acknowledged(struct tasks *tasks, const char *task_id, const uint8_t *uuid,
                        size_t length);

/** tasks_running() - how many run. */
size_t tasks_running(const struct tasks *tasks);

/** tasks_unacknowledged() - how many updates wait for the agent. */
size_t tasks_unacknowledged(const struct tasks *tasks);

/**
 * tasks_subscribe_call() - the SUBSCRIBE call with all that is unacknowledged, which counts as
 * told. Returns malloc'ed bytes, NULL when out of memory.
 */
uint8_t *tasks_subscribe_call(struct tasks *tasks, size_t *length);

/**
 * tasks_next_update_call() - an UPDATE call with the oldest update that was not told, which then
 * counts as told. Returns malloc'ed bytes; NULL when there is none (length 0) or no memory.
 */
uint8_t *tasks_next_update_call(struct tasks *tasks, size_t *length);

/** tasks_tell_again() - what was told and is still unacknowledged is to be told again. */
void tasks_tell_again(struct tasks *tasks);

#endif
