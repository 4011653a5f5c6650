/*
 * HTTP requests: any method, path, query, headers and body get one answer, and only a POST of a
 * good version, or of exactly nothing, gives an order.
 */
#include "fuzz.h"

#include <quobyte-mesos.h>

#include "http/api.h"

#define START 1767225600000u

static struct qm_planner *planner;
static struct qm_config *config;
static unsigned orders;

static int on_command(void *userdata, const struct qm_command *command, uint64_t *revision)
{
    orders++;
    must(command->type != QM_COMMAND_SET_TARGET || qm_version_is_valid(command->version));
    *revision = 1;
    return 0;
}

static const struct qm_planner *on_planner(void *userdata)
{
    return planner;
}

static const struct qm_config *on_config(void *userdata)
{
    return config;
}

static void on_status(void *userdata, struct front_status *status)
{
    *status = (struct front_status){.now = START,
                                    .started = START,
                                    .master = "127.0.0.1:5050",
                                    .connection = "",
                                    .store = "sqlite",
                                    .store_error = ""};
}

static void set_up(void)
{
    must(qm_config_new(&config, NULL, 0, NULL) == 0);
    must(qm_config_set(config, "images.server", "quobyte/quobyte-server", NULL) == 0);
    must(qm_planner_new(&planner, config, NULL, 0, NULL, START, NULL) == 0);
    while (qm_planner_next_action(planner) != NULL)
        continue;
}

/* Text that an HTTP parser would let through: no line ends, no NUL. */
static char *take_token(struct cursor *cursor)
{
    char *text = take_text(cursor);

    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20)
            *c = '_';
    return text;
}

static bool is_order(const struct http_request *request)
{
    char version[130];
    size_t length = request->body_length;

    if (strcmp(request->method, "POST") != 0 || strcmp(request->path, "/v1/version") != 0 ||
        !request->has_length || request->body_too_long)
        return false;
    if (length == 0)
        return true;
    while (length > 0 && (request->body[length - 1] == '\n' || request->body[length - 1] == '\r'))
        length--;
    if (length == 0 || length > 128 || memchr(request->body, '\0', length))
        return false;
    memcpy(version, request->body, length);
    version[length] = '\0';
    return qm_version_is_valid(version);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct front_options options = {.bind = "127.0.0.1", .deployment = "default"};
    static const struct front_callbacks callbacks = {on_command, on_planner, on_config, on_status,
                                                     NULL};
    const struct api_context context = {&options, &callbacks};
    struct cursor cursor = {data, size};
    struct http_response response = {0};
    uint8_t bits = take_byte(&cursor);
    char *method = take_token(&cursor), *path = take_token(&cursor), *query = take_token(&cursor);
    char *host = take_token(&cursor), *origin = take_token(&cursor), *site = take_token(&cursor);
    size_t length;
    const char *body = (const char *)take_part(&cursor, &length);
    struct http_request request = {
        .method = method,
        .path = path,
        .query = query,
        .host = bits & 1 ? host : NULL,
        .origin = bits & 2 ? origin : NULL,
        .fetch_site = bits & 4 ? site : NULL,
        .has_length = bits & 8,
        .body_too_long = length > API_BODY_MAX,
        .body = length > API_BODY_MAX ? "" : body,
        .body_length = length > API_BODY_MAX ? 0 : length,
    };

    if (!planner)
        set_up();
    orders = 0;
    api_handle(&context, &request, &response);
    must(response.status >= 200 && response.status < 600);
    must(orders <= 1);
    must(orders == 0 || is_order(&request));
    must(response.body || response.length == 0);
    if (response.status >= 400)
        must(orders == 0 && response.length > 0);
    http_response_deinit(&response);
    free(method);
    free(path);
    free(query);
    free(host);
    free(origin);
    free(site);
    return 0;
}
