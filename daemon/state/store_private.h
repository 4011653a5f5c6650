/*
 * What the two kinds of store have in common: a table of functions, the error text, and the queue
 * of answers that are reported from the event loop.
 */
#ifndef DAEMON_STATE_STORE_PRIVATE_H
#define DAEMON_STATE_STORE_PRIVATE_H

#include <stdbool.h>

#include "state/store.h"

struct event;

struct store_type {
    int (*load)(struct store *store, unsigned timeout_ms, struct store_records *records,
                struct store_error *error);
    void (*save)(struct store *store, const struct qm_save *save);
    int (*erase)(struct store *store, unsigned timeout_ms, struct store_error *error);
    void (*close)(struct store *store); /* frees its own part, and the store with store_deinit() */
};

/* First member of each kind. */
struct store {
    const struct store_type *type;
    struct store_callbacks callbacks;
    struct event *deliver; /* active while answers wait to be reported */
    struct store_answer *answers, **answers_end;
    bool failing; /* a failure waits to be reported: later saves fail with it */
    char failure[256];
    char name[512];
};

/** store_init() - 0 or -ENOMEM. */
int store_init(struct store *store, const struct store_type *type, struct event_base *base,
               const struct store_callbacks *callbacks);
void store_deinit(struct store *store);

/** store_answer_saved() - reports saved(), soon; as a failure while one waits to be reported. */
void store_answer_saved(struct store *store, uint64_t revision);

/** store_answer_failed() - reports failed(), soon. */
void store_answer_failed(struct store *store, uint64_t revision, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** store_fail() - fills the error, returns @code. */
int store_fail(struct store_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** store_records_add() - appends a copy. 0 or -ENOMEM. */
int store_records_add(struct store_records *records, const char *key, const void *data,
                      size_t length);
/** store_records_sort() - into order of keys. */
void store_records_sort(struct store_records *records);

#define STORE_NAME_MAX 120 /* deployment names: they become file and node names */

/** store_deployment_is_valid() - a name that can be a file name: no "/", no leading dot. */
bool store_deployment_is_valid(const char *deployment);

#endif
