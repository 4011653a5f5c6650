/*
 * One function for each kind of object; the order of the members is that of a real master's answer.
 */
#include "json_state.h"
#include "json_map.h"
#include "json_resources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESOURCES(array) ((const Mesos__V1__Resource *const *)(array))

static json_t *seconds(int64_t ms)
{
    return json_real((double)ms / 1000);
}

static void set(json_t *object, const char *name, json_t *value)
{
    if (value)
        json_object_set_new(object, name, value);
}

static void set_text(json_t *object, const char *name, const char *text)
{
    set(object, name, json_string(text ? text : ""));
}

static void set_labels(json_t *object, const Mesos__V1__Labels *labels)
{
    json_t *json = labels ? json_map_from_message(&labels->base) : NULL;
    json_t *list = json_object_get(json, "labels");

    if (list)
        json_object_set(object, "labels", list);
    json_decref(json);
}

static const char *enum_name(const ProtobufCEnumDescriptor *descriptor, int value)
{
    const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(descriptor, value);

    return found ? found->name : "UNKNOWN";
}

/* ---- tasks ---- */

static json_t *status_json(const Mesos__V1__TaskStatus *status)
{
    json_t *json = json_object();

    set_text(json, "state", enum_name(&mesos__v1__task_state__descriptor, (int)status->state));
    set(json, "timestamp", json_real(status->has_timestamp ? status->timestamp : 0));
    set_labels(json, status->labels);
    if (status->container_status) {
        json_t *container = json_map_from_message(&status->container_status->base);

        json_object_del(container, "executor_pid"); /* the v1 API alone shows it */
        set(json, "container_status", container);
    }
    if (status->has_healthy)
        set(json, "healthy", json_boolean(status->healthy));
    return json;
}

/* Shown only where a command names one. */
static const char *task_user(const Mesos__V1__TaskInfo *info)
{
    const Mesos__V1__CommandInfo *command = info->command    ? info->command
                                            : info->executor ? info->executor->command
                                                             : NULL;

    return command ? command->user : NULL;
}

static json_t *task_json(const struct sim_task *task)
{
    struct sim_task_view view;
    json_t *json = json_object();
    json_t *statuses = json_array();
    json_t *map;

    sim_task_look(task, &view);
    set_text(json, "id", view.info->task_id->value);
    set_text(json, "name", view.info->name);
    set_text(json, "framework_id", view.framework_id);
    set_text(json, "executor_id", view.executor_id);
    set_text(json, "slave_id", view.agent_id);
    set_text(json, "state", enum_name(&mesos__v1__task_state__descriptor, (int)view.state));
    set(json, "resources",
        json_resources_sum(RESOURCES(view.info->resources), view.info->n_resources, NULL));
    set_text(json, "role", view.role);
    for (size_t i = 0; i < view.n_statuses; i++)
        json_array_append_new(statuses, status_json(view.statuses[i]));
    set(json, "statuses", statuses);
    if (task_user(view.info))
        set_text(json, "user", task_user(view.info));
    set_labels(json, view.info->labels);
    if (view.info->discovery)
        set(json, "discovery", json_map_from_message(&view.info->discovery->base));
    if (view.info->container)
        set(json, "container", json_map_from_message(&view.info->container->base));
    if (view.info->health_check)
        set(json, "health_check", json_map_from_message(&view.info->health_check->base));
    map = view.info->n_limits > 0 ? json_map_from_message(&view.info->base) : NULL;
    if (map)
        json_object_set(json, "limits", json_object_get(map, "limits"));
    json_decref(map);
    return json;
}

static json_t *task_list(const struct sim_framework *framework, enum sim_task_list list)
{
    json_t *array = json_array();
    const struct sim_task *task = NULL;

    while ((task = sim_task_next(framework, list, task)))
        json_array_append_new(array, task_json(task));
    return array;
}

/* ---- frameworks ---- */

