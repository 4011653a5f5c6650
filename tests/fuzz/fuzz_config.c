/* Configuration: any YAML text either loads or is refused with its place, and then changed nothing.
 */
#include "fuzz.h"

#include <quobyte-mesos.h>

static uint64_t fingerprint(const struct qm_config *config)
{
    struct qm_config_entry entry;
    uint64_t sum = 0;

    for (size_t i = 0; qm_config_entry(config, i, &entry); i++) {
        must(entry.key && entry.value && entry.about);
        for (const char *c = entry.value; *c; c++)
            sum = (sum ^ (uint8_t)*c) * 1099511628211u;
        sum = (sum ^ i) * 1099511628211u;
    }
    return sum;
}

static void expect_error(const struct qm_error *error, int r)
{
    char line[512];

    must(error->code == r);
    must(error->message[0] != '\0');
    must(!strchr(error->message, '\n'));
    must(error->line > 0 && error->column > 0);
    must(qm_error_format(error, line, sizeof(line)) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qm_config *config = NULL;
    struct qm_error error = {0};
    uint64_t before;
    int r;

    must(qm_config_new(&config, NULL, 0, NULL) == 0);
    before = fingerprint(config);
    r = qm_config_load_yaml(config, (const char *)data, size, &error);
    must(r >= 0);
    if (r != 0) {
        expect_error(&error, r);
        must(fingerprint(config) == before);
    } else {
        fingerprint(config);
        r = qm_config_check(config, &error);
        must(r == 0 || (r == QM_E_INVALID && error.message[0] != '\0'));
    }
    qm_config_free(config);
    return 0;
}
