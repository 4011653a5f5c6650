/*
 * Two signs of error. Functions that return int return 0, or
 *   negative errno: fatal for the object (out of memory, mostly): it may only be freed;
 *   positive QM_E_*: a documented outcome; the object is unchanged.
 * Each function lists its own. Errors about text that a person wrote carry the place.
 */
#ifndef QUOBYTE_MESOS_ERROR_H
#define QUOBYTE_MESOS_ERROR_H

#include <quobyte-mesos/base.h>

enum qm_outcome {
    QM_E_INVALID = 1,  /* malformed input */
    QM_E_UNKNOWN,      /* names something that does not exist */
    QM_E_DUPLICATE,    /* said before, or exists already */
    QM_E_CONFLICT,     /* not in this situation */
    QM_E_STALE,        /* belongs to something that is over */
    QM_E_LIMIT,        /* more than the configured or fixed limit */
    QM_E_FORMAT,       /* saved by something newer, or damaged */
};

/* An error in text. line and column count from 1; 0 means that they do not apply. */
struct qm_error {
    int code;           /* what the function returned */
    unsigned line;
    unsigned column;
    char key[96];       /* dotted key or record key, "" when none */
    char message[256];  /* one line without trailing full stop */
};

/** qm_strerror() - one lower-case phrase for either sign of error. Never NULL. Since 0.1. */
QM_EXPORT const char *qm_strerror(int error);

/**
 * qm_error_format() - "line 3, column 5: services.data.cont: unknown key" into buffer.
 * Always terminated; returns the length that it needed, as snprintf does. Since 0.1.
 */
QM_EXPORT size_t qm_error_format(const struct qm_error *error, char *buffer, size_t size);

#endif
