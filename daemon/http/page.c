/* The dashboard: frame, headline, services, connection and state. */
#include <string.h>

#include "http/page.h"

void page_reason(const struct page *page, const struct qm_reason *reason)
{
    char text[512], since[40];

    qm_reason_format(reason, text, sizeof(text));
    html_put(page->out, "%s", text);
    if (reason->since && reason->since != QM_TIME_NEVER)
        html_put(page->out, " <span class=\"quiet\">(for %s)</span>",
                 html_ago(page->status->now, reason->since, since, sizeof(since)));
}

void page_words(const struct page *page, const char *why, qm_time until)
{
    char left[40];

    if (why && *why)
        html_put(page->out, " <span class=\"quiet\">\u201c%s\u201d</span>", why);
    if (why && until != QM_TIME_NEVER && until > page->status->now)
        html_put(page->out, " <span class=\"quiet\">(ends in %s)</span>",
                 html_ago(until, page->status->now, left, sizeof(left)));
}

void page_open(const struct page *page, const char *kind, const char *name, bool open)
{
    html_put(page->out, "<details id=\"%s-%s\"", kind, name);
    fputs(open ? " open>" : ">", page->out);
}

/* One word for the whole, and how it looks. */
static const char *summarise(const struct page *page, const char **look)
{
    const struct qm_plan_view *plan = page->plan;

    *look = "busy";
    if (page->status->store_error[0]) {
        *look = "bad";
        return "cannot save state";
    }
    if (!page->status->connected) {
        *look = "bad";
        return "no Mesos master";
    }
    if (page->cluster->reconciling)
        return "reconciling";
    if (plan->paused || plan->status == QM_STATUS_WAITING) {
        *look = "warn";
        return plan->paused ? "paused" : "waiting";
    }
    if (plan->kind == QM_PLAN_NONE || plan->status == QM_STATUS_COMPLETE) {
        for (size_t i = 0; i < page->cluster->n_services; i++) {
            const struct qm_service_view *service = &page->cluster->services[i];

            if (service->healthy < service->wanted) {
                *look = "warn";
                return "repairing";
            }
        }
        *look = plan->target[0] ? "ok" : "";
        return plan->target[0] ? "all services run" : "idle";
    }
    return "working";
}

static void write_header(const struct page *page)
{
    const char *look, *word = summarise(page, &look);

    html_put(page->out, "<header><h1>Quobyte on Mesos</h1><span class=\"quiet\">%s</span>",
             page->deployment);
    html_put(page->out, "<span class=\"pill %s\" role=\"status\">%s</span>", look, word);
    fputs("<span class=\"grow\"></span><span id=\"stale\" class=\"pill bad\" role=\"alert\">"
          "the daemon does not answer</span>",
          page->out);
    html_put(page->out, "<span class=\"pill %s\">%s%s</span></header>",
             page->status->connected ? "ok" : "bad",
             page->status->connected ? "connected to " : "not connected",
             page->status->connected ? page->status->master : "");
}

static void write_headline(const struct page *page)
{
    const struct qm_plan_view *plan = page->plan;
    char words[40], time[40];
    FILE *out = page->out;

    fputs("<section class=\"wide\" aria-labelledby=\"target\"><h2 id=\"target\">Target version</h2>"
          "<div class=\"headline\">",
          out);
    html_put(out, "<span class=\"version\" id=\"target-version\">%s</span>",
             page->cluster->target[0] ? page->cluster->target : "none");
    if (plan->kind == QM_PLAN_NONE) {
        fputs("</div>", out);
        if (!page->cluster->target[0])
            fputs("<p class=\"line quiet\">Nothing is deployed. Post a version to begin: "
                  "<code>curl -X POST --data \"VERSION\" http://HOST:PORT/v1/version</code></p>",
                  out);
        fputs("</section>", out);
        return;
    }
    html_put(out, "<span>%s ", qm_plan_kind_name(plan->kind));
    if (plan->from[0] && plan->kind == QM_PLAN_UPGRADE)
        html_put(out, "from %s ", plan->from);
    html_put(out, "is <strong>%s</strong>, %zu of %zu steps",
             html_words(qm_status_name(plan->status), words, sizeof(words)), plan->n_complete,
             plan->n_steps);
    if (plan->completed != QM_TIME_NEVER)
        html_put(out, ", done %s ago", html_ago(page->status->now, plan->completed, time, 40));
    else if (plan->started != QM_TIME_NEVER)
        html_put(out, ", begun %s ago", html_ago(page->status->now, plan->started, time, 40));
    fputs("</span></div>", out);
    html_put(out,
             "<progress class=\"%s\" max=\"%zu\" value=\"%zu\" aria-label=\"steps of the plan\">"
             "</progress>",
             plan->status == QM_STATUS_COMPLETE ? "done" : "", plan->n_steps ? plan->n_steps : 1,
             plan->n_steps ? plan->n_complete : (size_t)(plan->status == QM_STATUS_COMPLETE));
    if (plan->paused || plan->reason.code != QM_WHY_NOTHING) {
        fputs("<p class=\"line\"><span class=\"pill warn\">", out);
        fputs(plan->paused ? "paused</span> " : "waits</span> ", out);
        if (plan->reason.code != QM_WHY_NOTHING)
            page_reason(page, &plan->reason);
        page_words(page, plan->paused ? plan->paused_why : NULL, plan->paused_until);
        fputs("</p>", out);
    }
    fputs("</section>", out);
}

