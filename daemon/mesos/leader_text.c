/*
 * What is written about masters: addresses, zk:// URLs, and the nodes that masters keep in
 * ZooKeeper (names json.info_0000000007, older info_..., oldest the number alone; the node with the
 * smallest number leads). Pure functions.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "mesos/leader.h"
#include "mesos/v1/mesos.pb-c.h"

static bool parse_port(const char *text, size_t length, uint16_t *port)
{
    unsigned long value = 0;
    if (length < 1 || length > 5)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned long)(text[i] - '0');
    }
    *port = (uint16_t)value;
    return value >= 1 && value <= UINT16_MAX;
}

static bool copy_host(const char *text, size_t length, char *host, size_t size)
{
    if (length == 0 || length >= size)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] <= ' ' || strchr("/@?#,\\\"", text[i]) != NULL)
            return false;
    memcpy(host, text, length);
    host[length] = '\0';
    return true;
}

bool leader_parse_address(const char *text, size_t length, char *host, size_t size, uint16_t *port)
{
    *port = LEADER_PORT;
    if (length > 0 && text[0] == '[') {
        const char *end = memchr(text, ']', length);
        if (end == NULL || !copy_host(text + 1, (size_t)(end - text) - 1, host, size))
            return false;
        size_t rest = length - (size_t)(end + 1 - text);
        return rest == 0 || (end[1] == ':' && parse_port(end + 2, rest - 1, port));
    }
    const char *colon = memchr(text, ':', length);
    if (colon == NULL)
        return copy_host(text, length, host, size);
    size_t host_length = (size_t)(colon - text);
    return copy_host(text, host_length, host, size) &&
           parse_port(colon + 1, length - host_length - 1, port);
}

const char *leader_skip_scheme(const char *text, char *scheme)
{
    *scheme = 0;
    if (strncmp(text, "https://", 8) == 0) {
        *scheme = 's';
        return text + 8;
    }
    if (strncmp(text, "http://", 7) == 0) {
        *scheme = 'h';
        return text + 7;
    }
    return text;
}

void leader_zk_url_deinit(struct leader_zk_url *url)
{
    if (url->credentials != NULL)
        explicit_bzero(url->credentials, strlen(url->credentials));
    free(url->credentials);
    free(url->servers);
    free(url->path);
    *url = (struct leader_zk_url){0};
}

static bool servers_are_good(const char *servers)
{
    char host[LEADER_HOST_MAX];
    uint16_t port;
    for (;;) {
        size_t length = strcspn(servers, ",");
        if (!leader_parse_address(servers, length, host, sizeof host, &port))
            return false;
        if (servers[length] == '\0')
            return true;
        servers += length + 1;
    }
}

int leader_parse_zk(const char *text, struct leader_zk_url *url)
{
    *url = (struct leader_zk_url){0};
    if (strncmp(text, "zk://", 5) != 0)
        return -EINVAL;
    text += 5;
    size_t authority = strcspn(text, "/");
    const char *path = text[authority] != '\0' ? text + authority : "/";
    size_t path_length = strlen(path);
    if (path_length > 1 && path[path_length - 1] == '/')
        path_length--;
    const char *at = memrchr(text, '@', authority);
    const char *servers = at != NULL ? at + 1 : text;
    size_t credentials = at != NULL ? (size_t)(at - text) : 0;

    url->servers = strndup(servers, authority - (size_t)(servers - text));
    url->path = strndup(path, path_length);
    if (at != NULL)
        url->credentials = strndup(text, credentials);
    if (url->servers == NULL || url->path == NULL || (at != NULL && url->credentials == NULL)) {
        leader_zk_url_deinit(url);
        return -ENOMEM;
    }
    bool good = servers_are_good(url->servers) && strstr(url->path, "//") == NULL &&
                (at == NULL || memchr(text, ':', credentials) != NULL);
    if (!good)
        leader_zk_url_deinit(url);
    return good ? 0 : -EINVAL;
}

/* The number after the last underscore; names without underscore are a number alone. */
static bool sequence_of(const char *name, long long *sequence)
{
    const char *underscore = strrchr(name, '_');
    const char *digits = underscore != NULL ? underscore + 1 : name;
    char *end;
    if (*digits != '-' && (*digits < '0' || *digits > '9'))
        return false;
    errno = 0;
    *sequence = strtoll(digits, &end, 10);
    return errno == 0 && *end == '\0' && end != digits;
}

