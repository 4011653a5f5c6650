/* The dashboard: what needs attention, and the plan with its phases and steps. */
#include <string.h>

#include "http/page.h"

#define ATTENTION_SHOWN 8 /* the rest is folded */
#define ATTENTION_MAX   200
#define STEPS_SHOWN     200 /* of one group; /v1/plan has all */

static const char *status_look(enum qm_status status)
{
    switch (status) {
    case QM_STATUS_COMPLETE:
        return "ok";
    case QM_STATUS_DELAYED:
    case QM_STATUS_WAITING:
        return "warn";
    case QM_STATUS_PENDING:
        return "";
    default:
        return "busy";
    }
}

static bool is_active(const struct qm_step_view *step)
{
    return step->status != QM_STATUS_COMPLETE && step->status != QM_STATUS_PENDING;
}

static void write_reasons(const struct page *page, const struct qm_step_view *step)
{
    for (size_t i = 0; i < step->n_reasons; i++) {
        fputs(i ? "<br>" : "", page->out);
        page_reason(page, &step->reasons[i]);
    }
}

/* Steps under way, each with its own line. */
static void write_active(const struct page *page, const struct qm_phase_view *phase)
{
    size_t n = 0;
    char words[40];

    for (size_t i = 0; i < phase->n_steps; i++) {
        const struct qm_step_view *step = &phase->steps[i];

        if (!is_active(step))
            continue;
        if (n++ == 0)
            fputs(
                "<div class=\"scroll\"><table><thead><tr><th>Step<th>From<th>To<th>Status<th>Why it"
                " waits</thead><tbody>",
                page->out);
        if (n > STEPS_SHOWN)
            break;
        html_put(page->out,
                 "<tr><td class=\"id\">%s<td>%s<td>%s<td><span class=\"pill %s\">%s</span>"
                 "<td class=\"notes\">",
                 step->id, step->running, step->version, status_look(step->status),
                 html_words(qm_status_name(step->status), words, sizeof(words)));
        write_reasons(page, step);
    }
    fputs(n ? "</tbody></table></div>" : "", page->out);
}

static enum qm_reason_code first_reason(const struct qm_step_view *step)
{
    return step->n_reasons ? step->reasons[0].code : QM_WHY_NOTHING;
}

/* Steps that wait for one and the same thing, folded into a line. */
static void write_waiting_for(const struct page *page, const struct qm_phase_view *phase,
                              enum qm_reason_code code)
{
    const struct qm_step_view *first = NULL;
    size_t n = 0, shown = 0;
    char name[160], words[64];

    for (size_t i = 0; i < phase->n_steps; i++) {
        if (phase->steps[i].status != QM_STATUS_PENDING || first_reason(&phase->steps[i]) != code)
            continue;
        first = first ? first : &phase->steps[i];
        n++;
    }
    if (!first)
        return;
    snprintf(name, sizeof(name), "%s-%s", phase->name, qm_reason_name(code));
    page_open(page, "waiting", name, n <= 3);
    if (code == QM_WHY_NOTHING)
        html_put(page->out, "<summary>%zu pending</summary><ul class=\"notes\">", n);
    else
        html_put(page->out, "<summary>%zu waiting: %s</summary><ul class=\"notes\">", n,
                 html_words(qm_reason_name(code), words, sizeof(words)));
    for (size_t i = 0; i < phase->n_steps && shown < STEPS_SHOWN; i++) {
        const struct qm_step_view *step = &phase->steps[i];

        if (step->status != QM_STATUS_PENDING || first_reason(step) != code)
            continue;
        shown++;
        html_put(page->out, "<li><span class=\"id\">%s</span> ", step->id);
        write_reasons(page, step);
    }
    if (n > shown)
        html_put(page->out, "<li>and %zu more", n - shown);
    fputs("</ul></details>", page->out);
}

