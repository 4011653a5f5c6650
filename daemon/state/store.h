/*
 * The durable state as the daemon sees it: records under keys, behind one small
 * interface. SQLite (one file, the default) and ZooKeeper hold the same records.
 *
 * The planner decides what is written and when it is written again; a store
 * performs each save once and says how it went. All calls on one thread.
 */
#ifndef DAEMON_STATE_STORE_H
#define DAEMON_STATE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include <quobyte-mesos/action.h>

struct event_base;
struct store;

/*
 * What became of saves. Called from the event loop, never from inside store_save(); both may call
 * store_save(). Revisions are reported in the order in which they were handed over.
 */
struct store_callbacks {
    /* This save and all before it are durable. */
    void (*saved)(void *userdata, uint64_t revision);
    /*
     * Not written, or nobody knows. Every save that was handed over before this report fails with
     * it: a later one alone would confirm what was never written. @text: one line, no secrets.
     */
    void (*failed)(void *userdata, uint64_t revision, const char *text);
    void *userdata;
};

/* One line without a full stop: what is wrong and with what. Never holds a secret. */
struct store_error {
    char text[512];
};

/**
 * store_open_sqlite() - opens or creates STATE_DIR/DEPLOYMENT.sqlite and locks it.
 * @state_dir: created with mode 0700, parents too, when it is absent
 * Returns 0; -EBUSY: another process holds it (the text names its pid when known); -EINVAL: a
 * damaged file, a foreign one, or one of a newer format; other negative errno. The lock goes with
 * store_close() or with the process.
 */
int store_open_sqlite(struct store **store, struct event_base *base, const char *state_dir,
                      const char *deployment, const struct store_callbacks *callbacks,
                      struct store_error *error);

/**
 * store_open_zookeeper() - checks the words, begins to connect; does not wait.
 * @servers: host:port[,host:port...], with or without zk://[user:password@] before it. Credentials
 *           become a digest, and nodes made by this store are readable and writable with it alone
 * @path: the --zk_path, "/quobyte"; records live below PATH/deployments/DEPLOYMENT/records
 * Returns 0; -EINVAL: malformed @servers or @path; -ENOMEM.
 */
int store_open_zookeeper(struct store **store, struct event_base *base, const char *servers,
                         const char *path, const char *deployment,
                         const struct store_callbacks *callbacks, struct store_error *error);

/* Everything that a store holds, in order of keys. Owned by the caller. */
struct store_records {
    struct qm_record *records;
    size_t n_records;
};

/**
 * store_load() - reads all records; once, before the first save. ZooKeeper runs the event loop
 * meanwhile: call it before anything else lives there.
 * @timeout_ms: how long ZooKeeper may take
 * Returns 0; -ETIMEDOUT: nobody answered (the text says what was tried); -EACCES: refused the
 * credentials; -EINTR: the loop was ended from outside (event_base_loopbreak()); -EINVAL: damaged;
 * other negative errno.
 */
int store_load(struct store *store, unsigned timeout_ms, struct store_records *records,
               struct store_error *error);

/** store_records_deinit() - frees the records. */
void store_records_deinit(struct store_records *records);

/**
 * store_save() - writes and deletes records as one; copies what it needs. Answered later by saved()
 * or failed(), also when this very call could not begin to write.
 */
void store_save(struct store *store, const struct qm_save *save);

/**
 * store_erase() - deletes all records of this deployment (--reset) and returns when that is
 * durable. Instead of store_load(), with the same rules and errors.
 */
int store_erase(struct store *store, unsigned timeout_ms, struct store_error *error);

/** store_name() - "SQLite /var/lib/x/default.sqlite" or "ZooKeeper host:port/path", for people. */
const char *store_name(const struct store *store);

/** store_close() - NULL is fine. Saves without an answer stay without one. Returns NULL. */
struct store *store_close(struct store *store);

#endif
