/*
 * Resources and attributes in the forms that Mesos' JSON endpoints use: summed up by name, with
 * ranges as text, or as whole messages in the format of before reservation refinement.
 */
#ifndef MESOS_SIM_JSON_RESOURCES_H
#define MESOS_SIM_JSON_RESOURCES_H

#include <jansson.h>

#include "mesos/v1/mesos.pb-c.h"

/* {"disk":0.0,"mem":64.0,"gpus":0.0,"cpus":0.5,"ports":"[21100-21102]"} of the resources that
 * `role` has reserved; NULL: of all, "*": of those that nobody has. */
json_t *json_resources_sum(const Mesos__V1__Resource *const *resources, size_t n, const char *role);
/* The same of two arrays together. */
json_t *json_resources_sum2(const Mesos__V1__Resource *const *first, size_t n_first,
                            const Mesos__V1__Resource *const *second, size_t n_second);
/* {"ROLE": sum, ...} of what is reserved. */
json_t *json_resources_reserved(const Mesos__V1__Resource *const *resources, size_t n);
/* An array of messages, each with "role"; `role` as above. */
json_t *json_resources_full(const Mesos__V1__Resource *const *resources, size_t n,
                            const char *role);
/* {"ROLE": array, ...} of what is reserved. */
json_t *json_resources_reserved_full(const Mesos__V1__Resource *const *resources, size_t n);

/* {"rack":"r1","level":3.0} */
json_t *json_attributes(Mesos__V1__Attribute *const *attributes, size_t n);

#endif
