/*
 * State in ZooKeeper: one persistent node a record below PATH/deployments/DEPLOYMENT/records. A
 * sibling of "records" is free for leader election; the old framework's nodes are
 * PATH/scheduler-DEPLOYMENT and lie elsewhere.
 *
 * Saves are lines of changes. What waits is sent in one transaction, up to a size that a server
 * takes; the next goes out when it is answered. After any failure nothing is sure: all that wait
 * fail with it, and the nodes are listed anew before the next save.
 */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "state/zookeeper_private.h"

/* A server takes requests below 1 MiB (jute.maxbuffer); the rest is for names and framing. */
#define RECORD_MAX      1000000
#define REQUEST_BYTES   (512 * 1024)
#define REQUEST_CHANGES 500
#define CHANGE_BYTES    256 /* of a change beside name and data, generously */

static char ignored_path[8]; /* the library insists on telling the path of a created node */

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

bool zk_known_has(struct zk_store *self, const char *name)
{
    return tfind(name, &self->known, compare_names) != NULL;
}

bool zk_known_add(struct zk_store *self, const char *name)
{
    char *copy;

    if (zk_known_has(self, name))
        return true;
    copy = strdup(name);
    if (copy && tsearch(copy, &self->known, compare_names))
        return true;
    free(copy);
    return false;
}

void zk_known_remove(struct zk_store *self, const char *name)
{
    char **found = tfind(name, &self->known, compare_names), *key;

    if (!found)
        return;
    key = *found;
    tdelete(name, &self->known, compare_names);
    free(key);
}

void zk_known_clear(struct zk_store *self)
{
    tdestroy(self->known, free);
    self->known = NULL;
}

bool zk_is_transient(int rc)
{
    switch (rc) {
    case ZCONNECTIONLOSS:
    case ZOPERATIONTIMEOUT:
    case ZSESSIONEXPIRED:
    case ZSESSIONMOVED:
    case ZINVALIDSTATE:
    case ZCLOSING:
    case ZNOTHING:
        return true;
    default:
        return false;
    }
}

static void advance(struct zk_store *self);

static void free_change(struct zk_change *change)
{
    free(change->name);
    free(change->data);
    free(change);
}

static struct zk_change *take_change(struct zk_store *self)
{
    struct zk_change *change = self->changes;

    self->changes = change->next;
    if (!self->changes)
        self->changes_end = &self->changes;
    return change;
}

/* Frees the paths of the request that was answered; data belongs to the changes. */
static void free_request(struct zk_store *self)
{
    free(self->ops);
    free(self->results);
    self->ops = NULL;
    self->results = NULL;
    self->n_in_flight = 0;
}

/* All that waits fails: each save was handed over before its failure could be reported. */
static void fail_all(struct zk_store *self, const char *why)
{
    self->known_valid = false;
    while (self->changes) {
        struct zk_change *change = take_change(self);

        if (change->ends_save)
            store_answer_failed(&self->store, change->revision, "%.200s: %s", self->store.name,
                                why);
        free_change(change);
    }
}

static void on_saved(int rc, const void *userdata)
{
    struct zk_store *self = (struct zk_store *)userdata;
    size_t n = self->n_in_flight;

    free_request(self);
    self->busy = false;
    if (self->closing)
        return;
    if (rc != ZOK) {
        fail_all(self, zerror(rc));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct zk_change *change = take_change(self);

        if (change->ends_save)
            store_answer_saved(&self->store, change->revision);
        free_change(change);
    }
    advance(self);
}

/* Puts one change into the request; false when memory ran out. @path is kept by the caller. */
static bool fill_op(struct zk_store *self, const struct zk_change *change, const char *path,
                    zoo_op_t *op, size_t *n)
{
    const struct ACL_vector *acl =
        *self->address.credentials ? &ZOO_CREATOR_ALL_ACL : &ZOO_OPEN_ACL_UNSAFE;
    const char *data = (const char *)change->data;

    if (!change->data) {
        if (!zk_known_has(self, change->name))
            return true;
        zk_known_remove(self, change->name);
        zoo_delete_op_init(op, path, -1);
    } else if (zk_known_has(self, change->name)) {
        zoo_set_op_init(op, path, data, (int)change->length, -1, NULL);
    } else {
        zoo_create_op_init(op, path, data, (int)change->length, acl, 0, ignored_path,
                           sizeof(ignored_path));
        if (!zk_known_add(self, change->name))
            return false;
    }
    (*n)++;
    return true;
}

