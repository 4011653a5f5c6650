/*
 * Stands for election in ZooKeeper as a Mesos master does: an ephemeral, sequential node
 * `json.info_` under the given path, with the master's MasterInfo as JSON; the lowest number leads.
 * Clients that are given zk://HOST:PORT/PATH find the simulator by it. Other masters (and other
 * simulators) may contend at the same path.
 */
#ifndef MESOS_SIM_CONTENDER_H
#define MESOS_SIM_CONTENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct contender;
struct face;

/* What the node says of a process. */
struct contender_identity {
    const char *id;
    const char *host; /* an IPv4 address in dots */
    uint16_t port;
};

/* `address` is HOST:PORT[,HOST:PORT...]/PATH, with or without zk:// before it. ZooKeeper need not
 * be there yet. 0, or -EINVAL for an address that isn't one, or -ENOMEM. After every news it calls
 * face_pump(). */
int contender_new(struct contender **ret, struct face *face, const char *address);
struct contender *contender_free(struct contender *contender);

/* Who contends now; NULL: the process is dead. A new process has a session of its own, and the
 * former one's node is gone. */
void contender_update(struct contender *contender, const struct contender_identity *identity);

/* The process was killed: its session (and node) lasts until ZooKeeper has missed it for the
 * session's time-out. NULL-safe, as the next ones. */
void contender_abandon(struct contender *contender);
/* Its session ends now. */
void contender_expire(struct contender *contender);

/* Its node is the first one. */
bool contender_leads(const struct contender *contender);
/* Its session ended against its will since the last time this was asked. */
bool contender_was_lost(struct contender *contender);
/* HOST:PORT of the leader as ZooKeeper names it; "" while there is none or ZooKeeper is away. */
void contender_leader(const struct contender *contender, char *address, size_t size);

#endif
