/*
 * Time as the planner wants it: the wall clock at the program's start plus what has passed since by
 * the monotonic clock, so that a host's clock that is set back neither freezes nor hastens anything.
 */
#ifndef DAEMON_CLOCK_H
#define DAEMON_CLOCK_H

#include <quobyte-mesos/base.h>

/** clock_now() - milliseconds since 1970; never goes back within a process. */
qm_time clock_now(void);

#endif
