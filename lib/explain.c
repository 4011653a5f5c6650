/* Reasons in words, with their numbers. */
#include <quobyte-mesos/explain.h>

#include <stdio.h>

#include "decimal.h"
#include "writer.h"

/* How a reason's numbers are written. */
enum numbers {
    NO_NUMBERS,
    COUNTS,       /* have and want */
    CPUS,         /* both in thousandths */
    SECONDS,      /* both in milliseconds */
    WANT_SECONDS, /* have is a count */
};

/* The sentence of a code: $s is the subject, $h and $w are the numbers. */
struct wording {
    const char *name;
    const char *text;
    enum numbers numbers;
    const char *instead_of_subject; /* when it is empty */
};

static const struct wording wordings[QM_WHY_CODES] = {
    [QM_WHY_NOTHING] = {"nothing", "nothing waits", NO_NUMBERS, ""},
    [QM_WHY_DISCONNECTED] = {"disconnected", "no connection to a Mesos master", NO_NUMBERS, ""},
    [QM_WHY_RECONCILING] = {"reconciling",
                            "Mesos has told about $h of $w recorded tasks since we connected",
                            COUNTS, ""},
    [QM_WHY_SAVING] = {"saving", "its record is being saved", NO_NUMBERS, ""},
    [QM_WHY_PAUSED] = {"paused", "paused by the operator", NO_NUMBERS, ""},
    [QM_WHY_FAILURES] = {"failures",
                         "paused by the plan: $s failed $h times, $w are borne; resume, or post "
                         "another version",
                         COUNTS, "an instance"},
    [QM_WHY_FAILURES_TOTAL] = {"failures_total",
                               "paused by the plan: $h failures, the last of $s, $w are borne; "
                               "resume, or post another version",
                               COUNTS, "an instance"},
    [QM_WHY_IMAGE_FAILED] = {"image_failed",
                             "paused by the plan: the image was not pulled, $h tries, the last on "
                             "$s; nothing was stopped: post the right version, or resume",
                             COUNTS, "a host"},
    [QM_WHY_IMAGE] = {"image", "image ready on $h of $w hosts", COUNTS, ""},
    [QM_WHY_WINDOW] = {"window", "outside rollout.window, which opens in $w s", WANT_SECONDS, ""},
    [QM_WHY_CANARY] = {"canary",
                       "the first instance of $s is tried: complete for $h s, $w s are asked for "
                       "(0 = until resume)",
                       SECONDS, "this service"},
    [QM_WHY_LIMIT_SERVICES] = {"limit_services", "rollout.limit_services leaves $s out", NO_NUMBERS,
                               "it"},
    [QM_WHY_LIMIT_HOSTS] = {"limit_hosts", "rollout.limit_hosts leaves host $s out", NO_NUMBERS,
                            "its own"},
    [QM_WHY_LIMIT_INSTANCES] = {"limit_instances",
                                "$h instances are upgraded, rollout.limit_instances is $w: resume "
                                "for as many again",
                                COUNTS, ""},
    [QM_WHY_DOMAIN_PAUSE] = {"domain_pause",
                             "failure domain $s is watched for $h of $w s before the next is touched",
                             SECONDS, "another"},
    [QM_WHY_OLD_STATE] = {"old_state",
                          "the saved state looks old: what runs contradicts it in $h places; "
                          "resume to accept it",
                          COUNTS, ""},
    [QM_WHY_PHASE] = {"phase", "the phase of $s is not complete", NO_NUMBERS, "an earlier service"},
    [QM_WHY_PROBING] = {"probing", "$h of $w hosts have reported their devices", COUNTS, ""},
    [QM_WHY_NO_REGISTRY_DEVICE] =
        {"no_registry_device", "no host has a registry device: mark one with qmkdev or qbootstrap",
         NO_NUMBERS, ""},
    [QM_WHY_BOOTSTRAP_FIRST] = {"bootstrap_first", "the bootstrap registry starts first and alone",
                                NO_NUMBERS, ""},
    [QM_WHY_SECOND_BOOTSTRAP] =
        {"second_bootstrap",
         "a bootstrap device without QUOBYTE_DEV_ID in a deployment that is "
         "registered already",
         NO_NUMBERS, ""},
    [QM_WHY_MAX_UNAVAILABLE] = {"max_unavailable",
                                "$h instances of $s are unavailable, at most $w may be", COUNTS,
                                "this service"},
    [QM_WHY_REGISTRY_MAJORITY] = {"registry_majority",
                                  "$h registries would stay, the majority is $w", COUNTS, ""},
    [QM_WHY_FAILURE_DOMAIN] =
        {"failure_domain", "services in failure domain $s are unavailable: no other one is touched",
         NO_NUMBERS, "another"},
    [QM_WHY_MIN_READY] = {"min_ready", "healthy for $h of $w s", SECONDS, ""},
    [QM_WHY_STARTING] = {"starting", "launched, not RUNNING yet", NO_NUMBERS, ""},
    [QM_WHY_STOPPING] = {"stopping", "stopped, has not ended yet", NO_NUMBERS, ""},
    [QM_WHY_UNHEALTHY] = {"unhealthy", "RUNNING, its health check does not pass", NO_NUMBERS, ""},
    [QM_WHY_UNREACHABLE] = {"unreachable", "host $s is unreachable: its task may be alive",
                            NO_NUMBERS, "unknown"},
    [QM_WHY_TWO_AGENTS] = {"two_agents", "two connected agents say that they are host $s",
                           NO_NUMBERS, "this one"},
    [QM_WHY_DEVICE_STALE] = {"device_stale", "the host's devices were not reported since it came",
                             NO_NUMBERS, ""},
    [QM_WHY_DEVICE_MISSING] = {"device_missing",
                               "its service ran there, but the host shows no $s device now",
                               NO_NUMBERS, "such"},
    [QM_WHY_DEVICE_ON_TWO_HOSTS] = {"device_on_two_hosts", "device $s is seen on two hosts",
                                    NO_NUMBERS, "unknown"},
    [QM_WHY_MAINTENANCE] = {"maintenance", "the host is in maintenance, or soon will be",
                            NO_NUMBERS, ""},
    [QM_WHY_BACKOFF] = {"backoff", "failed $h times, next try in $w s", WANT_SECONDS, ""},
    [QM_WHY_HOST_NOT_ALLOWED] = {"host_not_allowed", "placement.hosts does not allow this host",
                                 NO_NUMBERS, ""},
    [QM_WHY_DRAINED] = {"drained", "the operator keeps host $s free of services", NO_NUMBERS,
                        "this one"},
    [QM_WHY_SKIPPED] = {"skipped", "left out of the plan by the operator", NO_NUMBERS, ""},
    [QM_WHY_NO_OFFER] = {"no_offer", "Mesos offers nothing of this host", NO_NUMBERS, ""},
    [QM_WHY_CPUS] = {"cpus", "cpus: $h offered, $w needed", CPUS, ""},
    [QM_WHY_MEM] = {"mem", "mem: $h MiB offered, $w MiB needed", COUNTS, ""},
    [QM_WHY_DISK] = {"disk", "disk: $h MiB offered, $w MiB needed", COUNTS, ""},
    [QM_WHY_PORTS] = {"ports", "port $s is not offered", NO_NUMBERS, "any"},
    [QM_WHY_ROLE] = {"role", "offered for a role that this service may not use", NO_NUMBERS, ""},
    [QM_WHY_NO_HOST] = {"no_host", "every host that could run it has an instance already",
                        NO_NUMBERS, ""},
    [QM_WHY_LAST_STEP] = {"last_step", "waits for its turn: an earlier step is under way",
                          NO_NUMBERS, ""},
    [QM_WHY_CONFIG_WAITS] = {"config_waits",
                             "the configuration changed: resume to replace outdated tasks",
                             NO_NUMBERS, ""},
    [QM_WHY_SHUTDOWN_GRACE] = {"shutdown_grace",
                               "shut down begins in $w s, unless a version is posted", SECONDS, ""},
    [QM_WHY_NOT_NEEDED] = {"not_needed", "nothing is to run there", NO_NUMBERS, ""},
};

