/*
 * One URI after the other. A download comes over libevent's HTTP client, so that a scheduler that
 * serves the file from the same machine, or the same test, is not blocked meanwhile.
 */
#include "fetch.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DOWNLOAD_MAX     ((ev_ssize_t)512 << 20)
#define DOWNLOAD_STALL_S 60

extern char **environ;

struct item {
    char *uri;
    char *name; /* file in the sandbox */
    bool executable;
    bool extract;
};

struct fetch {
    struct event_base *base;
    struct event *next_turn;
    struct evhttp_connection *connection;
    char *sandbox;
    struct item *items;
    size_t n_items;
    size_t at;
    fetch_done done;
    void *userdata;
    char error[512];
};

static void set_error(struct fetch *fetch, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void set_error(struct fetch *fetch, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(fetch->error, sizeof(fetch->error), format, args);
    va_end(args);
}

/* ---- into the sandbox ---- */

static int open_target(struct fetch *fetch, const struct item *item)
{
    char path[PATH_MAX];
    int fd;

    if ((size_t)snprintf(path, sizeof(path), "%s/%s", fetch->sandbox, item->name) >= sizeof(path)) {
        set_error(fetch, "%.200s: name too long", item->name);
        return -1;
    }
    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, item->executable ? 0755 : 0644);
    if (fd < 0)
        set_error(fetch, "%.300s: %s", path, strerror(errno));
    else if (item->executable)
        fchmod(fd, 0755); /* whatever the umask says */
    return fd;
}

static bool write_whole(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        size -= (size_t)n;
    }
    return true;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);

    return length > strlen(end) && !strcasecmp(text + length - strlen(end), end);
}

/* The unpacked file itself stays, as with Mesos. */
static bool unpack(struct fetch *fetch, const struct item *item)
{
    static const char *const tars[] = {".tar",     ".tgz", ".tar.gz", ".tbz2",
                                       ".tar.bz2", ".txz", ".tar.xz"};
    char path[PATH_MAX];
    char *tar[] = {(char *)"tar", (char *)"-C", fetch->sandbox, (char *)"-xf", path, NULL};
    char *unzip[] = {(char *)"unzip", (char *)"-oq", path, (char *)"-d", fetch->sandbox, NULL};
    char **argv = ends_with(item->name, ".zip") ? unzip : NULL;
    pid_t pid;
    int status = -1;

    for (size_t i = 0; i < sizeof(tars) / sizeof(*tars); i++)
        if (ends_with(item->name, tars[i]))
            argv = tar;
    if (!argv || item->executable || !item->extract)
        return true;
    snprintf(path, sizeof(path), "%s/%s", fetch->sandbox, item->name);
    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) == 0)
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    if (status != 0)
        set_error(fetch, "cannot unpack %.200s", item->name);
    return status == 0;
}

static bool copy_file(struct fetch *fetch, const struct item *item, const char *path)
{
    char buffer[65536];
    int from = open(path, O_RDONLY | O_CLOEXEC);
    int to;
    ssize_t n;
    bool good = true;

    if (from < 0) {
        set_error(fetch, "%.300s: %s", path, strerror(errno));
        return false;
    }
    to = open_target(fetch, item);
    while (to >= 0 && good && (n = read(from, buffer, sizeof(buffer))) != 0)
        good = n > 0 && write_whole(to, buffer, (size_t)n);
    if (to >= 0 && !good)
        set_error(fetch, "copy of %.300s: %s", path, strerror(errno));
    close(from);
    if (to >= 0)
        close(to);
    return to >= 0 && good;
}

/* ---- http ---- */

static void next_later(struct fetch *fetch)
{
    event_active(fetch->next_turn, EV_TIMEOUT, 0);
}

static void on_downloaded(struct evhttp_request *request, void *userdata)
{
    struct fetch *fetch = userdata;
    const struct item *item = &fetch->items[fetch->at];
    struct evbuffer *body = request ? evhttp_request_get_input_buffer(request) : NULL;
    int status = request ? evhttp_request_get_response_code(request) : 0;
    int fd;

    if (status != 200) {
        if (status > 0)
            set_error(fetch, "%.300s: answered with status %d", item->uri, status);
        else
            set_error(fetch, "%.300s: no answer", item->uri);
    } else if ((fd = open_target(fetch, item)) >= 0) {
        size_t size = evbuffer_get_length(body);

        if (size > 0 && !write_whole(fd, (const char *)evbuffer_pullup(body, -1), size))
            set_error(fetch, "%.200s: %s", item->name, strerror(errno));
        close(fd);
    }
    fetch->at++;
    next_later(fetch);
}

