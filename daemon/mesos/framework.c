/*
 * Who we are to Mesos. `checkpoint` and the user can never be changed afterwards, and a framework
 * without failover_timeout loses all its tasks with the first broken connection.
 */
#include "mesos/framework.h"

#include <stdio.h>
#include <string.h>

#include "mesos/constraints.h"

#define NEW(arena, name, type, prefix)                                                             \
    type *name = arena_zero(arena, 1, sizeof *name);                                               \
    prefix##__init(name)

typedef Mesos__V1__FrameworkInfo FrameworkInfo;

static const Mesos__V1__FrameworkInfo__Capability__Type capabilities[] = {
    MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__TASK_KILLING_STATE,
    MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE,
    MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE,
    MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__RESERVATION_REFINEMENT,
    MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__REGION_AWARE,
};
#define N_CAPABILITIES (sizeof capabilities / sizeof capabilities[0])

static void add_capabilities(struct arena *arena, FrameworkInfo *info)
{
    info->capabilities = arena_zero(arena, N_CAPABILITIES, sizeof *info->capabilities);
    for (size_t i = 0; i < N_CAPABILITIES; i++) {
        NEW(arena, c, Mesos__V1__FrameworkInfo__Capability, mesos__v1__framework_info__capability);
        c->has_type = 1;
        c->type = capabilities[i];
        info->capabilities[info->n_capabilities++] = c;
    }
}

static bool has_role(const FrameworkInfo *info, const char *role)
{
    for (size_t i = 0; i < info->n_roles; i++)
        if (strcmp(info->roles[i], role) == 0)
            return true;
    return false;
}

/* Roles of a comma list; masters refuse one that comes twice. */
static void add_roles(struct arena *arena, FrameworkInfo *info, const char *list)
{
    char *rest = arena_text(arena, list), *role;
    while ((role = strsep(&rest, ", ")) != NULL)
        if (role[0] != '\0' && !has_role(info, role))
            info->roles[info->n_roles++] = role;
}

static char *text_or_null(struct arena *arena, const char *text)
{
    return text != NULL && text[0] != '\0' ? arena_text(arena, text) : NULL;
}

static Mesos__V1__FrameworkID *id_of(struct arena *arena, const char *framework_id)
{
    if (framework_id == NULL || framework_id[0] == '\0')
        return NULL;
    NEW(arena, id, Mesos__V1__FrameworkID, mesos__v1__framework_id);
    id->value = arena_text(arena, framework_id);
    return id;
}

static FrameworkInfo *framework_info(struct arena *arena, const struct driver_options *o,
                                     const char *framework_id)
{
    const char *role = o->role != NULL ? o->role : "";
    const char *public_role = o->public_role != NULL ? o->public_role : "";
    NEW(arena, info, FrameworkInfo, mesos__v1__framework_info);
    info->user = arena_text(arena, o->user != NULL && o->user[0] != '\0' ? o->user : "root");
    info->name = arena_text(arena, o->name);
    info->id = id_of(arena, framework_id);
    info->has_failover_timeout = info->has_checkpoint = 1;
    info->failover_timeout = (double)o->failover_timeout / 1000;
    info->checkpoint = 1;
    info->role = NULL; /* not to be set beside MULTI_ROLE */
    info->hostname = text_or_null(arena, o->hostname);
    info->principal = text_or_null(arena, o->principal);
    info->webui_url = text_or_null(arena, o->webui_url);
    info->roles = arena_zero(arena, strlen(role) + strlen(public_role) + 2, sizeof *info->roles);
    add_roles(arena, info, role);
    add_roles(arena, info, public_role);
    if (info->n_roles == 0) /* legal, but without a role no offer ever comes */
        add_roles(arena, info, "*");
    add_capabilities(arena, info);
    return info;
}

struct convert_call framework_subscribe(struct arena *arena, const struct driver_options *options,
                                        const char *framework_id)
{
    NEW(arena, call, Mesos__V1__Scheduler__Call, mesos__v1__scheduler__call);
    NEW(arena, subscribe, Mesos__V1__Scheduler__Call__Subscribe,
        mesos__v1__scheduler__call__subscribe);
    FrameworkInfo *info = subscribe->framework_info = framework_info(arena, options, framework_id);
    subscribe->offer_constraints =
        constraints_make(arena, options->config, info->roles, info->n_roles);
    call->framework_id = id_of(arena, framework_id);
    call->has_type = 1;
    call->type = MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
    call->subscribe = subscribe;
    return convert_pack_call(arena, call, "SUBSCRIBE");
}

struct convert_call framework_update(struct arena *arena, const struct driver_options *options,
                                     const char *framework_id)
{
    NEW(arena, call, Mesos__V1__Scheduler__Call, mesos__v1__scheduler__call);
    NEW(arena, update, Mesos__V1__Scheduler__Call__UpdateFramework,
        mesos__v1__scheduler__call__update_framework);
    FrameworkInfo *info = update->framework_info = framework_info(arena, options, framework_id);
    update->offer_constraints =
        constraints_make(arena, options->config, info->roles, info->n_roles);
    call->framework_id = id_of(arena, framework_id);
    call->has_type = 1;
    call->type = MESOS__V1__SCHEDULER__CALL__TYPE__UPDATE_FRAMEWORK;
    call->update_framework = update;
    return convert_pack_call(arena, call, "UPDATE_FRAMEWORK");
}

struct framework_version framework_version_parse(const char *text)
{
    struct framework_version v = {0};
    v.known = text != NULL && sscanf(text, "%3u.%3u", &v.major, &v.minor) == 2;
    return v;
}

bool framework_version_is(struct framework_version v, unsigned major, unsigned minor)
{
    return v.known && (v.major > major || (v.major == major && v.minor >= minor));
}
