/*
 * What operators ordered, in the records: pause, drained hosts, steps that are left out, and the
 * last orders with who gave them. What older programs wrote has none of it.
 */
#include "verbs_record.h"

typedef QuobyteMesos__State__Event Event;
typedef QuobyteMesos__State__Skip Skip;

static void read_events(struct qm_planner *p, const QuobyteMesos__State__Framework *f)
{
    size_t first = f->n_events > QM_EVENTS_MAX ? f->n_events - QM_EVENTS_MAX : 0;

    p->n_events = 0;
    for (size_t i = first; i < f->n_events; i++) {
        const Event *from = f->events[i];
        struct qm_event *to = &p->events[p->n_events++];

        *to = (struct qm_event){.time = from->time, .expired = from->expired};
        to->what = from->what < QM_COMMAND_TYPES ? (uint8_t)from->what : QM_COMMAND_TYPES;
        qm_copy_text(to->subject, sizeof(to->subject), from->subject);
        qm_copy_text(to->why, sizeof(to->why), from->why);
        qm_copy_text(to->source, sizeof(to->source), from->source);
    }
}

void qm_verbs_read_framework(struct qm_planner *p, const QuobyteMesos__State__Framework *f)
{
    p->paused_until = f->has_paused_until ? f->paused_until : QM_TIME_NEVER;
    qm_copy_text(p->paused_why, sizeof(p->paused_why), f->paused_why);
    read_events(p, f);
    for (size_t i = 0; i < f->n_skipped; i++) {
        const Skip *skip = f->skipped[i];
        size_t service =
            skip->service ? qm_policy_find_service(p->policy, skip->service) : SIZE_MAX;
        struct qm_place *place;

        if (service == SIZE_MAX || skip->instance == 0 ||
            skip->instance > p->services[service].n_places)
            continue; /* the configuration has fewer instances now */
        place = &p->services[service].places[skip->instance - 1];
        place->skipped = true;
        place->skipped_down = skip->down;
    }
}

static Skip *write_skip(struct qm_planner *p, const struct qm_place *place)
{
    Skip *skip = qm_arena_alloc(&p->instant, sizeof(*skip));

    if (!skip) {
        qm_out_of_memory(p);
        return NULL;
    }
    quobyte_mesos__state__skip__init(skip);
    skip->service = (char *)p->policy->services[place->service].name;
    skip->has_instance = place->instance != 0;
    skip->instance = place->instance;
    skip->has_down = skip->down = place->skipped_down;
    return skip;
}

static void write_events(struct qm_planner *p, QuobyteMesos__State__Framework *f)
{
    Event *events = qm_arena_alloc(&p->instant, (p->n_events + 1) * sizeof(*events));

    f->events = qm_arena_alloc(&p->instant, (p->n_events + 1) * sizeof(*f->events));
    if (!events || !f->events) {
        qm_out_of_memory(p);
        return;
    }
    for (size_t i = 0; i < p->n_events; i++) {
        struct qm_event *from = &p->events[i];

        quobyte_mesos__state__event__init(&events[i]);
        events[i].has_time = events[i].has_what = 1;
        events[i].time = from->time;
        events[i].what = from->what;
        events[i].subject = from->subject;
        events[i].why = from->why[0] ? from->why : NULL;
        events[i].source = from->source[0] ? from->source : NULL;
        events[i].has_expired = events[i].expired = from->expired;
        f->events[f->n_events++] = &events[i];
    }
}

void qm_verbs_write_framework(struct qm_planner *p, QuobyteMesos__State__Framework *f)
{
    size_t n = 0;

    f->has_paused_until = p->paused && p->paused_until != QM_TIME_NEVER;
    f->paused_until = p->paused_until;
    f->paused_why = p->paused && p->paused_why[0] ? p->paused_why : NULL;
    write_events(p, f);
    for (size_t i = 0; i < p->n_services; i++)
        n += p->services[i].n_places;
    f->skipped = qm_arena_alloc(&p->instant, (n + 1) * sizeof(*f->skipped));
    if (!f->skipped) {
        qm_out_of_memory(p);
        return;
    }
    for (size_t i = 0; i < p->n_services; i++)
        for (size_t k = 0; k < p->services[i].n_places && !p->failed; k++)
            if (p->services[i].places[k].skipped)
                f->skipped[f->n_skipped++] = write_skip(p, &p->services[i].places[k]);
}

static void read_drain(struct qm_planner *p, struct qm_host *host,
                       const QuobyteMesos__State__Host *h)
{
    struct qm_host_extra *extra = h->has_drained_since ? qm_host_extra(p, host) : NULL;

    if (!extra)
        return;
    extra->drained = true;
    extra->drained_since = h->drained_since;
    extra->drained_until = h->has_drained_until ? h->drained_until : QM_TIME_NEVER;
    if (h->drained_why && h->drained_why[0]) {
        extra->drained_why =
            qm_memdup0(p->allocator, h->drained_why, qm_clip(h->drained_why, QM_COMMAND_TEXT_MAX));
        if (!extra->drained_why)
            qm_out_of_memory(p);
    }
}

void qm_verbs_read_host(struct qm_planner *p, struct qm_host *host,
                        const QuobyteMesos__State__Host *h)
{
    read_drain(p, host, h);
    for (size_t i = 0; i < h->n_skipped && !p->failed; i++) {
        const Skip *skip = h->skipped[i];
        size_t service =
            skip->service ? qm_policy_find_service(p->policy, skip->service) : SIZE_MAX;
        struct qm_place *place;

        if (service == SIZE_MAX || p->policy->services[service].binding == QM_FLOATING)
            continue;
        place = qm_place_get(p, host, service);
        if (!place)
            return;
        place->skipped = true;
        place->skipped_down = skip->down;
    }
}

void qm_verbs_write_host(struct qm_planner *p, const struct qm_host *host,
                         QuobyteMesos__State__Host *h)
{
    const struct qm_host_extra *extra = host->extra;

    if (extra && extra->drained) {
        h->has_drained_since = 1;
        h->drained_since = extra->drained_since;
        h->has_drained_until = extra->drained_until != QM_TIME_NEVER;
        h->drained_until = extra->drained_until;
        h->drained_why = extra->drained_why;
    }
    h->skipped = qm_arena_alloc(&p->instant, (host->n_places + 1u) * sizeof(*h->skipped));
    if (!h->skipped) {
        qm_out_of_memory(p);
        return;
    }
    for (size_t i = 0; i < host->n_places && !p->failed; i++)
        if (host->places[i].skipped)
            h->skipped[h->n_skipped++] = write_skip(p, &host->places[i]);
}
