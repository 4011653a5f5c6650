/* /v1/version: the order that everything is about. /v1/health: how it goes. /prober: a file. */
#include <stdlib.h>
#include <string.h>

#include "http/api_private.h"

void api_version_get(struct api_call *call)
{
    answer_text(call->response, 200, "%s", qm_planner_target(call->planner));
}

static void give_order(struct api_call *call, const struct qm_command *command)
{
    const struct front_callbacks *callbacks = call->context->callbacks;
    const char *why;
    uint64_t revision = 0;
    int r = callbacks->command(callbacks->userdata, command, &revision);

    why = qm_planner_refusal(call->planner);
    why = r > 0 && *why ? why : qm_strerror(r);

    if (r == QM_E_INVALID)
        answer_error(call, false, 400, "not taken: %s; nothing was changed", why);
    else if (r > 0)
        answer_error(call, false, 409, "not taken: %s; nothing was changed", why);
    else if (r < 0)
        answer_error(call, false, 500, "failed: %s", qm_strerror(r));
    else {
        answer_text(call->response, 200, "%s", command->version ? command->version : "");
        call->response->wait_revision = revision;
    }
}

void api_version_post(struct api_call *call)
{
    const struct http_request *request = call->request;
    size_t length = request->body_length;
    bool force = query_has(request->query, "force=true");
    char version[API_BODY_MAX + 1], source[128];

    snprintf(source, sizeof(source), "HTTP%s%.100s", request->peer && *request->peer ? " from " : "",
             request->peer ? request->peer : "");

    /* Exactly nothing is the order to stop; anything that merely looks empty is a mistake. */
    if (length == 0) {
        give_order(call, &(struct qm_command){.type = QM_COMMAND_SHUT_DOWN, .source = source});
        return;
    }
    while (length && (request->body[length - 1] == '\n' || request->body[length - 1] == '\r'))
        length--;
    memcpy(version, request->body, length);
    version[length] = '\0';
    if (length == 0 || strspn(version, " \t\r\n") == length)
        answer_error(call, false, 400,
                     "the body holds blanks only; a version, or nothing at all to shut down; "
                     "nothing was changed");
    else if (strlen(version) != length || !qm_version_is_valid(version))
        answer_error(call, false, 400,
                     "not a version: up to 128 letters, digits, '_', '.' and '-', no '.' or '-' "
                     "first; nothing was changed");
    else
        give_order(call, &(struct qm_command){.type = QM_COMMAND_SET_TARGET,
                                               .version = version,
                                               .source = source,
                                               .force = force});
}

/* Why the deployment is not what it should be; false when it is. */
static bool find_trouble(struct api_call *call, const struct qm_service_view *services, size_t n,
                         char *text, size_t size)
{
    struct qm_plan_view *plan = NULL;
    bool trouble = true;

    if (!call->status.connected) {
        snprintf(text, size, "not connected to a Mesos master");
        return true;
    }
    if (call->status.store_error[0]) {
        snprintf(text, size, "state cannot be saved: %s", call->status.store_error);
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        const struct qm_service_view *service = &services[i];

        if (strcmp(service->name, "prober") != 0 &&
            (service->healthy < service->wanted || service->outdated)) {
            snprintf(text, size, "%s: %zu of %zu healthy, %zu outdated", service->name,
                     service->healthy, service->wanted, service->outdated);
            return true;
        }
    }
    if (qm_plan_view_new(call->planner, &plan) != 0) {
        snprintf(text, size, "out of memory");
        return true;
    }
    if (plan->paused)
        snprintf(text, size, "the %s plan is paused", qm_plan_kind_name(plan->kind));
    else if (plan->kind != QM_PLAN_NONE && plan->status != QM_STATUS_COMPLETE)
        snprintf(text, size, "the %s plan is %s: %zu of %zu steps", qm_plan_kind_name(plan->kind),
                 qm_status_name(plan->status), plan->n_complete, plan->n_steps);
    else
        trouble = false;
    qm_plan_view_free(plan);
    return trouble;
}

static void write_details(struct api_call *call, FILE *out, const struct qm_service_view *services,
                          size_t n, const char *trouble)
{
    const char *target = qm_planner_target(call->planner);

    fprintf(out, "Target: %s\n", *target ? target : "none");
    fprintf(out, "Master: %s%s%s\n", call->status.connected ? "connected" : "not connected",
            *call->status.master ? ", " : "", call->status.master);
    if (*call->status.connection)
        fprintf(out, "Connection: %s\n", call->status.connection);
    fprintf(out, "Framework id: %s\n", qm_planner_framework_id(call->planner));
    fprintf(out, "State: %s, %s\n", call->status.store,
            *call->status.store_error ? call->status.store_error : "saved");
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s: wanted %zu, running %zu, healthy %zu, available %zu, outdated %zu\n",
                services[i].name, services[i].wanted, services[i].running, services[i].healthy,
                services[i].available, services[i].outdated);
    fprintf(out, "Deployment: %s\n", *trouble ? trouble : "as it should be");
}

void api_health(struct api_call *call)
{
    struct qm_service_view services[QM_SERVICES_MAX];
    size_t n = qm_cluster_counts(call->planner, services, QM_SERVICES_MAX), running = 0, length;
    char trouble[256] = "";
    char *body = NULL;
    FILE *out;
    bool strict = query_has(call->request->query, "strict"), bad;

    n = n < QM_SERVICES_MAX ? n : QM_SERVICES_MAX;
    for (size_t i = 0; i < n; i++)
        if (strcmp(services[i].name, "prober") != 0)
            running += services[i].running;
    bad = find_trouble(call, services, n, trouble, sizeof(trouble)) && strict;

    out = open_memstream(&body, &length);
    if (!out) {
        answer_page(call->response, 500, "", NULL, 0);
        return;
    }
    fprintf(out, "%s. Running services: %zu\n", bad ? "NOT OK" : "OK", running);
    if (query_has(call->request->query, "verbose"))
        write_details(call, out, services, n, trouble);
    else if (bad)
        fprintf(out, "%s\n", trouble);
    if (fclose(out) != 0) {
        free(body);
        body = NULL;
    }
    answer_page(call->response, bad ? 503 : 200, "text/plain; charset=utf-8", body, length);
}

void api_prober(struct api_call *call)
{
    const char *path = call->context->options->prober_path;

    if (!path || !*path) {
        answer_error(call, false, 404, "this daemon has no prober to give away");
        return;
    }
    call->response->status = 200;
    call->response->content_type = "application/octet-stream";
    call->response->file = path;
}
