/* Which ports something listens on, read from the text of /proc/net/tcp and /proc/net/tcp6. */
#ifndef PROBER_PROC_NET_H
#define PROBER_PROC_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * proc_net_listening() - marks those of the given ports that are in state LISTEN in the table.
 * @found: one flag a port; set where it listens, else left as it is, so that tables add up
 * Lines that don't look like the kernel's are skipped. Source: proc(5), state 0A is TCP_LISTEN.
 */
void proc_net_listening(const char *text, size_t length, const uint32_t *ports, size_t n_ports,
                        bool *found);

#endif
