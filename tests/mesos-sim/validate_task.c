/* What a master refuses in a task as a whole, in its order and with its words. NULL: fine; else
 * text to free. */
#include "core.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *unique_invalid(struct sim_framework *framework, const char *id)
{
    if (core_task_find(framework, id))
        return sim_text("Task has duplicate ID: %s", id);
    if (core_task_find_in(framework, SIM_TASKS_UNREACHABLE, id))
        return sim_text("Task reuses the ID of an unreachable task: %s", id);
    return NULL;
}

static char *command_check_invalid(const Mesos__V1__CommandInfo *command, const char *kind)
{
    char *why, *text = NULL;

    if (!command)
        return sim_text("Expecting 'command' to be set for COMMAND %s", kind);
    if (!command->value)
        return sim_text("Command %s must contain %s", kind,
                        command->shell ? "'shell command'" : "'executable path'");
    why = core_command_invalid(command);
    if (why)
        text = sim_text("%c%s's `CommandInfo` is invalid: %s", kind[0] - 32, kind + 1, why);
    free(why);
    return text;
}

static char *http_check_invalid(const Mesos__V1__HealthCheck__HTTPCheckInfo *http)
{
    if (!http)
        return sim_dup("Expecting 'http' to be set for HTTP health check");
    if (http->scheme && strcmp(http->scheme, "http") && strcmp(http->scheme, "https"))
        return sim_text("Unsupported HTTP health check scheme: '%s'", http->scheme);
    if (http->path && *http->path != '/')
        return sim_text("The path '%s' of HTTP health check must start with '/'", http->path);
    return NULL;
}

static char *negative_invalid(const char *name, double value)
{
    return value < 0 || isnan(value) ? sim_text("Expecting '%s' to be non-negative", name) : NULL;
}

static char *health_check_invalid(const Mesos__V1__HealthCheck *check)
{
    Mesos__V1__HealthCheck__Type type = check->type;
    char *text = NULL;

    /* Without a type it is guessed from what is there. */
    if (!check->has_type)
        type = check->command ? MESOS__V1__HEALTH_CHECK__TYPE__COMMAND
               : check->http  ? MESOS__V1__HEALTH_CHECK__TYPE__HTTP
                              : MESOS__V1__HEALTH_CHECK__TYPE__UNKNOWN;
    if (!check->has_type && type == MESOS__V1__HEALTH_CHECK__TYPE__UNKNOWN)
        return sim_dup("HealthCheck must specify 'type'");
    switch (type) {
    case MESOS__V1__HEALTH_CHECK__TYPE__COMMAND:
        text = command_check_invalid(check->command, "health check");
        break;
    case MESOS__V1__HEALTH_CHECK__TYPE__HTTP:
        text = http_check_invalid(check->http);
        break;
    case MESOS__V1__HEALTH_CHECK__TYPE__TCP:
        if (!check->tcp)
            text = sim_dup("Expecting 'tcp' to be set for TCP health check");
        break;
    default:
        text = sim_dup("'UNKNOWN' is not a valid health check type");
    }
    if (!text)
        text = negative_invalid("delay_seconds", check->delay_seconds);
    if (!text)
        text = negative_invalid("grace_period_seconds", check->grace_period_seconds);
    if (!text)
        text = negative_invalid("interval_seconds", check->interval_seconds);
    if (!text)
        text = negative_invalid("timeout_seconds", check->timeout_seconds);
    return text;
}

static char *check_invalid(const Mesos__V1__CheckInfo *check)
{
    char *text = NULL;

    if (!check->has_type)
        return sim_dup("CheckInfo must specify 'type'");
    if (check->type == MESOS__V1__CHECK_INFO__TYPE__COMMAND)
        text = command_check_invalid(check->command ? check->command->command : NULL, "check");
    else if (check->type == MESOS__V1__CHECK_INFO__TYPE__HTTP && !check->http)
        text = sim_dup("Expecting 'http' to be set for HTTP check");
    else if (check->type == MESOS__V1__CHECK_INFO__TYPE__HTTP && check->http->path &&
             *check->http->path != '/')
        text = sim_text("The path '%s' of HTTP check must start with '/'", check->http->path);
    else if (check->type == MESOS__V1__CHECK_INFO__TYPE__TCP && !check->tcp)
        text = sim_dup("Expecting 'tcp' to be set for TCP check");
    else if (check->type == MESOS__V1__CHECK_INFO__TYPE__UNKNOWN)
        text = sim_dup("'UNKNOWN' is not a valid check type");
    if (!text)
        text = negative_invalid("delay_seconds", check->delay_seconds);
    if (!text)
        text = negative_invalid("interval_seconds", check->interval_seconds);
    if (!text)
        text = negative_invalid("timeout_seconds", check->timeout_seconds);
    return text;
}

static char *wrap(char *why, const char *format_head, const char *format_tail)
{
    char *text;

    if (!why)
        return NULL;
    text = sim_text("%s%s%s", format_head, why, format_tail);
    free(why);
    return text;
}

