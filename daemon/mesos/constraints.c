/*
 * Offer constraints from lists of host names. One group for each allowed name (a group that holds
 * is enough), in each group all the denied names.
 */
#include "mesos/constraints.h"

#include <ctype.h>
#include <string.h>

#define NAME_MAX_SIZE   300
#define ATOMS_MAX       32 /* characters of a name; RE2 takes an instruction for each */
#define WILD            "[!-~]*"
#define CONSTRAINTS_MAX 2000 /* in all: more cost the master more than they save */

typedef Mesos__V1__Scheduler__AttributeConstraint Constraint;
typedef Mesos__V1__Scheduler__OfferConstraints__RoleConstraints RoleConstraints;
typedef Mesos__V1__Scheduler__OfferConstraints__RoleConstraints__Group Group;
typedef Mesos__V1__Scheduler__OfferConstraints__RoleConstraintsEntry Entry;

#define NEW(arena, name, type, prefix)                                                             \
    type *name = arena_zero(arena, 1, sizeof *name);                                               \
    prefix##__init(name)

/* One character as RE2; returns the end. */
static char *add_atom(char *out, char c)
{
    if (isalpha((unsigned char)c)) {
        *out++ = '[';
        *out++ = (char)toupper((unsigned char)c);
        *out++ = (char)tolower((unsigned char)c);
        *out++ = ']';
        return out;
    }
    if (c == '?')
        return stpcpy(out, "[!-~]");
    if (!isdigit((unsigned char)c))
        *out++ = '\\';
    *out++ = c;
    return out;
}

char *constraints_regex(struct arena *arena, const char *glob, bool wider)
{
    char *regex = arena_zero(arena, ATOMS_MAX * strlen(WILD) + sizeof WILD, 1), *out = regex;
    size_t atoms = 0;
    for (const char *c = glob; *c != '\0'; c++) {
        size_t cost = *c == '*' ? 3 : 1;
        if (*c == '*' && c > glob && c[-1] == '*')
            continue;
        if (!isgraph((unsigned char)*c)) /* not ASCII: let the planner tell */
            return wider ? strcpy(regex, WILD) : NULL;
        if (atoms + cost > ATOMS_MAX) {
            if (!wider)
                return NULL;
            strcpy(out, WILD);
            return regex;
        }
        atoms += cost;
        out = *c == '*' ? stpcpy(out, WILD) : add_atom(out, *c);
    }
    *out = '\0';
    return regex;
}

static Constraint *of_host_name(struct arena *arena)
{
    NEW(arena, constraint, Constraint, mesos__v1__scheduler__attribute_constraint);
    NEW(arena, selector, Mesos__V1__Scheduler__AttributeConstraint__Selector,
        mesos__v1__scheduler__attribute_constraint__selector);
    selector->selector_case =
        MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__SELECTOR_PSEUDOATTRIBUTE_TYPE;
    selector->pseudoattribute_type =
        MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__PSEUDOATTRIBUTE_TYPE__HOSTNAME;
    NEW(arena, predicate, Mesos__V1__Scheduler__AttributeConstraint__Predicate,
        mesos__v1__scheduler__attribute_constraint__predicate);
    constraint->selector = selector;
    constraint->predicate = predicate;
    return constraint;
}

static Constraint *is_like(struct arena *arena, char *regex)
{
    Constraint *constraint = of_host_name(arena);
    NEW(arena, matches, Mesos__V1__Scheduler__AttributeConstraint__Predicate__TextMatches,
        mesos__v1__scheduler__attribute_constraint__predicate__text_matches);
    matches->regex = regex;
    constraint->predicate->predicate_case =
        MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__PREDICATE__PREDICATE_TEXT_MATCHES;
    constraint->predicate->text_matches = matches;
    return constraint;
}

