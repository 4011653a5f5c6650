/* Memory, hash table, arena and seeded numbers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "arena.h"
#include "hashmap.h"
#include "prng.h"
#include "unit.h"

START_TEST(sizes_do_not_overflow)
{
    int *items = NULL;
    size_t capacity = 0;

    ck_assert_ptr_null(qm_calloc(NULL, SIZE_MAX / 2, 3));
    ck_assert_ptr_null(qm_memdup0(NULL, "x", SIZE_MAX));
    ck_assert(!qm_grow(NULL, &items, &capacity, SIZE_MAX, sizeof(*items)));
    ck_assert_ptr_null(items);
    ck_assert_uint_eq(capacity, 0);
}
END_TEST

START_TEST(grow_keeps_what_is_there)
{
    int *items = NULL;
    size_t capacity = 0;

    for (int i = 0; i < 1000; i++) {
        ck_assert(qm_grow(NULL, &items, &capacity, (size_t)i + 1, sizeof(*items)));
        items[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(items[i], i);
    qm_free(NULL, items);
}
END_TEST

START_TEST(grow_without_memory_changes_nothing)
{
    struct unit_memory memory;
    int *items = NULL;
    size_t capacity = 0;

    unit_memory_init(&memory, 1);
    ck_assert(qm_grow(&memory.allocator, &items, &capacity, 1, sizeof(*items)));
    items[0] = 7;
    ck_assert(!qm_grow(&memory.allocator, &items, &capacity, capacity + 1, sizeof(*items)));
    ck_assert_int_eq(items[0], 7);
    qm_free(&memory.allocator, items);
    ck_assert_uint_eq(memory.live, 0);
}
END_TEST

#define KEYS 3000

START_TEST(hashmap_finds_what_was_put)
{
    static char keys[KEYS][16];
    struct qm_hashmap map;

    qm_hashmap_init(&map, NULL);
    ck_assert_ptr_null(qm_hashmap_get(&map, "nothing"));
    ck_assert_ptr_null(qm_hashmap_remove(&map, "nothing"));
    for (int i = 0; i < KEYS; i++) {
        snprintf(keys[i], sizeof(keys[i]), "host-%d", i);
        ck_assert_int_eq(qm_hashmap_put(&map, keys[i], keys[i]), 0);
    }
    ck_assert_uint_eq(map.n, KEYS);
    /* Every third one goes: the rest must still be found behind the holes. */
    for (int i = 0; i < KEYS; i += 3)
        ck_assert_ptr_eq(qm_hashmap_remove(&map, keys[i]), keys[i]);
    for (int i = 0; i < KEYS; i++)
        ck_assert_ptr_eq(qm_hashmap_get(&map, keys[i]), i % 3 == 0 ? NULL : keys[i]);
    ck_assert_uint_eq(map.n, KEYS - KEYS / 3);
    qm_hashmap_deinit(&map);
}
END_TEST

START_TEST(hashmap_put_replaces)
{
    char first[] = "key", second[] = "key";
    struct qm_hashmap map;

    qm_hashmap_init(&map, NULL);
    qm_hashmap_put(&map, first, first);
    qm_hashmap_put(&map, second, second);
    first[0] = 'x'; /* the new entry must not point to the old one's key */
    ck_assert_ptr_eq(qm_hashmap_get(&map, "key"), second);
    ck_assert_uint_eq(map.n, 1);
    qm_hashmap_deinit(&map);
}
END_TEST

START_TEST(hashmap_without_memory)
{
    struct unit_memory memory;
    struct qm_hashmap map;

    unit_memory_init(&memory, 0);
    qm_hashmap_init(&map, &memory.allocator);
    ck_assert_int_eq(qm_hashmap_put(&map, "key", &map), -ENOMEM);
    ck_assert_uint_eq(map.n, 0);
    ck_assert_ptr_null(qm_hashmap_get(&map, "key"));
    qm_hashmap_deinit(&map);
}
END_TEST

START_TEST(arena_reuses_after_reset)
{
    struct unit_memory memory;
    struct qm_arena arena;

    unit_memory_init(&memory, 10);
    qm_arena_init(&arena, &memory.allocator);
    for (int round = 0; round < 1000; round++) {
        char *big = qm_arena_calloc(&arena, 20000, 1);
        char *text = qm_arena_format(&arena, "round %d", round);

        ck_assert_ptr_nonnull(big);
        ck_assert_ptr_nonnull(text);
        memset(big, 'x', 20000);
        ck_assert_uint_eq((uintptr_t)text % _Alignof(max_align_t), 0);
        ck_assert_str_eq(qm_arena_strdup(&arena, text), text);
        qm_arena_reset(&arena);
    }
    ck_assert_ptr_null(qm_arena_alloc(&arena, SIZE_MAX));
    ck_assert_ptr_null(qm_arena_calloc(&arena, SIZE_MAX, 2));
    qm_arena_deinit(&arena);
    ck_assert_uint_eq(memory.live, 0);
}
END_TEST

START_TEST(same_seed_same_numbers)
{
    struct qm_prng a = {42}, b = {42};

    for (int i = 0; i < 1000; i++) {
        qm_duration jittered = qm_prng_jitter(&a, 10000);

        ck_assert_uint_eq(jittered, qm_prng_jitter(&b, 10000));
        ck_assert_uint_ge(jittered, 9000);
        ck_assert_uint_le(jittered, 11000);
    }
    ck_assert_uint_eq(qm_prng_below(&a, 0), 0);
    ck_assert_uint_eq(qm_prng_jitter(&a, 0), 0);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("memory");

    tcase_add_test(tcase, sizes_do_not_overflow);
    tcase_add_test(tcase, grow_keeps_what_is_there);
    tcase_add_test(tcase, grow_without_memory_changes_nothing);
    tcase_add_test(tcase, hashmap_finds_what_was_put);
    tcase_add_test(tcase, hashmap_put_replaces);
    tcase_add_test(tcase, hashmap_without_memory);
    tcase_add_test(tcase, arena_reuses_after_reset);
    tcase_add_test(tcase, same_seed_same_numbers);
    return unit_run("memory", tcase);
}
