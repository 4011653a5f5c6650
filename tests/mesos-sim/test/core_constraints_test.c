/* Offer constraints and offer filters: which agents a framework is offered, and what Mesos says to
 * constraints that make no sense. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

typedef Mesos__V1__Scheduler__AttributeConstraint constraint_t;
typedef Mesos__V1__Scheduler__AttributeConstraint__Selector selector_t;
typedef Mesos__V1__Scheduler__AttributeConstraint__Predicate predicate_t;
typedef Mesos__V1__Scheduler__OfferConstraints__RoleConstraints role_constraints_t;
typedef Mesos__V1__Scheduler__OfferConstraints__RoleConstraints__Group group_t;
typedef Mesos__V1__Scheduler__OfferConstraints offer_constraints_t;

#define EVENT(name)     MESOS__V1__SCHEDULER__EVENT__TYPE__##name
#define PREDICATE(name) MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__PREDICATE__PREDICATE_##name
#define PSEUDO(name)                                                                               \
    MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__PSEUDOATTRIBUTE_TYPE__##name

static struct world world;
static struct scheduler web;

/* Three agents: two with a domain, attributes of text and number. */
static void three_agents(void)
{
    static const struct sim_pair first[] = {{"rack", "r1"}, {"level", "3"}};
    static const struct sim_pair second[] = {{"rack", "r2"}};
    static const struct sim_agent_config agents[] = {
        {.hostname = "node-1", .region = "eu", .zone = "a", .attributes = first, .n_attributes = 2},
        {.hostname = "node-2",
         .region = "eu",
         .zone = "b",
         .attributes = second,
         .n_attributes = 1},
        {.hostname = "other-3", .resources = "mem:1000;ports:[10-19]"},
    };
    static const struct sim_cluster cluster = {.agents = agents, .n_agents = 3};

    world_init_cluster(&world, &cluster);
}

/* One constraint that lies where it is, as static data. */
struct one {
    constraint_t constraint;
    selector_t selector;
    predicate_t predicate;
    Mesos__V1__Scheduler__AttributeConstraint__Predicate__Exists exists;
    Mesos__V1__Scheduler__AttributeConstraint__Predicate__NotExists not_exists;
    Mesos__V1__Scheduler__AttributeConstraint__Predicate__TextEquals equals;
    Mesos__V1__Scheduler__AttributeConstraint__Predicate__TextNotEquals not_equals;
    Mesos__V1__Scheduler__AttributeConstraint__Predicate__TextMatches matches;
    Mesos__V1__Scheduler__AttributeConstraint__Predicate__TextNotMatches not_matches;
};

/* `name` NULL: the pseudo attribute; that one -1: no selector at all. */
static constraint_t *make(struct one *one, const char *name, int pseudo, int predicate,
                          const char *text)
{
    mesos__v1__scheduler__attribute_constraint__init(&one->constraint);
    mesos__v1__scheduler__attribute_constraint__selector__init(&one->selector);
    mesos__v1__scheduler__attribute_constraint__predicate__init(&one->predicate);
    mesos__v1__scheduler__attribute_constraint__predicate__exists__init(&one->exists);
    mesos__v1__scheduler__attribute_constraint__predicate__not_exists__init(&one->not_exists);
    mesos__v1__scheduler__attribute_constraint__predicate__text_equals__init(&one->equals);
    mesos__v1__scheduler__attribute_constraint__predicate__text_not_equals__init(&one->not_equals);
    mesos__v1__scheduler__attribute_constraint__predicate__text_matches__init(&one->matches);
    mesos__v1__scheduler__attribute_constraint__predicate__text_not_matches__init(
        &one->not_matches);
    one->constraint.selector = &one->selector;
    one->constraint.predicate = &one->predicate;
    if (name) {
        one->selector.selector_case =
            MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__SELECTOR_ATTRIBUTE_NAME;
        one->selector.attribute_name = (char *)name;
    } else if (pseudo >= 0) {
        one->selector.selector_case =
            MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__SELECTOR_PSEUDOATTRIBUTE_TYPE;
        one->selector.pseudoattribute_type = pseudo;
    }
    one->predicate.predicate_case = predicate;
    one->equals.value = one->not_equals.value = (char *)text;
    one->matches.regex = one->not_matches.regex = (char *)text;
    if (predicate == PREDICATE(EXISTS))
        one->predicate.exists = &one->exists;
    else if (predicate == PREDICATE(NOT_EXISTS))
        one->predicate.not_exists = &one->not_exists;
    else if (predicate == PREDICATE(TEXT_EQUALS))
        one->predicate.text_equals = &one->equals;
    else if (predicate == PREDICATE(TEXT_NOT_EQUALS))
        one->predicate.text_not_equals = &one->not_equals;
    else if (predicate == PREDICATE(TEXT_MATCHES))
        one->predicate.text_matches = &one->matches;
    else if (predicate == PREDICATE(TEXT_NOT_MATCHES))
        one->predicate.text_not_matches = &one->not_matches;
    return &one->constraint;
}

