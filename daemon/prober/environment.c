/* MESOS_* variables. */
#include <stdio.h>
#include <string.h>

#include "mesos/session.h"
#include "prober/duration.h"
#include "prober/environment.h"

/* What an agent does by default; it always sets what matters to it. */
#define RECOVERY_MS (15 * 60 * 1000)
#define BACKOFF_MS  2000
#define GRACE_MS    5000

static bool read_duration(char *(*get)(const char *name), const char *name, uint64_t fallback,
                          uint64_t *ms, char *error, size_t error_size)
{
    const char *text = get(name);

    *ms = fallback;
    if (!text || text[0] == '\0' || duration_parse(text, ms))
        return true;
    snprintf(error, error_size, "%s is not a duration: %.60s", name, text);
    return false;
}

static bool read_required(char *(*get)(const char *name), const char *name, const char **value,
                          char *error, size_t error_size)
{
    *value = get(name);
    if (*value && **value != '\0')
        return true;
    snprintf(error, error_size, "%s is not set: only a Mesos agent starts this program", name);
    return false;
}

bool environment_read(struct environment *environment, char *(*get)(const char *name), char *error,
                      size_t error_size)
{
    struct environment *e = environment;
    const char *endpoint;
    char location[300];

    if (!read_required(get, "MESOS_AGENT_ENDPOINT", &endpoint, error, error_size) ||
        !read_required(get, "MESOS_FRAMEWORK_ID", &e->framework_id, error, error_size) ||
        !read_required(get, "MESOS_EXECUTOR_ID", &e->executor_id, error, error_size) ||
        !read_duration(get, "MESOS_RECOVERY_TIMEOUT", RECOVERY_MS, &e->recovery_ms, error,
                       error_size) ||
        !read_duration(get, "MESOS_SUBSCRIPTION_BACKOFF_MAX", BACKOFF_MS, &e->backoff_ms, error,
                       error_size) ||
        !read_duration(get, "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", GRACE_MS, &e->grace_ms, error,
                       error_size))
        return false;

    int n = snprintf(location, sizeof(location), "//%s", endpoint);
    if (n >= (int)sizeof(location) ||
        !session_parse_location(location, e->host, sizeof(e->host), &e->port)) {
        snprintf(error, error_size, "MESOS_AGENT_ENDPOINT is not host:port: %.60s", endpoint);
        return false;
    }

    const char *checkpoint = get("MESOS_CHECKPOINT");
    e->checkpoint = checkpoint && strcmp(checkpoint, "1") == 0;
    e->token = get("MESOS_EXECUTOR_AUTHENTICATION_TOKEN");
    if (!e->token)
        e->token = "";
    return true;
}
