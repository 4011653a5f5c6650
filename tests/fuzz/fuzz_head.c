/*
 * Heads of HTTP requests: what is let through has the strict form that libevhtp's parser can be
 * trusted with, and no beginning of it is refused.
 */
#include "fuzz.h"

#include "http/head.h"

static void check_accepted(const char *bytes, const struct http_head *head)
{
    struct http_head part;

    must(head->length >= 18 && head->length <= HTTP_HEAD_MAX + 1);
    must(memcmp(bytes + head->length - 4, "\r\n\r\n", 4) == 0);
    must(!memchr(bytes, '\0', head->length));
    must(!head->problem);
    must(head->has_length || head->body_length == 0);
    for (size_t i = 0; i < head->length; i++) {
        if (bytes[i] == '\n')
            must(i > 0 && bytes[i - 1] == '\r');
        if (bytes[i] == '\r')
            must(bytes[i + 1] == '\n');
    }
    for (size_t n = 0; n < head->length; n += 1 + head->length / 64)
        must(http_head_check(bytes, n, &part) == -1);
    must(http_head_check(bytes, head->length, &part) == 0 && part.length == head->length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of exactly this size, so that a sanitizer sees each byte too far. */
    char *bytes = malloc(size ? size : 1);
    struct http_head head;
    int r;

    must(bytes);
    if (size)
        memcpy(bytes, data, size);
    r = http_head_check(bytes, size, &head);
    must(r == -1 || r == 0 || r == 400 || r == 414 || r == 431);
    if (r == 0)
        check_accepted(bytes, &head);
    else if (r > 0)
        must(head.problem && head.problem[0] && !strchr(head.problem, '\n'));
    free(bytes);
    return 0;
}
