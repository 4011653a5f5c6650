/* Decimal numbers in thousandths. */
#include "decimal.h"

#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool qm_decimal_parse(const char **text, uint64_t max, uint64_t *milli)
{
    const char *p = *text;
    uint64_t whole = 0;
    uint64_t fraction = 0;
    uint64_t unit = 100;
    bool finer = false;

    if (!is_digit(*p))
        return false;
    for (; is_digit(*p); p++) {
        whole = whole * 10 + (uint64_t)(*p - '0');
        if (whole > max)
            return false;
    }
    if (*p == '.') {
        if (!is_digit(*++p))
            return false;
        for (; is_digit(*p); p++, unit /= 10) {
            fraction += (uint64_t)(*p - '0') * unit;
            finer |= unit == 0 && *p != '0';
        }
    }
    *milli = whole * 1000 + fraction + finer;
    *text = p;
    return true;
}

void qm_decimal_format(uint64_t milli, char *buffer, size_t size)
{
    char text[32];
    size_t length = (size_t)snprintf(text, sizeof(text), "%llu.%03u",
                                     (unsigned long long)(milli / 1000), (unsigned)(milli % 1000));

    while (text[length - 1] == '0')
        text[--length] = '\0';
    if (text[length - 1] == '.')
        text[--length] = '\0';
    snprintf(buffer, size, "%s", text);
}
