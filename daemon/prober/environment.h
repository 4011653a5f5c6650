/*
 * What a Mesos agent tells an executor through its environment. Source: the executor environment of
 * Mesos 1.11 (MESOS_* variables).
 */
#ifndef PROBER_ENVIRONMENT_H
#define PROBER_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct environment {
    const char *framework_id;
    const char *executor_id;
    char host[256]; /* the agent's address */
    uint16_t port;
    const char *token;    /* of executor authentication, "" when there is none */
    bool checkpoint;      /* the agent may restart without us */
    uint64_t recovery_ms; /* how long it may stay away */
    uint64_t backoff_ms;  /* most time between two tries to come back to it */
    uint64_t grace_ms;    /* from SHUTDOWN to the end of the container */
};

/**
 * environment_read() - checks and collects.
 * @get: getenv() or its like; what it returns is borrowed
 * Returns true, or false with a line for a person in error.
 */
bool environment_read(struct environment *environment, char *(*get)(const char *name), char *error,
                      size_t error_size);

#endif
