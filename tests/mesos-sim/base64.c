/*
 * Base64, the plain table-driven way.
 */
#include "base64.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const uint8_t *data, size_t size)
{
    char *text = malloc((size + 2) / 3 * 4 + 1);
    char *out = text;

    if (!text)
        return NULL;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t triple = (uint32_t)data[i] << 16;

        if (left > 1)
            triple |= (uint32_t)data[i + 1] << 8;
        if (left > 2)
            triple |= data[i + 2];
        *out++ = alphabet[triple >> 18];
        *out++ = alphabet[triple >> 12 & 63];
        *out++ = left > 1 ? alphabet[triple >> 6 & 63] : '=';
        *out++ = left > 2 ? alphabet[triple & 63] : '=';
    }
    *out = '\0';
    return text;
}

int base64_decode(const char *text, size_t size, uint8_t **ret_data, size_t *ret_size,
                  char *ret_bad)
{
    uint8_t *data;
    size_t n_data = 0;
    uint32_t bits = 0;
    unsigned int n_bits = 0;

    while (size > 0 && text[size - 1] == '=')
        size--;
    data = malloc(size / 4 * 3 + 3);
    if (!data)
        return -ENOMEM;
    for (size_t i = 0; i < size; i++) {
        const char *at = text[i] ? strchr(alphabet, text[i]) : NULL;

        if (!at) {
            *ret_bad = text[i];
            free(data);
            return -EINVAL;
        }
        bits = bits << 6 | (uint32_t)(at - alphabet);
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            data[n_data++] = (uint8_t)(bits >> n_bits);
        }
    }
    if (size % 4 == 1) { /* a single left-over character carries no whole byte */
        *ret_bad = '\0';
        free(data);
        return -EINVAL;
    }
    *ret_data = data;
    *ret_size = n_data;
    return 0;
}
