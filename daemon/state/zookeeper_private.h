/* The ZooKeeper store's inside: shared by saving (zookeeper.c) and reading (zookeeper_read.c). */
#ifndef DAEMON_STATE_ZOOKEEPER_PRIVATE_H
#define DAEMON_STATE_ZOOKEEPER_PRIVATE_H

#include <event2/event.h>

#include "state/store_private.h"
#include "state/zk_text.h"
#include "zk_loop.h"

/* One record to put or delete, or nothing but the end of an empty save. */
struct zk_change {
    struct zk_change *next;
    char *name;    /* of its node; NULL: nothing to do */
    uint8_t *data; /* NULL: delete */
    size_t length;
    bool ends_save; /* the last one of its save */
    uint64_t revision;
};

/* Reading or erasing everything, once, with a deadline; tried again after a broken connection. */
struct zk_job {
    bool erase;
    bool running, done;
    unsigned pending; /* completions that are still to come */
    int result;       /* of this try: ZOK or what failed first */
    int last;         /* result of the try before, for the error's text */
    char **names;     /* nodes still to be read or deleted */
    size_t n_names, next_name;
    struct store_records *records;
    struct store_error *error;
    int failure; /* negative errno: no use in trying again */
};

struct zk_store {
    struct store store;
    struct event_base *base;
    struct zk_loop *loop;
    struct zk_address address;
    char *path;           /* of the records' parent */
    size_t shared_length; /* the part of path that other deployments use, too */
    bool refused, closing;

    struct zk_change *changes, **changes_end;
    size_t n_in_flight; /* of changes, the first so many */
    bool busy;          /* a call is on its way */
    zoo_op_t *ops;
    zoo_op_result_t *results;

    bool known_valid; /* known is what is there, and path exists */
    void *known;      /* tree of node names, see tsearch(3) */
    size_t creating;  /* how much of path is being created */

    struct zk_job job;
};

/** zk_known_add(), zk_known_has(), zk_known_remove(), zk_known_clear() - the tree of node names. */
bool zk_known_add(struct zk_store *self, const char *name);
bool zk_known_has(struct zk_store *self, const char *name);
void zk_known_remove(struct zk_store *self, const char *name);
void zk_known_clear(struct zk_store *self);

/** zk_is_transient() - may the same call succeed later, on another connection? */
bool zk_is_transient(int rc);

int zk_store_load(struct store *store, unsigned timeout_ms, struct store_records *records,
                  struct store_error *error);
int zk_store_erase(struct store *store, unsigned timeout_ms, struct store_error *error);

#endif
