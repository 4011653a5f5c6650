/* What operators ordered, in the records; called from record.c. */
#ifndef LIB_VERBS_RECORD_H
#define LIB_VERBS_RECORD_H

#include "quobyte-mesos/state.pb-c.h"
#include "rooms.h"

void qm_verbs_read_framework(struct qm_planner *p, const QuobyteMesos__State__Framework *f);
void qm_verbs_write_framework(struct qm_planner *p, QuobyteMesos__State__Framework *f);
void qm_verbs_read_host(struct qm_planner *p, struct qm_host *host,
                        const QuobyteMesos__State__Host *h);
void qm_verbs_write_host(struct qm_planner *p, const struct qm_host *host,
                         QuobyteMesos__State__Host *h);

#endif
