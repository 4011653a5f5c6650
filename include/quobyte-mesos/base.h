/*
 * What every other header needs: export and format attributes, and time.
 *
 * Time is milliseconds as a number without a zone. The caller supplies it with
 * every fact; the library has no clock. Wall-clock based, so that saved times
 * mean something after a restart; a time that goes backwards is taken as
 * "no time passed".
 */
#ifndef QUOBYTE_MESOS_BASE_H
#define QUOBYTE_MESOS_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define QM_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define QM_EXPORT __attribute__((visibility("default")))
#endif

typedef uint64_t qm_time;     /* milliseconds since 1970-01-01 UTC, as the caller told */
typedef uint64_t qm_duration; /* milliseconds */

#define QM_TIME_NEVER UINT64_MAX /* no such moment; never a valid input time */

#define QM_SECONDS(n) ((qm_duration)(n) * 1000)

#endif
