/*
 * JSON to protobuf: the JSON tree is written out as wire bytes, field by field as the descriptor
 * says, and protobuf-c unpacks them. So nothing here depends on how protobuf-c lays out its
 * structs. The words of the errors are those that Mesos answers with.
 */
#include "json_map.h"
#include "base64.h"

#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIRE_VARINT 0
#define WIRE_64BIT  1
#define WIRE_BYTES  2
#define WIRE_32BIT  5

struct reader {
    char *error;
};

static int write_message(struct reader *reader, ProtobufCBufferSimple *out,
                         const ProtobufCMessageDescriptor *descriptor, const json_t *json);

static int fail(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int fail(struct reader *reader, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reader->error, JSON_MAP_ERROR_MAX, format, args);
    va_end(args);
    return -EINVAL;
}

/* ---- wire bytes ---- */

static void put_bytes(ProtobufCBufferSimple *out, const void *data, size_t size)
{
    if (size > 0)
        out->base.append(&out->base, size, data);
}

static void put_varint(ProtobufCBufferSimple *out, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;

    do {
        bytes[n] = value & 0x7f;
        value >>= 7;
        if (value)
            bytes[n] |= 0x80;
        n++;
    } while (value);
    put_bytes(out, bytes, n);
}

static void put_tag(ProtobufCBufferSimple *out, const ProtobufCFieldDescriptor *field, int wire)
{
    put_varint(out, (uint64_t)field->id << 3 | (unsigned int)wire);
}

static void put_sized(ProtobufCBufferSimple *out, const ProtobufCFieldDescriptor *field,
                      const void *data, size_t size)
{
    put_tag(out, field, WIRE_BYTES);
    put_varint(out, size);
    put_bytes(out, data, size);
}

static void put_64bit(ProtobufCBufferSimple *out, const ProtobufCFieldDescriptor *field,
                      uint64_t value)
{
    value = htole64(value);
    put_tag(out, field, WIRE_64BIT);
    put_bytes(out, &value, sizeof(value));
}

static void put_32bit(ProtobufCBufferSimple *out, const ProtobufCFieldDescriptor *field,
                      uint32_t value)
{
    value = htole32(value);
    put_tag(out, field, WIRE_32BIT);
    put_bytes(out, &value, sizeof(value));
}

/* ---- numbers ---- */

static bool is_number(ProtobufCType type)
{
    return type != PROTOBUF_C_TYPE_BOOL && type != PROTOBUF_C_TYPE_ENUM &&
           type != PROTOBUF_C_TYPE_STRING && type != PROTOBUF_C_TYPE_BYTES &&
           type != PROTOBUF_C_TYPE_MESSAGE;
}

/* A double outside of the target's range is undefined behaviour in C, so it is cut at the range's
 * ends. */
static int64_t to_signed(const json_t *json, double real)
{
    if (json_is_integer(json))
        return json_integer_value(json);
    if (isnan(real))
        return 0;
    if (real >= 0x1p63)
        return INT64_MAX;
    return real <= -0x1p63 ? INT64_MIN : (int64_t)real;
}

static uint64_t to_unsigned(const json_t *json, double real)
{
    if (json_is_integer(json))
        return (uint64_t)json_integer_value(json);
    if (isnan(real) || real <= 0)
        return real < 0 ? (uint64_t)to_signed(json, real) : 0;
    return real >= 0x1p64 ? UINT64_MAX : (uint64_t)real;
}

