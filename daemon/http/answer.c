/* Responses as text and JSON. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "http/api_private.h"

static void answer_no_memory(struct http_response *response)
{
    *response = (struct http_response){.status = 500, .content_type = "text/plain; charset=utf-8"};
}

void answer_page(struct http_response *response, int status, const char *content_type, char *body,
                 size_t length)
{
    if (!body) {
        answer_no_memory(response);
        return;
    }
    response->status = status;
    response->content_type = content_type;
    response->body = body;
    response->length = length;
}

void answer_text(struct http_response *response, int status, const char *format, ...)
{
    char *body = NULL;
    va_list args;
    int n;

    va_start(args, format);
    n = vasprintf(&body, format, args);
    va_end(args);
    answer_page(response, status, "text/plain; charset=utf-8", n < 0 ? NULL : body,
                n < 0 ? 0 : (size_t)n);
}

void answer_json(struct http_response *response, int status, json_t *value)
{
    char *body = value ? json_dumps(value, JSON_COMPACT) : NULL;

    json_decref(value);
    answer_page(response, status, "application/json", body, body ? strlen(body) : 0);
}

static const char *error_word(int status)
{
    switch (status) {
    case 400:
        return "bad_request";
    case 403:
        return "forbidden";
    case 404:
        return "not_found";
    case 405:
        return "method_not_allowed";
    case 409:
        return "conflict";
    case 413:
        return "too_large";
    case 503:
        return "unavailable";
    default:
        return "internal";
    }
}

void answer_error(struct api_call *call, bool json, int status, const char *format, ...)
{
    char message[512];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (json)
        answer_json(call->response, status,
                    json_pack("{s:s, s:o}", "error", error_word(status), "message",
                              json_string_lossy(message)));
    else
        answer_text(call->response, status, "%s\n", message);
}

json_t *json_string_lossy(const char *text)
{
    json_t *value = json_string(text);
    char *copy;

    if (value)
        return value;
    copy = strdup(text);
    if (!copy)
        return NULL;
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    value = json_string(copy);
    free(copy);
    return value;
}

bool query_has(const char *query, const char *name)
{
    size_t length = strlen(name);

    while (*query) {
        size_t part = strcspn(query, "&");

        if (strncmp(query, name, length) == 0 &&
            (part == length || (part > length && query[length] == '=')))
            return true;
        query += part + (query[part] == '&');
    }
    return false;
}

void http_response_deinit(struct http_response *response)
{
    free(response->body);
    *response = (struct http_response){0};
}
