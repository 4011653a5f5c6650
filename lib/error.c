/* Words for outcomes, and located errors as one line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <quobyte-mesos/error.h>

const char *qm_strerror(int error)
{
    switch (error) {
    case 0:
        return "no error";
    case QM_E_INVALID:
        return "malformed input";
    case QM_E_UNKNOWN:
        return "no such thing";
    case QM_E_DUPLICATE:
        return "said before";
    case QM_E_CONFLICT:
        return "not possible in this situation";
    case QM_E_STALE:
        return "belongs to something that is over";
    case QM_E_LIMIT:
        return "over a limit";
    case QM_E_FORMAT:
        return "damaged or saved by something newer";
    case -ENOMEM:
        return "out of memory";
    default:
        return error < 0 ? "fatal error" : "unknown outcome";
    }
}

size_t qm_error_format(const struct qm_error *error, char *buffer, size_t size)
{
    char place[48] = "";
    const char *sep = error->key[0] ? ": " : "";

    if (error->line > 0)
        snprintf(place, sizeof(place), "line %u, column %u: ", error->line, error->column);
    return (size_t)snprintf(buffer, size, "%s%s%s%s", place, error->key, sep, error->message);
}
