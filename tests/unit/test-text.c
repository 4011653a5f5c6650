/* Text from outside: UTF-8, globs, names, versions, decimal numbers. */
#include <string.h>

#include <quobyte-mesos/fact.h>

#include "decimal.h"
#include "text.h"
#include "unit.h"

START_TEST(utf8)
{
    static const char *const good[] = {"", "plain", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    static const char *const bad[] = {
        "\x80",         "\xc3",         "\xc0\x80",         "\xc1\xbf",         "\xe2\x82",
        "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xff",         "a\xc3z",
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        ck_assert_msg(qm_is_utf8(good[i], strlen(good[i])), "good %zu", i);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!qm_is_utf8(bad[i], strlen(bad[i])), "bad %zu", i);
}
END_TEST

START_TEST(globs)
{
    static const struct {
        const char *glob, *name;
        bool matches;
    } cases[] = {
        {"10.0.0.1", "10.0.0.1", true},
        {"10.0.0.11", "10.0.0.1", false}, /* the old framework searched in the whole list */
        {"10.0.0.1", "10.0.0.11", false},
        {"10.0.0.*", "10.0.0.11", true},
        {"node-?", "node-1", true},
        {"node-?", "node-10", false},
        {"node-?", "node-", false},
        {"*", "", true},
        {"", "", true},
        {"", "x", false},
        {"*.rack1.*", "a.rack1.b.rack1.c", true},
        {"*rack1", "a.rack1.b", false},
        {"a*b*c", "aXbXbXc", true},
        {"**x", "abcx", true},
        {"NODE-1", "node-1", true}, /* host names know no case */
        {"?*", "x", true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        ck_assert_msg(qm_glob_matches(cases[i].glob, cases[i].name) == cases[i].matches,
                      "%s against %s", cases[i].glob, cases[i].name);
}
END_TEST

START_TEST(glob_of_many_stars_ends)
{
    char name[2001];

    memset(name, 'a', 2000);
    name[2000] = '\0';
    ck_assert(!qm_glob_matches("*a*a*a*a*a*a*a*a*b", name));
}
END_TEST

START_TEST(dns_names)
{
    static const char *const good[] = {"a", "_registry._tcp.quobyte.mesos",
                                       "ip-10-0-0-7.ec2.internal"};
    static const char *const bad[] = {"", ".", ".a", "a.", "a..b", "a b", "a;b", "\xc3\xa4"};
    char label[70];

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        ck_assert_msg(qm_is_dns_name(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!qm_is_dns_name(bad[i]), "%s", bad[i]);
    memset(label, 'a', sizeof(label));
    label[63] = '\0';
    ck_assert(qm_is_dns_name(label));
    label[63] = 'a';
    label[64] = '\0';
    ck_assert(!qm_is_dns_name(label));
}
END_TEST

START_TEST(versions)
{
    static const char *const good[] = {"1.1.5", "_", "3.x-rc.1", "latest", "0"};
    static const char *const bad[] = {"",       "-1",  ".1",  "1.1.5\n",  "1.1.5; rm -rf /",
                                      " 1.1.5", "1/2", "1:2", "\xc3\xa4", "a+b"};
    char longest[130];

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        ck_assert_msg(qm_version_is_valid(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!qm_version_is_valid(bad[i]), "%s", bad[i]);
    memset(longest, '1', sizeof(longest));
    longest[128] = '\0';
    ck_assert(qm_version_is_valid(longest));
    longest[128] = '1';
    longest[129] = '\0';
    ck_assert(!qm_version_is_valid(longest));
}
END_TEST

START_TEST(decimals)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t milli;
        const char *shown;
    } cases[] = {
        {"0", true, 0, "0"},
        {"1", true, 1000, "1"},
        {"0.5", true, 500, "0.5"},
        {"1.125", true, 1125, "1.125"},
        {"0.0001", true, 1, "0.001"},
        {"0.1000", true, 100, "0.1"},
        {"100", true, 100000, "100"},
        {"101", false, 0, NULL},
        {"", false, 0, NULL},
        {".5", false, 0, NULL},
        {"5.", false, 0, NULL},
        {"-1", false, 0, NULL},
        {"+1", false, 0, NULL},
        {"nan", false, 0, NULL},
        {"99999999999999999999999999", false, 0, NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *p = cases[i].text;
        uint64_t milli = 0;
        char shown[48];

        ck_assert_msg(qm_decimal_parse(&p, 100, &milli) == cases[i].good, "%s", cases[i].text);
        if (!cases[i].good) {
            ck_assert_ptr_eq(p, cases[i].text);
            continue;
        }
        ck_assert_uint_eq(milli, cases[i].milli);
        ck_assert_int_eq(*p, '\0');
        qm_decimal_format(milli, shown, sizeof(shown));
        ck_assert_str_eq(shown, cases[i].shown);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("text");

    tcase_add_test(tcase, utf8);
    tcase_add_test(tcase, globs);
    tcase_add_test(tcase, glob_of_many_stars_ends);
    tcase_add_test(tcase, dns_names);
    tcase_add_test(tcase, versions);
    tcase_add_test(tcase, decimals);
    return unit_run("text", tcase);
}
