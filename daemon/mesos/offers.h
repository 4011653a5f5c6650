/*
 * Offers as they came on the wire, kept until they are answered: a launch copies from them, so that
 * reservations and whatever else Mesos wrote there comes back unchanged.
 */
#ifndef DAEMON_MESOS_OFFERS_H
#define DAEMON_MESOS_OFFERS_H

#include <stdbool.h>
#include <stddef.h>

#include "mesos/v1/mesos.pb-c.h"

struct kept_offer;

struct offers {
    struct kept_offer **buckets;
    size_t n_buckets; /* a power of two */
    size_t n;
};

void offers_init(struct offers *offers);
void offers_deinit(struct offers *offers);

/** offers_keep() - copies; an offer of the same id is replaced. Returns 0 or -ENOMEM. */
int offers_keep(struct offers *offers, const Mesos__V1__Offer *offer);

/** offers_get() - unpacked with the allocator; NULL when it is not kept (any more). */
Mesos__V1__Offer *offers_get(const struct offers *offers, const char *id,
                             ProtobufCAllocator *allocator);

/** offers_drop() - it was answered or rescinded. False when it was not kept. */
bool offers_drop(struct offers *offers, const char *id);

/** offers_clear() - a subscription has ended: all are void. */
void offers_clear(struct offers *offers);

#endif
