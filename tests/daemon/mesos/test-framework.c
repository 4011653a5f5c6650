/*
 * Who we are to Mesos: offer constraints, versions, and frameworks of our name.
 */
#include <string.h>

#include "mesos/constraints.h"
#include "mesos/framework.h"
#include "mesos/namesake.h"
#include "run.h"

static struct arena arena;
static struct qm_config *config;

static void setup(void)
{
    arena_init(&arena);
    ck_assert_int_eq(qm_config_new(&config, NULL, 0, NULL), 0);
}

static void teardown(void)
{
    config = qm_config_free(config);
    arena_deinit(&arena);
}

static const struct {
    const char *glob, *exact, *wider;
} names[] = {
    {"node-1", "[Nn][Oo][Dd][Ee]\\-1", "[Nn][Oo][Dd][Ee]\\-1"},
    {"*.x", "[!-~]*\\.[Xx]", "[!-~]*\\.[Xx]"},
    {"a**b?", "[Aa][!-~]*[Bb][!-~]", "[Aa][!-~]*[Bb][!-~]"},
    {"*", "[!-~]*", "[!-~]*"},
    {"1[2](3)", "1\\[2\\]\\(3\\)", "1\\[2\\]\\(3\\)"},
    {"12345678901234567890123456789012", "12345678901234567890123456789012",
     "12345678901234567890123456789012"},
    {"123456789012345678901234567890123", NULL, "12345678901234567890123456789012[!-~]*"},
    {"1234567890123456789012345678901*", NULL, "1234567890123456789012345678901[!-~]*"},
    {"h\xc3\xb6st", NULL, "[!-~]*"},
};

START_TEST(host_names_become_re2_of_bounded_length)
{
    const char *exact = constraints_regex(&arena, names[_i].glob, false);
    if (names[_i].exact == NULL)
        ck_assert_ptr_null(exact);
    else
        ck_assert_str_eq(exact, names[_i].exact);
    ck_assert_str_eq(constraints_regex(&arena, names[_i].glob, true), names[_i].wider);
}
END_TEST

/* The constraints of a role as text: one line a group. */
static const char *constraints_text(const Mesos__V1__Scheduler__OfferConstraints *c, size_t role)
{
    static char text[4096];
    const Mesos__V1__Scheduler__OfferConstraints__RoleConstraints *all =
        c->role_constraints[role]->value;
    text[0] = '\0';
    for (size_t i = 0; i < all->n_groups; i++) {
        for (size_t j = 0; j < all->groups[i]->n_attribute_constraints; j++) {
            const Mesos__V1__Scheduler__AttributeConstraint *one =
                all->groups[i]->attribute_constraints[j];
            bool not_it =
                one->predicate->predicate_case ==
                MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__PREDICATE__PREDICATE_TEXT_NOT_MATCHES;
            ck_assert_int_eq(
                one->selector->pseudoattribute_type,
                MESOS__V1__SCHEDULER__ATTRIBUTE_CONSTRAINT__SELECTOR__PSEUDOATTRIBUTE_TYPE__HOSTNAME);
            strcat(text, not_it ? " !" : " ");
            strcat(text, not_it ? one->predicate->text_not_matches->regex
                                : one->predicate->text_matches->regex);
        }
        strcat(text, "\n");
    }
    return text;
}

static Mesos__V1__Scheduler__OfferConstraints *make(const char *hosts, const char *deny)
{
    static char web[] = "web", db[] = "db";
    char *roles[] = {web, db};
    struct qm_error error;
    ck_assert_int_eq(qm_config_set(config, "placement.hosts", hosts, &error), 0);
    ck_assert_int_eq(qm_config_set(config, "placement.deny_hosts", deny, &error), 0);
    return constraints_make(&arena, config, roles, 2);
}

START_TEST(constraints_say_what_placement_says)
{
    Mesos__V1__Scheduler__OfferConstraints *c = make("1,2*", "3,4");
    ck_assert_uint_eq(c->n_role_constraints, 2);
    ck_assert_str_eq(c->role_constraints[0]->key, "web");
    ck_assert_str_eq(c->role_constraints[1]->key, "db");
    ck_assert_str_eq(constraints_text(c, 0), " 1 !3 !4\n 2[!-~]* !3 !4\n");
    ck_assert_str_eq(constraints_text(c, 1), " 1 !3 !4\n 2[!-~]* !3 !4\n");
    ck_assert_str_eq(constraints_text(make("", "3"), 0), " !3\n");
    ck_assert_str_eq(constraints_text(make("1", ""), 0), " 1\n");
    /* What cannot be said is not denied; masters refuse groups without anything. */
    ck_assert_ptr_null(make("", ""));
    ck_assert_ptr_null(make("", "123456789012345678901234567890123"));
}
END_TEST

