/*
 * Rule 3, windows: when an upgrade or configuration change may stop what runs. "Sat 22:00-06:00
 * +02:00": a day, a range of days ("Mon-Fri") or "daily", a range of times that may go over
 * midnight, and the offset from UTC, always said: local time is nobody's, and jumps twice a year.
 */
#include "rule_window.h"

#include <string.h>

#include "rooms.h"

#define DAY  1440
#define WEEK (7 * DAY)

static bool read_two(const char **at, unsigned max, unsigned *n)
{
    const char *p = *at;

    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return false;
    *n = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
    *at = p + 2;
    return *n <= max;
}

/* "HH:MM" in minutes. 24:00 is the end of a day. */
static bool read_time(const char **at, unsigned *minutes)
{
    unsigned hours, rest;

    if (!read_two(at, 24, &hours) || *(*at)++ != ':' || !read_two(at, 59, &rest))
        return false;
    *minutes = hours * 60 + rest;
    return *minutes <= DAY;
}

static bool read_day(const char **at, unsigned *day)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

    for (unsigned i = 0; i < 7; i++)
        if (strncmp(*at, days[i], 3) == 0) {
            *day = i;
            *at += 3;
            return true;
        }
    return false;
}

static bool read_days(const char **at, unsigned *first, unsigned *n)
{
    unsigned last;

    *first = 0;
    *n = 7;
    if (strncmp(*at, "daily", 5) == 0) {
        *at += 5;
        return true;
    }
    if (!read_day(at, first))
        return false;
    last = *first;
    if (**at == '-') {
        (*at)++;
        if (!read_day(at, &last))
            return false;
    }
    *n = (last + 7 - *first) % 7 + 1;
    return true;
}

/* Minutes east of UTC. */
static bool read_offset(const char **at, int *offset)
{
    unsigned hours, minutes;
    char sign = **at;

    if (sign == 'Z') {
        (*at)++;
        *offset = 0;
        return true;
    }
    if (strncmp(*at, "UTC", 3) == 0) {
        *at += 3;
        *offset = 0;
        return true;
    }
    if (sign != '+' && sign != '-')
        return false;
    (*at)++;
    if (!read_two(at, 14, &hours) || *(*at)++ != ':' || !read_two(at, 59, &minutes))
        return false;
    *offset = (int)(hours * 60 + minutes) * (sign == '-' ? -1 : 1);
    return true;
}

bool qm_window_parse(const char *text, struct qm_window *window)
{
    unsigned day, from, to;
    int offset;

    if (!read_days(&text, &day, &window->days) || *text++ != ' ' || !read_time(&text, &from) ||
        *text++ != '-' || !read_time(&text, &to) || *text++ != ' ' || !read_offset(&text, &offset))
        return false;
    if (*text != '\0' || from == to || from == DAY)
        return false;
    window->start = (uint16_t)(((int)(day * DAY + from) - offset + 2 * WEEK) % WEEK);
    window->length = (uint16_t)(to > from ? to - from : to + DAY - from);
    return true;
}

/* Milliseconds until the window opens, 0 when it is open. The epoch was a Thursday. */
static qm_duration opens_in(const struct qm_window *window, qm_time now)
{
    const qm_duration week = QM_SECONDS(60) * WEEK;
    qm_duration at = (now + QM_SECONDS(60) * 3 * DAY) % week, best = week;

    for (unsigned i = 0; i < window->days; i++) {
        qm_duration start = QM_SECONDS(60) * ((window->start + i * DAY) % WEEK);
        qm_duration into = (at + week - start) % week;

        if (into < QM_SECONDS(60) * window->length)
            return 0;
        if (week - into < best)
            best = week - into;
    }
    return best;
}

qm_duration qm_windows_open_in(const struct qm_window *windows, size_t n, qm_time now)
{
    qm_duration best = n > 0 ? QM_SECONDS(60) * WEEK : 0;

    for (size_t i = 0; i < n; i++) {
        qm_duration wait = opens_in(&windows[i], now);

        best = wait < best ? wait : best;
    }
    return best;
}

bool qm_window_open(const struct qm_planner *p, struct qm_reason *why)
{
    const struct qm_rollout_policy *policy = &p->policy->rollout;
    qm_duration wait = qm_windows_open_in(policy->windows, policy->n_windows, p->now);

    if (wait == 0)
        return true;
    *why = (struct qm_reason){.code = QM_WHY_WINDOW, .want = wait};
    return false;
}

qm_time qm_window_deadline(const struct qm_planner *p)
{
    const struct qm_rollout_policy *policy = &p->policy->rollout;
    qm_duration wait = qm_windows_open_in(policy->windows, policy->n_windows, p->now);

    return wait > 0 ? qm_later_by(p->now, wait) : QM_TIME_NEVER;
}
