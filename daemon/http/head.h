/*
 * The head of a request, looked at before libevhtp sees it: a pure function over bytes. libevhtp's
 * parser takes NUL bytes, loose line ends and contradicting lengths, and garbles a request line
 * that arrives in pieces; so it is given whole heads of a strict form only (RFC 9112, without the
 * parts that servers may refuse).
 */
#ifndef DAEMON_HTTP_HEAD_H
#define DAEMON_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX   (16 * 1024)
#define HTTP_LINE_MAX   8000 /* libevhtp's parser ends at 8192 */
#define HTTP_FIELDS_MAX 64

struct http_head {
    size_t length;   /* of the head with its empty line */
    bool has_length; /* a Content-Length, and no Transfer-Encoding */
    uint64_t body_length;
    const char *problem; /* one line for the client, when it is refused */
};

/**
 * http_head_check() - is there a whole head at the begin of these bytes?
 * Returns 0: yes, and it is fine; -1: not yet; else the HTTP status of a refusal.
 */
int http_head_check(const char *bytes, size_t length, struct http_head *head);

#endif
