/*
 * What unit tests share: running a suite, checks for outcomes, and an allocator that runs dry.
 */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <stdlib.h>

#include <quobyte-mesos/allocator.h>
#include <quobyte-mesos/error.h>

/** unit_run() - runs a test case as a suite of the same name; for main() to return. */
static inline int unit_run(const char *name, TCase *tcase)
{
    Suite *suite = suite_create(name);
    SRunner *runner;
    int failed;

    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}

/* An allocator that gives so many blocks and then none. Blocks that live are counted. */
struct unit_memory {
    struct qm_allocator allocator;
    size_t left;
    size_t live;
};

static inline void *unit_take(void *userdata, size_t size)
{
    struct unit_memory *memory = userdata;

    if (memory->left == 0)
        return NULL;
    memory->left--;
    memory->live++;
    return malloc(size);
}

static inline void *unit_change(void *userdata, void *block, size_t size)
{
    struct unit_memory *memory = userdata;

    if (memory->left == 0)
        return NULL;
    memory->left--;
    return realloc(block, size);
}

static inline void unit_give(void *userdata, void *block)
{
    struct unit_memory *memory = userdata;

    memory->live--;
    free(block);
}

static inline void unit_memory_init(struct unit_memory *memory, size_t blocks)
{
    memory->allocator = (struct qm_allocator){unit_take, unit_change, unit_give, memory};
    memory->left = blocks;
    memory->live = 0;
}

#endif
