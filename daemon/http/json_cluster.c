/* /v1/hosts /v1/services /v1/tasks /v1/offers /v1/state /v1/config. */
#include <stdlib.h>
#include <string.h>

#include "http/json.h"

static json_t *device_json(const struct qm_device_view *device)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:I, s:I, s:o}", "type",
                     qm_device_type_name(device->type), "mount", json_string_lossy(device->mount),
                     "filesystem", json_string_lossy(device->filesystem), "serial",
                     json_string_lossy(device->serial), "model", json_string_lossy(device->model),
                     "id", json_string_lossy(device->id), "bootstrap", device->bootstrap, "missing",
                     device->missing, "size_mib", (json_int_t)device->size_mib, "free_mib",
                     (json_int_t)device->free_mib, "warning", json_string_lossy(device->warning));
}

static json_t *task_json(const struct qm_task_view *task)
{
    json_t *ports = json_array();
    bool whole = ports != NULL;

    for (size_t i = 0; whole && i < task->n_ports; i++)
        whole = json_append(ports, json_integer(task->ports[i]));
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:b, s:b, s:b, s:o, s:o}", "id",
        json_string_lossy(task->id), "service", json_string_lossy(task->service), "host",
        json_string_lossy(task->host), "agent_id", json_string_lossy(task->agent_id), "version",
        json_string_lossy(task->version), "stage", qm_task_stage_name(task->stage), "state",
        qm_task_state_name(task->state), "since_ms", json_time(task->since), "healthy",
        task->healthy, "available", task->available, "outdated", task->outdated, "message",
        json_string_lossy(task->message), "ports", json_whole(ports, whole));
}

static json_t *host_json(struct api_call *call, const struct qm_host_view *host)
{
    json_t *devices = json_array(), *tasks = json_array();
    bool whole = devices && tasks;

    for (size_t i = 0; whole && i < host->n_devices; i++)
        whole = json_append(devices, device_json(&host->devices[i]));
    for (size_t i = 0; whole && i < host->n_tasks; i++)
        whole = json_append(tasks, task_json(&host->tasks[i]));
    return json_pack("{s:o, s:o, s:o, s:b, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
                     json_string_lossy(host->name), "agent_id", json_string_lossy(host->agent_id),
                     "failure_domain", json_string_lossy(host->failure_domain), "connected",
                     host->connected, "allowed", host->allowed, "reported", host->reported, "drained",
                     host->drained, "drained_why",
                     json_string_lossy(host->drained_why ? host->drained_why : ""),
                     "drained_until_ms", json_time(host->drained ? host->drained_until
                                                                 : QM_TIME_NEVER),
                     "last_report_ms", json_time(host->last_report), "warning",
                     json_string_lossy(host->warning), "reason", json_reason_with(call, &host->reason, "", host->name),
                     "devices", json_whole(devices, whole), "tasks", json_whole(tasks, whole));
}

void api_hosts(struct api_call *call)
{
    struct qm_cluster_view *view = NULL;
    json_t *hosts = json_array();
    bool whole = hosts && qm_cluster_view_new(call->planner, &view) == 0;

    for (size_t i = 0; whole && i < view->n_hosts; i++)
        whole = json_append(hosts, host_json(call, &view->hosts[i]));
    qm_cluster_view_free(view);
    answer_json(call->response, 200, json_pack("{s:o}", "hosts", json_whole(hosts, whole)));
}

void api_tasks(struct api_call *call)
{
    struct qm_cluster_view *view = NULL;
    json_t *tasks = json_array();
    bool whole = tasks && qm_cluster_view_new(call->planner, &view) == 0;

    for (size_t i = 0; whole && i < view->n_hosts; i++)
        for (size_t j = 0; whole && j < view->hosts[i].n_tasks; j++)
            whole = json_append(tasks, task_json(&view->hosts[i].tasks[j]));
    qm_cluster_view_free(view);
    answer_json(call->response, 200, json_pack("{s:o}", "tasks", json_whole(tasks, whole)));
}

void api_services(struct api_call *call)
{
    struct qm_service_view services[QM_SERVICES_MAX];
    size_t n = qm_cluster_counts(call->planner, services, QM_SERVICES_MAX);
    json_t *array = json_array();
    bool whole = array != NULL;

    for (size_t i = 0; whole && i < n && i < QM_SERVICES_MAX; i++)
        whole = json_append(array, json_pack("{s:o, s:s, s:I, s:I, s:I, s:I, s:I}", "name",
                                             json_string_lossy(services[i].name), "binding",
                                             qm_service_binding_name(services[i].binding), "wanted",
                                             (json_int_t)services[i].wanted, "running",
                                             (json_int_t)services[i].running, "healthy",
                                             (json_int_t)services[i].healthy, "available",
                                             (json_int_t)services[i].available, "outdated",
                                             (json_int_t)services[i].outdated));
    answer_json(call->response, 200, json_pack("{s:o}", "services", json_whole(array, whole)));
}

