/*
 * Tasks and agents in the JSON that a master answers. Fields are those of Mesos 1.11; anything may
 * be missing.
 */
#include <string.h>

#include "mesos/describe.h"

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static json_t *find_in(json_t *tasks, const char *framework_id, const char *task_id)
{
    size_t i;
    json_t *task;
    json_array_foreach(tasks, i, task)
    {
        if (strcmp(text_of(task, "id"), task_id) == 0 &&
            strcmp(text_of(task, "framework_id"), framework_id) == 0)
            return task;
    }
    return NULL;
}

/* /tasks lists all under one name; /state sorts them by framework and by what became of them. */
json_t *describe_find_task(json_t *answer, const char *framework_id, const char *task_id)
{
    static const char *const lists[] = {"tasks", "unreachable_tasks", "completed_tasks"};
    json_t *found = find_in(json_object_get(answer, "tasks"), framework_id, task_id);
    json_t *frameworks = json_object_get(answer, "frameworks"), *framework;
    size_t i;
    json_array_foreach(frameworks, i, framework)
    {
        for (size_t k = 0; k < sizeof lists / sizeof lists[0] && found == NULL; k++)
            found = find_in(json_object_get(framework, lists[k]), framework_id, task_id);
    }
    return found;
}

static const char *label(json_t *task, const char *key)
{
    json_t *labels = json_object_get(task, "labels"), *one;
    size_t i;
    if (!json_is_array(labels)) /* the operator API nests them once more */
        labels = json_object_get(labels, "labels");
    json_array_foreach(labels, i, one)
    {
        if (strcmp(text_of(one, "key"), key) == 0)
            return text_of(one, "value");
    }
    return "";
}

/* The tag of the task's image: what follows a colon that is behind the last slash. */
static const char *image_tag(struct arena *arena, json_t *task)
{
    json_t *docker = json_object_get(json_object_get(task, "container"), "docker");
    const char *image = text_of(docker, "image");
    const char *slash = strrchr(image, '/');
    const char *colon = strchr(slash != NULL ? slash : image, ':');
    if (colon == NULL)
        return "";
    char *tag = arena_text(arena, colon + 1);
    tag[strcspn(tag, "@")] = '\0';
    return tag;
}

static enum qm_task_state state_from_name(const char *name)
{
    for (int state = QM_TASK_STARTING; state <= QM_TASK_UNKNOWN; state++)
        if (strcmp(qm_task_state_name((enum qm_task_state)state), name) == 0)
            return (enum qm_task_state)state;
    return QM_TASK_UNKNOWN;
}

struct qm_task_found describe_read_task(struct arena *arena, json_t *task)
{
    struct qm_task_found found = {
        .task_id = text_of(task, "id"),
        .agent_id = text_of(task, "slave_id"),
        .executor_id = text_of(task, "executor_id"),
        .hostname = label(task, "quobyte.host"),
        .deployment = label(task, "quobyte.deployment"),
        .service = label(task, "quobyte.service"),
        .version = label(task, "quobyte.version"),
        .state = state_from_name(text_of(task, "state")),
        .exists = true,
    };
    if (found.service[0] == '\0')
        found.service = text_of(task, "name");
    if (found.version[0] == '\0')
        found.version = image_tag(arena, task);
    return found;
}

const char *describe_find_host(json_t *answer, const char *agent_id)
{
    json_t *agents = json_object_get(answer, "slaves"), *agent;
    size_t i;
    json_array_foreach(agents, i, agent)
    {
        if (strcmp(text_of(agent, "id"), agent_id) == 0)
            return text_of(agent, "hostname");
    }
    return "";
}
