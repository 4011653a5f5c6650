/*
 * Back-off after failures: doubles from initial to max, plus or minus a tenth. The jitter is drawn
 * from seed, place and count, so that it does not depend on the order of facts.
 */
#include "prng.h"
#include "rooms.h"

static uint64_t seed_of(const struct qm_planner *p, const struct qm_place *place)
{
    char id[320];
    uint64_t seed = p->policy->seed ^ place->failures;
    size_t n = 0;

    qm_step_id(p, place, id, sizeof(id));
    while (id[n])
        n++;
    return qm_hash_bytes(seed, id, n);
}

void qm_backoff_failed(struct qm_planner *p, struct qm_place *place, bool was_stable)
{
    const struct qm_service_policy *s = &p->policy->services[place->service];
    qm_duration delay = s->backoff_initial;
    struct qm_prng prng;

    if (was_stable) {
        qm_backoff_reset(place);
        return;
    }
    if (place->failures < UINT8_MAX)
        place->failures++;
    for (unsigned i = 1; i < place->failures && delay < s->backoff_max; i++)
        delay *= 2;
    if (delay > s->backoff_max)
        delay = s->backoff_max;
    prng.state = seed_of(p, place);
    place->retry_at = qm_later_by(p->now, qm_prng_jitter(&prng, delay));
}

void qm_backoff_reset(struct qm_place *place)
{
    place->failures = 0;
    place->retry_at = 0;
}
