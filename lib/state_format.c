/* Records of the durable state as readable text. */
#include <quobyte-mesos/state.h>

#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "quobyte-mesos/state.pb-c.h"
#include "writer.h"

typedef QuobyteMesos__State__Framework Framework;
typedef QuobyteMesos__State__Host Host;
typedef QuobyteMesos__State__Rollout Rollout;
typedef QuobyteMesos__State__Target Target;
typedef QuobyteMesos__State__Task Task;

static void write_text(struct qm_writer *writer, const char *name, const char *text)
{
    if (text)
        qm_write(writer, "%s: %s\n", name, text);
}

static void write_number(struct qm_writer *writer, const char *name, protobuf_c_boolean set,
                         uint64_t number)
{
    if (set)
        qm_write(writer, "%s: %llu\n", name, (unsigned long long)number);
}

static void write_flag(struct qm_writer *writer, const char *name, protobuf_c_boolean set,
                       protobuf_c_boolean flag)
{
    if (set)
        qm_write(writer, "%s: %s\n", name, flag ? "true" : "false");
}

/* Fields that were written by something newer are kept, and here they are counted. */
static void write_unknown(struct qm_writer *writer, const char *prefix,
                          const ProtobufCMessage *message)
{
    if (message->n_unknown_fields > 0)
        qm_write(writer, "%sunknown_fields: %u\n", prefix, message->n_unknown_fields);
}

static void write_target(struct qm_writer *writer, const char *name, const Target *target)
{
    if (!target)
        return;
    qm_write(writer, "%s.version: %s\n", name, target->version ? target->version : "");
    if (target->has_config_hash)
        qm_write(writer, "%s.config_hash: %016llx\n", name,
                 (unsigned long long)target->config_hash);
    if (target->has_since)
        qm_write(writer, "%s.since: %llu\n", name, (unsigned long long)target->since);
}

static void write_rollout(struct qm_writer *writer, const Rollout *rollout)
{
    if (!rollout)
        return;
    write_text(writer, "rollout.hold", rollout->hold);
    write_text(writer, "rollout.hold_subject", rollout->hold_subject);
    write_number(writer, "rollout.hold_since", rollout->has_hold_since, rollout->hold_since);
    write_number(writer, "rollout.failures", rollout->has_failures, rollout->failures);
    for (size_t i = 0; i < rollout->n_spent; i++)
        qm_write(writer, "rollout.spent[%zu]: %s %u\n", i,
                 rollout->spent[i]->step ? rollout->spent[i]->step : "", rollout->spent[i]->n);
    write_text(writer, "rollout.canary", rollout->canary);
    write_number(writer, "rollout.canary_since", rollout->has_canary_since, rollout->canary_since);
    write_flag(writer, "rollout.canary_passed", rollout->has_canary_passed, rollout->canary_passed);
    write_flag(writer, "rollout.images_ready", rollout->has_images_ready, rollout->images_ready);
    write_number(writer, "rollout.n_begun", rollout->has_n_begun, rollout->n_begun);
    write_text(writer, "rollout.domain", rollout->domain);
    write_number(writer, "rollout.domain_quiet", rollout->has_domain_quiet, rollout->domain_quiet);
}

static void write_framework(struct qm_writer *writer, const Framework *framework)
{
    write_number(writer, "format", 1, framework->format);
    write_text(writer, "framework_id", framework->framework_id);
    write_number(writer, "epoch", framework->has_epoch, framework->epoch);
    write_target(writer, "target", framework->target);
    write_target(writer, "completed", framework->completed);
    write_number(writer, "plan_number", framework->has_plan_number, framework->plan_number);
    write_number(writer, "plan_started", framework->has_plan_started, framework->plan_started);
    write_number(writer, "plan_kind", framework->has_plan_kind, framework->plan_kind);
    write_number(writer, "plan_completed", framework->has_plan_completed,
                 framework->plan_completed);
    write_flag(writer, "paused", framework->has_paused, framework->paused);
    write_number(writer, "paused_since", framework->has_paused_since, framework->paused_since);
    write_flag(writer, "bootstrapped", framework->has_bootstrapped, framework->bootstrapped);
    write_number(writer, "shutdown_at", framework->has_shutdown_at, framework->shutdown_at);
    write_rollout(writer, framework->rollout);
    for (size_t i = 0; i < framework->n_history; i++) {
        char name[40];

        snprintf(name, sizeof(name), "history[%zu]", i);
        write_target(writer, name, framework->history[i]);
    }
    write_number(writer, "paused_until", framework->has_paused_until, framework->paused_until);
    write_text(writer, "paused_why", framework->paused_why);
    for (size_t i = 0; i < framework->n_events; i++)
        qm_write(writer, "event[%zu]: %llu %s %s\n", i,
                 (unsigned long long)framework->events[i]->time,
                 qm_command_name((enum qm_command_type)framework->events[i]->what),
                 framework->events[i]->subject ? framework->events[i]->subject : "");
    write_unknown(writer, "", &framework->base);
}

