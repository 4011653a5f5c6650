/*
 * Base64 (RFC 4648, with padding): how bytes travel in Mesos' JSON.
 */
#ifndef MESOS_SIM_BASE64_H
#define MESOS_SIM_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Text of `size` bytes, ended by NUL; the caller frees it. NULL when memory ends. */
char *base64_encode(const uint8_t *data, size_t size);

/* Reads `size` characters (padding may be missing at the end). 0 and a buffer to be freed in
 * `*ret_data`; otherwise -ENOMEM, or -EINVAL with the first character that doesn't belong there in
 * `*ret_bad` (NUL for a bad length). */
int base64_decode(const char *text, size_t size, uint8_t **ret_data, size_t *ret_size,
                  char *ret_bad);

#endif
