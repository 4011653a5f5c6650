/* Tasks in the order of their launch, each with its updates in the order of their making. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "prober/tasks.h"
#include "prober/uuid.h"

struct update {
    struct update *next;
    uint8_t uuid[UUID_SIZE];
    Mesos__V1__TaskState state;
    double timestamp; /* seconds since 1970 */
    char *message;    /* or NULL */
    bool told;
};

struct task {
    struct task *next;
    Mesos__V1__TaskInfo *info;
    bool running;
    bool confirmed; /* an update of it was acknowledged: the agent knows that we have it */
    struct update *updates;
};

struct tasks {
    const char *framework_id;
    const char *executor_id;
    struct task *first;
};

struct tasks *tasks_new(const char *framework_id, const char *executor_id)
{
    struct tasks *tasks = calloc(1, sizeof(*tasks));

    if (tasks)
        *tasks = (struct tasks){.framework_id = framework_id, .executor_id = executor_id};
    return tasks;
}

static void update_free(struct update *update)
{
    free(update->message);
    free(update);
}

static void task_free(struct task *task)
{
    while (task->updates) {
        struct update *next = task->updates->next;
        update_free(task->updates);
        task->updates = next;
    }
    if (task->info)
        mesos__v1__task_info__free_unpacked(task->info, NULL);
    free(task);
}

void tasks_free(struct tasks *tasks)
{
    if (!tasks)
        return;
    while (tasks->first) {
        struct task *next = tasks->first->next;
        task_free(tasks->first);
        tasks->first = next;
    }
    free(tasks);
}

static struct task *find(struct tasks *tasks, const char *task_id)
{
    struct task *task = tasks->first;

    while (task && strcmp(task->info->task_id->value, task_id) != 0)
        task = task->next;
    return task;
}

static int add_update(struct task *task, Mesos__V1__TaskState state, const char *message,
                      uint64_t now_ms)
{
    struct update *update = calloc(1, sizeof(*update));

    if (!update)
        return -ENOMEM;
    update->state = state;
    update->timestamp = (double)now_ms / 1000.0;
    if (message && !(update->message = strdup(message))) {
        free(update);
        return -ENOMEM;
    }
    uuid_make(update->uuid);

    struct update **end = &task->updates;
    while (*end)
        end = &(*end)->next;
    *end = update;
    return 0;
}

static Mesos__V1__TaskInfo *copy_info(const Mesos__V1__TaskInfo *info)
{
    size_t length = mesos__v1__task_info__get_packed_size(info);
    uint8_t *bytes = malloc(length + 1);
    Mesos__V1__TaskInfo *copy = NULL;

    if (bytes) {
        mesos__v1__task_info__pack(info, bytes);
        copy = mesos__v1__task_info__unpack(NULL, length, bytes);
    }
    free(bytes);
    return copy;
}

int tasks_launch(struct tasks *tasks, const Mesos__V1__TaskInfo *info, uint64_t now_ms)
{
    if (find(tasks, info->task_id->value))
        return -EEXIST;

    struct task *task = calloc(1, sizeof(*task));
    if (!task)
        return -ENOMEM;
    task->running = true;
    task->info = copy_info(info);
    if (!task->info || add_update(task, MESOS__V1__TASK_STATE__TASK_RUNNING, NULL, now_ms) < 0) {
        task_free(task);
        return -ENOMEM;
    }

    struct task **end = &tasks->first;
    while (*end)
        end = &(*end)->next;
    *end = task;
    return 0;
}

static int end_task(struct task *task, const char *message, uint64_t now_ms)
{
    int r = add_update(task, MESOS__V1__TASK_STATE__TASK_KILLED, message, now_ms);

    if (r == 0)
        task->running = false;
    return r;
}

int tasks_kill(struct tasks *tasks, const char *task_id, const char *message, uint64_t now_ms)
{
    struct task *task = find(tasks, task_id);

    return task && task->running ? end_task(task, message, now_ms) : -ENOENT;
}

int tasks_kill_all(struct tasks *tasks, const char *message, uint64_t now_ms)
{
    int r = 0;

    for (struct task *task = tasks->first; r == 0 && task; task = task->next)
        if (task->running)
            r = end_task(task, message, now_ms);
    return r;
}

static void remove_if_over(struct tasks *tasks, struct task *task)
{
    struct task **link = &tasks->first;

    if (task->running || task->updates)
        return;
    while (*link != task)
        link = &(*link)->next;
    *link = task->next;
    task_free(task);
}

bool tasks_acknowledged(struct tasks *tasks, const char *task_id, const uint8_t *uuid,
                        size_t length)
{
    struct task *task = find(tasks, task_id);

    if (!task || length != UUID_SIZE)
        return false;
    for (struct update **link = &task->updates; *link; link = &(*link)->next) {
        struct update *update = *link;
        if (memcmp(update->uuid, uuid, UUID_SIZE) != 0)
            continue;
        *link = update->next;
        update_free(update);
        task->confirmed = true;
        remove_if_over(tasks, task);
        return true;
    }
    return false;
}

