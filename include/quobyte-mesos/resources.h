/*
 * Resources as integers with units: cpus in thousandths, memory and disk in
 * MiB, ports as inclusive ranges. Mesos' doubles are converted once, by the
 * program that talks to Mesos, rounding offered amounts down and wanted ones up.
 */
#ifndef QUOBYTE_MESOS_RESOURCES_H
#define QUOBYTE_MESOS_RESOURCES_H

#include <quobyte-mesos/base.h>
#include <quobyte-mesos/error.h>

enum qm_resource_kind {
    QM_RESOURCE_OTHER, /* anything that the planner does not use: gpus, custom kinds */
    QM_RESOURCE_CPUS,  /* thousandths of a cpu */
    QM_RESOURCE_MEM,   /* MiB */
    QM_RESOURCE_DISK,  /* MiB of plain disk; see QM_RESOURCE_HAS_SOURCE */
    QM_RESOURCE_PORTS, /* ranges */
};

enum qm_resource_flag {
    QM_RESOURCE_REVOCABLE = 1 << 0,  /* may be taken away: never used */
    QM_RESOURCE_SHARED = 1 << 1,     /* never used */
    QM_RESOURCE_HAS_SOURCE = 1 << 2, /* MOUNT, PATH, BLOCK disk or a volume: never used */
};

struct qm_range {
    uint64_t begin; /* inclusive */
    uint64_t end;   /* inclusive */
};

/* One resource of an offer. Its place in the offer's array is its name in a launch. */
struct qm_resource {
    enum qm_resource_kind kind;
    unsigned flags;              /* enum qm_resource_flag */
    const char *role;            /* reservation's role, NULL when unreserved */
    uint64_t amount;             /* in the kind's unit; 0 for ports */
    const struct qm_range *ranges;
    size_t n_ranges;
};

/* What one task needs. Ports are separate: see struct qm_port_spec. */
struct qm_resources {
    uint64_t cpu_milli;
    uint64_t mem_mib;
    uint64_t disk_mib;
};

/**
 * qm_resources_parse() - "cpus:0.5;mem:512;disk:32", the form of the old framework's flags.
 * Each kind at most once, at least one kind, amounts finite and not negative.
 * Returns 0, QM_E_INVALID (error filled with the reason when not NULL). Since 0.1.
 */
QM_EXPORT int qm_resources_parse(const char *text, struct qm_resources *resources,
                                 struct qm_error *error);

/** qm_resources_format() - the same form, into buffer; returns as snprintf does. Since 0.1. */
QM_EXPORT size_t qm_resources_format(const struct qm_resources *resources, char *buffer,
                                     size_t size);

#endif
