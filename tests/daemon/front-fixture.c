/*
 * The front end over a planner made of paper, for looking at the page: front-fixture [HOSTS] [PORT]
 * prints its address and serves until it is killed. Without HOSTS: a fresh deployment.
 */
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "fake-planner.h"

int main(int argc, char **argv)
{
    struct event_base *base = event_base_new();
    struct front_options options = {.bind = "127.0.0.1", .deployment = "default"};
    struct front *front;
    char error[256];

    fake_reset();
    if (argc > 1)
        fake_fill((size_t)atoi(argv[1]));
    if (argc > 2)
        options.port = (uint16_t)atoi(argv[2]);
    if (!base || front_new(&front, base, &options, &fake_callbacks, error, sizeof(error)) != 0) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    printf("http://127.0.0.1:%u/\n", front_port(front));
    fflush(stdout);
    event_base_dispatch(base);
    front_free(front);
    event_base_free(base);
    return 0;
}
