/*
 * Sums and texts of resources.
 */
#include "json_resources.h"
#include "json_map.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *role_of(const Mesos__V1__Resource *resource)
{
    if (resource->n_reservations > 0) {
        const Mesos__V1__Resource__ReservationInfo *last =
            resource->reservations[resource->n_reservations - 1];

        return last->role ? last->role : "*";
    }
    return resource->role ? resource->role : "*";
}

static bool matches(const Mesos__V1__Resource *resource, const char *role)
{
    return !role || !strcmp(role_of(resource), role);
}

/* ---- sums ---- */

/* Scalars have three decimal digits in Mesos. */
static void add_scalar(json_t *sum, const char *name, double value)
{
    double have = json_number_value(json_object_get(sum, name));

    json_object_set_new(sum, name, json_real(round((have + value) * 1000) / 1000));
}

static int compare_ranges(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;

    return left[0] < right[0] ? -1 : left[0] > right[0];
}

static char *ranges_text(uint64_t (*ranges)[2], size_t n)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    size_t i = 0;

    if (!out)
        return NULL;
    if (n > 0)
        qsort(ranges, n, sizeof(*ranges), compare_ranges);
    fputc('[', out);
    while (i < n) {
        uint64_t begin = ranges[i][0];
        uint64_t end = ranges[i][1];

        for (i++; i < n && ranges[i][0] <= end + 1; i++)
            if (ranges[i][1] > end)
                end = ranges[i][1];
        fprintf(out, "%" PRIu64 "-%" PRIu64 "%s", begin, end, i < n ? ", " : "");
    }
    fputc(']', out);
    fclose(out);
    return text;
}

static void set_text(json_t *object, const char *name, char *text)
{
    if (text)
        json_object_set_new(object, name, json_string(text));
    free(text);
}

/* All ranges of one name, merged. */
static void set_ranges(json_t *sum, const Mesos__V1__Resource *const *resources, size_t n,
                       const char *name, const char *role)
{
    uint64_t(*ranges)[2];
    size_t n_ranges = 0;

    for (size_t i = 0; i < n; i++)
        if (resources[i]->ranges)
            n_ranges += resources[i]->ranges->n_range;
    ranges = calloc(n_ranges + 1, sizeof(*ranges));
    n_ranges = 0;
    for (size_t i = 0; ranges && i < n; i++) {
        if (!resources[i]->ranges || strcmp(resources[i]->name, name) ||
            !matches(resources[i], role))
            continue;
        for (size_t k = 0; k < resources[i]->ranges->n_range; k++) {
            ranges[n_ranges][0] = resources[i]->ranges->range[k]->begin;
            ranges[n_ranges++][1] = resources[i]->ranges->range[k]->end;
        }
    }
    if (ranges)
        set_text(sum, name, ranges_text(ranges, n_ranges));
    free(ranges);
}

static char *set_items_text(const Mesos__V1__Value__Set *set)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    fputc('{', out);
    for (size_t i = 0; i < set->n_item; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", set->item[i]);
    fputc('}', out);
    fclose(out);
    return text;
}

json_t *json_resources_sum(const Mesos__V1__Resource *const *resources, size_t n, const char *role)
{
    json_t *sum =
        json_pack("{s:f, s:f, s:f, s:f}", "disk", 0.0, "mem", 0.0, "gpus", 0.0, "cpus", 0.0);

    for (size_t i = 0; sum && i < n; i++) {
        const Mesos__V1__Resource *resource = resources[i];

        if (!matches(resource, role))
            continue;
        if (resource->scalar)
            add_scalar(sum, resource->name, resource->scalar->value);
        else if (resource->ranges && !json_object_get(sum, resource->name))
            set_ranges(sum, resources, n, resource->name, role);
        else if (resource->set)
            set_text(sum, resource->name, set_items_text(resource->set));
    }
    return sum;
}

json_t *json_resources_sum2(const Mesos__V1__Resource *const *first, size_t n_first,
                            const Mesos__V1__Resource *const *second, size_t n_second)
{
    const Mesos__V1__Resource **all = calloc(n_first + n_second + 1, sizeof(*all));
    json_t *sum;

    if (!all)
        return NULL;
    if (n_first > 0)
        memcpy(all, first, n_first * sizeof(*all));
    if (n_second > 0)
        memcpy(all + n_first, second, n_second * sizeof(*all));
    sum = json_resources_sum((const Mesos__V1__Resource *const *)all, n_first + n_second, NULL);
    free(all);
    return sum;
}

json_t *json_resources_reserved(const Mesos__V1__Resource *const *resources, size_t n)
{
    json_t *reserved = json_object();

    for (size_t i = 0; reserved && i < n; i++) {
        const char *role = role_of(resources[i]);

        if (strcmp(role, "*") && !json_object_get(reserved, role))
            json_object_set_new(reserved, role, json_resources_sum(resources, n, role));
    }
    return reserved;
}

/* ---- messages ---- */

json_t *json_resources_full(const Mesos__V1__Resource *const *resources, size_t n, const char *role)
{
    json_t *array = json_array();

    for (size_t i = 0; array && i < n; i++) {
        json_t *resource;

        if (!matches(resources[i], role))
            continue;
        resource = json_map_from_message(&resources[i]->base);
        json_object_set_new(resource, "role", json_string(role_of(resources[i])));
        json_array_append_new(array, resource);
    }
    return array;
}

json_t *json_resources_reserved_full(const Mesos__V1__Resource *const *resources, size_t n)
{
    json_t *reserved = json_object();

    for (size_t i = 0; reserved && i < n; i++) {
        const char *role = role_of(resources[i]);

        if (strcmp(role, "*") && !json_object_get(reserved, role))
            json_object_set_new(reserved, role, json_resources_full(resources, n, role));
    }
    return reserved;
}

/* ---- attributes ---- */

json_t *json_attributes(Mesos__V1__Attribute *const *attributes, size_t n)
{
    json_t *object = json_object();

    for (size_t i = 0; object && i < n; i++) {
        const Mesos__V1__Attribute *attribute = attributes[i];

        if (attribute->scalar) {
            json_object_set_new(object, attribute->name, json_real(attribute->scalar->value));
        } else if (attribute->text) {
            json_object_set_new(object, attribute->name, json_string(attribute->text->value));
        } else if (attribute->set) {
            set_text(object, attribute->name, set_items_text(attribute->set));
        } else if (attribute->ranges) {
            size_t n_ranges = attribute->ranges->n_range;
            uint64_t(*ranges)[2] = calloc(n_ranges + 1, sizeof(*ranges));

            for (size_t k = 0; ranges && k < n_ranges; k++) {
                ranges[k][0] = attribute->ranges->range[k]->begin;
                ranges[k][1] = attribute->ranges->range[k]->end;
            }
            if (ranges)
                set_text(object, attribute->name, ranges_text(ranges, n_ranges));
            free(ranges);
        }
    }
    return object;
}
