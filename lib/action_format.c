/* Actions as one line of text. */
#include <quobyte-mesos/action.h>

#include "writer.h"

static void write_names(struct qm_writer *writer, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        qm_write(writer, "%s%s", i > 0 ? "," : "", names[i]);
}

static void write_seconds(struct qm_writer *writer, qm_duration ms)
{
    qm_write(writer, "%llu", (unsigned long long)(ms / 1000));
    if (ms % 1000 > 0)
        qm_write(writer, ".%03u", (unsigned)(ms % 1000));
    qm_write(writer, " s");
}

static void write_save(struct qm_writer *writer, const struct qm_save *save)
{
    qm_write(writer, "save %llu:", (unsigned long long)save->revision);
    for (size_t i = 0; i < save->n_records; i++) {
        const struct qm_record *record = &save->records[i];

        if (record->data)
            qm_write(writer, " %s (%zu bytes)", record->key, record->length);
        else
            qm_write(writer, " %s (deleted)", record->key);
    }
}

static void write_launch(struct qm_writer *writer, const struct qm_launch *launch)
{
    qm_write(writer, "launch on agent %s with ", launch->agent_id);
    write_names(writer, launch->offer_ids, launch->n_offer_ids);
    qm_write(writer, ":");
    for (size_t i = 0; i < launch->n_tasks; i++) {
        const struct qm_task_launch *task = &launch->tasks[i];

        qm_write(writer, "%s %s%s%s", i > 0 ? "," : "", task->task_id,
                 task->template_->version[0] != '\0' ? " " : "", task->template_->version);
        for (size_t p = 0; p < task->n_ports; p++)
            qm_write(writer, " %s=%u", task->ports[p].spec->name, task->ports[p].number);
    }
    qm_write(writer, "; rest refused for ");
    write_seconds(writer, launch->refuse);
}

static void write_uuid(struct qm_writer *writer, const uint8_t *uuid)
{
    for (size_t i = 0; i < 16; i++)
        qm_write(writer, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

static void write_kill(struct qm_writer *writer, const struct qm_kill *kill)
{
    qm_write(writer, "kill %s on agent %s with grace ", kill->task_id, kill->agent_id);
    write_seconds(writer, kill->grace);
}

static void write_reconcile(struct qm_writer *writer, const struct qm_task_key *tasks, size_t n)
{
    qm_write(writer, "reconcile %s", n == 0 ? "everything" : "");
    for (size_t i = 0; i < n; i++)
        qm_write(writer, "%s%s", i > 0 ? "," : "", tasks[i].task_id);
}

size_t qm_action_format(const struct qm_action *action, char *buffer, size_t size)
{
    struct qm_writer writer;

    qm_writer_init(&writer, buffer, size);
    switch (action->type) {
    case QM_ACTION_SAVE:
        write_save(&writer, &action->save);
        break;
    case QM_ACTION_LAUNCH:
        write_launch(&writer, &action->launch);
        break;
    case QM_ACTION_KILL:
        write_kill(&writer, &action->kill);
        break;
    case QM_ACTION_DECLINE:
        qm_write(&writer, "decline ");
        write_names(&writer, action->decline.offer_ids, action->decline.n_offer_ids);
        qm_write(&writer, " for ");
        write_seconds(&writer, action->decline.refuse);
        break;
    case QM_ACTION_ACKNOWLEDGE:
        qm_write(&writer, "acknowledge %s on agent %s ", action->acknowledge.task_id,
                 action->acknowledge.agent_id);
        write_uuid(&writer, action->acknowledge.uuid);
        break;
    case QM_ACTION_RECONCILE:
        write_reconcile(&writer, action->reconcile.tasks, action->reconcile.n_tasks);
        break;
    case QM_ACTION_SUPPRESS:
        qm_write(&writer, "suppress");
        break;
    case QM_ACTION_REVIVE:
        qm_write(&writer, "revive");
        break;
    case QM_ACTION_PROBE:
        qm_write(&writer, "probe agent %s, executor %s", action->probe.agent_id,
                 action->probe.executor_id);
        break;
    case QM_ACTION_DESCRIBE_TASK:
        qm_write(&writer, "describe task %s on agent %s", action->describe.task_id,
                 action->describe.agent_id);
        break;
    case QM_ACTION_ACCEPT_INVERSE_OFFER:
        qm_write(&writer, "accept inverse offer %s", action->inverse_offer_id);
        break;
    case QM_ACTION_DECLINE_INVERSE_OFFER:
        qm_write(&writer, "decline inverse offer %s", action->inverse_offer_id);
        break;
    }
    return writer.length;
}
