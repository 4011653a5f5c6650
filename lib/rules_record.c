/* What the rollout's rules remember, in the framework's record. */
#include "record.h"

#include <stdio.h>
#include <string.h>

#include "rooms.h"

typedef QuobyteMesos__State__Rollout Rollout;
typedef QuobyteMesos__State__Spent Spent;

/* By name: numbers of reasons change from version to version. An unknown one holds as well. */
static enum qm_reason_code code_of(const char *name)
{
    for (int code = 0; code < QM_WHY_CODES; code++)
        if (strcmp(qm_reason_name((enum qm_reason_code)code), name) == 0)
            return (enum qm_reason_code)code;
    return QM_WHY_FAILURES_TOTAL;
}

static void read_hold(struct qm_planner *p, const Rollout *from)
{
    struct qm_reason *hold = &p->rules.hold;

    if (!from->hold || !from->hold[0])
        return;
    *hold = (struct qm_reason){.code = code_of(from->hold),
                               .since = from->hold_since,
                               .have = from->hold_have,
                               .want = from->hold_want};
    snprintf(hold->subject, sizeof(hold->subject), "%.127s",
             from->hold_subject ? from->hold_subject : "");
}

static void read_spent(struct qm_planner *p, const Rollout *from)
{
    struct qm_rules *r = &p->rules;
    size_t n = from->n_spent < QM_SPENT_MAX ? from->n_spent : QM_SPENT_MAX;

    r->failures = from->failures;
    if (n > 0 && !qm_grow(p->allocator, &r->spent, &r->spent_capacity, n, sizeof(*r->spent))) {
        qm_out_of_memory(p);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        memset(&r->spent[i], 0, sizeof(r->spent[i]));
        snprintf(r->spent[i].step, sizeof(r->spent[i].step), "%s",
                 from->spent[i]->step ? from->spent[i]->step : "");
        r->spent[i].n = from->spent[i]->n;
    }
    r->n_spent = n;
}

void qm_rules_read(struct qm_planner *p, const Rollout *from)
{
    struct qm_rules *r = &p->rules;

    if (!from)
        return;
    read_hold(p, from);
    read_spent(p, from);
    r->canary = qm_intern(p, from->canary ? from->canary : "");
    r->canary_since = from->has_canary_since ? from->canary_since : QM_TIME_NEVER;
    r->canary_passed = from->canary_passed;
    r->images_ready = from->images_ready;
    r->n_begun = from->n_begun;
    r->domain = qm_intern(p, from->domain ? from->domain : "");
    r->domain_quiet = from->has_domain_quiet ? from->domain_quiet : QM_TIME_NEVER;
}

static bool write_spent(struct qm_planner *p, Rollout *to)
{
    const struct qm_rules *r = &p->rules;
    Spent *spent = qm_arena_calloc(&p->instant, r->n_spent + 1, sizeof(*spent));

    to->spent = qm_arena_calloc(&p->instant, r->n_spent + 1, sizeof(Spent *));
    if (!spent || !to->spent)
        return false;
    for (size_t i = 0; i < r->n_spent; i++) {
        quobyte_mesos__state__spent__init(&spent[i]);
        spent[i].step = r->spent[i].step;
        spent[i].has_n = 1;
        spent[i].n = r->spent[i].n;
        to->spent[i] = &spent[i];
    }
    to->n_spent = r->n_spent;
    return true;
}

static void write_hold(const struct qm_reason *hold, Rollout *to)
{
    if (hold->code == QM_WHY_NOTHING)
        return;
    to->hold = (char *)qm_reason_name(hold->code);
    to->has_hold_since = to->has_hold_have = to->has_hold_want = 1;
    to->hold_since = hold->since;
    to->hold_subject = (char *)hold->subject;
    to->hold_have = hold->have;
    to->hold_want = hold->want;
}

Rollout *qm_rules_write(struct qm_planner *p)
{
    Rollout *to = qm_arena_alloc(&p->instant, sizeof(*to));

    if (!to) {
        qm_out_of_memory(p);
        return NULL;
    }
    quobyte_mesos__state__rollout__init(to);
    write_hold(&p->rules.hold, to);
    to->has_failures = p->rules.failures > 0;
    to->failures = p->rules.failures;
    to->canary = p->rules.canary[0] ? (char *)p->rules.canary : NULL;
    to->has_canary_since = p->rules.canary_since != QM_TIME_NEVER;
    to->canary_since = p->rules.canary_since;
    to->has_canary_passed = to->canary_passed = p->rules.canary_passed;
    to->has_images_ready = to->images_ready = p->rules.images_ready;
    to->has_n_begun = p->rules.n_begun > 0;
    to->n_begun = p->rules.n_begun;
    to->domain = p->rules.domain[0] ? (char *)p->rules.domain : NULL;
    to->has_domain_quiet = p->rules.domain_quiet != QM_TIME_NEVER;
    to->domain_quiet = p->rules.domain_quiet;
    if (!write_spent(p, to)) {
        qm_out_of_memory(p);
        return NULL;
    }
    return to;
}
