/* Cleaning and collecting of text. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "prober/text.h"

/* Bytes of the well-formed UTF-8 sequence that begins here (RFC 3629), 0 when none does. */
static size_t sequence_length(const unsigned char *s)
{
    size_t n;

    if (s[0] < 0x80)
        return s[0] >= 0x20 && s[0] != 0x7f ? 1 : 0;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        n = 2;
    else if (s[0] >= 0xe0 && s[0] <= 0xef)
        n = 3;
    else if (s[0] >= 0xf0 && s[0] <= 0xf4)
        n = 4;
    else
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    /* Overlong forms, surrogates, beyond U+10FFFF; and the C1 control characters. */
    if ((s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) ||
        (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

void text_clean(char *text)
{
    unsigned char *s = (unsigned char *)text;

    while (*s) {
        size_t n = sequence_length(s);

        if (n == 0)
            *s++ = '?';
        else
            s += n;
    }
}

void text_append(char *list, size_t size, const char *format, ...)
{
    size_t used = strlen(list);
    size_t separator = used > 0 ? 2 : 0;
    char note[512];
    va_list args;

    va_start(args, format);
    vsnprintf(note, sizeof(note), format, args);
    va_end(args);
    text_clean(note);
    if (used + separator + strlen(note) >= size)
        return;
    if (separator)
        memcpy(list + used, "; ", 2);
    memcpy(list + used + separator, note, strlen(note) + 1);
}
