/*
 * Arithmetic on lists of resources: scalars in thousandths, ranges, sets. Resources add up when all
 * but their amount is the same; a persistent volume or a MOUNT disk goes as a whole. Lists are kept
 * in the format with a stack of reservations.
 */
#include "core.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t core_milli(double value)
{
    if (!(value > -9e15 && value < 9e15))
        return value > 0 ? INT64_MAX / 4 : INT64_MIN / 4;
    return llround(value * 1000);
}

const char *core_res_reserved_role(const resource_t *resource)
{
    if (!resource->n_reservations)
        return NULL;
    return resource->reservations[resource->n_reservations - 1]->role;
}

void core_res_upgrade(resource_t *resource)
{
    Mesos__V1__Resource__ReservationInfo *reservation = resource->reservation;

    if (!resource->n_reservations &&
        (reservation || (resource->role && strcmp(resource->role, "*")))) {
        if (!reservation) {
            Mesos__V1__Resource__ReservationInfo fresh =
                MESOS__V1__RESOURCE__RESERVATION_INFO__INIT;

            reservation = sim_copy(&fresh);
            reservation->type = MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__STATIC;
        } else {
            reservation->type = MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC;
        }
        reservation->has_type = 1;
        if (!reservation->role || !*reservation->role)
            reservation->role = sim_dup(resource->role);
        resource->reservations = sim_grow(NULL, 1, sizeof *resource->reservations);
        resource->reservations[0] = reservation;
        resource->n_reservations = 1;
    } else {
        sim_drop(reservation);
    }
    resource->reservation = NULL;
    if (resource->role != mesos__v1__resource__role__default_value)
        free(resource->role);
    resource->role = mesos__v1__resource__role__default_value;
}

/* protobuf-c packs a string that is its field's default as absent, so role "*" has to be a copy of
 * its own. */
void core_res_downgrade(resource_t *resource)
{
    if (!resource->n_reservations) {
        resource->role = sim_dup("*");
        return;
    }
    if (resource->n_reservations > 1)
        return; /* has no old form */
    resource->role = sim_dup(resource->reservations[0]->role);
    if (resource->reservations[0]->type == MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC) {
        resource->reservation = resource->reservations[0];
        free(resource->reservation->role);
        resource->reservation->role = NULL;
        resource->reservation->has_type = 0;
        resource->reservation->type = 0;
    } else {
        sim_drop(resource->reservations[0]);
    }
    free(resource->reservations);
    resource->reservations = NULL;
    resource->n_reservations = 0;
}

static bool same_reservations(const resource_t *a, const resource_t *b)
{
    if (a->n_reservations != b->n_reservations)
        return false;
    for (size_t i = 0; i < a->n_reservations; i++)
        if (!sim_same_message(a->reservations[i], b->reservations[i]))
            return false;
    return true;
}

static const char *allocated_to(const resource_t *resource)
{
    return resource->allocation_info ? resource->allocation_info->role : NULL;
}

static bool same_kind(const resource_t *a, const resource_t *b)
{
    return strcmp(a->name, b->name) == 0 && a->type == b->type &&
           sim_same_text(allocated_to(a), allocated_to(b)) && same_reservations(a, b) &&
           sim_same_message(a->disk, b->disk) && !a->revocable == !b->revocable &&
           !a->shared == !b->shared && sim_same_message(a->provider_id, b->provider_id);
}

static bool is_indivisible(const resource_t *resource)
{
    const Mesos__V1__Resource__DiskInfo *disk = resource->disk;

    return disk && (disk->persistence ||
                    (disk->source &&
                     disk->source->type == MESOS__V1__RESOURCE__DISK_INFO__SOURCE__TYPE__MOUNT));
}

static bool is_empty(const resource_t *resource)
{
    switch (resource->type) {
    case MESOS__V1__VALUE__TYPE__SCALAR:
        return !resource->scalar || core_milli(resource->scalar->value) <= 0;
    case MESOS__V1__VALUE__TYPE__RANGES:
        return !resource->ranges || !resource->ranges->n_range;
    case MESOS__V1__VALUE__TYPE__SET:
        return !resource->set || !resource->set->n_item;
    default:
        return true;
    }
}

/* ---- ranges ---- */

