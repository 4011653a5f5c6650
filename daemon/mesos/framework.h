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

/** framework_update() - the UPDATE_FRAMEWORK call, for masters from 1.9 on: says all of it again.
 */
struct convert_call framework_update(struct arena *arena, const struct driver_options *options,
                                     const char *framework_id);

/* A master's version, as much of it as counts. */
struct framework_version {
    unsigned major, minor;
    bool known;
};

/** framework_version_parse() - "1.11.1", "1.9.0-fork"; NULL and anything else are not known. */
struct framework_version framework_version_parse(const char *text);

/** framework_version_is() - known, and this one or a later one. */
bool framework_version_is(struct framework_version v, unsigned major, unsigned minor);

#endif
