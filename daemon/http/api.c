/* The router, and the rules that hold for every route. */
#include <string.h>
#include <strings.h>

#include "http/api_private.h"

struct route {
    const char *path;
    bool json; /* errors are JSON, too */
    void (*get)(struct api_call *call);
    void (*post)(struct api_call *call);
};

static const struct route routes[] = {
    {"/v1/version", false, api_version_get, api_version_post},
    {"/v1/health", false, api_health, NULL},
    {"/", false, api_dashboard, NULL},
    {"/v1/plan", true, api_plan, NULL},
    {"/v1/hosts", true, api_hosts, NULL},
    {"/v1/services", true, api_services, NULL},
    {"/v1/tasks", true, api_tasks, NULL},
    {"/v1/offers", true, api_offers, NULL},
    {"/v1/state", true, api_state, NULL},
    {"/v1/config", true, api_config, NULL},
    {"/prober", false, api_prober, NULL},
};

static const struct route *find_route(const char *path)
{
    static const struct route order = {"an order", true, NULL, api_order_post};
    static const struct route safe = {"safe-to-stop", true, api_safe_to_stop, NULL};

    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
        if (strcmp(routes[i].path, path) == 0)
            return &routes[i];
    if (api_is_order(path))
        return &order;
    return api_is_safe_to_stop(path) ? &safe : NULL;
}

/*
 * A page of a foreign site that an operator happens to look at must not steer the cluster. Browsers
 * say where a request comes from; curl says nothing.
 */
static bool is_foreign(const struct http_request *request)
{
    const char *site = request->fetch_site, *authority;

    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return true;
    if (!request->origin)
        return false;
    authority = strstr(request->origin, "://");
    return !authority || !request->host || strcasecmp(authority + 3, request->host) != 0;
}

static bool refuse(struct api_call *call, const struct route *route)
{
    const struct http_request *request = call->request;
    bool reads = route->get && (strcmp(request->method, "GET") == 0 ||
                                strcmp(request->method, "HEAD") == 0);
    bool writes = strcmp(request->method, "POST") == 0 && route->post;

    if (!reads && !writes) {
        call->response->allow = !route->get    ? "POST"
                                : route->post ? "GET, HEAD, POST"
                                              : "GET, HEAD";
        answer_error(call, route->json, 405, "%s takes %s only", route->path,
                     call->response->allow);
    } else if (request->body_too_long) {
        answer_error(call, route->json, 413, "the body is longer than %d bytes", API_BODY_MAX);
    } else if (writes && is_foreign(request)) {
        answer_error(call, route->json, 403, "orders from pages of other sites are not taken");
    } else if (writes && route->get && !request->has_length) {
        /* The other orders are in the path; curl -X POST alone sends no length. */
        answer_error(call, route->json, 400, "a Content-Length is needed; nothing was changed");
    } else {
        return false;
    }
    return true;
}

void api_handle(const struct api_context *context, const struct http_request *request,
                struct http_response *response)
{
    const struct front_callbacks *callbacks = context->callbacks;
    struct api_call call = {.context = context, .request = request, .response = response};
    const struct route *route = find_route(request->path);

    *response = (struct http_response){0};
    if (!route) {
        answer_error(&call, false, 404, "no such path; see /");
        return;
    }
    if (refuse(&call, route))
        return;
    call.planner = callbacks->planner(callbacks->userdata);
    callbacks->status(callbacks->userdata, &call.status);
    if (strcmp(request->method, "POST") == 0)
        route->post(&call);
    else
        route->get(&call);
}

void api_late(struct http_response *response)
{
    http_response_deinit(response);
    answer_text(response, 503, "stored state unknown; GET tells\n");
}
