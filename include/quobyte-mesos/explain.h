/*
 * Why something waits: a code, since when, what it is about, and numbers.
 * docs/explain.md says for each code what it means, what to look at, what to do.
 */
#ifndef QUOBYTE_MESOS_EXPLAIN_H
#define QUOBYTE_MESOS_EXPLAIN_H

#include <quobyte-mesos/base.h>

enum qm_reason_code {
    QM_WHY_NOTHING,              /* nothing waits */
    QM_WHY_DISCONNECTED,         /* no master */
    QM_WHY_RECONCILING,          /* recorded tasks have not answered yet: have, want */
    QM_WHY_SAVING,               /* its record is being saved */
    QM_WHY_PAUSED,               /* by the operator */
    QM_WHY_FAILURES,             /* the plan paused itself: subject = step, have = its failures, want = budget */
    QM_WHY_FAILURES_TOTAL,       /* likewise, of all instances: subject = the last one */
    QM_WHY_IMAGE_FAILED,         /* the plan paused itself: subject = host where the image was not pulled last */
    QM_WHY_IMAGE,                /* the new image is pulled first: have, want in hosts */
    QM_WHY_WINDOW,               /* outside rollout.window: want = milliseconds until it opens */
    QM_WHY_CANARY,               /* the first instance of subject soaks: have, want in milliseconds; 0: till resume */
    QM_WHY_LIMIT_SERVICES,       /* left out by rollout.limit_services: subject = service */
    QM_WHY_LIMIT_HOSTS,          /* left out by rollout.limit_hosts: subject = host */
    QM_WHY_LIMIT_INSTANCES,      /* rollout.limit_instances is reached: have, want */
    QM_WHY_DOMAIN_PAUSE,         /* after the steps in failure domain subject: have, want in milliseconds */
    QM_WHY_OLD_STATE,            /* what runs contradicts the saved state: have = places that disagree */
    QM_WHY_PHASE,                /* an earlier phase is not complete: subject = its service */
    QM_WHY_PROBING,              /* hosts have not reported their devices yet: have, want */
    QM_WHY_NO_REGISTRY_DEVICE,   /* a deployment needs one */
    QM_WHY_BOOTSTRAP_FIRST,      /* the bootstrap registry goes first and alone */
    QM_WHY_SECOND_BOOTSTRAP,     /* a bootstrap device that is not registered, in a registered deployment */
    QM_WHY_MAX_UNAVAILABLE,      /* have = unavailable instances, want = limit */
    QM_WHY_REGISTRY_MAJORITY,    /* have = registries that would stay, want = majority */
    QM_WHY_FAILURE_DOMAIN,       /* subject = the domain that is down already */
    QM_WHY_MIN_READY,            /* have, want = milliseconds since healthy */
    QM_WHY_STARTING,             /* launched, not RUNNING yet */
    QM_WHY_STOPPING,             /* killed, not ended yet */
    QM_WHY_UNHEALTHY,            /* RUNNING, its health check does not pass */
    QM_WHY_UNREACHABLE,          /* its agent is unreachable: subject = host */
    QM_WHY_TWO_AGENTS,           /* two connected agents say that they are this host */
    QM_WHY_DEVICE_STALE,         /* devices not reported since the host came */
    QM_WHY_DEVICE_MISSING,       /* its service ran there, its device is not there: subject = type */
    QM_WHY_DEVICE_ON_TWO_HOSTS,  /* subject = device */
    QM_WHY_MAINTENANCE,          /* host is in, or near, a maintenance window */
    QM_WHY_BACKOFF,              /* have = failures, want = milliseconds until the next try */
    QM_WHY_HOST_NOT_ALLOWED,     /* not in placement.hosts */
    QM_WHY_DRAINED,              /* the operator keeps the host free: want = milliseconds left, 0 = no end */
    QM_WHY_SKIPPED,              /* the operator left this step out of the plan */
    QM_WHY_NO_OFFER,             /* nothing offered of this host */
    QM_WHY_CPUS,                 /* offered too little: have, want in thousandths */
    QM_WHY_MEM,                  /* have, want in MiB */
    QM_WHY_DISK,                 /* have, want in MiB */
    QM_WHY_PORTS,                /* subject = the first port that is not offered */
    QM_WHY_ROLE,                 /* offered for a role that this service may not use */
    QM_WHY_NO_HOST,              /* a floating service finds no host without an instance of it */
    QM_WHY_LAST_STEP,            /* waits for its turn: an earlier step of its phase is under way */
    QM_WHY_CONFIG_WAITS,         /* configuration changed; rolls on resume */
    QM_WHY_SHUTDOWN_GRACE,       /* shut down begins in `want` milliseconds */
    QM_WHY_NOT_NEEDED,           /* offers: nothing to run there */
    QM_WHY_CODES,
};

struct qm_reason {
    enum qm_reason_code code;
    qm_time since;          /* when this code began to hold */
    char subject[128];      /* host, service, port, ... it is about; "" when none */
    uint64_t have;
    uint64_t want;
    char blocker[128];      /* step that would have to be dealt with (rule 5); "" when none */
};

/** qm_reason_name() - stable lower-case word of a code: "max_unavailable". Since 0.1. */
QM_EXPORT const char *qm_reason_name(enum qm_reason_code code);

/** qm_reason_format() - one English line, "mem: 2000 MiB offered, 8192 MiB needed". Since 0.1. */
QM_EXPORT size_t qm_reason_format(const struct qm_reason *reason, char *buffer, size_t size);

/**
 * qm_reason_remedy() - the curl line that would end this wait, and what it risks, as a comment
 * behind it: "curl -X POST http://HOST:PORT/v1/hosts/agent-3/forget  # ...". Empty when no order
 * ends it: time, Mesos or a repair does.
 * @base: "http://HOST:PORT"; @step: id of the step that waits, "" when it is about a host or the plan
 * @host: its host, "" when none. Returns as snprintf does. Since 0.1.
 */
QM_EXPORT size_t qm_reason_remedy(const struct qm_reason *reason, const char *base,
                                  const char *step, const char *host, char *buffer, size_t size);

#endif
