/*
 * The driver as the configuration wants it: addresses, secrets, and under which framework id.
 */
#ifndef DAEMON_REGISTRATION_H
#define DAEMON_REGISTRATION_H

#include <stdbool.h>
#include <stdint.h>

#include <quobyte-mesos/planner.h>

#include "mesos/driver.h"

/* Where the daemon stands when it looks for its master. */
struct registration {
    struct event_base *base;
    const struct qm_config *config; /* must outlive the driver */
    const struct qm_planner *planner;
    uint16_t http_port; /* of the dashboard, which Mesos shows */
    bool anew;          /* under a new framework id, whatever is saved */
};

/**
 * registration_open() - opens the driver. What is wrong is logged.
 * Returns an enum exit_code.
 */
int registration_open(struct driver **driver, const struct registration *r,
                      const struct driver_callbacks *callbacks);

/** registration_adopts() - subscribes under an id that the stored state does not know? */
bool registration_adopts(const struct registration *r);

/**
 * registration_may_begin_anew() - "Framework has been removed": is a new registration wanted, and
 * safe because the records name no service that may run? Logs why not.
 */
bool registration_may_begin_anew(const struct registration *r);

#endif
