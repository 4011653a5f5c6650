/*
 * Protobuf to JSON: walks an unpacked protobuf-c message by its descriptor. Only documented parts
 * of protobuf-c's layout are used: the field's offset, its quantifier (has_x or n_x) and its
 * declared default.
 */
#include "json_map.h"
#include "base64.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text from outside may not be UTF-8; jansson refuses it, Mesos would not. The odd bytes become
 * '?'. */
static json_t *string_value(const char *text)
{
    json_t *json = json_string(text ? text : "");
    char *copy;

    if (json)
        return json;
    copy = strdup(text);
    for (char *c = copy; c && *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    json = copy ? json_string(copy) : NULL;
    free(copy);
    return json;
}

static json_t *double_value(double value)
{
    if (isnan(value))
        return json_string("NaN");
    if (isinf(value))
        return json_string(value > 0 ? "Infinity" : "-Infinity");
    return json_real(value);
}

static json_t *unsigned_value(uint64_t value)
{
    return value <= INT64_MAX ? json_integer((json_int_t)value) : json_real((double)value);
}

static json_t *bytes_value(const ProtobufCBinaryData *bytes)
{
    char *text = base64_encode(bytes->data, bytes->len);
    json_t *json = text ? json_string(text) : NULL;

    free(text);
    return json;
}

/* NULL with `*skip` set: an enum number that has no name. */
static json_t *member_value(const ProtobufCFieldDescriptor *field, const void *member, bool *skip)
{
    const ProtobufCEnumValue *value;

    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return json_integer(*(const int32_t *)member);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return json_integer(*(const int64_t *)member);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return json_integer(*(const uint32_t *)member);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return unsigned_value(*(const uint64_t *)member);
    case PROTOBUF_C_TYPE_FLOAT:
        return double_value((double)*(const float *)member);
    case PROTOBUF_C_TYPE_DOUBLE:
        return double_value(*(const double *)member);
    case PROTOBUF_C_TYPE_BOOL:
        return json_boolean(*(const protobuf_c_boolean *)member);
    case PROTOBUF_C_TYPE_ENUM:
        value = protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)member);
        *skip = !value;
        return value ? json_string(value->name) : NULL;
    case PROTOBUF_C_TYPE_STRING:
        return string_value(*(char *const *)member);
    case PROTOBUF_C_TYPE_BYTES:
        return bytes_value(member);
    case PROTOBUF_C_TYPE_MESSAGE:
        return json_map_from_message(*(ProtobufCMessage *const *)member);
    }
    return NULL;
}

static size_t member_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 4;
    }
}

/* Deprecated in Mesos' own .proto files. Ours don't say so, for protobuf-c would then warn wherever
 * they are used. */
static bool is_deprecated(const ProtobufCMessageDescriptor *descriptor,
                          const ProtobufCFieldDescriptor *field)
{
    return !strcmp(field->name, "role") && (!strcmp(descriptor->name, "mesos.v1.Resource") ||
                                            !strcmp(descriptor->name, "mesos.v1.FrameworkInfo"));
}

/* Mesos writes an optional field with a declared default even when it is unset, unless it is
 * deprecated. */
static bool is_written(const ProtobufCMessageDescriptor *descriptor,
                       const ProtobufCFieldDescriptor *field, const uint8_t *base)
{
    const void *member = base + field->offset;
    bool set;

    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) /* its union belongs to one field at a time */
        return *(const uint32_t *)(base + field->quantifier_offset) == field->id;
    if (field->label == PROTOBUF_C_LABEL_REQUIRED)
        return true;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(void *const *)member;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        set = *(const void *const *)member && *(const void *const *)member != field->default_value;
    else
        set = *(const protobuf_c_boolean *)(base + field->quantifier_offset);
    return set || (field->default_value && !is_deprecated(descriptor, field));
}

static json_t *map_value(const ProtobufCFieldDescriptor *field, ProtobufCMessage *const *entries,
                         size_t n_entries)
{
    const ProtobufCMessageDescriptor *descriptor = field->descriptor;
    json_t *object = json_object();

    for (size_t i = 0; object && i < n_entries; i++) {
        const uint8_t *entry = (const uint8_t *)entries[i];
        const char *key = *(char *const *)(entry + descriptor->fields[0].offset);
        bool skip = false;
        json_t *value =
            member_value(&descriptor->fields[1], entry + descriptor->fields[1].offset, &skip);

        if (value)
            json_object_set_new(object, key ? key : "", value);
    }
    return object;
}

static json_t *repeated_value(const ProtobufCFieldDescriptor *field, const void *members, size_t n)
{
    const uint8_t *member = members;
    json_t *array;

    if (json_map_is_map(field))
        return map_value(field, members, n);
    array = json_array();
    for (size_t i = 0; array && i < n; i++, member += member_size(field->type)) {
        bool skip = false;
        json_t *value = member_value(field, member, &skip);

        if (skip)
            continue;
        if (!value || json_array_append_new(array, value) < 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

json_t *json_map_from_message(const ProtobufCMessage *message)
{
    const uint8_t *base = (const uint8_t *)message;
    json_t *object = json_object();

    for (unsigned int i = 0; object && i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const void *member = base + field->offset;
        bool skip = false;
        json_t *value;

        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t n = *(const size_t *)(base + field->quantifier_offset);

            if (n == 0)
                continue;
            value = repeated_value(field, *(void *const *)member, n);
        } else if (is_written(message->descriptor, field, base)) {
            value = member_value(field, member, &skip);
        } else {
            continue;
        }
        if (skip)
            continue;
        if (!value || json_object_set_new(object, field->name, value) < 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* ---- text ---- */

/* 0.1 must not become 0.10000000000000001: take the fewest digits that read back as the same value.
 */
static void write_double(FILE *out, double value)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(text, out);
    if (!strpbrk(text, ".e"))
        fputs(".0", out);
}

static void write_string(FILE *out, const json_t *json)
{
    char *text = json_dumps(json, JSON_ENCODE_ANY);

    fputs(text ? text : "\"\"", out);
    free(text);
}

static void write_key(FILE *out, const char *key)
{
    json_t *text = json_string(key);

    write_string(out, text);
    json_decref(text);
}

static void write_json(FILE *out, const json_t *json)
{
    const char *key;
    const json_t *element;
    json_t *value;
    size_t i;
    bool first = true;

    switch (json_typeof(json)) {
    case JSON_OBJECT:
        fputc('{', out);
        json_object_foreach((json_t *)json, key, value)
        {
            if (!first)
                fputc(',', out);
            first = false;
            write_key(out, key);
            fputc(':', out);
            write_json(out, value);
        }
        fputc('}', out);
        break;
    case JSON_ARRAY:
        fputc('[', out);
        json_array_foreach((json_t *)json, i, element)
        {
            if (i > 0)
                fputc(',', out);
            write_json(out, element);
        }
        fputc(']', out);
        break;
    case JSON_STRING:
        write_string(out, json);
        break;
    case JSON_INTEGER:
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        break;
    case JSON_REAL:
        write_double(out, json_real_value(json));
        break;
    case JSON_TRUE:
        fputs("true", out);
        break;
    case JSON_FALSE:
        fputs("false", out);
        break;
    case JSON_NULL:
        fputs("null", out);
        break;
    }
}

char *json_map_text(const json_t *json, size_t *ret_size)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = json ? open_memstream(&text, &size) : NULL;

    if (!out)
        return NULL;
    write_json(out, json);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    if (ret_size)
        *ret_size = size;
    return text;
}
