/* What the agent says to the executor, and what the scheduler says through it. */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mesos/v1/executor.pb-c.h"
#include "prober/executor_private.h"

/* After a KILL there is no hurry: the agent waits for the end of the last task's update. */
#define KILL_ACKNOWLEDGE_MS 60000

static void fatal(struct executor *e, const char *what)
{
    log_error("out of memory: %s", what);
    executor_end(e, EXECUTOR_EXIT_FAILED);
}

static void launch(struct executor *e, const Mesos__V1__TaskInfo *info)
{
    uint64_t sequence;
    int r = tasks_launch(e->tasks, info, clock_now());

    if (r == -EEXIST) {
        log_warning("task %s is launched a second time; ignored", info->task_id->value);
        return;
    }
    if (r < 0) {
        fatal(e, "task");
        return;
    }
    log_info("task %s runs", info->task_id->value);
    if (info->has_data && !question_read(&e->question, info->data.data, info->data.len, &sequence))
        log_warning("the data of task %s is no probe request", info->task_id->value);
}

/* New tasks run; if we were about to end for want of tasks, that is over. */
static void launched(struct executor *e)
{
    if (e->leaving && tasks_running(e->tasks) > 0) {
        e->leaving = false;
        event_del(e->deadline);
    }
    executor_send_updates(e);
    executor_look(e);
    executor_report(e, 0);
}

static void launch_group(struct executor *e, const Mesos__V1__Executor__Event__LaunchGroup *group)
{
    for (size_t i = 0; i < group->task_group->n_tasks; i++)
        launch(e, group->task_group->tasks[i]);
    launched(e);
}

static void kill_task(struct executor *e, const char *task_id)
{
    int r = tasks_kill(e->tasks, task_id, "killed as asked", clock_now());

    if (r == -ENOENT) {
        log_info("asked to kill task %s, which does not run", task_id);
        return;
    }
    if (r < 0) {
        fatal(e, "status update");
        return;
    }
    log_info("task %s was killed as asked", task_id);
    executor_send_updates(e);
    if (tasks_running(e->tasks) == 0)
        executor_leave(e, KILL_ACKNOWLEDGE_MS);
}

static void acknowledged(struct executor *e, const Mesos__V1__Executor__Event__Acknowledged *event)
{
    if (!tasks_acknowledged(e->tasks, event->task_id->value, event->uuid.data, event->uuid.len))
        log_debug("an update of task %s was acknowledged more than once", event->task_id->value);
    executor_end_if_done(e);
}

static void message(struct executor *e, const ProtobufCBinaryData *data)
{
    uint64_t sequence;

    if (!question_read(&e->question, data->data, data->len, &sequence)) {
        log_warning("a message of %zu bytes is no probe request; ignored", data->len);
        return;
    }
    executor_look(e);
    executor_report(e, sequence);
}

static void handle(struct executor *e, const Mesos__V1__Executor__Event *event)
{
    switch (event->type) {
    case MESOS__V1__EXECUTOR__EVENT__TYPE__LAUNCH:
        if (event->launch) {
            launch(e, event->launch->task);
            launched(e);
        }
        break;
    case MESOS__V1__EXECUTOR__EVENT__TYPE__LAUNCH_GROUP:
        if (event->launch_group)
            launch_group(e, event->launch_group);
        break;
    case MESOS__V1__EXECUTOR__EVENT__TYPE__KILL:
        if (event->kill)
            kill_task(e, event->kill->task_id->value);
        break;
    case MESOS__V1__EXECUTOR__EVENT__TYPE__ACKNOWLEDGED:
        if (event->acknowledged)
            acknowledged(e, event->acknowledged);
        break;
    case MESOS__V1__EXECUTOR__EVENT__TYPE__MESSAGE:
        if (event->message)
            message(e, &event->message->data);
        break;
    case MESOS__V1__EXECUTOR__EVENT__TYPE__SHUTDOWN:
        executor_shut_down(e, "the agent says so");
        break;
    default: /* SUBSCRIBED and ERROR were the session's; HEARTBEAT, and what is newer than we */
        break;
    }
}

static enum session_event_kind kind_of(const Mesos__V1__Executor__Event *event)
{
    if (event->type == MESOS__V1__EXECUTOR__EVENT__TYPE__SUBSCRIBED && event->subscribed)
        return SESSION_EVENT_SUBSCRIBED;
    if (event->type == MESOS__V1__EXECUTOR__EVENT__TYPE__ERROR)
        return SESSION_EVENT_ERROR;
    return SESSION_EVENT_OTHER;
}

bool executor_event(void *userdata, const uint8_t *record, size_t length)
{
    struct executor *e = userdata;
    Mesos__V1__Executor__Event *event;

    arena_reset(&e->arena);
    event = mesos__v1__executor__event__unpack(arena_allocator(&e->arena), length, record);
    if (!event)
        return false;
    if (transport_event(e->transport, kind_of(event), event->error ? event->error->message : NULL,
                        0))
        handle(e, event);
    return true;
}
