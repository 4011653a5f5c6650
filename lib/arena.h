/*
 * Bump arena: many small blocks, freed all at once. A reset keeps the memory, so
 * that a settled program allocates nothing; what it keeps is its high-water mark.
 */
#ifndef LIB_ARENA_H
#define LIB_ARENA_H

#include <quobyte-mesos/allocator.h>

struct qm_arena_chunk;

struct qm_arena {
    const struct qm_allocator *allocator;
    struct qm_arena_chunk *first;
    struct qm_arena_chunk *current;
};

void qm_arena_init(struct qm_arena *arena, const struct qm_allocator *allocator);
void qm_arena_deinit(struct qm_arena *arena);
/** qm_arena_reset() - all blocks become invalid; their memory is used again. */
void qm_arena_reset(struct qm_arena *arena);

/** qm_arena_reserved() - bytes that it holds, used or not. */
size_t qm_arena_reserved(const struct qm_arena *arena);

/** qm_arena_alloc() - a block aligned for anything, not zeroed. NULL when out of memory. */
void *qm_arena_alloc(struct qm_arena *arena, size_t size);
/** qm_arena_calloc() - a zeroed array. */
void *qm_arena_calloc(struct qm_arena *arena, size_t n, size_t size);
char *qm_arena_strdup(struct qm_arena *arena, const char *text);
char *qm_arena_memdup0(struct qm_arena *arena, const void *bytes, size_t length);
__attribute__((format(printf, 2, 3))) char *qm_arena_format(struct qm_arena *arena,
                                                            const char *format, ...);

#endif