static int by_begin(const void *a, const void *b)
{
    const Mesos__V1__Value__Range *x = *(Mesos__V1__Value__Range *const *)a;
    const Mesos__V1__Value__Range *y = *(Mesos__V1__Value__Range *const *)b;

    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static void ranges_push(Mesos__V1__Value__Ranges *ranges, uint64_t begin, uint64_t end)
{
    Mesos__V1__Value__Range fresh = MESOS__V1__VALUE__RANGE__INIT;

    fresh.begin = begin;
    fresh.end = end;
    ranges->range = sim_grow(ranges->range, ranges->n_range + 1, sizeof *ranges->range);
    ranges->range[ranges->n_range++] = sim_copy(&fresh);
}

/* Sorts and joins neighbours. */
static void ranges_tidy(Mesos__V1__Value__Ranges *ranges)
{
    size_t kept = 0;

    if (!ranges->n_range)
        return;
    qsort(ranges->range, ranges->n_range, sizeof *ranges->range, by_begin);
    for (size_t i = 1; i < ranges->n_range; i++) {
        Mesos__V1__Value__Range *last = ranges->range[kept], *this = ranges->range[i];

        if (this->begin <= last->end || this->begin == last->end + 1) {
            if (this->end > last->end)
                last->end = this->end;
            sim_drop(this);
        } else {
            ranges->range[++kept] = this;
        }
    }
    ranges->n_range = kept + 1;
}

static void ranges_cut(Mesos__V1__Value__Ranges *ranges, uint64_t begin, uint64_t end)
{
    size_t n = ranges->n_range;

    for (size_t i = 0; i < n; i++) {
        Mesos__V1__Value__Range *range = ranges->range[i];

        if (range->end < begin || range->begin > end)
            continue;
        if (range->begin < begin) {
            if (range->end > end)
                ranges_push(ranges, end + 1, range->end);
            range->end = begin - 1;
        } else if (range->end > end) {
            range->begin = end + 1;
        } else {
            sim_drop(range);
            ranges->range[i] = NULL;
        }
    }
    n = 0;
    for (size_t i = 0; i < ranges->n_range; i++)
        if (ranges->range[i])
            ranges->range[n++] = ranges->range[i];
    ranges->n_range = n;
    ranges_tidy(ranges);
}

static bool ranges_hold(const Mesos__V1__Value__Ranges *have, const Mesos__V1__Value__Ranges *want)
{
    for (size_t i = 0; i < want->n_range; i++) {
        bool held = false;

        for (size_t j = 0; have && j < have->n_range && !held; j++)
            held = have->range[j]->begin <= want->range[i]->begin &&
                   want->range[i]->end <= have->range[j]->end;
        if (!held)
            return false;
    }
    return true;
}

/* ---- sets ---- */

static size_t set_place(const Mesos__V1__Value__Set *set, const char *item)
{
    size_t i = 0;

    while (i < set->n_item && strcmp(set->item[i], item))
        i++;
    return i;
}

/* ---- one resource ---- */

static void amount_add(resource_t *to, const resource_t *more)
{
    if (to->type == MESOS__V1__VALUE__TYPE__SCALAR) {
        to->scalar->value =
            (double)(core_milli(to->scalar->value) + core_milli(more->scalar->value)) / 1000;
    } else if (to->type == MESOS__V1__VALUE__TYPE__RANGES) {
        for (size_t i = 0; i < more->ranges->n_range; i++)
            ranges_push(to->ranges, more->ranges->range[i]->begin, more->ranges->range[i]->end);
        ranges_tidy(to->ranges);
    } else if (to->type == MESOS__V1__VALUE__TYPE__SET) {
        for (size_t i = 0; i < more->set->n_item; i++) {
            if (set_place(to->set, more->set->item[i]) < to->set->n_item)
                continue;
            to->set->item = sim_grow(to->set->item, to->set->n_item + 1, sizeof *to->set->item);
            to->set->item[to->set->n_item++] = sim_dup(more->set->item[i]);
        }
    }
}

static void amount_subtract(resource_t *from, const resource_t *less)
{
    if (from->type == MESOS__V1__VALUE__TYPE__SCALAR) {
        from->scalar->value =
            (double)(core_milli(from->scalar->value) - core_milli(less->scalar->value)) / 1000;
    } else if (from->type == MESOS__V1__VALUE__TYPE__RANGES) {
        for (size_t i = 0; i < less->ranges->n_range; i++)
            ranges_cut(from->ranges, less->ranges->range[i]->begin, less->ranges->range[i]->end);
    } else if (from->type == MESOS__V1__VALUE__TYPE__SET) {
        for (size_t i = 0; i < less->set->n_item; i++) {
            size_t place = set_place(from->set, less->set->item[i]);

            if (place == from->set->n_item)
                continue;
            free(from->set->item[place]);
            from->set->item[place] = from->set->item[--from->set->n_item];
        }
    }
}

static bool amount_holds(const resource_t *have, const resource_t *want)
{
    if (is_indivisible(have))
        return core_milli(have->scalar->value) == core_milli(want->scalar->value);
    switch (have->type) {
    case MESOS__V1__VALUE__TYPE__SCALAR:
        return core_milli(have->scalar->value) >= core_milli(want->scalar->value);
    case MESOS__V1__VALUE__TYPE__RANGES:
        return ranges_hold(have->ranges, want->ranges);
    case MESOS__V1__VALUE__TYPE__SET:
        for (size_t i = 0; i < want->set->n_item; i++)
            if (set_place(have->set, want->set->item[i]) == have->set->n_item)
                return false;
        return true;
    default:
        return false;
    }
}

/* ---- lists ---- */

void core_res_clear(struct res *res)
{
    for (size_t i = 0; i < res->n; i++)
        sim_drop(res->v[i]);
    free(res->v);
    *res = (struct res){0};
}

static void drop_place(struct res *res, size_t i)
{
    sim_drop(res->v[i]);
    memmove(res->v + i, res->v + i + 1, (res->n - i - 1) * sizeof *res->v);
    res->n--;
}

void core_res_add(struct res *res, const resource_t *resource)
{
    if (is_empty(resource))
        return;
    for (size_t i = 0; i < res->n && !is_indivisible(resource); i++) {
        if (same_kind(res->v[i], resource)) {
            amount_add(res->v[i], resource);
            return;
        }
    }
    res->v = sim_grow(res->v, res->n + 1, sizeof *res->v);
    res->v[res->n] = sim_copy(resource);
    if (resource->type == MESOS__V1__VALUE__TYPE__RANGES)
        ranges_tidy(res->v[res->n]->ranges);
    res->n++;
}

void core_res_add_all(struct res *res, const struct res *more)
{
    for (size_t i = 0; i < more->n; i++)
        core_res_add(res, more->v[i]);
}

void core_res_subtract(struct res *res, const struct res *less)
{
    for (size_t i = 0; i < less->n; i++) {
        for (size_t j = 0; j < res->n; j++) {
            if (!same_kind(res->v[j], less->v[i]))
                continue;
            if (is_indivisible(res->v[j]) && !amount_holds(res->v[j], less->v[i]))
                continue;
            amount_subtract(res->v[j], less->v[i]);
            if (is_empty(res->v[j]))
                drop_place(res, j);
            break;
        }
    }
}

bool core_res_contains(const struct res *have, const struct res *want)
{
    struct res left = {0};
    bool holds = true;

    core_res_add_all(&left, have);
    for (size_t i = 0; i < want->n && holds; i++) {
        struct res one = {.v = &want->v[i], .n = 1};

        holds = false;
        for (size_t j = 0; j < left.n && !holds; j++)
            holds = same_kind(left.v[j], want->v[i]) && amount_holds(left.v[j], want->v[i]);
        if (holds)
            core_res_subtract(&left, &one);
    }
    core_res_clear(&left);
    return holds;
}

void core_res_read(struct res *out, resource_t *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        resource_t *copy = sim_copy(v[i]);

        core_res_upgrade(copy);
        core_res_add(out, copy);
        sim_drop(copy);
    }
}

void core_res_allocate(struct res *res, const char *role)
{
    Mesos__V1__Resource__AllocationInfo info = MESOS__V1__RESOURCE__ALLOCATION_INFO__INIT;

    info.role = (char *)role;
    for (size_t i = 0; i < res->n; i++)
        if (!res->v[i]->allocation_info)
            res->v[i]->allocation_info = sim_copy(&info);
}

void core_res_unallocate(struct res *res)
{
    struct res plain = {0};

    for (size_t i = 0; i < res->n; i++) {
        sim_drop(res->v[i]->allocation_info);
        res->v[i]->allocation_info = NULL;
        core_res_add(&plain, res->v[i]);
    }
    core_res_clear(res);
    *res = plain;
}

int64_t core_res_scalar(const struct res *res, const char *name)
{
    int64_t sum = 0;

    for (size_t i = 0; i < res->n; i++)
        if (res->v[i]->scalar && strcmp(res->v[i]->name, name) == 0)
            sum += core_milli(res->v[i]->scalar->value);
    return sum;
}

bool core_res_is_offerable(const struct res *res)
{
    return core_res_scalar(res, "cpus") >= 10 || core_res_scalar(res, "mem") >= 32000;
}
