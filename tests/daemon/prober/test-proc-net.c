/* Listening ports in the kernel's text. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "prober/proc_net.h"

static const char tcp[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout\n"
    "   0: 0100007F:1EB5 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1\n"
    "   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2\n"
    "  12: 0100007F:1EB6 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 3\n"
    "  13: 0100007F:C350 0100007F:1EB6 06 00000000:00000000 03:00000000 00000000     0        0 "
    "0\n";

static const char tcp6[] = "  sl  local_address                         remote_address             "
                           "           st tx_queue\n"
                           "   0: 00000000000000000000000000000000:1EBF "
                           "00000000000000000000000000000000:0000 0A 00000000\n"
                           "   1: 0000000000000000FFFF00000100007F:1EB7 "
                           "0000000000000000FFFF00000200007F:9C40 01 00000000\n";

#define N_PORTS 6
static const uint32_t ports[N_PORTS] = {7861, 7862, 7863, 7871, 8080, 50000};

static void expect_found(const bool *found, const bool *expected)
{
    for (int i = 0; i < N_PORTS; i++)
        ck_assert_msg(found[i] == expected[i], "port %u: %d", ports[i], found[i]);
}

START_TEST(listeners_are_found)
{
    bool found[N_PORTS] = {false};

    proc_net_listening(tcp, strlen(tcp), ports, N_PORTS, found);
    expect_found(found, (bool[]){true, false, false, false, true, false});
}
END_TEST

START_TEST(tables_add_up)
{
    bool found[N_PORTS] = {false};

    proc_net_listening(tcp, strlen(tcp), ports, N_PORTS, found);
    proc_net_listening(tcp6, strlen(tcp6), ports, N_PORTS, found);
    expect_found(found, (bool[]){true, false, false, true, true, false});
}
END_TEST

/* Whatever is cut off or garbled, nothing is found that is not there, and nothing is read beyond.
 */
START_TEST(cut_and_garbled_lines)
{
    static const char *const lines[] = {
        "",
        "\n\n\n",
        "0:",
        "   0: 0100007F:1EB5",
        "   0: 0100007F:1EB5 00000000:0000",
        "   0: 0100007F:1EB5 00000000:0000 0",
        "   0: 0100007F:1EB5 00000000:0000 0AA x",
        "   0: 0100007F1EB5 00000000:0000 0A x",
        "   0: 0100007F:1EB 00000000:0000 0A x",
        "   0: 0100007F:1GB5 00000000:0000 0A x",
        "   0: :1EB 00000000:0000 0A x",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        bool found[N_PORTS] = {false};
        size_t length = strlen(lines[i]);
        char *exact = malloc(length + 1); /* so that tools see a read beyond the end */

        memcpy(exact, lines[i], length);
        proc_net_listening(exact, length, ports, N_PORTS, found);
        expect_found(found, (bool[]){false, false, false, false, false, false});
        free(exact);
    }
    for (size_t length = 0; length < strlen(tcp); length++) {
        bool found[N_PORTS] = {false};
        proc_net_listening(tcp, length, ports, N_PORTS, found);
        ck_assert(!found[1] && !found[2] && !found[3] && !found[5]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proc-net");
    TCase *tcase = tcase_create("proc-net");
    SRunner *runner;
    int failures;

    tcase_add_test(tcase, listeners_are_found);
    tcase_add_test(tcase, tables_add_up);
    tcase_add_test(tcase, cut_and_garbled_lines);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? 1 : 0;
}
