/* Status updates on their way from an agent: one stream a task, one update at a time, repeated
 * until acknowledged. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

static void retry_fire(struct sim *sim, void *owner);

struct update_stream *core_stream_find(struct host *host, const char *framework_id,
                                       const char *task_id)
{
    struct update_stream *stream;

    EACH (stream, &host->streams, next)
        if (strcmp(stream->task_id, task_id) == 0 &&
            strcmp(stream->framework_id, framework_id) == 0)
            return stream;
    return NULL;
}

static void forward(struct update_stream *stream)
{
    struct host *host = stream->host;
    struct pending_update *first = TAILQ_FIRST(&stream->updates);

    if (!first) {
        core_timer_stop(host->sim, &stream->retry);
        return;
    }
    core_timer_set(host->sim, &stream->retry, host->sim->now + stream->interval, retry_fire,
                   stream);
    if (core_host_is_linked(host) && host->registered)
        core_master_update(host->sim, host, stream->framework_id, first->status, stream->latest);
}

static void forward_fresh(struct update_stream *stream)
{
    stream->interval = RETRY_MIN_MS;
    forward(stream);
}

static void retry_fire(struct sim *sim, void *owner)
{
    struct update_stream *stream = owner;

    (void)sim;
    stream->interval *= 2;
    if (stream->interval > RETRY_MAX_MS)
        stream->interval = RETRY_MAX_MS;
    forward(stream);
}

static void pop(struct update_stream *stream)
{
    struct pending_update *update = TAILQ_FIRST(&stream->updates);

    TAILQ_REMOVE(&stream->updates, update, next);
    sim_drop(update->status);
    free(update);
}

void core_stream_free(struct update_stream *stream)
{
    core_timer_stop(stream->host->sim, &stream->retry);
    TAILQ_REMOVE(&stream->host->streams, stream, next);
    while (!TAILQ_EMPTY(&stream->updates))
        pop(stream);
    free(stream->seen);
    free(stream->framework_id);
    free(stream->task_id);
    free(stream);
}

static struct update_stream *stream_new(struct host *host, const framework_info_t *framework,
                                        const char *task_id)
{
    struct update_stream *stream = sim_zalloc(sizeof *stream);

    stream->host = host;
    stream->framework_id = sim_dup(framework->id->value);
    stream->task_id = sim_dup(task_id);
    stream->checkpoint = framework->has_checkpoint && framework->checkpoint;
    TAILQ_INIT(&stream->updates);
    TAILQ_INSERT_TAIL(&host->streams, stream, next);
    return stream;
}

static bool take_uuid(struct update_stream *stream, const status_t *status)
{
    for (size_t i = 0; i < stream->n_seen; i++)
        if (memcmp(stream->seen[i], status->uuid.data, 16) == 0)
            return false;
    stream->seen = sim_grow(stream->seen, stream->n_seen + 1, sizeof *stream->seen);
    memcpy(stream->seen[stream->n_seen++], status->uuid.data, 16);
    return true;
}

bool core_stream_add(struct host *host, const framework_info_t *framework,
                     struct executor *executor, const status_t *status)
{
    struct update_stream *stream =
        core_stream_find(host, framework->id->value, status->task_id->value);
    struct pending_update *update;

    if (!stream)
        stream = stream_new(host, framework, status->task_id->value);
    if (executor)
        stream->executor = executor;
    if (!take_uuid(stream, status) || stream->terminal)
        return false;
    update = sim_zalloc(sizeof *update);
    update->status = sim_copy(status);
    if (!update->status->agent_id && host->id) {
        Mesos__V1__AgentID id = MESOS__V1__AGENT_ID__INIT;

        id.value = host->id;
        update->status->agent_id = sim_copy(&id);
    }
    TAILQ_INSERT_TAIL(&stream->updates, update, next);
    stream->latest = status->state;
    stream->terminal = core_is_terminal(status->state);
    if (TAILQ_FIRST(&stream->updates) == update)
        forward_fresh(stream);
    return true;
}

/* The task is over for good: its work is done with, and perhaps its executor. */
static void stream_over(struct update_stream *stream)
{
    struct executor *executor = stream->executor;
    struct work *work = executor ? core_executor_work(executor, stream->task_id) : NULL;

    core_stream_free(stream);
    if (work)
        core_work_free(work);
    if (executor)
        core_executor_task_over(executor);
}

void core_stream_acknowledge(struct host *host, const char *framework_id, const char *task_id,
                             const ProtobufCBinaryData *uuid)
{
    struct update_stream *stream = core_stream_find(host, framework_id, task_id);
    struct pending_update *first = stream ? TAILQ_FIRST(&stream->updates) : NULL;
    bool terminal;

    if (!first || uuid->len != 16 || memcmp(first->status->uuid.data, uuid->data, 16))
        return;
    terminal = core_is_terminal(first->status->state);
    pop(stream);
    if (terminal)
        stream_over(stream);
    else
        forward_fresh(stream);
}

void core_streams_resend(struct host *host, const char *framework_id)
{
    struct update_stream *stream;

    EACH (stream, &host->streams, next)
        if ((!framework_id || strcmp(stream->framework_id, framework_id) == 0) &&
            !TAILQ_EMPTY(&stream->updates))
            forward_fresh(stream);
}

void core_streams_drop(struct host *host, const char *framework_id)
{
    struct update_stream *stream, *next;

    EACH_SAFE (stream, next, &host->streams, next)
        if (!framework_id || strcmp(stream->framework_id, framework_id) == 0)
            core_stream_free(stream);
}

void core_streams_drop_volatile(struct host *host)
{
    struct update_stream *stream, *next;

    EACH_SAFE (stream, next, &host->streams, next)
        if (!stream->checkpoint)
            core_stream_free(stream);
}

void core_host_update(struct host *host, const framework_info_t *framework,
                      struct executor *executor, const struct agent_status *from)
{
    status_t status = MESOS__V1__TASK_STATUS__INIT;
    Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;
    uint8_t uuid[16];

    sim_uuid(host->sim, uuid);
    task_id.value = (char *)from->task_id;
    status.task_id = &task_id;
    status.state = from->state;
    status.message = (char *)from->message;
    status.has_source = 1;
    status.source = from->source;
    status.has_timestamp = 1;
    status.timestamp = (double)host->sim->now / 1000;
    status.has_uuid = 1;
    status.uuid.len = 16;
    status.uuid.data = uuid;
    if (from->reason >= 0) {
        status.has_reason = 1;
        status.reason = (Mesos__V1__TaskStatus__Reason)from->reason;
    }
    if (from->healthy >= 0) {
        status.has_healthy = 1;
        status.healthy = from->healthy;
    }
    if (from->data) {
        status.has_data = 1;
        status.data.len = strlen(from->data);
        status.data.data = (uint8_t *)from->data;
    }
    if (executor)
        status.executor_id = executor->info->executor_id;
    if (executor && from->source == MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR) {
        core_executor_update_in(executor, &status);
        return;
    }
    if (executor) {
        struct work *work = core_executor_work(executor, from->task_id);

        if (work) {
            work->state = from->state;
            work->ended = core_is_terminal(from->state);
        }
    }
    core_stream_add(host, framework, executor, &status);
}
