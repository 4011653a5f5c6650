/* Seeded numbers for jitter: the same seed gives the same sequence (splitmix64). */
#ifndef LIB_PRNG_H
#define LIB_PRNG_H

#include <quobyte-mesos/base.h>

struct qm_prng {
    uint64_t state; /* any value is a good seed */
};

uint64_t qm_prng_next(struct qm_prng *prng);
/** qm_prng_below() - 0 <= result < @limit; 0 for a limit of 0. */
uint64_t qm_prng_below(struct qm_prng *prng, uint64_t limit);
/** qm_prng_jitter() - @duration plus or minus at most a tenth. */
qm_duration qm_prng_jitter(struct qm_prng *prng, qm_duration duration);

#endif
