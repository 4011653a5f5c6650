/*
 * What a prober saw. A report counts for the host of its agent. Under another agent id than a
 * record's, it may prove that the recorded task is gone: the host was booted since, or nothing
 * listens on any of the task's ports.
 */
#include <string.h>

#include "rooms.h"

static bool listens(const struct qm_probe_report *report, uint32_t port)
{
    for (size_t i = 0; i < report->n_listening; i++)
        if (report->listening[i] == port)
            return true;
    return false;
}

static bool any_port_listens(const struct qm_probe_report *report, const struct qm_task *task)
{
    for (size_t i = 0; i < task->n_ports; i++)
        if (listens(report, task->ports[i]))
            return true;
    return false;
}

/* Old records: tasks of an agent that is not this host's connected one any more. */
static void close_old_records(struct qm_planner *p, struct qm_host *host, bool booted,
                              const struct qm_probe_report *report)
{
    for (struct qm_task *task = host->tasks; task; task = task->next) {
        if (task->agent == host->agent || task->agent->connected)
            continue;
        if (!qm_stage_live(task->stage))
            continue;
        if (booted)
            qm_task_ended(p, task, false, "its host was booted");
        else if (task->n_ports > 0 && !any_port_listens(report, task))
            qm_task_ended(p, task, false, "none of its ports is listened on");
    }
}

static bool set_boot_id(struct qm_planner *p, struct qm_host *host, const char *boot_id)
{
    bool known = host->boot_id != NULL;
    char *copy;

    if (!boot_id || !boot_id[0] || (known && strcmp(host->boot_id, boot_id) == 0))
        return false;
    copy = qm_memdup0(p->allocator, boot_id, qm_clip(boot_id, 64));
    if (!copy) {
        qm_out_of_memory(p);
        return false;
    }
    qm_free(p->allocator, host->boot_id);
    host->boot_id = copy;
    if (host->tasks)
        qm_host_record_changed(p, host);
    return known;
}

static void set_warning(struct qm_planner *p, struct qm_host *host, const char *warning)
{
    struct qm_host_extra *extra;

    if (!warning || !warning[0]) {
        if (host->extra) {
            qm_free(p->allocator, host->extra->warning);
            host->extra->warning = NULL;
        }
        return;
    }
    extra = qm_host_extra(p, host);
    if (!extra)
        return;
    qm_free(p->allocator, extra->warning);
    extra->warning = qm_memdup0(p->allocator, warning, qm_clip(warning, QM_MESSAGE_MAX));
    if (!extra->warning)
        qm_out_of_memory(p);
}

static bool is_sane(const struct qm_probe_report *report)
{
    if (!report->agent_id || !report->agent_id[0])
        return false;
    if ((report->n_devices > 0 && !report->devices) ||
        (report->n_listening > 0 && !report->listening))
        return false;
    for (size_t i = 0; i < report->n_devices; i++)
        if (!report->devices[i].mount || report->devices[i].type > QM_DEVICE_DATA)
            return false;
    return true;
}

int qm_fact_probe(struct qm_planner *p, const struct qm_probe_report *report)
{
    struct qm_agent *agent;
    struct qm_host *host;
    bool booted;

    if (!is_sane(report))
        return QM_E_INVALID;
    agent = qm_agent_find(p, report->agent_id);
    if (!agent)
        return QM_E_UNKNOWN;
    qm_agent_heard(p, agent);
    host = agent->host;
    if (host->agent != agent)
        return QM_E_STALE; /* the older of two agents of one name */
    booted = set_boot_id(p, host, report->boot_id);
    close_old_records(p, host, booted, report);
    qm_devices_report(p, host, report->devices, report->n_devices);
    host->mount_point = report->has_mount_point;
    host->last_report = p->now;
    set_warning(p, host, report->warning);
    qm_places_of_host(p, host);
    if (!host->reported) {
        host->reported = true;
        qm_trace(p, QM_TRACE_HOST, host->name, "", "reported", "%zu devices", report->n_devices);
    }
    qm_host_count_unreported(p, host);
    qm_host_touch(p, host);
    return 0;
}
