/*
 * A real ZooKeeper server for a test program: started on a free port of loopback with an own data
 * directory, killed and started again at will, gone when the test process is.
 */
#ifndef TESTS_ZK_SERVER_H
#define TESTS_ZK_SERVER_H

#include <stdbool.h>

/** zk_server_available() - are Java and ZooKeeper's jars installed? */
bool zk_server_available(void);

/** zk_server_start() - starts it, for the first time or again with its data, and waits until it
 * serves. Fails the test when it does not. */
void zk_server_start(void);

/** zk_server_kill() - kill -9. */
void zk_server_kill(void);

/** zk_server_remove() - kills it and removes its data; the next start is a new server. */
void zk_server_remove(void);

/** zk_server_address() - "127.0.0.1:PORT"; the same over restarts. */
const char *zk_server_address(void);

#endif