static void write_task(struct qm_writer *writer, size_t i, const Task *task)
{
    qm_write(writer, "task[%zu].service: %s\n", i, task->service);
    qm_write(writer, "task[%zu].task_id: %s\n", i, task->task_id);
    qm_write(writer, "task[%zu].agent_id: %s\n", i, task->agent_id);
    if (task->executor_id)
        qm_write(writer, "task[%zu].executor_id: %s\n", i, task->executor_id);
    if (task->version)
        qm_write(writer, "task[%zu].version: %s\n", i, task->version);
    if (task->has_config_hash)
        qm_write(writer, "task[%zu].config_hash: %016llx\n", i,
                 (unsigned long long)task->config_hash);
    if (task->has_instance)
        qm_write(writer, "task[%zu].instance: %u\n", i, task->instance);
    for (size_t p = 0; p < task->n_ports; p++)
        qm_write(writer, "task[%zu].ports[%zu]: %u\n", i, p, task->ports[p]);
    if (task->has_was_healthy)
        qm_write(writer, "task[%zu].was_healthy: %s\n", i, task->was_healthy ? "true" : "false");
    if (task->has_surplus)
        qm_write(writer, "task[%zu].surplus: %s\n", i, task->surplus ? "true" : "false");
    if (task->has_ended)
        qm_write(writer, "task[%zu].ended: %s\n", i, task->ended ? "true" : "false");
    if (task->has_health_checked)
        qm_write(writer, "task[%zu].health_checked: %s\n", i,
                 task->health_checked ? "true" : "false");
    if (task->previous_version)
        qm_write(writer, "task[%zu].previous_version: %s\n", i, task->previous_version);
    if (task->has_ran)
        qm_write(writer, "task[%zu].ran: %s\n", i, task->ran ? "true" : "false");
}

static void write_host(struct qm_writer *writer, const Host *host)
{
    write_number(writer, "format", 1, host->format);
    write_text(writer, "name", host->name);
    write_text(writer, "boot_id", host->boot_id);
    write_number(writer, "drained_since", host->has_drained_since, host->drained_since);
    write_number(writer, "drained_until", host->has_drained_until, host->drained_until);
    write_text(writer, "drained_why", host->drained_why);
    for (size_t i = 0; i < host->n_skipped; i++)
        write_text(writer, "skipped", host->skipped[i]->service);
    for (size_t i = 0; i < host->n_tasks; i++)
        write_task(writer, i, host->tasks[i]);
    write_unknown(writer, "", &host->base);
}

/* @format: NULL when the bytes are no message of ours at all. */
static int check_format(const struct qm_record *record, const uint32_t *format,
                        struct qm_error *error)
{
    if (!format)
        return qm_fail(error, QM_E_FORMAT, record->key, "damaged: not a record of ours");
    if (*format == 0 || *format > QM_STATE_FORMAT)
        return qm_fail(error, QM_E_FORMAT, record->key, "has format %u, this reads up to %u",
                       *format, QM_STATE_FORMAT);
    return 0;
}

static int format_framework(const struct qm_record *record, struct qm_writer *writer,
                            struct qm_error *error)
{
    Framework *framework =
        quobyte_mesos__state__framework__unpack(NULL, record->length, record->data);
    int r = check_format(record, framework ? &framework->format : NULL, error);

    if (r == 0)
        write_framework(writer, framework);
    if (framework)
        quobyte_mesos__state__framework__free_unpacked(framework, NULL);
    return r;
}

static int format_host(const struct qm_record *record, struct qm_writer *writer,
                       struct qm_error *error)
{
    Host *host = quobyte_mesos__state__host__unpack(NULL, record->length, record->data);
    int r = check_format(record, host ? &host->format : NULL, error);

    if (r == 0)
        write_host(writer, host);
    if (host)
        quobyte_mesos__state__host__free_unpacked(host, NULL);
    return r;
}

int qm_record_format(const struct qm_record *record, char *buffer, size_t size,
                     struct qm_error *error)
{
    struct qm_writer writer;
    int r;

    qm_writer_init(&writer, buffer, size);
    if (strcmp(record->key, "framework") == 0)
        r = format_framework(record, &writer, error);
    else if (strncmp(record->key, "host/", 5) == 0)
        r = format_host(record, &writer, error);
    else
        r = qm_fail(error, QM_E_FORMAT, record->key, "neither framework nor host/NAME");
    if (r == 0 && writer.length >= size)
        return qm_fail(error, QM_E_LIMIT, record->key, "needs %zu bytes", writer.length + 1);
    return r;
}