static char *roles_mixed(resource_t *const *v, size_t n)
{
    const char *first = NULL;

    for (size_t i = 0; i < n; i++) {
        const char *role = v[i]->allocation_info ? v[i]->allocation_info->role : NULL;

        if (role && first && strcmp(role, first))
            return sim_text("The resources have multiple allocation roles ('%s' and '%s') but only "
                            "one allocation "
                            "role is allowed",
                            strcmp(first, role) < 0 ? first : role,
                            strcmp(first, role) < 0 ? role : first);
        if (role)
            first = role;
    }
    return NULL;
}

static char *resources_invalid(const task_info_t *task)
{
    if (!task->n_resources)
        return sim_dup("Task uses no resources");
    return wrap(roles_mixed(task->resources, task->n_resources), "Invalid task resources: ", "");
}

static double requested(const task_info_t *task, const char *name)
{
    double sum = 0;

    for (size_t i = 0; i < task->n_resources; i++)
        if (task->resources[i]->scalar && strcmp(task->resources[i]->name, name) == 0)
            sum += task->resources[i]->scalar->value;
    return sum;
}

static char *limits_invalid(const task_info_t *task)
{
    for (size_t i = 0; i < task->n_limits; i++) {
        const char *name = task->limits[i]->key;
        double limit = task->limits[i]->value ? task->limits[i]->value->value : 0;
        bool cpus = strcmp(name, "cpus") == 0;

        if (!cpus && strcmp(name, "mem"))
            return sim_dup("Only cpus and mem may be included in a task's resource limits");
        if (!requested(task, name))
            return sim_text("When a %s limit is specified, a %s request must also be specified",
                            cpus ? "CPU" : "memory", cpus ? "CPU" : "memory");
        if (limit < requested(task, name))
            return sim_text("The %s limit must be greater than or equal to the %s request",
                            cpus ? "cpu" : "memory", cpus ? "cpu" : "memory");
    }
    return NULL;
}

/* ---- executors ---- */

static bool compatible(const executor_info_t *a, const executor_info_t *b)
{
    executor_info_t x = *a, y = *b;

    x.labels = y.labels = NULL;
    return sim_same_message(&x, &y);
}

static char *incompatible_text(const executor_info_t *old, const executor_info_t *new)
{
    static const char rule[] = "------------------------------------------------------------";
    struct text text = {0};

    core_text_add(
        &text,
        "ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID.\n%s\n",
        rule);
    core_text_add(&text, "Existing ExecutorInfo:\n");
    core_debug_text_add(&text, &old->base, 0);
    core_text_add(&text, "\n%s\nExecutorInfo:\n", rule);
    core_debug_text_add(&text, &new->base, 0);
    core_text_add(&text, "\n%s\n", rule);
    return text.s;
}

char *core_executor_invalid(struct grant *grant, const task_info_t *task)
{
    const executor_info_t *executor = task->executor;
    struct known_executor *known;
    char *text;

    if (executor->has_type && executor->type == MESOS__V1__EXECUTOR_INFO__TYPE__DEFAULT) {
        if (executor->command)
            return sim_dup("'ExecutorInfo.command' must not be set for 'DEFAULT' executor");
        return sim_dup("'ExecutorInfo.type' must be 'CUSTOM'");
    }
    if (!executor->command)
        return sim_dup(executor->has_type
                           ? "'ExecutorInfo.command' must be set for 'CUSTOM' executor"
                           : "'ExecutorInfo.command' must be set");
    if ((text = core_id_invalid(executor->executor_id->value)))
        return text;
    if (executor->shutdown_grace_period && executor->shutdown_grace_period->nanoseconds < 0)
        return sim_dup("ExecutorInfo's 'shutdown_grace_period' must be non-negative");
    if ((text = wrap(core_command_invalid(executor->command),
                     "Executor's `CommandInfo` is invalid: ", "")))
        return text;
    if (executor->container && (text = wrap(core_container_invalid(executor->container),
                                            "Executor's `ContainerInfo` is invalid: ", "")))
        return text;
    if (executor->framework_id && strcmp(executor->framework_id->value, grant->framework->id))
        return sim_text("ExecutorInfo has an invalid FrameworkID (Actual: %s vs Expected: %s)",
                        executor->framework_id->value, grant->framework->id);
    if ((text = wrap(roles_mixed(executor->resources, executor->n_resources),
                     "Invalid executor resources: ", "")))
        return text;
    known = core_agent_executor(grant->agent, grant->framework->id, executor->executor_id->value);
    if (known && !compatible(known->info, executor))
        return incompatible_text(known->info, executor);
    return NULL;
}

/* ---- resources against the offer ---- */

