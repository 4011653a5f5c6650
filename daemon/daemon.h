/*
 * The daemon: owns loop, planner, store, driver and front end, and moves facts
 * and actions between them. It performs; it does not decide.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <quobyte-mesos/config.h>

/** daemon_run() - runs until SIGTERM, SIGINT or a fatal end. Returns an enum exit_code. */
int daemon_run(const struct qm_config *config);

/** daemon_reset() - erases the stored state and waits until that is durable. Returns an enum exit_code. */
int daemon_reset(const struct qm_config *config);

#endif
