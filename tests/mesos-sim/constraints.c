/*
 * Offer constraints (which agents a role wants to be offered) and a role's smallest useful offer.
 *
 * Mesos matches with RE2, we with POSIX extended regular expressions: the same for letters, ".",
 * "*", "+", "?", "|", brackets and groups; not for \d, (?:...), lazy repetition. RE2's limits of
 * memory and program size are not ours.
 */
#include "core.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Scheduler__AttributeConstraint constraint_t;
typedef Mesos__V1__Scheduler__AttributeConstraint__Selector selector_t;
typedef Mesos__V1__Scheduler__AttributeConstraint__Predicate predicate_t;
typedef Mesos__V1__Scheduler__OfferConstraints__RoleConstraints role_constraints_t;

#define SELECTOR(name) MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__SELECTOR_##name
#define PSEUDO(name)                                                                               \
    MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__PSEUDOATTRIBUTE_TYPE__##name
#define PREDICATE(name) MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__PREDICATE__PREDICATE_##name

struct compiled {
    const predicate_t *predicate;
    regex_t regex;
};

struct constraints {
    Mesos__V1__Scheduler__OfferConstraints *message;
    struct compiled *compiled;
    size_t n_compiled;
};

void core_constraints_free(struct constraints *constraints)
{
    if (!constraints)
        return;
    for (size_t i = 0; i < constraints->n_compiled; i++)
        regfree(&constraints->compiled[i].regex);
    free(constraints->compiled);
    sim_drop(constraints->message);
    free(constraints);
}

const Mesos__V1__Scheduler__OfferConstraints *
core_constraints_message(const struct constraints *constraints)
{
    return constraints ? constraints->message : NULL;
}

/* ---- validation ---- */

/* What RE2 says to the mistakes that both know. */
static const char *regex_error(int code)
{
    switch (code) {
    case REG_EPAREN:
        return "missing ): ";
    case REG_EBRACK:
        return "missing ]: ";
    case REG_BADRPT:
        return "no argument for repetition operator: ";
    case REG_EESCAPE:
        return "trailing \\: ";
    case REG_ERANGE:
    case REG_ECTYPE:
        return "invalid character class range: ";
    default:
        return "invalid: ";
    }
}

/* The whole text has to match, so the pattern is wrapped. */
static char *compile(struct constraints *constraints, const predicate_t *predicate,
                     const char *pattern)
{
    char *whole = sim_text("^(%s)$", pattern);
    regex_t regex;
    int code = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);

    if (code == 0) {
        regfree(&regex);
        code = regcomp(&regex, whole, REG_EXTENDED | REG_NOSUB);
    }
    free(whole);
    if (code)
        return sim_text("Failed to construct regex from pattern '%s': %s%s", pattern,
                        regex_error(code), pattern);
    constraints->compiled =
        sim_grow(constraints->compiled, constraints->n_compiled + 1, sizeof *constraints->compiled);
    constraints->compiled[constraints->n_compiled].predicate = predicate;
    constraints->compiled[constraints->n_compiled++].regex = regex;
    return NULL;
}

static char *selector_invalid(const selector_t *selector)
{
    if (selector->selector_case == SELECTOR(ATTRIBUTE_NAME))
        return NULL;
    if (selector->selector_case != SELECTOR(PSEUDOATTRIBUTE_TYPE))
        return sim_dup("Exactly one of 'AttributeConstraint::Selector::name' or "
                       "'AttributeConstraint::Selector::pseudoattribute_type' must be set");
    switch (selector->pseudoattribute_type) {
    case PSEUDO(HOSTNAME):
    case PSEUDO(REGION):
    case PSEUDO(ZONE):
        return NULL;
    default:
        return sim_dup("Unknown pseudoattribute type");
    }
}

static char *constraint_read(struct constraints *constraints, const constraint_t *constraint)
{
    const predicate_t *predicate = constraint->predicate;
    char *text = selector_invalid(constraint->selector);

    if (text)
        return text;
    switch (predicate->predicate_case) {
    case PREDICATE(TEXT_MATCHES):
        return compile(constraints, predicate, predicate->text_matches->regex);
    case PREDICATE(TEXT_NOT_MATCHES):
        return compile(constraints, predicate, predicate->text_not_matches->regex);
    case PREDICATE(EXISTS):
    case PREDICATE(NOT_EXISTS):
    case PREDICATE(TEXT_EQUALS):
    case PREDICATE(TEXT_NOT_EQUALS):
        return NULL;
    default:
        return sim_dup("Unknown predicate type");
    }
}

static char *role_read(struct constraints *constraints, const char *role,
                       const role_constraints_t *wanted)
{
    char *why, *text = NULL;

    if (!wanted || !wanted->n_groups)
        return sim_text("'OfferConstraints::role_constraints' has an empty "
                        "'RoleConstraints::groups' for role %s",
                        role);
    for (size_t i = 0; i < wanted->n_groups && !text; i++) {
        /* Mesos, too, leaves out the blank after the role. */
        if (!wanted->groups[i]->n_attribute_constraints)
            return sim_text("'OfferConstraints::RoleConstraints::groups' for role %scontains an "
                            "empty RoleConstraints::Group",
                            role);
        for (size_t j = 0; j < wanted->groups[i]->n_attribute_constraints && !text; j++) {
            why = constraint_read(constraints, wanted->groups[i]->attribute_constraints[j]);
            if (why)
                text = sim_text("A role %s has an invalid 'AttributeConstraint': %s", role, why);
            free(why);
        }
    }
    return text;
}

char *core_constraints_read(const Mesos__V1__Scheduler__OfferConstraints *message,
                            struct constraints **ret)
{
    struct constraints *constraints;
    char *text = NULL;

