/* Text into a buffer of fixed size, piece by piece: what does not fit is cut, but counted. */
#ifndef LIB_WRITER_H
#define LIB_WRITER_H

#include <stddef.h>

struct qm_writer {
    char *buffer;
    size_t size;
    size_t length; /* that all pieces would have taken */
};

/** qm_writer_init() - an empty text; @buffer may be NULL when @size is 0. */
void qm_writer_init(struct qm_writer *writer, char *buffer, size_t size);
__attribute__((format(printf, 2, 3))) void qm_write(struct qm_writer *writer, const char *format,
                                                    ...);

#endif
