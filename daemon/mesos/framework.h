/*
 * Who we are to Mesos: FrameworkInfo and the SUBSCRIBE call.
 */
#ifndef DAEMON_MESOS_FRAMEWORK_H
#define DAEMON_MESOS_FRAMEWORK_H

#include "mesos/convert.h"
#include "mesos/driver.h"

/**
 * framework_subscribe() - the SUBSCRIBE call.
 * @framework_id: NULL or "" for the first time; else it goes into both places, as masters demand
 */
struct convert_call framework_subscribe(struct arena *arena, const struct driver_options *options,
                                        const char *framework_id);

#endif
