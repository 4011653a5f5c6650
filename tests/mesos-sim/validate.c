/* What a master refuses in a task's parts: resources, commands, containers, checks. NULL: fine;
 * else text to free. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

char *core_resources_malformed(resource_t *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *why = core_resource_invalid(v[i]);
        char *name, *text;

        if (!why)
            continue;
        name = core_resource_text(v[i], false);
        text = sim_text("Resource '%s' is invalid: %s", name, why);
        free(name);
        return text;
    }
    return NULL;
}

static char *environment_invalid(const Mesos__V1__Environment *environment)
{
    for (size_t i = 0; environment && i < environment->n_variables; i++) {
        const Mesos__V1__Environment__Variable *v = environment->variables[i];

        if (v->type == MESOS__V1__ENVIRONMENT__VARIABLE__TYPE__SECRET) {
            if (!v->secret)
                return sim_text("Environment variable '%s' of type 'SECRET' must have a secret set",
                                v->name);
            if (v->value)
                return sim_text(
                    "Environment variable '%s' of type 'SECRET' must not have a value set",
                    v->name);
        } else if (v->type == MESOS__V1__ENVIRONMENT__VARIABLE__TYPE__VALUE) {
            if (!v->value)
                return sim_text("Environment variable '%s' of type 'VALUE' must have a value set",
                                v->name);
            if (v->secret)
                return sim_text(
                    "Environment variable '%s' of type 'VALUE' must not have a secret set",
                    v->name);
        } else {
            return sim_dup("Environment variable of type 'UNKNOWN' is not allowed");
        }
    }
    return NULL;
}

char *core_command_invalid(const Mesos__V1__CommandInfo *command)
{
    return environment_invalid(command->environment);
}

static char *volume_invalid(const Mesos__V1__Volume *volume)
{
    int sources = !!volume->host_path + !!volume->image + !!volume->source;

    if (sources != 1)
        return sim_dup("Only one of them should be set: 'host_path', 'image' and 'source'");
    return NULL;
}

char *core_container_invalid(const Mesos__V1__ContainerInfo *container)
{
    const Mesos__V1__ContainerInfo__DockerInfo *docker = container->docker;
    char *text = NULL;

    for (size_t i = 0; i < container->n_volumes && !text; i++)
        text = volume_invalid(container->volumes[i]);
    if (text || container->type != MESOS__V1__CONTAINER_INFO__TYPE__DOCKER)
        return text;
    if (!docker)
        return sim_dup("DockerInfo 'docker' is not set for DOCKER typed ContainerInfo");
    for (size_t i = 0; i < docker->n_parameters; i++)
        if (strcmp(docker->parameters[i]->key, "name") == 0)
            return sim_dup("Parameter in DockerInfo must not be 'name'");
    return NULL;
}
