/* What a master refuses in a FrameworkInfo, in its order and with its words. */
#include "core.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

char *core_id_invalid(const char *id)
{
    if (!*id)
        return sim_dup("ID must not be empty");
    if (strlen(id) > 255)
        return sim_dup("ID must not be greater than 255 characters");
    if (strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
        return sim_text("'%s' is disallowed", id);
    for (const char *c = id; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '/' || *c == '\\')
            return sim_text("'%s' contains invalid characters", id);
    return NULL;
}

static char *component_invalid(const char *role, const char *part)
{
    if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0 || strcmp(part, "*") == 0)
        return sim_text("Role '%s' cannot include '%s' as a component", role, part);
    if (*part == '-')
        return sim_text("Role component '%s' is invalid because it starts with a dash", part);
    if (strpbrk(part, "\x09\x0a\x0b\x0c\x0d\x20\x7f"))
        return sim_text(
            "Role component '%s' is invalid because it contains backspace or whitespace", part);
    return NULL;
}

char *core_role_invalid(const char *role)
{
    char *copy, *rest, *part, *text = NULL;

    if (strcmp(role, "*") == 0)
        return NULL;
    if (!*role)
        return sim_dup("Role names cannot be the empty string");
    if (*role == '/')
        return sim_text("Role '%s' cannot start with a slash", role);
    if (role[strlen(role) - 1] == '/')
        return sim_text("Role '%s' cannot end with a slash", role);
    if (strstr(role, "//"))
        return sim_text("Role '%s' cannot contain two adjacent slashes", role);
    copy = rest = sim_dup(role);
    while (!text && (part = strsep(&rest, "/")))
        text = component_invalid(role, part);
    free(copy);
    return text;
}

bool core_framework_has(const framework_info_t *info,
                        Mesos__V1__FrameworkInfo__Capability__Type type)
{
    for (size_t i = 0; i < info->n_capabilities; i++)
        if (info->capabilities[i]->has_type && info->capabilities[i]->type == type)
            return true;
    return false;
}

static bool among(char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static char *duplicates(char *const *names, size_t n)
{
    struct text text = {0};
    char *found[64];
    size_t n_found = 0;

    for (size_t i = 0; i < n; i++)
        if (among(names, i, names[i]) && !among(found, n_found, names[i]) && n_found < 64)
            found[n_found++] = names[i];
    if (!n_found)
        return NULL;
    core_text_add(&text, "'FrameworkInfo.roles' contains duplicate items: { ");
    for (size_t i = 0; i < n_found; i++)
        core_text_add(&text, "%s%s", i ? ", " : "", found[i]);
    core_text_add(&text, " }");
    return text.s;
}

static char *roles_invalid(const framework_info_t *info)
{
    bool multi = core_framework_has(info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE);
    bool role_set = info->role && info->role != mesos__v1__framework_info__role__default_value;
    char *why, *text;

    if (multi && role_set)
        return sim_dup(
            "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable");
    if (!multi && info->n_roles)
        return sim_dup(
            "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable");
    text = duplicates(info->roles, info->n_roles);
    for (size_t i = 0; i < info->n_roles && !text; i++) {
        why = core_role_invalid(info->roles[i]);
        if (why)
            text = sim_text("'FrameworkInfo.roles' contains invalid role: %s", why);
        free(why);
    }
    if (!text && !multi && role_set && (why = core_role_invalid(info->role))) {
        text = sim_text("'FrameworkInfo.role' is not a valid role: %s", why);
        free(why);
    }
    return text;
}

static char *quantity_invalid(const char *name, const Mesos__V1__Value__Scalar *scalar)
{
    const char *why = NULL;

    switch (fpclassify(scalar->value)) {
    case FP_INFINITE:
        why = "Infinite values not supported";
        break;
    case FP_NAN:
        why = "NaN not supported";
        break;
    case FP_SUBNORMAL:
        why = "Subnormal values not supported";
        break;
    default:
        if (scalar->value < 0)
            why = "Negative values not supported";
    }
    return why ? sim_text("Invalid resource quantity for '%s': %s", name, why) : NULL;
}

static char *offer_filters_invalid(const framework_info_t *info)
{
    for (size_t i = 0; i < info->n_offer_filters; i++) {
        const Mesos__V1__OfferFilters *filters = info->offer_filters[i]->value;
        const Mesos__V1__OfferFilters__MinAllocatableResources *least =
            filters ? filters->min_allocatable_resources : NULL;

        for (size_t j = 0; least && j < least->n_quantities; j++) {
            if (!least->quantities[j]->n_quantities)
                return sim_dup("Resource quantities must contain at least one quantity");
            for (size_t k = 0; k < least->quantities[j]->n_quantities; k++) {
                char *text = quantity_invalid(least->quantities[j]->quantities[k]->key,
                                              least->quantities[j]->quantities[k]->value);
                if (text)
                    return text;
            }
        }
    }
    return NULL;
}

char *core_framework_invalid(const framework_info_t *info, char *const *suppressed,
                             size_t n_suppressed)
{
    char *text = roles_invalid(info);
    bool multi = core_framework_has(info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE);

    if (!text && info->id && *info->id->value)
        text = core_id_invalid(info->id->value);
    if (!text)
        text = offer_filters_invalid(info);
    for (size_t i = 0; i < n_suppressed && !text; i++) {
        bool known = multi ? among(info->roles, info->n_roles, suppressed[i])
                           : strcmp(suppressed[i], info->role ? info->role : "*") == 0;

        if (!known)
            text = sim_text("Suppressed role '%s' is not contained in the list of roles",
                            suppressed[i]);
    }
    /* The time-out has to fit 64 bits of nanoseconds. */
    if (!text && info->has_failover_timeout &&
        !(fabs(info->failover_timeout) <= (double)INT64_MAX / 1e9))
        text = sim_text("The framework failover_timeout (%g) is invalid", info->failover_timeout);
    return text;
}

char *core_framework_change_invalid(const framework_info_t *old, const framework_info_t *new)
{
    bool was = old->has_checkpoint && old->checkpoint, is = new->has_checkpoint &&new->checkpoint;

    if (!sim_same_text(old->principal, new->principal))
        return sim_dup("Changing framework's principal is not allowed.");
    if (strcmp(old->user, new->user))
        return sim_text(
            "Updating 'FrameworkInfo.user' is unsupported; attempted to update from '%s' to '%s'",
            old->user, new->user);
    if (was != is)
        return sim_text("Updating 'FrameworkInfo.checkpoint' is unsupported; attempted to update "
                        "from '%s' to '%s'",
                        was ? "true" : "false", is ? "true" : "false");
    return NULL;
}
