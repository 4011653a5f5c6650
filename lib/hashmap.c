/* Hash table from strings to pointers: open addressing, linear probing, removal by shifting back.
 */
#include "hashmap.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "alloc.h"

struct qm_hashmap_slot {
    uint64_t hash;
    const char *key;
    void *value; /* NULL: free */
};

uint64_t qm_hash_bytes(uint64_t seed, const void *bytes, size_t length)
{
    const unsigned char *p = bytes;

    for (size_t i = 0; i < length; i++)
        seed = (seed ^ p[i]) * UINT64_C(1099511628211);
    return seed;
}

static uint64_t hash_key(const char *key)
{
    uint64_t hash = qm_hash_bytes(QM_HASH_SEED, key, strlen(key));

    /* The lowest bits of FNV are its weakest, and they choose the slot. */
    return hash ^ (hash >> 32);
}

void qm_hashmap_init(struct qm_hashmap *map, const struct qm_allocator *allocator)
{
    *map = (struct qm_hashmap){.allocator = allocator};
}

void qm_hashmap_deinit(struct qm_hashmap *map)
{
    qm_free(map->allocator, map->slots);
    *map = (struct qm_hashmap){.allocator = map->allocator};
}

/* The slot of a key, or the free one where it would go. There always is a free one. */
static struct qm_hashmap_slot *find_slot(const struct qm_hashmap *map, uint64_t hash,
                                         const char *key)
{
    size_t i = hash & (map->n_slots - 1);

    while (map->slots[i].value) {
        if (map->slots[i].hash == hash && strcmp(map->slots[i].key, key) == 0)
            break;
        i = (i + 1) & (map->n_slots - 1);
    }
    return &map->slots[i];
}

void *qm_hashmap_get(const struct qm_hashmap *map, const char *key)
{
    return map->n > 0 ? find_slot(map, hash_key(key), key)->value : NULL;
}

static int enlarge(struct qm_hashmap *map)
{
    struct qm_hashmap bigger = {.allocator = map->allocator};

    bigger.n_slots = map->n_slots ? map->n_slots * 2 : 16;
    bigger.slots = qm_calloc(map->allocator, bigger.n_slots, sizeof(*bigger.slots));
    if (!bigger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < map->n_slots; i++) {
        const struct qm_hashmap_slot *slot = &map->slots[i];

        if (slot->value)
            *find_slot(&bigger, slot->hash, slot->key) = *slot;
    }
    bigger.n = map->n;
    qm_free(map->allocator, map->slots);
    *map = bigger;
    return 0;
}

int qm_hashmap_put(struct qm_hashmap *map, const char *key, void *value)
{
    uint64_t hash = hash_key(key);
    struct qm_hashmap_slot *slot;

    assert(value);
    if (map->n_slots == 0 || map->n + 1 > map->n_slots / 4 * 3) {
        int r = enlarge(map);

        if (r < 0)
            return r;
    }
    slot = find_slot(map, hash, key);
    if (!slot->value)
        map->n++;
    *slot = (struct qm_hashmap_slot){.hash = hash, .key = key, .value = value};
    return 0;
}

void *qm_hashmap_remove(struct qm_hashmap *map, const char *key)
{
    struct qm_hashmap_slot *slot;
    size_t mask = map->n_slots - 1;
    size_t hole;
    void *value;

    if (map->n == 0)
        return NULL;
    slot = find_slot(map, hash_key(key), key);
    value = slot->value;
    if (!value)
        return NULL;
    hole = (size_t)(slot - map->slots);
    for (size_t i = (hole + 1) & mask; map->slots[i].value; i = (i + 1) & mask) {
        size_t home = map->slots[i].hash & mask;

        /* An entry may fill the hole unless its home lies behind the hole. */
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = (struct qm_hashmap_slot){0};
    map->n--;
    return value;
}
