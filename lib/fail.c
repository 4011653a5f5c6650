/* Filling struct qm_error. */
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>

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
    return code;
}
