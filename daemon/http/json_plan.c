/* /v1/plan, and reasons as JSON. */
#include <string.h>

#include "http/json.h"

/* A moment as JSON: milliseconds since 1970, null for never. */
json_t *json_time(qm_time time)
{
    return time == QM_TIME_NEVER ? json_null() : json_integer((json_int_t)time);
}

json_t *json_reason(const struct qm_reason *reason)
{
    char text[512];

    if (reason->code == QM_WHY_NOTHING)
        return json_null();
    qm_reason_format(reason, text, sizeof(text));
    return json_pack("{s:s, s:o, s:o, s:I, s:I, s:o}", "code", qm_reason_name(reason->code),
                     "since_ms", json_time(reason->since), "subject",
                     json_string_lossy(reason->subject), "have", (json_int_t)reason->have, "want",
                     (json_int_t)reason->want, "text", json_string_lossy(text));
}

json_t *json_reason_with(struct api_call *call, const struct qm_reason *reason, const char *step,
                         const char *host)
{
    const char *at = call->request->host;
    json_t *json = json_reason(reason);
    char base[300], line[1024];

    /* Only what cannot mean anything to a shell is copied from the request. */
    if (!at || !*at || strlen(at) > 255 ||
        strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:_[]") !=
            strlen(at))
        at = "HOST:PORT";
    snprintf(base, sizeof(base), "http://%s", at);
    if (!json || !json_is_object(json))
        return json;
    if (qm_reason_remedy(reason, base, step, host, line, sizeof(line)) > 0 &&
        json_object_set_new(json, "remedy", json_string_lossy(line)) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

bool json_append(json_t *array, json_t *value)
{
    return value && json_array_append_new(array, value) == 0;
}

json_t *json_whole(json_t *array, bool whole)
{
    if (array && !whole) {
        json_decref(array);
        array = NULL;
    }
    return array;
}

static json_t *step_json(struct api_call *call, const struct qm_step_view *step)
{
    json_t *reasons = json_array();
    bool whole = true;

    for (size_t i = 0; whole && i < step->n_reasons; i++)
        whole = json_append(reasons,
                            json_reason_with(call, &step->reasons[i], step->id, step->host));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:o}", "id", json_string_lossy(step->id),
                     "service", json_string_lossy(step->service), "host",
                     json_string_lossy(step->host), "version", json_string_lossy(step->version),
                     "running", json_string_lossy(step->running), "status",
                     qm_status_name(step->status), "skipped", step->skipped, "reasons", json_whole(reasons, whole));
}

static json_t *phase_json(struct api_call *call, const struct qm_phase_view *phase)
{
    json_t *steps = json_array();
    bool whole = true;

    for (size_t i = 0; whole && i < phase->n_steps; i++)
        whole = json_append(steps, step_json(call, &phase->steps[i]));
    return json_pack("{s:o, s:o, s:s, s:o, s:I, s:I, s:o}", "name", json_string_lossy(phase->name),
                     "service", json_string_lossy(phase->service), "status",
                     qm_status_name(phase->status), "warning", json_string_lossy(phase->warning),
                     "steps_total", (json_int_t)phase->n_steps, "steps_complete",
                     (json_int_t)phase->n_complete, "steps", json_whole(steps, whole));
}

void api_plan(struct api_call *call)
{
    struct qm_plan_view *plan = NULL;
    json_t *phases = json_array();
    bool whole = phases && qm_plan_view_new(call->planner, &plan) == 0;

    for (size_t i = 0; whole && i < plan->n_phases; i++)
        whole = json_append(phases, phase_json(call, &plan->phases[i]));
    phases = json_whole(phases, whole);
    answer_json(
        call->response, 200,
        !phases
            ? NULL
            : json_pack("{s:I, s:s, s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "number",
                        (json_int_t)plan->number, "kind", qm_plan_kind_name(plan->kind), "from",
                        json_string_lossy(plan->from), "target", json_string_lossy(plan->target),
                        "status", qm_status_name(plan->status), "paused", plan->paused,
                        "paused_why", json_string_lossy(plan->paused_why ? plan->paused_why : ""),
                        "paused_until_ms", json_time(plan->paused ? plan->paused_until
                                                                  : QM_TIME_NEVER), "reason",
                        json_reason_with(call, &plan->reason, "", ""), "started_ms", json_time(plan->started),
                        "completed_ms", json_time(plan->completed), "steps_total",
                        (json_int_t)plan->n_steps, "steps_complete", (json_int_t)plan->n_complete,
                        "phases", phases));
    qm_plan_view_free(plan);
}
