/* A message as protobuf's debug text, which some of Mesos' refusals quote. */
#include "core.h"

#include <inttypes.h>
#include <string.h>

static void escaped_add(struct text *text, const uint8_t *bytes, size_t len)
{
    core_text_add(text, "\"");
    for (size_t i = 0; i < len; i++) {
        uint8_t c = bytes[i];

        if (c == '\n')
            core_text_add(text, "\\n");
        else if (c == '\r')
            core_text_add(text, "\\r");
        else if (c == '\t')
            core_text_add(text, "\\t");
        else if (c == '"' || c == '\'' || c == '\\')
            core_text_add(text, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            core_text_add(text, "\\%03o", c);
        else
            core_text_add(text, "%c", c);
    }
    core_text_add(text, "\"");
}

static void value_add(struct text *text, const ProtobufCFieldDescriptor *field, const void *value,
                      int depth)
{
    const ProtobufCEnumValue *name;

    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        core_text_add(text, "%*s%s {\n", 2 * depth, "", field->name);
        core_debug_text_add(text, *(ProtobufCMessage *const *)value, depth + 1);
        core_text_add(text, "%*s}\n", 2 * depth, "");
        return;
    }
    core_text_add(text, "%*s%s: ", 2 * depth, "", field->name);
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        escaped_add(text, *(uint8_t *const *)value, strlen(*(char *const *)value));
        break;
    case PROTOBUF_C_TYPE_BYTES:
        escaped_add(text, ((const ProtobufCBinaryData *)value)->data,
                    ((const ProtobufCBinaryData *)value)->len);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        name = protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)value);
        if (name)
            core_text_add(text, "%s", name->name);
        else
            core_text_add(text, "%d", *(const int *)value);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        core_text_add(text, "%s", *(const protobuf_c_boolean *)value ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        core_text_add(text, "%.15g", *(const double *)value);
        break;
    case PROTOBUF_C_TYPE_INT64:
        core_text_add(text, "%" PRId64, *(const int64_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT64:
        core_text_add(text, "%" PRIu64, *(const uint64_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT32:
        core_text_add(text, "%" PRIu32, *(const uint32_t *)value);
        break;
    default:
        core_text_add(text, "%" PRId32, *(const int32_t *)value);
    }
    core_text_add(text, "\n");
}

static size_t element_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_MESSAGE:
    case PROTOBUF_C_TYPE_STRING:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return 8;
    default:
        return 4;
    }
}

static bool is_set(const ProtobufCFieldDescriptor *field, const uint8_t *message)
{
    const void *value = message + field->offset;

    if (field->label == PROTOBUF_C_LABEL_REQUIRED)
        return true;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_STRING)
        return *(void *const *)value && *(void *const *)value != field->default_value;
    return *(const protobuf_c_boolean *)(message + field->quantifier_offset);
}

void core_debug_text_add(struct text *text, const ProtobufCMessage *message, int depth)
{
    const uint8_t *base = (const uint8_t *)message;

    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t n = *(const size_t *)(base + field->quantifier_offset);
            const uint8_t *list = *(uint8_t *const *)(base + field->offset);

            for (size_t j = 0; j < n; j++)
                value_add(text, field, list + j * element_size(field->type), depth);
        } else if (is_set(field, base)) {
            value_add(text, field, base + field->offset, depth);
        }
    }
}
