/*
 * Durations as Mesos writes them into an executor's environment: a decimal number directly
 * followed by a unit, "15mins", "1.5hrs".
 */
#ifndef PROBER_DURATION_H
#define PROBER_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/**
 * duration_parse() - text into milliseconds, parts of one cut off.
 * Units: ns us ms secs mins hrs days weeks. Source: stout's duration.hpp.
 * Returns false for anything else and for more than ten thousand days; *ms is then unchanged.
 */
bool duration_parse(const char *text, uint64_t *ms);

#endif
