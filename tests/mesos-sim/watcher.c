/*
 * The watcher reads process groups from a pipe: a positive number comes, a negative one goes. End
 * of file means that the simulator is dead: whatever group is left is killed.
 */
#include "watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static ssize_t read_whole(int fd, int32_t *value)
{
    ssize_t n;

    do
        n = read(fd, value, sizeof(*value)); /* 4 bytes are written and read in one piece */
    while (n < 0 && errno == EINTR);
    return n;
}

static void watch(int fd)
{
    int32_t *groups = NULL;
    size_t n_groups = 0;
    size_t n_room = 0;
    int32_t value;

    while (read_whole(fd, &value) == (ssize_t)sizeof(value)) {
        if (value > 1 && n_groups == n_room) {
            int32_t *more = realloc(groups, (n_room * 2 + 64) * sizeof(*groups));

            if (!more)
                continue;
            groups = more;
            n_room = n_room * 2 + 64;
        }
        if (value > 1)
            groups[n_groups++] = value;
        for (size_t i = 0; value < 0 && i < n_groups; i++) {
            if (groups[i] == -value) {
                groups[i] = groups[--n_groups];
                break;
            }
        }
    }
    for (size_t i = 0; i < n_groups; i++)
        kill(-groups[i], SIGKILL);
    _exit(0);
}

int watcher_start(void)
{
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid = fork();
    if (pid < 0) {
        int r = -errno;

        close(ends[0]);
        close(ends[1]);
        return r;
    }
    if (pid == 0) {
        setsid(); /* a Ctrl-C is for the simulator */
        signal(SIGINT, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        dup2(ends[0], STDIN_FILENO);
        close_range(1, ~0U, 0); /* whoever waits for the simulator's output must not wait for us */
        watch(STDIN_FILENO);
    }
    close(ends[0]);
    return ends[1];
}

static void tell(int fd, int32_t value)
{
    ssize_t n;

    do
        n = write(fd, &value, sizeof(value));
    while (n < 0 && errno == EINTR);
}

void watcher_add(int fd, pid_t group)
{
    tell(fd, (int32_t)group);
}

void watcher_remove(int fd, pid_t group)
{
    tell(fd, -(int32_t)group);
}
