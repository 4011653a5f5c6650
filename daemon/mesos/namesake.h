/*
 * Before the first subscription without framework id: does the leading master know a live framework
 * of our name? Then our state was lost, or another daemon is at work, and a new framework beside it
 * would start everything a second time.
 */
#ifndef DAEMON_MESOS_NAMESAKE_H
#define DAEMON_MESOS_NAMESAKE_H

#include <jansson.h>

#include "mesos/link.h"

#define NAMESAKE_ID_MAX 256

struct namesake;

/* Called from the loop; may ask again, must not free. */
struct namesake_callbacks {
    /* There is none at this master, which leads; or it may not be asked (said in the log). */
    void (*none)(void *userdata, const char *host, uint16_t port);
    /* There is one. @n_tasks: that have not ended */
    void (*lives)(void *userdata, const char *framework_id, size_t n_tasks);
    /* This master cannot say, not now: another try is wanted after a while. */
    void (*unknown)(void *userdata, const char *why);
};

/** namesake_new() - @network: copied; @authorization: header value, NULL: none. NULL: no memory. */
struct namesake *namesake_new(const struct link_network *network, const char *authorization,
                              const char *framework_name,
                              const struct namesake_callbacks *callbacks, void *userdata);
void namesake_free(struct namesake *n);

/** namesake_ask() - asks this master, and the one it redirects to. An older question is forgotten.
 */
void namesake_ask(struct namesake *n, const char *host, uint16_t port);

/**
 * namesake_find() - in the answer to /frameworks: a framework of this name that is connected, or
 * has tasks that have not ended. Pure. Returns its id, borrowed; NULL: none.
 */
const char *namesake_find(json_t *answer, const char *framework_name, size_t *n_tasks);

#endif
