/*
 * A request as it comes out of http-parser: pieces of the target, of header names and of values are
 * put together here.
 */
#include "http_private.h"
#include "sim.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX 200000 /* http-parser itself ends a request's head earlier */

static int append(char **text, const char *at, size_t length)
{
    size_t have = *text ? strlen(*text) : 0;
    char *longer;

    if (have + length > TEXT_MAX)
        return -1;
    longer = realloc(*text, have + length + 1);
    if (!longer)
        return -1;
    memcpy(longer + have, at, length);
    longer[have + length] = '\0';
    *text = longer;
    return 0;
}

int sim_http_request_begin(struct sim_http_exchange *exchange)
{
    sim_http_request_clear(exchange);
    exchange->body = evbuffer_new();
    return exchange->body ? 0 : -1;
}

int sim_http_request_url(struct sim_http_exchange *exchange, const char *at, size_t length)
{
    return append(&exchange->url, at, length);
}

int sim_http_request_field(struct sim_http_exchange *exchange, const char *at, size_t length)
{
    if (exchange->in_value || exchange->n_headers == 0) {
        if (exchange->n_headers == SIM_HTTP_HEADERS_MAX)
            return -1;
        exchange->n_headers++;
        exchange->in_value = false;
    }
    return append(&exchange->headers[exchange->n_headers - 1].name, at, length);
}

int sim_http_request_value(struct sim_http_exchange *exchange, const char *at, size_t length)
{
    exchange->in_value = true;
    return append(&exchange->headers[exchange->n_headers - 1].value, at, length);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %00 stays as it is: it could only cut a name short. */
static char *percent_decode(const char *at, size_t length)
{
    char *text = malloc(length + 1);
    char *out = text;

    for (size_t i = 0; text && i < length; i++) {
        int high = at[i] == '%' && i + 2 < length ? hex_digit(at[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(at[i + 2]) : -1;

        if (low >= 0 && (high > 0 || low > 0)) {
            *out++ = (char)(high << 4 | low);
            i += 2;
        } else {
            *out++ = at[i];
        }
    }
    if (text)
        *out = '\0';
    return text;
}

int sim_http_request_split_url(struct sim_http_exchange *exchange)
{
    struct http_parser_url url;
    const char *text = exchange->url ? exchange->url : "";
    const char *query = "";
    size_t query_length = 0;

    http_parser_url_init(&url);
    if (http_parser_parse_url(text, strlen(text), 0, &url) != 0)
        return -1;
    if (url.field_set & 1 << UF_QUERY) {
        query = text + url.field_data[UF_QUERY].off;
        query_length = url.field_data[UF_QUERY].len;
    }
    if (url.field_set & 1 << UF_PATH)
        exchange->path =
            percent_decode(text + url.field_data[UF_PATH].off, url.field_data[UF_PATH].len);
    else
        exchange->path = strdup("/");
    exchange->query = strndup(query, query_length);
    return exchange->path && exchange->query ? 0 : -1;
}

void sim_http_request_clear(struct sim_http_exchange *exchange)
{
    struct sim_http_connection *connection = exchange->connection;

    for (unsigned int i = 0; i < exchange->n_headers; i++) {
        free(exchange->headers[i].name);
        free(exchange->headers[i].value);
    }
    free(exchange->url);
    free(exchange->path);
    free(exchange->query);
    if (exchange->body)
        evbuffer_free(exchange->body);
    memset(exchange, 0, sizeof(*exchange));
    exchange->connection = connection;
}

/* ---- what the handler sees ---- */

uint64_t sim_http_connection_number(const struct sim_http_exchange *exchange)
{
    return exchange->connection->number;
}

const char *sim_http_method(const struct sim_http_exchange *exchange)
{
    return exchange->method;
}

const char *sim_http_path(const struct sim_http_exchange *exchange)
{
    return exchange->path;
}

const char *sim_http_query(const struct sim_http_exchange *exchange)
{
    return exchange->query;
}

const char *sim_http_header(const struct sim_http_exchange *exchange, const char *name)
{
    for (unsigned int i = 0; i < exchange->n_headers; i++)
        if (!strcasecmp(exchange->headers[i].name, name))
            return exchange->headers[i].value ? exchange->headers[i].value : "";
    return NULL;
}

size_t sim_http_headers(const struct sim_http_exchange *exchange, struct sim_pair *headers,
                        size_t max)
{
    size_t n = 0;

    for (; n < exchange->n_headers && n < max; n++) {
        headers[n].name = exchange->headers[n].name;
        headers[n].value = exchange->headers[n].value ? exchange->headers[n].value : "";
    }
    return n;
}

const void *sim_http_body(const struct sim_http_exchange *exchange, size_t *ret_size)
{
    *ret_size = evbuffer_get_length(exchange->body);
    return *ret_size > 0 ? evbuffer_pullup(exchange->body, -1) : (const void *)"";
}

char *sim_http_query_value(const struct sim_http_exchange *exchange, const char *name)
{
    size_t length = strlen(name);
    const char *at = exchange->query;

    while (*at) {
        size_t piece = strcspn(at, "&;");

        if (piece >= length && !strncmp(at, name, length)) {
            if (piece == length)
                return strdup("");
            if (at[length] == '=')
                return percent_decode(at + length + 1, piece - length - 1);
        }
        at += piece;
        at += *at != '\0';
    }
    return NULL;
}
