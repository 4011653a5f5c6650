/*
 * Stands for leading master in ZooKeeper as a Mesos master does: an ephemeral, sequential node
 * `json.info_` under the given path, with the master's MasterInfo as JSON. Clients that are given
 * zk://HOST:PORT/PATH find the simulator by it.
 */
#ifndef MESOS_SIM_CONTENDER_H
#define MESOS_SIM_CONTENDER_H

struct contender;
struct face;

/* `address` is HOST:PORT[,HOST:PORT...]/PATH, with or without zk:// before it. ZooKeeper need not
 * be there yet. 0, or -EINVAL for an address that isn't one, or -ENOMEM. */
int contender_new(struct contender **ret, struct face *face, const char *address);
struct contender *contender_free(struct contender *contender);

/* To be called when the master may have died or come back: a dead one has no node, a new one a new
 * node. NULL-safe. */
void contender_update(struct contender *contender);

#endif
