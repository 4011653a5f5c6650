/* docs/configuration.md tells every key with its flag, default and unit, and no key that is none.
 */
#include <stdio.h>
#include <string.h>

#include "config_store.h"
#include "options.h"
#include "unit.h"

#define MAX_DOCUMENT (256 * 1024)

static char document[MAX_DOCUMENT];

static void read_document(void)
{
    FILE *file = fopen(DOCUMENT, "re");
    size_t length;

    ck_assert_msg(file != NULL, "cannot open %s", DOCUMENT);
    length = fread(document, 1, sizeof(document) - 1, file);
    ck_assert_uint_lt(length, sizeof(document) - 1);
    document[length] = '\0';
    fclose(file);
}

/* "| `key` | `--flag` | `default` | unit |": how a row begins. A | in a cell is escaped. */
static void make_row(char *row, size_t size, const char *key, const char *flag, const char *initial,
                     const char *unit)
{
    char cell[512];
    size_t used = 0;

    for (const char *p = initial; *p != '\0' && used + 2 < sizeof(cell); p++) {
        if (*p == '|')
            cell[used++] = '\\';
        cell[used++] = *p;
    }
    cell[used] = '\0';
    snprintf(row, size, "| `%s` | %s%s%s | %s%s%s | %s |", key, flag ? "`--" : "–",
             flag ? flag : "", flag ? "`" : "", cell[0] ? "`" : "empty", cell, cell[0] ? "`" : "",
             unit ? unit : "");
}

static unsigned check_row(const char *key, const char *flag, const char *initial, const char *unit)
{
    char row[1024];

    make_row(row, sizeof(row), key, flag, initial, unit);
    if (strstr(document, row))
        return 0;
    fprintf(stderr, "missing in docs/configuration.md: %s\n", row);
    return 1;
}

START_TEST(every_key_has_its_row)
{
    unsigned missing = 0;

    read_document();
    for (size_t i = 0; i < qm_n_config_keys; i++)
        missing += check_row(qm_config_keys[i].key, qm_config_keys[i].flag,
                             qm_config_keys[i].initial, qm_config_keys[i].unit);
    for (size_t i = 0; i < qm_n_service_keys; i++)
        missing += check_row(qm_service_keys[i].key, NULL, qm_service_keys[i].initial,
                             qm_service_keys[i].unit);
    for (unsigned i = 0; i < n_daemon_keys; i++)
        missing += check_row(daemon_keys[i].key, daemon_keys[i].flag, daemon_keys[i].initial,
                             daemon_keys[i].unit);
    ck_assert_uint_eq(missing, 0);
}
END_TEST

/* Where a built-in service differs from services.*: its own row. */
START_TEST(every_default_of_a_service_has_its_row)
{
    struct qm_config *config;
    struct qm_config_entry entry;
    unsigned missing = 0;

    read_document();
    ck_assert_int_eq(qm_config_new(&config, NULL, 0, NULL), 0);
    for (size_t i = 0; qm_config_entry(config, i, &entry); i++) {
        bool own = entry.flag || strcmp(entry.initial, entry.about->initial) != 0;

        /* The client's command is too long for a table. */
        if (own && strcmp(entry.key, "services.client.command") != 0)
            missing += check_row(entry.key, entry.flag, entry.initial, entry.about->unit);
    }
    ck_assert_uint_eq(missing, 0);
    qm_config_free(config);
}
END_TEST

START_TEST(no_row_without_its_key)
{
    struct qm_config *config;
    unsigned wrong = 0;

    read_document();
    ck_assert_int_eq(qm_config_new(&config, daemon_keys, n_daemon_keys, NULL), 0);
    for (const char *p = document; (p = strstr(p, "\n| `")) != NULL; p++) {
        char key[128];
        size_t length = strcspn(p + 4, "`");

        snprintf(key, sizeof(key), "%.*s", (int)length, p + 4);
        if (strncmp(key, "services.*.", 11) == 0) {
            char real[160];

            snprintf(real, sizeof(real), "services.data.%s", key + 11);
            snprintf(key, sizeof(key), "%.127s", real);
        }
        if (qm_config_find(config, key))
            continue;
        fprintf(stderr, "docs/configuration.md names %s, which is no key\n", key);
        wrong++;
    }
    ck_assert_uint_eq(wrong, 0);
    qm_config_free(config);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("keys-documented");

    tcase_add_test(tcase, every_key_has_its_row);
    tcase_add_test(tcase, every_default_of_a_service_has_its_row);
    tcase_add_test(tcase, no_row_without_its_key);
    return unit_run("keys-documented", tcase);
}