static Constraint *is_unlike(struct arena *arena, char *regex)
{
    Constraint *constraint = of_host_name(arena);
    NEW(arena, matches, Mesos__V1__Scheduler__AttributeConstraint__Predicate__TextNotMatches,
        mesos__v1__scheduler__attribute_constraint__predicate__text_not_matches);
    matches->regex = regex;
    constraint->predicate->predicate_case =
        MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__PREDICATE__PREDICATE_TEXT_NOT_MATCHES;
    constraint->predicate->text_not_matches = matches;
    return constraint;
}

static size_t count(const struct qm_config *config, const char *key)
{
    char name[NAME_MAX_SIZE];
    size_t n = 0;
    while (n <= CONSTRAINTS_MAX && qm_config_item(config, key, n, name, sizeof name))
        n++;
    return n;
}

/* The denied names, each as one constraint; those that cannot be said are left out. */
static size_t make_denials(struct arena *arena, const struct qm_config *config, size_t n,
                           Constraint **denials)
{
    char name[NAME_MAX_SIZE];
    size_t made = 0;
    for (size_t i = 0;
         i < n && qm_config_item(config, "placement.deny_hosts", i, name, sizeof name); i++) {
        char *regex = constraints_regex(arena, name, false);
        if (regex != NULL)
            denials[made++] = is_unlike(arena, regex);
    }
    return made;
}

static Group *make_group(struct arena *arena, Constraint *allowed, Constraint **denials, size_t n)
{
    NEW(arena, group, Group, mesos__v1__scheduler__offer_constraints__role_constraints__group);
    group->attribute_constraints = arena_zero(arena, n + 1, sizeof(Constraint *));
    if (allowed != NULL)
        group->attribute_constraints[group->n_attribute_constraints++] = allowed;
    for (size_t i = 0; i < n; i++)
        group->attribute_constraints[group->n_attribute_constraints++] = denials[i];
    return group;
}

static RoleConstraints *make_groups(struct arena *arena, const struct qm_config *config)
{
    size_t n_allowed = count(config, "placement.hosts");
    size_t n_denied = count(config, "placement.deny_hosts");
    char name[NAME_MAX_SIZE];
    if (n_allowed > CONSTRAINTS_MAX)
        return NULL;
    if ((n_allowed + 1) * (n_denied + 1) > CONSTRAINTS_MAX)
        n_denied = 0;
    Constraint **denials = arena_zero(arena, n_denied + 1, sizeof *denials);
    n_denied = make_denials(arena, config, n_denied, denials);
    if (n_allowed == 0 && n_denied == 0) /* masters refuse empty groups */
        return NULL;
    NEW(arena, all, RoleConstraints, mesos__v1__scheduler__offer_constraints__role_constraints);
    all->groups = arena_zero(arena, n_allowed + 1, sizeof(Group *));
    for (size_t i = 0;
         i < n_allowed && qm_config_item(config, "placement.hosts", i, name, sizeof name); i++)
        all->groups[all->n_groups++] = make_group(
            arena, is_like(arena, constraints_regex(arena, name, true)), denials, n_denied);
    if (n_allowed == 0)
        all->groups[all->n_groups++] = make_group(arena, NULL, denials, n_denied);
    return all;
}

Mesos__V1__Scheduler__OfferConstraints *constraints_make(struct arena *arena,
                                                         const struct qm_config *config,
                                                         char *const *roles, size_t n_roles)
{
    RoleConstraints *groups = config != NULL ? make_groups(arena, config) : NULL;
    if (groups == NULL || n_roles == 0)
        return NULL;
    NEW(arena, constraints, Mesos__V1__Scheduler__OfferConstraints,
        mesos__v1__scheduler__offer_constraints);
    constraints->role_constraints = arena_zero(arena, n_roles, sizeof(Entry *));
    for (size_t i = 0; i < n_roles; i++) {
        NEW(arena, entry, Entry, mesos__v1__scheduler__offer_constraints__role_constraints_entry);
        entry->key = roles[i];
        entry->value = groups;
        constraints->role_constraints[constraints->n_role_constraints++] = entry;
    }
    return constraints;
}
