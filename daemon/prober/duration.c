/* Mesos' text for durations. */
#include <stdlib.h>
#include <string.h>

#include "prober/duration.h"

static const struct {
    const char *name;
    double ms;
} units[] = {
    {"ns", 1e-6},         {"us", 1e-3},           {"ms", 1},
    {"secs", 1000},       {"mins", 60000},        {"hrs", 3600000},
    {"days", 86400000.0}, {"weeks", 604800000.0},
};

#define LONGEST_MS (10000 * 86400000.0)

bool duration_parse(const char *text, uint64_t *ms)
{
    size_t digits = strspn(text, "0123456789.");
    char *end;

    /* strtod() alone would also take blanks, signs, exponents, hexadecimal, "inf" and "nan". */
    if (digits == 0 || digits > 40 || strspn(text, ".") == digits)
        return false;

    char number[41];
    memcpy(number, text, digits);
    number[digits] = '\0';

    double value = strtod(number, &end);
    if (*end != '\0')
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text + digits, units[i].name) != 0)
            continue;
        if (value * units[i].ms > LONGEST_MS)
            return false;
        *ms = (uint64_t)(value * units[i].ms);
        return true;
    }
    return false;
}
