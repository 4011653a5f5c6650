/*
 * The durable state is records: one "framework", one "host/<name>" for each host with tasks of
 * ours. Their bytes are protobuf (docs/state-format.md). Most programs only carry them between a
 * store and the planner; this reads them without a planner, for tools.
 */
#ifndef QUOBYTE_MESOS_STATE_H
#define QUOBYTE_MESOS_STATE_H

#include <quobyte-mesos/action.h>
#include <quobyte-mesos/base.h>
#include <quobyte-mesos/error.h>

#define QM_STATE_FORMAT 1 /* newer formats are refused */

/**
 * qm_record_format() - a record as readable text, one field a line, into buffer.
 * Returns 0; QM_E_FORMAT: damaged or newer; QM_E_LIMIT: buffer too small (cut text, terminated). Since 0.1.
 */
QM_EXPORT int qm_record_format(const struct qm_record *record, char *buffer, size_t size,
                               struct qm_error *error);

#endif
