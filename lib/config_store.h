/* Inside a configuration: its entries, and what its rooms share. */
#ifndef LIB_CONFIG_STORE_H
#define LIB_CONFIG_STORE_H

#include <quobyte-mesos/config.h>

#include "hashmap.h"

struct config_entry {
    char *key;
    const char *flag; /* or NULL */
    const struct qm_config_key *about;
    const char *initial;
    char *value;    /* in its normal form */
    int64_t number; /* INTEGER, BUDGET; SECONDS in ms; BOOL 0 or 1 */
    bool is_default;
};

struct qm_config {
    const struct qm_allocator *allocator;
    const struct qm_config_key *extra;
    size_t n_extra;
    struct config_entry **entries;
    size_t n_entries, entries_capacity;
    struct qm_hashmap by_name;       /* keys and flags */
    char *services[QM_SERVICES_MAX]; /* in catalogue order, then as they were added */
    size_t n_services;
};

/* The library's keys. services.* are those that each service has. */
extern const struct qm_config_key qm_config_keys[];
extern const size_t qm_n_config_keys;
extern const struct qm_config_key qm_service_keys[];
extern const size_t qm_n_service_keys;

/** qm_config_find() - by key or flag, also with - for _; NULL when there is none. */
struct config_entry *qm_config_find(const struct qm_config *config, const char *name);

/** qm_config_service_of() - is @key "services.<name>.<field>"? Sets where the name ends. */
bool qm_config_service_of(const char *key, char *name, size_t size, const char **field);

/** qm_config_add_service() - a service that the catalogue lacks. 0, QM_E_INVALID, QM_E_LIMIT,
 * -ENOMEM. */
int qm_config_add_service(struct qm_config *config, const char *name, struct qm_error *error);

/** qm_config_set_entry() - as qm_config_set(), for an entry. */
int qm_config_set_entry(struct qm_config *config, struct config_entry *entry, const char *text,
                        struct qm_error *error);

/** qm_config_clone() - a copy; NULL when out of memory. */
struct qm_config *qm_config_clone(const struct qm_config *config);

/** qm_config_service_entry() - services.<service>.<field> of service number @service. */
struct config_entry *qm_config_service_entry(const struct qm_config *config, size_t service,
                                             const char *field);

/**
 * qm_config_value_parse() - reads a value as its key's type wants it.
 * @value: normal form, to be freed; @number: as in struct config_entry
 * Returns 0, QM_E_INVALID, -ENOMEM.
 */
int qm_config_value_parse(const struct qm_config_key *about, const char *key, const char *text,
                          const struct qm_allocator *allocator, char **value, int64_t *number,
                          struct qm_error *error);

#endif
