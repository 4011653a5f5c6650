/* Configuration: the entries, made from the tables of keys, and the ways to read and set them. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "catalogue.h"
#include "config_store.h"
#include "fail.h"
#include "text.h"

#define SERVICE_PREFIX "services."
#define STAR_LENGTH    strlen("services.*.")

static void entry_free(const struct qm_allocator *allocator, struct config_entry *entry)
{
    if (!entry)
        return;
    qm_free(allocator, entry->key);
    qm_free(allocator, entry->value);
    qm_free(allocator, entry);
}

struct qm_config *qm_config_free(struct qm_config *config)
{
    const struct qm_allocator *allocator;

    if (!config)
        return NULL;
    allocator = config->allocator;
    for (size_t i = 0; i < config->n_entries; i++)
        entry_free(allocator, config->entries[i]);
    for (size_t i = 0; i < config->n_services; i++)
        qm_free(allocator, config->services[i]);
    qm_free(allocator, config->entries);
    qm_hashmap_deinit(&config->by_name);
    qm_free(allocator, config);
    return NULL;
}

static int register_entry(struct qm_config *config, struct config_entry *entry)
{
    int r;

    if (!qm_grow(config->allocator, &config->entries, &config->entries_capacity,
                 config->n_entries + 1, sizeof(*config->entries)))
        return -ENOMEM;
    r = qm_hashmap_put(&config->by_name, entry->key, entry);
    if (r == 0 && entry->flag)
        r = qm_hashmap_put(&config->by_name, entry->flag, entry);
    if (r == 0)
        config->entries[config->n_entries++] = entry;
    return r;
}

static int add_entry(struct qm_config *config, const struct qm_config_key *about, const char *key,
                     const char *flag, const char *initial)
{
    struct config_entry *entry = qm_zalloc(config->allocator, sizeof(*entry));
    struct qm_error error;
    int r;

    if (!entry)
        return -ENOMEM;
    entry->key = qm_strdup(config->allocator, key);
    entry->flag = flag;
    entry->about = about;
    entry->initial = initial;
    entry->is_default = true;
    r = entry->key ? qm_config_value_parse(about, key, initial, config->allocator, &entry->value,
                                           &entry->number, &error)
                   : -ENOMEM;
    assert(r <= 0); /* a default that its own key refuses */
    if (r == 0)
        r = register_entry(config, entry);
    if (r != 0)
        entry_free(config->allocator, entry);
    return r;
}

static int add_table(struct qm_config *config, const struct qm_config_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int r = add_entry(config, &keys[i], keys[i].key, keys[i].flag, keys[i].initial);

        if (r < 0)
            return r;
    }
    return 0;
}

static int add_service_entries(struct qm_config *config, const char *name,
                               const struct qm_catalogue_value *values)
{
    for (size_t i = 0; i < qm_n_service_keys; i++) {
        const struct qm_config_key *about = &qm_service_keys[i];
        const char *field = about->key + STAR_LENGTH;
        const char *initial = about->initial;
        const char *flag = NULL;
        char key[96];
        int r;

        for (const struct qm_catalogue_value *v = values; v && v->field; v++) {
            if (strcmp(v->field, field) == 0) {
                initial = v->initial;
                flag = v->flag;
            }
        }
        snprintf(key, sizeof(key), SERVICE_PREFIX "%s.%s", name, field);
        r = add_entry(config, about, key, flag, initial);
        if (r < 0)
            return r;
    }
    config->services[config->n_services] = qm_strdup(config->allocator, name);
    return config->services[config->n_services] ? (config->n_services++, 0) : -ENOMEM;
}

static int fill(struct qm_config *config)
{
    int r = add_table(config, qm_config_keys, qm_n_config_keys);

    for (size_t i = 0; r == 0 && i < QM_SERVICES_BUILT_IN; i++) {
        if (qm_catalogue[i].values)
            r = add_service_entries(config, qm_catalogue[i].name, qm_catalogue[i].values);
    }
    return r == 0 ? add_table(config, config->extra, config->n_extra) : r;
}

int qm_config_new(struct qm_config **config, const struct qm_config_key *extra, size_t n_extra,
                  const struct qm_allocator *allocator)
{
    struct qm_config *made = qm_zalloc(allocator, sizeof(*made));
    int r;

    if (!made)
        return -ENOMEM;
    made->allocator = allocator;
    made->extra = extra;
    made->n_extra = n_extra;
    qm_hashmap_init(&made->by_name, allocator);
    r = fill(made);
    if (r < 0)
        qm_config_free(made);
    else
        *config = made;
    return r;
}

static int clone_entry(struct qm_config *copy, const struct config_entry *from)
{
    struct config_entry *entry = qm_zalloc(copy->allocator, sizeof(*entry));
    int r = -ENOMEM;

    if (!entry)
        return r;
    *entry = *from;
    entry->key = qm_strdup(copy->allocator, from->key);
    entry->value = qm_strdup(copy->allocator, from->value);
    if (entry->key && entry->value)
        r = register_entry(copy, entry);
    if (r < 0)
        entry_free(copy->allocator, entry);
    return r;
}

struct qm_config *qm_config_clone(const struct qm_config *config)
{
    struct qm_config *copy = qm_zalloc(config->allocator, sizeof(*copy));
    int r = 0;

    if (!copy)
        return NULL;
    copy->allocator = config->allocator;
    copy->extra = config->extra;
    copy->n_extra = config->n_extra;
    qm_hashmap_init(&copy->by_name, copy->allocator);
    for (size_t i = 0; r == 0 && i < config->n_entries; i++)
        r = clone_entry(copy, config->entries[i]);
    for (size_t i = 0; r == 0 && i < config->n_services; i++) {
        copy->services[i] = qm_strdup(copy->allocator, config->services[i]);
        if (copy->services[i])
            copy->n_services++;
        else
            r = -ENOMEM;
    }
    return r == 0 ? copy : qm_config_free(copy);
}

