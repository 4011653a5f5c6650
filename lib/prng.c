/* Seeded numbers: splitmix64 by Sebastiano Vigna (public domain algorithm). */
#include "prng.h"

uint64_t qm_prng_next(struct qm_prng *prng)
{
    uint64_t z = prng->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t qm_prng_below(struct qm_prng *prng, uint64_t limit)
{
    /* The bias of a modulo is far below anything that jitter cares for. */
    return limit > 0 ? qm_prng_next(prng) % limit : 0;
}

qm_duration qm_prng_jitter(struct qm_prng *prng, qm_duration duration)
{
    qm_duration tenth = duration / 10;

    return duration - tenth + qm_prng_below(prng, 2 * tenth + 1);
}
