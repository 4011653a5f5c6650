/*
 * JSON <-> protobuf, driven by protobuf-c's descriptors, with the mapping that Mesos 1.11 uses:
 * field names as in the .proto file, enums by name, bytes as base64, numbers as numbers, maps as
 * objects, null and unknown fields ignored, optional fields that have a declared default written
 * with it even when unset (deprecated ones not).
 *
 * There is no generated code behind it: whatever message the simulator speaks can be read and
 * written.
 */
#ifndef MESOS_SIM_JSON_MAP_H
#define MESOS_SIM_JSON_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#define JSON_MAP_ERROR_MAX 512

/* The message as a JSON object (a new reference), or NULL when memory ends. An enum number without
 * a name leaves its field out, as Mesos does. */
json_t *json_map_from_message(const ProtobufCMessage *message);

/* The message that `json` describes, unpacked with protobuf-c's own allocator (free it with
 * protobuf_c_message_free_unpacked). NULL on error, with the words that Mesos uses in `error`
 * (JSON_MAP_ERROR_MAX bytes; never NULL). */
ProtobufCMessage *json_map_to_message(const ProtobufCMessageDescriptor *descriptor,
                                      const json_t *json, char *error);

/* Parses text of `size` bytes. NULL on error, with Mesos' words in `error` ("syntax error at line 1
 * near: ..."). */
json_t *json_map_parse(const char *text, size_t size, char *error);

/* Compact text of a JSON value, with numbers in the shortest form that reads back as the same
 * double. The caller frees it; NULL when memory ends. `*ret_size` may be NULL. */
char *json_map_text(const json_t *json, size_t *ret_size);

/* Whether a repeated field is a map<string, ...>. protobuf-c doesn't say; the entry message gives
 * it away by its name and shape. */
bool json_map_is_map(const ProtobufCFieldDescriptor *field);

#endif
