/* Health checks of played tasks. They succeed, unless a fault says that they fail. */
#include "core.h"

static int64_t in_ms(double seconds)
{
    return seconds > 0 && seconds < 1e9 ? (int64_t)(seconds * 1000) : 0;
}

static void check_fire(struct sim *sim, void *owner)
{
    struct work *work = owner;
    const Mesos__V1__HealthCheck *check = work->info->health_check;
    int64_t interval = in_ms(check->interval_seconds);
    bool in_grace = sim->now < work->running_since + in_ms(check->grace_period_seconds);

    /* An interval of 0 would never let the time go on. */
    core_timer_set(sim, &work->check, sim->now + (interval > 0 ? interval : 100), check_fire, work);
    if (!work->failing_checks) {
        bool news = !work->has_health || !work->healthy;

        work->failures = 0;
        work->has_health = work->healthy = true;
        if (news)
            core_play_update(
                work, MESOS__V1__TASK_STATE__TASK_RUNNING,
                MESOS__V1__TASK_STATUS__REASON__REASON_TASK_HEALTH_CHECK_STATUS_UPDATED, NULL,
                NULL);
        return;
    }
    /* Before the first success failures in the grace period don't count. */
    if (in_grace && !work->has_health)
        return;
    work->failures++;
    work->has_health = true;
    work->healthy = false;
    core_play_update(work, MESOS__V1__TASK_STATE__TASK_RUNNING,
                     MESOS__V1__TASK_STATUS__REASON__REASON_TASK_HEALTH_CHECK_STATUS_UPDATED, NULL,
                     NULL);
    if (check->consecutive_failures && work->failures >= check->consecutive_failures)
        core_play_kill(work, NULL);
}

void core_health_start(struct work *work)
{
    struct sim *sim = work->executor->host->sim;
    const Mesos__V1__HealthCheck *check = work->info->health_check;

    if (check)
        core_timer_set(sim, &work->check, sim->now + in_ms(check->delay_seconds), check_fire, work);
}

int core_play_health(struct work *work, bool healthy)
{
    if (work->ended || !work->info->health_check)
        return -1;
    work->failing_checks = !healthy;
    return 0;
}
