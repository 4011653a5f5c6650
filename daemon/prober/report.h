/* A scan as the message that the scheduler gets, and its questions as structures. */
#ifndef PROBER_REPORT_H
#define PROBER_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prober/scan.h"

#define REPORT_MOST_PORTS 256 /* in a question; further ones are not looked at */

/* The scheduler's question, as last asked. */
struct question {
    uint32_t ports[REPORT_MOST_PORTS];
    size_t n_ports;
    char mount_point[4096];
};

/**
 * question_read() - takes a probe Request. One that names neither ports nor mount point only asks
 * to look again: what is to be looked for stays.
 * @sequence: to be echoed, 0 when the request has none
 * Returns false, and changes nothing, when the bytes are no Request.
 */
bool question_read(struct question *question, const uint8_t *bytes, size_t length,
                   uint64_t *sequence);

/** question_for_scan() - the same, as a scan wants it; borrowed. */
struct scan_question question_for_scan(const struct question *question);

/**
 * report_pack() - a scan as a probe Report.
 * @sequence: of the request that it answers, 0 for none
 * Returns malloc'ed bytes, NULL when out of memory.
 */
uint8_t *report_pack(const struct scan *scan, uint64_t sequence, size_t *length);

#endif
