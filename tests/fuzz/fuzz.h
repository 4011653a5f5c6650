/*
 * What every fuzz target has: one function that takes any bytes. It returns 0; a finding is a
 * crash, a sanitizer's report, or must() with its reason.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Takes an input apart, front to back; 0 and empty text when it is used up. */
struct cursor {
    const uint8_t *data;
    size_t size;
};

static inline uint8_t take_byte(struct cursor *cursor)
{
    if (cursor->size == 0)
        return 0;
    cursor->size--;
    return *cursor->data++;
}

/* Everything up to a 0xff byte, or the rest; *size is its length. */
static inline const uint8_t *take_part(struct cursor *cursor, size_t *size)
{
    const uint8_t *start = cursor->data;
    const uint8_t *end = cursor->size > 0 ? memchr(start, 0xff, cursor->size) : NULL;

    *size = end ? (size_t)(end - start) : cursor->size;
    cursor->data += *size + (end != NULL);
    cursor->size -= *size + (end != NULL);
    return start;
}

/* The same as a string of its own, to be freed; it ends at the first NUL. */
static inline char *take_text(struct cursor *cursor)
{
    size_t size;
    const uint8_t *part = take_part(cursor, &size);
    char *text = malloc(size + 1);

    must(text != NULL);
    if (size > 0)
        memcpy(text, part, size);
    text[size] = '\0';
    return text;
}

#endif
