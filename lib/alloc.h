/*
 * Memory through the caller's allocator; NULL means libc's. Sizes are checked
 * for overflow. All return NULL when there is no memory.
 */
#ifndef LIB_ALLOC_H
#define LIB_ALLOC_H

#include <stdarg.h>

#include <quobyte-mesos/allocator.h>

void *qm_alloc(const struct qm_allocator *allocator, size_t size);
/** qm_zalloc() - zeroed. */
void *qm_zalloc(const struct qm_allocator *allocator, size_t size);
/** qm_calloc() - zeroed array of @n items of @size bytes. */
void *qm_calloc(const struct qm_allocator *allocator, size_t n, size_t size);
void *qm_realloc(const struct qm_allocator *allocator, void *block, size_t size);
/** qm_free() - NULL is fine; takes const so that owners of const char * need no cast. */
void qm_free(const struct qm_allocator *allocator, const void *block);

/** qm_strdup() - NULL text gives NULL. */
char *qm_strdup(const struct qm_allocator *allocator, const char *text);
/** qm_memdup0() - copies @length bytes and adds a NUL. */
char *qm_memdup0(const struct qm_allocator *allocator, const void *bytes, size_t length);
/** qm_format() - a new string made as printf does. */
__attribute__((format(printf, 2, 3))) char *qm_format(const struct qm_allocator *allocator,
                                                      const char *format, ...);

/**
 * qm_grow() - makes room for @need items of @item bytes in an array, doubling.
 * @array: points to the array's pointer; @capacity: items that it has room for now
 * Returns false when out of memory; array and capacity are unchanged then.
 */
bool qm_grow(const struct qm_allocator *allocator, void *array, size_t *capacity, size_t need,
             size_t item);

#endif
