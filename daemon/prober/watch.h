/*
 * Tells when it may be worth looking again: the mount table changed, or a marker appeared in,
 * changed in or went from the root of a mount. It may cry wolf and it may miss things (an editor's
 * tricks, a file written through a network): whoever uses it also looks from time to time.
 */
#ifndef PROBER_WATCH_H
#define PROBER_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "prober/scan.h"

struct watch;

/**
 * watch_new() - watches the place's mount table, be it the kernel's or a plain file.
 * Strings of place are borrowed. What cannot be watched is logged. NULL: no memory or descriptors.
 */
struct watch *watch_new(const struct scan_place *place);

void watch_free(struct watch *watch);

/** watch_fd() - becomes readable when watch_take() has something to say. */
int watch_fd(const struct watch *watch);

/** watch_take() - takes all that happened; true when something of it concerns us. */
bool watch_take(struct watch *watch);

/** watch_directories() - replaces the list of mount roots (as the host sees them) to be watched. */
void watch_directories(struct watch *watch, char *const *directories, size_t n_directories);

#endif
