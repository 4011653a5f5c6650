/* Reading and writing the planner's records. */
#ifndef LIB_RECORD_H
#define LIB_RECORD_H

#include "planner_private.h"
#include "quobyte-mesos/state.pb-c.h"

/**
 * qm_record_read() - takes one record of the store into a new planner. Unknown keys are ignored.
 * Returns 0; QM_E_FORMAT with key and message; -ENOMEM.
 */
int qm_record_read(struct qm_planner *p, const struct qm_record *record, struct qm_error *error);
/** qm_record_write_framework() - bytes live as long as the instant's actions. False: no memory. */
bool qm_record_write_framework(struct qm_planner *p, struct qm_record *record);
/** qm_record_write_host() - data NULL when nothing of ours is there any more. */
bool qm_record_write_host(struct qm_planner *p, struct qm_host *host, struct qm_record *record);

/** qm_rules_read(), qm_rules_write() - what the rollout's rules remember. NULL: nothing; no memory. */
void qm_rules_read(struct qm_planner *p, const QuobyteMesos__State__Rollout *from);
QuobyteMesos__State__Rollout *qm_rules_write(struct qm_planner *p);

#endif