/* Constraints of one role: groups of one constraint each, or one group of all. */
struct tree {
    offer_constraints_t constraints;
    Mesos__V1__Scheduler__OfferConstraints__RoleConstraintsEntry entry, *entries[1];
    role_constraints_t role;
    group_t groups[2], *group_list[2];
};

static offer_constraints_t *plant(struct tree *tree, const char *role, constraint_t **list,
                                  size_t n, bool together)
{
    mesos__v1__scheduler__offer_constraints__init(&tree->constraints);
    mesos__v1__scheduler__offer_constraints__role_constraints_entry__init(&tree->entry);
    mesos__v1__scheduler__offer_constraints__role_constraints__init(&tree->role);
    for (size_t i = 0; i < 2; i++) {
        mesos__v1__scheduler__offer_constraints__role_constraints__group__init(&tree->groups[i]);
        tree->groups[i].attribute_constraints = list + i;
        tree->groups[i].n_attribute_constraints = together ? n : 1;
        tree->group_list[i] = &tree->groups[i];
    }
    tree->role.groups = tree->group_list;
    tree->role.n_groups = together ? 1 : n;
    tree->entry.key = (char *)role;
    tree->entry.value = &tree->role;
    tree->entries[0] = &tree->entry;
    tree->constraints.role_constraints = tree->entries;
    tree->constraints.n_role_constraints = 1;
    return &tree->constraints;
}

/* The hosts of the offers that come at once, in the order of the cluster, as "1 2 3". */
static const char *offered(const struct wishes *wishes)
{
    static char text[16];
    const event_t *event;
    bool seen[3] = {false};

    three_agents();
    scheduler_subscribe(&web, &world, wishes);
    while ((event = scheduler_next(&web, EVENT(OFFERS))))
        for (size_t i = 0; i < event->offers->n_offers; i++)
            seen[strrchr(event->offers->offers[i]->hostname, '-')[1] - '1'] = true;
    snprintf(text, sizeof text, "%s%s%s", seen[0] ? "1" : "", seen[1] ? "2" : "",
             seen[2] ? "3" : "");
    world_deinit(&world);
    return text;
}

static const char *offered_by(const char *name, int pseudo, int predicate, const char *text)
{
    struct one one;
    struct tree tree;
    constraint_t *list[] = {make(&one, name, pseudo, predicate, text), NULL};

    return offered(&(struct wishes){.constraints = plant(&tree, "web", list, 1, true)});
}

START_TEST(each_predicate)
{
    ck_assert_str_eq(offered(NULL), "123");
    ck_assert_str_eq(offered_by("rack", 0, PREDICATE(EXISTS), NULL), "12");
    ck_assert_str_eq(offered_by("rack", 0, PREDICATE(NOT_EXISTS), NULL), "3");
    ck_assert_str_eq(offered_by("rack", 0, PREDICATE(TEXT_EQUALS), "r1"), "1");
    ck_assert_str_eq(offered_by("rack", 0, PREDICATE(TEXT_NOT_EQUALS), "r1"), "23");
    ck_assert_str_eq(offered_by("rack", 0, PREDICATE(TEXT_MATCHES), "r[0-9]"), "12");
    ck_assert_str_eq(offered_by("rack", 0, PREDICATE(TEXT_NOT_MATCHES), "r1|r9"), "23");
    /* Numbers are no text: whatever is said of their text holds. */
    ck_assert_str_eq(offered_by("level", 0, PREDICATE(TEXT_EQUALS), "x"), "1");
    ck_assert_str_eq(offered_by("level", 0, PREDICATE(TEXT_NOT_MATCHES), ".*"), "123");
}
END_TEST

