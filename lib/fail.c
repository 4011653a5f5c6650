/* Filling struct qm_error. */
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* Texts from outside get into errors, and errors get into logs and JSON: one line of UTF-8. */
static void tidy(char *text, size_t size)
{
    size_t length = strlen(text);
    bool utf8;

    /* A cut may have gone through the last character. */
    for (int i = 0; i < 3 && length + 4 >= size && !qm_is_utf8(text, length); i++)
        length--;
    utf8 = qm_is_utf8(text, length);
    length = utf8 ? length : strlen(text);
    text[length] = '\0';
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8))
            text[i] = '?';
    }
}

int qm_fail(struct qm_error *error, int code, const char *key, const char *format, ...)
{
    va_list args;

    if (!error)
        return code;
    *error = (struct qm_error){.code = code};
    snprintf(error->key, sizeof(error->key), "%s", key ? key : "");
    va_start(args, format);
    vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    tidy(error->key, sizeof(error->key));
    tidy(error->message, sizeof(error->message));
    return code;
}
