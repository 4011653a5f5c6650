/* Memory through the caller's allocator. */
#include "alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *qm_alloc(const struct qm_allocator *allocator, size_t size)
{
    if (size == 0)
        size = 1; /* so that NULL means only one thing */
    return allocator ? allocator->alloc(allocator->userdata, size) : malloc(size);
}

void *qm_zalloc(const struct qm_allocator *allocator, size_t size)
{
    void *block = qm_alloc(allocator, size);

    if (block)
        memset(block, 0, size);
    return block;
}

void *qm_calloc(const struct qm_allocator *allocator, size_t n, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total))
        return NULL;
    return qm_zalloc(allocator, total);
}

void *qm_realloc(const struct qm_allocator *allocator, void *block, size_t size)
{
    if (!block)
        return qm_alloc(allocator, size);
    if (size == 0)
        size = 1;
    return allocator ? allocator->realloc(allocator->userdata, block, size) : realloc(block, size);
}

void qm_free(const struct qm_allocator *allocator, const void *block)
{
    if (!block)
        return;
    if (allocator)
        allocator->free(allocator->userdata, (void *)block);
    else
        free((void *)block);
}

char *qm_memdup0(const struct qm_allocator *allocator, const void *bytes, size_t length)
{
    char *copy;

    if (length == SIZE_MAX)
        return NULL;
    copy = qm_alloc(allocator, length + 1);
    if (!copy)
        return NULL;
    if (length > 0)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

char *qm_strdup(const struct qm_allocator *allocator, const char *text)
{
    return text ? qm_memdup0(allocator, text, strlen(text)) : NULL;
}

char *qm_format(const struct qm_allocator *allocator, const char *format, ...)
{
    va_list args;
    char *text;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        return NULL;
    text = qm_alloc(allocator, (size_t)length + 1);
    if (!text)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

bool qm_grow(const struct qm_allocator *allocator, void *array, size_t *capacity, size_t need,
             size_t item)
{
    void **slot = array;
    size_t wanted = *capacity ? *capacity : 8;
    size_t bytes;
    void *grown;

    if (need <= *capacity)
        return true;
    while (wanted < need) {
        if (__builtin_mul_overflow(wanted, (size_t)2, &wanted))
            return false;
    }
    if (__builtin_mul_overflow(wanted, item, &bytes))
        return false;
    grown = qm_realloc(allocator, *slot, bytes);
    if (!grown)
        return false;
    *slot = grown;
    *capacity = wanted;
    return true;
}