    *ret = NULL;
    if (!message)
        return NULL;
    constraints = sim_zalloc(sizeof *constraints);
    constraints->message = sim_copy(message);
    message = constraints->message;
    for (size_t i = 0; i < message->n_role_constraints && !text; i++)
        text = role_read(constraints, message->role_constraints[i]->key,
                         message->role_constraints[i]->value);
    if (text)
        core_constraints_free(constraints);
    else
        *ret = constraints;
    return text;
}

/* ---- evaluation ---- */

static bool regex_matches(const struct constraints *constraints, const predicate_t *predicate,
                          const char *text)
{
    for (size_t i = 0; i < constraints->n_compiled; i++)
        if (constraints->compiled[i].predicate == predicate)
            return regexec(&constraints->compiled[i].regex, text, 0, NULL, 0) == 0;
    return false;
}

static bool text_holds(const struct constraints *constraints, const predicate_t *predicate,
                       const char *text)
{
    switch (predicate->predicate_case) {
    case PREDICATE(TEXT_EQUALS):
        return strcmp(predicate->text_equals->value, text) == 0;
    case PREDICATE(TEXT_NOT_EQUALS):
        return strcmp(predicate->text_not_equals->value, text) != 0;
    case PREDICATE(TEXT_MATCHES):
        return regex_matches(constraints, predicate, text);
    case PREDICATE(TEXT_NOT_MATCHES):
        return !regex_matches(constraints, predicate, text);
    default:
        return true;
    }
}

/* `text` NULL: there is such an attribute, but it is no text; only its being there counts then. */
static bool holds(const struct constraints *constraints, const predicate_t *predicate, bool exists,
                  const char *text)
{
    switch (predicate->predicate_case) {
    case PREDICATE(EXISTS):
        return exists;
    case PREDICATE(NOT_EXISTS):
        return !exists;
    case PREDICATE(TEXT_EQUALS):
    case PREDICATE(TEXT_MATCHES):
        return exists && (!text || text_holds(constraints, predicate, text));
    default:
        return !exists || !text || text_holds(constraints, predicate, text);
    }
}

static bool constraint_holds(const struct constraints *constraints, const constraint_t *constraint,
                             const Mesos__V1__AgentInfo *info)
{
    const selector_t *selector = constraint->selector;
    const Mesos__V1__DomainInfo__FaultDomain *domain =
        info->domain ? info->domain->fault_domain : NULL;
    const char *text;

    if (selector->selector_case == SELECTOR(ATTRIBUTE_NAME)) {
        for (size_t i = 0; i < info->n_attributes; i++) {
            const Mesos__V1__Attribute *attribute = info->attributes[i];

            if (strcmp(attribute->name, selector->attribute_name) == 0)
                return holds(constraints, constraint->predicate, true,
                             attribute->text ? attribute->text->value : NULL);
        }
        return holds(constraints, constraint->predicate, false, NULL);
    }
    if (selector->pseudoattribute_type == PSEUDO(HOSTNAME))
        text = info->hostname;
    else if (selector->pseudoattribute_type == PSEUDO(REGION))
        text = domain ? domain->region->name : NULL;
    else
        text = domain ? domain->zone->name : NULL;
    return holds(constraints, constraint->predicate, text, text);
}

bool core_constraints_admit(const struct constraints *constraints, const char *role,
                            const Mesos__V1__AgentInfo *info)
{
    const role_constraints_t *wanted = NULL;

    for (size_t i = 0; constraints && i < constraints->message->n_role_constraints; i++)
        if (strcmp(constraints->message->role_constraints[i]->key, role) == 0)
            wanted = constraints->message->role_constraints[i]->value;
    if (!wanted)
        return true;
    for (size_t i = 0; i < wanted->n_groups; i++) {
        bool all = true;

        for (size_t j = 0; j < wanted->groups[i]->n_attribute_constraints && all; j++)
            all = constraint_holds(constraints, wanted->groups[i]->attribute_constraints[j], info);
        if (all)
            return true;
    }
    return false;
}

/* ---- the smallest offer ---- */

/* In thousandths; ranges count by their numbers, sets by their items. */
static int64_t quantity(const struct res *res, const char *name)
{
    int64_t sum = core_res_scalar(res, name);

    for (size_t i = 0; i < res->n; i++) {
        const resource_t *resource = res->v[i];

        if (strcmp(resource->name, name))
            continue;
        for (size_t j = 0; resource->ranges && j < resource->ranges->n_range; j++)
            sum +=
                (int64_t)(resource->ranges->range[j]->end - resource->ranges->range[j]->begin + 1) *
                1000;
        if (resource->set)
            sum += (int64_t)resource->set->n_item * 1000;
    }
    return sum;
}

bool core_offer_is_enough(const framework_info_t *info, const char *role, const struct res *amount)
{
    const Mesos__V1__OfferFilters__MinAllocatableResources *least = NULL;

    for (size_t i = 0; i < info->n_offer_filters; i++)
        if (strcmp(info->offer_filters[i]->key, role) == 0 && info->offer_filters[i]->value)
            least = info->offer_filters[i]->value->min_allocatable_resources;
    if (!least)
        return core_res_is_offerable(amount);
    for (size_t i = 0; i < least->n_quantities; i++) {
        const Mesos__V1__OfferFilters__ResourceQuantities *wanted = least->quantities[i];
        bool all = true;

        for (size_t j = 0; j < wanted->n_quantities && all; j++)
            all = quantity(amount, wanted->quantities[j]->key) >=
                  core_milli(wanted->quantities[j]->value->value);
        if (all)
            return true;
    }
    return !least->n_quantities && amount->n;
}
