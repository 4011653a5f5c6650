/*
 * The prober as a Mesos executor: subscribes at its agent, runs its task, looks at the host and
 * reports to the scheduler. A report is always the whole picture and is repeated now and then,
 * because framework messages can get lost, so nothing depends on a single one.
 *
 * It looks when the mount table or a marker changes, when asked, and every rescan_ms; it reports
 * when something changed, when asked, after each subscription, and every resend_ms.
 */
#ifndef PROBER_EXECUTOR_H
#define PROBER_EXECUTOR_H

#include "prober/environment.h"
#include "prober/scan.h"

#define EXECUTOR_RESCAN_MS 30000
#define EXECUTOR_RESEND_MS 60000

/* How it ended. */
#define EXECUTOR_EXIT_STOPPED 0 /* its task was killed, or it was told to shut down */
#define EXECUTOR_EXIT_LOST    1 /* the agent went away for good, or does not know us */
#define EXECUTOR_EXIT_FAILED  3 /* out of memory or descriptors */

/** executor_run() - lives until it is told to end; returns one of EXECUTOR_EXIT_*. */
int executor_run(const struct environment *environment, const struct scan_place *place);

#endif