/* Makes one transaction of what waits. ZOK: sent, or nothing was to be sent (on_saved() then). */
static int send_changes(struct zk_store *self, zhandle_t *handle)
{
    char **paths = calloc(REQUEST_CHANGES, sizeof(*paths));
    size_t bytes = 0, n = 0;
    int rc = ZOK;

    self->ops = calloc(REQUEST_CHANGES, sizeof(*self->ops));
    self->results = calloc(REQUEST_CHANGES, sizeof(*self->results));
    if (!paths || !self->ops || !self->results)
        rc = ZSYSTEMERROR;
    for (struct zk_change *change = self->changes;
         rc == ZOK && change && self->n_in_flight < REQUEST_CHANGES; change = change->next) {
        size_t size = change->length + CHANGE_BYTES + strlen(self->path);

        if (self->n_in_flight && bytes + size > REQUEST_BYTES)
            break;
        if (change->name) {
            free(paths[n]); /* of a delete that was not needed */
            paths[n] = NULL;
            if (asprintf(&paths[n], "%s/%s", self->path, change->name) < 0 ||
                !fill_op(self, change, paths[n], &self->ops[n], &n))
                rc = ZSYSTEMERROR;
        }
        bytes += size;
        self->n_in_flight++;
    }
    if (rc == ZOK && n > 0) {
        self->busy = true;
        rc = zoo_amulti(handle, (int)n, self->ops, self->results, on_saved, self);
        self->busy = rc == ZOK;
    } else if (rc == ZOK) {
        on_saved(ZOK, self);
    }
    /* The request was copied; a path that was allocated and not used is freed with the rest. */
    for (size_t i = 0; paths && i < REQUEST_CHANGES; i++)
        free(paths[i]);
    free(paths);
    return rc;
}

static void on_created(int rc, const char *value, const void *userdata)
{
    struct zk_store *self = (struct zk_store *)userdata;
    bool last = self->path[self->creating] == '\0';

    self->busy = false;
    if (self->closing)
        return;
    /* Parents may exist and forbid us to look; the last one decides. */
    if (rc == ZOK || rc == ZNODEEXISTS || (rc == ZNOAUTH && !last)) {
        if (last) {
            self->creating = 0;
            self->known_valid = true;
        }
        advance(self);
        return;
    }
    self->creating = 0;
    fail_all(self, zerror(rc));
}

/* Creates the next part of the path. */
static int create_path(struct zk_store *self, zhandle_t *handle)
{
    const struct ACL_vector *acl = &ZOO_OPEN_ACL_UNSAFE;
    char *part;
    int rc;

    self->creating += 1 + strcspn(self->path + self->creating + 1, "/");
    if (*self->address.credentials && self->creating > self->shared_length)
        acl = &ZOO_CREATOR_ALL_ACL;
    part = strndup(self->path, self->creating);
    if (!part)
        return ZSYSTEMERROR;
    self->busy = true;
    rc = zoo_acreate(handle, part, NULL, -1, acl, 0, on_created, self);
    self->busy = rc == ZOK;
    free(part);
    return rc;
}

static void on_listed(int rc, const struct String_vector *names, const void *userdata)
{
    struct zk_store *self = (struct zk_store *)userdata;

    self->busy = false;
    if (self->closing)
        return;
    zk_known_clear(self);
    for (int i = 0; rc == ZOK && i < names->count; i++)
        if (!zk_known_add(self, names->data[i]))
            rc = ZSYSTEMERROR;
    self->known_valid = rc == ZOK;
    if (rc == ZNONODE) {
        zhandle_t *handle = zk_loop_handle(self->loop);

        self->creating = 0;
        rc = handle ? create_path(self, handle) : ZCONNECTIONLOSS;
        zk_loop_touch(self->loop);
        if (rc == ZOK)
            return;
    }
    if (rc == ZOK)
        advance(self);
    else
        fail_all(self, zerror(rc));
}

/* Does the next thing that waiting changes need. */
static void advance(struct zk_store *self)
{
    zhandle_t *handle = zk_loop_handle(self->loop);
    int rc;

    if (self->busy || !self->changes)
        return;
    if (!handle) {
        fail_all(self, "not connected");
        return;
    }
    if (self->creating) {
        rc = create_path(self, handle);
    } else if (!self->known_valid) {
        self->busy = true;
        rc = zoo_aget_children(handle, self->path, 0, on_listed, self);
        self->busy = rc == ZOK;
    } else {
        rc = send_changes(self, handle);
        if (rc != ZOK)
            free_request(self);
    }
    zk_loop_touch(self->loop);
    if (rc != ZOK) {
        self->creating = 0;
        fail_all(self, zerror(rc));
    }
}