int leader_choose(const char *const *names, size_t n)
{
    int best = -1;
    long long lowest = 0, sequence;
    for (size_t i = 0; i < n && i < INT32_MAX; i++) {
        if (!sequence_of(names[i], &sequence) || (best >= 0 && sequence >= lowest))
            continue;
        lowest = sequence;
        best = (int)i;
    }
    return best;
}

/* MasterInfo.ip is the address as it lies in memory on the master's host: network order. */
static bool host_from_ip(uint32_t ip, char *host, size_t size)
{
    struct in_addr address = {.s_addr = ip};
    return ip != 0 && inet_ntop(AF_INET, &address, host, (socklen_t)size) != NULL;
}

static bool take_host(const char *text, char *host, size_t size)
{
    return text != NULL && copy_host(text, strlen(text), host, size);
}

static bool read_json(const char *data, size_t length, bool by_name, char *host, size_t size,
                      uint16_t *port)
{
    json_t *info = json_loadb(data, length, JSON_REJECT_DUPLICATES, NULL);
    json_t *address = json_object_get(info, "address");
    json_t *number = json_object_get(address, "port");
    json_int_t ip = json_integer_value(json_object_get(info, "ip"));
    if (number == NULL)
        number = json_object_get(info, "port");
    json_int_t value = json_integer_value(number);
    const char *name = json_string_value(json_object_get(info, "hostname"));
    bool good = (by_name && take_host(name, host, size)) ||
                take_host(json_string_value(json_object_get(address, "ip")), host, size) ||
                (ip > 0 && ip <= UINT32_MAX && host_from_ip((uint32_t)ip, host, size)) ||
                take_host(name, host, size);
    good = good && value >= 1 && value <= UINT16_MAX;
    if (good)
        *port = (uint16_t)value;
    json_decref(info);
    return good;
}

static bool read_protobuf(const char *data, size_t length, bool by_name, char *host, size_t size,
                          uint16_t *port)
{
    Mesos__V1__MasterInfo *info =
        mesos__v1__master_info__unpack(NULL, length, (const uint8_t *)data);
    if (info == NULL)
        return false;
    bool has_address = info->address != NULL;
    int64_t value = has_address ? info->address->port : (int64_t)info->port;
    bool good = (by_name && take_host(info->hostname, host, size)) ||
                (has_address && take_host(info->address->ip, host, size)) ||
                host_from_ip(info->ip, host, size) || take_host(info->hostname, host, size);
    good = good && value >= 1 && value <= UINT16_MAX;
    if (good)
        *port = (uint16_t)value;
    mesos__v1__master_info__free_unpacked(info, NULL);
    return good;
}

bool leader_read_node(const char *name, const char *data, size_t length, bool by_name, char *host,
                      size_t size, uint16_t *port)
{
    const char *underscore = strrchr(name, '_');
    size_t label = underscore != NULL ? (size_t)(underscore - name) : 0;
    if (label == strlen("json.info") && memcmp(name, "json.info", label) == 0)
        return read_json(data, length, by_name, host, size, port);
    if (label == strlen("info") && memcmp(name, "info", label) == 0)
        return read_protobuf(data, length, by_name, host, size, port);
    if (underscore != NULL)
        return false;
    const char *at = memchr(data, '@', length);
    if (at == NULL)
        return false;
    at++;
    return leader_parse_address(at, length - (size_t)(at - data), host, size, port);
}
