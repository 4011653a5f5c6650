/*
 * A planner made of paper: the functions of the library that the front end calls, answering from
 * tables that a test fills. Linked in place of the library's own.
 */
#ifndef TESTS_FAKE_PLANNER_H
#define TESTS_FAKE_PLANNER_H

#include <quobyte-mesos.h>

#include "http/front.h"

struct fake {
    char target[129];
    uint64_t saved_revision;
    struct qm_plan_view plan;
    struct qm_cluster_view cluster;
    struct qm_service_view services[QM_SERVICES_MAX];
    size_t n_services;
    struct qm_offer_outcomes outcomes;
    struct front_status status;
    struct qm_config *config;
    /* Orders: what was asked, and what the daemon is to answer. */
    unsigned n_commands;
    enum qm_command_type command;
    char version[129];
    int command_result;
    uint64_t command_revision;
};

extern struct fake fake;

/** fake_reset() - a fresh deployment: no target, three hosts, no plan, connected. */
void fake_reset(void);

/**
 * fake_fill() - a cluster in the middle of an upgrade, with every kind of trouble on some host.
 * @n_hosts: hosts; each fifth has no metadata device, each eleventh is lost
 */
void fake_fill(size_t n_hosts);

/** fake_deinit() - frees what fake_fill() made. */
void fake_deinit(void);

extern const struct front_callbacks fake_callbacks;

#endif