static void put_number(ProtobufCBufferSimple *out, const ProtobufCFieldDescriptor *field,
                       const json_t *json, double real)
{
    int64_t value = to_signed(json, real);
    float single = (float)real;
    uint64_t bits64;
    uint32_t bits32;

    switch (field->type) {
    case PROTOBUF_C_TYPE_DOUBLE:
        memcpy(&bits64, &real, sizeof(bits64));
        put_64bit(out, field, bits64);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        memcpy(&bits32, &single, sizeof(bits32));
        put_32bit(out, field, bits32);
        break;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
        put_64bit(out, field, to_unsigned(json, real));
        break;
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
        put_32bit(out, field, (uint32_t)value);
        break;
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SINT64:
        put_tag(out, field, WIRE_VARINT);
        put_varint(out, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
        break;
    default:
        put_tag(out, field, WIRE_VARINT);
        put_varint(out, to_unsigned(json, real));
        break;
    }
}

static int write_number_text(struct reader *reader, ProtobufCBufferSimple *out,
                             const ProtobufCFieldDescriptor *field, const char *text)
{
    json_t *integer;
    char *end;
    double real = strtod(text, &end);

    if (*text == '\0' || *end != '\0')
        return fail(reader, "Failed to parse '%.100s' as a JSON number for field '%s'", text,
                    field->name);
    if (strspn(text, "+-0123456789") == strlen(text)) { /* exact beyond 53 bits */
        integer = json_integer(*text == '-' ? strtoll(text, NULL, 10)
                                            : (json_int_t)strtoull(text, NULL, 10));
        if (!integer)
            return fail(reader, "out of memory");
        put_number(out, field, integer, real);
        json_decref(integer);
    } else {
        json_t *none = json_null();

        put_number(out, field, none, real);
    }
    return 0;
}

/* ---- values ---- */

static int write_bytes(struct reader *reader, ProtobufCBufferSimple *out,
                       const ProtobufCFieldDescriptor *field, const json_t *json)
{
    uint8_t *data;
    size_t size;
    char bad = '\0';

    switch (base64_decode(json_string_value(json), json_string_length(json), &data, &size, &bad)) {
    case 0:
        break;
    case -EINVAL:
        return fail(reader, "Failed to base64 decode bytes field '%s': Invalid character '%c'",
                    field->name, bad ? bad : '=');
    default:
        return fail(reader, "out of memory");
    }
    put_sized(out, field, data, size);
    free(data);
    return 0;
}

static int write_enum(struct reader *reader, ProtobufCBufferSimple *out,
                      const ProtobufCFieldDescriptor *field, const char *name)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, name);

    if (!value) /* a newer client's word: Mesos leaves the field unset, unless it cannot */
        return field->label == PROTOBUF_C_LABEL_REQUIRED
                   ? fail(reader, "Failed to find enum for '%.100s'", name)
                   : 0;
    put_tag(out, field, WIRE_VARINT);
    put_varint(out, (uint64_t)(int64_t)value->value);
    return 0;
}

static int write_string(struct reader *reader, ProtobufCBufferSimple *out,
                        const ProtobufCFieldDescriptor *field, const json_t *json)
{
    if (field->type == PROTOBUF_C_TYPE_STRING)
        put_sized(out, field, json_string_value(json), json_string_length(json));
    else if (field->type == PROTOBUF_C_TYPE_BYTES)
        return write_bytes(reader, out, field, json);
    else if (field->type == PROTOBUF_C_TYPE_ENUM)
        return write_enum(reader, out, field, json_string_value(json));
    else if (is_number(field->type))
        return write_number_text(reader, out, field, json_string_value(json));
    else
        return fail(reader, "Not expecting a JSON string for field '%s'", field->name);
    return 0;
}

static int write_object(struct reader *reader, ProtobufCBufferSimple *out,
                        const ProtobufCFieldDescriptor *field, const json_t *json)
{
    uint8_t pad[256];
    ProtobufCBufferSimple inner = PROTOBUF_C_BUFFER_SIMPLE_INIT(pad);
    int r;

    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return fail(reader, "Not expecting a JSON object for field '%s'", field->name);
    r = write_message(reader, &inner, field->descriptor, json);
    if (r == 0)
        put_sized(out, field, inner.data, inner.len);
    PROTOBUF_C_BUFFER_SIMPLE_CLEAR(&inner);
    return r;
}

static int write_value(struct reader *reader, ProtobufCBufferSimple *out,
                       const ProtobufCFieldDescriptor *field, const json_t *json)
{
    const json_t *element;
    size_t i;

    switch (json_typeof(json)) {
    case JSON_NULL:
        return 0;
    case JSON_STRING:
        return write_string(reader, out, field, json);
    case JSON_INTEGER:
    case JSON_REAL:
        if (!is_number(field->type))
            return fail(reader, "Not expecting a JSON number for field '%s'", field->name);
        put_number(out, field, json, json_number_value(json));
        return 0;
    case JSON_TRUE:
    case JSON_FALSE:
        if (field->type != PROTOBUF_C_TYPE_BOOL)
            return fail(reader, "Not expecting a JSON boolean for field '%s'", field->name);
        put_tag(out, field, WIRE_VARINT);
        put_varint(out, json_is_true(json));
        return 0;
    case JSON_OBJECT:
        return write_object(reader, out, field, json);
    case JSON_ARRAY:
        if (field->label != PROTOBUF_C_LABEL_REPEATED)
            return fail(reader, "Not expecting a JSON array for field '%s'", field->name);
        json_array_foreach((json_t *)json, i, element)
        {
            int r = write_value(reader, out, field, element);

            if (r < 0)
                return r;
        }
        return 0;
    }
    return 0;
}

bool json_map_is_map(const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    size_t length;

    if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE)
        return false;
    length = strlen(entry->short_name);
    return length > 5 && !strcmp(entry->short_name + length - 5, "Entry") && entry->n_fields == 2 &&
           !strcmp(entry->fields[0].name, "key") && !strcmp(entry->fields[1].name, "value") &&
           entry->fields[0].type == PROTOBUF_C_TYPE_STRING;
}

