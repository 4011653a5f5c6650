/*
 * Orders about the plan, its steps and hosts: POST /v1/plan/VERB, /v1/plan/steps/ID/VERB,
 * /v1/hosts/NAME/VERB; and GET /v1/hosts/NAME/safe-to-stop. Answers are JSON: 200 taken and saved,
 * 202 taken and saved, but a rule holds it: the reason is told.
 */
#include <stdlib.h>
#include <string.h>

#include "http/api_private.h"
#include "http/json.h"

#define FOR_MAX (10ULL * 365 * 24 * 3600 * 1000) /* longest end that makes sense, ms */

struct order_route {
    const char *prefix; /* what stands before the subject; with VERB right behind it without one */
    const char *verb;
    enum qm_command_type type;
    bool subject;
};

static const struct order_route routes[] = {
    {"/v1/plan/", "pause", QM_COMMAND_PAUSE, false},
    {"/v1/plan/", "resume", QM_COMMAND_RESUME, false},
    {"/v1/plan/", "rollback", QM_COMMAND_ROLLBACK, false},
    {"/v1/plan/steps/", "retry", QM_COMMAND_STEP_RETRY, true},
    {"/v1/plan/steps/", "skip", QM_COMMAND_STEP_SKIP, true},
    {"/v1/plan/steps/", "restart", QM_COMMAND_STEP_RESTART, true},
    {"/v1/plan/steps/", "replace", QM_COMMAND_STEP_REPLACE, true},
    {"/v1/hosts/", "drain", QM_COMMAND_HOST_DRAIN, true},
    {"/v1/hosts/", "readmit", QM_COMMAND_HOST_READMIT, true},
    {"/v1/hosts/", "forget", QM_COMMAND_HOST_FORGET, true},
};

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;

    if (c >= '0' && c <= '9')
        return c - '0';
    return at ? (int)(at - digits) : -1;
}