static json_t *offers_json(const struct sim_framework *framework)
{
    json_t *array = json_array();
    const struct sim_offer *at = NULL;

    while ((at = sim_offer_next(framework, at))) {
        const Mesos__V1__Offer *offer = sim_offer_look(at);
        json_t *json = json_object();

        set_text(json, "id", offer->id->value);
        set_text(json, "framework_id", offer->framework_id->value);
        if (offer->allocation_info)
            set(json, "allocation_info", json_map_from_message(&offer->allocation_info->base));
        set_text(json, "slave_id", offer->agent_id->value);
        set(json, "resources",
            json_resources_sum(RESOURCES(offer->resources), offer->n_resources, NULL));
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *executors_json(const struct sim *sim, const struct sim_framework *framework,
                              const char *framework_id)
{
    json_t *array = json_array();
    struct sim_executor_view view;

    for (size_t i = 0; sim_executor_look(sim, framework, i, &view); i++) {
        json_t *json = json_object();

        set_text(json, "executor_id", view.info->executor_id->value);
        set_text(json, "name", view.info->name);
        set_text(json, "framework_id", framework_id);
        if (view.info->command)
            set(json, "command", json_map_from_message(&view.info->command->base));
        set(json, "resources",
            json_resources_sum(RESOURCES(view.info->resources), view.info->n_resources, NULL));
        set_labels(json, view.info->labels);
        set_text(json, "slave_id", view.agent_id);
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *capabilities_json(const Mesos__V1__FrameworkInfo *info)
{
    json_t *array = json_array();

    for (size_t i = 0; i < info->n_capabilities; i++)
        json_array_append_new(
            array, json_string(enum_name(&mesos__v1__framework_info__capability__type__descriptor,
                                         (int)info->capabilities[i]->type)));
    return array;
}

static bool is_multi_role(const Mesos__V1__FrameworkInfo *info)
{
    for (size_t i = 0; i < info->n_capabilities; i++)
        if (info->capabilities[i]->type == MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE)
            return true;
    return false;
}

static void set_framework_info(json_t *json, const Mesos__V1__FrameworkInfo *info)
{
    json_t *roles;

    set_text(json, "user", info->user);
    set(json, "failover_timeout", json_real(info->failover_timeout));
    set(json, "checkpoint", json_boolean(info->checkpoint));
    if (info->principal)
        set_text(json, "principal", info->principal);
    if (!is_multi_role(info)) {
        set_text(json, "role", info->role ? info->role : "*");
        return;
    }
    roles = json_array();
    for (size_t i = 0; i < info->n_roles; i++)
        json_array_append_new(roles, json_string(info->roles[i]));
    set(json, "roles", roles);
}

static json_t *framework_json(const struct sim *sim, const struct sim_framework *framework)
{
    struct sim_framework_view view;
    json_t *json = json_object();

    sim_framework_look(sim, framework, &view);
    set_text(json, "id", view.id);
    set_text(json, "name", view.info->name);
    set(json, "used_resources",
        json_resources_sum(view.used_resources, view.n_used_resources, NULL));
    set(json, "offered_resources",
        json_resources_sum(view.offered_resources, view.n_offered_resources, NULL));
    set(json, "capabilities", capabilities_json(view.info));
    set_text(json, "hostname", view.info->hostname);
    set_text(json, "webui_url", view.info->webui_url);
    set(json, "active", json_boolean(view.active));
    set(json, "connected", json_boolean(view.connected));
    set(json, "recovered", json_boolean(view.recovered));
    set_framework_info(json, view.info);
    set(json, "registered_time", seconds(view.registered_ms));
    set(json, "unregistered_time", seconds(view.unregistered_ms));
    if (view.reregistered_ms > 0)
        set(json, "reregistered_time", seconds(view.reregistered_ms));
    set(json, "resources",
        json_resources_sum2(view.used_resources, view.n_used_resources, view.offered_resources,
                            view.n_offered_resources));
    set(json, "tasks", task_list(framework, SIM_TASKS));
    set(json, "unreachable_tasks", task_list(framework, SIM_TASKS_UNREACHABLE));
    set(json, "completed_tasks", task_list(framework, SIM_TASKS_COMPLETED));
    set(json, "offers", offers_json(framework));
    set(json, "executors", executors_json(sim, framework, view.id));
    set_labels(json, view.info->labels);
    set(json, "offer_constraints",
        view.constraints ? json_map_from_message(&view.constraints->base) : json_object());
    return json;
}

static json_t *framework_list(const struct sim *sim, bool completed, const char *framework_id)
{
    json_t *array = json_array();
    const struct sim_framework *framework = NULL;

    while ((framework = sim_framework_next(sim, completed, framework))) {
        struct sim_framework_view view;

        sim_framework_look(sim, framework, &view);
        if (!framework_id || !strcmp(framework_id, view.id))
            json_array_append_new(array, framework_json(sim, framework));
    }
    return array;
}

json_t *json_state_frameworks(const struct sim *sim, const char *framework_id)
{
    return json_pack("{s:o, s:o, s:[]}", "frameworks", framework_list(sim, false, framework_id),
                     "completed_frameworks", framework_list(sim, true, framework_id),
                     "unregistered_frameworks");
}

/* ---- agents ---- */

static json_t *agent_capabilities(void)
{
    return json_pack("[s, s, s, s, s, s, s, s]", "MULTI_ROLE", "HIERARCHICAL_ROLE",
                     "RESERVATION_REFINEMENT", "RESOURCE_PROVIDER", "RESIZE_VOLUME",
                     "AGENT_OPERATION_FEEDBACK", "AGENT_DRAINING", "TASK_RESOURCE_LIMITS");
}

static void set_full_resources(json_t *json, const struct sim_agent_view *view)
{
    const Mesos__V1__Resource *const *total = RESOURCES(view->info->resources);
    size_t n_total = view->info->n_resources;

    set(json, "reserved_resources_full", json_resources_reserved_full(total, n_total));
    set(json, "unreserved_resources_full", json_resources_full(total, n_total, "*"));
    set(json, "used_resources_full",
        json_resources_full(view->used_resources, view->n_used_resources, NULL));
    set(json, "offered_resources_full",
        json_resources_full(view->offered_resources, view->n_offered_resources, NULL));
}

static json_t *agent_json(const struct sim_agent_view *view, bool full)
{
    const Mesos__V1__AgentInfo *info = view->info;
    const Mesos__V1__Resource *const *total = RESOURCES(info->resources);
    json_t *json = json_object();

    set_text(json, "id", view->id);
    set_text(json, "hostname", info->hostname);
    set(json, "port", json_integer(info->port));
    set(json, "attributes", json_attributes(info->attributes, info->n_attributes));
    if (info->domain)
        set(json, "domain", json_map_from_message(&info->domain->base));
    set_text(json, "pid", view->pid);
    set(json, "registered_time", seconds(view->registered_ms));
    if (view->reregistered_ms > 0)
        set(json, "reregistered_time", seconds(view->reregistered_ms));
    set(json, "resources", json_resources_sum(total, info->n_resources, NULL));
    set(json, "used_resources",
        json_resources_sum(view->used_resources, view->n_used_resources, NULL));
    set(json, "offered_resources",
        json_resources_sum(view->offered_resources, view->n_offered_resources, NULL));
    set(json, "reserved_resources", json_resources_reserved(total, info->n_resources));
    set(json, "unreserved_resources", json_resources_sum(total, info->n_resources, "*"));
    set(json, "active", json_boolean(view->active));
    set(json, "deactivated", json_boolean(view->deactivated));
    set_text(json, "version", "1.11.1");
    set(json, "capabilities", agent_capabilities());
    if (view->drain_state)
        set(json, "drain_info", json_pack("{s:s}", "state", view->drain_state));
    if (full)
        set_full_resources(json, view);
    return json;
}

static json_t *agent_list(const struct sim *sim, const char *agent_id, bool full)
{
    json_t *array = json_array();
    const struct sim_agent *agent = NULL;

    while ((agent = sim_agent_next(sim, SIM_AGENTS_REGISTERED, agent))) {
        struct sim_agent_view view;

        sim_agent_look(sim, agent, &view);
        if (!agent_id || !strcmp(agent_id, view.id))
            json_array_append_new(array, agent_json(&view, full));
    }
    return array;
}

static json_t *recovered_agents(const struct sim *sim, const char *agent_id)
{
    json_t *array = json_array();
    const struct sim_agent *agent = NULL;

    while ((agent = sim_agent_next(sim, SIM_AGENTS_RECOVERED, agent))) {
        struct sim_agent_view view;

        sim_agent_look(sim, agent, &view);
        if (!agent_id || !strcmp(agent_id, view.id))
            json_array_append_new(
                array, json_pack("{s:s, s:s}", "id", view.id, "hostname", view.info->hostname));
    }
    return array;
}

json_t *json_state_agents(const struct sim *sim, const char *agent_id)
{
    return json_pack("{s:o, s:o}", "slaves", agent_list(sim, agent_id, true), "recovered_slaves",
                     recovered_agents(sim, agent_id));
}

/* ---- all tasks ---- */

static double first_timestamp(const struct sim_task *task)
{
    struct sim_task_view view;

    sim_task_look(task, &view);
    return view.n_statuses > 0 && view.statuses[0]->has_timestamp ? view.statuses[0]->timestamp : 0;
}

static int newest_first(const void *a, const void *b)
{
    double left = first_timestamp(*(const struct sim_task *const *)a);
    double right = first_timestamp(*(const struct sim_task *const *)b);

    return left > right ? -1 : left < right;
}

static int oldest_first(const void *a, const void *b)
{
    return newest_first(b, a);
}

static bool is_asked_for(const struct sim_task *task, const struct json_state_task_query *query)
{
    struct sim_task_view view;

    sim_task_look(task, &view);
    return (!query->framework_id || !strcmp(query->framework_id, view.framework_id)) &&
           (!query->task_id || !strcmp(query->task_id, view.info->task_id->value));
}

/* Collects into `found` (NULL: only counts). */
static size_t find_tasks(const struct sim *sim, const struct json_state_task_query *query,
                         const struct sim_task **found)
{
    static const enum sim_task_list lists[] = {SIM_TASKS, SIM_TASKS_UNREACHABLE,
                                               SIM_TASKS_COMPLETED};
    size_t n = 0;

    for (int completed = 0; completed < 2; completed++) {
        const struct sim_framework *framework = NULL;

        while ((framework = sim_framework_next(sim, completed, framework))) {
            for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
                const struct sim_task *task = NULL;

                while ((task = sim_task_next(framework, lists[i], task))) {
                    if (!is_asked_for(task, query))
                        continue;
                    if (found)
                        found[n] = task;
                    n++;
                }
            }
        }
    }
    return n;
}

json_t *json_state_tasks(const struct sim *sim, const struct json_state_task_query *query)
{
    size_t n = find_tasks(sim, query, NULL);
    const struct sim_task **found = calloc(n + 1, sizeof(*found));
    json_t *array = json_array();

    if (found) {
        find_tasks(sim, query, found);
        qsort(found, n, sizeof(*found), query->ascending ? oldest_first : newest_first);
        for (size_t i = query->offset; i < n && i - query->offset < query->limit; i++)
            json_array_append_new(array, task_json(found[i]));
    }
    free(found);
    return json_pack("{s:o}", "tasks", array);
}

/* ---- all together ---- */

static void count_agents(const struct sim *sim, size_t *active, size_t *inactive,
                         size_t *unreachable)
{
    const struct sim_agent *agent = NULL;

    *active = *inactive = *unreachable = 0;
    while ((agent = sim_agent_next(sim, SIM_AGENTS_REGISTERED, agent))) {
        struct sim_agent_view view;

        sim_agent_look(sim, agent, &view);
        if (view.active)
            ++*active;
        else
            ++*inactive;
    }
    while ((agent = sim_agent_next(sim, SIM_AGENTS_UNREACHABLE, agent)))
        ++*unreachable;
}

static json_t *flags_json(const struct sim_master_view *view)
{
    char port[16];

    snprintf(port, sizeof(port), "%u", view->port);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "agent_ping_timeout", "15secs",
                     "agent_reregister_timeout", "10mins", "allocation_interval", "1secs",
                     "cluster", "mesos-sim", "hostname", view->hostname, "ip", view->ip,
                     "max_agent_ping_timeouts", "5", "port", port);
}

json_t *json_state_master(const struct sim *sim)
{
    struct sim_master_view view;
    size_t active;
    size_t inactive;
    size_t unreachable;
    json_t *json;

    sim_master_look(sim, &view);
    count_agents(sim, &active, &inactive, &unreachable);
    json = json_pack("{s:s, s:s, s:f, s:s}", "version", "1.11.1", "build_date", "2026-11-22",
                     "build_time", 0.0, "build_user", "root");
    set(json, "start_time", seconds(view.start_ms));
    set(json, "elected_time", seconds(view.elected_ms));
    set_text(json, "id", view.id);
    set_text(json, "pid", view.pid);
    set_text(json, "hostname", view.hostname);
    set(json, "capabilities", json_pack("[s, s, s]", "AGENT_UPDATE", "AGENT_DRAINING", "QUOTA_V2"));
    set(json, "activated_slaves", json_real((double)active));
    set(json, "deactivated_slaves", json_real((double)inactive));
    set(json, "unreachable_slaves", json_real((double)unreachable));
    set_text(json, "leader", view.pid);
    set(json, "leader_info",
        json_pack("{s:s, s:s, s:i, s:s}", "id", view.id, "pid", view.pid, "port", (int)view.port,
                  "hostname", view.hostname));
    set_text(json, "cluster", "mesos-sim");
    set(json, "flags", flags_json(&view));
    set(json, "slaves", agent_list(sim, NULL, false));
    set(json, "recovered_slaves", recovered_agents(sim, NULL));
    set(json, "frameworks", framework_list(sim, false, NULL));
    set(json, "completed_frameworks", framework_list(sim, true, NULL));
    set(json, "orphan_tasks", json_array());
    set(json, "unregistered_frameworks", json_array());
    return json;
}
