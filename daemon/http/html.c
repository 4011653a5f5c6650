/* Writing HTML: see html.h. */
#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "http/html.h"

/* Bytes of the well-formed UTF-8 sequence at @text, 0 when there is none. */
static size_t utf8_length(const unsigned char *text)
{
    size_t n = *text < 0x80                    ? 1
               : *text >= 0xc2 && *text < 0xe0 ? 2
               : *text >= 0xe0 && *text < 0xf0 ? 3
               : *text >= 0xf0 && *text < 0xf5 ? 4
                                               : 0;

    for (size_t i = 1; i < n; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    /* Overlong forms and surrogates; what is left over is harmless in a page. */
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] >= 0xa0) ||
        (text[0] == 0xf0 && text[1] < 0x90))
        return 0;
    return n;
}

static void put_escaped(FILE *out, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t n;

    for (; *p; p += n ? n : 1) {
        n = utf8_length(p);
        if (*p == '&')
            fputs("&amp;", out);
        else if (*p == '<')
            fputs("&lt;", out);
        else if (*p == '>')
            fputs("&gt;", out);
        else if (*p == '"')
            fputs("&quot;", out);
        else if (*p == '\'')
            fputs("&#39;", out);
        else if (n == 0 || *p == 0x7f || (*p < 0x20 && *p != '\n' && *p != '\t'))
            fputc('?', out);
        else
            fwrite(p, 1, n, out);
    }
}

void html_put(FILE *out, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    for (const char *p = format; *p;) {
        size_t plain = strcspn(p, "%");

        fwrite(p, 1, plain, out);
        p += plain;
        if (strncmp(p, "%s", 2) == 0) {
            put_escaped(out, va_arg(args, const char *));
            p += 2;
        } else if (strncmp(p, "%zu", 3) == 0) {
            fprintf(out, "%zu", va_arg(args, size_t));
            p += 3;
        } else if (strncmp(p, "%llu", 4) == 0) {
            fprintf(out, "%llu", va_arg(args, unsigned long long));
            p += 4;
        } else {
            assert(*p == '\0');
        }
    }
    va_end(args);
}

const char *html_words(const char *name, char *buffer, size_t size)
{
    size_t i = 0;

    for (; name[i] && i + 1 < size; i++)
        buffer[i] = name[i] == '_' ? ' ' : (char)tolower((unsigned char)name[i]);
    buffer[i] = '\0';
    return buffer;
}

const char *html_duration(qm_duration duration, char *buffer, size_t size)
{
    static const struct {
        const char *name;
        qm_duration ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"min", 60000}, {"s", 1000}};
    size_t i = 0;
    unsigned long long whole, rest;

    while (i < 3 && duration < units[i].ms)
        i++;
    whole = duration / units[i].ms;
    rest = i < 3 ? duration % units[i].ms / units[i + 1].ms : 0;
    if (rest)
        snprintf(buffer, size, "%llu %s %llu %s", whole, units[i].name, rest, units[i + 1].name);
    else
        snprintf(buffer, size, "%llu %s", whole, units[i].name);
    return buffer;
}

const char *html_ago(qm_time now, qm_time then, char *buffer, size_t size)
{
    if (then == QM_TIME_NEVER) {
        snprintf(buffer, size, "never");
        return buffer;
    }
    return html_duration(now > then ? now - then : 0, buffer, size);
}
