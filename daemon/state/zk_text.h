/*
 * Words about ZooKeeper: addresses, paths and node names. Pure functions over text.
 */
#ifndef DAEMON_STATE_ZK_TEXT_H
#define DAEMON_STATE_ZK_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "state/store.h"

struct zk_address {
    char *servers;     /* host:port[,host:port...] */
    char *credentials; /* "user:password" or "" */
};

/**
 * zk_address_parse() - [zk://[user:password@]]host:port[,host:port...], the form of --zk.
 * Returns 0; -EINVAL with a line that never holds the password; -ENOMEM.
 */
int zk_address_parse(struct zk_address *address, const char *text, struct store_error *error);
void zk_address_deinit(struct zk_address *address);

/**
 * zk_path_check() - may this be a node's path? A trailing slash is accepted; "/" is the root.
 * Returns 0 or -EINVAL. Source: ZooKeeper's PathUtils.validatePath.
 */
int zk_path_check(const char *path, struct store_error *error);

/** zk_name_escape() - any text as a node name: letters, digits, _ - . stay, the rest is %XX. NULL
 * when out of memory; free() it. */
char *zk_name_escape(const char *text);
/** zk_name_unescape() - the text of a name, NULL when this is not a name that we make. free() it.
 */
char *zk_name_unescape(const char *name);

#endif
