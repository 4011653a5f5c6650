/* Windows in which upgrades may stop what runs: weekly, in minutes of UTC. */
#ifndef LIB_RULE_WINDOW_H
#define LIB_RULE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quobyte-mesos/base.h>

struct qm_window {
    uint16_t start;  /* minute of the week, Monday 00:00 UTC is 0 */
    uint16_t length; /* minutes, at most a day */
    unsigned days;   /* again on so many days in a row, the first included */
};

/** qm_window_parse() - "Sat 22:00-06:00 +02:00", "Mon-Fri 01:00-05:00 Z", "daily ...". */
bool qm_window_parse(const char *text, struct qm_window *window);

/** qm_windows_open_in() - milliseconds until one of them is open: 0 now, or when there is none. */
qm_duration qm_windows_open_in(const struct qm_window *windows, size_t n, qm_time now);

#endif