/* Undoes %XX, and + in queries. False: malformed, a NUL byte, or too long. */
static bool decode(const char *from, size_t length, bool query, char *to, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < length; i++) {
        char c = from[i];

        if (c == '%') {
            int high = i + 2 < length ? hex_digit(from[i + 1]) : -1;
            int low = i + 2 < length ? hex_digit(from[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && query) {
            c = ' ';
        }
        if (c == '\0' || n + 1 >= size)
            return false;
        to[n++] = c;
    }
    to[n] = '\0';
    return true;
}

/* A parameter's value, decoded. False: malformed or too long; absent is "". */
static bool query_value(const char *query, const char *name, char *to, size_t size)
{
    size_t length = strlen(name);

    to[0] = '\0';
    while (*query) {
        size_t part = strcspn(query, "&");

        if (part > length && strncmp(query, name, length) == 0 && query[length] == '=')
            return decode(query + length + 1, part - length - 1, true, to, size);
        query += part + (query[part] == '&');
    }
    return true;
}

/* "2h", "90s", "1d12h": numbers, each with its unit. 0: not a duration. */
static qm_duration parse_for(const char *text)
{
    qm_duration total = 0;

    do {
        char *end;
        unsigned long long n, unit;

        if (*text < '0' || *text > '9')
            return 0;
        n = strtoull(text, &end, 10);
        unit = *end == 's'   ? 1000
               : *end == 'm' ? 60000
               : *end == 'h' ? 3600000
               : *end == 'd' ? 86400000
                             : 0;
        if (unit == 0 || n > FOR_MAX / unit || (total += n * unit) > FOR_MAX)
            return 0;
        text = end + 1;
    } while (*text);
    return total;
}

struct order {
    char subject[300], why[512], source[128];
    struct qm_command command;
};

static bool read_numbers(struct api_call *call, struct order *order)
{
    const char *query = call->request->query;
    char text[64], *end;
    qm_duration duration;

    if (!query_value(query, "for", text, sizeof(text)))
        text[0] = '?', text[1] = '\0';
    if (text[0]) {
        duration = parse_for(text);
        if (duration == 0) {
            answer_error(call, true, 400, "for=%s is not a duration such as 90s, 30m, 2h, 1d",
                         text);
            return false;
        }
        order->command.expires = call->status.now + duration;
    }
    if (!query_value(query, "plan", text, sizeof(text)))
        text[0] = '?', text[1] = '\0';
    if (text[0]) {
        order->command.plan = strtoull(text, &end, 10);
        if (*end || text[0] < '1' || text[0] > '9') {
            answer_error(call, true, 400, "plan=%s is not a plan's number", text);
            return false;
        }
    }
    return true;
}

static bool read_order(struct api_call *call, const struct order_route *route, struct order *order)
{
    if (!query_value(call->request->query, "why", order->why, sizeof(order->why))) {
        answer_error(call, true, 400, "why is too long or not well-formed");
        return false;
    }
    snprintf(order->source, sizeof(order->source), "HTTP%s%.100s",
             call->request->peer && *call->request->peer ? " from " : "",
             call->request->peer ? call->request->peer : "");
    order->command.type = route->type;
    order->command.subject = order->subject;
    order->command.reason = order->why;
    order->command.source = order->source;
    return read_numbers(call, order);
}

static void answer_refused(struct api_call *call, int result)
{
    const char *why = qm_planner_refusal(call->planner);
    int status = result == QM_E_UNKNOWN   ? 404
                 : result == QM_E_INVALID ? 400
                 : result > 0             ? 409
                                          : 500;

    answer_error(call, true, status, "%s; nothing was changed", *why ? why : qm_strerror(result));
}

static void give(struct api_call *call, const struct order *order)
{
    const struct front_callbacks *callbacks = call->context->callbacks;
    struct qm_reason why = {.code = QM_WHY_NOTHING};
    uint64_t revision = 0;
    int result = callbacks->command(callbacks->userdata, &order->command, &revision);
    bool held;

    if (result != 0) {
        answer_refused(call, result);
        return;
    }
    held = qm_command_held(call->planner, &order->command, &why);
    answer_json(
        call->response, held ? 202 : 200,
        json_pack("{s:s, s:o, s:o, s:o}", "order", qm_command_name(order->command.type), "subject",
                  json_string_lossy(order->subject), "until_ms",
                  json_time(order->command.expires ? order->command.expires : QM_TIME_NEVER),
                  "reason", json_reason_with(call, &why, order->subject, "")));
    call->response->wait_revision = revision;
}

/* Where the subject stands in "/v1/hosts/NAME/drain"; NULL: another path. */
static const char *subject_of(const char *path, const char *prefix, const char *verb,
                              size_t *length)
{
    size_t before = strlen(prefix), after = strlen(verb), all = strlen(path);

    if (all < before + after + 2 || strncmp(path, prefix, before) != 0 ||
        strcmp(path + all - after, verb) != 0 || path[all - after - 1] != '/')
        return NULL;
    *length = all - after - 1 - before;
    return memchr(path + before, '/', *length) ? NULL : path + before;
}

static const struct order_route *find(const char *path, const char **subject, size_t *length)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        const struct order_route *route = &routes[i];
        size_t before = strlen(route->prefix);

        *subject = "";
        *length = 0;
        if (!route->subject) {
            if (strncmp(path, route->prefix, before) == 0 &&
                strcmp(path + before, route->verb) == 0)
                return route;
            continue;
        }
        *subject = subject_of(path, route->prefix, route->verb, length);
        if (*subject)
            return route;
    }
    return NULL;
}

bool api_is_order(const char *path)
{
    const char *subject;
    size_t length;

    return find(path, &subject, &length) != NULL;
}

void api_order_post(struct api_call *call)
{
    struct order order = {.subject = ""};
    const struct order_route *route;
    const char *subject;
    size_t length;

    route = find(call->request->path, &subject, &length);
    if (!route || !decode(subject, length, false, order.subject, sizeof(order.subject)))
        answer_error(call, true, 400, "the path is not well-formed");
    else if (read_order(call, route, &order))
        give(call, &order);
}

bool api_is_safe_to_stop(const char *path)
{
    size_t length;

    return subject_of(path, "/v1/hosts/", "safe-to-stop", &length) != NULL;
}

void api_safe_to_stop(struct api_call *call)
{
    struct qm_reason why;
    char host[300];
    size_t length = 0;
    const char *subject = subject_of(call->request->path, "/v1/hosts/", "safe-to-stop", &length);
    int result;

    if (!subject || !decode(subject, length, false, host, sizeof(host))) {
        answer_error(call, true, 400, "the path is not well-formed");
        return;
    }
    result = qm_host_safe_to_stop(call->planner, host, &why);
    if (result == QM_E_UNKNOWN)
        answer_error(call, true, 404, "no such host: %.200s", host);
    else if (result == 0)
        answer_json(call->response, 200,
                    json_pack("{s:o, s:b}", "host", json_string_lossy(host), "safe", true));
    else
        answer_json(call->response, 409,
                    json_pack("{s:o, s:b, s:o}", "host", json_string_lossy(host), "safe", false,
                              "reason", json_reason_with(call, &why, "", host)));
}