static void write_phase(const struct page *page, const struct qm_phase_view *phase)
{
    FILE *out = page->out;
    bool done = phase->status == QM_STATUS_COMPLETE;
    char words[40];

    html_put(out, "<details class=\"phase-box\" id=\"phase-%s\"", phase->name);
    fputs(!done && phase->status != QM_STATUS_PENDING ? " open>" : ">", out);
    html_put(out,
             "<summary><span class=\"phase\"><strong>%s</strong><progress class=\"%s\" max=\"%zu\" "
             "value=\"%zu\" aria-label=\"%s: %zu of %zu\"></progress><span>%zu of %zu</span>"
             "<span><span class=\"pill %s\">%s</span></span></span></summary><div>",
             phase->name, done ? "done" : "", phase->n_steps ? phase->n_steps : 1,
             phase->n_steps ? phase->n_complete : (size_t)done, phase->name, phase->n_complete,
             phase->n_steps, phase->n_complete, phase->n_steps, status_look(phase->status),
             html_words(qm_status_name(phase->status), words, sizeof(words)));
    if (*phase->warning)
        html_put(out, "<p class=\"line\"><span class=\"pill warn\">note</span> %s</p>",
                 phase->warning);
    write_active(page, phase);
    for (int code = 0; code < QM_WHY_CODES; code++)
        write_waiting_for(page, phase, (enum qm_reason_code)code);
    if (done)
        html_put(out, "<p class=\"notes\">%zu steps complete</p>", phase->n_complete);
    fputs("</div></details>", out);
}

void page_plan(const struct page *page)
{
    const struct qm_plan_view *plan = page->plan;

    if (plan->kind == QM_PLAN_NONE || !plan->n_phases)
        return;
    html_put(page->out, "<section aria-labelledby=\"plan\"><h2 id=\"plan\">Plan %llu: %s</h2>",
             (unsigned long long)plan->number, qm_plan_kind_name(plan->kind));
    for (size_t i = 0; i < plan->n_phases; i++)
        write_phase(page, &plan->phases[i]);
    fputs("</section>", page->out);
}

/* A list of troubles: opened with the first, folded after a few. */
struct trouble_list {
    const struct page *page;
    size_t n;
};

static void begin_trouble(struct trouble_list *list, const char *look, const char *word)
{
    FILE *out = list->page->out;

    if (list->n == 0)
        fputs("<section aria-labelledby=\"attention\"><h2 id=\"attention\">Needs attention</h2>"
              "<ul id=\"troubles\">",
              out);
    if (list->n == ATTENTION_SHOWN) {
        fputs("</ul>", out);
        page_open(list->page, "attention", "more", false);
        fputs("<summary>More</summary><ul>", out);
    }
    list->n++;
    html_put(out, "<li><span class=\"pill %s\">%s</span> ", look, word);
}

static void host_troubles(struct trouble_list *list, const struct qm_host_view *host)
{
    FILE *out = list->page->out;

    if (host->reason.code != QM_WHY_NOTHING) {
        begin_trouble(list, host->connected ? "warn" : "bad", "host");
        html_put(out, "<strong>%s</strong>: ", host->name);
        page_reason(list->page, &host->reason);
    } else if (!host->connected && host->allowed) {
        begin_trouble(list, "bad", "host");
        html_put(out, "<strong>%s</strong>: not connected", host->name);
    }
    if (*host->warning) {
        begin_trouble(list, "warn", "prober");
        html_put(out, "<strong>%s</strong>: %s", host->name, host->warning);
    }
    for (size_t i = 0; i < host->n_devices; i++) {
        const struct qm_device_view *device = &host->devices[i];

        if (!device->missing && !*device->warning)
            continue;
        begin_trouble(list, "warn", "device");
        html_put(out, "<strong>%s</strong> %s: %s%s", host->name, device->mount,
                 device->missing ? "not there any more " : "", device->warning);
    }
    for (size_t i = 0; i < host->n_tasks; i++) {
        const struct qm_task_view *task = &host->tasks[i];
        const char *trouble = page_task_trouble(task);

        if (!trouble || task->stage == QM_STAGE_KILLING)
            continue;
        begin_trouble(list, "warn", "task");
        html_put(out, "<strong>%s</strong> on %s: %s%s%s", task->service, task->host, trouble,
                 *task->message ? ", " : "", task->message);
    }
}

void page_attention(const struct page *page)
{
    struct trouble_list list = {.page = page};
    const struct front_status *status = page->status;

    if (!status->connected) {
        begin_trouble(&list, "bad", "Mesos");
        html_put(page->out, "not connected to a master%s%s; services keep running, nothing moves",
                 *status->connection ? ": " : "", status->connection);
    }
    if (*status->store_error) {
        begin_trouble(&list, "bad", "state");
        html_put(page->out, "%s", status->store_error);
    }
    for (size_t i = 0; i < page->cluster->n_hosts && list.n < ATTENTION_MAX; i++)
        host_troubles(&list, &page->cluster->hosts[i]);
    if (list.n >= ATTENTION_MAX)
        fputs("<li>and more: see the hosts below", page->out);
    if (list.n > ATTENTION_SHOWN)
        fputs("</ul></details></section>", page->out);
    else if (list.n)
        fputs("</ul></section>", page->out);
}
