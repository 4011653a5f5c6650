/* Words about ZooKeeper: see zk_text.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state/store_private.h"
#include "state/zk_text.h"

#define SERVERS_MAX 64

static bool is_port(const char *text, size_t length)
{
    unsigned long port = 0;

    if (length == 0 || length > 5)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        port = port * 10 + (unsigned long)(text[i] - '0');
    }
    return port >= 1 && port <= 65535;
}

static bool is_server(const char *text, size_t length)
{
    const char *colon = memrchr(text, ':', length);
    size_t host = colon ? (size_t)(colon - text) : 0;

    if (!colon || !is_port(colon + 1, length - host - 1))
        return false;
    if (host > 2 && text[0] == '[' && text[host - 1] == ']') {
        for (size_t i = 1; i + 1 < host; i++)
            if (!isxdigit((unsigned char)text[i]) && text[i] != ':' && text[i] != '.')
                return false;
        return true;
    }
    for (size_t i = 0; i < host; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr(".-_", text[i]))
            return false;
    return host > 0;
}

int zk_address_parse(struct zk_address *address, const char *text, struct store_error *error)
{
    const char *servers = text, *at;
    size_t length, n = 0;
    bool url = strncmp(text, "zk://", 5) == 0;

    *address = (struct zk_address){0};
    if (url)
        servers = text += 5;
    at = strrchr(text, '@');
    if (at && !url)
        return store_fail(error, -EINVAL, "--zk: credentials need the form zk://user:password@...");
    if (at)
        servers = at + 1;
    if (at && (at == text || !memchr(text, ':', (size_t)(at - text))))
        return store_fail(error, -EINVAL, "--zk: credentials need the form user:password");
    if (strchr(servers, '/'))
        return store_fail(error, -EINVAL, "--zk %s: the path belongs into --zk_path", servers);
    for (const char *p = servers; n == 0 || p[-1] == ','; p += length + 1, n++) {
        length = strcspn(p, ",");
        if (!is_server(p, length) || n >= SERVERS_MAX)
            return store_fail(error, -EINVAL, "--zk: '%.*s' is not host:port",
                              (int)(length < 200 ? length : 200), p);
        if (!p[length]) {
            break;
        }
    }
    address->servers = strdup(servers);
    address->credentials = strndup(text, at ? (size_t)(at - text) : 0);
    if (address->servers && address->credentials)
        return 0;
    zk_address_deinit(address);
    return store_fail(error, -ENOMEM, "out of memory");
}

void zk_address_deinit(struct zk_address *address)
{
    free(address->servers);
    if (address->credentials)
        explicit_bzero(address->credentials, strlen(address->credentials));
    free(address->credentials);
    *address = (struct zk_address){0};
}

int zk_path_check(const char *path, struct store_error *error)
{
    const char *p = path;

    if (*path != '/')
        return store_fail(error, -EINVAL, "--zk_path '%.100s' does not begin with /", path);
    if (strlen(path) > 512)
        return store_fail(error, -EINVAL, "--zk_path is longer than 512 bytes");
    while (*p) {
        size_t length = strcspn(++p, "/");

        if (length == 0 && *p == '\0')
            break; /* the one trailing slash */
        if (length == 0 || (length == 1 && p[0] == '.') || (length == 2 && !strncmp(p, "..", 2)))
            return store_fail(error, -EINVAL, "--zk_path '%.100s' has an empty or relative part",
                              path);
        for (size_t i = 0; i < length; i++)
            if ((unsigned char)p[i] < 0x20 || (unsigned char)p[i] >= 0x7f)
                return store_fail(error, -EINVAL, "--zk_path holds a byte that is not printable");
        p += length;
    }
    return 0;
}

char *zk_name_escape(const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *name = malloc(3 * strlen(text) + 1), *out = name;

    if (!name)
        return NULL;
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;

        /* A leading dot would make "." and ".." possible. */
        if (c < 0x80 && (isalnum(c) || c == '_' || c == '-' || (c == '.' && p > text))) {
            *out++ = (char)c;
        } else {
            *out++ = '%';
            *out++ = digits[c >> 4];
            *out++ = digits[c & 15];
        }
    }
    *out = '\0';
    return name;
}

char *zk_name_unescape(const char *name)
{
    char *text = malloc(strlen(name) + 1), *out = text, *back;
    char hex[3] = "";

    if (!text)
        return NULL;
    for (const char *p = name; *p; p++) {
        if (*p != '%') {
            *out++ = *p;
        } else if (isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
            memcpy(hex, p + 1, 2);
            *out++ = (char)strtoul(hex, NULL, 16);
            p += 2;
        } else {
            break;
        }
    }
    *out = '\0';
    /* One text, one name: what escapes to something else is not ours. */
    back = zk_name_escape(text);
    if (!back || strcmp(back, name) != 0) {
        free(text);
        text = NULL;
    }
    free(back);
    return text;
}