START_TEST(pseudo_attributes)
{
    ck_assert_str_eq(offered_by(NULL, PSEUDO(HOSTNAME), PREDICATE(TEXT_MATCHES), "node-.*"), "12");
    /* The whole name has to match. */
    ck_assert_str_eq(offered_by(NULL, PSEUDO(HOSTNAME), PREDICATE(TEXT_MATCHES), "node"), "");
    ck_assert_str_eq(offered_by(NULL, PSEUDO(HOSTNAME), PREDICATE(TEXT_MATCHES), "x|other-3"), "3");
    ck_assert_str_eq(offered_by(NULL, PSEUDO(REGION), PREDICATE(TEXT_EQUALS), "eu"), "12");
    ck_assert_str_eq(offered_by(NULL, PSEUDO(ZONE), PREDICATE(TEXT_NOT_EQUALS), "a"), "23");
    ck_assert_str_eq(offered_by(NULL, PSEUDO(ZONE), PREDICATE(EXISTS), NULL), "12");
}
END_TEST

START_TEST(groups_and_roles)
{
    struct one first, second;
    struct tree tree;
    constraint_t *list[] = {
        make(&first, NULL, PSEUDO(HOSTNAME), PREDICATE(TEXT_MATCHES), "node-.*"),
        make(&second, "rack", 0, PREDICATE(TEXT_NOT_EQUALS), "r1"),
    };

    ck_assert_str_eq(offered(&(struct wishes){.constraints = plant(&tree, "web", list, 2, true)}),
                     "2");
    ck_assert_str_eq(offered(&(struct wishes){.constraints = plant(&tree, "web", list, 2, false)}),
                     "123");
    ck_assert_str_eq(offered(&(struct wishes){.constraints = plant(&tree, "db", list, 2, true)}),
                     "123");
}
END_TEST

/* UPDATE_FRAMEWORK with these constraints; the answer is in web.status and web.body. */
static void update(offer_constraints_t *constraints)
{
    call_t call = MESOS__V1__SCHEDULER__CALL__INIT;
    Mesos__V1__Scheduler__Call__UpdateFramework part =
        MESOS__V1__SCHEDULER__CALL__UPDATE_FRAMEWORK__INIT;
    struct sim_framework_view view;

    sim_framework_look(world.sim, sim_framework_next(world.sim, false, NULL), &view);
    call.has_type = 1;
    call.type = MESOS__V1__SCHEDULER__CALL__TYPE__UPDATE_FRAMEWORK;
    call.update_framework = &part;
    part.framework_info = (Mesos__V1__FrameworkInfo *)view.info;
    part.offer_constraints = constraints;
    scheduler_call(&web, &call);
}

START_TEST(updates_replace)
{
    struct one one;
    struct tree tree;
    constraint_t *list[] = {make(&one, "rack", 0, PREDICATE(TEXT_EQUALS), "r1"), NULL};
    struct sim_framework_view view;

    three_agents();
    scheduler_subscribe(&web, &world,
                        &(struct wishes){.constraints = plant(&tree, "web", list, 1, true)});
    ck_assert_str_eq(scheduler_offer(&web, 0)->hostname, "node-1");
    scheduler_expect_none(&web, EVENT(OFFERS), 3000);
    make(&one, "rack", 0, PREDICATE(NOT_EXISTS), NULL);
    update(&tree.constraints);
    ck_assert_int_eq(web.status, 200);
    scheduler_expect_none(&web, EVENT(RESCIND), 0);
    ck_assert_str_eq(scheduler_offer(&web, 1000)->hostname, "other-3");
    sim_framework_look(world.sim, sim_framework_next(world.sim, false, NULL), &view);
    ck_assert_str_eq(view.constraints->role_constraints[0]->key, "web");
    update(NULL);
    ck_assert_str_eq(scheduler_offer(&web, 1000)->hostname, "node-2");
    sim_framework_look(world.sim, sim_framework_next(world.sim, false, NULL), &view);
    ck_assert_ptr_null(view.constraints);
    world_deinit(&world);
}
END_TEST

