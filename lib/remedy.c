/* The curl line that ends a wait, and what it risks, for each reason that an order can end. */
#include <quobyte-mesos/explain.h>

#include <string.h>

#include "writer.h"

/* What the order is about. */
enum about {
    ABOUT_NOTHING,
    ABOUT_PLAN,
    ABOUT_STEP,    /* the one that waits */
    ABOUT_BLOCKER, /* the one that it waits for */
    ABOUT_HOST,    /* of the step, or the one that the reason names */
};

struct remedy {
    enum about about;
    const char *verb;
    const char *risk;
};

static const struct remedy remedies[QM_WHY_CODES] = {
    [QM_WHY_PAUSED] = {ABOUT_PLAN, "resume", "the plan goes on stopping services"},
    [QM_WHY_OLD_STATE] = {ABOUT_PLAN, "resume",
                          "what the saved state does not explain may be stopped"},
    [QM_WHY_CONFIG_WAITS] = {ABOUT_PLAN, "resume", "services restart, one after the other"},
    [QM_WHY_MAX_UNAVAILABLE] = {ABOUT_BLOCKER, "skip",
                                "one more instance of the service may be down at a time"},
    [QM_WHY_REGISTRY_MAJORITY] = {ABOUT_BLOCKER, "skip",
                                  "the registry may be away while another one restarts"},
    [QM_WHY_FAILURE_DOMAIN] = {ABOUT_BLOCKER, "skip",
                               "data may be away while two failure domains are down"},
    [QM_WHY_UNREACHABLE] = {ABOUT_HOST, "forget",
                            "only if the host is gone for good: its tasks may still run there"},
    [QM_WHY_DEVICE_MISSING] = {ABOUT_STEP, "skip", "this instance is not counted any more"},
    [QM_WHY_UNHEALTHY] = {ABOUT_STEP, "skip", "this instance is not counted until it is healthy"},
    [QM_WHY_BACKOFF] = {ABOUT_STEP, "retry", "none: the next try is now"},
    [QM_WHY_DRAINED] = {ABOUT_HOST, "readmit", "services start on the host again"},
    [QM_WHY_SKIPPED] = {ABOUT_STEP, "retry", "the step belongs to the plan again and may hold it"},
    [QM_WHY_CPUS] = {ABOUT_STEP, "skip", "this instance stays as it is"},
    [QM_WHY_MEM] = {ABOUT_STEP, "skip", "this instance stays as it is"},
    [QM_WHY_DISK] = {ABOUT_STEP, "skip", "this instance stays as it is"},
    [QM_WHY_PORTS] = {ABOUT_STEP, "skip", "this instance stays as it is"},
    [QM_WHY_FAILURES] = {ABOUT_PLAN, "resume",
                         "the next instance may fail, too; rollback goes back"},
    [QM_WHY_FAILURES_TOTAL] = {ABOUT_PLAN, "resume",
                               "the next instance may fail, too; rollback goes back"},
    [QM_WHY_IMAGE_FAILED] = {ABOUT_PLAN, "resume", "none: the image is tried again"},
    [QM_WHY_CANARY] = {ABOUT_PLAN, "resume", "the other instances follow without more soaking"},
    [QM_WHY_LIMIT_INSTANCES] = {ABOUT_PLAN, "resume", "the next instances follow"},
};

size_t qm_reason_remedy(const struct qm_reason *reason, const char *base, const char *step,
                        const char *host, char *buffer, size_t size)
{
    const struct remedy *remedy =
        (unsigned)reason->code < QM_WHY_CODES ? &remedies[reason->code] : &remedies[0];
    const char *subject = step;
    struct qm_writer writer;

    qm_writer_init(&writer, buffer, size);
    if (remedy->about == ABOUT_BLOCKER)
        subject = reason->blocker;
    if (remedy->about == ABOUT_HOST)
        subject = reason->subject[0] ? reason->subject : host;
    if (remedy->about == ABOUT_NOTHING || (remedy->about != ABOUT_PLAN && !subject[0]))
        return 0;
    qm_write(&writer, "curl -X POST %s/v1/", base);
    if (remedy->about == ABOUT_PLAN)
        qm_write(&writer, "plan/");
    else if (remedy->about == ABOUT_HOST)
        qm_write(&writer, "hosts/%s/", subject);
    else
        qm_write(&writer, "plan/steps/%s/", subject);
    qm_write(&writer, "%s  # %s", remedy->verb, remedy->risk);
    return writer.length;
}
