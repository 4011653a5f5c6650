/*
 * Hash table from strings to pointers. Keys are borrowed: usually a field of the
 * value, alive as long as its entry. For look-ups only; nothing is decided by
 * walking it, since its order means nothing.
 */
#ifndef LIB_HASHMAP_H
#define LIB_HASHMAP_H

#include <quobyte-mesos/allocator.h>

struct qm_hashmap_slot;

struct qm_hashmap {
    const struct qm_allocator *allocator;
    struct qm_hashmap_slot *slots; /* a power of two, or none yet */
    size_t n_slots;
    size_t n;
};

void qm_hashmap_init(struct qm_hashmap *map, const struct qm_allocator *allocator);
/** qm_hashmap_deinit() - frees the table; keys and values are the owner's business. */
void qm_hashmap_deinit(struct qm_hashmap *map);

/** qm_hashmap_get() - the value of a key, or NULL. */
void *qm_hashmap_get(const struct qm_hashmap *map, const char *key);

/**
 * qm_hashmap_put() - adds an entry, or replaces key and value of an equal key.
 * @value: not NULL
 * Returns 0 or -ENOMEM; the map is unchanged then.
 */
int qm_hashmap_put(struct qm_hashmap *map, const char *key, void *value);

/** qm_hashmap_remove() - the value that was there, or NULL. */
void *qm_hashmap_remove(struct qm_hashmap *map, const char *key);

/** qm_hash_bytes() - FNV-1a, 64 bits, over @length bytes; chain with the last result as @seed. */
uint64_t qm_hash_bytes(uint64_t seed, const void *bytes, size_t length);
#define QM_HASH_SEED UINT64_C(14695981039346656037)

#endif
