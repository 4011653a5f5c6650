/*
 * The driver as a program, for tests that play the master: prints what it is told, one line a fact,
 * asks for a reconciliation with every subscription and declines all offers.
 *
 *     driver-fixture MASTERS [FRAMEWORK_ID [PRINCIPAL SECRET]]
 *
 * $FIXTURE_CA, $FIXTURE_CERT, $FIXTURE_KEY: for TLS; $FIXTURE_LOOK: looks for a namesake.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "mesos/driver.h"

static struct event_base *base;
static struct driver *driver;
static int exit_code;

static void decline(const char *offer_id)
{
    struct qm_action action = {.type = QM_ACTION_DECLINE};
    action.decline.offer_ids = &offer_id;
    action.decline.n_offer_ids = 1;
    action.decline.refuse = QM_SECONDS(120);
    driver_perform(driver, &action);
}

static void on_fact(void *userdata, const struct qm_fact *fact)
{
    static unsigned long offers;
    switch (fact->type) {
    case QM_FACT_SUBSCRIBED:
        printf("SUBSCRIBED %s\n", fact->subscribed.framework_id);
        driver_perform(driver, &(struct qm_action){.type = QM_ACTION_RECONCILE});
        break;
    case QM_FACT_DISCONNECTED:
        printf("DISCONNECTED\n");
        break;
    case QM_FACT_OFFER:
        printf("OFFER %lu %s\n", ++offers, fact->offer.hostname);
        decline(fact->offer.id);
        break;
    case QM_FACT_TASK_STATUS:
        printf("STATUS %s %s\n", fact->status.task_id, qm_task_state_name(fact->status.state));
        break;
    default:
        printf("FACT %d\n", (int)fact->type);
        break;
    }
}

static void on_ended(void *userdata, int code, const char *line)
{
    printf("ENDED %d %s\n", code, line);
    exit_code = code;
    event_base_loopbreak(base);
}

/* The loop is alive: this goes on whatever the master does. */
static void on_tick(evutil_socket_t fd, short what, void *userdata)
{
    struct driver_status status;
    static char last[1024];
    char line[1024];
    driver_status(driver, &status);
    snprintf(line, sizeof line, "STATE %s %s", status.master, status.detail);
    if (strcmp(line, last) != 0)
        printf("%s\n", line);
    strcpy(last, line);
}

static void on_signal(evutil_socket_t fd, short what, void *userdata)
{
    event_base_loopbreak(base);
}

int main(int argc, char **argv)
{
    char error[256];
    struct timeval tenth = {0, 100000};
    const struct driver_callbacks callbacks = {on_fact, on_ended, NULL};
    struct driver_options options = {
        .masters = argc > 1 ? argv[1] : "",
        .name = "fixture",
        .role = "*",
        .failover_timeout = QM_SECONDS(604800),
        .framework_id = argc > 2 ? argv[2] : "",
        .principal = argc > 3 ? argv[3] : "",
        .secret = argc > 4 ? argv[4] : "",
        .ca_file = getenv("FIXTURE_CA"),
        .cert_file = getenv("FIXTURE_CERT"),
        .key_file = getenv("FIXTURE_KEY"),
        .look_for_namesake = getenv("FIXTURE_LOOK") != NULL,
        .seed = 1,
    };
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    base = event_base_new();
    if (base == NULL || driver_new(&driver, base, &options, &callbacks, error, sizeof error) != 0) {
        printf("ERROR %s\n", error);
        return 2;
    }
    struct event *tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
    struct event *term = evsignal_new(base, SIGTERM, on_signal, NULL);
    event_add(tick, &tenth);
    event_add(term, NULL);
    event_base_dispatch(base);
    event_free(tick);
    event_free(term);
    driver_free(driver);
    event_base_free(base);
    return exit_code;
}
