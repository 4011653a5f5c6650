/* Timers: a heap by due time; equal times fire in the order in which they were set. */
#include "core.h"

static bool before(const struct sim_timer *a, const struct sim_timer *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void put(struct sim *sim, size_t place, struct sim_timer *timer)
{
    sim->timers[place - 1] = timer;
    timer->place = place;
}

static void sift(struct sim *sim, struct sim_timer *timer)
{
    size_t place = timer->place;

    while (place > 1 && before(timer, sim->timers[place / 2 - 1])) {
        put(sim, place, sim->timers[place / 2 - 1]);
        place /= 2;
    }
    for (;;) {
        size_t child = place * 2;

        if (child > sim->n_timers)
            break;
        if (child < sim->n_timers && before(sim->timers[child], sim->timers[child - 1]))
            child++;
        if (!before(sim->timers[child - 1], timer))
            break;
        put(sim, place, sim->timers[child - 1]);
        place = child;
    }
    put(sim, place, timer);
}

void core_timer_set(struct sim *sim, struct sim_timer *timer, int64_t due,
                    void (*fire)(struct sim *, void *), void *owner)
{
    core_timer_stop(sim, timer);
    if (due < sim->now)
        due = sim->now;
    timer->due = due;
    timer->order = ++sim->timer_order;
    timer->fire = fire;
    timer->owner = owner;
    if (sim->n_timers == sim->timers_size) {
        sim->timers_size = sim->timers_size ? sim->timers_size * 2 : 64;
        sim->timers = sim_grow(sim->timers, sim->timers_size, sizeof *sim->timers);
    }
    sim->n_timers++;
    put(sim, sim->n_timers, timer);
    sift(sim, timer);
}

void core_timer_stop(struct sim *sim, struct sim_timer *timer)
{
    size_t place = timer->place;
    struct sim_timer *last;

    if (!place)
        return;
    timer->place = 0;
    last = sim->timers[--sim->n_timers];
    if (last == timer)
        return;
    put(sim, place, last);
    sift(sim, last);
}
