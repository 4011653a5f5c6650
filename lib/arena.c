/* Bump arena: a list of chunks that are filled one after the other. */
#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"

#define CHUNK_SIZE 16384
#define ALIGNMENT  _Alignof(max_align_t)

struct qm_arena_chunk {
    struct qm_arena_chunk *next;
    size_t size; /* of data */
    size_t used;
    _Alignas(max_align_t) unsigned char data[];
};

void qm_arena_init(struct qm_arena *arena, const struct qm_allocator *allocator)
{
    *arena = (struct qm_arena){.allocator = allocator};
}

void qm_arena_deinit(struct qm_arena *arena)
{
    struct qm_arena_chunk *chunk = arena->first;

    while (chunk) {
        struct qm_arena_chunk *next = chunk->next;

        qm_free(arena->allocator, chunk);
        chunk = next;
    }
    *arena = (struct qm_arena){.allocator = arena->allocator};
}

void qm_arena_reset(struct qm_arena *arena)
{
    arena->current = arena->first;
    if (arena->first)
        arena->first->used = 0;
}

size_t qm_arena_reserved(const struct qm_arena *arena)
{
    size_t bytes = 0;

    for (const struct qm_arena_chunk *chunk = arena->first; chunk; chunk = chunk->next)
        bytes += sizeof(*chunk) + chunk->size;
    return bytes;
}

static struct qm_arena_chunk *chunk_new(struct qm_arena *arena, size_t size)
{
    struct qm_arena_chunk *chunk;
    size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

    if (size > SIZE_MAX - sizeof(*chunk))
        return NULL;
    chunk = qm_alloc(arena->allocator, sizeof(*chunk) + room);
    if (!chunk)
        return NULL;
    chunk->size = room;
    chunk->used = 0;
    if (arena->current) {
        chunk->next = arena->current->next;
        arena->current->next = chunk;
    } else {
        chunk->next = arena->first;
        arena->first = chunk;
    }
    return chunk;
}

void *qm_arena_alloc(struct qm_arena *arena, size_t size)
{
    struct qm_arena_chunk *chunk = arena->current;
    void *block;

    if (size > SIZE_MAX - ALIGNMENT)
        return NULL;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!chunk || chunk->size - chunk->used < size) {
        struct qm_arena_chunk *next = chunk ? chunk->next : NULL;

        if (next && next->size >= size)
            next->used = 0; /* left over from before a reset */
        else
            next = chunk_new(arena, size);
        if (!next)
            return NULL;
        arena->current = chunk = next;
    }
    block = chunk->data + chunk->used;
    chunk->used += size;
    return block;
}

void *qm_arena_calloc(struct qm_arena *arena, size_t n, size_t size)
{
    size_t total;
    void *block;

    if (__builtin_mul_overflow(n, size, &total))
        return NULL;
    block = qm_arena_alloc(arena, total);
    if (block)
        memset(block, 0, total);
    return block;
}

char *qm_arena_memdup0(struct qm_arena *arena, const void *bytes, size_t length)
{
    char *copy = length < SIZE_MAX ? qm_arena_alloc(arena, length + 1) : NULL;

    if (!copy)
        return NULL;
    if (length > 0)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

char *qm_arena_strdup(struct qm_arena *arena, const char *text)
{
    return qm_arena_memdup0(arena, text, strlen(text));
}

char *qm_arena_format(struct qm_arena *arena, const char *format, ...)
{
    va_list args;
    char *text;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = length < 0 ? NULL : qm_arena_alloc(arena, (size_t)length + 1);
    if (!text)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}
