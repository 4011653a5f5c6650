/* The dashboard: hosts with their devices and services, folded by failure domain when many. */
#include <stdlib.h>
#include <string.h>

#include "http/page.h"

#define HOSTS_UNFOLDED 24   /* up to so many hosts are shown as one open table */
#define HOSTS_LISTED   1000 /* beyond, only those with trouble are; /v1/hosts has all */

const char *page_task_trouble(const struct qm_task_view *task)
{
    switch (task->stage) {
    case QM_STAGE_RUNNING:
        return task->healthy ? NULL : "not healthy";
    case QM_STAGE_KILLING:
        return "stopping";
    case QM_STAGE_UNANSWERED:
        return "has not answered yet";
    case QM_STAGE_UNREACHABLE:
        return "unreachable";
    default:
        return NULL;
    }
}

static const char *task_look(const struct qm_task_view *task)
{
    switch (task->stage) {
    case QM_STAGE_HEALTHY:
        return task->outdated ? "busy" : "ok";
    case QM_STAGE_UNREACHABLE:
        return "bad";
    case QM_STAGE_RUNNING:
        return task->healthy ? "busy" : "warn";
    case QM_STAGE_UNANSWERED:
        return "warn";
    default:
        return "busy";
    }
}

static void write_devices(const struct page *page, const struct qm_host_view *host)
{
    FILE *out = page->out;

    fputs("<div class=\"chips\">", out);
    for (size_t i = 0; i < host->n_devices; i++) {
        const struct qm_device_view *device = &host->devices[i];

        html_put(
            out, "<span class=\"chip %s\" title=\"%s %s, %s %s, %llu of %llu GiB free\">%s%s%s",
            device->missing || *device->warning ? "warn" : "", device->mount, device->filesystem,
            device->model, device->serial, (unsigned long long)(device->free_mib / 1024),
            (unsigned long long)(device->size_mib / 1024), qm_device_type_name(device->type),
            device->bootstrap ? " (bootstrap)" : "", device->missing ? " (missing)" : "");
        fputs("</span>", out);
    }
    fputs("</div>", out);
    if (!host->n_devices)
        html_put(out, "<span class=\"notes\">%s</span>",
                 host->reported ? "no devices" : "not reported yet");
}

static void write_tasks(const struct page *page, const struct qm_host_view *host)
{
    FILE *out = page->out;
    char since[40];

    fputs("<div class=\"chips\">", out);
    for (size_t i = 0; i < host->n_tasks; i++) {
        const struct qm_task_view *task = &host->tasks[i];

        html_put(out, "<span class=\"chip %s\" title=\"%s, %s for %s\">%s%s%s", task_look(task),
                 task->id, qm_task_stage_name(task->stage),
                 html_ago(page->status->now, task->since, since, sizeof(since)), task->service,
                 *task->version ? " " : "", task->version);
        if (task->stage != QM_STAGE_HEALTHY)
            html_put(out, " &middot; %s", qm_task_stage_name(task->stage));
        fputs("</span>", out);
    }
    fputs("</div>", out);
}

static void write_host(const struct page *page, const struct qm_host_view *host)
{
    FILE *out = page->out;
    char time[40];

    html_put(out, "<tr><td><strong>%s</strong>", host->name);
    if (!host->connected)
        fputs(" <span class=\"pill bad\">not connected</span>", out);
    if (!host->allowed)
        fputs(" <span class=\"pill\">not allowed</span>", out);
    if (host->drained) {
        fputs(" <span class=\"pill warn\">drained</span>", out);
        page_words(page, host->drained_why, host->drained_until);
    }
    html_put(out, "<div class=\"notes\">reported %s%s</div>",
             html_ago(page->status->now, host->last_report, time, sizeof(time)),
             host->last_report == QM_TIME_NEVER ? "" : " ago");
    fputs("<td>", out);
    write_devices(page, host);
    fputs("<td>", out);
    write_tasks(page, host);
    if (host->reason.code != QM_WHY_NOTHING) {
        fputs("<div class=\"notes\">", out);
        page_reason(page, &host->reason);
        fputs("</div>", out);
    }
}

static void begin_table(const struct page *page)
{
    fputs("<div class=\"scroll\"><table class=\"hosts\"><thead><tr><th>Host<th>Devices<th>Services"
          "</thead><tbody>",
          page->out);
}

