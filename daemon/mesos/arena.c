/*
 * Memory that is given back all at once: a chain of blocks, filled from the front. Big requests
 * have a block of their own.
 */
#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define FIRST_BLOCK   (16 * 1024)
#define BIGGEST_BLOCK (1024 * 1024) /* blocks double up to here; bigger requests get their own */

struct arena_block {
    struct arena_block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

static void *allocate(void *userdata, size_t size)
{
    return arena_try(userdata, size);
}

static void forget(void *userdata, void *block)
{
}

void arena_init(struct arena *arena)
{
    *arena = (struct arena){
        .allocator = {.alloc = allocate, .free = forget, .allocator_data = arena},
    };
}

static void free_blocks(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_deinit(struct arena *arena)
{
    free_blocks(arena->blocks);
    arena->blocks = NULL;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *keep = arena->blocks;
    if (keep == NULL)
        return;
    free_blocks(keep->next);
    keep->next = NULL;
    keep->used = 0;
    if (keep->size > BIGGEST_BLOCK)
        arena_deinit(arena);
}

static struct arena_block *add_block(struct arena *arena, size_t size)
{
    size_t wanted = arena->blocks != NULL ? arena->blocks->size * 2 : FIRST_BLOCK;
    if (wanted > BIGGEST_BLOCK)
        wanted = BIGGEST_BLOCK;
    if (wanted < size)
        wanted = size;
    struct arena_block *block = malloc(sizeof *block + wanted);
    if (block == NULL)
        return NULL;
    *block = (struct arena_block){.next = arena->blocks, .size = wanted};
    arena->blocks = block;
    return block;
}

void *arena_try(struct arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + align - 1) / align * align;
    struct arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < size)
        block = add_block(arena, size);
    if (block == NULL)
        return NULL;
    void *memory = block->bytes + block->used;
    block->used += size;
    return memory;
}

void *arena_zero(struct arena *arena, size_t n, size_t size)
{
    size_t total;
    void *memory = NULL;
    if (!__builtin_mul_overflow(n, size, &total))
        memory = arena_try(arena, total);
    if (memory == NULL) {
        log_error("out of memory");
        abort();
    }
    return memset(memory, 0, total);
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
    void *copy = arena_zero(arena, 1, size);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
    if (text == NULL)
        text = "";
    return arena_copy(arena, text, strlen(text) + 1);
}

ProtobufCAllocator *arena_allocator(struct arena *arena)
{
    return &arena->allocator;
}