struct config_entry *qm_config_find(const struct qm_config *config, const char *name)
{
    struct config_entry *entry = qm_hashmap_get(&config->by_name, name);
    char flag[96];
    size_t length = strlen(name);

    if (entry || length >= sizeof(flag))
        return entry;
    for (size_t i = 0; i <= length; i++)
        flag[i] = name[i] == '-' ? '_' : name[i];
    return qm_hashmap_get(&config->by_name, flag);
}

bool qm_config_service_of(const char *key, char *name, size_t size, const char **field)
{
    const char *start = key + strlen(SERVICE_PREFIX);
    const char *dot;

    if (strncmp(key, SERVICE_PREFIX, strlen(SERVICE_PREFIX)) != 0)
        return false;
    dot = strchr(start, '.');
    if (!dot || dot == start || dot[1] == '\0' || (size_t)(dot - start) >= size)
        return false;
    memcpy(name, start, (size_t)(dot - start));
    name[dot - start] = '\0';
    *field = dot + 1;
    return true;
}

int qm_config_add_service(struct qm_config *config, const char *name, struct qm_error *error)
{
    char key[96];

    snprintf(key, sizeof(key), SERVICE_PREFIX "%.60s", name);
    if (!qm_is_word(name, 32, "-") || name[0] == '-' || strcmp(name, "prober") == 0 ||
        qm_hashmap_get(&config->by_name, key))
        return qm_fail(error, QM_E_INVALID, key,
                       "cannot be the name of a service: 1 to 32 letters, digits and -, not a key");
    /* One place is the prober's. */
    if (config->n_services + 1 >= QM_SERVICES_MAX)
        return qm_fail(error, QM_E_INVALID, key, "more than %d services", QM_SERVICES_MAX);
    return add_service_entries(config, name, NULL);
}

int qm_config_set_entry(struct qm_config *config, struct config_entry *entry, const char *text,
                        struct qm_error *error)
{
    char *value = NULL;
    int64_t number = 0;
    int r = qm_config_value_parse(entry->about, entry->key, text, config->allocator, &value,
                                  &number, error);

    if (r != 0)
        return r;
    qm_free(config->allocator, entry->value);
    entry->value = value;
    entry->number = number;
    entry->is_default = false;
    return 0;
}

/* services.<new>.binding: the one key that makes a service. */
static int set_new_service(struct qm_config *config, const char *key, const char *value,
                           struct qm_error *error)
{
    struct qm_config *copy;
    struct config_entry *entry;
    const char *field;
    char name[64];
    int r;

    if (!qm_config_service_of(key, name, sizeof(name), &field) || strcmp(field, "binding") != 0)
        return qm_fail(error, QM_E_UNKNOWN, key, "unknown key");
    copy = qm_config_clone(config); /* adding can fail half-way */
    if (!copy)
        return -ENOMEM;
    r = qm_config_add_service(copy, name, error);
    entry = r == 0 ? qm_config_find(copy, key) : NULL;
    if (entry)
        r = qm_config_set_entry(copy, entry, value, error);
    if (r == 0) {
        struct qm_config old = *config;

        *config = *copy;
        *copy = old;
    }
    qm_config_free(copy);
    return r;
}

int qm_config_set(struct qm_config *config, const char *key, const char *value,
                  struct qm_error *error)
{
    struct config_entry *entry = qm_config_find(config, key);

    return entry ? qm_config_set_entry(config, entry, value, error)
                 : set_new_service(config, key, value, error);
}

static const struct config_entry *must_find(const struct qm_config *config, const char *key)
{
    const struct config_entry *entry = qm_config_find(config, key);

    assert(entry);
    return entry;
}

const char *qm_config_text(const struct qm_config *config, const char *key)
{
    return must_find(config, key)->value;
}

int64_t qm_config_integer(const struct qm_config *config, const char *key)
{
    return must_find(config, key)->number;
}

bool qm_config_bool(const struct qm_config *config, const char *key)
{
    return must_find(config, key)->number != 0;
}

qm_duration qm_config_duration(const struct qm_config *config, const char *key)
{
    return (qm_duration)must_find(config, key)->number;
}

bool qm_config_item(const struct qm_config *config, const char *key, size_t n, char *buffer,
                    size_t size)
{
    const char *line = must_find(config, key)->value;

    if (*line == '\0')
        return false;
    for (; n > 0; n--) {
        line = strchr(line, '\n');
        if (!line)
            return false;
        line++;
    }
    snprintf(buffer, size, "%.*s", (int)strcspn(line, "\n"), line);
    return true;
}

bool qm_config_entry(const struct qm_config *config, size_t n, struct qm_config_entry *entry)
{
    const struct config_entry *from;

    if (n >= config->n_entries)
        return false;
    from = config->entries[n];
    *entry = (struct qm_config_entry){
        .key = from->key,
        .flag = from->flag,
        .value = from->about->secret && from->value[0] ? "***" : from->value,
        .initial = from->initial,
        .is_default = from->is_default,
        .about = from->about,
    };
    return true;
}

struct config_entry *qm_config_service_entry(const struct qm_config *config, size_t service,
                                             const char *field)
{
    struct config_entry *entry;
    char key[96];

    snprintf(key, sizeof(key), SERVICE_PREFIX "%s.%s", config->services[service], field);
    entry = qm_config_find(config, key);
    assert(entry);
    return entry;
}