static void end_table(const struct page *page)
{
    fputs("</tbody></table></div>", page->out);
}

static int by_domain(const void *a, const void *b)
{
    const struct qm_host_view *x = *(const struct qm_host_view *const *)a;
    const struct qm_host_view *y = *(const struct qm_host_view *const *)b;
    int r = strcmp(x->failure_domain, y->failure_domain);

    return r ? r : strcmp(x->name, y->name);
}

/* So many hosts from @first on share a heading: a failure domain, or 20 where each has its own. */
static size_t group_length(const struct qm_host_view *const *hosts, size_t n, bool by_twenty)
{
    size_t length = 1;

    if (by_twenty)
        return n < 20 ? n : 20;
    while (length < n && strcmp(hosts[length]->failure_domain, hosts[0]->failure_domain) == 0)
        length++;
    return length;
}

static bool has_trouble(const struct qm_host_view *host)
{
    if (!host->connected || host->reason.code != QM_WHY_NOTHING || *host->warning)
        return true;
    for (size_t i = 0; i < host->n_tasks; i++)
        if (page_task_trouble(&host->tasks[i]))
            return true;
    return false;
}

static void write_group(const struct page *page, const struct qm_host_view *const *hosts, size_t n,
                        bool by_twenty)
{
    bool all = page->cluster->n_hosts <= HOSTS_LISTED;
    size_t lost = 0, troubled = 0;

    for (size_t i = 0; i < n; i++) {
        lost += !hosts[i]->connected;
        troubled += hosts[i]->connected && has_trouble(hosts[i]);
    }
    page_open(page, "hosts", by_twenty ? hosts[0]->name : hosts[0]->failure_domain, false);
    if (by_twenty)
        html_put(page->out, "<summary><strong>%s</strong> to <strong>%s</strong>", hosts[0]->name,
                 hosts[n - 1]->name);
    else
        html_put(page->out, "<summary><strong>%s</strong>", hosts[0]->failure_domain);
    html_put(page->out, " <span class=\"quiet\">%zu hosts</span>", n);
    if (lost)
        html_put(page->out, " <span class=\"pill bad\">%zu not connected</span>", lost);
    if (troubled)
        html_put(page->out, " <span class=\"pill warn\">%zu with trouble</span>", troubled);
    fputs("</summary>", page->out);
    begin_table(page);
    for (size_t i = 0; i < n; i++)
        if (all || has_trouble(hosts[i]))
            write_host(page, hosts[i]);
    end_table(page);
    if (!all)
        html_put(page->out, "<p class=\"notes\">%zu others run without trouble</p>",
                 n - lost - troubled);
    fputs("</details>", page->out);
}

static void write_folded(const struct page *page)
{
    size_t n = page->cluster->n_hosts, n_domains = 1, length;
    const struct qm_host_view **hosts = calloc(n, sizeof(*hosts));
    bool by_twenty;

    if (!hosts) {
        fputs("<p class=\"line\">out of memory</p>", page->out);
        return;
    }
    for (size_t i = 0; i < n; i++)
        hosts[i] = &page->cluster->hosts[i];
    qsort(hosts, n, sizeof(*hosts), by_domain);
    for (size_t i = 1; i < n; i++)
        n_domains += strcmp(hosts[i]->failure_domain, hosts[i - 1]->failure_domain) != 0;
    by_twenty = n_domains > n / 2;
    for (size_t i = 0; i < n; i += length) {
        length = group_length(hosts + i, n - i, by_twenty);
        write_group(page, hosts + i, length, by_twenty);
    }
    free(hosts);
}

void page_hosts(const struct page *page)
{
    size_t n = page->cluster->n_hosts, connected = 0;

    for (size_t i = 0; i < n; i++)
        connected += page->cluster->hosts[i].connected;
    html_put(page->out,
             "<section aria-labelledby=\"hosts\"><h2 id=\"hosts\">Hosts <span class=\"quiet\">%zu, "
             "%zu connected</span></h2>",
             n, connected);
    if (n == 0) {
        fputs("<p class=\"line quiet\">No agent has been seen yet.</p>", page->out);
    } else if (n <= HOSTS_UNFOLDED) {
        begin_table(page);
        for (size_t i = 0; i < n; i++)
            write_host(page, &page->cluster->hosts[i]);
        end_table(page);
    } else {
        write_folded(page);
    }
    fputs("</section>", page->out);
}
