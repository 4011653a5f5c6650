/*
 * Configuration: a bag of dotted keys with typed, checked values. One table of
 * keys drives defaults, command-line flags, YAML, help and documentation.
 *
 * Keys of services have the form services.<service>.<field>; naming a service
 * that the catalogue lacks, with its `binding`, adds it. Programs may add keys of
 * their own (a port, a directory): the library stores and checks them and
 * otherwise ignores them.
 */
#ifndef QUOBYTE_MESOS_CONFIG_H
#define QUOBYTE_MESOS_CONFIG_H

#include <quobyte-mesos/allocator.h>
#include <quobyte-mesos/base.h>
#include <quobyte-mesos/error.h>
#include <quobyte-mesos/service.h>

struct qm_config;

enum qm_config_type {
    QM_CONFIG_TEXT,
    QM_CONFIG_BOOL,      /* true/false, yes/no, on/off, 1/0 */
    QM_CONFIG_INTEGER,   /* between min and max */
    QM_CONFIG_SECONDS,   /* as an integer or decimal number; kept in milliseconds */
    QM_CONFIG_RESOURCES, /* cpus:1;mem:2048;disk:32 */
    QM_CONFIG_LIST,      /* YAML sequence, or comma list in flags; kept as lines */
    QM_CONFIG_MAP,       /* YAML mapping of name to text; kept as NAME=VALUE lines */
    QM_CONFIG_CHOICE,    /* one of the words in `choices` */
    QM_CONFIG_BUDGET,    /* an integer, or the word unlimited (kept as INT64_MAX) */
};

/* One key. Tables are constant and outlive the configuration. */
struct qm_config_key {
    const char *key;           /* dotted; in the library's table services.* stands for every service */
    const char *flag;          /* command-line name with _ between words, or NULL */
    enum qm_config_type type;
    const char *initial;       /* default in text form; services have their own in the catalogue */
    int64_t min, max;          /* INTEGER and SECONDS (in the unit that is written); both 0 = any */
    const char *choices;       /* CHOICE: words separated by | */
    const char *unit;          /* shown in help: "s", "MiB", or "" */
    const char *help;          /* one line */
    bool secret;               /* never shown */
};

/**
 * qm_config_new() - all defaults.
 * @extra: the program's own keys, may be NULL; the table must outlive the configuration
 * Returns 0 or -ENOMEM. Since 0.1.
 */
QM_EXPORT int qm_config_new(struct qm_config **config, const struct qm_config_key *extra,
                            size_t n_extra, const struct qm_allocator *allocator);

/** qm_config_free() - frees; NULL is fine. Returns NULL. Since 0.1. */
QM_EXPORT struct qm_config *qm_config_free(struct qm_config *config);

/**
 * qm_config_set() - sets one key from text, in the form that flags have.
 * @key: dotted key or flag name (_ or - between words)
 * Returns 0; QM_E_UNKNOWN: no such key; QM_E_INVALID: bad value; -ENOMEM. The error's key and
 * message are filled unless @error is NULL. Nothing changes on error. Since 0.1.
 */
QM_EXPORT int qm_config_set(struct qm_config *config, const char *key, const char *value,
                            struct qm_error *error);

/**
 * qm_config_load_yaml() - sets keys from YAML text: dotted keys nested at the dots, flag names at
 * top level. All or nothing. Keys set before by qm_config_set() are overwritten: apply the command
 * line after the file.
 * Returns 0; QM_E_INVALID or QM_E_UNKNOWN with line, column and key; -ENOMEM. Since 0.1.
 */
QM_EXPORT int qm_config_load_yaml(struct qm_config *config, const char *text, size_t length,
                                  struct qm_error *error);

/**
 * qm_config_check() - every rule across keys (an image is needed with a container, ...).
 * Returns 0 or QM_E_INVALID with key and message of the first that fails. Since 0.1.
 */
QM_EXPORT int qm_config_check(const struct qm_config *config, struct qm_error *error);

/* Values. The key must exist (an assertion); text is valid until that key is set again. */
QM_EXPORT const char *qm_config_text(const struct qm_config *config, const char *key);
QM_EXPORT int64_t qm_config_integer(const struct qm_config *config, const char *key);
QM_EXPORT bool qm_config_bool(const struct qm_config *config, const char *key);
QM_EXPORT qm_duration qm_config_duration(const struct qm_config *config, const char *key);
/** qm_config_item() - n-th line of a LIST or MAP value into buffer; false at the end. Since 0.1. */
QM_EXPORT bool qm_config_item(const struct qm_config *config, const char *key, size_t n,
                              char *buffer, size_t size);

/* One key with its present value, for /v1/config, --help and documentation. */
struct qm_config_entry {
    const char *key;      /* full dotted key */
    const char *flag;     /* or NULL */
    const char *value;    /* "***" for a secret that is set */
    const char *initial;  /* default of this very entry: services differ from about->initial */
    bool is_default;
    const struct qm_config_key *about;
};

/**
 * qm_config_entry() - the n-th entry, in table order. False at the end. Strings are valid until
 * the configuration changes. Since 0.1.
 */
QM_EXPORT bool qm_config_entry(const struct qm_config *config, size_t n,
                               struct qm_config_entry *entry);

#endif
