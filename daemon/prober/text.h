/* Text from devices is anything at all; what we report and print is printable UTF-8. */
#ifndef PROBER_TEXT_H
#define PROBER_TEXT_H

#include <stddef.h>

/** text_clean() - puts '?' for control characters and for bytes that aren't UTF-8, in place. */
void text_clean(char *text);

/** text_append() - adds a formatted note to a list "a; b; c"; what does not fit is left out. */
void text_append(char *list, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
