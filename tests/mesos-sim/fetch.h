/*
 * Brings the URIs of a CommandInfo into a sandbox before its command starts, as the Mesos fetcher
 * does: files of this host are copied, http:// is asked; `executable` sets the mode, archives are
 * unpacked unless `extract` is false.
 */
#ifndef MESOS_SIM_FETCH_H
#define MESOS_SIM_FETCH_H

#include "mesos/v1/mesos.pb-c.h"

struct event_base;
struct fetch;

/* Called once, from the event loop; it may free the fetch. `error` is NULL when all is there. */
typedef void (*fetch_done)(void *userdata, const char *error);

/* Starts fetching; copies what it needs of `command`. NULL when memory ends. */
struct fetch *fetch_new(struct event_base *base, const Mesos__V1__CommandInfo *command,
                        const char *sandbox, fetch_done done, void *userdata);
/* Ends it without calling back. */
struct fetch *fetch_free(struct fetch *fetch);

#endif
