/*
 * Turns messages into a few words by their JSON form, so that both encodings and both APIs need one
 * reader only.
 */
#include "trace.h"
#include "json_map.h"
#include "sim.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add(char *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(char *words, const char *format, ...)
{
    size_t length = strlen(words);
    va_list args;

    va_start(args, format);
    vsnprintf(words + length, TRACE_MAX - length, format, args);
    va_end(args);
}

static const char *text_at(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text ? text : "";
}

static const char *id_at(const json_t *json, const char *name)
{
    return text_at(json_object_get(json, name), "value");
}

static json_t *read_body(const ProtobufCMessageDescriptor *descriptor, const uint8_t *body,
                         size_t size)
{
    char error[JSON_MAP_ERROR_MAX];
    ProtobufCMessage *message;
    json_t *json;

    if (size > 0 && *body == '{')
        return json_map_parse((const char *)body, size, error);
    message = protobuf_c_message_unpack(descriptor, NULL, size, body);
    json = message ? json_map_from_message(message) : NULL;
    protobuf_c_message_free_unpacked(message, NULL);
    return json;
}

static void add_status(char *words, const json_t *update)
{
    const json_t *status = json_object_get(update, "status");

    if (status)
        add(words, " %s %s %s", id_at(status, "task_id"), text_at(status, "state"),
            text_at(status, "message"));
}

static void add_launched(char *words, const json_t *accept)
{
    const json_t *operation;
    const json_t *task;
    size_t i;
    size_t k;

    json_array_foreach(json_object_get(accept, "operations"), i, operation)
    {
        const json_t *launch = json_object_get(operation, "launch");

        json_array_foreach(json_object_get(launch, "task_infos"), k, task)
            add(words, " %s", id_at(task, "task_id"));
    }
}

static void describe(char *words, const json_t *json)
{
    const json_t *body = json_object_get(json, "acknowledge");

    add(words, "%s", text_at(json, "type"));
    add_status(words, json_object_get(json, "update"));
    add_launched(words, json_object_get(json, "accept"));
    if (!body)
        body = json_object_get(json, "kill");
    if (body)
        add(words, " %s", id_at(body, "task_id"));
    body = json_object_get(json, "offers");
    if (body)
        add(words, " (%zu)", json_array_size(json_object_get(body, "offers")));
    body = json_object_get(json, "error");
    if (body)
        add(words, " %s", text_at(body, "message"));
}

void trace_call(char *words, int target, const uint8_t *body, size_t size)
{
    json_t *json = read_body(target == SIM_MASTER ? &mesos__v1__scheduler__call__descriptor
                                                  : &mesos__v1__executor__call__descriptor,
                             body, size);

    words[0] = '\0';
    describe(words, json);
    json_decref(json);
}

void trace_record(char *words, int target, const uint8_t *record, size_t size)
{
    const uint8_t *end = memchr(record, '\n', size);
    size_t head = end ? (size_t)(end - record) + 1 : size;
    json_t *json = read_body(target == SIM_MASTER ? &mesos__v1__scheduler__event__descriptor
                                                  : &mesos__v1__executor__event__descriptor,
                             record + head, size - head);

    words[0] = '\0';
    describe(words, json);
    json_decref(json);
}
