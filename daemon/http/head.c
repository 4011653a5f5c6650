/* The head of a request: see head.h. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "http/head.h"

static int refuse(struct http_head *head, int status, const char *problem)
{
    head->problem = problem;
    return status;
}

static bool is_token(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* METHOD SP /path SP HTTP/1.x */
static int check_request_line(struct http_head *head, const char *line, size_t length)
{
    const char *end = line + length, *p = line;

    while (p < end && *p >= 'A' && *p <= 'Z')
        p++;
    if (p == line || p - line > 20 || p == end || *p != ' ')
        return refuse(head, 400, "not an HTTP request");
    p++;
    if (p == end || *p != '/')
        return refuse(head, 400, "the request's path does not begin with /");
    for (; p < end && *p != ' '; p++)
        if ((unsigned char)*p < 0x21 || (unsigned char)*p >= 0x7f)
            return refuse(head, 400, "a byte that may not be in a path");
    if (end - p != 9 || memcmp(p, " HTTP/1.", 8) != 0 || (p[8] != '0' && p[8] != '1'))
        return refuse(head, 400, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    return 0;
}

/* Digits, and nothing else but blanks around them. */
static int take_length(struct http_head *head, const char *value, const char *end)
{
    const char *p = value;

    if (head->has_length)
        return refuse(head, 400, "more than one Content-Length");
    for (; p < end && isdigit((unsigned char)*p) && p - value < 18; p++)
        head->body_length = head->body_length * 10 + (uint64_t)(*p - '0');
    if (p == value || p != end)
        return refuse(head, 400, "Content-Length is not a number");
    head->has_length = true;
    return 0;
}

static int check_field(struct http_head *head, const char *line, size_t length)
{
    const char *end = line + length, *colon = line, *value;

    while (colon < end && is_token(*colon))
        colon++;
    if (colon == line || colon == end || *colon != ':')
        return refuse(head, 400, "a malformed header field");
    for (value = colon + 1; value < end; value++)
        if (((unsigned char)*value < 0x20 && *value != '\t') || *value == 0x7f)
            return refuse(head, 400, "a byte that may not be in a header field");
    value = colon + 1;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (colon - line == 14 && strncasecmp(line, "Content-Length", 14) == 0)
        return take_length(head, value, end);
    if (colon - line == 17 && strncasecmp(line, "Transfer-Encoding", 17) == 0)
        return refuse(head, 400, "a Content-Length is needed; nothing was changed");
    return 0;
}

int http_head_check(const char *bytes, size_t length, struct http_head *head)
{
    const char *line = bytes, *end = bytes + length, *stop;
    size_t n_lines = 0;
    int r;

    *head = (struct http_head){0};
    if (length && (bytes[0] < 'A' || bytes[0] > 'Z'))
        return refuse(head, 400, "not an HTTP request");
    while ((stop = memchr(line, '\n', (size_t)(end - line)))) {
        size_t n = (size_t)(stop - line);

        if (n == 0 || stop[-1] != '\r')
            return refuse(head, 400, "lines must end with CR LF");
        n--;
        if (n > HTTP_LINE_MAX || (size_t)(stop - bytes) > HTTP_HEAD_MAX)
            break;
        if (n == 0) {
            head->length = (size_t)(stop + 1 - bytes);
            return 0;
        }
        if (n_lines > HTTP_FIELDS_MAX)
            return refuse(head, 431, "too many header fields");
        r = n_lines ? check_field(head, line, n) : check_request_line(head, line, n);
        if (r != 0)
            return r;
        n_lines++;
        line = stop + 1;
    }
    if (!stop && end - line <= HTTP_LINE_MAX && length <= HTTP_HEAD_MAX)
        return -1;
    return n_lines ? refuse(head, 431, "the header fields are too long")
                   : refuse(head, 414, "the request's path is too long");
}
