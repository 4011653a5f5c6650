/*
 * Offers as they came on the wire: a hash table of packed messages by id.
 */
#include "mesos/offers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 64

struct kept_offer {
    struct kept_offer *next;
    char *id; /* behind the bytes */
    size_t length;
    uint8_t bytes[];
};

void offers_init(struct offers *offers)
{
    *offers = (struct offers){0};
}

void offers_clear(struct offers *offers)
{
    for (size_t i = 0; i < offers->n_buckets; i++) {
        while (offers->buckets[i] != NULL) {
            struct kept_offer *kept = offers->buckets[i];
            offers->buckets[i] = kept->next;
            free(kept);
        }
    }
    offers->n = 0;
}

void offers_deinit(struct offers *offers)
{
    offers_clear(offers);
    free(offers->buckets);
    offers_init(offers);
}

static size_t hash(const char *id)
{
    uint64_t h = 14695981039346656037u;
    for (; *id != '\0'; id++)
        h = (h ^ (unsigned char)*id) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

static struct kept_offer **find(const struct offers *offers, const char *id)
{
    if (offers->n_buckets == 0)
        return NULL;
    struct kept_offer **place = &offers->buckets[hash(id) & (offers->n_buckets - 1)];
    while (*place != NULL && strcmp((*place)->id, id) != 0)
        place = &(*place)->next;
    return place;
}

static int grow(struct offers *offers)
{
    size_t n = offers->n_buckets > 0 ? offers->n_buckets * 2 : FIRST_BUCKETS;
    struct kept_offer **buckets = calloc(n, sizeof *buckets);
    if (buckets == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < offers->n_buckets; i++) {
        while (offers->buckets[i] != NULL) {
            struct kept_offer *kept = offers->buckets[i];
            struct kept_offer **bucket = &buckets[hash(kept->id) & (n - 1)];
            offers->buckets[i] = kept->next;
            kept->next = *bucket;
            *bucket = kept;
        }
    }
    free(offers->buckets);
    offers->buckets = buckets;
    offers->n_buckets = n;
    return 0;
}

int offers_keep(struct offers *offers, const Mesos__V1__Offer *offer)
{
    size_t length = mesos__v1__offer__get_packed_size(offer);
    size_t id_size = strlen(offer->id->value) + 1;
    offers_drop(offers, offer->id->value);
    if (offers->n >= offers->n_buckets && grow(offers) != 0)
        return -ENOMEM;
    struct kept_offer *kept = malloc(sizeof *kept + length + id_size);
    if (kept == NULL)
        return -ENOMEM;
    kept->length = length;
    kept->id = (char *)kept->bytes + length;
    memcpy(kept->id, offer->id->value, id_size);
    mesos__v1__offer__pack(offer, kept->bytes);
    struct kept_offer **place = find(offers, kept->id);
    kept->next = *place;
    *place = kept;
    offers->n++;
    return 0;
}

Mesos__V1__Offer *offers_get(const struct offers *offers, const char *id,
                             ProtobufCAllocator *allocator)
{
    struct kept_offer **place = find(offers, id);
    if (place == NULL || *place == NULL)
        return NULL;
    return mesos__v1__offer__unpack(allocator, (*place)->length, (*place)->bytes);
}

bool offers_drop(struct offers *offers, const char *id)
{
    struct kept_offer **place = find(offers, id);
    if (place == NULL || *place == NULL)
        return false;
    struct kept_offer *kept = *place;
    *place = kept->next;
    free(kept);
    offers->n--;
    return true;
}
