/*
 * What a task takes of an offer. Offered Resource messages are copied as they are, unknown fields,
 * reservations and allocation_info included; only the amount or the ranges are reduced. Anything
 * else makes a master answer "Total resources ... more than available".
 */
#include <errno.h>

#include "mesos/convert.h"

static bool ranges_hold(const Mesos__V1__Value__Ranges *offered, const struct qm_range *range)
{
    for (size_t i = 0; i < offered->n_range; i++)
        if (range->begin >= offered->range[i]->begin && range->end <= offered->range[i]->end)
            return range->begin <= range->end;
    return false;
}

static int reduce_ranges(struct arena *arena, Mesos__V1__Resource *resource,
                         const struct qm_resource_use *use)
{
    const Mesos__V1__Value__Ranges *offered = resource->ranges;
    if (resource->type != MESOS__V1__VALUE__TYPE__RANGES || offered == NULL || use->n_ranges == 0)
        return -EINVAL;
    Mesos__V1__Value__Ranges *ranges = arena_zero(arena, 1, sizeof *ranges);
    mesos__v1__value__ranges__init(ranges);
    ranges->range = arena_zero(arena, use->n_ranges, sizeof *ranges->range);
    ranges->n_range = use->n_ranges;
    for (size_t i = 0; i < use->n_ranges; i++) {
        if (!ranges_hold(offered, &use->ranges[i]))
            return -EINVAL;
        ranges->range[i] = arena_zero(arena, 1, sizeof **ranges->range);
        mesos__v1__value__range__init(ranges->range[i]);
        ranges->range[i]->begin = use->ranges[i].begin;
        ranges->range[i]->end = use->ranges[i].end;
    }
    resource->ranges = ranges;
    return 0;
}

static int reduce_scalar(struct arena *arena, Mesos__V1__Resource *resource,
                         const struct qm_resource_use *use)
{
    unsigned scale = use->kind == QM_RESOURCE_CPUS ? 1000 : 1;
    if (resource->type != MESOS__V1__VALUE__TYPE__SCALAR || resource->scalar == NULL ||
        use->amount > convert_amount(resource->scalar->value, scale))
        return -EINVAL;
    Mesos__V1__Value__Scalar *scalar = arena_zero(arena, 1, sizeof *scalar);
    mesos__v1__value__scalar__init(scalar);
    scalar->value = (double)use->amount / scale;
    resource->scalar = scalar;
    return 0;
}

int convert_use(struct arena *arena, Mesos__V1__Offer *const *offers, size_t n_offers,
                const struct qm_resource_use *uses, size_t n_uses, Mesos__V1__Resource ***resources,
                size_t *n_resources)
{
    Mesos__V1__Resource **list = arena_zero(arena, n_uses, sizeof *list);
    for (size_t i = 0; i < n_uses; i++) {
        const struct qm_resource_use *use = &uses[i];
        if (use->offer >= n_offers || use->resource >= offers[use->offer]->n_resources)
            return -EINVAL;
        list[i] = arena_copy(arena, offers[use->offer]->resources[use->resource], sizeof **list);
        int rc = use->kind == QM_RESOURCE_PORTS ? reduce_ranges(arena, list[i], use)
                                                : reduce_scalar(arena, list[i], use);
        if (rc != 0)
            return rc;
    }
    *resources = list;
    *n_resources = n_uses;
    return 0;
}
