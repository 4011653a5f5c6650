/*
 * Memory that is given back all at once: for the messages and facts of one event, and for building
 * one call. Feeds protobuf-c through arena_allocator().
 */
#ifndef DAEMON_MESOS_ARENA_H
#define DAEMON_MESOS_ARENA_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    ProtobufCAllocator allocator;
};

/** arena_init() - empty; allocates nothing yet. The arena must not move in memory afterwards. */
void arena_init(struct arena *arena);

/** arena_deinit() - gives everything back. */
void arena_deinit(struct arena *arena);

/** arena_reset() - forgets all content, keeps one block of moderate size for the next use. */
void arena_reset(struct arena *arena);

/** arena_try() - like malloc; NULL when there is no memory. */
void *arena_try(struct arena *arena, size_t size);

/**
 * arena_zero() - like calloc, never NULL: a process that has no memory for one small message cannot
 * go on, it logs and aborts (its tasks run on, its state is saved).
 */
void *arena_zero(struct arena *arena, size_t n, size_t size);

/** arena_text() - copy of a string; NULL gives "". Never NULL. */
char *arena_text(struct arena *arena, const char *text);

/** arena_copy() - copy of @size bytes. Never NULL. */
void *arena_copy(struct arena *arena, const void *bytes, size_t size);

/** arena_allocator() - for protobuf-c's unpack; its free does nothing. */
ProtobufCAllocator *arena_allocator(struct arena *arena);

#endif
