/*
 * State in one SQLite file: a table of records, one transaction a save, durable when it is
 * answered.
 *
 * Rollback journal, not WAL: one writer, a few small transactions, and a single file that can be
 * copied while the daemon rests. Synchronous EXTRA, not FULL: FULL leaves the directory unsynced,
 * and a journal that comes back after a power failure takes an answered save with it. The lock is
 * flock() on a file beside it, which carries the holder's pid: SQLite's own locks cannot tell whose
 * they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "state/store_private.h"

#define APPLICATION_ID 0x514d5331 /* "QMS1": says whose file it is */
#define SCHEMA_VERSION 1

struct sqlite_store {
    struct store store;
    sqlite3 *db;
    sqlite3_stmt *put, *remove;
    int lock_fd;
    char path[4096];
};

static int fail_db(struct sqlite_store *self, struct store_error *error, const char *what)
{
    int code = self->db ? sqlite3_errcode(self->db) : SQLITE_NOMEM;
    const char *why = self->db ? sqlite3_errmsg(self->db) : "out of memory";

    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
        return store_fail(error, -EINVAL,
                          "state file %s is damaged (%s): restore it from a copy, or move it away "
                          "to begin without state",
                          self->path, why);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return store_fail(error, -EBUSY, "state file %s is in use by another program", self->path);
    return store_fail(error, code == SQLITE_NOMEM ? -ENOMEM : -EIO, "cannot %s state file %s: %s",
                      what, self->path, why);
}

static int make_directories(const char *path, struct store_error *error)
{
    char part[4096];
    size_t length = strlen(path);
    struct stat st;

    if (length == 0 || length >= sizeof(part))
        return store_fail(error, -EINVAL, "the state directory's name is empty or too long");
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST &&
            !(errno == EROFS && access(part, X_OK) == 0))
            return store_fail(error, -errno, "cannot create state directory %s: %s", part,
                              strerror(errno));
    }
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return store_fail(error, -ENOTDIR, "state directory %s is not a directory", path);
    return 0;
}

static int take_lock(struct sqlite_store *self, struct store_error *error)
{
    char path[sizeof(self->path) + 8], pid[32] = "";
    ssize_t n;

    snprintf(path, sizeof(path), "%s.lock", self->path);
    self->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (self->lock_fd < 0)
        return store_fail(error, -errno, "cannot open %s: %s", path, strerror(errno));
    if (flock(self->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        n = pread(self->lock_fd, pid, sizeof(pid) - 1, 0);
        pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
        return store_fail(error, -EBUSY, "state file %s is in use by another daemon%s%s%s",
                          self->path, *pid ? " (pid " : "", pid, *pid ? ")" : "");
    }
    snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(self->lock_fd, 0) != 0 || pwrite(self->lock_fd, pid, strlen(pid), 0) < 0)
        return store_fail(error, -errno, "cannot write %s: %s", path, strerror(errno));
    return 0;
}

