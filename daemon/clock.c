/* Wall clock at start plus monotonic time passed. */
#include <time.h>

#include "clock.h"

static qm_time read_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (qm_time)t.tv_sec * 1000 + (qm_time)t.tv_nsec / 1000000;
}

qm_time clock_now(void)
{
    static qm_time wall_at_start, monotonic_at_start;

    if (!wall_at_start) {
        wall_at_start = read_clock(CLOCK_REALTIME);
        monotonic_at_start = read_clock(CLOCK_MONOTONIC);
    }
    return wall_at_start + (read_clock(CLOCK_MONOTONIC) - monotonic_at_start);
}
