/*
 * Reading and erasing all records in ZooKeeper: sync, list the nodes, then get or delete each, some
 * at a time. Everything begins anew when the connection breaks, until the deadline.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "state/zookeeper_private.h"

#define WINDOW  128 /* calls on their way at once */
#define WAKE_MS 100

struct one_node {
    struct zk_store *self;
    char *name;
};

static void on_names(int rc, const struct String_vector *names, const void *userdata);
static void next_nodes(struct zk_store *self);

static void forget_names(struct zk_job *job)
{
    for (size_t i = 0; i < job->n_names; i++)
        free(job->names[i]);
    free(job->names);
    job->names = NULL;
    job->n_names = job->next_name = 0;
}

/* A call that ended with @rc; the try is over when the last one ends. */
static void ended(struct zk_store *self, int rc)
{
    struct zk_job *job = &self->job;

    job->pending--;
    if (rc != ZOK && job->result == ZOK)
        job->result = rc;
    if (job->result == ZOK && !job->failure)
        next_nodes(self);
    if (job->pending)
        return;
    job->running = false;
    job->last = job->result;
    job->done = job->result == ZOK && !job->failure;
}

static void fail_job(struct zk_job *job, int code, const char *text, const char *name)
{
    if (!job->failure)
        job->failure = store_fail(job->error, code, "%s %s", text, name);
}

static void on_data(int rc, const char *value, int length, const struct Stat *stat,
                    const void *userdata)
{
    struct one_node *node = (struct one_node *)userdata;
    struct zk_store *self = node->self;
    struct zk_job *job = &self->job;
    char *key;

    if (rc == ZOK && !job->failure) {
        key = zk_name_unescape(node->name);
        if (!key)
            fail_job(job, -EINVAL, "not a record of this daemon in ZooKeeper:", node->name);
        else if (store_records_add(job->records, key, value, length > 0 ? (size_t)length : 0) !=
                     0 ||
                 !zk_known_add(self, node->name))
            fail_job(job, -ENOMEM, "out of memory at", node->name);
        free(key);
    } else if (rc == ZNONODE) {
        rc = ZOK; /* deleted meanwhile, by whoever resets */
    }
    free(node->name);
    free(node);
    ended(self, rc);
}

static void on_deleted(int rc, const void *userdata)
{
    struct zk_store *self = (struct zk_store *)userdata;

    ended(self, rc == ZNONODE ? ZOK : rc);
}

static int begin_node(struct zk_store *self, zhandle_t *handle, const char *name)
{
    struct one_node *node;
    char *path = NULL;
    int rc = ZSYSTEMERROR;

    if (asprintf(&path, "%s/%s", self->path, name) < 0)
        return ZSYSTEMERROR;
    if (self->job.erase) {
        rc = zoo_adelete(handle, path, -1, on_deleted, self);
    } else if ((node = calloc(1, sizeof(*node)))) {
        node->self = self;
        node->name = strdup(name);
        rc = node->name ? zoo_aget(handle, path, 0, on_data, node) : ZSYSTEMERROR;
        if (rc != ZOK) {
            free(node->name);
            free(node);
        }
    }
    free(path);
    return rc;
}

/* Keeps so many calls on their way. */
static void next_nodes(struct zk_store *self)
{
    struct zk_job *job = &self->job;
    zhandle_t *handle = zk_loop_handle(self->loop);
    int rc;

    while (job->next_name < job->n_names && job->pending < WINDOW && job->result == ZOK) {
        rc = handle ? begin_node(self, handle, job->names[job->next_name]) : ZCONNECTIONLOSS;
        if (rc != ZOK)
            job->result = rc;
        else
            job->pending++;
        job->next_name++;
    }
    zk_loop_touch(self->loop);
}

static void on_names(int rc, const struct String_vector *names, const void *userdata)
{
    struct zk_store *self = (struct zk_store *)userdata;
    struct zk_job *job = &self->job;

    if (rc == ZOK) {
        job->names = calloc(names->count ? (size_t)names->count : 1, sizeof(*job->names));
        for (int i = 0; job->names && i < names->count; i++)
            if ((job->names[job->n_names] = strdup(names->data[i])))
                job->n_names++;
        if (!job->names || job->n_names != (size_t)names->count)
            fail_job(job, -ENOMEM, "out of memory at", self->path);
        self->known_valid = true;
    } else if (rc == ZNONODE) {
        rc = ZOK; /* nothing was ever saved; the path is made with the first save */
        self->known_valid = false;
    }
    ended(self, rc);
}

