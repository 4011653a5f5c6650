/* Random uuids from the kernel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "log.h"
#include "prober/uuid.h"

void uuid_make(uint8_t uuid[UUID_SIZE])
{
    size_t have = 0;

    while (have < UUID_SIZE) {
        ssize_t n = getrandom(uuid + have, UUID_SIZE - have, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) { /* cannot happen on kernels that have it, and those without can't run us */
            log_error("no random numbers: %s", strerror(errno));
            abort();
        }
        have += (size_t)n;
    }
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}