START_TEST(more_constraints_than_sensible_are_not_sent)
{
    char list[20000] = "h0", *end = list + 2;
    for (int i = 1; i < 2100; i++)
        end += sprintf(end, ",h%d", i);
    ck_assert_ptr_null(make(list, ""));
    ck_assert_ptr_null(make("", list));
    ck_assert_str_eq(constraints_text(make("a", list), 0), " [Aa]\n");
}
END_TEST

START_TEST(a_subscription_holds_the_constraints)
{
    struct driver_options options = {.name = "x", .role = "web,db", .config = config};
    struct qm_error error;
    for (int given = 0; given < 2; given++) {
        ck_assert_int_eq(qm_config_set(config, "placement.hosts", given ? "1" : "", &error), 0);
        struct convert_call calls[] = {framework_subscribe(&arena, &options, "F"),
                                       framework_update(&arena, &options, "F")};
        for (int i = 0; i < 2; i++) {
            Mesos__V1__Scheduler__Call *call =
                mesos__v1__scheduler__call__unpack(NULL, calls[i].length, calls[i].bytes);
            ck_assert_ptr_nonnull(call);
            ck_assert_str_eq(call->framework_id->value, "F");
            Mesos__V1__Scheduler__OfferConstraints *c =
                i == 0 ? call->subscribe->offer_constraints
                       : call->update_framework->offer_constraints;
            if (given)
                ck_assert_uint_eq(c->n_role_constraints, 2);
            else
                ck_assert_ptr_null(c);
            mesos__v1__scheduler__call__free_unpacked(call, NULL);
        }
    }
}
END_TEST

START_TEST(versions_are_read_and_compared)
{
    struct framework_version v = framework_version_parse("1.11.1");
    ck_assert(v.known && v.major == 1 && v.minor == 11);
    ck_assert(framework_version_is(v, 1, 11) && framework_version_is(v, 1, 4));
    ck_assert(!framework_version_is(v, 1, 12) && !framework_version_is(v, 2, 0));
    ck_assert(framework_version_is(framework_version_parse("2.0.0-rc1"), 1, 11));
    ck_assert(!framework_version_is(framework_version_parse("0.28.2"), 1, 4));
    ck_assert(!framework_version_parse("").known);
    ck_assert(!framework_version_parse("1").known);
    ck_assert(!framework_version_parse(NULL).known);
    ck_assert(!framework_version_is(framework_version_parse("x"), 0, 0));
}
END_TEST

START_TEST(a_namesake_lives_by_its_connection_or_its_tasks)
{
    /* As Mesos 1.11.1 answers to GET /frameworks, most of it left out. */
    static const char text[] =
        "{\"frameworks\":[{\"id\":\"A\",\"name\":\"quobyte\",\"active\":false,\"connected\":false,"
        "\"tasks\":[{\"state\":\"TASK_KILLED\"}],\"unreachable_tasks\":[]},"
        "{\"id\":\"B\",\"name\":\"other\",\"connected\":true},"
        "{\"id\":\"C\",\"name\":\"web\",\"active\":true,\"connected\":true,\"tasks\":[]},"
        "{\"id\":\"D\",\"name\":\"db\",\"connected\":false,\"tasks\":[{\"state\":\"TASK_RUNNING\"}]"
        ","
        "\"unreachable_tasks\":[{\"state\":\"TASK_UNREACHABLE\"}]}],"
        "\"completed_frameworks\":[{\"id\":\"E\",\"name\":\"gone\","
        "\"tasks\":[{\"state\":\"TASK_RUNNING\"}]}]}";
    json_t *answer = json_loads(text, 0, NULL);
    size_t n = 99;
    ck_assert_ptr_nonnull(answer);
    ck_assert_ptr_null(namesake_find(answer, "quobyte", &n));
    ck_assert_ptr_null(namesake_find(answer, "gone", &n));
    ck_assert_ptr_null(namesake_find(answer, "", &n));
    ck_assert_str_eq(namesake_find(answer, "web", &n), "C");
    ck_assert_uint_eq(n, 0);
    ck_assert_str_eq(namesake_find(answer, "db", &n), "D");
    ck_assert_uint_eq(n, 2);
    json_decref(answer);
    ck_assert_ptr_null(namesake_find(NULL, "db", &n));
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("framework");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, host_names_become_re2_of_bounded_length, 0,
                        sizeof names / sizeof names[0]);
    tcase_add_test(t, constraints_say_what_placement_says);
    tcase_add_test(t, more_constraints_than_sensible_are_not_sent);
    tcase_add_test(t, a_subscription_holds_the_constraints);
    tcase_add_test(t, versions_are_read_and_compared);
    tcase_add_test(t, a_namesake_lives_by_its_connection_or_its_tasks);
    return run_case("framework", t);
}
