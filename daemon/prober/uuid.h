/* Universally unique identifiers. */
#ifndef PROBER_UUID_H
#define PROBER_UUID_H

#include <stdint.h>

#define UUID_SIZE 16

/** uuid_make() - a random one: version 4, variant 1 (RFC 9562). Mesos refuses others. */
void uuid_make(uint8_t uuid[UUID_SIZE]);

#endif