/* Resources as JSON with sorted keys, which is how this one message has them. */
static void add_json(struct text *out, const struct res *resources)
{
    for (size_t i = 0; i < resources->n; i++) {
        const resource_t *r = resources->v[i];

        core_text_add(out, "%s{", i ? "," : "[");
        if (r->allocation_info && r->allocation_info->role)
            core_text_add(out, "\"allocation_info\":{\"role\":\"%s\"},", r->allocation_info->role);
        core_text_add(out, "\"name\":\"%s\",", r->name);
        if (r->scalar) {
            double value = r->scalar->value;

            core_text_add(out,
                          value == (double)(int64_t)value ? "\"scalar\":{\"value\":%.1f},"
                                                          : "\"scalar\":{\"value\":%.15g},",
                          value);
            core_text_add(out, "\"type\":\"SCALAR\"}");
        } else if (r->ranges) {
            core_text_add(out, "\"ranges\":{\"range\":[");
            for (size_t j = 0; j < r->ranges->n_range; j++)
                core_text_add(out, "%s{\"begin\":%llu,\"end\":%llu}", j ? "," : "",
                              (unsigned long long)r->ranges->range[j]->begin,
                              (unsigned long long)r->ranges->range[j]->end);
            core_text_add(out, "]},\"type\":\"RANGES\"}");
        } else {
            core_text_add(out, "\"type\":\"SET\"}");
        }
    }
    core_text_add(out, "]");
}

static char *overlap_invalid(const struct res *task, const struct res *executor)
{
    for (size_t i = 0; i < task->n; i++) {
        for (size_t j = 0; j < executor->n; j++) {
            const Mesos__V1__Value__Ranges *a = task->v[i]->ranges, *b = executor->v[j]->ranges;
            bool overlap = false;

            if (!a || !b || strcmp(task->v[i]->name, executor->v[j]->name))
                continue;
            for (size_t x = 0; x < a->n_range; x++)
                for (size_t y = 0; y < b->n_range; y++)
                    overlap |= a->range[x]->begin <= b->range[y]->end &&
                               b->range[y]->begin <= a->range[x]->end;
            if (overlap) {
                struct text text = {0};

                core_text_add(&text, "There are overlapping resources in the task resources ");
                add_json(&text, task);
                core_text_add(&text, " and executor resources ");
                add_json(&text, executor);
                return text.s;
            }
        }
    }
    return NULL;
}

static char *fit_invalid(struct grant *grant, const task_info_t *task)
{
    struct res want = {0}, executor = {0};
    char *text = NULL;

    core_res_read(&want, task->resources, task->n_resources);
    if (task->executor && !core_agent_executor(grant->agent, grant->framework->id,
                                               task->executor->executor_id->value)) {
        core_res_read(&executor, task->executor->resources, task->executor->n_resources);
        text = overlap_invalid(&want, &executor);
        core_res_add_all(&want, &executor);
    }
    if (!text && !core_res_contains(&grant->left, &want)) {
        char *w = core_res_text(&want), *l = core_res_text(&grant->left);

        text = sim_text(
            "Total resources %s required by task and its executor is more than available %s", w, l);
        free(w);
        free(l);
    }
    core_res_clear(&want);
    core_res_clear(&executor);
    return text;
}

char *core_task_invalid(struct grant *grant, const task_info_t *task)
{
    char *text = core_id_invalid(task->task_id->value);

    if (!text)
        text = unique_invalid(grant->framework, task->task_id->value);
    if (!text && strcmp(task->agent_id->value, grant->agent->id))
        text = sim_text("Task uses invalid agent %s while agent %s is expected",
                        task->agent_id->value, grant->agent->id);
    if (!text && task->kill_policy && task->kill_policy->grace_period &&
        task->kill_policy->grace_period->nanoseconds < 0)
        text = sim_dup("Task's 'kill_policy.grace_period' must be non-negative");
    if (!text && task->max_completion_time && task->max_completion_time->nanoseconds < 0)
        text = sim_dup("Task's `max_completion_time` must be non-negative");
    if (!text && task->check)
        text = wrap(check_invalid(task->check), "Task uses invalid check: ", "");
    if (!text && task->health_check)
        text =
            wrap(health_check_invalid(task->health_check), "Task uses invalid health check: ", "");
    if (!text)
        text = resources_invalid(task);
    if (!text && task->command)
        text = wrap(core_command_invalid(task->command), "Task's `CommandInfo` is invalid: ", "");
    if (!text && task->container)
        text = wrap(core_container_invalid(task->container),
                    "Task's `ContainerInfo` is invalid: ", "");
    if (!text)
        text = limits_invalid(task);
    if (!text && !task->executor == !task->command)
        text = sim_dup(
            "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present");
    if (!text && task->executor)
        text = core_executor_invalid(grant, task);
    if (!text)
        text = fit_invalid(grant, task);
    if (!text && task->container && task->container->linux_info &&
        task->container->linux_info->has_share_cgroups &&
        !task->container->linux_info->share_cgroups)
        text = sim_dup("Only tasks in a task group may have 'share_cgroups' set to 'false'");
    return text;
}
