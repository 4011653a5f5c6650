/* GET /: gathers what the operator's page shows; page.c writes it. */
#include <stdlib.h>

#include "http/api_private.h"
#include "http/page.h"

void api_dashboard(struct api_call *call)
{
    struct qm_plan_view *plan = NULL;
    struct qm_cluster_view *cluster = NULL;
    struct qm_offer_outcomes *offers = calloc(1, sizeof(*offers));
    char *body = NULL;
    size_t length = 0;
    FILE *out = NULL;

    if (offers && qm_plan_view_new(call->planner, &plan) == 0 &&
        qm_cluster_view_new(call->planner, &cluster) == 0 &&
        (out = open_memstream(&body, &length))) {
        qm_offer_outcomes_get(call->planner, offers);
        page_write(&(struct page){
            .out = out,
            .deployment = call->context->options->deployment,
            .status = &call->status,
            .plan = plan,
            .cluster = cluster,
            .offers = offers,
        });
        if (fclose(out) != 0) {
            free(body);
            body = NULL;
        }
    }
    qm_plan_view_free(plan);
    qm_cluster_view_free(cluster);
    free(offers);
    answer_page(call->response, 200, "text/html; charset=utf-8", body, length);
    call->response->policy = page_policy;
}
