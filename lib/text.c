/* Small questions about text. */
#include "text.h"

#include <string.h>

bool qm_is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Length of the UTF-8 sequence at p, 0 when it is none. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    uint32_t code;
    size_t n;

    if (p[0] < 0x80)
        return 1;
    n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < n)
        return 0;
    code = p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3f);
    }
    if ((n == 3 && code < 0x800) || (n == 4 && code < 0x10000) || code > 0x10ffff ||
        (code >= 0xd800 && code <= 0xdfff))
        return 0;
    return n;
}

bool qm_is_utf8(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text;

    for (size_t i = 0; i < length;) {
        size_t n = utf8_sequence(p + i, length - i);

        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

void qm_trim(const char **text, size_t *length)
{
    while (*length > 0 && is_blank((*text)[0])) {
        (*text)++;
        (*length)--;
    }
    while (*length > 0 && is_blank((*text)[*length - 1]))
        (*length)--;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool qm_glob_matches(const char *glob, const char *name)
{
    const char *star = NULL; /* the last one, and where its text ends for now */
    const char *after = NULL;

    while (*name != '\0') {
        if (*glob == '*') {
            star = ++glob;
            after = name;
        } else if (*glob == '?' || lower(*glob) == lower(*name)) {
            glob++;
            name++;
        } else if (star) {
            glob = star;
            name = ++after;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

bool qm_is_dns_name(const char *text)
{
    size_t label = 0;

    if (strlen(text) > 253)
        return false;
    for (const char *p = text;; p++) {
        if (*p == '.' || *p == '\0') {
            if (label == 0 || label > 63)
                return false;
            if (*p == '\0')
                return true;
            label = 0;
        } else if (qm_is_alnum(*p) || *p == '-' || *p == '_') {
            label++;
        } else {
            return false;
        }
    }
}

bool qm_is_word(const char *text, size_t max, const char *others)
{
    size_t length = strlen(text);

    if (length == 0 || length > max)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!qm_is_alnum(text[i]) && !strchr(others, text[i]))
            return false;
    }
    return true;
}
