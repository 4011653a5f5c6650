/* Resources as text: "cpus:0.5;mem:512;disk:32". */
#include <quobyte-mesos/resources.h>

#include <stdio.h>
#include <string.h>

#include "decimal.h"
#include "fail.h"

#define MAX_WHOLE                                                                                  \
    UINT64_C(1000000000000) /* of any kind: far over a real machine, far under overflow */

static const char *skip_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* Where a kind's amount belongs, and in how many thousandths it is kept. */
static uint64_t *find_kind(struct qm_resources *resources, const char *name, size_t length,
                           unsigned *bit)
{
    static const char *const names[] = {"cpus", "mem", "disk"};
    uint64_t *const places[] = {&resources->cpu_milli, &resources->mem_mib, &resources->disk_mib};

    for (unsigned i = 0; i < 3; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) {
            *bit = 1U << i;
            return places[i];
        }
    }
    return NULL;
}

/* One "kind:amount" at *p, which moves behind it. */
static int parse_item(const char **p, struct qm_resources *resources, unsigned *seen,
                      struct qm_error *error)
{
    const char *name = *p;
    size_t length = strcspn(name, ":; \t");
    uint64_t milli;
    unsigned bit = 0;
    uint64_t *place = find_kind(resources, name, length, &bit);
    const char *q = skip_blanks(name + length);

    if (*q != ':')
        return qm_fail(error, QM_E_INVALID, NULL, "expected kind:amount at \"%.40s\"", name);
    if (!place)
        return qm_fail(error, QM_E_INVALID, NULL, "\"%.*s\" is not one of cpus, mem and disk",
                       (int)(length < 40 ? length : 40), name);
    if (*seen & bit)
        return qm_fail(error, QM_E_INVALID, NULL, "%.*s is given twice", (int)length, name);
    *seen |= bit;
    q = skip_blanks(q + 1);
    if (!qm_decimal_parse(&q, MAX_WHOLE, &milli))
        return qm_fail(error, QM_E_INVALID, NULL, "%.*s: not an amount: \"%.40s\"", (int)length,
                       name, q);
    /* What is wanted is rounded up. */
    *place = bit == 1 ? milli : milli / 1000 + (milli % 1000 != 0);
    *p = skip_blanks(q);
    return 0;
}

int qm_resources_parse(const char *text, struct qm_resources *resources, struct qm_error *error)
{
    struct qm_resources parsed = {0};
    const char *p = skip_blanks(text);
    unsigned seen = 0;

    do {
        int r = parse_item(&p, &parsed, &seen, error);

        if (r != 0)
            return r;
        if (*p != ';' && *p != '\0')
            return qm_fail(error, QM_E_INVALID, NULL, "unexpected \"%.40s\"", p);
        if (*p == ';')
            p = skip_blanks(p + 1);
    } while (*p != '\0');
    *resources = parsed;
    return 0;
}

size_t qm_resources_format(const struct qm_resources *resources, char *buffer, size_t size)
{
    char cpus[48];

    qm_decimal_format(resources->cpu_milli, cpus, sizeof(cpus));
    return (size_t)snprintf(buffer, size, "cpus:%s;mem:%llu;disk:%llu", cpus,
                            (unsigned long long)resources->mem_mib,
                            (unsigned long long)resources->disk_mib);
}