size_t tasks_running(const struct tasks *tasks)
{
    size_t n = 0;

    for (const struct task *task = tasks->first; task; task = task->next)
        n += task->running;
    return n;
}

size_t tasks_unacknowledged(const struct tasks *tasks)
{
    size_t n = 0;

    for (const struct task *task = tasks->first; task; task = task->next)
        for (const struct update *update = task->updates; update; update = update->next)
            n++;
    return n;
}

/* An update as a message; the parts it points to. */
struct update_message {
    Mesos__V1__Executor__Call__Update update;
    Mesos__V1__TaskStatus status;
    Mesos__V1__ExecutorID executor_id;
};

static void fill_update(struct update_message *m, const struct tasks *tasks,
                        const struct task *task, struct update *update)
{
    mesos__v1__executor__call__update__init(&m->update);
    mesos__v1__task_status__init(&m->status);
    mesos__v1__executor_id__init(&m->executor_id);
    m->executor_id.value = (char *)tasks->executor_id;
    m->status.task_id = task->info->task_id;
    m->status.executor_id = &m->executor_id;
    m->status.state = update->state;
    m->status.has_source = true;
    m->status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR;
    m->status.has_uuid = true;
    m->status.uuid = (ProtobufCBinaryData){.len = UUID_SIZE, .data = update->uuid};
    m->status.has_timestamp = true;
    m->status.timestamp = update->timestamp;
    m->status.message = update->message;
    m->update.status = &m->status;
}

/* A call of ours around the part that differs. */
static uint8_t *pack_call(const struct tasks *tasks, Mesos__V1__Executor__Call__Type type,
                          Mesos__V1__Executor__Call__Subscribe *subscribe,
                          Mesos__V1__Executor__Call__Update *update, size_t *length)
{
    Mesos__V1__Executor__Call call = MESOS__V1__EXECUTOR__CALL__INIT;
    Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
    Mesos__V1__FrameworkID framework_id = MESOS__V1__FRAMEWORK_ID__INIT;

    executor_id.value = (char *)tasks->executor_id;
    framework_id.value = (char *)tasks->framework_id;
    call.executor_id = &executor_id;
    call.framework_id = &framework_id;
    call.has_type = true;
    call.type = type;
    call.subscribe = subscribe;
    call.update = update;

    *length = mesos__v1__executor__call__get_packed_size(&call);
    uint8_t *bytes = malloc(*length);
    if (bytes)
        mesos__v1__executor__call__pack(&call, bytes);
    return bytes;
}

uint8_t *tasks_subscribe_call(struct tasks *tasks, size_t *length)
{
    Mesos__V1__Executor__Call__Subscribe subscribe = MESOS__V1__EXECUTOR__CALL__SUBSCRIBE__INIT;
    size_t n_updates = tasks_unacknowledged(tasks), n_tasks = 0;

    for (const struct task *task = tasks->first; task; task = task->next)
        n_tasks++;

    struct update_message *messages = calloc(n_updates + 1, sizeof(*messages));
    subscribe.unacknowledged_updates =
        calloc(n_updates + 1, sizeof(*subscribe.unacknowledged_updates));
    subscribe.unacknowledged_tasks = calloc(n_tasks + 1, sizeof(*subscribe.unacknowledged_tasks));

    uint8_t *bytes = NULL;
    if (messages && subscribe.unacknowledged_updates && subscribe.unacknowledged_tasks) {
        for (struct task *task = tasks->first; task; task = task->next) {
            if (!task->confirmed)
                subscribe.unacknowledged_tasks[subscribe.n_unacknowledged_tasks++] = task->info;
            for (struct update *update = task->updates; update; update = update->next) {
                size_t i = subscribe.n_unacknowledged_updates++;
                fill_update(&messages[i], tasks, task, update);
                subscribe.unacknowledged_updates[i] = &messages[i].update;
                update->told = true;
            }
        }
        bytes =
            pack_call(tasks, MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE, &subscribe, NULL, length);
    }
    free(messages);
    free(subscribe.unacknowledged_updates);
    free(subscribe.unacknowledged_tasks);
    return bytes;
}

uint8_t *tasks_next_update_call(struct tasks *tasks, size_t *length)
{
    *length = 0;
    for (struct task *task = tasks->first; task; task = task->next) {
        for (struct update *update = task->updates; update; update = update->next) {
            struct update_message message;
            if (update->told)
                continue;
            fill_update(&message, tasks, task, update);
            update->told = true;
            return pack_call(tasks, MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE, NULL, &message.update,
                             length);
        }
    }
    return NULL;
}

void tasks_tell_again(struct tasks *tasks)
{
    for (struct task *task = tasks->first; task; task = task->next)
        for (struct update *update = task->updates; update; update = update->next)
            update->told = false;
}