static const struct wording *find_wording(enum qm_reason_code code)
{
    static const struct wording unknown = {"unknown", "unknown reason", NO_NUMBERS, ""};

    return (unsigned)code < QM_WHY_CODES && wordings[code].name ? &wordings[code] : &unknown;
}

const char *qm_reason_name(enum qm_reason_code code)
{
    return find_wording(code)->name;
}

static void write_number(struct qm_writer *writer, uint64_t number, bool thousandths)
{
    char text[48];

    if (thousandths)
        qm_decimal_format(number, text, sizeof(text));
    else
        snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    qm_write(writer, "%s", text);
}

/* Waits are told in tenths of a second, rounded up: "in 0 s" would be a lie. */
static uint64_t tenths(uint64_t ms)
{
    return ms / 100 * 100 + (ms % 100 != 0) * 100;
}

size_t qm_reason_format(const struct qm_reason *reason, char *buffer, size_t size)
{
    const struct wording *wording = find_wording(reason->code);
    enum numbers numbers = wording->numbers;
    bool have_thousandths = numbers == CPUS || numbers == SECONDS;
    bool want_thousandths = have_thousandths || numbers == WANT_SECONDS;
    uint64_t have = numbers == SECONDS ? reason->have / 100 * 100 : reason->have;
    uint64_t want =
        numbers == SECONDS || numbers == WANT_SECONDS ? tenths(reason->want) : reason->want;
    struct qm_writer writer;

    qm_writer_init(&writer, buffer, size);
    for (const char *p = wording->text; *p != '\0'; p++) {
        if (*p != '$') {
            qm_write(&writer, "%c", *p);
            continue;
        }
        p++;
        if (*p == 'h')
            write_number(&writer, have, have_thousandths);
        else if (*p == 'w')
            write_number(&writer, want, want_thousandths);
        else
            qm_write(&writer, "%s",
                     reason->subject[0] != '\0' ? reason->subject : wording->instead_of_subject);
    }
    return writer.length;
}
