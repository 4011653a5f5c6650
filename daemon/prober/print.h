/* A scan for people and for programs. */
#ifndef PROBER_PRINT_H
#define PROBER_PRINT_H

#include <stdio.h>

#include "prober/scan.h"

/** print_table() - one line a device, under headings. */
void print_table(FILE *out, const struct scan *scan);

/** print_json() - one JSON object a line and device. */
void print_json(FILE *out, const struct scan *scan);

#endif
