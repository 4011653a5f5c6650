/*
 * What --verbose says of calls and events: their type, and of which task.
 */
#ifndef MESOS_SIM_TRACE_H
#define MESOS_SIM_TRACE_H

#include <stddef.h>
#include <stdint.h>

#define TRACE_MAX 256

/* Words for a Call in protobuf or JSON, sent to the master (`target` SIM_MASTER) or an agent. */
void trace_call(char *words, int target, const uint8_t *body, size_t size);
/* The same for a RecordIO record of an event, its length line included. */
void trace_record(char *words, int target, const uint8_t *record, size_t size);

#endif