static int write_map(struct reader *reader, ProtobufCBufferSimple *out,
                     const ProtobufCFieldDescriptor *field, const json_t *json)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)json, key, value)
    {
        json_t *entry = json_pack("{s:s, s:O}", "key", key, "value", value);
        int r = entry ? write_object(reader, out, field, entry) : fail(reader, "out of memory");

        json_decref(entry);
        if (r < 0)
            return r;
    }
    return 0;
}

static int write_message(struct reader *reader, ProtobufCBufferSimple *out,
                         const ProtobufCMessageDescriptor *descriptor, const json_t *json)
{
    for (unsigned int i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        const json_t *value = json_object_get(json, field->name);
        int r;

        if (!value)
            continue;
        if (json_is_object(value) && json_map_is_map(field))
            r = write_map(reader, out, field, value);
        else
            r = write_value(reader, out, field, value);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- required fields ---- */

static void add_missing(char *list, const char *path, const char *name)
{
    size_t length = strlen(list);

    snprintf(list + length, JSON_MAP_ERROR_MAX - length, "%s%s%s", length > 0 ? ", " : "", path,
             name);
}

static void find_missing(const ProtobufCMessageDescriptor *descriptor, const json_t *json,
                         const char *path, char *list)
{
    char deeper[256];
    const json_t *element;
    size_t n;

    for (unsigned int i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        const json_t *value = json_object_get(json, field->name);

        if (field->label == PROTOBUF_C_LABEL_REQUIRED && (!value || json_is_null(value)))
            add_missing(list, path, field->name);
    }
    for (unsigned int i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        const json_t *value = json_object_get(json, field->name);

        if (field->type != PROTOBUF_C_TYPE_MESSAGE || !value || json_map_is_map(field))
            continue;
        snprintf(deeper, sizeof(deeper), "%s%s.", path, field->name);
        if (json_is_object(value))
            find_missing(field->descriptor, value, deeper, list);
        json_array_foreach((json_t *)value, n, element)
        {
            snprintf(deeper, sizeof(deeper), "%s%s[%zu].", path, field->name, n);
            if (json_is_object(element))
                find_missing(field->descriptor, element, deeper, list);
        }
    }
}

ProtobufCMessage *json_map_to_message(const ProtobufCMessageDescriptor *descriptor,
                                      const json_t *json, char *error)
{
    uint8_t pad[1024];
    ProtobufCBufferSimple out = PROTOBUF_C_BUFFER_SIMPLE_INIT(pad);
    struct reader reader = {.error = error};
    char missing[JSON_MAP_ERROR_MAX] = "";
    ProtobufCMessage *message = NULL;

    error[0] = '\0';
    if (!json_is_object(json)) {
        fail(&reader, "Expecting a JSON object");
        return NULL;
    }
    if (write_message(&reader, &out, descriptor, json) == 0) {
        find_missing(descriptor, json, "", missing);
        if (missing[0])
            fail(&reader, "Missing required fields: %.480s", missing);
        else
            message = protobuf_c_message_unpack(descriptor, NULL, out.len, out.data);
        if (!message && !error[0])
            fail(&reader, "Failed to unpack the message");
    }
    PROTOBUF_C_BUFFER_SIMPLE_CLEAR(&out);
    return message;
}

/* ---- text ---- */

/* Mesos' parser names the line and prints the rest of it, control characters left out. */
static void syntax_error(const char *text, size_t size, const json_error_t *at, char *error)
{
    size_t length = (size_t)snprintf(error, JSON_MAP_ERROR_MAX,
                                     "syntax error at line %d near: ", at->line > 0 ? at->line : 1);
    size_t i = at->position > 0 ? (size_t)at->position : 0;

    for (; i < size && text[i] != '\n' && length + 1 < JSON_MAP_ERROR_MAX; i++)
        if (text[i] >= ' ')
            error[length++] = text[i];
    error[length] = '\0';
}

json_t *json_map_parse(const char *text, size_t size, char *error)
{
    json_error_t at;
    json_t *json = json_loadb(text ? text : "", text ? size : 0,
                              JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &at);

    error[0] = '\0';
    if (!json) {
        syntax_error(text, size, &at, error);
        return NULL;
    }
    for (size_t i = (size_t)at.position; i < size; i++) {
        if (!strchr(" \t\r\n", text[i]) || text[i] == '\0') {
            snprintf(error, JSON_MAP_ERROR_MAX,
                     "Parsed JSON included non-whitespace trailing characters: %.*s",
                     (int)(size - (size_t)at.position < 256 ? size - (size_t)at.position : 256),
                     text + at.position);
            json_decref(json);
            return NULL;
        }
    }
    return json;
}
