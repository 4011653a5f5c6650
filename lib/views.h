/* Snapshots for people and programs, and the one reason a place waits for. */
#ifndef LIB_VIEWS_H
#define LIB_VIEWS_H

#include "rooms.h"

/** qm_why() - why a place is not as it should be; false when it does not wait. */
bool qm_why(const struct qm_planner *p, const struct qm_place *place, struct qm_reason *why);
/** qm_hosts_sorted() - a new array of all hosts in name order, NULL when out of memory. */
const struct qm_host **qm_hosts_sorted(const struct qm_planner *p,
                                       const struct qm_allocator *allocator);

/*
 * A view is one arena with its allocator: strings and arrays come and go with it.
 */
struct qm_view_memory {
    struct qm_allocator allocator;
    bool has_allocator;
    struct qm_arena arena;
};

void qm_view_memory_init(struct qm_view_memory *memory, const struct qm_planner *p);
char *qm_view_text(struct qm_view_memory *memory, const char *text);

#endif
