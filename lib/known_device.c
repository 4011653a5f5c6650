/*
 * Known Quobyte devices of a host, from its prober's reports. A device is its id, else its serial:
 * one that two connected hosts show at once holds both. A vanished device stays, marked missing.
 */
#include <stdio.h>
#include <string.h>

#include "rooms.h"

#define TEXT_MAX 4096 /* bytes of one string; QM_DEVICE_TEXTS of them fit into 16 bits */

const char *qm_device_text(const struct qm_known_device *device, enum qm_device_text which)
{
    return device->text + device->at[which];
}

bool qm_host_has_device(const struct qm_host *host, enum qm_device_type type, bool missing_too)
{
    for (const struct qm_known_device *d = host->devices; d; d = d->next)
        if (d->type == type && (missing_too || !d->missing))
            return true;
    return false;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* Its strings and its identity ("i" and the id, or "s" and the serial) in one block. */
static struct qm_known_device *device_new(struct qm_planner *p, struct qm_host *host,
                                          const struct qm_device *told)
{
    const char *texts[QM_DEVICE_TEXTS] = {or_empty(told->mount),  or_empty(told->filesystem),
                                          or_empty(told->serial), or_empty(told->model),
                                          or_empty(told->id),     or_empty(told->warning)};
    enum qm_device_text which = texts[QM_DEVICE_ID][0] ? QM_DEVICE_ID : QM_DEVICE_SERIAL;
    size_t length[QM_DEVICE_TEXTS], total = 2;
    struct qm_known_device *device;
    uint16_t at = 1;

    for (int i = 0; i < QM_DEVICE_TEXTS; i++) {
        length[i] = qm_clip(texts[i], TEXT_MAX);
        total += length[i] + 2;
    }
    device = qm_zalloc(p->allocator, sizeof(*device) + total);
    if (!device) {
        qm_out_of_memory(p);
        return NULL;
    }
    for (int i = 0; i < QM_DEVICE_TEXTS; i++) {
        if (i == (int)which && length[i] > 0) {
            device->key = at;
            device->text[at++] = which == QM_DEVICE_ID ? 'i' : 's';
        }
        device->at[i] = at;
        memcpy(device->text + at, texts[i], length[i]);
        at = (uint16_t)(at + length[i] + 1);
    }
    device->host = host;
    device->type = (uint8_t)told->type;
    device->bootstrap = told->bootstrap;
    device->size_mib = told->size_mib;
    device->free_mib = told->free_mib;
    return device;
}

static const char *key_of(const struct qm_known_device *device)
{
    return device->key ? device->text + device->key : NULL;
}

static void set_doubled(struct qm_planner *p, struct qm_known_device *device, bool doubled)
{
    if (device->doubled == doubled)
        return;
    device->doubled = doubled;
    device->host->n_doubled = (uint16_t)(device->host->n_doubled + (doubled ? 1 : -1));
    p->n_doubled += doubled ? 1 : (size_t)-1;
    qm_trace(p, QM_TRACE_DEVICE, device->host->name, doubled ? "" : "doubled",
             doubled ? "doubled" : "", "%s", qm_device_text(device, QM_DEVICE_MOUNT));
    qm_host_touch(p, device->host);
}

static bool is_there(const struct qm_known_device *device)
{
    return !device->missing && qm_host_connected(device->host);
}

/* Enters a present device's identity, or finds that another host shows it. */
static void claim(struct qm_planner *p, struct qm_known_device *device)
{
    const char *key = key_of(device);
    struct qm_known_device *owner = key ? qm_hashmap_get(&p->device_map, key) : NULL;

    if (!key || owner == device)
        return;
    if (owner && owner->host != device->host && is_there(owner)) {
        set_doubled(p, owner, true);
        set_doubled(p, device, true);
        return;
    }
    if (qm_hashmap_put(&p->device_map, key, device) < 0)
        qm_out_of_memory(p);
}

/* A doubled device that lost its twin is free again. Rare: a walk is in order. */
static void settle_twins(struct qm_planner *p, const char *key)
{
    struct qm_known_device *only = NULL;
    size_t n = 0;

    for (size_t i = 0; i < p->n_hosts; i++)
        for (struct qm_known_device *d = p->hosts[i]->devices; d; d = d->next)
            if (is_there(d) && key_of(d) && strcmp(key_of(d), key) == 0 && ++n == 1)
                only = d;
    if (n != 1)
        return;
    set_doubled(p, only, false);
    if (qm_hashmap_put(&p->device_map, key_of(only), only) < 0)
        qm_out_of_memory(p);
}

static void disclaim(struct qm_planner *p, struct qm_known_device *device)
{
    const char *key = key_of(device);
    bool doubled = device->doubled;

    if (!key)
        return;
    if (qm_hashmap_get(&p->device_map, key) == device)
        qm_hashmap_remove(&p->device_map, key);
    set_doubled(p, device, false);
    device->missing = true;
    if (doubled)
        settle_twins(p, key);
}

static void count_registered(struct qm_planner *p, const struct qm_known_device *device, int by)
{
    if (!qm_device_text(device, QM_DEVICE_ID)[0])
        return;
    p->n_registered += (size_t)by;
    if (by > 0 && !p->bootstrapped) {
        p->bootstrapped = true;
        qm_framework_changed(p);
    }
    p->plan.dirty = true;
}

/* The same mark on the same mount, or the same device mounted elsewhere. */
static bool is_same(const struct qm_known_device *d, const struct qm_device *told)
{
    const char *id = or_empty(told->id), *serial = or_empty(told->serial);

    if (d->type == told->type && strcmp(qm_device_text(d, QM_DEVICE_MOUNT), told->mount) == 0 &&
        strcmp(qm_device_text(d, QM_DEVICE_SERIAL), serial) == 0)
        return true;
    if (id[0] && qm_device_text(d, QM_DEVICE_ID)[0])
        return strcmp(qm_device_text(d, QM_DEVICE_ID), id) == 0;
    return serial[0] && d->type == told->type &&
           strcmp(qm_device_text(d, QM_DEVICE_SERIAL), serial) == 0;
}

static struct qm_known_device *find_known(struct qm_host *host, const struct qm_device *told)
{
    for (struct qm_known_device *d = host->devices; d; d = d->next)
        if (!d->seen && is_same(d, told))
            return d;
    return NULL;
}

static bool mount_is_taken(const struct qm_host *host, const struct qm_known_device *device)
{
    for (const struct qm_known_device *d = host->devices; d; d = d->next)
        if (d->seen && strcmp(qm_device_text(d, QM_DEVICE_MOUNT),
                              qm_device_text(device, QM_DEVICE_MOUNT)) == 0)
            return true;
    return false;
}

static bool says_the_same(const struct qm_known_device *d, const struct qm_device *told)
{
    return d->type == told->type && d->bootstrap == told->bootstrap && !d->missing &&
           strcmp(qm_device_text(d, QM_DEVICE_MOUNT), or_empty(told->mount)) == 0 &&
           strcmp(qm_device_text(d, QM_DEVICE_ID), or_empty(told->id)) == 0 &&
           strcmp(qm_device_text(d, QM_DEVICE_SERIAL), or_empty(told->serial)) == 0 &&
           strcmp(qm_device_text(d, QM_DEVICE_FILESYSTEM), or_empty(told->filesystem)) == 0 &&
           strcmp(qm_device_text(d, QM_DEVICE_MODEL), or_empty(told->model)) == 0 &&
           strcmp(qm_device_text(d, QM_DEVICE_WARNING), or_empty(told->warning)) == 0;
}

static void unlink_device(struct qm_planner *p, struct qm_known_device *device)
{
    struct qm_known_device **at = &device->host->devices;

    while (*at != device)
        at = &(*at)->next;
    *at = device->next;
    disclaim(p, device);
    count_registered(p, device, -1);
    qm_free(p->allocator, device);
}

static void link_device(struct qm_planner *p, struct qm_known_device *device)
{
    struct qm_known_device **at = &device->host->devices;

    while (*at && strcmp(qm_device_text(*at, QM_DEVICE_MOUNT),
                         qm_device_text(device, QM_DEVICE_MOUNT)) < 0)
        at = &(*at)->next;
    device->next = *at;
    *at = device;
    count_registered(p, device, 1);
    claim(p, device);
}

static void learn(struct qm_planner *p, struct qm_host *host, const struct qm_device *told)
{
    struct qm_known_device *known = find_known(host, told), *fresh;
    const char *type = qm_device_type_name(told->type);

    if (known && says_the_same(known, told)) {
        known->size_mib = told->size_mib;
        known->free_mib = told->free_mib;
        known->seen = true;
        claim(p, known);
        return;
    }
    fresh = device_new(p, host, told);
    if (!fresh)
        return;
    qm_trace(p, QM_TRACE_DEVICE, host->name, known ? "known" : "", type, "%s",
             or_empty(told->mount));
    if (known)
        unlink_device(p, known);
    link_device(p, fresh);
    fresh->seen = true;
    /* A device is back, or there is a new one: no reason to hold its service back. */
    for (size_t i = 0; i < host->n_places; i++)
        if (p->policy->services[host->places[i].service].binding == QM_BOUND_TO_DEVICE &&
            p->policy->services[host->places[i].service].device_type == told->type)
            qm_backoff_reset(&host->places[i]);
}

void qm_devices_report(struct qm_planner *p, struct qm_host *host, const struct qm_device *devices,
                       size_t n)
{
    for (struct qm_known_device *d = host->devices; d; d = d->next)
        d->seen = false;
    for (size_t i = 0; i < n && !p->failed; i++)
        learn(p, host, &devices[i]);
    for (struct qm_known_device *d = host->devices, *next; d; d = next) {
        next = d->next;
        if (!d->seen && mount_is_taken(host, d)) {
            unlink_device(p, d); /* marked anew */
            continue;
        }
        if (d->seen || d->missing)
            continue;
        disclaim(p, d);
        d->missing = true;
        qm_trace(p, QM_TRACE_DEVICE, host->name, qm_device_type_name(d->type), "missing", "%s",
                 qm_device_text(d, QM_DEVICE_MOUNT));
    }
}

void qm_devices_free(struct qm_planner *p, struct qm_host *host)
{
    struct qm_known_device *next;

    for (struct qm_known_device *d = host->devices; d; d = next) {
        const char *key = key_of(d);

        next = d->next;
        if (key && qm_hashmap_get(&p->device_map, key) == d)
            qm_hashmap_remove(&p->device_map, key);
        if (d->doubled)
            p->n_doubled--;
        if (qm_device_text(d, QM_DEVICE_ID)[0])
            p->n_registered--;
        qm_free(p->allocator, d);
    }
    host->devices = NULL;
}