/* A follower that lags behind must not give an old state. */
static void on_synced(int rc, const char *value, const void *userdata)
{
    struct zk_store *self = (struct zk_store *)userdata;
    zhandle_t *handle = zk_loop_handle(self->loop);

    if (rc == ZOK)
        rc = handle ? zoo_aget_children(handle, self->path, 0, on_names, self) : ZCONNECTIONLOSS;
    if (rc == ZOK)
        self->job.pending++;
    zk_loop_touch(self->loop);
    ended(self, rc);
}

static void begin_try(struct zk_store *self)
{
    struct zk_job *job = &self->job;
    int rc;

    forget_names(job);
    zk_known_clear(self);
    if (job->records)
        store_records_deinit(job->records);
    job->result = ZOK;
    job->running = true;
    job->pending = 1;
    rc = zoo_async(zk_loop_handle(self->loop), self->path, on_synced, self);
    if (rc != ZOK)
        ended(self, rc);
    zk_loop_touch(self->loop);
}

static void on_wake(evutil_socket_t fd, short what, void *userdata)
{
}

static int explain_failure(struct zk_store *self, unsigned timeout_ms)
{
    struct zk_job *job = &self->job;

    if (job->failure)
        return job->failure;
    if (self->refused || job->last == ZNOAUTH || job->last == ZAUTHFAILED)
        return store_fail(job->error, -EACCES, "%s: the credentials in --zk do not give access",
                          self->store.name);
    if (job->last != ZOK && !zk_is_transient(job->last))
        return store_fail(job->error, -EIO, "%s: %s", self->store.name, zerror(job->last));
    return store_fail(job->error, -ETIMEDOUT, "%s does not answer (tried for %u s)",
                      self->store.name, (timeout_ms + 999) / 1000);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int run_job(struct zk_store *self, unsigned timeout_ms)
{
    struct zk_job *job = &self->job;
    struct timeval tick = {.tv_usec = WAKE_MS * 1000};
    struct event *wake = event_new(self->base, -1, EV_PERSIST, on_wake, NULL);
    uint64_t end = now_ms() + timeout_ms, again = 0;
    bool broken = false;

    if (!wake)
        return store_fail(job->error, -ENOMEM, "out of memory");
    event_add(wake, &tick);
    while (!job->done && !broken && now_ms() < end) {
        if (!job->running &&
            (job->failure || self->refused || (job->last != ZOK && !zk_is_transient(job->last))))
            break;
        if (!job->running && zk_loop_handle(self->loop) && now_ms() >= again) {
            again = now_ms() + WAKE_MS;
            begin_try(self);
        }
        event_base_loop(self->base, EVLOOP_ONCE);
        broken = event_base_got_break(self->base) || event_base_got_exit(self->base);
    }
    event_free(wake);
    if (job->done)
        return 0;
    if (broken)
        return store_fail(job->error, -EINTR, "interrupted");
    return explain_failure(self, timeout_ms);
}

int zk_store_load(struct store *store, unsigned timeout_ms, struct store_records *records,
                  struct store_error *error)
{
    struct zk_store *self = (struct zk_store *)store;
    int r;

    self->job = (struct zk_job){.records = records, .error = error};
    r = run_job(self, timeout_ms);
    forget_names(&self->job);
    /* Answers that come after a deadline have nowhere to go. */
    if (self->job.running)
        self->job.failure = r;
    return r;
}

int zk_store_erase(struct store *store, unsigned timeout_ms, struct store_error *error)
{
    struct zk_store *self = (struct zk_store *)store;
    int r;

    self->job = (struct zk_job){.erase = true, .error = error};
    r = run_job(self, timeout_ms);
    forget_names(&self->job);
    self->known_valid = false;
    if (self->job.running)
        self->job.failure = r;
    return r;
}
