/* Memory, text, random numbers and copies of messages. */
#include "core.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
    /* A simulator without memory has nothing useful left to say. */
    if (!memory) {
        fputs("mesos-sim: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *sim_zalloc(size_t size)
{
    return checked(calloc(1, size ? size : 1));
}

void *sim_grow(void *memory, size_t count, size_t size)
{
    if (!count)
        count = 1;
    return checked(reallocarray(memory, count, size));
}

char *sim_dup(const char *text)
{
    return text ? checked(strdup(text)) : NULL;
}

char *sim_text(const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    return checked(text);
}

void core_text_add(struct text *text, const char *format, ...)
{
    va_list args;
    char *more = NULL;
    int len;

    va_start(args, format);
    len = vasprintf(&more, format, args);
    va_end(args);
    if (len < 0)
        checked(NULL);
    text->s = sim_grow(text->s, text->len + (size_t)len + 1, 1);
    memcpy(text->s + text->len, more, (size_t)len + 1);
    text->len += (size_t)len;
    free(more);
}

/* splitmix64: small, and good enough to shuffle and to name things. */
uint64_t sim_random(struct sim *sim)
{
    uint64_t z = (sim->random += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void sim_uuid(struct sim *sim, uint8_t uuid[16])
{
    uint64_t a = sim_random(sim), b = sim_random(sim);

    memcpy(uuid, &a, 8);
    memcpy(uuid + 8, &b, 8);
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

void sim_uuid_text(struct sim *sim, char text[37])
{
    uint8_t uuid[16];
    size_t at = 0;

    sim_uuid(sim, uuid);
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[at++] = '-';
        snprintf(text + at, 3, "%02x", uuid[i]);
        at += 2;
    }
}

void *sim_copy(const void *message)
{
    const ProtobufCMessage *from = message;
    uint8_t *bytes;
    size_t size;
    void *copy;

    if (!from)
        return NULL;
    size = protobuf_c_message_get_packed_size(from);
    bytes = sim_zalloc(size);
    protobuf_c_message_pack(from, bytes);
    copy = protobuf_c_message_unpack(from->descriptor, NULL, size, bytes);
    free(bytes);
    return checked(copy);
}

void sim_drop(void *message)
{
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
}

bool sim_same_message(const void *a, const void *b)
{
    uint8_t *bytes;
    size_t size;
    bool same;

    if (!a || !b)
        return a == b;
    size = protobuf_c_message_get_packed_size(a);
    if (size != protobuf_c_message_get_packed_size(b))
        return false;
    bytes = sim_zalloc(2 * size);
    protobuf_c_message_pack(a, bytes);
    protobuf_c_message_pack(b, bytes + size);
    same = memcmp(bytes, bytes + size, size) == 0;
    free(bytes);
    return same;
}

bool sim_same_text(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    return strcmp(a, b) == 0;
}