static int read_number(sqlite3 *db, const char *sql, long long *number)
{
    sqlite3_stmt *statement;
    int r = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    if (r == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        *number = sqlite3_column_int64(statement, 0);
    else
        r = SQLITE_ERROR;
    sqlite3_finalize(statement);
    return r;
}

static int check_schema(struct sqlite_store *self, struct store_error *error)
{
    long long id, version, tables;
    char sql[256];

    if (read_number(self->db, "PRAGMA application_id", &id) != SQLITE_OK ||
        read_number(self->db, "PRAGMA user_version", &version) != SQLITE_OK ||
        read_number(self->db, "SELECT count(*) FROM sqlite_master", &tables) != SQLITE_OK)
        return fail_db(self, error, "read");
    if (id == 0 && version == 0 && tables == 0) {
        snprintf(sql, sizeof(sql),
                 "BEGIN IMMEDIATE; CREATE TABLE records (key TEXT PRIMARY KEY, data BLOB NOT NULL) "
                 "WITHOUT ROWID; PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                 APPLICATION_ID, SCHEMA_VERSION);
        if (sqlite3_exec(self->db, sql, NULL, NULL, NULL) != SQLITE_OK)
            return fail_db(self, error, "create");
        return 0;
    }
    if (id != APPLICATION_ID)
        return store_fail(error, -EINVAL, "%s is not a state file of this daemon", self->path);
    if (version != SCHEMA_VERSION)
        return store_fail(error, -EINVAL, "state file %s has format %lld, this daemon knows %d",
                          self->path, version, SCHEMA_VERSION);
    return 0;
}

static int open_database(struct sqlite_store *self, struct store_error *error)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    mode_t mask = umask(0077);
    int r = sqlite3_open_v2(self->path, &self->db, flags, NULL);

    /* The file comes into being with the first access, not with the open. */
    if (r == SQLITE_OK)
        r = sqlite3_exec(self->db,
                         "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; "
                         "PRAGMA synchronous = EXTRA; PRAGMA trusted_schema = OFF",
                         NULL, NULL, NULL);
    r = r == SQLITE_OK ? check_schema(self, error) : fail_db(self, error, "open");
    umask(mask);
    if (r != 0)
        return r;
    if (sqlite3_prepare_v3(self->db, "INSERT OR REPLACE INTO records VALUES (?1, ?2)", -1,
                           SQLITE_PREPARE_PERSISTENT, &self->put, NULL) != SQLITE_OK ||
        sqlite3_prepare_v3(self->db, "DELETE FROM records WHERE key = ?1", -1,
                           SQLITE_PREPARE_PERSISTENT, &self->remove, NULL) != SQLITE_OK)
        return fail_db(self, error, "read");
    return 0;
}

static int sqlite_load(struct store *store, unsigned timeout_ms, struct store_records *records,
                       struct store_error *error)
{
    struct sqlite_store *self = (struct sqlite_store *)store;
    sqlite3_stmt *statement = NULL;
    int r;

    /* A whole check: the state is small, and a daemon that plans from half a state is dangerous. */
    r = sqlite3_prepare_v2(self->db, "PRAGMA integrity_check(1)", -1, &statement, NULL);
    if (r != SQLITE_OK || sqlite3_step(statement) != SQLITE_ROW) {
        r = fail_db(self, error, "read");
        sqlite3_finalize(statement);
        return r;
    }
    if (strcmp((const char *)sqlite3_column_text(statement, 0), "ok") != 0)
        r = store_fail(error, -EINVAL,
                       "state file %s is damaged (%.200s): restore it from a copy, or move it away "
                       "to begin without state",
                       self->path, (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    if (r != 0)
        return r;

    if (sqlite3_prepare_v2(self->db, "SELECT key, data FROM records", -1, &statement, NULL) !=
        SQLITE_OK)
        return fail_db(self, error, "read");
    while ((r = sqlite3_step(statement)) == SQLITE_ROW)
        if (store_records_add(records, (const char *)sqlite3_column_text(statement, 0),
                              sqlite3_column_blob(statement, 1),
                              (size_t)sqlite3_column_bytes(statement, 1)) != 0)
            break;
    if (r == SQLITE_ROW)
        r = store_fail(error, -ENOMEM, "out of memory");
    else
        r = r == SQLITE_DONE ? 0 : fail_db(self, error, "read");
    sqlite3_finalize(statement);
    return r;
}

static int write_record(struct sqlite_store *self, const struct qm_record *record)
{
    sqlite3_stmt *statement = record->data ? self->put : self->remove;
    int r = sqlite3_bind_text(statement, 1, record->key, -1, SQLITE_STATIC);

    if (r == SQLITE_OK && record->data)
        r = sqlite3_bind_blob64(statement, 2, record->data, record->length, SQLITE_STATIC);
    if (r == SQLITE_OK)
        r = sqlite3_step(statement) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
    /* The borrowed memory must not outlive this call in the statement. */
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return r;
}

static void sqlite_save(struct store *store, const struct qm_save *save)
{
    struct sqlite_store *self = (struct sqlite_store *)store;
    int r = sqlite3_exec(self->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    for (size_t i = 0; r == SQLITE_OK && i < save->n_records; i++)
        r = write_record(self, &save->records[i]);
    if (r == SQLITE_OK)
        r = sqlite3_exec(self->db, "COMMIT", NULL, NULL, NULL);
    if (r == SQLITE_OK) {
        store_answer_saved(store, save->revision);
        return;
    }
    store_answer_failed(store, save->revision, "cannot write state file %s: %s", self->path,
                        sqlite3_errmsg(self->db));
    if (!sqlite3_get_autocommit(self->db))
        sqlite3_exec(self->db, "ROLLBACK", NULL, NULL, NULL);
}

static int sqlite_erase(struct store *store, unsigned timeout_ms, struct store_error *error)
{
    struct sqlite_store *self = (struct sqlite_store *)store;

    if (sqlite3_exec(self->db, "DELETE FROM records", NULL, NULL, NULL) != SQLITE_OK)
        return fail_db(self, error, "write");
    return 0;
}

static void sqlite_close(struct store *store)
{
    struct sqlite_store *self = (struct sqlite_store *)store;

    sqlite3_finalize(self->put);
    sqlite3_finalize(self->remove);
    sqlite3_close(self->db);
    /* The lock file stays: removing it would race with the next daemon. */
    if (self->lock_fd >= 0)
        close(self->lock_fd);
    store_deinit(store);
    free(self);
}

static const struct store_type sqlite_type = {
    .load = sqlite_load,
    .save = sqlite_save,
    .erase = sqlite_erase,
    .close = sqlite_close,
};

int store_open_sqlite(struct store **store, struct event_base *base, const char *state_dir,
                      const char *deployment, const struct store_callbacks *callbacks,
                      struct store_error *error)
{
    struct sqlite_store *self;
    int r, n;

    if (!store_deployment_is_valid(deployment))
        return store_fail(error, -EINVAL, "'%.130s' cannot be a deployment's name", deployment);
    self = calloc(1, sizeof(*self));
    if (!self)
        return store_fail(error, -ENOMEM, "out of memory");
    self->lock_fd = -1;
    r = store_init(&self->store, &sqlite_type, base, callbacks);
    if (r != 0) {
        store_fail(error, r, "out of memory");
        goto fail;
    }
    n = snprintf(self->path, sizeof(self->path), "%s/%s.sqlite", state_dir, deployment);
    if (n < 0 || (size_t)n >= sizeof(self->path)) {
        r = store_fail(error, -EINVAL, "the state directory's name is too long");
        goto fail;
    }
    snprintf(self->store.name, sizeof(self->store.name), "SQLite %.500s", self->path);
    r = make_directories(state_dir, error);
    if (r == 0)
        r = take_lock(self, error);
    if (r == 0)
        r = open_database(self, error);
    if (r != 0)
        goto fail;
    *store = &self->store;
    return 0;

fail:
    sqlite_close(&self->store);
    return r;
}