void page_services(const struct page *page)
{
    FILE *out = page->out;

    fputs("<section aria-labelledby=\"services\"><h2 id=\"services\">Services</h2>"
          "<div class=\"scroll\"><table id=\"service-table\"><thead><tr><th>Service<th>Available"
          "<th class=\"number\">Wanted<th class=\"number\">Running<th class=\"number\">Healthy"
          "<th class=\"number\">Outdated</thead><tbody>",
          out);
    for (size_t i = 0; i < page->cluster->n_services; i++) {
        const struct qm_service_view *service = &page->cluster->services[i];
        bool done = service->available >= service->wanted;

        html_put(out, "<tr><td>%s<td>", service->name);
        if (service->wanted)
            html_put(out,
                     "<progress class=\"%s\" max=\"%zu\" value=\"%zu\" aria-label=\"available %s\">"
                     "</progress><span class=\"notes\">%zu of %zu</span>",
                     done ? "done" : "", service->wanted,
                     done ? service->wanted : service->available, service->name, service->available,
                     service->wanted);
        else
            fputs("<span class=\"notes\">not wanted</span>", out);
        html_put(out,
                 "<td class=\"number\">%zu<td class=\"number\">%zu<td class=\"number\">%zu"
                 "<td class=\"number\">%zu",
                 service->wanted, service->running, service->healthy, service->outdated);
    }
    fputs("</tbody></table></div></section>", out);
}

void page_offers(const struct page *page)
{
    const struct qm_offer_outcomes *offers = page->offers;
    struct qm_reason reason = {.code = QM_WHY_NOTHING};
    char time[40], words[64];
    FILE *out = page->out;

    html_put(out,
             "<section aria-labelledby=\"offers\"><h2 id=\"offers\">Offers</h2><p class=\"line\">"
             "%llu seen, %llu accepted, %llu declined, %llu rescinded",
             (unsigned long long)offers->seen, (unsigned long long)offers->accepted,
             (unsigned long long)offers->declined, (unsigned long long)offers->rescinded);
    fputs("</p><div class=\"chips\">", out);
    for (int i = 0; i < QM_WHY_CODES; i++)
        if (offers->by_reason[i])
            html_put(out, "<span class=\"chip\">%s: %llu</span>",
                     html_words(qm_reason_name((enum qm_reason_code)i), words, sizeof(words)),
                     (unsigned long long)offers->by_reason[i]);
    fputs("</div>", out);
    if (offers->n_recent) {
        page_open(page, "offers", "recent", false);
        html_put(out,
                 "<summary>The last %zu</summary><div class=\"scroll\"><table><thead><tr>"
                 "<th>Before<th>Host<th>For<th>Outcome</thead><tbody>",
                 offers->n_recent);
        for (size_t i = 0; i < offers->n_recent && i < 100; i++) {
            reason = offers->recent[i].reason;
            reason.since = 0;
            html_put(out, "<tr><td>%s<td>%s<td>%s<td>",
                     html_ago(page->status->now, offers->recent[i].time, time, sizeof(time)),
                     offers->recent[i].host, offers->recent[i].service);
            if (reason.code == QM_WHY_NOTHING)
                fputs("accepted", out);
            else
                page_reason(page, &reason);
        }
        fputs("</tbody></table></div></details>", out);
    }
    fputs("</section>", out);
}

static void write_connection(const struct page *page)
{
    const struct front_status *status = page->status;
    const struct qm_cluster_view *cluster = page->cluster;
    char time[40];
    FILE *out = page->out;

    fputs("<section aria-labelledby=\"connection\"><h2 id=\"connection\">Connection and state</h2>"
          "<dl>",
          out);
    html_put(out, "<dt>Mesos master<dd>%s%s%s", *status->master ? status->master : "none found",
             status->connected ? "" : ", not connected",
             cluster->reconciling ? ", reconciling" : "");
    if (*status->connection)
        html_put(out, "<dt>Last word<dd>%s", status->connection);
    html_put(out, "<dt>Framework id<dd class=\"id\">%s",
             *cluster->framework_id ? cluster->framework_id : "none yet");
    html_put(out, "<dt>State<dd>%s, revision %llu", status->store,
             (unsigned long long)cluster->saved_revision);
    if (cluster->revision > cluster->saved_revision)
        html_put(out, ", saving %llu", (unsigned long long)cluster->revision);
    if (*status->store_error)
        html_put(out, "<br><span class=\"pill bad\">not saved</span> %s", status->store_error);
    html_put(out, "<dt>Daemon<dd>up for %s, start %llu</dl></section>",
             html_ago(status->now, status->started, time, sizeof(time)),
             (unsigned long long)cluster->epoch);
}

void page_write(const struct page *page)
{
    FILE *out = page->out;
    const char *look;

    html_put(out,
             "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s: %s"
             "</title><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
             "<meta name=\"referrer\" content=\"no-referrer\"><link rel=\"icon\" href=\"data:,\">",
             page->cluster->target[0] ? page->cluster->target : "Quobyte", summarise(page, &look));
    /* Without the script the page reloads as a whole. */
    fputs("<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript><style>", out);
    fputs(page_style, out);
    fputs("</style></head><body>", out);
    write_header(page);
    fputs("<main>", out);
    write_headline(page);
    page_attention(page);
    page_plan(page);
    page_services(page);
    page_hosts(page);
    page_offers(page);
    write_connection(page);
    fputs("</main><footer>The same as JSON: <a href=\"/v1/plan\">plan</a>, "
          "<a href=\"/v1/hosts\">hosts</a>, <a href=\"/v1/services\">services</a>, "
          "<a href=\"/v1/tasks\">tasks</a>, <a href=\"/v1/offers\">offers</a>, "
          "<a href=\"/v1/state\">state</a>, <a href=\"/v1/config\">configuration</a>; "
          "<a href=\"/v1/health?verbose\">health</a></footer><script>",
          out);
    fputs(page_script, out);
    fputs("</script></body></html>\n", out);
}
