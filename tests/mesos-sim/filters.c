/* Refusal filters: what a framework doesn't want to be offered of an agent for a while, and the
 * accounts for fair shares. */
#include "core.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t core_refuse_ms(const Mesos__V1__Filters *filters)
{
    double seconds = filters && filters->has_refuse_seconds ? filters->refuse_seconds : 5;

    if (isnan(seconds) || seconds < 0 || seconds > (double)INT64_MAX / 1e9)
        seconds = 5;
    if (seconds > 365.0 * 24 * 3600)
        seconds = 365.0 * 24 * 3600;
    return (int64_t)(seconds * 1000);
}

void core_filter_free(struct sim_framework *framework, struct filter *filter)
{
    TAILQ_REMOVE(&framework->filters, filter, next);
    core_res_clear(&filter->amount);
    free(filter->role);
    free(filter);
}

void core_filter_add(struct sim_framework *framework, struct sim_agent *agent, const char *role,
                     const struct res *amount, int64_t ms)
{
    struct filter *filter;

    if (ms <= 0 || !amount->n || framework->state != FRAMEWORK_CONNECTED)
        return;
    filter = sim_zalloc(sizeof *filter);
    filter->agent = agent;
    filter->role = sim_dup(role);
    core_res_add_all(&filter->amount, amount);
    core_res_unallocate(&filter->amount);
    if (ms < ALLOCATION_INTERVAL_MS)
        ms = ALLOCATION_INTERVAL_MS;
    filter->ends = framework->sim->now + ms;
    TAILQ_INSERT_TAIL(&framework->filters, filter, next);
}

bool core_filter_holds(struct sim_framework *framework, struct sim_agent *agent, const char *role,
                       const struct res *amount)
{
    struct filter *filter, *next;

    EACH_SAFE (filter, next, &framework->filters, next) {
        if (filter->ends <= framework->sim->now) {
            core_filter_free(framework, filter);
            continue;
        }
        if (filter->agent == agent && strcmp(filter->role, role) == 0 &&
            core_res_contains(&filter->amount, amount))
            return true;
    }
    return false;
}

void core_filters_drop(struct sim_framework *framework, const char *role)
{
    struct filter *filter, *next;

    EACH_SAFE (filter, next, &framework->filters, next)
        if (!role || strcmp(filter->role, role) == 0)
            core_filter_free(framework, filter);
}

void core_filters_drop_agent(struct sim *sim, struct sim_agent *agent)
{
    struct sim_framework *framework;
    struct filter *filter, *next;

    EACH (framework, &sim->frameworks, next)
        EACH_SAFE (filter, next, &framework->filters, next)
            if (filter->agent == agent)
                core_filter_free(framework, filter);
}

/* Books an amount that a framework got (sign 1) or gave back (-1) for a role. */
void core_account(struct sim_framework *framework, const char *name, const struct res *amount,
                  int sign)
{
    struct role *role = core_framework_role(framework, name);

    if (!role)
        return;
    role->cpus += sign * core_res_scalar(amount, "cpus");
    role->mem += sign * core_res_scalar(amount, "mem");
    role->disk += sign * core_res_scalar(amount, "disk");
}