static void refused(offer_constraints_t *constraints, const char *text)
{
    char whole[600];

    snprintf(whole, sizeof whole, "'UpdateFramework.offer_constraints' are not valid: %s", text);
    update(constraints);
    ck_assert_int_eq(web.status, 400);
    ck_assert_str_eq(web.body, whole);
}

START_TEST(nonsense_is_refused)
{
    struct one one;
    struct tree tree;
    constraint_t *list[] = {make(&one, "a", 0, PREDICATE(EXISTS), NULL), NULL};
    offer_constraints_t *constraints = plant(&tree, "web", list, 1, true);

    three_agents();
    scheduler_subscribe(&web, &world, NULL);
    tree.groups[0].n_attribute_constraints = 0;
    refused(constraints, "'OfferConstraints::RoleConstraints::groups' for role webcontains an "
                         "empty RoleConstraints::Group");
    tree.role.n_groups = 0;
    refused(constraints, "'OfferConstraints::role_constraints' has an empty "
                         "'RoleConstraints::groups' for role web");
    plant(&tree, "web", list, 1, true);
    make(&one, NULL, 0, PREDICATE(EXISTS), NULL);
    refused(constraints,
            "A role web has an invalid 'AttributeConstraint': Unknown pseudoattribute type");
    make(&one, NULL, -1, PREDICATE(EXISTS), NULL);
    refused(constraints, "A role web has an invalid 'AttributeConstraint': Exactly one of "
                         "'AttributeConstraint::Selector::name' or "
                         "'AttributeConstraint::Selector::pseudoattribute_type' must be set");
    make(&one, "a", 0, 0, NULL);
    refused(constraints, "A role web has an invalid 'AttributeConstraint': Unknown predicate type");
    make(&one, "a", 0, PREDICATE(TEXT_MATCHES), "(a");
    refused(constraints, "A role web has an invalid 'AttributeConstraint': Failed to construct "
                         "regex from pattern '(a': missing ): (a");
    world_deinit(&world);
}
END_TEST

/* The filter takes the place of cpus:0.01|mem:32. */
START_TEST(smallest_offers)
{
    Mesos__V1__OfferFilters filters = MESOS__V1__OFFER_FILTERS__INIT;
    Mesos__V1__OfferFilters__MinAllocatableResources least =
        MESOS__V1__OFFER_FILTERS__MIN_ALLOCATABLE_RESOURCES__INIT;
    Mesos__V1__OfferFilters__ResourceQuantities both =
        MESOS__V1__OFFER_FILTERS__RESOURCE_QUANTITIES__INIT;
    Mesos__V1__OfferFilters__ResourceQuantities__QuantitiesEntry entries[2], *list[2];
    Mesos__V1__OfferFilters__ResourceQuantities *quantities[] = {&both};
    Mesos__V1__Value__Scalar amounts[2];
    struct wishes wishes = {.filters = &filters};

    for (int i = 0; i < 2; i++) {
        mesos__v1__offer_filters__resource_quantities__quantities_entry__init(&entries[i]);
        mesos__v1__value__scalar__init(&amounts[i]);
        entries[i].value = &amounts[i];
        list[i] = &entries[i];
    }
    filters.min_allocatable_resources = &least;
    ck_assert_str_eq(offered(&wishes), "123");
    least.quantities = quantities;
    least.n_quantities = 1;
    both.quantities = list;
    both.n_quantities = 1;
    entries[0].key = (char *)"ports";
    amounts[0].value = 10;
    ck_assert_str_eq(offered(&wishes), "123");
    amounts[0].value = 11;
    ck_assert_str_eq(offered(&wishes), "12");
    both.n_quantities = 2;
    entries[1].key = (char *)"cpus";
    amounts[1].value = 9;
    ck_assert_str_eq(offered(&wishes), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mesos-sim: constraints");
    TCase *cases = tcase_create("core");
    SRunner *runner;
    int failed;

    tcase_add_test(cases, each_predicate);
    tcase_add_test(cases, pseudo_attributes);
    tcase_add_test(cases, groups_and_roles);
    tcase_add_test(cases, updates_replace);
    tcase_add_test(cases, nonsense_is_refused);
    tcase_add_test(cases, smallest_offers);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
