/*
 * The HTTP API as a pure function: a request, views of the planner, a response. No sockets, no
 * library of HTTP; tests call it with plain structs.
 *
 * Contracts: GET and POST /v1/version, /v1/health, / (dashboard), JSON under /v1/, GET /prober.
 * docs/http-api.md has them with examples.
 */
#ifndef DAEMON_HTTP_API_H
#define DAEMON_HTTP_API_H

#include "http/front.h"

#define API_BODY_MAX 4096 /* longer bodies are refused with 413 */

/* What the server learned from the wire. Strings are never NULL unless said. */
struct http_request {
    const char *method; /* "GET", ...; anything else is "" */
    const char *path;   /* as sent, not decoded */
    const char *query;  /* what follows ? in the request line, "" when nothing does */
    const char *peer;   /* address of the client, without port; "" or NULL when unknown */
    const char *host;   /* header fields; NULL when absent */
    const char *origin;
    const char *fetch_site; /* Sec-Fetch-Site */
    bool has_length;        /* a well-formed Content-Length */
    bool body_too_long;     /* more than API_BODY_MAX: body is empty then */
    const char *body;
    size_t body_length;
};

struct http_response {
    int status;
    const char *content_type; /* constant */
    const char *allow;        /* constant, for 405; else NULL */
    const char *policy;       /* Content-Security-Policy of pages; else NULL; constant */
    char *body;               /* owned; NULL when empty */
    size_t length;
    const char *file; /* serve this file instead of a body; borrowed from the context */
    /* Not 0: hold this response back until state of this revision is saved. */
    uint64_t wait_revision;
};

/* What answers are made from. */
struct api_context {
    const struct front_options *options;
    const struct front_callbacks *callbacks;
};

/** api_handle() - answers one request. Only POST gives orders. */
void api_handle(const struct api_context *context, const struct http_request *request,
                struct http_response *response);

/** api_late() - the answer in place of one whose save did not come back in time. */
void api_late(struct http_response *response);

/** http_response_deinit() - frees the body. */
void http_response_deinit(struct http_response *response);

#endif
