/* Text into a buffer of fixed size. */
#include "writer.h"

#include <stdarg.h>
#include <stdio.h>

void qm_writer_init(struct qm_writer *writer, char *buffer, size_t size)
{
    *writer = (struct qm_writer){.buffer = buffer, .size = size};
    if (size > 0)
        buffer[0] = '\0';
}

void qm_write(struct qm_writer *writer, const char *format, ...)
{
    size_t room = writer->length < writer->size ? writer->size - writer->length : 0;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(room > 0 ? writer->buffer + writer->length : NULL, room, format, args);
    va_end(args);
    if (n > 0)
        writer->length += (size_t)n;
}
