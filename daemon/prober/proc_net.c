/* "  12: 0100007F:1F90 00000000:0000 0A ..." - slot, local address, remote address, state. */
#include <stdlib.h>
#include <string.h>

#include "prober/proc_net.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* The next field of a line, up to a blank. Returns its length; *field is where it begins. */
static size_t next_field(const char **position, const char *end, const char **field)
{
    while (*position < end && **position == ' ')
        (*position)++;
    *field = *position;
    while (*position < end && **position != ' ')
        (*position)++;
    return (size_t)(*position - *field);
}

/* Port of "ADDRESS:PORT" in hexadecimal, or -1. */
static long port_of(const char *field, size_t length)
{
    long port = 0;

    if (length < 6 || field[length - 5] != ':')
        return -1;
    for (size_t i = length - 4; i < length; i++) {
        int digit = hex_digit(field[i]);
        if (digit < 0)
            return -1;
        port = port * 16 + digit;
    }
    return port;
}

static long listening_port(const char *line, const char *end)
{
    const char *slot, *local, *remote, *state;

    if (next_field(&line, end, &slot) == 0)
        return -1;
    size_t local_length = next_field(&line, end, &local);
    next_field(&line, end, &remote);
    if (next_field(&line, end, &state) != 2 || memcmp(state, "0A", 2) != 0)
        return -1;
    return port_of(local, local_length);
}

void proc_net_listening(const char *text, size_t length, const uint32_t *ports, size_t n_ports,
                        bool *found)
{
    const char *end = text + length;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline ? newline : end;
        long port = listening_port(text, line_end);

        for (size_t i = 0; port >= 0 && i < n_ports; i++)
            if (ports[i] == (uint32_t)port)
                found[i] = true;
        text = newline ? newline + 1 : end;
    }
}