/* true: an answer will come. */
static bool download(struct fetch *fetch, const struct item *item)
{
    struct evhttp_uri *uri = evhttp_uri_parse(item->uri);
    const char *host = uri ? evhttp_uri_get_host(uri) : NULL;
    int port = uri ? evhttp_uri_get_port(uri) : -1;
    struct evhttp_request *request;
    char authority[300];
    char target[2048];

    if (!host || !*host) {
        set_error(fetch, "%.300s: not a URL", item->uri);
        if (uri)
            evhttp_uri_free(uri);
        return false;
    }
    snprintf(authority, sizeof(authority), "%s:%d", host, port > 0 ? port : 80);
    snprintf(target, sizeof(target), "%s%s%s",
             evhttp_uri_get_path(uri) && *evhttp_uri_get_path(uri) ? evhttp_uri_get_path(uri) : "/",
             evhttp_uri_get_query(uri) ? "?" : "",
             evhttp_uri_get_query(uri) ? evhttp_uri_get_query(uri) : "");
    if (fetch->connection)
        evhttp_connection_free(fetch->connection);
    fetch->connection =
        evhttp_connection_base_new(fetch->base, NULL, host, (unsigned short)(port > 0 ? port : 80));
    evhttp_uri_free(uri);
    request = fetch->connection ? evhttp_request_new(on_downloaded, fetch) : NULL;
    if (!request) {
        set_error(fetch, "out of memory");
        return false;
    }
    evhttp_connection_set_timeout(fetch->connection, DOWNLOAD_STALL_S);
    evhttp_connection_set_max_body_size(fetch->connection, DOWNLOAD_MAX);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Host", authority);
    if (evhttp_make_request(fetch->connection, request, EVHTTP_REQ_GET, target) < 0) {
        set_error(fetch, "%.300s: cannot be asked", item->uri);
        return false;
    }
    return true;
}

/* ---- one after the other ---- */

static void on_turn(evutil_socket_t fd, short events, void *userdata)
{
    struct fetch *fetch = userdata;

    while (!fetch->error[0]) {
        const struct item *item = &fetch->items[fetch->at];

        if (fetch->at > 0 && !unpack(fetch, item - 1))
            break;
        if (fetch->at == fetch->n_items)
            break;
        if (!strncmp(item->uri, "http://", 7)) {
            if (download(fetch, item))
                return;
            break;
        }
        if (strstr(item->uri, "://") && strncmp(item->uri, "file://", 7)) {
            set_error(fetch, "%.300s: only http://, file:// and paths can be fetched", item->uri);
            break;
        }
        if (!copy_file(fetch, item, strncmp(item->uri, "file://", 7) ? item->uri : item->uri + 7))
            break;
        fetch->at++;
    }
    fetch->done(fetch->userdata, fetch->error[0] ? fetch->error : NULL);
}

static char *name_of(const Mesos__V1__CommandInfo__URI *uri)
{
    const char *end = strpbrk(uri->value, "?#");
    size_t length = end ? (size_t)(end - uri->value) : strlen(uri->value);
    const char *start = uri->value + length;

    if (uri->output_file && *uri->output_file)
        return strdup(uri->output_file);
    while (start > uri->value && start[-1] != '/')
        start--;
    return strndup(start, length - (size_t)(start - uri->value));
}

static bool fill_item(struct fetch *fetch, struct item *item,
                      const Mesos__V1__CommandInfo__URI *uri)
{
    item->uri = strdup(uri->value);
    item->name = name_of(uri);
    item->executable = uri->has_executable && uri->executable;
    item->extract = !uri->has_extract || uri->extract;
    if (!item->uri || !item->name)
        return false;
    if (!*item->name || *item->name == '/' || strstr(item->name, ".."))
        set_error(fetch, "%.300s: no usable file name", item->uri);
    return true;
}

struct fetch *fetch_new(struct event_base *base, const Mesos__V1__CommandInfo *command,
                        const char *sandbox, fetch_done done, void *userdata)
{
    struct fetch *fetch = calloc(1, sizeof(*fetch));

    if (!fetch)
        return NULL;
    fetch->base = base;
    fetch->done = done;
    fetch->userdata = userdata;
    fetch->sandbox = strdup(sandbox);
    fetch->n_items = command ? command->n_uris : 0;
    fetch->items = calloc(fetch->n_items + 1, sizeof(*fetch->items));
    fetch->next_turn = event_new(base, -1, 0, on_turn, fetch);
    if (!fetch->sandbox || !fetch->items || !fetch->next_turn)
        return fetch_free(fetch);
    for (size_t i = 0; i < fetch->n_items; i++)
        if (!fill_item(fetch, &fetch->items[i], command->uris[i]))
            return fetch_free(fetch);
    next_later(fetch);
    return fetch;
}

struct fetch *fetch_free(struct fetch *fetch)
{
    if (!fetch)
        return NULL;
    if (fetch->connection)
        evhttp_connection_free(fetch->connection);
    if (fetch->next_turn)
        event_free(fetch->next_turn);
    for (size_t i = 0; fetch->items && i < fetch->n_items; i++) {
        free(fetch->items[i].uri);
        free(fetch->items[i].name);
    }
    free(fetch->items);
    free(fetch->sandbox);
    free(fetch);
    return NULL;
}
