/*
 * Recorded streams for tests: reading a file, walking the records of a stream.
 */
#ifndef TESTS_DAEMON_MESOS_RECORDED_H
#define TESTS_DAEMON_MESOS_RECORDED_H

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "mesos/arena.h"
#include "mesos/recordio.h"
#include "mesos/v1/scheduler.pb-c.h"

/* Content of a file in recorded/, zero-terminated; to be freed. */
static inline uint8_t *recorded_read(const char *name, size_t *length)
{
    char path[1024];
    const char *directory = getenv("QM_TEST_RECORDED");
    snprintf(path, sizeof path, "%s/%s", directory != NULL ? directory : "recorded", name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s is not there", path);
    uint8_t *bytes = calloc(1, 1 << 20);
    *length = fread(bytes, 1, (1 << 20) - 1, file);
    fclose(file);
    return bytes;
}

/* Unpacks the events of a stream into the arena; returns how many. */
static inline size_t recorded_events(const char *name, struct arena *arena,
                                     Mesos__V1__Scheduler__Event **events, size_t room)
{
    size_t length, n = 0, size;
    uint8_t *bytes = recorded_read(name, &length);
    const uint8_t *data = bytes, *record;
    struct recordio r;
    recordio_init(&r);
    while (n < room && recordio_next(&r, &data, &length, &record, &size) == 1) {
        events[n] = mesos__v1__scheduler__event__unpack(arena_allocator(arena), size, record);
        ck_assert_ptr_nonnull(events[n]);
        n++;
    }
    ck_assert_uint_eq(length, 0);
    recordio_deinit(&r);
    free(bytes);
    return n;
}

#endif