static struct zk_change *new_change(const struct qm_record *record)
{
    struct zk_change *change = calloc(1, sizeof(*change));

    if (!change)
        return NULL;
    if (!record)
        return change;
    change->name = zk_name_escape(record->key);
    change->length = record->data ? record->length : 0;
    if (record->data)
        change->data = malloc(record->length ? record->length : 1);
    if (!change->name || (record->data && !change->data)) {
        free_change(change);
        return NULL;
    }
    if (change->length)
        memcpy(change->data, record->data, change->length);
    return change;
}

static void zk_save(struct store *store, const struct qm_save *save)
{
    struct zk_store *self = (struct zk_store *)store;
    struct zk_change *first = NULL, **end = &first, *change = NULL;
    size_t n = save->n_records ? save->n_records : 1;

    for (size_t i = 0; i < n; i++) {
        const struct qm_record *record = save->n_records ? &save->records[i] : NULL;

        if (record && record->data && record->length > RECORD_MAX) {
            store_answer_failed(store, save->revision,
                                "record %.100s has %zu bytes, ZooKeeper takes %d", record->key,
                                record->length, RECORD_MAX);
            goto fail;
        }
        change = new_change(record);
        if (!change) {
            store_answer_failed(store, save->revision, "out of memory");
            goto fail;
        }
        *end = change;
        end = &change->next;
    }
    change->ends_save = true;
    change->revision = save->revision;
    *self->changes_end = first;
    self->changes_end = end;
    advance(self);
    return;

fail:
    while ((change = first)) {
        first = change->next;
        free_change(change);
    }
}

static void zk_close(struct store *store)
{
    struct zk_store *self = (struct zk_store *)store;

    self->closing = true;
    zk_loop_free(self->loop);
    while (self->changes)
        free_change(take_change(self));
    free_request(self);
    zk_known_clear(self);
    zk_address_deinit(&self->address);
    free(self->path);
    store_deinit(store);
    free(self);
}

static void on_refused(void *userdata)
{
    struct zk_store *self = userdata;

    self->refused = true;
}

static const struct store_type zk_type = {
    .load = zk_store_load,
    .save = zk_save,
    .erase = zk_store_erase,
    .close = zk_close,
};

/* PATH/deployments/DEPLOYMENT/records */
static int make_path(struct zk_store *self, const char *path, const char *deployment)
{
    size_t length = strlen(path);
    char *name = zk_name_escape(deployment);
    int n;

    while (length && path[length - 1] == '/')
        length--;
    n = name ? asprintf(&self->path, "%.*s/deployments/%s/records", (int)length, path, name) : -1;
    free(name);
    if (n < 0) {
        self->path = NULL;
        return -ENOMEM;
    }
    self->shared_length = length + strlen("/deployments");
    snprintf(self->store.name, sizeof(self->store.name), "ZooKeeper %.250s%.*s",
             self->address.servers, (int)(length < 240 ? length : 240), length ? path : "/");
    return 0;
}

int store_open_zookeeper(struct store **store, struct event_base *base, const char *servers,
                         const char *path, const char *deployment,
                         const struct store_callbacks *callbacks, struct store_error *error)
{
    struct zk_loop_callbacks loop_callbacks = {.refused = on_refused};
    struct zk_loop_options options = {.purpose = "state"};
    struct zk_store *self;
    int r;

    if (!store_deployment_is_valid(deployment))
        return store_fail(error, -EINVAL, "'%.130s' cannot be a deployment's name", deployment);
    r = zk_path_check(path, error);
    if (r != 0)
        return r;
    self = calloc(1, sizeof(*self));
    if (!self)
        return store_fail(error, -ENOMEM, "out of memory");
    self->base = base;
    self->changes_end = &self->changes;
    r = zk_address_parse(&self->address, servers, error);
    if (r != 0)
        goto fail;
    r = store_init(&self->store, &zk_type, base, callbacks);
    if (r == 0)
        r = make_path(self, path, deployment);
    if (r == 0) {
        options.servers = self->address.servers;
        options.credentials = self->address.credentials;
        self->loop = zk_loop_new(base, &options, &loop_callbacks, self);
        r = self->loop ? 0 : -ENOMEM;
    }
    if (r != 0) {
        store_fail(error, r, "out of memory");
        goto fail;
    }
    *store = &self->store;
    return 0;

fail:
    zk_close(&self->store);
    return r;
}
