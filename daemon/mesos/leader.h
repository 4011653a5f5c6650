/*
 * Which Mesos master leads: one address, a list of them tried in turn, or what the masters wrote
 * into ZooKeeper.
 */
#ifndef DAEMON_MESOS_LEADER_H
#define DAEMON_MESOS_LEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#define LEADER_HOST_MAX 256
#define LEADER_PORT     5050 /* of a master, where none is given */

struct leader;

/* Called from the loop or from inside leader_find(); must not free the leader. */
struct leader_callbacks {
    void (*found)(void *userdata, const char *host, uint16_t port);
    void (*none)(void *userdata, const char *why);
};

/**
 * leader_new() - reads @masters: "host:port", a comma list of them (each perhaps with "https://" or
 * "http://" before it, all the same), or "zk://[user:password@]host1:port1,host2:port2/path".
 * @by_name: masters in ZooKeeper are told by host name, as certificates name them; else by IP
 * @error, @size: receives one line (without credentials) when the text makes no sense
 * Returns 0; -EINVAL with error filled; -ENOMEM.
 */
int leader_new(struct leader **leader, struct event_base *base, const char *masters, bool by_name,
               const struct leader_callbacks *callbacks, void *userdata, char *error, size_t size);

/** leader_wants_tls() - do the addresses say https? */
bool leader_wants_tls(const struct leader *l);

/** leader_free() - not from inside a callback. NULL is fine. */
void leader_free(struct leader *l);

/**
 * leader_find() - who leads? @failed: the one named last did not work, a list goes on to the next.
 * With ZooKeeper it is answered when that is known; changes are told unasked.
 */
void leader_find(struct leader *l, bool failed);

/* ---- pure parts ---- */

struct leader_zk_url {
    char *credentials; /* "user:password", NULL when none */
    char *servers;
    char *path; /* begins with /, does not end with it unless it is all of it */
};

/** leader_check() - would leader_new() take this text? Its errors, without opening anything. */
int leader_check(const char *masters, char *error, size_t size);

/** leader_parse_zk() - the credentials end at the last @ before the path. 0, -EINVAL, -ENOMEM. */
int leader_parse_zk(const char *text, struct leader_zk_url *url);
void leader_zk_url_deinit(struct leader_zk_url *url);

/** leader_parse_address() - "host:port", "host", "[v6]:port". False when it is none of these. */
bool leader_parse_address(const char *text, size_t length, char *host, size_t size, uint16_t *port);

/**
 * leader_choose() - index of the leading master's node among a path's children: the smallest
 * sequence number; children without a number (log_replicas) don't count. -1: none.
 */
int leader_choose(const char *const *names, size_t n);

/**
 * leader_read_node() - address in a master's node: JSON in json.info_*, protobuf in info_*, a pid
 * text (master@ip:port) without label. The address' IP is preferred to its name unless @by_name.
 * False: unreadable.
 */
bool leader_read_node(const char *name, const char *data, size_t length, bool by_name, char *host,
                      size_t size, uint16_t *port);

/**
 * leader_skip_scheme() - what follows "https://" or "http://", or all of the text.
 * @scheme: receives 's', 'h', or 0 for none
 */
const char *leader_skip_scheme(const char *text, char *scheme);

#endif