void api_offers(struct api_call *call)
{
    struct qm_offer_outcomes *outcomes = calloc(1, sizeof(*outcomes));
    json_t *recent = json_array(), *by_reason = json_object(), *whole_answer = NULL;
    bool whole = outcomes && recent && by_reason;

    if (whole)
        qm_offer_outcomes_get(call->planner, outcomes);
    for (int i = 0; whole && i < QM_WHY_CODES; i++)
        if (outcomes->by_reason[i])
            whole = json_object_set_new(by_reason, qm_reason_name((enum qm_reason_code)i),
                                        json_integer((json_int_t)outcomes->by_reason[i])) == 0;
    for (size_t i = 0; whole && i < outcomes->n_recent; i++)
        whole =
            json_append(recent, json_pack("{s:o, s:o, s:o, s:o}", "time_ms",
                                          json_time(outcomes->recent[i].time), "host",
                                          json_string_lossy(outcomes->recent[i].host), "service",
                                          json_string_lossy(outcomes->recent[i].service), "reason",
                                          json_reason(&outcomes->recent[i].reason)));
    recent = json_whole(recent, whole);
    by_reason = json_whole(by_reason, whole);
    if (whole)
        whole_answer = json_pack(
            "{s:I, s:I, s:I, s:I, s:o, s:o}", "seen", (json_int_t)outcomes->seen, "accepted",
            (json_int_t)outcomes->accepted, "declined", (json_int_t)outcomes->declined, "rescinded",
            (json_int_t)outcomes->rescinded, "declined_by_reason", by_reason, "recent", recent);
    free(outcomes);
    answer_json(call->response, 200, whole_answer);
}

static json_t *history_json(const struct qm_cluster_view *view)
{
    json_t *array = json_array();
    bool whole = array != NULL;

    for (size_t i = 0; whole && i < view->n_history; i++)
        whole = json_append(array, json_pack("{s:o, s:o}", "version",
                                             json_string_lossy(view->history[i].version),
                                             "since_ms", json_time(view->history[i].since)));
    return json_whole(array, whole);
}

static json_t *events_json(const struct qm_cluster_view *view)
{
    json_t *array = json_array();
    bool whole = array != NULL;

    for (size_t i = 0; whole && i < view->n_events; i++) {
        const struct qm_event_view *event = &view->events[i];

        whole = json_append(
            array, json_pack("{s:o, s:s, s:b, s:o, s:o, s:o}", "time_ms", json_time(event->time),
                             "order", qm_command_name(event->what), "expired", event->expired,
                             "subject", json_string_lossy(event->subject), "why",
                             json_string_lossy(event->why), "source",
                             json_string_lossy(event->source)));
    }
    return json_whole(array, whole);
}

void api_state(struct api_call *call)
{
    const struct front_status *status = &call->status;
    struct qm_cluster_view *view = NULL;
    json_t *answer = NULL;

    if (qm_cluster_view_new(call->planner, &view) == 0)
        answer = json_pack(
            "{s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}",
            "deployment", json_string_lossy(call->context->options->deployment), "framework_id",
            json_string_lossy(view->framework_id), "connected", status->connected, "reconciling",
            view->reconciling, "master", json_string_lossy(status->master), "connection",
            json_string_lossy(status->connection), "target", json_string_lossy(view->target),
            "completed", json_string_lossy(view->completed), "epoch", (json_int_t)view->epoch,
            "revision", (json_int_t)view->revision, "saved_revision",
            (json_int_t)view->saved_revision, "store", json_string_lossy(status->store),
            "store_error", json_string_lossy(status->store_error), "now_ms", json_time(status->now),
            "started_ms", json_time(status->started), "history", history_json(view), "events",
            events_json(view));
    qm_cluster_view_free(view);
    answer_json(call->response, 200, answer);
}

/* A value without user and password in its addresses: they become asterisks before the @. */
static json_t *without_credentials(const char *value)
{
    char *copy = strdup(value), *at, *slashes = copy;
    json_t *json;

    if (!copy)
        return NULL;
    while ((slashes = strstr(slashes, "://"))) {
        slashes += 3;
        /* Up to the last @ before the path: a password may hold one. */
        at = memrchr(slashes, '@', strcspn(slashes, "/ \n"));
        if (!at)
            continue;
        for (char *p = slashes; p < at; p++)
            *p = '*';
        slashes = at;
    }
    json = json_string_lossy(copy);
    free(copy);
    return json;
}

void api_config(struct api_call *call)
{
    const struct front_callbacks *callbacks = call->context->callbacks;
    const struct qm_config *config = callbacks->config(callbacks->userdata);
    struct qm_config_entry entry;
    json_t *array = json_array();
    bool whole = array != NULL;

    for (size_t i = 0; whole && qm_config_entry(config, i, &entry); i++)
        whole = json_append(
            array, json_pack("{s:s, s:s?, s:o, s:b, s:s, s:s}", "key", entry.key, "flag",
                             entry.flag, "value", without_credentials(entry.value), "is_default",
                             entry.is_default, "unit", entry.about->unit ? entry.about->unit : "",
                             "help", entry.about->help ? entry.about->help : ""));
    answer_json(call->response, 200, json_pack("{s:o}", "config", json_whole(array, whole)));
}
